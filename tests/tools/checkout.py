# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The project's files as git sees them, and throw-away copies of them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build"
NAMESPACE = Path("ansible_collections/hybrid_identity/gpad")


def project_files(root: Path = ROOT) -> list[str]:
    """Return the paths of all files that git tracks or would track, below ``root``."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted({name for name in listing.stdout.split("\0") if name and (root / name).is_file()})


def copy_to(parent: Path) -> Path:
    """Copy the project's files to the collection's place below ``parent``, as a git repository of its own.

    ``ansible-test`` skips all that the enclosing repository ignores, in silence: hence the repository.
    """
    shutil.rmtree(parent / NAMESPACE, ignore_errors=True)
    target = parent / NAMESPACE
    target.mkdir(parents=True)
    for name in project_files():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)
    stage(target)
    return target


def stage(repository: Path) -> None:
    """Make the folder a git repository that knows all of its files."""
    for arguments in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *arguments], cwd=repository, check=True)
