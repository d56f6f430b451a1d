# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
""".NET date and time formats, custom and standard, in the invariant culture."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.calendar import (
    MONTHS,
    TICKS,
    WEEKDAYS,
    checked,
    datetime_of,
    offset_ticks,
    ticks_from,
    twenty_four,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.errors import Fault

STANDARD: Mapping[str, str] = {
    "d": "MM/dd/yyyy",
    "D": "dddd, dd MMMM yyyy",
    "f": "dddd, dd MMMM yyyy HH:mm",
    "F": "dddd, dd MMMM yyyy HH:mm:ss",
    "g": "MM/dd/yyyy HH:mm",
    "G": "MM/dd/yyyy HH:mm:ss",
    "m": "MMMM dd",
    "M": "MMMM dd",
    "o": "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK",
    "O": "yyyy'-'MM'-'dd'T'HH':'mm':'ss'.'fffffffK",
    "r": "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
    "R": "ddd, dd MMM yyyy HH':'mm':'ss 'GMT'",
    "s": "yyyy'-'MM'-'dd'T'HH':'mm':'ss",
    "t": "HH:mm",
    "T": "HH:mm:ss",
    "u": "yyyy'-'MM'-'dd HH':'mm':'ss'Z'",
    "U": "dddd, dd MMMM yyyy HH:mm:ss",
    "y": "yyyy MMMM",
    "Y": "yyyy MMMM",
}
STYLES = frozenset(
    {
        "none",
        "allowleadingwhite",
        "allowtrailingwhite",
        "allowinnerwhite",
        "allowwhitespaces",
        "nocurrentdatedefault",
        "adjusttouniversal",
        "assumelocal",
        "assumeuniversal",
        "roundtripkind",
    }
)
_DEFAULT_STYLES = frozenset({"roundtripkind", "allowleadingwhite", "allowtrailingwhite"})
_PART = re.compile(
    r"""(?P<field>d{1,}|f{1,}|F{1,}|g{1,}|h{1,}|H{1,}|K|m{1,}|M{1,}|s{1,}|t{1,}|y{1,}|z{1,})
    | %(?P<single>[dfFghHKmMstyz])
    | '(?P<quoted>[^']*)' | "(?P<double>[^"]*)"
    | \\(?P<escaped>.)
    | (?P<literal>[^%\\'"])""",
    re.VERBOSE | re.DOTALL,
)
_CENTURY_PIVOT = 2049
_MAXIMUM_FORMAT = 200
# Backtracking over the optional blanks of a long text would take long.
_MAXIMUM_TEXT = 200


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time in UTC; ``zoned`` if its text said so."""

    ticks: int
    zoned: bool = False


@dataclass(frozen=True, slots=True)
class _Part:
    field: str
    literal: str = ""


@lru_cache(maxsize=128)
def parts_of(form: str) -> tuple[_Part, ...]:
    """A format taken apart. One letter alone is a standard format.

    :raises Fault: for a format that .NET refuses, and for one above 200 characters.
    """
    if len(form) == 1 and form.isascii() and form.isalpha():
        if form not in STANDARD:
            raise Fault(f"{form!r} is no standard date format")
        form = STANDARD[form]
    if not 0 < len(form) <= _MAXIMUM_FORMAT:
        raise Fault(f"a date format has 1 to {_MAXIMUM_FORMAT} characters")
    parts: list[_Part] = []
    offset = 0
    while offset < len(form):
        match = _PART.match(form, offset)
        if match is None:
            raise Fault(f"the date format {form!r} is not complete at its character {offset + 1}", index=offset)
        parts.append(_part(match))
        offset = match.end()
    return tuple(parts)


def _part(match: re.Match[str]) -> _Part:
    field = match["field"] or match["single"]
    if field:
        if field[0] in "fF" and len(field) > 7:
            raise Fault("a date format has at most 7 digits of a second's fraction", index=match.start())
        return _Part(field[: _LONGEST.get(field[0])])
    return _Part("", next(text for text in match.group("quoted", "double", "escaped", "literal") if text is not None))


_LONGEST = {"d": 4, "g": 2, "h": 2, "H": 2, "K": 1, "m": 2, "M": 4, "s": 2, "t": 2, "z": 3}


def style_names(styles: str) -> frozenset[str]:
    """The DateTimeStyles in a comma-separated text, in lower case; empty text gives the documented default.

    :raises Fault: for a name that DateTimeStyles has not.
    """
    if not styles.strip():
        return _DEFAULT_STYLES
    names = frozenset([name.strip().lower() for name in styles.split(",")])
    if unknown := sorted(names - STYLES):
        raise Fault(f"{unknown[0]!r} is no DateTimeStyles name")
    return names


def write(moment: Moment, form: str) -> str:
    """A moment in a .NET format.

    :raises Fault: for a format that .NET refuses.
    """
    out: list[str] = []
    for part in parts_of(form):
        text = part.literal if not part.field else _WRITERS[part.field[0]](moment, len(part.field))
        if part.field[:1] == "F" and not text and out and out[-1] == ".":
            out.pop()
        out.append(text)
    return "".join(out)


def _number(get: Callable[[Moment], int]) -> Callable[[Moment, int], str]:
    return lambda moment, width: f"{get(moment):0{width}d}"


def _write_day(moment: Moment, width: int) -> str:
    local = datetime_of(moment.ticks)
    if width <= 2:
        return f"{local.day:0{width}d}"
    name = WEEKDAYS[local.weekday()]
    return name[:3] if width == 3 else name


def _write_month(moment: Moment, width: int) -> str:
    month = datetime_of(moment.ticks).month
    if width <= 2:
        return f"{month:0{width}d}"
    return MONTHS[month - 1][:3] if width == 3 else MONTHS[month - 1]


def _write_year(moment: Moment, width: int) -> str:
    year = datetime_of(moment.ticks).year
    return f"{year % 100 if width <= 2 else year:0{width}d}"


def _write_fraction(moment: Moment, width: int) -> str:
    return f"{moment.ticks % TICKS:07d}"[:width]


def _write_half(moment: Moment, width: int) -> str:
    return ("AM" if datetime_of(moment.ticks).hour < 12 else "PM")[:width]


_WRITERS: Mapping[str, Callable[[Moment, int], str]] = {
    "d": _write_day,
    "f": _write_fraction,
    "F": lambda moment, width: _write_fraction(moment, width).rstrip("0"),
    "g": lambda _unused, __: "A.D.",
    "h": _number(lambda moment: datetime_of(moment.ticks).hour % 12 or 12),
    "H": _number(lambda moment: datetime_of(moment.ticks).hour),
    "K": lambda moment, _unused: "Z" if moment.zoned else "",
    "m": _number(lambda moment: datetime_of(moment.ticks).minute),
    "M": _write_month,
    "s": _number(lambda moment: datetime_of(moment.ticks).second),
    "t": _write_half,
    "y": _write_year,
    "z": lambda _unused, width: ("+0", "+00", "+00:00")[width - 1],
}


def parse(text: str, form: str, styles: frozenset[str], today: Callable[[], int]) -> Moment:
    """A moment from a text in a .NET format, in UTC.

    A text without an offset is UTC. A date without a year has this year's, a time without a date today's
    (``today`` gives its ticks), or the first of January of year 1 under NoCurrentDateDefault.

    :raises Fault: for a text that does not have this format.
    """
    match = _pattern(form, styles).fullmatch(text) if len(text) <= _MAXIMUM_TEXT else None
    if match is None:
        raise Fault(f"this text does not have the format {form!r}", text)
    fields: dict[str, str] = {}
    names = [part.field for part in parts_of(form) if part.field]
    for name, found in zip(names, match.groups(), strict=True):
        if found is not None and fields.setdefault(_SLOTS.get(name, name[0]), found) != found:
            raise Fault(f"this text contradicts itself in the format {form!r}", text)
    return _moment(fields, styles, today)


def _moment(fields: Mapping[str, str], styles: frozenset[str], today: Callable[[], int]) -> Moment:
    year, month, day = _date(fields, styles, today)
    hour = int(fields["H"]) if "H" in fields else int(fields.get("h", "0")) % 12
    if "t" in fields:
        hour = twenty_four(hour % 12 or 12, fields["t"])
    fraction = int(fields.get("f", "0").ljust(7, "0"))
    local = ticks_from(year, month, day, hour, int(fields.get("m", "0")), int(fields.get("s", "0")), fraction)
    if "weekday" in fields and fields["weekday"][:3].title() != WEEKDAYS[datetime_of(local).weekday()][:3]:
        raise Fault("this text names another weekday than its date has")
    offset = fields.get("K") or fields.get("z")
    return Moment(checked(local - _offset(offset or "")), bool(offset) or "adjusttouniversal" in styles)


def _date(fields: Mapping[str, str], styles: frozenset[str], today: Callable[[], int]) -> tuple[int, int, int]:
    month = _month(fields)
    day = int(fields["d"]) if "d" in fields else None
    year = _year(fields["y"]) if "y" in fields else None
    if year is None and "nocurrentdatedefault" in styles and month is None and day is None:
        return 1, 1, 1
    if year is None:
        now = datetime_of(today())
        if month is None and day is None:
            return now.year, now.month, now.day
        year = now.year
    return year, month or 1, day or 1


def _month(fields: Mapping[str, str]) -> int | None:
    if "month" in fields:
        return next(number for number, name in enumerate(MONTHS, 1) if name[:3] == fields["month"][:3].title())
    return int(fields["M"]) if "M" in fields else None


def _year(text: str) -> int:
    """Two digits lie in the hundred years up to 2049, as in current .NET."""
    year = int(text)
    if len(text) > 2:
        return year
    return year + (_CENTURY_PIVOT // 100 * 100 if year <= _CENTURY_PIVOT % 100 else (_CENTURY_PIVOT // 100 - 1) * 100)


def _offset(text: str) -> int:
    if text in ("", "Z"):
        return 0
    hours, _unused, minutes = text[1:].partition(":")
    return offset_ticks(text[0], int(hours), int(minutes or "0"))


@lru_cache(maxsize=128)
def _pattern(form: str, styles: frozenset[str]) -> re.Pattern[str]:
    """The regular expression of a format: one group per field."""
    white = {name for name in ("leading", "trailing", "inner") if styles & {f"allow{name}white", "allowwhitespaces"}}
    out = [r"\s*"] if "leading" in white else []
    for part in parts_of(form):
        if not part.field:
            out.append(re.escape(part.literal))
        elif part.field[0] == "F" and out and out[-1] == r"\.":
            out[-1] = rf"(?:\.(\d{{1,{len(part.field)}}}))?"
        else:
            out.append(f"({_READERS[part.field[0]](len(part.field))})")
    if "trailing" in white:
        out.append(r"\s*")
    return re.compile((r"\s*" if "inner" in white else "").join(out), re.ASCII)


def _digits(width: int) -> str:
    return r"\d{1,2}" if width == 1 else r"\d{2}"


def _names(names: tuple[str, ...], width: int) -> str:
    return "(?i:" + "|".join([name[:3] if width == 3 else name for name in names]) + ")"


_SLOTS = {"ddd": "weekday", "dddd": "weekday", "MMM": "month", "MMMM": "month"} | {"F" * n: "f" for n in range(1, 8)}
_READERS: Mapping[str, Callable[[int], str]] = {
    "d": lambda width: _digits(width) if width <= 2 else _names(WEEKDAYS, width),
    "f": lambda width: rf"\d{{{width}}}",
    "F": lambda width: rf"\d{{0,{width}}}",
    "g": lambda _unused: r"A\.?D\.?",
    "h": _digits,
    "H": _digits,
    "K": lambda _unused: r"(?:Z|[+-]\d{2}:\d{2})?",
    "m": _digits,
    "M": lambda width: _digits(width) if width <= 2 else _names(MONTHS, width),
    "s": _digits,
    "t": lambda width: "(?i:AM|PM)" if width == 2 else "(?i:A|P)",
    "y": lambda width: _digits(width) if width <= 2 else rf"\d{{{width}}}",
    "z": lambda width: (r"[+-]\d{1,2}", r"[+-]\d{2}", r"[+-]\d{2}:?\d{2}")[width - 1],
}
