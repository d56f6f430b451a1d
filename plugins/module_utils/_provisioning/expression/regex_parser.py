# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
""".NET regular expression text -> syntax tree (regular expression language quick reference of .NET)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression import charsets
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.errors import Fault
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.regex_syntax import (
    Alternation,
    Anchor,
    Atomic,
    Capture,
    Chars,
    Conditional,
    Look,
    Reference,
    Regex,
    Repeat,
    Sequence,
)

_MAXIMUM_DEPTH = 30
_MAXIMUM_COUNT = 10_000
_ALL: charsets.Ranges = ((0, charsets.LAST),)
_END = r"(?=\n?\Z)"
_CONTROLS: Mapping[str, str] = {
    "a": "\a",
    "e": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
}
_CODED = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|c([A-Za-z@\[\\\]^_])|(0[0-7]{0,2})")
_QUANTIFIER = re.compile(r"[*+?]|\{([0-9]+)(?:(,)([0-9]+)?)?\}")
_GROUP_NAME = re.compile(r"(?:<(\w+)>|'(\w+)')")
_OPTIONS = re.compile(r"([imnsx]*)(?:-([imnsx]*))?([:)])")
_LOOKS: Mapping[str, tuple[bool, bool]] = {
    "?=": (True, False),
    "?!": (True, True),
    "?<=": (False, False),
    "?<!": (False, True),
}


@dataclass(frozen=True, slots=True)
class Parsed:
    """A pattern's tree, and the Python groups of each .NET group by its name or number."""

    tree: Regex
    groups: Mapping[str, tuple[int, ...]]


