# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Syntax tree of a .NET regular expression."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.charsets import Ranges


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of a set."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other; empty for nothing."""

    items: tuple[Regex, ...]


@dataclass(frozen=True, slots=True)
class Alternation:
    """One of several."""

    options: tuple[Regex, ...]


@dataclass(frozen=True, slots=True)
class Capture:
    """A capturing group; ``slot`` is its number in the Python pattern."""

    body: Regex
    slot: int


@dataclass(frozen=True, slots=True)
class Atomic:
    """A group without a way back; in Python a captured look-ahead and a reference to it, so it has a slot as well."""

    body: Regex
    slot: int


@dataclass(frozen=True, slots=True)
class Repeat:
    """A repetition; ``most`` None is without end."""

    body: Regex
    least: int
    most: int | None
    lazy: bool


@dataclass(frozen=True, slots=True)
class Anchor:
    """A place in the text, as a Python pattern; ``start`` if it holds nowhere but at the start of the text."""

    python: str
    start: bool = False


@dataclass(frozen=True, slots=True)
class Look:
    """What lies ahead or behind; ``offset`` in the source pattern."""

    body: Regex
    ahead: bool
    negative: bool
    offset: int


@dataclass(frozen=True, slots=True)
class Reference:
    """The text of a group again."""

    group: str
    ignore_case: bool
    offset: int


@dataclass(frozen=True, slots=True)
class Conditional:
    """One thing if a group took part, otherwise another."""

    group: str
    yes: Regex
    no: Regex
    offset: int


Regex: TypeAlias = Chars | Sequence | Alternation | Capture | Atomic | Repeat | Anchor | Look | Reference | Conditional


def children(node: Regex) -> tuple[Regex, ...]:
    """The parts of a node."""
    match node:
        case Sequence(items=parts) | Alternation(options=parts):
            return parts
        case Capture(body=body) | Atomic(body=body) | Repeat(body=body) | Look(body=body):
            return (body,)
        case Conditional(yes=yes, no=no):
            return (yes, no)
        case _:
            return ()


def width(node: Regex) -> int | None:
    """The number of characters that a node always matches, None if it varies."""
    match node:
        case Chars():
            return 1
        case Anchor() | Look():
            return 0
        case Sequence(items=items):
            widths = [width(item) for item in items]
            return None if None in widths else sum([one for one in widths if one is not None])
        case Alternation(options=options):
            found = {width(option) for option in options}
            return found.pop() if len(found) == 1 else None
        case Capture(body=body):
            return width(body)
        case Repeat(body=body, least=least, most=most):
            one = width(body)
            return one * least if one is not None and (least == most or one == 0) else None
        case _:
            return None
