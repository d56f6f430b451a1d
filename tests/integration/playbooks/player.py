# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the collection's playbooks as a user does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
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


def play(
    inventory: Path,
    *arguments: str,
    home: Path,
    collections: Path = ROOT / ".build",
    playbook: str = "hybrid_identity.gpad.provision",
) -> Play:
    """Run a playbook of the collection."""
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), *arguments, playbook],
        cwd=home,
        env={
            **os.environ,
            "ANSIBLE_HOME": str(home),
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_LOCAL_TEMP": str(home / "local"),
            "ANSIBLE_REMOTE_TEMP": str(home / "remote"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORCE_COLOR": "0",
        },
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
