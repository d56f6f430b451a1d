# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Processes of modules: started anew as Ansible does it, or forked from one that has all imports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

ROOT = Path(__file__).resolve().parents[3]
CALL_MODULE = "tests.integration.modules.call_module"
MOST_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How a module process ended.

    Parameters:
        code: exit code; the negative number of the signal that ended it.
        output: standard output.
        complaint: standard error.
        seconds: how long it ran.
        more: what else it left in its folder, by file name.
    """

    code: int
    output: str
    complaint: str
    seconds: float
    more: Mapping[str, str]


def environment(**more: str) -> dict[str, str]:
    """Return the present environment, with the collection and the tests where Python looks."""
    return {**os.environ, "PYTHONPATH": f"{ROOT / '.build'}{os.pathsep}{ROOT}", **more}


class Processes(Protocol):
    """Makes the processes of modules."""

    def run(self, module: str, arguments: Mapping[str, Any]) -> Ended:
        """Run a module to its end."""


class Anew:
    """Runs each module in a Python of its own.

    Parameters:
        more: what goes into its environment.
    """

    def __init__(self, **more: str) -> None:
        self._more = more

    def run(self, module: str, arguments: Mapping[str, Any]) -> Ended:
        """Run a module to its end."""
        started = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", CALL_MODULE, module],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode(),
            capture_output=True,
            cwd=ROOT,
            env=environment(**self._more),
            check=False,
            timeout=MOST_SECONDS,
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode(), time.monotonic() - started, {})


class Forge:
    """Forks the processes of modules, one after the other.

    Parameters:
        performer: the Python module whose function `perform` runs one.
    """

    def __init__(self, performer: str = CALL_MODULE) -> None:
        self._performer = performer
        self._started: subprocess.Popen[str] | None = None
        self._is_busy = threading.Lock()

    def _process(self) -> subprocess.Popen[str]:
        """Return the process that the others come from, which is started when first needed."""
        if self._started is None:
            self._started = subprocess.Popen(
                [sys.executable, "-m", "tests.integration.modules.forge", self._performer],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                cwd=ROOT,
                env=environment(),
                text=True,
            )
        return self._started

    def close(self) -> None:
        """End the process that the others come from."""
        if self._started is not None:
            self._started.communicate(timeout=MOST_SECONDS)

    def run(self, module: str, arguments: Mapping[str, Any], kill_after: float | None = None, **order: Any) -> Ended:
        """Run a module to its end, or kill it after a time; `order` is what else its performer is told."""
        assert self._is_busy.acquire(blocking=False), "a forge makes one process at a time; Anew makes several at once"
        try:
            return self._run(module, arguments, kill_after, order)
        finally:
            self._is_busy.release()

    def _run(self, module: str, arguments: Mapping[str, Any], kill_after: float | None, order: dict[str, Any]) -> Ended:
        stdin, stdout = self._process().stdin, self._process().stdout
        assert stdin is not None
        assert stdout is not None
        with tempfile.TemporaryDirectory(prefix="forged-") as name:
            folder = Path(name)
            order |= {
                "module": module,
                "arguments": {"ANSIBLE_MODULE_ARGS": arguments},
                "environment": environment(),
                "folder": name,
                "seconds": MOST_SECONDS if kill_after is None else kill_after,
            }
            started = time.monotonic()
            stdin.write(json.dumps(order) + "\n")
            stdin.flush()
            code = int(stdout.readline())
            seconds = time.monotonic() - started
            left = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
        assert code != -signal.SIGKILL or seconds < MOST_SECONDS, f"{module} did not end"
        # One that was killed in its first moment has not even opened them.
        output, complaint = (left.pop(name, "") for name in ("stdout", "stderr"))
        return Ended(code, output, complaint, seconds, left)
