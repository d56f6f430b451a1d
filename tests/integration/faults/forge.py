# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that module processes are forked from: it has all imports, so that hundreds of them cost little.

It reads orders as lines of JSON from standard input, answers each with a line, and ends when its input does.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import sys
from typing import Any

from tests.integration.faults.faultpoints import Strike, perform


def _child(order: dict[str, Any]) -> int:
    try:
        perform(order["module"], json.dumps(order["arguments"]).encode(), order["folder"], Strike(**order["strike"]))
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _fork(order: dict[str, Any]) -> int:
    """Run an order in a child, kill it when its time is up, return its exit code or minus the number of a signal."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            code = _child(order)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    ending = os.pidfd_open(child)
    if not select.select([ending], [], [], order["seconds"])[0]:
        os.kill(child, signal.SIGKILL)
    os.close(ending)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    gc.freeze()
    for line in sys.stdin:
        print(_fork(json.loads(line)), flush=True)
