# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module tells how far it is: seldom, whole, and never at its own cost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.progress import ProgressFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.progress import (
    PATH_VARIABLE,
    Progress,
    Stage,
    progress_of,
)

MEMBERS = Stage.MEMBERS_WRITTEN


class Clock:
    """A clock that is set, and counts how often it is looked at."""

    def __init__(self) -> None:
        self.now, self.looks = 100.0, 0

    def __call__(self) -> float:
        self.looks += 1
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock."""
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where to tell."""
    return tmp_path / "progress"


def told(path: Path) -> Progress | None:
    """Return what stands in the file."""
    return progress_of(path.read_text())


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Path]]:
    """The files that are put in place."""
    seen: list[Path] = []
    replace = Path.replace

    def counted(self: Path, target: Path) -> Path:
        seen.append(self)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", counted)
    yield seen


def test_the_first_word_of_a_stage_is_told_at_once(path: Path, clock: Clock) -> None:
    progress = ProgressFile(str(path), clock)
    progress.tell(Stage.DIRECTORY_READ)
    assert told(path) == Progress(Stage.DIRECTORY_READ)
    progress.tell(MEMBERS, 0, 9)
    assert told(path) == Progress(MEMBERS, 0, 9)


def test_within_a_stage_the_file_is_written_once_a_second(path: Path, clock: Clock, writes: list[Path]) -> None:
    progress = ProgressFile(str(path), clock)
    for done in range(1001):
        progress.tell(MEMBERS, done, 1000)
        clock.now += 0.01
    assert 10 <= len(writes) <= 11
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_cost_of_a_word_is_one_look_at_the_clock(path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    progress = ProgressFile(str(path), clock)
    progress.tell(MEMBERS, 0, 50)
    monkeypatch.setattr(ProgressFile, "_write", None)
    looks = clock.looks
    for done in range(50):
        progress.tell(MEMBERS, done, 50)
    assert clock.looks - looks == 50


@pytest.mark.parametrize("path", [None, ""])
def test_where_nobody_asks_nothing_is_done(path: str | None, clock: Clock) -> None:
    progress = ProgressFile(path, clock)
    progress.tell(MEMBERS, 0, 9)

    def count() -> int:
        raise AssertionError("counted for nobody")

    assert list(progress.counted("abc", MEMBERS, count)) == ["a", "b", "c"]
    assert clock.looks == 0


def test_items_are_told_of_when_they_are_done(path: Path, clock: Clock) -> None:
    seen = []
    for item in ProgressFile(str(path), clock).counted("abc", MEMBERS, lambda: 3):
        seen.append((item, told(path)))
        clock.now += 1
    assert seen == [(item, Progress(MEMBERS, done, 3)) for done, item in enumerate("abc")]
    assert told(path) == Progress(MEMBERS, 3, 3)


def test_a_file_that_cannot_be_written_ends_the_telling_only(tmp_path: Path, clock: Clock) -> None:
    progress = ProgressFile(str(tmp_path / "gone" / "progress"), clock)
    assert list(progress.counted("abc", MEMBERS, lambda: 3)) == ["a", "b", "c"]
    assert clock.looks == 1


def test_a_link_in_its_place_is_not_followed(path: Path, clock: Clock) -> None:
    other = path.with_name("other")
    other.write_text("mine")
    path.symlink_to(other)
    ProgressFile(str(path), clock).tell(MEMBERS, 1, 2)
    assert (other.read_text(), told(path)) == ("mine", Progress(MEMBERS, 1, 2))
    path.with_name(f"{path.name}.new").symlink_to(other)
    ProgressFile(str(path), clock).tell(MEMBERS, 2, 2)
    assert other.read_text() == "mine"


def test_the_path_is_in_the_environment(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(PATH_VARIABLE, raising=False)
    ProgressFile.of_environment().tell(MEMBERS)
    assert list(path.parent.iterdir()) == []
    monkeypatch.setenv(PATH_VARIABLE, str(path))
    ProgressFile.of_environment().tell(MEMBERS)
    assert told(path) == Progress(MEMBERS)
