# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command and writes what it used to a file descriptor: ``python -I -S launch.py DESCRIPTOR COMMAND …``.

It is a process of its own because Linux counts in a child's peak of memory what its parent held when it started it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time


def main(report: int, command: list[str]) -> int:
    """Run the command to its end and return its exit code; a signal that ends it counts negative."""
    os.set_inheritable(report, False)
    # Whoever ends the command for its time still wants to know what it used.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    start = time.monotonic()
    pid = os.posix_spawnp(command[0], command, os.environ, setsigdef=[signal.SIGTERM])
    _pid, status, usage = os.wait4(pid, 0)
    used = {
        "seconds": time.monotonic() - start,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak": usage.ru_maxrss / 1024,
        "code": os.waitstatus_to_exitcode(status),
    }
    with os.fdopen(report, "w") as file:
        json.dump(used, file)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
