# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security descriptors: read byte by byte, and judged."""

from __future__ import annotations

import struct
import uuid

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity, rights
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.rights import Ace, SecurityDescriptor
from tests.unit.samples import DOMAIN_SID, SISTER_SID, sid

MEMBER = "bf9679c0-0de6-11d0-a285-00aa003049e2"
OTHER = "5b47d60f-6090-40b2-9f37-2a4de88f3063"
GUARDED = frozenset({MEMBER})
EVERYONE = "S-1-1-0"
SOMEONE = sid(4711)


def ace(
    kind: int,
    mask: int,
    trustee: str,
    flags: int = 0,
    object_type: str | None = None,
    inherited: str | None = None,
    tail: bytes = b"",
) -> bytes:
    """Return an entry as MS-DTYP 2.4.4 lays it out."""
    body = struct.pack("<I", mask)
    if kind in (5, 6, 11, 12):
        body += struct.pack("<I", (1 if object_type else 0) | (2 if inherited else 0))
        body += b"".join(uuid.UUID(guid).bytes_le for guid in (object_type, inherited) if guid)
    body += identity.sid_to_bytes(trustee) + tail
    return struct.pack("<BBH", kind, flags, len(body) + 4) + body


def descriptor(*aces: bytes, owner: str | None = sid(512), control: int = 0x8004) -> bytes:
    """Return a self-relative descriptor: header, owner, list."""
    front = identity.sid_to_bytes(owner) if owner else b""
    body = b"".join(aces)
    acl = struct.pack("<BBHHH", 4, 0, 8 + len(body), len(aces), 0) + body
    place = 20 + len(front)
    return struct.pack("<BBHIIII", 1, 0, control, 20 if owner else 0, 0, 0, place) + front + acl


@pytest.mark.parametrize(
    ("kind", "allow"), [(0, True), (1, False), (5, True), (6, False), (9, True), (10, False), (11, True), (12, False)]
)
def test_each_kind_of_entry(kind: int, allow: bool) -> None:
    typed = kind in (5, 6, 11, 12)
    callback = b"\x61\x72\x74\x78condition" if kind >= 9 else b""
    raw = ace(kind, 0x20, SOMEONE, 0x12, MEMBER if typed else None, OTHER if typed else None, callback)
    found = rights.parse(descriptor(raw, ace(0, 1, EVERYONE, 0x8)))
    assert found.owner == sid(512)
    assert found.aces == (
        Ace(allow, 0x20, SOMEONE, MEMBER if typed else None, False, OTHER if typed else None, True, kind >= 9),
        Ace(True, 1, EVERYONE, None, True),
    )


def test_an_entry_for_one_level_is_told() -> None:
    (found,) = rights.parse(descriptor(ace(0, 1, EVERYONE, 0x6))).aces or ()
    assert found.inherits and found.one_level


def test_an_object_entry_without_an_object_is_about_everything() -> None:
    found = rights.parse(descriptor(ace(5, 0x20, SOMEONE), ace(5, 0x20, SOMEONE, inherited=OTHER)))
    assert found.aces == (
        Ace(True, 0x20, SOMEONE, None, False),
        Ace(True, 0x20, SOMEONE, None, False, OTHER),
    )


@pytest.mark.parametrize("kind", [2, 3, 7, 8, 13, 14, 15, 16, 17, 18, 19, 20])
def test_audits_and_labels_grant_nothing(kind: int) -> None:
    assert rights.parse(descriptor(ace(kind, 0xF01FF, SOMEONE))).aces == ()


@pytest.mark.parametrize("kind", [4, 21, 99, 255])
def test_what_is_not_understood_counts_as_everything_to_everyone(kind: int) -> None:
    found = rights.parse(descriptor(ace(kind, 0, SOMEONE)))
    assert rights.controllers(found, GUARDED) == {sid(512), EVERYONE}


@pytest.mark.parametrize("raw", [descriptor(control=0x8000), descriptor()[:16] + bytes(4) + descriptor()[20:]])
def test_no_list_lets_everyone_do_everything(raw: bytes) -> None:
    found = rights.parse(raw)
    assert found.aces is None
    assert rights.controllers(found, GUARDED) == {sid(512), EVERYONE}


