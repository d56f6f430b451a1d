# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text of an expression -> tokens."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.errors import (
    ExpressionError,
)

INTEGER_MAXIMUM = 2**63 - 1


class Kind(enum.Enum):
    """The kinds of token; the value is what a message calls them."""

    STRING = "text"
    ATTRIBUTE = "attribute"
    VARIABLE = "variable"
    NUMBER = "number"
    WORD = "word"
    COMPARATOR = "comparison"
    JOIN = "&"
    COMMA = ","
    OPEN = "("
    CLOSE = ")"
    END = "end of the expression"


@dataclass(frozen=True, slots=True)
class Token:
    """One token: its ``text`` as written, its meaning in ``value`` (the bare name, the unescaped text, the number)."""

    kind: Kind
    text: str
    value: str | int
    offset: int

    @property
    def described(self) -> str:
        """The token as a message names it."""
        return self.kind.value if self.kind is Kind.END else f"{self.text[:40]!r}"


_BLANK = re.compile(r"\s+")
_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (Kind.STRING, re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)),
    (Kind.ATTRIBUTE, re.compile(r"\[[\w.\-]+\]")),
    (Kind.VARIABLE, re.compile(r"%[\w.\-]+%")),
    (Kind.NUMBER, re.compile(r"-?[0-9]+(?![0-9.])|&[Hh][0-9A-Fa-f]{1,8}(?!\w)")),
    (Kind.WORD, re.compile(r"[^\W\d]\w*")),
    (Kind.COMPARATOR, re.compile(r"<>|>=|<=|=|<|>")),
    (Kind.JOIN, re.compile(r"&")),
    (Kind.COMMA, re.compile(r",")),
    (Kind.OPEN, re.compile(r"\(")),
    (Kind.CLOSE, re.compile(r"\)")),
)
# After one of these, "&" joins; elsewhere "&H" begins a hexadecimal number.
_OPERAND_ENDS = {Kind.STRING, Kind.ATTRIBUTE, Kind.VARIABLE, Kind.NUMBER, Kind.WORD, Kind.CLOSE}
_ESCAPE = re.compile(r'\\(["\\])')
_STARTS = (
    (re.compile(r'"'), "this text has no closing quotation mark"),
    (re.compile(r"\["), "an attribute name is made of letters, digits, '_', '.' and '-' between '[' and ']'"),
    (re.compile(r"%"), "a variable is a name between two percent signs, such as %DomainFQDN%"),
    (re.compile(r"-?[0-9]"), "a number is a whole number; write others as text"),
    (re.compile("['\u2018\u2019\u201c\u201d]"), 'text is written between straight double quotation marks (")'),
)


def tokenize(source: str) -> tuple[Token, ...]:
    """All tokens, END last.

    :raises ExpressionError: at the first character that begins no token.
    """
    return tuple(_scan(source))


def constant_offset(source: str, start: int, index: int) -> int:
    """Where in ``source`` character ``index`` of the text constant that begins at ``start`` is written."""
    place = start + 1
    for _unused in range(index):
        place += 2 if _ESCAPE.match(source, place) else 1
    return min(place, max(len(source) - 1, 0))


def _scan(source: str) -> Iterator[Token]:
    offset = 0
    previous = Kind.COMMA
    while offset < len(source):
        if blank := _BLANK.match(source, offset):
            offset = blank.end()
            continue
        token = _next(source, offset, previous)
        yield token
        previous = token.kind
        offset += len(token.text)
    yield Token(Kind.END, "", "", len(source))


def _next(source: str, offset: int, previous: Kind) -> Token:
    for kind, pattern in _PATTERNS:
        match = pattern.match(source, offset)
        if match is None or (kind is Kind.NUMBER and match[0][0] == "&" and previous in _OPERAND_ENDS):
            continue
        return Token(kind, match[0], _meaning(kind, match[0], source, offset), offset)
    found = repr(source[offset])
    problem = next((hint for start, hint in _STARTS if start.match(source, offset)), "this begins nothing known")
    raise ExpressionError(f"found {found}: {problem}", source=source, offset=offset, found=found, expected=problem)


def _meaning(kind: Kind, text: str, source: str, offset: int) -> str | int:
    if kind is Kind.STRING:
        # Both spellings of the documents, "\\d" and "\d", mean backslash-d.
        return _ESCAPE.sub(r"\1", text[1:-1])
    if kind in (Kind.ATTRIBUTE, Kind.VARIABLE):
        return text[1:-1]
    if kind is not Kind.NUMBER:
        return text
    digits = text.lstrip("-").lstrip("0")
    if text[0] == "&":
        return int(text[2:], 16)
    if len(digits) > len(str(INTEGER_MAXIMUM)) or int(digits or "0") > INTEGER_MAXIMUM:
        raise ExpressionError(
            "this number is too large (64 bits)", source=source, offset=offset, found=text[:40], expected="64 bits"
        )
    return int(text)
