# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""RandomString and Guid, with the randomness of the caller."""

from __future__ import annotations

import string
import uuid

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expressions import (
    ExpressionError,
    evaluate,
)
from tests.unit.plugins.module_utils._provisioning.expression.randomness import seeded


def test_guid_is_a_random_one_and_repeats_with_its_source() -> None:
    first = evaluate("Guid()", {}, random=seeded(1))
    assert first == evaluate("Guid()", {}, random=seeded(1))
    assert first != evaluate("Guid()", {}, random=seeded(2))
    assert uuid.UUID(str(first)).version == 4


@pytest.mark.parametrize("seed", range(20))
def test_random_string_keeps_its_minima(seed: int) -> None:
    source = seeded(seed)
    text = evaluate('RandomString(12, 2, 3, 2, "1", "aeiou0O")', {}, random=source)
    assert isinstance(text, str)
    assert len(text) == 12
    counts = [
        sum(char in chars for char in text)
        for chars in (string.digits, string.punctuation, string.ascii_uppercase, string.ascii_lowercase)
    ]
    assert all(count >= least for count, least in zip(counts, (2, 3, 2, 1), strict=True))
    assert not set(text) & set("aeiou0O")


def test_random_string_uses_every_place_for_every_class() -> None:
    source = seeded(3)
    texts = [str(evaluate("RandomString(4, 1, 1, 1, 1)", {}, random=source)) for _unused in range(200)]
    assert {text.index(next(char for char in text if char.isdigit())) for text in texts} == {0, 1, 2, 3}


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("Guid()", "no source of randomness"),
        ("RandomString(1, 0, 0, 0, 0)", "no source of randomness"),
        ("Now()", "no current time"),
    ],
)
def test_nothing_is_made_without_its_source(expression: str, problem: str) -> None:
    with pytest.raises(ExpressionError, match=problem):
        evaluate(expression, {})


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("RandomString([n], 1, 1, 1, 1)", "sum of the minima"),
        ("RandomString(2, 0, 0, 0, -1)", "sum of the minima"),
        ('RandomString(2, 2, 0, 0, 0, "0123456789")', "none to choose from"),
    ],
)
def test_impossible_sizes_are_refused(expression: str, problem: str) -> None:
    with pytest.raises(ExpressionError, match=problem):
        evaluate(expression, {"n": 3}, random=seeded(1))
