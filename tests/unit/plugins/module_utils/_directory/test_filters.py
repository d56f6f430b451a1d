# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for many values at once, with nothing in a value that could end the filter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ldap3.utils.conv import escape_filter_chars

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import filters
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from tests.unit.samples import guid, sid


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (200, [200]), (201, [200, 1])])
def test_terms_are_asked_in_parts(count: int, sizes: list[int]) -> None:
    parts = list(filters.any_of([f"(cn={number})" for number in range(count)]))
    assert [part.count("(cn=") for part in parts] == sizes
    assert all(part.startswith("(|(cn=") and part.endswith("))") for part in parts)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("a*b", r"a\2ab"), ("(x)", r"\28x\29"), ("a\\b", r"a\5cb"), ("\0", r"\00"), ("\u00e4,=+", "\u00e4,=+")],
)
def test_what_is_special_is_escaped(value: str, expected: str) -> None:
    assert filters.escaped_text(value) == expected


@given(st.text())
def test_escaping_is_that_of_the_library(value: str) -> None:
    assert filters.escaped_text(value) == escape_filter_chars(value)


def test_binary_values_are_escaped_byte_by_byte() -> None:
    for term, name, raw in (
        (filters.guid_term(guid(1)), "objectGUID", identity.guid_to_bytes(guid(1))),
        (filters.sid_term(sid(5001)), "objectSid", identity.sid_to_bytes(sid(5001))),
    ):
        assert term == f"({name}={''.join(chr(92) + format(byte, '02x') for byte in raw)})"
