# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The port behind which regular expressions are matched: the standard library, or a package that can more."""

from __future__ import annotations

import re
from typing import Protocol


class Matcher(Protocol):
    """A compiled pattern."""

    def search(self, text: str, position: int) -> re.Match[str] | None:
        """The first match at or behind a position.

        :raises TimeoutError: when it takes longer than the engine allows; an engine that is not bounded never does.
        """


class Engine(Protocol):
    """Compiles patterns in the syntax of the standard library's ``re``."""

    @property
    def bounded(self) -> bool:
        """Whether a search ends in bounded time, whatever the pattern."""

    @property
    def variable_look_behind(self) -> bool:
        """Whether a look-behind may have any length."""

    def compile(self, pattern: str) -> Matcher:
        """The pattern, compiled.

        :raises ValueError: for a pattern that the engine does not take.
        """


class StandardMatcher:
    """A pattern of the standard library."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self._pattern = pattern

    def search(self, text: str, position: int) -> re.Match[str] | None:
        """The first match at or behind a position."""
        return self._pattern.search(text, position)


class StandardEngine:
    """The standard library's ``re``: no time-out, look-behinds of a fixed length."""

    bounded = False
    variable_look_behind = False

    def compile(self, pattern: str) -> Matcher:
        """The pattern, compiled.

        :raises ValueError: for a pattern that ``re`` does not take.
        """
        try:
            return StandardMatcher(re.compile(pattern))
        except (re.error, OverflowError, RecursionError) as error:
            raise ValueError(str(error)) from error