def parse_regex(text: str) -> Parsed:
    """The tree of a .NET regular expression.

    :raises Fault: with the character's index, for what .NET refuses and for what Python cannot do.
    """
    parser = _Parser(text)
    tree = parser.whole()
    return Parsed(tree, parser.groups())


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._options: frozenset[str] = frozenset()
        self._slots = 0
        self._named: dict[str, list[int]] = {}
        self._unnamed: list[int] = []

    def whole(self) -> Regex:
        tree = self._alternation(0)
        if self._place < len(self._text):
            raise self._fault("this ')' closes nothing")
        return tree

    def groups(self) -> Mapping[str, tuple[int, ...]]:
        """Unnamed groups have the first numbers, named ones the next (grouping constructs of .NET)."""
        groups: dict[str, list[int]] = {"0": [0]}
        for number, slot in enumerate(self._unnamed, 1):
            groups.setdefault(str(number), []).append(slot)
        number = len(self._unnamed)
        for name, slots in self._named.items():
            groups.setdefault(name, []).extend(slots)
            if not name.isdigit():
                number += 1
                groups.setdefault(str(number), []).extend(slots)
        return {name: tuple(slots) for name, slots in groups.items()}

    def _fault(self, problem: str, place: int | None = None) -> Fault:
        return Fault(f"in the regular expression: {problem}", index=self._place if place is None else place)

    def _peek(self, text: str) -> bool:
        return self._text.startswith(text, self._place)

    def _skip(self, text: str) -> bool:
        if not self._peek(text):
            return False
        self._place += len(text)
        return True

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self._text, self._place)
        if match:
            self._place = match.end()
        return match

    def _alternation(self, depth: int) -> Regex:
        if depth > _MAXIMUM_DEPTH:
            raise self._fault(f"groups are nested deeper than {_MAXIMUM_DEPTH}")
        options = [self._sequence(depth)]
        while self._skip("|"):
            options.append(self._sequence(depth))
        return options[0] if len(options) == 1 else Alternation(tuple(options))

    def _sequence(self, depth: int) -> Regex:
        items: list[Regex] = []
        while self._place < len(self._text) and self._text[self._place] not in "|)":
            if self._comment():
                continue
            item = self._item(depth)
            if item is not None:
                items.append(self._repeated(item))
        return items[0] if len(items) == 1 else Sequence(tuple(items))

    def _comment(self) -> bool:
        if self._peek("(?#"):
            end = self._text.find(")", self._place)
            if end < 0:
                raise self._fault("this comment is not closed")
            self._place = end + 1
            return True
        if "x" not in self._options:
            return False
        return self._match(re.compile(r"\s+|#[^\n]*")) is not None

    def _repeated(self, item: Regex) -> Regex:
        while self._comment():
            pass
        match = self._match(_QUANTIFIER)
        if match is None:
            return item
        least, most = self._counts(match)
        lazy = self._skip("?")
        if _QUANTIFIER.match(self._text, self._place):
            raise self._fault("a repeat follows a repeat; .NET has no possessive ones")
        return Repeat(item, least, most, lazy)

    def _counts(self, match: re.Match[str]) -> tuple[int, int | None]:
        if match[0] in "*+?":
            return {"*": (0, None), "+": (1, None), "?": (0, 1)}[match[0]]
        if max(len(match[1]), len(match[3] or "")) > len(str(_MAXIMUM_COUNT)):
            raise self._fault("this number of repeats is too large", match.start())
        least = int(match[1])
        most = least if not match[2] else int(match[3]) if match[3] else None
        if max(least, most or 0) > _MAXIMUM_COUNT or (most is not None and most < least):
            raise self._fault("these numbers of repeats are too large or in the wrong order", match.start())
        return least, most

    def _item(self, depth: int) -> Regex | None:
        start = self._place
        if _QUANTIFIER.match(self._text, start):
            raise self._fault("there is nothing to repeat")
        char = self._text[start]
        self._place += 1
        if char == "(":
            return self._group(depth, start)
        if char == "[":
            return Chars(self._class(start, 0))
        if char == "\\":
            return self._escape(start)
        if char == ".":
            return Chars(_ALL if "s" in self._options else charsets.negated(charsets.of("\n")))
        if char == "^":
            return Anchor("(?m:^)") if "m" in self._options else Anchor(r"\A", start=True)
        if char == "$":
            return Anchor("(?m:$)" if "m" in self._options else _END)
        return self._chars(charsets.of(char))

    def _chars(self, ranges: charsets.Ranges) -> Chars:
        return Chars(charsets.folded(ranges) if "i" in self._options else ranges)

    def _close(self, start: int) -> None:
        if not self._skip(")"):
            raise self._fault("this group is not closed", start)

    def _body(self, depth: int, start: int) -> Regex:
        before = self._options
        body = self._alternation(depth + 1)
        self._options = before
        self._close(start)
        return body

    def _slot(self) -> int:
        self._slots += 1
        return self._slots

    def _group(self, depth: int, start: int) -> Regex | None:
        if not self._peek("?"):
            if "n" in self._options:
                return self._body(depth, start)
            slot = self._slot()
            self._unnamed.append(slot)
            return Capture(self._body(depth, start), slot)
        for sign, (ahead, negative) in _LOOKS.items():
            if self._skip(sign):
                return Look(self._body(depth, start), ahead, negative, start)
        if self._skip("?:"):
            return self._body(depth, start)
        if self._skip("?>"):
            slot = self._slot()
            return Atomic(self._body(depth, start), slot)
        if self._skip("?("):
            return self._conditional(depth, start)
        self._place += 1
        if self._text[self._place : self._place + 1] in ("<", "'"):
            return self._named_group(depth, start)
        return self._inline(depth, start)

    def _named_group(self, depth: int, start: int) -> Regex:
        match = self._match(_GROUP_NAME)
        if match is None:
            raise self._fault("a group name is made of letters, digits and '_'; balancing groups are not supported")
        slot = self._slot()
        self._named.setdefault(match[1] or match[2], []).append(slot)
        return Capture(self._body(depth, start), slot)

    def _conditional(self, depth: int, start: int) -> Regex:
        match = self._match(re.compile(r"(\w+)\)"))
        if match is None:
            raise self._fault("a conditional asks for a group by its name or number", start)
        body = self._body(depth, start)
        options = body.options if isinstance(body, Alternation) else (body,)
        if len(options) > 2:
            raise self._fault("a conditional has two alternatives", start)
        return Conditional(match[1], options[0], options[1] if len(options) == 2 else Sequence(()), start)

    def _inline(self, depth: int, start: int) -> Regex | None:
        match = self._match(_OPTIONS)
        if match is None:
            raise self._fault("this kind of group is not supported", start)
        before = self._options
        changed = (before | frozenset(match[1])) - frozenset(match[2] or "")
        if match[3] == ")":
            self._options = changed
            return None
        self._options = changed
        body = self._alternation(depth + 1)
        self._options = before
        self._close(start)
        return body

    def _escape(self, start: int) -> Regex:
        char = self._text[self._place : self._place + 1]
        anchors = {"A": Anchor(r"\A", start=True), "z": Anchor(r"\Z"), "Z": Anchor(_END)}
        if char in anchors:
            self._place += 1
            return anchors[char]
        if char in ("b", "B"):
            self._place += 1
            return self._boundary(char)
        if char in tuple("k123456789"):
            return self._reference(start)
        if char == "G":
            raise self._fault(r"\G is not supported", start)
        return self._chars(self._escaped_set(start))

    def _boundary(self, letter: str) -> Anchor:
        word = charsets.pattern(charsets.shorthand("w"))
        if letter == "b":
            return Anchor(f"(?:(?<={word})(?!{word})|(?<!{word})(?={word}))")
        return Anchor(f"(?:(?<={word})(?={word})|(?<!{word})(?!{word}))")

    def _reference(self, start: int) -> Regex:
        match = self._match(re.compile(r"([1-9][0-9]*)|k(?:<(\w+)>|'(\w+)')"))
        if match is None:
            raise self._fault(r"\k needs a group's name in angle brackets", start)
        return Reference(match[1] or match[2] or match[3], "i" in self._options, start)

    def _escaped_set(self, start: int) -> charsets.Ranges:
        """The characters of an escape that means the same inside and outside of brackets."""
        if match := self._match(_CODED):
            return charsets.of(_coded(match))
        char = self._text[self._place : self._place + 1]
        if not char:
            raise self._fault("a backslash ends the expression", start)
        self._place += 1
        if char in "dws":
            return charsets.shorthand(char)
        if char in "DWS":
            return charsets.negated(charsets.shorthand(char.lower()))
        if char in "pP":
            return self._property(char, start)
        if char in _CONTROLS:
            return charsets.of(_CONTROLS[char])
        if char.isalnum() or char == "_":
            raise self._fault(f"there is no escape \\{char}", start)
        return charsets.of(char)

    def _property(self, letter: str, start: int) -> charsets.Ranges:
        match = self._match(re.compile(r"\{([\w-]+)\}"))
        ranges = charsets.named(match[1]) if match else None
        if ranges is None:
            raise self._fault(f"this \\{letter}{{...}} is not supported", start)
        return ranges if letter == "p" else charsets.negated(ranges)

    def _class(self, start: int, depth: int) -> charsets.Ranges:
        if depth > _MAXIMUM_DEPTH:
            raise self._fault("brackets are nested too deeply", start)
        negative = self._skip("^")
        found: list[tuple[int, int]] = []
        removed: charsets.Ranges = ()
        first = self._place
        while True:
            if self._place >= len(self._text):
                raise self._fault("this '[' is not closed", start)
            if self._peek("]") and self._place > first:
                break
            if self._place > first and self._skip("-["):
                removed = self._class(self._place - 1, depth + 1)
                if not self._peek("]"):
                    raise self._fault("a subtracted class is the last thing in its brackets")
                break
            found.extend(self._class_part())
        self._place += 1
        ranges = charsets.normal(found)
        if "i" in self._options:
            ranges = charsets.folded(ranges)
        return charsets.without(charsets.negated(ranges) if negative else ranges, removed)

    def _class_part(self) -> charsets.Ranges:
        start = self._place
        low = self._class_char()
        follows = self._text[self._place + 1 : self._place + 2]
        if not self._peek("-") or follows in ("]", "[", ""):
            return low
        self._place += 1
        high = self._class_char()
        if not (_one(low) and _one(high)) or low > high:
            raise self._fault("this range is in the wrong order, or not between two characters", start)
        return ((low[0][0], high[0][0]),)

    def _class_char(self) -> charsets.Ranges:
        start = self._place
        self._place += 1
        if self._text[start] != "\\":
            return charsets.of(self._text[start])
        if self._skip("b"):
            return charsets.of("\b")
        return self._escaped_set(start)


def _one(ranges: charsets.Ranges) -> bool:
    return len(ranges) == 1 and ranges[0][0] == ranges[0][1]


def _coded(match: re.Match[str]) -> str:
    if match[3]:
        return chr(ord(match[3].upper()) ^ 0x40)
    return chr(int(match[1] or match[2], 16) if match[1] or match[2] else int(match[4], 8))
