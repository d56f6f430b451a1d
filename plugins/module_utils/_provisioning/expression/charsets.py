# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of characters as sorted ranges of code points, and those that .NET regular expressions name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TypeAlias

Ranges: TypeAlias = tuple[tuple[int, int], ...]
"""Sorted, not touching, both ends included."""

LAST = 0x10FFFF
_BMP = 0x10000
# Folding larger sets would cost more than it is worth: a set of this size has both cases already.
_FOLDED_AT_MOST = 5_000
_BLOCKS: Mapping[str, tuple[int, int]] = {
    "IsBasicLatin": (0x0000, 0x007F),
    "IsLatin-1Supplement": (0x0080, 0x00FF),
    "IsLatinExtended-A": (0x0100, 0x017F),
    "IsLatinExtended-B": (0x0180, 0x024F),
    "IsCombiningDiacriticalMarks": (0x0300, 0x036F),
    "IsGreek": (0x0370, 0x03FF),
    "IsGreekandCoptic": (0x0370, 0x03FF),
    "IsCyrillic": (0x0400, 0x04FF),
    "IsArmenian": (0x0530, 0x058F),
    "IsHebrew": (0x0590, 0x05FF),
    "IsArabic": (0x0600, 0x06FF),
    "IsDevanagari": (0x0900, 0x097F),
    "IsThai": (0x0E00, 0x0E7F),
    "IsLatinExtendedAdditional": (0x1E00, 0x1EFF),
    "IsGeneralPunctuation": (0x2000, 0x206F),
    "IsCurrencySymbols": (0x20A0, 0x20CF),
    "IsHiragana": (0x3040, 0x309F),
    "IsKatakana": (0x30A0, 0x30FF),
    "IsCJKUnifiedIdeographs": (0x4E00, 0x9FFF),
    "IsHangulSyllables": (0xAC00, 0xD7AF),
}


def normal(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The same characters, sorted and merged."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def of(text: str) -> Ranges:
    """The characters of a text."""
    return normal([(ord(char), ord(char)) for char in text])


def negated(ranges: Ranges) -> Ranges:
    """All other characters."""
    out = []
    following = 0
    for low, high in ranges:
        if low > following:
            out.append((following, low - 1))
        following = high + 1
    if following <= LAST:
        out.append((following, LAST))
    return tuple(out)


def without(ranges: Ranges, removed: Ranges) -> Ranges:
    """Characters of the first set that are not in the second."""
    return negated(normal([*negated(ranges), *removed]))


def overlap(first: Ranges, second: Ranges) -> bool:
    """Whether the two sets have a character in common."""
    one = two = 0
    while one < len(first) and two < len(second):
        if max(first[one][0], second[two][0]) <= min(first[one][1], second[two][1]):
            return True
        if first[one][1] < second[two][1]:
            one += 1
        else:
            two += 1
    return False


def folded(ranges: Ranges) -> Ranges:
    """The set with both cases of its letters."""
    if sum(high - low + 1 for low, high in ranges) > _FOLDED_AT_MOST:
        return ranges
    chars = [chr(code) for low, high in ranges for code in range(low, high + 1)]
    variants = {other for char in chars for other in (char.lower(), char.upper()) if len(other) == 1}
    return normal([*ranges, *((ord(char), ord(char)) for char in variants)])


def pattern(ranges: Ranges) -> str:
    """A Python regular expression for one character of the set."""
    if not ranges:
        return r"(?!)"
    if ranges == ((ranges[0][0], ranges[0][0]),):
        return re.escape(chr(ranges[0][0]))
    return "[" + "".join([_code(low) if low == high else f"{_code(low)}-{_code(high)}" for low, high in ranges]) + "]"


def _code(code: int) -> str:
    char = chr(code)
    return char if char.isascii() and char.isalnum() else f"\\U{code:08x}"


@lru_cache(maxsize=1)
def _categories() -> Mapping[str, Ranges]:
    """Unicode general categories of the basic plane; .NET sees the other planes as surrogates."""
    found: dict[str, list[tuple[int, int]]] = {}
    for code in range(_BMP):
        ranges = found.setdefault(unicodedata.category(chr(code)), [])
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1] = (ranges[-1][0], code)
        else:
            ranges.append((code, code))
    return {name: tuple(ranges) for name, ranges in found.items()}


@lru_cache(maxsize=64)
def named(name: str) -> Ranges | None:
    r"""The characters of ``\p{name}``: a general category, its first letter alone, or one of the known blocks."""
    if name in _BLOCKS:
        return (_BLOCKS[name],)
    parts = [ranges for key, ranges in _categories().items() if key == name or (len(name) == 1 and key[0] == name)]
    return normal([pair for ranges in parts for pair in ranges]) if parts else None


def _union(*names: str) -> Ranges:
    return normal([pair for name in names for pair in named(name) or ()])


@lru_cache(maxsize=3)
def shorthand(letter: str) -> Ranges:
    r"""``\d``, ``\w`` or ``\s`` as .NET defines them (character classes in .NET regular expressions)."""
    if letter == "d":
        return _union("Nd")
    if letter == "w":
        return _union("L", "Mn", "Nd", "Pc")
    return normal([*_union("Z"), *of("\t\n\v\f\r\x85")])
