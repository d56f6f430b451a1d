# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs Molecule scenarios, two at a time: ``python -m tests.tools.scenarios SCENARIO …``.

Each has a lab and an ephemeral directory of its own: Molecule keeps the state of one only.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tests.tools.checkout import BUILD, ROOT

SLOTS = 2
FOLDER = BUILD / "molecule"
PLAYBOOK = ROOT / "tests/integration/playbooks/ansible_playbook.py"
PACKS = ROOT / ".cache/packs/molecule"


def main(names: list[str]) -> int:
    """Run the scenarios, print the output of each as it ends; return 1 unless all passed."""
    programs = keep_packs(FOLDER / "bin")
    passed = 0
    with ThreadPoolExecutor(SLOTS) as pool:
        for future in as_completed([pool.submit(run, name, programs) for name in names]):
            output, good = future.result()
            print(output, flush=True)
            passed += good
    print(f"{passed} of {len(names)} scenarios passed")
    return 0 if passed == len(names) > 0 else 1


def keep_packs(folder: Path) -> Path:
    """Put the ansible-playbook that keeps what it packs into a folder, for the path, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "ansible-playbook"
    program.write_text(f'#!/bin/sh\nexec {shlex.join([sys.executable, str(PLAYBOOK), str(PACKS)])} "$@"\n')
    program.chmod(0o755)
    return folder


def run(name: str, programs: Path) -> tuple[str, bool]:
    """Run one scenario; return its output below a header, and whether it passed."""
    began = time.monotonic()
    done = subprocess.run(
        ["molecule", "test", "-s", name],
        cwd=ROOT / "extensions",
        env={
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "MOLECULE_EPHEMERAL_DIRECTORY": str(FOLDER / name),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    good = done.returncode == 0
    header = f"--- {name}: {'passed' if good else 'FAILED'} ({time.monotonic() - began:.1f} s)"
    return f"{header}\n{done.stdout}", good


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
