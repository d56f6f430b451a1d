# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of the functions that no document shows by an example, and choices where documents are silent."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.values import (
    AttributeValue,
    Flow,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expressions import (
    IGNORE,
    ExpressionError,
    evaluate,
)

SID = bytes.fromhex("010500000000000515000000e967bb98d6b7d7bf82051e6c28060000")
ATTRIBUTES: Mapping[str, AttributeValue] = {
    "a": "x",
    "Case": "exact",
    "case": "other",
    "empty": "",
    "list": ["SMTP:a@x", "smtp:b@x"],
    "one": ["single"],
    "none": [],
    "holes": ["a", ""],
    "number": 42,
    "yes": True,
    "no": False,
    "half": 0.5,
    "whole": 3.0,
    "sid": SID,
    "sids": [SID],
    "emoji": "a\U0001f600b",
    "dn": r"CN=Smith\, J\2C \C3\A9\20 + SN=S,OU=\#a\+b,DC=x",
}
RESULTS: Mapping[str, object] = {
    # Attributes, variables, words
    "[a]": "x",
    "[A]": "x",
    "[Case]": "exact",
    "[CASE]": "exact",
    "[absent]": None,
    "[none]": None,
    "[one]": ["single"],
    "[half]": "0.5",
    "[whole]": 3,
    "[yes]": True,
    "%domainfqdn%": "x.test",
    "NULL": None,
    "vbTextCompare": "vbTextCompare",
    "IgnoreAttributeFlow": IGNORE,
    "IgnoreObjectFlow": Flow.IGNORE_OBJECT,
    # Flow words pass through calls, unless a choice drops them
    "Append(IgnoreFlowIfNullOrEmpty([absent]), [a])": IGNORE,
    '[a] & IgnoreObjectFlow & IgnoreAttributeFlow & "b"': Flow.IGNORE_OBJECT,
    "IIF([a] = IgnoreAttributeFlow, 1, 2)": IGNORE,
    "IIF(IgnoreAttributeFlow, 1, 2)": IGNORE,
    "IIF(True, [a], IgnoreAttributeFlow)": "x",
    'Switch(IgnoreAttributeFlow, 1, "a", 2)': IGNORE,
    "Switch([a], 1, IgnoreAttributeFlow, 2)": IGNORE,
    'Replace(IgnoreAttributeFlow, "a", , , "b")': IGNORE,
    'SelectUniqueValue(IgnoreAttributeFlow, "b")': IGNORE,
    "IgnoreFlowIfNullOrEmpty([a])": "x",
    "IgnoreFlowIfNullOrEmpty([holes])": ["a", ""],
    "Coalesce([absent], IgnoreAttributeFlow)": IGNORE,
    # Null model
    "IsNull([absent])": True,
    "IsNull([empty])": False,
    "IsNull([none])": True,
    "IsNullOrEmpty([empty])": True,
    "IsPresent([empty])": False,
    "IsPresent([holes])": True,
    "IsPresent([sid])": True,
    "IsString([number])": True,
    "IsString([list])": False,
    "IsString([absent])": False,
    "IsString([sid])": False,
    "Coalesce([absent], [empty], [a])": "",
    "Coalesce([absent], , [a])": "x",
    "Coalesce([absent], NULL)": None,
    # Comparison
    'IIF([absent] = "", "null", "value")': "null",
    'IIF([absent] = NULL, "null", "value")': "null",
    'IIF([absent] <> "b", 1, 2)': 1,
    "IIF([absent] < 5, 1, 2)": 2,
    "IIF([empty] >= 0, 1, 2)": 2,
    'IIF([number] = "42.0", 1, 2)': 1,
    'IIF("10" > "9", 1, 2)': 1,
    'IIF("10a" > "9a", 1, 2)': 2,
    'IIF("a" = "A", 1, 2)': 2,
    'IIF("b" >= "a", 1, 2)': 1,
    'IIF("a" <= "a", 1, 2)': 1,
    'IIF([yes] = "True", 1, 2)': 1,
    'IIF([one] = "single", 1, 2)': 1,
    # Conditions
    "IIF([yes], 1, 2)": 1,
    'IIF("false", 1, 2)': 2,
    "IIF([number], 1, 2)": 1,
    'IIF("0", 1, 2)': 2,
    "IIF([absent], 1, 2)": 2,
    "IIF([yes], [a], )": "x",
    "IIF([no], [a], )": None,
    'IIF([yes], [a], Error("not reached"))': "x",
    "CBool([number] = 42)": True,
    "CBool(0)": False,
    'CBool("2.5")': True,
    "Not([yes])": False,
    'Not("other")': True,
    "Not([absent])": True,
    "IIF(Not([a] = 1), 1, 2)": 1,
    # Switch
    'Switch([absent], "d", "", "null")': "null",
    'Switch("A", "d", "a", 1)': "d",
    'Switch([a], , "b", 1)': None,
    'Switch([a], "d", "x", )': None,
    'Switch([number], "d", "42", 1)': 1,
    'Switch([a], Error("no"), "x", 1, "y", Error("no"))': 1,
    # Text
    "Append([absent], [a])": "x",
    "Append([absent], NULL)": "",
    '"a" & [number] & [yes]': "a42True",
    "Left([a], 0)": "",
    "Left([a], 9)": "x",
    'Left("abc", "2")': "ab",
    "Left([emoji], 1)": "a",
    "Left([emoji], 2)": "a",
    "Left([emoji], 3)": "a\U0001f600",
    "Mid([emoji], 2, 2)": "\U0001f600",
    "Mid([emoji], 3, 5)": "b",
    "Mid([absent], 1, 2)": "",
    'Mid("abc", 2, 0)': "",
    'Mid("abc", 2, 9)': "bc",
    'Mid("abc", 4, 1)': "abc",
    'Mid("abc", 0, 1)': "abc",
    'Mid("abc", "3", "1")': "c",
    'InStr([emoji], "b")': 4,
    'InStr([emoji], "b", 4)': 4,
    'InStr("abcABC", "BC", 1, vbTextCompare)': 2,
    'InStr("abcABC", "BC")': 5,
    'InStr("abcABC", "bc", 3, 1)': 5,
    'InStr("abc", "x")': 0,
    'InStr([absent], "x")': 0,
    'InStr("abc", "")': 1,
    'InStr("abc", "a", -5)': 1,
    'InStr("abc", "a", 9)': 0,
    "Trim([absent])": None,
    "Left(Trim([absent]), 3)": "",
    'Trim(" a ")': "a",
    'StripSpaces(" a\tb ")': "a\tb",
    "StripSpaces([absent])": None,
    'ToLower("ÀİSS")': "àİss",
    'ToUpper("straße \u0131")': "STRAßE \u0131",
    'ToLower("Iİ", "tr-TR")': "\u0131i",
    'ToUpper("i\u0131", "tr")': "İI",
    'ToUpper("i", "de-DE")': "I",
    "ToUpper([absent])": None,
    'PCase("o\'neil-van der")': "O'Neil-Van Der",
    'PCase("o\'neil-van der", " ")': "O'neil-van Der",
    'PCase("e\u0301cole")': "E\u0301cole",
    "PCase([absent])": None,
    'Word("a,,b;c", 2, ",;")': "b",
    'Word("a b", 3, " ")': "",
    'Word("a]b^c", 2, "^]")': "b",
    'Word("a b", 1, "")': "a b",
    "Word([absent], 1, [a])": "",
    "NormalizeDiacritics([absent])": None,
    # Several values
    'Join("-", [list], [absent], [empty], 7)': "SMTP:a@x-smtp:b@x-7",
    'Join("-", [absent], [empty])': "",
    "Join(, 1, 2)": "12",
    'Join("", 1000, -5)': "1000-5",
    'Split("a, b ,,c", ",")': ["a", "b", "", "c"],
    'Split("a--b-c", "--")': ["a", "b-c"],
    'Split("a", "")': ["a"],
    'Split([absent], ",")': None,
    "Item([list], 2)": "smtp:b@x",
    "Item([a], 1)": "x",
    "Item([absent], 1)": None,
    "Count([list])": 2,
    "Count([absent])": 0,
    "Count([a])": 1,
    "Count([sid])": 1,
    'Contains([list], "smtp:")': 2,
    'Contains([list], "smtp:", CaseInsensitive)': 1,
    'Contains([list], "zz")': 0,
    'Contains([absent], "zz")': 0,
    'RemoveDuplicates(Split("b,a,B,b,a", ","))': ["b", "a", "B"],
    "RemoveDuplicates([a])": "x",
    'Trim(Split(" a | b ", "|"))': ["a", "b"],
    "SingleAppRoleAssignment([list])": "SMTP:a@x",
    "SingleAppRoleAssignment([absent])": None,
    "AppRoleAssignmentsComplex([list])": ["SMTP:a@x", "smtp:b@x"],
    "AppRoleAssignmentsComplex([absent])": None,
    # Conversions
    "CStr([yes])": "True",
    "CStr([number])": "42",
    "CStr([absent])": None,
    'CRef("cn=a")': "cn=a",
    "BitAnd(&HF, &HF7)": 7,
    'BitAnd("&HF", "6")': 6,
    "Redact([a])": "x",
    'ConvertToBase64("Hello world!")': "SABlAGwAbABvACAAdwBvAHIAbABkACEA",
    "ConvertToBase64([sid])": base64.b64encode(SID).decode(),
    "ConvertToBase64([absent])": None,
    'ConvertFromBase64("SGk=", ASCII)': "Hi",
    "ConvertFromBase64([absent])": None,
    'ConvertToUTF8Hex("Hello world!")': "48656C6C6F20776F726C6421",
    'ConvertToUTF8Hex("é")': "C3A9",
    "ConvertToUTF8Hex([absent])": None,
    "StringFromSid([sid])": "S-1-5-21-2562418665-3218585558-1813906818-1576",
    "StringFromSid([sids])": "S-1-5-21-2562418665-3218585558-1813906818-1576",
    "StringFromSid(ConvertToBase64([sid]))": "S-1-5-21-2562418665-3218585558-1813906818-1576",
    'StringFromSid("S-1-5-32-544")': "S-1-5-32-544",
    "StringFromSid([absent])": None,
    "DNComponent([dn], 1)": "Smith, J, \u00e9 ",
    "DNComponent([dn], 2)": "#a+b",
    "DNComponent([dn], 3)": "x",
    "DNComponent([dn], 4)": None,
    "DNComponent([absent], 1)": None,
    'ParentDN("CN=Doe\\, Jane,OU=R\\+D,DC=contoso")': "OU=R\\+D,DC=contoso",
    'ParentDN("DC=contoso")': None,
    "ParentDN([absent])": None,
    'RdnValue("CN=Doe\\, Jane \\22x\\22,OU=R\\+D,DC=contoso")': 'Doe, Jane "x"',
    "RdnValue([absent])": None,
    r'DNComponent("cn=\"a, b\" , ou= c\\ ", 1)': "a, b",
    r'DNComponent("cn=a;ou= c\\ ", 2)': "c ",
    r'DNComponent("cn=", 1)': "",
}
DIACRITICS = {
    "äàâãåáąăā": "aaaaaaaaa",
    "a\u0304\u0301a\u0300\u0304ǟǡa\u0331å\u0304": "aaaaaa",
    "æǣÆǢ": "aeaeAEAE",
    "çčćc\u0304c\u0331Ç": "cccccC",
    "ďd\u0304ḏ": "ddd",
    "ëèéêęěėēḗḕe\u0302\u0304": "eeeeeeeeeee",
    "ğḡg\u0331": "ggg",
    "ïîìí\u0131īİ": "iiiiiiI",
    "ľłl\u0304ḹḻŁ": "lllllL",
    "ñńňn\u0304ṉ": "nnnnn",
    "öòőõôóōṓṑȫǭȭȱo\u0331": "oooooooooooooo",
    "øø\u0304œ\u0304ØŒ\u0304Ø\u0304": "oeoeoeOEOEOE",
    "řr\u0304ṟṝ": "rrrr",
    "šśșşs\u0304s\u0331": "ssssss",
    "ß": "ss",
    "ťțt\u0304ṯ": "tttt",
    "üùûúůűūu\u0307\u0304ǖṻṳ\u0304u\u0331": "uuuuuuuuuuuu",
    "ÿýȳȳ\u0301y\u0331": "yyyyy",
    "źžżz\u0304ẕ": "zzzzz",
    "Ünïcödé-ÄÖÜ 1!": "Unicode-AOU 1!",
    "đðþħŋ": "đðþħŋ",
    "йά한語": "йά한語",
    "\u0301": "\u0301",
}
REFUSED = {
    "%Other%": "no value",
    "[sid]": "binary",
    "Append([sid], [a])": "binary",
    "Append([list], [a])": "not several",
    'IIF([list] = "a", 1, 2)': "not several",
    "IIF([a], 1, 2)": "neither True nor False",
    "Left([a], [a])": "whole number: 'x'",
    "Left([a], [absent])": "whole number",
    "Item([list], 0)": "no item 0 among 2",
    "Item([list], 3)": "no item 3",
    'Error("wrong: " & [a])': "wrong: x",
    "Error([absent])": "Error",
    'InStr([a], "x", 1, 7)': "vbTextCompare",
    'Contains([a], "x", 7)': "CaseSensitive",
    "ConvertFromBase64([a])": "Base64",
    'ConvertFromBase64("SGk=", UTF16)': "expected",
    'ConvertFromBase64("SGk=", "UTF16")': "Unicode, UTF8 or ASCII",
    'ConvertFromBase64("SABl", Unicode)': "Base64",
    "StringFromSid([a])": "security identifier",
    "StringFromSid([list])": "not several",
    "DNComponent([dn], 0)": "from 1",
    "DNComponent([a], 1)": "no distinguished name",
    r'DNComponent("cn=a\"b", 1)': "no distinguished name",
    'SelectUniqueValue("Taken", [absent], "TAKEN")': "every value is taken",
    "[nested]": "not several",
    "[object]": "dict",
    "[huge]": "64 bits",
}


