# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Dates: reading, counting, .NET formats."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expressions import (
    ExpressionError,
    evaluate,
)

NOW = datetime(2024, 2, 29, 13, 5, 9, tzinfo=timezone.utc)

READ = {
    "2009-06-15T01:45:30.1234567Z": "6/15/2009 1:45:30 AM",
    "2009-06-15 01:45 -0730": "6/15/2009 9:15:00 AM",
    "2009-06-15": "6/15/2009 12:00:00 AM",
    "2009/6/5 23:59": "6/5/2009 11:59:00 PM",
    "6/15/2009 12:00:00 AM": "6/15/2009 12:00:00 AM",
    "6/15/2009 12:30 pm": "6/15/2009 12:30:00 PM",
    "15 June 2009": "6/15/2009 12:00:00 AM",
    "Mon, 15 Jun 2009 20:45:30 GMT": "6/15/2009 8:45:30 PM",
    "June 15, 2009 8:45 PM": "6/15/2009 8:45:00 PM",
    " 2009-06-15 ": "6/15/2009 12:00:00 AM",
    "0001-01-01": "1/1/0001 12:00:00 AM",
}
UNREADABLE = (
    "soon",
    "2009-02-30",
    "2009-06-15T25:00",
    "6/15/2009 13:00 PM",
    "2009-06-15+15:00",
    "2009-06-15 +01:75",
    "0001-01-01+01:00",
    "2009-06-15" + " " * 200,
)
ADDED = {
    ("yyyy", 1, "2024-02-29"): "2/28/2025 12:00:00 AM",
    ("m", 1, "2023-01-31"): "2/28/2023 12:00:00 AM",
    ("m", -2, "2024-02-29T01:02:03"): "12/29/2023 1:02:03 AM",
    ("M", 10, "2024-02-29"): "12/29/2024 12:00:00 AM",
    ("ww", -1, "2024-03-01"): "2/23/2024 12:00:00 AM",
    ("d", 1, "2024-02-28"): "2/29/2024 12:00:00 AM",
    ("h", 25, "2024-02-28"): "2/29/2024 1:00:00 AM",
    ("n", -1, "2024-03-01"): "2/29/2024 11:59:00 PM",
    ("s", 61, "2024-03-01"): "3/1/2024 12:01:01 AM",
}
BETWEEN = {
    ("yyyy", "2020-12-31", "2021-01-01"): 1,
    ("m", "2021-01-31", "2021-02-01"): 1,
    ("m", "2021-02-01", "2021-01-31"): -1,
    ("ww", "2021-08-21", "2021-08-22"): 1,
    ("ww", "2021-08-22", "2021-08-28"): 0,
    ("d", "2021-08-21 12:00", "2021-08-22 11:59"): 0,
    ("d", "2021-08-22 11:59", "2021-08-21 12:00"): 0,
    ("h", "2021-08-22 02:30", "2021-08-22"): -2,
    ("n", "2021-08-22", "2021-08-22 00:01:59"): 1,
    ("s", "2021-08-22", "2021-08-22T00:00:01.9"): 1,
}
WRITTEN = {
    "d": "06/05/2009",
    "D": "Friday, 05 June 2009",
    "f": "Friday, 05 June 2009 13:04",
    "F": "Friday, 05 June 2009 13:04:07",
    "g": "06/05/2009 13:04",
    "G": "06/05/2009 13:04:07",
    "m": "June 05",
    "o": "2009-06-05T13:04:07.0560000",
    "R": "Fri, 05 Jun 2009 13:04:07 GMT",
    "s": "2009-06-05T13:04:07",
    "t": "13:04",
    "T": "13:04:07",
    "u": "2009-06-05 13:04:07Z",
    "U": "Friday, 05 June 2009 13:04:07",
    "Y": "2009 June",
    "M/d/yy h:m:s t": "6/5/09 1:4:7 P",
    "MM/dd/yyyy hh:mm:ss tt": "06/05/2009 01:04:07 PM",
    "%d %h": "5 1",
    "ddd MMM yyyyy": "Fri Jun 02009",
    "HH.ff.FF": "13.05.05",
    "ss.FFFFFFF": "07.056",
    "s.f": "7.0",
    "s.F": "7",
    "yyyyMMddHHmmss.fZ": "20090605130407.0Z",
    "'day' d \"of\" \\M MMMM": "day 5 of M June",
    "zzz zz z K|": "+00:00 +00 +0 |",
    "gg y": "A.D. 9",
}
PARSED = {
    ("20090605130407.0Z", "yyyyMMddHHmmss.fZ"): "2009-06-05T13:04:07",
    ("20090605130407.123", "yyyyMMddHHmmss.FFF"): "2009-06-05T13:04:07",
    ("20090605130407", "yyyyMMddHHmmss.FFF"): "2009-06-05T13:04:07",
    ("2009-06-05T13:04:07+02:00", "yyyy-MM-ddTHH:mm:sszzz"): "2009-06-05T11:04:07",
    ("2009-06-05T13:04:07Z", "yyyy-MM-ddTHH:mm:ssK"): "2009-06-05T13:04:07",
    ("2009-06-05 -3", "yyyy-MM-dd z"): "2009-06-05T03:00:00",
    ("Friday, 5 June 2009 1 PM", "dddd, d MMMM yyyy h tt"): "2009-06-05T13:00:00",
    ("FRI 5 jun 49", "ddd d MMM yy"): "FAULT another weekday",
    ("5 jun 49", "d MMM yy"): "2049-06-05T00:00:00",
    ("5 jun 50", "d MMM yy"): "1950-06-05T00:00:00",
    (" 2009-06 ", "yyyy-MM"): "2009-06-01T00:00:00",
    ("12 AM", "h tt"): "2024-02-29T00:00:00",
    ("03-01 12a", "MM-dd h't'".replace("'t'", "t")): "2024-03-01T00:00:00",
    ("1:30", "h:mm"): "2024-02-29T01:30:00",
    ("5 05 2009", "d dd yyyy"): "FAULT contradicts",
    ("2009 2009", "yyyy yyyy"): "2009-01-01T00:00:00",
    ("A.D. 2009", "gg yyyy"): "2009-01-01T00:00:00",
    ("09-06-05", "yyyy-MM-dd"): "FAULT does not have the format",
    ("2009-13-05", "yyyy-MM-dd"): "FAULT no such date",
    ("20x", "q0"): "FAULT does not have the format",
}


