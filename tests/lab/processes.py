# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Background processes: started in a session of their own, recognised by start time, ended with their children."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

GRACE = 8.0
POLL = 0.02

# A child that this interpreter started must be waited for, or it stays a zombie.
_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True, slots=True)
class BackgroundProcess:
    """A session leader; ``start_time`` is in clock ticks since boot, so that a reused pid is never taken for it."""

    name: str
    pid: int
    start_time: int
    log: str


@dataclass(frozen=True, slots=True)
class _Stat:
    pid: int
    state: str
    session: int
    start_time: int


def start(
    name: str,
    command: Sequence[str],
    log: Path,
    *,
    directory: Path,
    output: Path | None = None,
    environment: Mapping[str, str],
) -> BackgroundProcess:
    """Start a command in ``directory``, in a new session; it writes to ``log``, its stdout to ``output`` if given."""
    with log.open("ab") as error_stream, (output or log).open("ab") as output_stream:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output_stream,
            stderr=error_stream,
            start_new_session=True,
            cwd=directory,
            env={**os.environ, **environment},
        )
    _children[child.pid] = child
    stat = _read(child.pid)
    return BackgroundProcess(name, child.pid, stat.start_time if stat else 0, str(log))


def is_running(process: BackgroundProcess) -> bool:
    """Tell whether the very process that was started still lives."""
    _reap(process.pid)
    stat = _read(process.pid)
    return stat is not None and stat.start_time == process.start_time and stat.state != "Z"


def stop(process: BackgroundProcess) -> None:
    """End the process and every member of its session, gently first.

    Raises:
        TimeoutError: something survived even SIGKILL.
    """
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        deadline = time.monotonic() + GRACE
        members = list(members_of(process))
        for stat in members:
            _send(stat, signal_number)
        while members and time.monotonic() < deadline:
            _reap(process.pid)
            time.sleep(POLL)
            members = list(members_of(process))
        if not members:
            _children.pop(process.pid, None)
            return
    raise TimeoutError(f"{process.name}: process {process.pid} did not end")


def members_of(process: BackgroundProcess) -> Iterator[_Stat]:
    """List the living processes of the session that the process leads.

    A pid that is in use as a session id is not given out again, so orphans of a dead leader are still ours; a living
    leader with another start time means that our session ended and its number was reused.
    """
    leader = _read(process.pid)
    if leader is not None and leader.start_time != process.start_time:
        return
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            stat = _read(int(entry.name))
            if (
                stat is not None
                and stat.session == process.pid
                and stat.state != "Z"
                and stat.start_time >= process.start_time
            ):
                yield stat


def _send(target: _Stat, signal_number: signal.Signals) -> None:
    now = _read(target.pid)
    if now is not None and now.start_time == target.start_time:
        try:
            os.kill(target.pid, signal_number)
        except ProcessLookupError:
            return


def _reap(pid: int) -> None:
    if child := _children.get(pid):
        child.poll()


def _read(pid: int) -> _Stat | None:
    """Read /proc/<pid>/stat (proc(5)); the command name may itself hold spaces and parentheses."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return _Stat(pid=pid, state=fields[0], session=int(fields[3]), start_time=int(fields[19]))
