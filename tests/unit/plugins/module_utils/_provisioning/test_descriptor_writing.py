# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Adding to an access control list: what was there is there, byte by byte."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import rights
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.descriptor_writing import (
    to_bytes,
    with_entries,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.rights import Ace
from tests.unit.plugins.module_utils._provisioning.test_rights import MEMBER, OTHER, ace, descriptor
from tests.unit.samples import OWN_SID, STRANGER_SID

NEW = Ace(True, 0x30, OWN_SID, MEMBER, True, OTHER, True)
GUIDS = st.sampled_from([None, MEMBER, OTHER])
KINDS = st.sampled_from([0, 1, 2, 5, 6, 9, 11, 77])
OLD = st.builds(ace, KINDS, st.integers(0, 0xFFFFFFFF), st.just(STRANGER_SID), st.integers(0, 255), GUIDS, GUIDS)
ADDED = st.builds(
    Ace,
    st.just(True),
    st.integers(0, 0x1FF),
    st.just(OWN_SID),
    GUIDS,
    st.booleans(),
    GUIDS,
    st.booleans(),
    one_level=st.booleans(),
)


def entries(raw: bytes) -> list[bytes]:
    start = struct.unpack_from("<BBHIIII", raw)[6]
    count = struct.unpack_from("<BBHHH", raw, start)[3]
    found, position = [], start + 8
    for _unused in range(count):
        size = struct.unpack_from("<H", raw, position + 2)[0]
        found.append(raw[position : position + size])
        position += size
    assert position == len(raw)
    return found


@given(st.lists(OLD, max_size=6), st.lists(ADDED, max_size=4))
def test_all_that_was_there_stays_in_its_order_and_the_new_ones_read_back(old: list[bytes], added: list[Ace]) -> None:
    raw = with_entries(descriptor(*old), added)
    new = [to_bytes(one) for one in added]
    assert [entry for entry in entries(raw) if entry not in new] == [entry for entry in old if entry not in new]
    read = rights.parse(raw)
    assert read.owner is None and read.aces is not None and set(added) <= set(read.aces)
    assert with_entries(raw, []) == raw


def test_new_entries_stand_behind_explicit_and_before_inherited_ones() -> None:
    deny, inherited = ace(1, 1, STRANGER_SID), ace(0, 1, STRANGER_SID, flags=0x10)
    assert entries(with_entries(descriptor(deny, inherited), [NEW])) == [deny, to_bytes(NEW), inherited]


def test_in_a_list_that_is_in_no_order_nothing_is_put_before_what_denies() -> None:
    inherited, deny = ace(0, 1, STRANGER_SID, flags=0x10), ace(1, 1, OWN_SID)
    assert entries(with_entries(descriptor(inherited, deny), [NEW])) == [inherited, deny, to_bytes(NEW)]


@given(st.lists(OLD, max_size=6), st.lists(ADDED, max_size=4))
def test_nothing_explicit_comes_behind_and_nothing_changes_its_place(old: list[bytes], added: list[Ace]) -> None:
    found = entries(with_entries(descriptor(*old), added))
    last = max((index for index, entry in enumerate(old) if not entry[1] & 0x10), default=-1)
    new = [to_bytes(one) for one in added]
    assert found == [*old[: last + 1], *new, *old[last + 1 :]]


@given(ADDED)
def test_an_entry_is_read_as_it_was_written_and_written_as_it_was_read(one: Ace) -> None:
    (read,) = rights.parse(descriptor(to_bytes(one))).aces or ()
    assert read == one and to_bytes(read) == to_bytes(one)


@pytest.mark.parametrize("control", [0x8004, 0x9004, 0x8404])
def test_how_the_list_inherits_stays(control: int) -> None:
    raw = with_entries(descriptor(control=control), [NEW])
    assert struct.unpack_from("<BBH", raw)[2] == control


@pytest.mark.parametrize(
    "raw", [b"", descriptor(control=0x8000), descriptor(control=4), descriptor(ace(0, 1, OWN_SID))[:-1]]
)
def test_what_is_no_descriptor_with_a_list_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"descriptor|cut off|fit"):
        with_entries(raw, [NEW])


def test_a_list_that_would_be_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="at most fit"):
        with_entries(descriptor(), [NEW] * 1000)


@pytest.mark.parametrize(("change", "why"), [({"allow": False}, "deny"), ({"conditional": True}, "condition")])
def test_nothing_that_denies_or_depends_is_written(change: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        to_bytes(replace(NEW, **change))
