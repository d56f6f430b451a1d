# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and printing expressions, and the positions of what is wrong in them."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expressions import (
    ExpressionError,
    evaluate,
    parse,
)

CANONICAL = {
    "[displayName]": "[displayName]",
    'append ( "Group_" ,[objectId])': 'Append("Group_", [objectId])',
    "Trim([a-b.c_d1])": "Trim([a-b.c_d1])",
    'Replace([mail], "@x", , ,"", ,)': 'Replace([mail], "@x", , , "", , )',
    "ToLower(Trim([a]), )": "ToLower(Trim([a]), )",
    "Trim([a], , )": "Trim([a])",
    "Now( )": "Now()",
    '"t-"&[alias]&"-x"': '"t-" & [alias] & "-x"',
    '"a" & ("b" & "c")': '"a" & "b" & "c"',
    "BitAnd(&HF,&hF7)": "BitAnd(15, 247)",
    "Left([a],-010)": "Left([a], -10)",
    "IIF(([a])=(1),null,TRUE)": "IIF([a] = 1, NULL, True)",
    "instr([a],[b],1,VBTEXTCOMPARE)": "InStr([a], [b], 1, vbTextCompare)",
    "Append([a],%DomainFQDN%)": "Append([a], %DomainFQDN%)",
    r'Split([a],"\\d")': r'Split([a], "\d")',
    r'Split([a],"\d")': r'Split([a], "\d")',
    r'Split([a],"\\\\d\"\\")': r'Split([a], "\\\d\"\\")',
    "IIF(Not([a]=1),\n  1,\n  2)": "IIF(Not([a] = 1), 1, 2)",
    "CBool([a]<>2)": "CBool([a] <> 2)",
}

REFUSED = {
    "": (1, 1, "end of the expression", "an attribute"),
    "  ": (1, 3, "end of the expression", "an attribute"),
    "displayName": (1, 1, "displayName", "[displayName]"),
    "Left([a]": (1, 9, "end of the expression", "')'"),
    "Left([a] 3)": (1, 10, "'3'", "',' or ')'"),
    "Left([a], 3))": (1, 13, "')'", "the end"),
    'Append("a, [b])': (1, 8, "", "closing quotation mark"),
    "Trim([a b])": (1, 6, "", "attribute name"),
    "Trim(%a b%)": (1, 6, "", "variable"),
    "Left([a], 1.5)": (1, 11, "", "whole number"),
    "Left([a], 99999999999999999999)": (1, 11, "", "64 bits"),
    "Left([a], 9223372036854775808)": (1, 11, "", "64 bits"),
    "Trim(\u201ca\u201d)": (1, 6, "", "straight double quotation marks"),
    "Trim(#)": (1, 6, "'#'", ""),
    "Append(\n  [a],\n  Trimm([b]))": (3, 3, "'Trimm'", "Trim"),
    "Qqqqqq([a])": (1, 1, "'Qqqqqq'", "a function"),
    "Left([a])": (1, 1, "1 arguments", "2 arguments"),
    "Trim([a], [b])": (1, 1, "2 arguments", "1 argument"),
    "Left([a], )": (1, 11, "nothing", "an argument"),
    "Trim()": (1, 1, "0 arguments", "1 argument"),
    'SelectUniqueValue("a")': (1, 1, "1 arguments", "at least 2 arguments"),
    "Coalesce()": (1, 1, "0 arguments", "at least 1 argument"),
    "PCase([a], [b], [c])": (1, 1, "3 arguments", "1 to 2 arguments"),
    'Switch([a], "x", "y")': (1, 1, "3 arguments", "at least 4"),
    'Switch([a], "x", "y", "z", "q")': (1, 1, "", "an even number"),
    'Append([a], SelectUniqueValue("a", "b"))': (1, 13, "SelectUniqueValue", "whole expression"),
    'SelectUniqueValue("a", "b") & "c"': (1, 1, "SelectUniqueValue", "whole expression"),
    '[a] = "b"': (1, 5, "'='", "no comparison"),
    'Trim([a] = "b")': (1, 10, "'='", "no comparison"),
    'Not([a] = "b")': (1, 9, "'='", "no comparison"),
    'IIF([a] = "b" = "c", 1, 2)': (1, 15, "'='", "nest IIF"),
    'IIF(([a] = "b") = "c", 1, 2)': (1, 17, "'='", "no comparison"),
    'IIF(([a] = "b") & "c", 1, 2)': (1, 17, "'&'", "no '&'"),
    "IIF([a], [b] = 1, 2)": (1, 14, "'='", "no comparison"),
    "IIF([a] = )": (1, 11, "')'", "an attribute"),
    "Left([a], &HFFFFFFFFF)": (1, 11, "'&'", "an attribute"),
    "([a]": (1, 5, "end of the expression", "')'"),
    'DateAdd("q", 1, [a])': (1, 9, "", "yyyy, m, ww"),
    'FormatDateTime([a], "bogus", "d", "D")': (1, 21, "", "DateTimeStyles"),
    'FormatDateTime([a], , "d\'", "D")': (1, 25, "", "not complete"),
    'FormatDateTime([a], "D", "q")': (1, 26, "", "standard date format"),
    "RandomString(300, 0, 0, 0, 0)": (1, 1, "", "at most 256"),
    "RandomString(3, 1, 1, 1, 1)": (1, 1, "", "sum of the minima"),
    'Replace([a], "x", "y", , "z")': (1, 1, "", "Replace takes"),
    'Replace([a], "", , , "z")': (1, 1, "", "Replace takes"),
    'Replace([a], , "(a", , "z")': (1, 17, "", "not closed"),
    r'Replace([a], , "\\d\\q", , "z")': (1, 20, "", r"\q"),
    r'Replace([a], , "\d\q", , "z")': (1, 19, "", r"\q"),
    'Replace([a], , "(x+)+", , "z")': (1, 16, "", "several ways"),
    'Replace([a], , "(?<!a+)b", , "z")': (1, 17, "", "fixed length"),
    'Replace([a], , "(?<x>a)", "y", "z")': (1, 27, "", "no group 'y'"),
}


