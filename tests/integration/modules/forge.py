# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that module processes are forked from: it has all imports, so that hundreds of them cost little.

It is started with the name of the Python module whose function `perform` a child calls with its order. It reads orders
as lines of JSON from standard input, answers each with a line, and ends when its input does.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ENDINGS = ("stdout", "stderr")
_PACKAGE = "ansible_collections.hybrid_identity.gpad.plugins.module_utils._module"
_RUNNERS = ("applying", "capturing", "converting", "delegating", "inspecting", "keeping", "planning")


def _redirect(folder: Path) -> None:
    for number, name in enumerate(ENDINGS, start=1):
        target = os.open(folder / name, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        os.dup2(target, number)
        os.close(target)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def _child(perform: Callable[[dict[str, Any]], None], order: dict[str, Any]) -> int:
    _redirect(Path(order["folder"]))
    os.environ.clear()
    os.environ.update(order["environment"])
    try:
        perform(order)
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def _fork(perform: Callable[[dict[str, Any]], None], order: dict[str, Any]) -> int:
    """Run an order in a child, kill it when its time is up, return its exit code or minus the number of a signal."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            code = _child(perform, order)
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
    for runner in _RUNNERS:
        importlib.import_module(f"{_PACKAGE}.{runner}")
    performer = importlib.import_module(sys.argv[1]).perform
    gc.freeze()
    for line in sys.stdin:
        print(_fork(performer, json.loads(line)), flush=True)
