# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values at run time: the null model, text and number rendering, truth, comparison."""

from __future__ import annotations

import enum
import operator
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal, Protocol, TypeAlias

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.errors import Fault
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.tokens import (
    INTEGER_MAXIMUM,
)


class Flow(enum.Enum):
    """A result that is no value: what to do with the attribute, or with the whole object."""

    IGNORE_ATTRIBUTE = "IgnoreAttributeFlow"
    IGNORE_OBJECT = "IgnoreObjectFlow"


IGNORE: Final[Literal[Flow.IGNORE_ATTRIBUTE]] = Flow.IGNORE_ATTRIBUTE
"""Leave the attribute out of the flow: the target keeps what it has."""

AttributeValue: TypeAlias = str | int | bool | float | bytes | Sequence[str] | Sequence[bytes] | None
"""What an attribute may hold. An empty list is null."""

Value: TypeAlias = str | int | bool | bytes | tuple[str, ...] | Flow | None
"""What an argument may be. Dates are text, M/d/yyyy h:mm:ss tt in UTC, as the original passes them on."""


class RandomSource(Protocol):
    """Where RandomString and Guid take their randomness from; ``secrets.randbelow`` fits."""

    def __call__(self, bound: int, /) -> int:
        """A number from 0 up to, not including, ``bound``."""


@dataclass(frozen=True, slots=True)
class Context:
    """All that an evaluation may know beside its expression."""

    attributes: Mapping[str, AttributeValue]
    now: datetime | None
    taken: Collection[str]
    random: RandomSource | None
    variables: Mapping[str, str]


_INTEGER = re.compile(r"\s*([+-]?[0-9]{1,19})\s*", re.ASCII)
_HEXADECIMAL = re.compile(r"\s*&[Hh]([0-9A-Fa-f]{1,16})\s*", re.ASCII)
_DECIMAL = re.compile(r"\s*[+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?\s*", re.ASCII)
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


def from_attribute(name: str, value: object) -> Value:
    """An attribute's value as the functions see it.

    :raises Fault: for a value that is neither text, number, Boolean, bytes nor a list of them.
    """
    if value is None or isinstance(value, (str, bytes)):
        return value
    if isinstance(value, int):
        if abs(value) > INTEGER_MAXIMUM:
            raise Fault(f"the attribute [{name}] holds a number of more than 64 bits")
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= INTEGER_MAXIMUM else repr(value)
    if isinstance(value, (list, tuple)):
        if len(value) == 1 and isinstance(value[0], bytes):
            return value[0]
        return tuple(text_of(from_attribute(name, item)) for item in value if item is not None) or None
    raise Fault(f"the attribute [{name}] holds a {type(value).__name__}, which no expression can use")


def single(value: Value) -> str | int | bytes | None:
    """The one value of an argument; null stays null.

    :raises Fault: for several values. A multi-valued argument with one value counts as that value.
    """
    if isinstance(value, tuple):
        if len(value) > 1:
            raise Fault("a single value is needed here, not several; use Item or Join")
        return value[0] if value else None
    if isinstance(value, Flow):
        raise Fault(f"{value.value} is no value")
    return value


def optional_text(value: Value) -> str | None:
    """Text of an argument, ``None`` for null. Booleans are True and False, numbers are written without grouping.

    :raises Fault: for several values and for bytes.
    """
    one = single(value)
    if isinstance(one, bytes):
        raise Fault("this value is binary, not text")
    return None if one is None else str(one)


def text_of(value: Value) -> str:
    """As :func:`optional_text`, null being the empty text."""
    return optional_text(value) or ""


def integer_of(value: Value, what: str) -> int:
    """A whole number, given as a number or as its text, decimal or ``&H`` hexadecimal.

    :raises Fault: for anything else, null included.
    """
    one = single(value)
    if isinstance(one, int):
        return int(one)
    if isinstance(one, str):
        if match := _INTEGER.fullmatch(one):
            return int(match[1])
        if match := _HEXADECIMAL.fullmatch(one):
            return int(match[1], 16)
    raise Fault(f"{what} must be a whole number", one)


def values_of(value: Value) -> tuple[str, ...]:
    """All values of an argument; none for null."""
    if isinstance(value, tuple):
        return value
    text = optional_text(value)
    return () if text is None else (text,)


def is_empty(value: Value) -> bool:
    """Null or the empty text (FUNC, IsNullOrEmpty). Several values are empty when each of them is."""
    if isinstance(value, tuple):
        return not any(value)
    return value is None or value in ("", b"")


def truth(value: Value) -> bool:
    """Whether a condition holds: True in any case, or a number other than 0. Null and the empty text do not hold
    (FUNC: "the condition check fails").

    :raises Fault: for text that is neither Boolean nor a number.
    """
    one = single(value)
    if is_empty(one):
        return False
    text = text_of(one).strip().lower()
    if text in ("true", "false"):
        return text == "true"
    number = _number(text)
    if number is None:
        raise Fault("this is neither True nor False nor a number", one)
    return number != 0


def compare(sign: str, left: Value, right: Value) -> bool:
    """``left sign right``: as numbers if both sides are numbers, otherwise as text, ordinal and case-sensitive.

    Null equals null and the empty text. Which of two is larger has no answer when one is null or empty, so that an
    order comparison is then false (FUNC: "the condition check fails"; undocumented in detail, chosen here).

    :raises Fault: for several values on a side.
    """
    first, second = text_of(left), text_of(right)
    if sign not in ("=", "<>") and not (first and second):
        return False
    one, other = _number(first), _number(second)
    if one is not None and other is not None:
        return _ORDER[sign](one, other)
    return _ORDER[sign](_ordinal(first), _ordinal(second))


def _number(text: str) -> Decimal | None:
    return Decimal(text.strip()) if _DECIMAL.fullmatch(text) else None


def _ordinal(text: str) -> bytes:
    # UTF-16 code units, as .NET's ordinal comparison has them.
    return text.encode("utf-16-be", "surrogatepass")
