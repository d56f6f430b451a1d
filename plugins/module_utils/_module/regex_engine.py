# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The optional package `regex`: a time-out for each search, and look-behinds of any length."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.regex import use_engine

if TYPE_CHECKING:
    from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.engine import Matcher

try:
    import regex
except ImportError:
    HAS_REGEX = False
else:
    HAS_REGEX = True

# More than any honest pattern needs on 10,000 characters.
_SECONDS = 2.0


class _TimedMatcher:
    """A compiled pattern whose searches end."""

    def __init__(self, pattern: Any) -> None:
        self._pattern = pattern

    def search(self, text: str, position: int) -> re.Match[str] | None:
        """Return the first match at or behind a position.

        Raises:
            TimeoutError: it takes too long.
        """
        return cast("re.Match[str] | None", self._pattern.search(text, position, timeout=_SECONDS))


class RegexEngine:
    """Matches with the package `regex`."""

    bounded = True
    variable_look_behind = True

    def compile(self, pattern: str) -> Matcher:
        """Return the compiled pattern.

        Raises:
            ValueError: the package does not take it.
        """
        try:
            return _TimedMatcher(regex.compile(pattern, regex.VERSION0))
        except (regex.error, OverflowError, RecursionError) as error:
            raise ValueError(str(error)) from error


def choose_engine() -> None:
    """Use the package where it is installed."""
    if HAS_REGEX:
        use_engine(RegexEngine())