def test_an_empty_list_lets_nobody_do_anything_but_the_owner() -> None:
    assert rights.controllers(rights.parse(descriptor()), GUARDED) == {sid(512)}
    assert rights.controllers(rights.parse(descriptor(owner=None)), GUARDED) == frozenset()


WHOLE = descriptor(ace(0, 0x20, SOMEONE), ace(5, 0x20, SOMEONE, 0, MEMBER, OTHER))


@pytest.mark.parametrize("length", range(len(WHOLE)))
def test_a_descriptor_that_is_cut_is_none(length: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        rights.parse(WHOLE[:length])


@pytest.mark.parametrize(
    ("position", "value"),
    [
        (0, 2),  # revision
        (3, 0),  # not self-relative
        (4, 255),  # owner behind the end
        (20, 2),  # revision of a SID
        (21, 16),  # its parts
        (16, 255),  # list behind the end
        (50, 255),  # size of the list
        (52, 9),  # count of entries
        (58, 3),  # size of an entry below its header's
        (58, 255),  # size of an entry behind the list's
        (58, 6),  # no room for the mask
    ],
)
def test_nonsense_is_refused(position: int, value: int) -> None:
    assert len(identity.sid_to_bytes(sid(512))) == 28
    raw = bytearray(WHOLE)
    raw[position] = value
    with pytest.raises(ValueError, match=r"."):
        rights.parse(bytes(raw))


@pytest.mark.parametrize("size", [8, 10, 12, 20, 28])
def test_an_object_entry_that_is_cut_inside_is_refused(size: int) -> None:
    raw = bytearray(ace(5, 0x20, SOMEONE, 0, MEMBER, OTHER))
    raw[2:4] = struct.pack("<H", size)
    with pytest.raises(ValueError, match=r"."):
        rights.parse(descriptor(bytes(raw[:size])))


@given(st.binary(max_size=200))
@example(b"")
def test_random_bytes_are_read_or_refused(raw: bytes) -> None:
    try:
        rights.parse(raw)
    except ValueError:
        return


@given(st.binary(max_size=120), st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=40)), max_size=5))
def test_random_lists_are_read_or_refused(tail: bytes, entries: list[tuple[int, bytes]]) -> None:
    aces = [struct.pack("<BBH", kind, 0, 4 + len(body)) + body for kind, body in entries]
    try:
        found = rights.parse(descriptor(*aces) + tail)
    except ValueError:
        return
    assert found.aces is not None
    assert len(found.aces) <= len(entries)


@pytest.mark.parametrize("owner", [None, sid(512)])
@given(
    st.lists(
        st.tuples(
            st.booleans(), st.integers(0, 0xFFFFFFFF), st.integers(0, 9999), st.sampled_from([None, MEMBER, OTHER])
        ),
        max_size=8,
    )
)
def test_what_is_written_is_read(owner: str | None, entries: list[tuple[bool, int, int, str | None]]) -> None:
    raw = [ace((5 if kind else 0) + (not allow), mask, sid(trustee), 0, kind) for allow, mask, trustee, kind in entries]
    wanted = tuple(Ace(allow, mask, sid(trustee), kind, False) for allow, mask, trustee, kind in entries)
    assert rights.parse(descriptor(*raw, owner=owner)) == SecurityDescriptor(owner, wanted)


@pytest.mark.parametrize(
    ("allow", "mask", "object_type", "inherit_only", "controls"),
    [
        (True, rights.GENERIC_ALL, None, False, True),
        (True, rights.GENERIC_WRITE, None, False, True),
        (True, rights.WRITE_DAC, None, False, True),
        (True, rights.WRITE_OWNER, OTHER, False, True),
        (True, 0xF01FF, None, False, True),  # full control, as it is stored
        (True, rights.WRITE_PROPERTY, None, False, True),
        (True, rights.WRITE_PROPERTY, MEMBER, False, True),
        (True, rights.WRITE_PROPERTY, OTHER, False, False),
        (True, rights.WRITE_SELF, MEMBER, False, True),
        (True, rights.WRITE_SELF, None, False, True),
        (True, rights.WRITE_SELF, OTHER, False, False),
        (True, 0x20094, None, False, False),  # read
        (True, rights.DELETE | 0x100, None, False, False),
        (True, rights.GENERIC_ALL, None, True, False),
        (False, rights.GENERIC_ALL, None, False, False),
    ],
)
def test_who_may_give_an_object_away(
    allow: bool, mask: int, object_type: str | None, inherit_only: bool, controls: bool
) -> None:
    found = SecurityDescriptor(sid(512), (Ace(allow, mask, SOMEONE, object_type, inherit_only),))
    assert rights.controllers(found, GUARDED) == {sid(512), *([SOMEONE] if controls else [])}


