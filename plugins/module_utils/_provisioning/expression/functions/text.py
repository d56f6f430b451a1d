# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text functions."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.errors import Fault
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.functions.table import (
    Function,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.values import (
    Value,
    integer_of,
    optional_text,
    text_of,
)

_LIGATURES = {"æ": "ae", "œ": "oe", "ø": "oe", "ß": "ss", "ł": "l", "\u0131": "i"}
_TURKIC = ("tr", "az")


def _append(source: Value, suffix: Value) -> Value:
    """Null counts as the empty text (undocumented; chosen)."""
    return text_of(source) + text_of(suffix)


def _left(source: Value, count: Value) -> Value:
    text = text_of(source)
    wanted = integer_of(count, "the number of characters")
    return text if wanted < 0 else _window(text, 0, wanted)


def _mid(source: Value, start: Value, length: Value) -> Value:
    """A start before the first or after the last character, or a negative length, gives the source (CONN)."""
    text = text_of(source)
    first = integer_of(start, "the start")
    count = integer_of(length, "the length")
    if first <= 0 or count < 0 or first > _units(text):
        return text
    return _window(text, first - 1, count)


def _window(text: str, start: int, count: int) -> str:
    """Positions are UTF-16 code units, as in .NET; a surrogate pair that lies on an edge is left out whole (chosen:
    the original would write half a character)."""
    if text.isascii() or max(text, default="") <= "\uffff":
        return text[start : start + count]
    kept = []
    place = 0
    for char in text:
        width = _units(char)
        if start <= place and place + width <= start + count:
            kept.append(char)
        place += width
    return "".join(kept)


def _units(text: str) -> int:
    return len(text) + sum(char > "\uffff" for char in text)


def _instr(source: Value, search: Value, start: Value, compare: Value) -> Value:
    """1-based position in UTF-16 code units, 0 if absent. A start below 1 counts as 1; an empty search text is found
    at the start; the default comparison is binary (undocumented; chosen)."""
    text, wanted = text_of(source), text_of(search)
    mode = (optional_text(compare) or "vbBinaryCompare").lower()
    if mode not in ("vbbinarycompare", "vbtextcompare", "0", "1"):
        raise Fault("the comparison must be vbTextCompare or vbBinaryCompare", compare, argument=3)
    if mode in ("vbtextcompare", "1"):
        text, wanted = _lower(text), _lower(wanted)
    skipped = max(0, integer_of(1 if start is None else start, "the start") - 1)
    begin = len(_window(text, 0, skipped)) if skipped else 0
    found = text.find(wanted, begin) if text else -1
    return 0 if found < 0 else _units(text[:found]) + 1


def _trim_text(text: str) -> str:
    return text.strip()


def _trim(value: Value) -> Value:
    """Each value of several; null stays null."""
    if isinstance(value, tuple):
        return tuple([_trim_text(item) for item in value])
    return _mapped(_trim_text, value)


def _mapped(change: Callable[[str], str], value: Value) -> Value:
    text = optional_text(value)
    return None if text is None else change(text)


def _strip_spaces(value: Value) -> Value:
    return _mapped(lambda text: text.replace(" ", ""), value)


def _to_lower(value: Value, culture: Value) -> Value:
    turkic = _is_turkic(culture)
    return _mapped(lambda text: _lower(text.replace("I", "\u0131").replace("İ", "i") if turkic else text), value)


def _to_upper(value: Value, culture: Value) -> Value:
    turkic = _is_turkic(culture)
    return _mapped(lambda text: _upper(text.replace("i", "İ").replace("\u0131", "I") if turkic else text), value)


def _is_turkic(culture: Value) -> bool:
    return text_of(culture).strip().lower().partition("-")[0] in _TURKIC


def _lower(text: str) -> str:
    """One character for one, as .NET maps case: positions stay."""
    return "".join([_one(char.lower(), char) for char in text])


def _upper(text: str) -> str:
    # The dotless i has no invariant upper case in .NET.
    return "".join([char if char == "\u0131" else _one(char.upper(), char) for char in text])


def _one(mapped: str, char: str) -> str:
    return mapped if len(mapped) == 1 else char


def _pcase(value: Value, separators: Value) -> Value:
    """Without separators every character that is not alphanumeric separates words, the apostrophe too; a combining
    mark belongs to its letter (chosen)."""
    given = optional_text(separators)

    def separates(char: str) -> bool:
        if given is not None:
            return char in given
        return not char.isalnum() and not unicodedata.combining(char)

    def change(text: str) -> str:
        out = []
        begins = True
        for char in _lower(text):
            out.append(_upper(char) if begins else char)
            begins = separates(char)
        return "".join(out)

    return _mapped(change, value)


def _word(value: Value, number: Value, delimiters: Value) -> Value:
    """The n-th word. Adjacent delimiters make no empty words (undocumented; chosen); without delimiters the text is
    one word."""
    wanted = integer_of(number, "the word's number")
    words = _words(text_of(value), text_of(delimiters))
    return words[wanted - 1] if 1 <= wanted <= len(words) else ""


def _words(text: str, delimiters: str) -> list[str]:
    return re.findall(f"[^{re.escape(delimiters)}]+", text) if delimiters else [text]


def _normalize_diacritics(value: Value) -> Value:
    """Latin letters without their marks (table of FUNC): decompose, drop the marks, spell out the ligatures.

    Letters of the Latin script that the table does not list follow the same rule; other scripts stay as they are.
    """
    return _mapped(lambda text: "".join([_plain(cluster) for cluster in _clusters(text)]), value)


def _clusters(text: str) -> list[str]:
    clusters: list[str] = []
    for char in text:
        if clusters and unicodedata.combining(char):
            clusters[-1] += char
        else:
            clusters.append(char)
    return clusters


def _plain(cluster: str) -> str:
    base = unicodedata.normalize("NFD", cluster)[0]
    if base.isascii():
        return base if base.isalpha() else cluster
    plain = _LIGATURES.get(base) or _LIGATURES.get(base.lower(), "").upper()
    return plain or cluster


FUNCTIONS = (
    Function("Append", 2, 2, _append, omissible=frozenset({0, 1})),
    Function("InStr", 2, 4, _instr),
    Function("Left", 2, 2, _left),
    Function("Mid", 3, 3, _mid),
    Function("NormalizeDiacritics", 1, 1, _normalize_diacritics),
    Function("PCase", 1, 2, _pcase),
    Function("StripSpaces", 1, 1, _strip_spaces),
    Function("ToLower", 1, 2, _to_lower),
    Function("ToUpper", 1, 2, _to_upper),
    Function("Trim", 1, 1, _trim),
    Function("Word", 3, 3, _word),
)
