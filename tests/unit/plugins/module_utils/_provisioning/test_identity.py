# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Anchors, SIDs and GUIDs. The sample values are those of MS-DTYP, MS-ADTS and RFC 4122."""

from __future__ import annotations

import base64
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity

GUID = "5f2d3a51-0a62-4d0e-8a39-2b6d3f6f6b10"
GUID_BYTES = bytes.fromhex("513a2d5f620a0e4d8a392b6d3f6f6b10")
# Text and bytes of well-known SIDs (MS-DTYP 2.4.2.4): Everyone, BUILTIN\Administrators, an account of a domain.
SIDS = (
    ("S-1-1-0", "010100000000000100000000"),
    ("S-1-5-32-544", "01020000000000052000000020020000"),
    (
        "S-1-5-21-1004336348-1177238915-682003330-512",
        "010500000000000515000000dcf4dc3b833d2b46828ba62800020000",
    ),
    ("S-1-12-1-4294967295-0", "0103000000000" + "00c01000000ffffffff00000000"),
)


def test_the_anchor_is_written_in_lower_case() -> None:
    assert identity.anchor_of(GUID.upper()) == f"Group_{GUID}"


@pytest.mark.parametrize(
    ("anchor", "cloud_id"),
    [
        (f"Group_{GUID}", GUID),
        (f"group_{GUID.upper()}", GUID),
        (f"GROUP_{GUID}", GUID),
        (f"User_{GUID}", None),
        (f"Group_{GUID}x", None),
        (f"Group_{GUID.replace('-', '')}", None),
        (f"Group_{{{GUID}}}", None),
        (f"Group_ {GUID}", None),
        ("Group_", None),
        ("", None),
        (GUID, None),
    ],
)
def test_the_id_inside_an_anchor(anchor: str, cloud_id: str | None) -> None:
    assert identity.cloud_id_of(anchor) == cloud_id


@pytest.mark.parametrize("text", ["", "x", "urn:uuid:" + GUID, GUID[:-1], "\u0661" * 36])
def test_what_is_no_guid(text: str) -> None:
    assert identity.guid_text(text) is None


def test_object_guid_bytes_are_little_endian_in_their_first_three_fields() -> None:
    assert identity.guid_from_bytes(GUID_BYTES) == GUID
    assert identity.guid_to_bytes(GUID) == GUID_BYTES


@pytest.mark.parametrize("value", [b"", GUID_BYTES[:-1], GUID_BYTES + b"x"])
def test_guid_bytes_of_another_length_are_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match="16"):
        identity.guid_from_bytes(value)


@pytest.mark.parametrize(("text", "raw"), SIDS)
def test_documented_sids(text: str, raw: str) -> None:
    assert identity.sid_from_bytes(bytes.fromhex(raw)) == text
    assert identity.sid_to_bytes(text) == bytes.fromhex(raw)
    assert identity.is_sid(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "S",
        "S-1",
        "X-1-5-21",
        "S-1-5-",
        "S-1-5-x",
        "S-1-5--1",
        "S-256-5-1",
        "S-1-281474976710656-1",
        "S-1-5-4294967296",
        "S-1-5-" + "-".join(["1"] * 16),
        "S-1-5-\u0662",
        " S-1-5-1",
    ],
)
def test_what_is_no_sid(text: str) -> None:
    assert not identity.is_sid(text)
    with pytest.raises(ValueError, match="not a SID"):
        identity.sid_to_bytes(text)


@pytest.mark.parametrize("raw", ["", "01", "0101000000000001", "01020000000000052000000020020000ff"])
def test_bytes_that_are_not_one_whole_sid_are_refused(raw: str) -> None:
    with pytest.raises(ValueError, match="not a SID"):
        identity.sid_from_bytes(bytes.fromhex(raw))


def test_domain_and_relative_identifier_of_an_account() -> None:
    assert identity.domain_of("S-1-5-21-1-2-3-1104") == "S-1-5-21-1-2-3"
    assert identity.rid_of("S-1-5-21-1-2-3-1104") == 1104


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (base64.b64encode(GUID_BYTES).decode(), GUID),
        (GUID.upper(), GUID),
        (None, None),
        ("", None),
        ("robin@contoso.com", None),
        ("ABCD", None),
        (base64.b64encode(GUID_BYTES + b"x").decode(), None),
        ("\u00e4" * 24, None),
    ],
)
def test_the_guid_inside_a_source_anchor(value: str | None, expected: str | None) -> None:
    assert identity.source_anchor_guid(value) == expected


@given(st.uuids())
def test_guids_survive_both_ways(value: uuid.UUID) -> None:
    text = str(value)
    assert identity.guid_from_bytes(identity.guid_to_bytes(text)) == text
    assert identity.cloud_id_of(identity.anchor_of(text)) == text
    assert identity.source_anchor_guid(base64.b64encode(identity.guid_to_bytes(text)).decode()) == text


@given(st.integers(0, 255), st.integers(0, 2**48 - 1), st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=15))
def test_sids_survive_both_ways(revision: int, authority: int, parts: list[int]) -> None:
    text = "-".join(["S", str(revision), str(authority), *map(str, parts)])
    assert identity.sid_from_bytes(identity.sid_to_bytes(text)) == text
