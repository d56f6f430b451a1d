# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the schema lets a mapping write, told before any write."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import schema
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.schema import AttributeSchema, Syntax

TEXT, BOOLEAN, NUMBER, LARGE = "2.5.5.12", "2.5.5.8", "2.5.5.9", "2.5.5.16"


@pytest.mark.parametrize(
    ("oid", "syntax"),
    [
        (TEXT, Syntax.STRING),
        ("2.5.5.4", Syntax.STRING),
        (BOOLEAN, Syntax.BOOLEAN),
        (NUMBER, Syntax.INTEGER),
        (LARGE, Syntax.LARGE_INTEGER),
        ("2.5.5.11", Syntax.TIME),
        ("2.5.5.1", Syntax.DN),
        ("2.5.5.7", Syntax.OTHER),
        ("2.5.5.10", Syntax.OTHER),
        ("2.5.5.14", Syntax.OTHER),
        ("2.5.5.15", Syntax.OTHER),
        ("2.5.5.17", Syntax.OTHER),
    ],
)
def test_the_kinds_of_syntaxes(oid: str, syntax: Syntax) -> None:
    assert AttributeSchema("x", oid, True).syntax is syntax


@pytest.mark.parametrize(
    ("attribute", "words"),
    [
        (None, "no such attribute"),
        (AttributeSchema("x", TEXT, True, writable=False), "the system alone"),
        (AttributeSchema("x", TEXT, True, on_group=False), "class group"),
        (AttributeSchema("x", "2.5.5.10", True), "binary"),
        (AttributeSchema("x", TEXT, True), ""),
        (AttributeSchema("x", "2.5.5.1", False), ""),
    ],
)
def test_what_no_mapping_can_write(attribute: AttributeSchema | None, words: str) -> None:
    problem = schema.target_problem(attribute)
    assert words in problem
    assert bool(problem) is bool(words)


@pytest.mark.parametrize(
    ("oid", "bounds", "value", "words"),
    [
        (TEXT, (None, None), "anything \u00e4", ""),
        (TEXT, (1, 3), "abc", ""),
        (TEXT, (1, 3), "abcd", "4 characters, at most 3 fit"),
        (TEXT, (3, None), "ab", "2 characters, at least 3"),
        (TEXT, (None, 3), "a\U0001f680", ""),
        (TEXT, (None, 2), "a\U0001f680", "3 characters"),
        ("2.5.5.5", (None, None), "ascii", ""),
        ("2.5.5.5", (None, None), "\u00e4", "ASCII"),
        ("2.5.5.2", (None, None), "1.2.840", ""),
        ("2.5.5.2", (None, None), "\u0661", "ASCII"),
        ("2.5.5.6", (None, None), "12 34", ""),
        ("2.5.5.6", (None, None), "12a", "digits"),
        ("2.5.5.6", (None, None), "\u0661", "digits"),
        (BOOLEAN, (None, None), "TRUE", ""),
        (BOOLEAN, (None, None), "FALSE", ""),
        (BOOLEAN, (None, None), "true", "neither TRUE nor FALSE"),
        (NUMBER, (None, None), "2147483647", ""),
        (NUMBER, (None, None), "-2147483648", ""),
        (NUMBER, (None, None), "2147483648", "not between"),
        (NUMBER, (None, None), "-2147483649", "not between"),
        (NUMBER, (0, 10), "10", ""),
        (NUMBER, (0, 10), "-1", "-1 is not between 0 and 10"),
        (NUMBER, (None, None), "1.5", "is none"),
        (NUMBER, (None, None), "\u0661", "is none"),
        (NUMBER, (None, None), "7\n", "is none"),
        (LARGE, (None, None), "9223372036854775807", ""),
        (LARGE, (None, None), "9223372036854775808", "not between"),
        ("2.5.5.11", (None, None), "20261121100000.0Z", ""),
        ("2.5.5.11", (None, None), "2026-11-21T10:00:00Z", "20261121100000.0Z"),
        ("2.5.5.11", (None, None), "20261121100000.0Z\n", "is not of the form"),
        ("2.5.5.1", (None, None), "CN=Robin,DC=contoso,DC=com", ""),
        ("2.5.5.1", (None, None), "Robin", "distinguished name"),
    ],
)
def test_what_fits(oid: str, bounds: tuple[int | None, int | None], value: str, words: str) -> None:
    problem = schema.values_problem(AttributeSchema("x", oid, True, *bounds), (value,))
    assert words in problem
    assert bool(problem) is bool(words)


def test_how_many_values_fit() -> None:
    assert "gives 2" in schema.values_problem(AttributeSchema("x", TEXT, True), ("a", "b"))
    assert schema.values_problem(AttributeSchema("x", TEXT, False), ("a", "b")) == ""
    assert schema.values_problem(AttributeSchema("x", TEXT, True, 1), ()) == ""
    assert "2 characters" in schema.values_problem(AttributeSchema("x", TEXT, False, None, 1), ("a", "bb"))
