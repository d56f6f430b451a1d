# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replace and its .NET regular expressions."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.errors import Fault
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.regex import (
    compile_pattern,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expressions import (
    ExpressionError,
    evaluate,
)

MODES: Mapping[str, object] = {
    'Replace("a.a", "a", , , "b")': "b.b",
    'Replace("aA", "a", , , "b")': "bA",
    'Replace("aba", "a", , , "")': "b",
    'Replace("aba", [absent], , , "x")': "aba",
    'Replace("aba", "a", , , [absent])': "b",
    'Replace([absent], "a", , , "b")': None,
    'Replace("x", "#", , , , , "<#|#>")': "<x|x>",
    'Replace("x", [absent], , , , , "<#>")': "<#>",
    'Replace([absent], "#", , , , , "<#>")': None,
    'Replace("a1b22", , "[0-9]+", , "#")': "a#b#",
    'Replace("a1b22", , [digits], , "#")': "a#b#",
    'Replace("ab", , "(?<one>a)(b)", , "${one}-$1-$2-$0-$&-$$-$9-${no}-$`-$\'-$_-$+-$")': (
        "a-b-a-ab-ab-$-$9-${no}---ab-a-$"
    ),
    'Replace("xaby", , "(a)|(c)", , "[$2$`$\']")': "x[xby]by",
    'Replace("xay", , "a", , "$+")': "xay",
    'Replace("xcy", , "(?<n>b)?c", , "$+")': "xy",
    'Replace("a1b2", , "[a-z](?<d>[0-9])", "d", "$1")': "a$1b$1",
    'Replace("ab", , "a(?<n>x)?", "n", "!")': "ab",
    'Replace("ab", , "(a)b", "1", "!")': "!b",
    'Replace("", , "(?<n>a+)", "n", , [b], )': "aa",
    'Replace([absent], , "(?<n>a+)", "n", , [b], )': "aa",
    'Replace([absent], , "(?<n>z+)", "n", , [b], )': None,
    'Replace([absent], , "(?<n>z+)?b", "n", , [b], )': None,
    'Replace([absent], , "(?<n>a+)", "n", , [absent], )': None,
    'Replace("x", , "(?<n>a+)", "n", , [b], )': "x",
    'Replace("a", "", "a", "", "b", , "")': "b",
}
PATTERNS = {
    (r"(?<n>\d)\k<n>", "1123", "#"): "#23",
    (r"(?'n'\d)\k'n'", "1123", "#"): "#23",
    (r"(\d)\1", "1123", "#"): "#23",
    (r"(?i)(a)\1", "aAb", "#"): "#b",
    (r"\d", "1\u0664x", "#"): "##x",
    (r"\w", "a\u0301é_\u203f1-", "#"): "######-",
    (r"\W", "a\u0301-\U0001f600", "#"): "a\u0301##",
    (r"[\W_]", "a_-b", "#"): "a##b",
    (r"\s", "a\u00a0\u2003\x85\x1cb", "#"): "a###\x1cb",
    (r"\S\D", "a \n1", "#"): "#\n1",
    (r"\bé", "aé é", "#"): "aé #",
    (r"\Ba", "aa a", "#"): "a# a",
    (r"a$", "a\na\n", "#"): "a\n#\n",
    (r"a\Z", "a\n", "#"): "#\n",
    (r"a\z", "a\n", "#"): "a\n",
    (r"\Aa", "aa", "#"): "#a",
    (r"^a", "a\na", "#"): "#\na",
    (r"(?m)^a$", "a\na", "#"): "#\n#",
    (r"a.", "a\nab", "#"): "a\n#",
    (r"(?s)a.", "a\nab", "#"): "##",
    (r"(?i)ab", "AbaB", "#"): "##",
    (r"(?i:a)b", "AbAB", "#"): "#AB",
    (r"a(?i)b|c", "aBC", "#"): "##",
    (r"(?i)a(?-i:b)", "AbAB", "#"): "#AB",
    (r"(?i)[^a]", "aAb", "#"): "aA#",
    (r"(?x) a b # comment", "ab", "#"): "#",
    (r"(?x)a {2}", "aa", "#"): "#",
    (r"a(?#comment)b", "ab", "#"): "#",
    (r"(?n)(a)(?<x>b)", "ab", "${x}$1"): "bb",
    (r"[a-z-[aeiou]]", "abe", "#"): "a#e",
    (r"[^a-c]", "abd", "#"): "ab#",
    (r"[]a]", "a]b", "#"): "##b",
    (r"[a\]b-]", "]-c", "#"): "##c",
    (r"[\b\x41\u0042\t\cA]", "\bAB\t\x01C", "#"): "#####C",
    (r"[-a]", "-ab", "#"): "##b",
    (r"\x41\u0042\t\e\101?", "AB\t\x1b", "#"): "FAULT does not exist",
    (r"\060\a\f\v\r\n", "0\a\f\v\r\n", "#"): "#",
    (r"\p{Lu}\P{L}", "aA1", "#"): "a#",
    (r"[\p{IsCyrillic}]", "aж", "#"): "a#",
    (r"(?>a+)a", "aaa", "#"): "aaa",
    (r"(?>a|ab)c", "abc ac", "#"): "abc #",
    (r"(?=a)\w", "ab", "#"): "#b",
    (r"(?!a)\w", "ab", "#"): "a#",
    (r"(?<=a|bc)d", "ad bcd d", "#"): "a# bc# d",
    (r"(?<!a|bc)d", "ad bcd d", "#"): "ad bcd #",
    (r"(?<=^\s)a", " a", "#"): " #",
    (r"(?<=(?:ab){2})c", "ababc", "#"): "abab#",
    (r"(?<=[ab](?!x)\b)-", "a-", "#"): "a#",
    (r"(a)?(?(1)b|c)", "abc", "#"): "##",
    (r"(?<q>a)?(?(q)b)", "ab", "#"): "##",
    (r"(?<x>a)|(?<x>b)", "ab", "<${x}>"): "<a><b>",
    (r"(?<3>a)(b)", "ab", "$1$3"): "ba",
    (r"a{,2}", "a{,2}", "#"): "#",
    (r"a{2}b{1,}c{0,1}?", "aabbc", "#"): "#c",
    (r"a*?b", "aab", "#"): "#",
    (r"a*", "baac", "-"): "-b--c-",
    (r"|a", "a", "-"): "-a-",
    (r"[^\s\S]|a", "ab", "-"): "-b",
    (r"(?<=ab?c?)d", "", ""): "FAULT fixed length",
    (r"(?i)\p{L}", "é1", "-"): "-1",
    (r"[\p{L}\d][a-f0-9]x", "\u0663fx", "-"): "-",
    (r"()", "a", "-"): "-a-",
    (r"\.\*\-\ ", ".*- ", "#"): "#",
}
REFUSED = {
    "(": 0,
    "a)": 1,
    "[a": 0,
    "*a": 0,
    "a**": 2,
    "a++": 2,
    "a{2}{3}": 4,
    "a{3,2}": 1,
    "a{99999}": 1,
    "a{999999}": 1,
    "[b-a]": 1,
    r"[\d-z]": 1,
    r"[a-z-[b]c]": 8,
    "a\\": 1,
    "[\\": 1,
    "(?<=a(?:b|c*))d": 0,
    r"\q": 0,
    r"\_": 0,
    r"\G": 0,
    r"\p{Qq}": 0,
    r"\pL": 0,
    r"\k{n}": 0,
    r"\1": 0,
    r"a\k<n>": 1,
    r"(?<n>a)(?<n>b)\k<n>": 14,
    "(?<n-m>a)": 2,
    "(?<>a)": 2,
    "(?(a=b)c)": 0,
    "(?(1)a|b|c)(x)": 0,
    "(?(9)a)": 0,
    "(?P<n>a)": 0,
    "(?#a": 0,
    "(?<=a*)b": 0,
    "(?<=a|b*)c": 0,
    r"(a)(?<=\1)b": 3,
    "(?<=(?:a|bc)d)e": 0,
    "(" * 40 + ")" * 40: 31,
    "[a-[" + "b-[" * 40: 93,
    "(?": 0,
    "(?i": 0,
    "(?i:a": 0,
    r"(a\1)": None,
}
ENDLESS = (
    "(a+)+",
    "(a*)*b",
    "(a|a)*b",
    "(a|ab|b)*c",
    r"(\w+\s?)*$",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    "(?:a?){30}a{30}",
    "(a?b?)*c",
    "(?:(?:|)a)*b",
    "((a?)?b)*c",
    "(a{0,10}){0,10}b",
    "(((a{0,3}){0,3}){0,3})b",
    "(x+x+)+y",
    "(?=(a+)+b)a",
    r"(\w|(\w)\2)*$",
)
ACCEPTED = (
    r"(\d{1,3}\.){3}\d{1,3}",
    "([^,]+,)*",
    '(?:[^"]|"")*',
    r"[\w-]+@(?:[\w-]+\.)+\w+",
    r"(?=.*\d)(?=.*[a-z]).{8,}",
    "(?<guid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",
)


@pytest.mark.parametrize(("expression", "expected"), MODES.items())
def test_mode(expression: str, expected: object) -> None:
    assert evaluate(expression, {"b": "baac", "digits": r"\d+"}) == expected


@pytest.mark.parametrize(("case", "expected"), PATTERNS.items())
def test_pattern(case: tuple[str, str, str], expected: str) -> None:
    pattern, text, replacement = case
    if expected.startswith("FAULT "):
        with pytest.raises(Fault, match=expected.removeprefix("FAULT ")):
            compile_pattern(pattern)
    else:
        assert compile_pattern(pattern).replace(text, replacement) == expected


@pytest.mark.parametrize(("pattern", "index"), REFUSED.items())
def test_refused_pattern_with_its_place(pattern: str, index: int | None) -> None:
    with pytest.raises(Fault) as caught:
        compile_pattern(pattern)
    assert caught.value.index == index
    assert caught.value.problem.startswith("in the regular expression: ")


@pytest.mark.parametrize("pattern", ENDLESS)
def test_endless_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(Fault, match="forever"):
        compile_pattern(pattern)


@pytest.mark.parametrize("pattern", ACCEPTED)
def test_harmless_pattern_is_accepted(pattern: str) -> None:
    assert compile_pattern(pattern).replace("", "x") in ("", "x")


@pytest.mark.parametrize(
    "pattern", ["a" * 700, r"\b" * 500, "(?:" + "|".join([f"[a-z]{n}" for n in range(300)]) + ")*"]
)
def test_oversized_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(Fault, match="too large"):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "length"), [("a*a*a*a*b", 5000), ("(?:a|a)" * 40, 50), ("a?" * 40 + "a" * 40, 50), ("a", 10_001)]
)
def test_text_too_long_for_a_pattern_is_refused(pattern: str, length: int) -> None:
    with pytest.raises(ExpressionError, match="too long for this regular expression"):
        evaluate('Replace([t], , [p], , "x")', {"t": "a" * length, "p": pattern})


@pytest.mark.parametrize("pattern", ["a*a*b", r"^(?:\w+\s)*$", "(?:a|b)*?c", "(?:.*,)?(?<rest>.*)$"])
def test_the_longest_text_allowed_is_matched_in_time(pattern: str) -> None:
    compiled = compile_pattern(pattern)
    length = next(length for length in range(10_000, 0, -10) if compiled.cost.steps(length) <= 1e8)
    begin = time.perf_counter()
    assert sum(1 for _unused in compiled.matches("a" * length)) <= length + 1
    assert time.perf_counter() - begin < 30


def test_dynamic_patterns_and_groups_are_refused_at_the_call() -> None:
    for expression in ('Replace("a", , [p], , "x")', 'Replace("a", , "(?<n>a)", [p], "x")'):
        with pytest.raises(ExpressionError) as caught:
            evaluate(expression, {"p": "(a"})
        assert caught.value.line == 1


def test_a_mode_that_values_leave_open_is_refused() -> None:
    with pytest.raises(ExpressionError, match="Replace takes"):
        evaluate('Replace("a", "", [absent], , "x")', {})
