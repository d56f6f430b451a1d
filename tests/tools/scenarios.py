# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs Molecule scenarios, two at a time: ``python -m tests.tools.scenarios SCENARIO …``.

Each has a lab and an ephemeral directory of its own: Molecule keeps the state of one only.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

from tests.tools.checkout import BUILD, ROOT

SLOTS = 2
FOLDER = BUILD / "molecule"


def main(names: list[str]) -> int:
    """Run the scenarios, print the output of each as it ends; return 1 unless all passed."""
    passed = 0
    with ThreadPoolExecutor(SLOTS) as pool:
        for future in as_completed([pool.submit(run, name) for name in names]):
            output, good = future.result()
            print(output, flush=True)
            passed += good
    print(f"{passed} of {len(names)} scenarios passed")
    return 0 if passed == len(names) > 0 else 1


def run(name: str) -> tuple[str, bool]:
    """Run one scenario; return its output below a header, and whether it passed."""
    began = time.monotonic()
    done = subprocess.run(
        ["molecule", "test", "-s", name],
        cwd=ROOT / "extensions",
        env={**os.environ, "MOLECULE_EPHEMERAL_DIRECTORY": str(FOLDER / name)},
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