def test_now_is_utc_text() -> None:
    assert evaluate("Now()", {}, now=NOW) == "2/29/2024 1:05:09 PM"
    assert evaluate("Now()", {}, now=NOW.replace(tzinfo=None)) == "2/29/2024 1:05:09 PM"
    assert evaluate("Now()", {}, now=NOW.astimezone(timezone(timedelta(hours=5)))) == "2/29/2024 1:05:09 PM"


@pytest.mark.parametrize(("text", "expected"), READ.items())
def test_cdate(text: str, expected: str) -> None:
    assert evaluate("CDate([t])", {"t": text}) == expected
    assert evaluate("CDate(CDate([t]))", {"t": text}) == expected


@pytest.mark.parametrize("text", UNREADABLE)
def test_cdate_refuses(text: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate("CDate([t])", {"t": text})


@pytest.mark.parametrize(("arguments", "expected"), ADDED.items())
def test_date_add(arguments: tuple[str, int, str], expected: str) -> None:
    interval, count, date = arguments
    assert evaluate("DateAdd([i], [n], [d])", {"i": interval, "n": count, "d": date}) == expected


@pytest.mark.parametrize(("arguments", "expected"), BETWEEN.items())
def test_date_diff(arguments: tuple[str, str, str], expected: int) -> None:
    interval, first, second = arguments
    assert evaluate("DateDiff([i], [a], [b])", {"i": interval, "a": first, "b": second}) == expected


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ('DateAdd("yyyy", 9000, "2000-01-01")', "years 1 to 9999"),
        ('DateAdd("d", -999999, "2000-01-01")', "years 1 to 9999"),
        ('DateAdd([i], 1, "2000-01-01")', "the interval is one of"),
        ('DateDiff("d", "never", "2000-01-01")', "no date: 'never'"),
        ("DateFromNum(9223372036854775807)", "years 1 to 9999"),
    ],
)
def test_dates_refuse(expression: str, problem: str) -> None:
    with pytest.raises(ExpressionError, match=problem):
        evaluate(expression, {"i": "q"})


