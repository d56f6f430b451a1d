# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Distinguished names after RFC 4514, with the names that break software."""

from __future__ import annotations

import re
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn

BASE = "OU=Groups,DC=contoso,DC=com"

# A value, and how it stands inside a name.
HOSTILE = [
    ("a,b", r"a\,b"),
    ("a+b", r"a\+b"),
    ('a"b', r"a\"b"),
    ("a\\b", r"a\\b"),
    ("#a", r"\#a"),
    ("a#", "a#"),
    (" a", r"\ a"),
    ("a ", "a\\ "),
    ("  ", "\\ \\ "),
    (" ", "\\ "),
    ("a\\ ", "a\\\\\\ "),
    ("<a>", r"\<a\>"),
    ("a;b", r"a\;b"),
    ("a=b", r"a\=b"),
    ("a\nDEL:1", r"a\0ADEL:1"),
    ("a\r\tb", r"a\0D\09b"),
    ("a\0b", r"a\00b"),
    ("\x7f", r"\7F"),
    ("\U0001f680 Launch", "\U0001f680 Launch"),
    ("\u05e9\u05dc\u05d5\u05dd \u202eabc", "\u05e9\u05dc\u05d5\u05dd \u202eabc"),
    ("*(){}|&", "*(){}|&"),
    ("CN=x,DC=evil", r"CN\=x\,DC\=evil"),
    ("41", "41"),
    (r"\41", r"\\41"),
]


@pytest.mark.parametrize(("value", "written"), HOSTILE)
def test_hostile_values_are_escaped_and_read_back(value: str, written: str) -> None:
    assert dn.escape(value) == written
    name = dn.child("CN", value, BASE)
    assert name == f"CN={written},{BASE}"
    assert dn.rdn_value(name) == value
    assert dn.same(dn.parent(name), BASE)
    assert dn.is_under(name, BASE)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r"CN=\41\42", "AB"),
        (r"CN=\C3\A4", "\u00e4"),
        (r"CN=\F0\9F\9A\80", "\U0001f680"),
        (r"CN=a\3Bb\3Dc", "a;b=c"),
        (r"CN=\23a", "#a"),
        (r"CN=\20a\20", " a "),
        (r"CN=x\2C y", "x, y"),
        ("CN=  padded   ", "padded"),
        ("CN=a  b", "a  b"),
        ("CN=a=b", "a=b"),
        ("CN=a#b", "a#b"),
        (r"CN=a\0ACNF:1", "a\nCNF:1"),
        ("cn = x", "x"),
        ("2.5.4.3=x", "x"),
    ],
)
def test_other_ways_to_write_a_value(text: str, value: str) -> None:
    assert dn.parse(text)[0].value == value


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "=x",
        "CN",
        "CN=",
        "CN= ",
        "CN=a,",
        "CN=a, ",
        "CN=a,,DC=b",
        ",CN=a",
        "CN=a,b",
        "1CN=a",
        "C N=a",
        "CN=a\\",
        r"CN=\FF",
        r"CN=\C3",
        "CN=a+OU=b",
        'CN="a"',
        "CN=a<b",
        "CN=a>b",
        "<GUID=1>",
        "CN=\ud800",
    ],
)
def test_what_is_no_name(text: str) -> None:
    assert not dn.is_dn(text)
    with pytest.raises(ValueError, match="position"):
        dn.parse(text)


def test_the_error_names_the_position() -> None:
    with pytest.raises(ValueError, match=r"position 5: '\+' must be written"):
        dn.parse("CN=a+b")


def test_the_empty_name_has_no_parts() -> None:
    assert dn.parse("") == ()
    assert not dn.is_dn("")


def test_semicolons_separate_as_commas_do() -> None:
    assert dn.same("CN=a;DC=b", "CN=a,DC=b")


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("CN=A,DC=X", "cn=a, dc=x", True),
        (r"CN=a\2Cb,DC=x", r"CN=a\,b,DC=x", True),
        ("CN=\u00c4,DC=x", "CN=\u00e4,DC=x", True),
        ("CN=a,DC=x", "OU=a,DC=x", False),
        ("CN=a,DC=x", "CN=a,DC=x,DC=y", False),
        (r"CN=a\ ,DC=x", "CN=a,DC=x", False),
    ],
)
def test_names_are_compared_parsed(left: str, right: str, same: bool) -> None:
    assert dn.same(left, right) is same


@pytest.mark.parametrize(
    ("name", "container", "itself", "under"),
    [
        ("CN=a,OU=g,DC=x", "OU=G,dc=X", False, True),
        ("CN=a,OU=b,OU=g,DC=x", "OU=g,DC=x", False, True),
        ("OU=g,DC=x", "OU=g,DC=x", False, False),
        ("OU=g,DC=x", "OU=g,DC=x", True, True),
        (r"CN=a\,OU\=g,DC=x", "OU=g,DC=x", False, False),
        ("CN=a,OU=gg,DC=x", "OU=g,DC=x", False, False),
        ("DC=x", "OU=g,DC=x", True, False),
        ("CN=a,OU=g,DC=xx", "OU=g,DC=x", False, False),
    ],
)
def test_what_lies_below_a_container(name: str, container: str, itself: bool, under: bool) -> None:
    assert dn.is_under(name, container, itself=itself) is under


def test_the_dns_name_of_a_domain() -> None:
    assert dn.domain_dns_name("OU=x,DC=Emea,DC=contoso,DC=com") == "emea.contoso.com"


_values = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12) | st.text(
    ' #,+"\\\\<>;=\0\n41aF', min_size=1, max_size=8
)


@given(st.lists(st.tuples(st.sampled_from(["CN", "OU", "DC"]), _values), min_size=1, max_size=4))
def test_any_value_survives_being_written_and_read(parts: list[tuple[str, str]]) -> None:
    name = tuple(dn.Rdn(kind, value) for kind, value in parts)
    assert dn.parse(dn.text(name)) == name


@given(st.text(max_size=30) | st.text('CNOU=,;\\\\ +"#a1', max_size=20))
def test_any_text_is_a_name_or_a_value_error(text: str) -> None:
    try:
        parsed = dn.parse(text)
    except ValueError:
        return
    assert dn.parse(dn.text(parsed)) == parsed


@given(_values, _values)
def test_a_value_never_leaves_its_container(value: str, container: str) -> None:
    outer = dn.child("OU", container, "DC=contoso,DC=com")
    assert dn.is_under(dn.child("CN", value, outer), outer)
    assert dn.parse(dn.parent(dn.child("CN", value, outer))) == dn.parse(outer)


@given(st.text(st.sampled_from('CNOU=, ;+\\"<>#\u00e9\ud800\t1a'), max_size=24))
def test_a_usual_name_takes_a_shorter_way_to_the_same_end(text: str) -> None:
    def read() -> object:
        try:
            return dn.parse(text)
        except ValueError as error:
            return str(error)

    short = read()
    with mock.patch.object(dn, "_UNUSUAL", re.compile("")):
        assert read() == short
