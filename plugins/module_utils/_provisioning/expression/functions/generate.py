# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that are made, from the time and the randomness that the caller hands in."""

from __future__ import annotations

import uuid

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.errors import Fault
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.functions.table import (
    Function,
    Style,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.syntax import (
    Call,
    Constant,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.values import (
    Context,
    RandomSource,
    Value,
    integer_of,
    text_of,
)

_DIGITS = "0123456789"
_SPECIAL = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LOWER = "abcdefghijklmnopqrstuvwxyz"
_LONGEST = 256


def _guid(context: Context) -> Value:
    source = _source(context)
    return str(uuid.UUID(bytes=bytes([source(256) for _unused in range(16)]), version=4))


def _random_string(
    context: Context,
    length: Value,
    numbers: Value,
    special: Value,
    capital: Value,
    lower: Value,
    avoid: Value,
) -> Value:
    """Characters of the four classes, at least so many of each, none of ``avoid``, in random order.

    Missing minima are 0; what the minima leave free comes from all classes (chosen).
    """
    counted = [integer_of(0 if value is None else value, "a minimum") for value in (numbers, special, capital, lower)]
    size = integer_of(length, "the length")
    _check_sizes(size, counted)
    source = _source(context)
    avoided = text_of(avoid)
    classes = [
        "".join([char for char in chars if char not in avoided]) for chars in (_DIGITS, _SPECIAL, _UPPER, _LOWER)
    ]
    wanted = [*zip(counted, classes, strict=True), (size - sum(counted), "".join(classes))]
    chars = [_pick(source, pool) for count, pool in wanted for _unused in range(count)]
    for last in range(len(chars) - 1, 0, -1):
        other = source(last + 1)
        chars[last], chars[other] = chars[other], chars[last]
    return "".join(chars)


def _check_sizes(size: int, minima: list[int]) -> None:
    if not 0 <= size <= _LONGEST or min(minima) < 0 or sum(minima) > size:
        raise Fault(f"RandomString: the length is at most {_LONGEST} and at least the sum of the minima")


def _pick(source: RandomSource, pool: str) -> str:
    if not pool:
        raise Fault("RandomString: the characters to avoid leave none to choose from")
    return pool[source(len(pool))]


def _source(context: Context) -> RandomSource:
    if context.random is None:
        raise Fault("no source of randomness was given for this evaluation")
    return context.random


def _check_random_string(call: Call) -> None:
    given = [argument.value for argument in call.arguments[:5] if isinstance(argument, Constant)]
    if len(given) == len(call.arguments[:5]):
        size, *minima = [integer_of(value, "a size") for value in given]
        _check_sizes(size, minima)


FUNCTIONS = (
    Function("Guid", 0, 0, _guid, Style.CONTEXT),
    Function("RandomString", 5, 6, _random_string, Style.CONTEXT, check=_check_random_string),
)
