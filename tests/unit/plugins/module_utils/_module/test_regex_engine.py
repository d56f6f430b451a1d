# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The optional package `regex` behind the port of the expression language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import regex_engine
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.engine import (
    StandardEngine,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.errors import Fault
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.regex import (
    compile_pattern,
    use_engine,
)

pytestmark = pytest.mark.skipif(not regex_engine.HAS_REGEX, reason="the package regex is not installed")


@pytest.fixture
def _regex_in_use() -> Iterator[None]:
    regex_engine.choose_engine()
    yield
    use_engine(StandardEngine())


LOOK_BEHIND = r"(?<!\\+),"


def test_the_standard_library_takes_look_behinds_of_one_length_only() -> None:
    with pytest.raises(Fault, match="fixed length"):
        compile_pattern(LOOK_BEHIND)


@pytest.mark.usefixtures("_regex_in_use")
def test_the_package_takes_look_behinds_of_any_length() -> None:
    assert compile_pattern(LOOK_BEHIND).replace(r"a\,b,c", ";") == r"a\,b;c"


@pytest.mark.usefixtures("_regex_in_use")
@pytest.mark.parametrize(
    ("pattern", "text", "replacement", "expected"),
    [
        ("(?<first>a)(?<second>b)", "abab", "${second}${first}", "baba"),
        (r"\d+", "a1b22", "#", "a#b#"),
        ("a*", "baac", "-", "-b--c-"),
        ("(?i)SALES", "sales Sales", "x", "x x"),
    ],
)
def test_both_engines_replace_alike(pattern: str, text: str, replacement: str, expected: str) -> None:
    timed = compile_pattern(pattern).replace(text, replacement)
    use_engine(StandardEngine())
    assert timed == compile_pattern(pattern).replace(text, replacement) == expected


@pytest.mark.usefixtures("_regex_in_use")
def test_a_search_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regex_engine, "_SECONDS", 0.01)
    with pytest.raises(TimeoutError):
        regex_engine.RegexEngine().compile("(?:a|aa)+$").search("a" * 5000 + "b", 0)


def test_a_time_out_becomes_a_fault_of_the_value() -> None:
    class Endless:
        """Never done in time."""

        def search(self, text: str, position: int) -> None:
            """Give up."""
            raise TimeoutError

    pattern = replace(compile_pattern("a"), python=Endless())
    with pytest.raises(Fault, match="too long"):
        list(pattern.matches("a"))
