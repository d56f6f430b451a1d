# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab remembers of itself: one JSON file in its directory."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.lab.pki import write_private
from tests.lab.processes import BackgroundProcess, is_running
from tests.lab.settings import LabSettings

STATE_FILE = "lab.json"
LOCK_FILE = "lock"


class StateError(Exception):
    """The directory is not a lab's, or somebody else is at work in it."""


@dataclass(frozen=True, slots=True)
class LabState:
    """``settings`` is None from the first started process until the lab is ready."""

    digest: str
    settings: LabSettings | None
    processes: tuple[BackgroundProcess, ...]

    def running(self) -> list[BackgroundProcess]:
        """List the processes that still live."""
        return [process for process in self.processes if is_running(process)]

    def is_whole(self) -> bool:
        """Tell whether the lab became ready and nothing has died since."""
        return self.settings is not None and len(self.running()) == len(self.processes)


def read_state(directory: Path) -> LabState | None:
    """Read a lab's state; None when there is no lab in the directory."""
    try:
        values = json.loads((directory / STATE_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return LabState(
        digest=values["digest"],
        settings=LabSettings.from_json(values["settings"]) if values["settings"] else None,
        processes=tuple(BackgroundProcess(**value) for value in values["processes"]),
    )


def write_state(directory: Path, state: LabState) -> None:
    """Write a lab's state in one step, readable by its owner only."""
    values = {
        "digest": state.digest,
        "settings": state.settings.as_json() if state.settings else None,
        "processes": [asdict(process) for process in state.processes],
    }
    new = directory / f"{STATE_FILE}.new"
    write_private(new, json.dumps(values, indent=2).encode())
    new.replace(directory / STATE_FILE)


def forget_state(directory: Path) -> None:
    (directory / STATE_FILE).unlink(missing_ok=True)


def empty_directory(directory: Path) -> None:
    """Remove what an earlier lab left.

    Raises:
        StateError: the directory has content but never was a lab's.
    """
    content = [path for path in directory.iterdir() if path.name != LOCK_FILE]
    if content and not (directory / LOCK_FILE).stat().st_size:
        raise StateError(f"{directory} is not empty and holds no lab; choose another --dir")
    for path in content:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the directory alone.

    Raises:
        StateError: another command holds it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(directory / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise StateError(f"another command is at work in {directory}") from error
    finally:
        os.close(descriptor)


def mark_as_lab(directory: Path) -> None:
    """Sign the lock file, so that a later lab may empty the directory."""
    (directory / LOCK_FILE).write_text("hybrid_identity.gpad lab\n", encoding="utf-8")
