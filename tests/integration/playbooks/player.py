# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the collection's playbooks as a user does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from io import FileIO
from pathlib import Path

# What turns the display of progress off.
_QUIET = ("CI", "GPAD_PROGRESS")
ROOT = Path(__file__).resolve().parents[3]
_BUILD = ROOT / ".build"
_RECAP = re.compile(r"^(\S+)\s+: ok=(\d+)\s+changed=(\d+)\s+unreachable=(\d+)\s+failed=(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Play:
    """What a playbook run printed and counted.

    Args:
        code: exit code.
        output: everything it printed.
        changed: changed tasks by host.
        failed: failed tasks by host.
    """

    code: int
    output: str
    changed: dict[str, int]
    failed: dict[str, int]

    def complaint(self, host: str) -> str:
        """Return what the failed tasks of a host said."""
        of_host = re.compile(rf"(fatal|failed): \[{re.escape(host)}\]")
        return "\n".join(line for line in self.output.splitlines() if of_host.match(line))


def _command(inventory: Path, *arguments: str) -> list[str]:
    return [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), *arguments]


def _environment(home: Path, collections: Path) -> dict[str, str]:
    return {
        **os.environ,
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_LOCAL_TEMP": str(home / "local"),
        "ANSIBLE_REMOTE_TEMP": str(home / "remote"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0",
    }


def play(
    inventory: Path,
    *arguments: str,
    home: Path,
    collections: Path = _BUILD,
    playbook: str = "hybrid_identity.gpad.provision",
) -> Play:
    """Run a playbook of the collection."""
    done = subprocess.run(
        _command(inventory, *arguments, playbook),
        cwd=home,
        env=_environment(home, collections),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    output = done.stdout + done.stderr
    recap = {match[1]: match for match in _RECAP.finditer(done.stdout)}
    return Play(
        done.returncode,
        output,
        {host: int(match[3]) for host, match in recap.items()},
        {host: int(match[4]) + int(match[5]) for host, match in recap.items()},
    )


def play_on_a_terminal(inventory: Path, playbook: str, *, home: Path, **environment: str) -> tuple[int, str]:
    """Run a playbook with a pseudo-terminal as its screen; return the exit code and what stood there.

    What the test process has in its environment to turn the display of progress off does not count.
    """
    kept = {name: value for name, value in _environment(home, _BUILD).items() if name not in _QUIET}
    screen, side = os.openpty()
    with FileIO(screen) as reader:
        process = subprocess.Popen(
            _command(inventory, playbook),
            cwd=home,
            env={**kept, **environment},
            stdin=side,
            stdout=side,
            stderr=side,
        )
        os.close(side)
        shown = b"".join(iter(partial(_read, reader), b""))
    return process.wait(timeout=60), shown.decode().replace("\r\n", "\n")


def _read(screen: FileIO) -> bytes:
    """Return what stands on the screen next; nothing when its last writer has gone, which Linux reports as EIO."""
    try:
        return screen.read(4096) or b""
    except OSError:
        return b""
