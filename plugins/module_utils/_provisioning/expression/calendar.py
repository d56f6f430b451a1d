# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Moments: reading them, writing them, counting with them. A moment is a number of ticks, UTC."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.errors import Fault

TICKS = 10_000_000
"""Ticks of 100 ns in a second, the unit of .NET and of Active Directory."""

DAY = 86_400 * TICKS
# Backtracking over the optional blanks of a long text would take long.
_LONGEST = 100
_FIRST = datetime(1, 1, 1)
_LAST_TICK = ((datetime(9999, 12, 31) - _FIRST).days + 1) * DAY - 1
DIRECTORY_EPOCH = (datetime(1601, 1, 1) - _FIRST).days * DAY
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTH_NAME = r"(?P<name>" + "|".join([f"{month[:3]}(?:{month[3:]})?" for month in MONTHS]) + r")\.?"
_WEEKDAY = r"(?:(?:" + "|".join([f"{day[:3]}(?:{day[3:]})?" for day in WEEKDAYS]) + r")\s*,?\s+)?"
_DATES = (
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})",
    r"(?P<year>\d{4})/(?P<month>\d{1,2})/(?P<day>\d{1,2})",
    r"(?P<month>\d{1,2})[/-](?P<day>\d{1,2})[/-](?P<year>\d{4})",
    _WEEKDAY + r"(?P<day>\d{1,2})[\s-]+" + _MONTH_NAME + r"[\s,-]+(?P<year>\d{4})",
    _WEEKDAY + _MONTH_NAME + r"\s+(?P<day>\d{1,2})(?:\s*,\s*|\s+)(?P<year>\d{4})",
)
_TIME = (
    r"(?:(?:\s*T\s*|\s+)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,9}))?)?"
    r"(?:\s*(?P<half>[AP]M))?)?"
)
_ZONE = r"(?:\s*(?P<utc>Z|UTC|GMT)|\s*(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?)?"
_FREE_FORMS = tuple([re.compile(rf"\s*{date}{_TIME}{_ZONE}\s*", re.IGNORECASE | re.ASCII) for date in _DATES])


def ticks_of(moment: datetime) -> int:
    """Ticks of a datetime; one without a zone is UTC."""
    if moment.tzinfo is not None:
        moment = moment.astimezone(timezone.utc).replace(tzinfo=None)
    return (moment - _FIRST) // timedelta(microseconds=1) * 10