@pytest.mark.parametrize(
    "expression",
    [
        "CDate([n])",
        'CDate("")',
        'DateAdd("d", 1, [n])',
        'DateDiff("d", [n], "2000-01-01")',
        "DateFromNum([n])",
        "NumFromDate([n])",
        'FormatDateTime([n], "d", "D")',
    ],
)
def test_no_date_gives_null(expression: str) -> None:
    assert evaluate(expression, {}) is None


def test_directory_time() -> None:
    assert evaluate("DateFromNum(129699324000000000)", {}) == "1/1/2012 11:00:00 PM"
    assert evaluate('DateFromNum("0")', {}) == "1/1/1601 12:00:00 AM"
    assert evaluate('NumFromDate("1601-01-01T00:00:00.0000001Z")', {}) == 1
    assert evaluate('NumFromDate("2012-01-01T23:00:00+01:00")', {}) == 129699288000000000


@pytest.mark.parametrize(("form", "expected"), WRITTEN.items())
def test_written_in_a_format(form: str, expected: str) -> None:
    attributes = {"t": "2009-06-05T13:04:07.056", "f": form}
    assert evaluate('FormatDateTime([t], "yyyy-MM-ddTHH:mm:ss.fff", [f])', attributes) == expected


@pytest.mark.parametrize(("written", "expected"), PARSED.items())
def test_read_in_a_format(written: tuple[str, str], expected: str) -> None:
    attributes = {"t": written[0], "f": written[1]}
    if expected.startswith("FAULT "):
        with pytest.raises(ExpressionError, match=expected.removeprefix("FAULT ")):
            evaluate('FormatDateTime([t], , [f], "s")', attributes, now=NOW)
    else:
        assert evaluate('FormatDateTime([t], , [f], "s")', attributes, now=NOW) == expected


def test_number_of_arguments_chooses_the_styles() -> None:
    attributes = {"t": "2009-06-05"}
    three = evaluate('FormatDateTime([t], "yyyy-MM-dd", "M/d/yyyy")', attributes)
    assert three == "6/5/2009"
    assert evaluate('FormatDateTime([t], "yyyy-MM-dd", "M/d/yyyy", )', attributes) == three
    assert evaluate('FormatDateTime([t], "None", "yyyy-MM-dd", "M/d/yyyy")', attributes) == three


@pytest.mark.parametrize(
    ("styles", "text", "form", "expected"),
    [
        ("AllowWhiteSpaces", " 2009 - 06 ", "yyyy-MM", "2009-06-01T00:00:00"),
        ("AllowLeadingWhite, AllowInnerWhite", "  2009 -06", "yyyy-MM", "2009-06-01T00:00:00"),
        ("NoCurrentDateDefault", "13:04", "HH:mm", "0001-01-01T13:04:00"),
    ],
)
def test_styles(styles: str, text: str, form: str, expected: str) -> None:
    attributes = {"t": text, "s": styles, "f": form}
    assert evaluate('FormatDateTime([t], [s], [f], "s")', attributes) == expected


@pytest.mark.parametrize("styles", ["None", "AllowTrailingWhite"])
def test_blanks_are_refused_without_their_style(styles: str) -> None:
    with pytest.raises(ExpressionError, match="does not have the format"):
        evaluate('FormatDateTime(" 2009", [s], "yyyy", "s")', {"s": styles})


def test_universal_output_is_marked_for_a_zoned_text() -> None:
    assert evaluate('FormatDateTime("2009-06-05Z", "yyyy-MM-ddK", "HHK")', {}) == "00Z"
    assert evaluate('FormatDateTime("2009-06-05", "AdjustToUniversal", "yyyy-MM-dd", "HHK")', {}) == "00Z"


@pytest.mark.parametrize("form", ["", "q", "ffffffff", "yyyy'", "x" * 201])
def test_bad_formats(form: str) -> None:
    with pytest.raises(ExpressionError, match="format"):
        evaluate('FormatDateTime("2009", "yyyy", [f])', {"f": form})