def test_a_denial_takes_nobody_out() -> None:
    found = SecurityDescriptor(
        None, (Ace(False, 0xF01FF, SOMEONE, None, False), Ace(True, rights.WRITE_DAC, SOMEONE, None, False))
    )
    assert rights.controllers(found, GUARDED) == {SOMEONE}


@pytest.mark.parametrize("trustee", ["S-1-5-10", "S-1-3-0"])
def test_self_and_creator_owner_stand_as_they_are(trustee: str) -> None:
    found = SecurityDescriptor(None, (Ace(True, rights.WRITE_PROPERTY, trustee, None, False),))
    assert rights.controllers(found, GUARDED) == {trustee}


def test_who_is_trusted_by_default() -> None:
    trusted = rights.default_trusted(DOMAIN_SID, {DOMAIN_SID: "", SISTER_SID: ""})
    assert trusted == {
        "S-1-5-9",
        "S-1-5-18",
        "S-1-5-32-544",
        "S-1-5-32-548",
        f"{DOMAIN_SID}-512",
        f"{DOMAIN_SID}-519",
        f"{SISTER_SID}-519",
    }
    assert f"{DOMAIN_SID}-519" in rights.default_trusted(DOMAIN_SID, ())


# The class group's defaultSecurityDescriptor, and what a domain hands down to it (MS-ADSC, MS-ADTS 6.1.1.3), by right.
FULL, READ, LIST = 0xF01FF, 0x20094, 0x4
DEFAULTS = (
    (f"{DOMAIN_SID}-512", FULL, None),
    ("S-1-5-18", FULL, None),
    ("S-1-5-11", READ, None),
    ("S-1-5-32-548", FULL, None),
    ("S-1-5-10", READ, None),
    ("S-1-5-11", 0x100, "ab721a55-1e2f-11d0-9819-00aa0040529b"),
    ("S-1-5-32-560", 0x10, "46a9b11d-60ae-405a-b7e8-ff8a058d456f"),
    (f"{DOMAIN_SID}-519", FULL, None),
    ("S-1-5-32-544", 0xF01BD, None),
    ("S-1-5-32-554", LIST, None),
    ("S-1-5-10", 0x30, "3f78c3e5-f79a-46bd-a0b8-9d18116ddc79"),
    ("S-1-5-10", 0x130, "91e647de-d96f-4b70-9557-d63ff4f3ccd8"),
    (f"{DOMAIN_SID}-526", 0x30, OTHER),
    (f"{DOMAIN_SID}-527", 0x30, OTHER),
)


def test_a_group_as_windows_makes_it_is_in_trusted_hands() -> None:
    found = SecurityDescriptor(
        f"{DOMAIN_SID}-512", tuple(Ace(True, mask, trustee, kind, False) for trustee, mask, kind in DEFAULTS)
    )
    assert rights.controllers(found, GUARDED) <= rights.default_trusted(DOMAIN_SID, (DOMAIN_SID,))


@pytest.mark.parametrize(
    ("allow", "mask", "inherit_only", "denied"),
    [
        (False, rights.DELETE, False, True),
        (False, rights.DELETE_TREE, False, True),
        (False, rights.GENERIC_ALL, False, True),
        (False, rights.DELETE, True, False),
        (False, rights.WRITE_PROPERTY, False, False),
        (True, rights.DELETE, False, False),
    ],
)
def test_protection_from_deletion(allow: bool, mask: int, inherit_only: bool, denied: bool) -> None:
    found = SecurityDescriptor(None, (Ace(allow, mask, EVERYONE, None, inherit_only),))
    assert rights.denies_deletion(found) is denied


def test_without_a_list_nothing_is_denied() -> None:
    assert rights.denies_deletion(SecurityDescriptor(None, None)) is False