def datetime_of(ticks: int) -> datetime:
    """The datetime, without a zone, of ticks; what is below a microsecond is dropped.

    :raises Fault: outside the years 1 to 9999.
    """
    return _FIRST + timedelta(microseconds=checked(ticks) // 10)


def checked(ticks: int) -> int:
    """The same ticks.

    :raises Fault: outside the years 1 to 9999.
    """
    if not 0 <= ticks <= _LAST_TICK:
        raise Fault("this date lies outside the years 1 to 9999")
    return ticks


def ticks_from(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, fraction: int = 0
) -> int:
    """Ticks of calendar fields; ``fraction`` is in ticks.

    :raises Fault: for a date or a time that does not exist.
    """
    try:
        return ticks_of(datetime(year, month, day, hour, minute, second)) + fraction
    except ValueError as error:
        raise Fault(f"there is no such date or time: {error}") from error


def read(text: str) -> int:
    """Ticks of a date in the forms that CDate knows: ISO 8601 (also with a blank for the T), month/day/year, and month
    names; with or without a time, AM or PM, and an offset that may follow the date at once. No offset means UTC.

    :raises Fault: for any other text.
    """
    for form in _FREE_FORMS if len(text) <= _LONGEST else ():
        if match := form.fullmatch(text):
            fields = match.groupdict()
            local = ticks_from(
                int(fields["year"]),
                _month(fields),
                int(fields["day"]),
                _hour(fields),
                int(fields["minute"] or 0),
                int(fields["second"] or 0),
                int((fields["fraction"] or "0").ljust(7, "0")[:7]),
            )
            return checked(local - _offset(fields))
    raise Fault("this is no date", text)


def _month(fields: Mapping[str, str | None]) -> int:
    if name := fields.get("name"):
        return next(number for number, month in enumerate(MONTHS, 1) if month[:3].lower() == name[:3].lower())
    return int(fields["month"] or 0)


def _hour(fields: Mapping[str, str | None]) -> int:
    return twenty_four(int(fields["hour"] or 0), fields["half"])


def twenty_four(hour: int, half: str | None) -> int:
    """Hour of the day from a clock hour and AM, PM, A, P or nothing.

    :raises Fault: for an hour such as 13 PM.
    """
    if half is None:
        return hour
    if not 0 <= hour <= 12:
        raise Fault(f"there is no hour {hour} {half}")
    return hour % 12 + (12 if half[0] in "pP" else 0)


def _offset(fields: Mapping[str, str | None]) -> int:
    if fields["sign"] is None:
        return 0
    return offset_ticks(fields["sign"], int(fields["hours"] or 0), int(fields["minutes"] or 0))


def offset_ticks(sign: str, hours: int, minutes: int) -> int:
    """Ticks of an offset from UTC.

    :raises Fault: beyond 14 hours.
    """
    total = hours * 60 + minutes
    if minutes > 59 or total > 14 * 60:
        raise Fault("an offset from UTC lies between -14:00 and +14:00")
    return (-total if sign == "-" else total) * 60 * TICKS


def general(ticks: int) -> str:
    """M/d/yyyy h:mm:ss tt, the text of a date in this language."""
    moment = datetime_of(ticks)
    hour = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"
    return f"{moment.month}/{moment.day}/{moment.year:04d} {hour}:{moment.minute:02d}:{moment.second:02d} {half}"


def _add_months(ticks: int, count: int) -> int:
    """The last day of a shorter month stands for a day that it has not (.NET AddMonths)."""
    moment = datetime_of(ticks)
    months = moment.year * 12 + moment.month - 1 + count
    year, month = divmod(months, 12)
    if not 1 <= year <= 9999:
        raise Fault("this date lies outside the years 1 to 9999")
    day = min(moment.day, _month_length(year, month + 1))
    return ticks_of(moment.replace(year=year, month=month + 1, day=day)) + ticks % 10


def _month_length(year: int, month: int) -> int:
    if month == 12:
        return 31
    return (datetime(year, month + 1, 1) - datetime(year, month, 1)).days


def _fixed(unit: int) -> Callable[[int, int], int]:
    return lambda ticks, count: checked(ticks + unit * count)


def _elapsed(unit: int) -> Callable[[int, int], int]:
    def count(first: int, second: int) -> int:
        whole = abs(second - first) // unit
        return whole if second >= first else -whole

    return count


def _months_between(first: int, second: int) -> int:
    one, two = datetime_of(first), datetime_of(second)
    return (two.year - one.year) * 12 + two.month - one.month


def _weeks_between(first: int, second: int) -> int:
    # The first day of year 1 was a Monday: one more day puts the week's start on Sunday.
    return (second // DAY + 1) // 7 - (first // DAY + 1) // 7


ADD: Mapping[str, Callable[[int, int], int]] = {
    "yyyy": lambda ticks, count: _add_months(ticks, 12 * count),
    "m": _add_months,
    "ww": _fixed(7 * DAY),
    "d": _fixed(DAY),
    "h": _fixed(3600 * TICKS),
    "n": _fixed(60 * TICKS),
    "s": _fixed(TICKS),
}
"""DateAdd's intervals."""

DIFFERENCE: Mapping[str, Callable[[int, int], int]] = {
    "yyyy": lambda first, second: datetime_of(second).year - datetime_of(first).year,
    "m": _months_between,
    "ww": _weeks_between,
    "d": _elapsed(DAY),
    "h": _elapsed(3600 * TICKS),
    "n": _elapsed(60 * TICKS),
    "s": _elapsed(TICKS),
}
"""DateDiff's intervals: years and months count calendar boundaries, weeks begin on Sunday, the rest is elapsed time."""
