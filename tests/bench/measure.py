# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one way to time: a command runs as a process of its own, and what it used is told of it alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO

_LAUNCHER = Path(__file__).with_name("launch.py")
# After so many seconds a command that was asked to end is killed.
_PATIENCE = 30


@dataclass(frozen=True, slots=True)
class Run:
    """What a command used.

    Parameters:
        seconds: from its start to its end.
        cpu: seconds of processor time, with all processes that it started and waited for.
        peak: the largest resident set of any of these processes, in MiB.
        code: its exit code.
        output: what it printed, unless that went into a file.
        errors: what it printed on standard error.
        stopped: whether it was ended because its time was up.
    """

    seconds: float
    cpu: float
    peak: float
    code: int
    output: str
    errors: str
    stopped: bool = False

    @property
    def used(self) -> dict[str, float]:
        """Processor time and memory, as counts of a figure."""
        return {"cpu s": self.cpu, "peak MiB": self.peak}

    def done(self) -> Run:
        """Return the run itself.

        Raises:
            RuntimeError: it failed.
        """
        if self.code:
            raise RuntimeError(f"exit code {self.code}:\n{self.output[-2000:]}\n{self.errors[-4000:]}")
        return self


def run(
    command: Sequence[str],
    *,
    feed: str = "",
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    output: Path | None = None,
    limit: float | None = None,
) -> Run:
    """Run a command and measure it.

    Parameters:
        command: the program and its arguments.
        feed: what it reads from standard input.
        environment: variables beside those of this process.
        folder: where it runs.
        output: a file for what it prints, where that is much.
        limit: after so many seconds it is asked to end.

    Raises:
        RuntimeError: it could not be started, or had to be killed, so that nothing is known of it.
    """
    reading, writing = os.pipe()
    with os.fdopen(reading) as report:
        try:
            with output.open("wb") if output else nullcontext(subprocess.PIPE) as target:
                process = _start(command, writing, environment, folder, target)
        finally:
            os.close(writing)
        stopped = False
        try:
            printed, errors = process.communicate(feed.encode(), timeout=limit)
        except subprocess.TimeoutExpired:
            stopped = True
            printed, errors = _end(process)
        used = report.read()
    if not used:
        raise RuntimeError(f"{command[0]} was not measured:\n{errors.decode()[-4000:]}")
    return Run(**json.loads(used), output=(printed or b"").decode(), errors=errors.decode(), stopped=stopped)


def _start(
    command: Sequence[str],
    report: int,
    environment: Mapping[str, str] | None,
    folder: Path | None,
    output: IO[bytes] | int,
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_LAUNCHER), str(report), *command],
        stdin=subprocess.PIPE,
        stdout=output,
        stderr=subprocess.PIPE,
        env={**os.environ, **(environment or {})},
        cwd=folder,
        pass_fds=[report],
        start_new_session=True,
    )


def _end(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """Ask the processes of a command to end, and kill them when they do not."""
    os.killpg(process.pid, signal.SIGTERM)
    try:
        return process.communicate(timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.communicate()