@pytest.mark.parametrize(("written", "canonical"), CANONICAL.items())
def test_canonical_text(written: str, canonical: str) -> None:
    assert str(parse(written)) == canonical
    assert parse(canonical) == parse(written)


@pytest.mark.parametrize(("text", "place"), REFUSED.items())
def test_refusal_names_place_finding_and_expectation(text: str, place: tuple[int, int, str, str]) -> None:
    line, column, found, expected = place
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    error = caught.value
    assert (error.line, error.column) == (line, column)
    assert found in error.found
    assert expected in f"{error.problem} {error.expected}"
    shown, caret = error.caret.split("\n")
    assert caret == " " * (column - 1) + "^"
    assert shown == text.split("\n")[line - 1]
    assert str(error) == f"line {line}, column {column}: {error.problem}\n{error.caret}"
    assert error.code == "expression_invalid"


def test_caret_line_shows_the_surroundings_of_a_distant_column() -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(f'Append("{"x" * 500}", ?) ')
    shown, caret = caught.value.caret.split("\n")
    assert caught.value.column == 512
    assert shown[caret.index("^")] == "?"
    assert len(shown) <= 100


def test_length_limit() -> None:
    longest = f'"{"x" * 9998}"'
    assert evaluate(longest, {}) == "x" * 9998
    with pytest.raises(ExpressionError, match="at most 10000"):
        parse(longest + " ")


def test_canonical_text_of_a_long_expression_stays_within_the_limit() -> None:
    parsed = parse(f"Join({','.join(['[a]'] * 2498)})")
    assert len(str(parsed)) <= 10_000
    assert parse(str(parsed)) == parsed


def test_nesting_limit() -> None:
    deepest = "Trim(" * 100 + "[a]" + ")" * 100
    assert evaluate(deepest, {"a": " x "}) == "x"
    assert str(parse(deepest)) == deepest
    ladder = "IIF([a]=1,2," * 100 + "3" + ")" * 100
    assert evaluate(ladder, {}) == 3
    for opening in ("Trim(", "("):
        with pytest.raises(ExpressionError, match="nesting"):
            parse(opening * 101 + "[a]" + ")" * 101)


def test_a_long_chain_of_joins_is_no_nesting() -> None:
    assert evaluate("&".join(["[a]"] * 2000), {"a": "x"}) == "x" * 2000


def test_what_an_expression_uses() -> None:
    parsed = parse('SelectUniqueValue(Append([b], %Domain%), IIF([A]=[b], Now(), "x") & RandomString(1,0,0,0,0))')
    assert parsed.attributes == ("b", "A")
    assert parsed.variables == ("Domain",)
    assert parsed.functions == ("SelectUniqueValue", "Append", "IIF", "Now", "RandomString")
    assert parsed.unique_values
    assert parsed.creates_only
    assert not parsed.redacted
    plain = parse("[a]")
    assert (plain.functions, plain.unique_values, plain.creates_only) == ((), False, False)
    assert parse("Redact([a])").redacted
    clocks = ("Now()", 'FormatDateTime([a],,"MM","yyyy")', 'DateAdd("d",1,[a])')
    assert [parse(text).uses_clock for text in clocks] == [True, True, False]
    assert parse("Guid()").creates_only
