# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was begun is told and written down, whatever ends the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ahead import Begun, one_ahead
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    DirectoryError,
    GpadError,
    StoreError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied

DEFECT, GONE, FULL = ZeroDivisionError("a defect"), DirectoryError("gone"), StoreError("full")


def applied(name: str, status: str = "done") -> Applied:
    return Applied("create", name, name, None, "", status, {}, {})


def begun(name: str, error: Exception | None = None) -> Begun:
    def wait() -> Applied:
        if error is not None:
            raise error
        return applied(name)

    return Begun(wait, lambda _error: applied(name, "failed"))


class Book:
    """Takes outcomes in, or raises once it has so many."""

    def __init__(self, error: Exception | None = None, most: int = 99) -> None:
        self.told: list[tuple[str, str]] = []
        self._error, self._most = error, most

    def recorded(self, one: Applied) -> Iterator[Applied]:
        yield one
        if self._error is not None and len(self.told) >= self._most:
            raise self._error

    def fill(self, steps: Callable[[], Iterator[Begun | None]]) -> None:
        """Run through the steps."""
        for one in one_ahead(steps(), self.recorded):
            self.told.append((one.id, one.status))


@pytest.mark.parametrize("error", [DEFECT, GONE])
def test_a_step_that_cannot_be_begun_leaves_the_one_before_told(error: Exception) -> None:
    def steps() -> Iterator[Begun | None]:
        yield begun("a")
        yield begun("b")
        raise error

    book = Book()
    with pytest.raises(type(error)):
        book.fill(steps)
    assert book.told == [("a", "done"), ("b", "done")]


@pytest.mark.parametrize("error", [DEFECT, GONE])
def test_a_step_that_is_lost_leaves_the_next_one_told(error: Exception) -> None:
    book = Book()
    with pytest.raises(type(error)):
        book.fill(lambda: iter([begun("a", error), begun("b"), begun("c")]))
    assert book.told == [("a", "failed"), ("b", "done")]


@pytest.mark.parametrize("error", [DEFECT, FULL])
def test_what_was_begun_is_told_when_nothing_can_be_written_down_any_more(error: Exception) -> None:
    book = Book(error, 1)
    with pytest.raises(type(error)):
        book.fill(lambda: iter([begun("a"), begun("b"), begun("c")]))
    assert book.told == [("a", "done"), ("b", "done")]


def test_what_was_begun_is_told_when_both_sides_go_away() -> None:
    book = Book(FULL, 1)
    with pytest.raises(GpadError):
        book.fill(lambda: iter([begun("a", GONE), begun("b"), begun("c")]))
    assert book.told == [("a", "failed"), ("b", "done")]


def test_of_two_lost_steps_nobody_knows_anything() -> None:
    book = Book()
    with pytest.raises(DirectoryError):
        book.fill(lambda: iter([begun("a", GONE), begun("b", GONE), begun("c")]))
    assert book.told == []