@pytest.mark.parametrize(("expression", "expected"), RESULTS.items())
def test_result(expression: str, expected: object) -> None:
    value = evaluate(expression, ATTRIBUTES, variables={"DomainFQDN": "x.test"})
    assert value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(("text", "plain"), DIACRITICS.items())
def test_diacritics(text: str, plain: str) -> None:
    assert evaluate("NormalizeDiacritics([s])", {"s": text}) == plain


@pytest.mark.parametrize(("expression", "problem"), REFUSED.items())
def test_refusal(expression: str, problem: str) -> None:
    odd: dict[str, object] = {"nested": [["a", "b"]], "object": {"a": 1}, "huge": 2**70}
    attributes: Mapping[str, AttributeValue] = {**ATTRIBUTES, **odd}  # type: ignore[dict-item]  # what Graph might send
    with pytest.raises(ExpressionError) as caught:
        evaluate(expression, attributes, taken={"taken"}, variables={"DomainFQDN": "x.test"})
    assert problem in str(caught.value)


def test_a_refusal_while_evaluating_names_the_call() -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate("Append([a],\n  Left(Item([list], 9), 2))", ATTRIBUTES)
    assert (caught.value.line, caught.value.column) == (2, 21)


def test_a_redacted_value_stays_out_of_messages() -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate("Redact(Left([a], [secret]))", {"a": "x", "secret": "pa55word"})
    assert "pa55word" not in str(caught.value)


def test_unique_values_are_compared_without_case_and_only_as_far_as_needed() -> None:
    expression = 'SelectUniqueValue([absent], "", "anna", "ANNA2", Error("not reached"))'
    assert evaluate(expression, {}, taken=["Anna"]) == "ANNA2"
