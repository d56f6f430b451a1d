# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Readings are whole or an exception, whatever the server does meanwhile."""

from __future__ import annotations

import os

import ldap3
import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reader import Reader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import CompleteReading
from tests.integration.directory.conftest import SIZES, Domain, Made
from tests.lab.policy.admin import PolicyAdmin


def guids_of(reader: Reader, group: Made) -> list[str] | None:
    """Return the GUIDs of a group's members; None when the reading says that it is not whole."""
    (held,) = reader.links([group.guid])
    assert held.guid == group.guid
    return sorted(link.guid for link in held.reading.items) if isinstance(held.reading, CompleteReading) else None


def test_the_ldap3_in_use_is_the_one_on_the_path() -> None:
    release = "2.10." if "ldap3-next" in os.environ.get("PYTHONPATH", "") else "2.9."
    assert ldap3.__version__.startswith(release)


@pytest.mark.parametrize("size", SIZES)
def test_members_of_any_size_are_whole(reader: Reader, sized: dict[int, Made], domain: Domain, size: int) -> None:
    assert guids_of(reader, sized[size]) == domain.user_guids[:size]


def test_many_groups_come_in_one_search(strict_reader: Reader, sized: dict[int, Made], policy: PolicyAdmin) -> None:
    policy.clear_operations()
    found = {
        held.guid: len(held.reading.items)
        for held in strict_reader.links([group.guid for group in sized.values()])
        if isinstance(held.reading, CompleteReading)
    }
    assert found == {sized[size].guid: size for size in SIZES}
    # One for all of them, and the further ranges of the two that are too large for one answer.
    assert len(policy.operations("search")) == 1 + 1 + 3


def test_a_link_has_guid_sid_and_dn(reader: Reader, domain: Domain) -> None:
    guid = domain.user_guids[0]
    group = domain.group(domain.users[guid])
    (held,) = reader.links([group.guid])
    (link,) = held.reading.items
    assert (link.guid, link.dn) == (guid, domain.users[guid])
    assert str(link.sid).startswith(domain.settings.domain_sid)


def test_a_search_of_many_pages_is_whole(session: Session, domain: Domain) -> None:
    found = list(session.search(f"OU=Load,{domain.settings.base_dn}", "(objectClass=user)", ()))
    assert {entry.dn for entry in found} == set(domain.users.values())


def test_busy_on_a_later_page_is_tried_again(strict_session: Session, domain: Domain, policy: PolicyAdmin) -> None:
    base = f"OU=Load,{domain.settings.base_dn}"
    policy.add_fault("busy", kind="search", continuing=True)
    assert len(list(strict_session.search(base, "(objectClass=user)", ()))) == len(domain.users)
    assert [record.result for record in policy.operations("search")] == [0, 51, 0, 0, 0, 0]


def test_busy_on_a_later_range_is_tried_again(
    strict_reader: Reader, sized: dict[int, Made], domain: Domain, policy: PolicyAdmin
) -> None:
    policy.add_fault("busy", kind="search", continuing=True, times=2)
    assert guids_of(strict_reader, sized[4501]) == domain.user_guids[:4501]
    assert [record.result for record in policy.operations("search")].count(51) == 2


def test_busy_without_end_is_no_whole_reading(
    strict_reader: Reader, sized: dict[int, Made], policy: PolicyAdmin
) -> None:
    policy.add_fault("busy", kind="search", continuing=True, times=0)
    assert guids_of(strict_reader, sized[1501]) is None
    # A group that one answer holds is whole all the same.
    assert guids_of(strict_reader, sized[3]) is not None


@pytest.mark.parametrize("continuing", [False, True])
def test_a_gap_is_no_whole_reading(
    strict_reader: Reader, sized: dict[int, Made], policy: PolicyAdmin, continuing: bool
) -> None:
    policy.add_fault("gap", kind="search", continuing=continuing, times=0)
    assert guids_of(strict_reader, sized[1501]) is None


@pytest.mark.parametrize("action", ["drop_before", "drop_after"])
@pytest.mark.parametrize("continuing", [False, True])
def test_a_connection_that_drops_once_is_opened_again(
    strict_reader: Reader, sized: dict[int, Made], domain: Domain, policy: PolicyAdmin, action: str, continuing: bool
) -> None:
    policy.add_fault(action, kind="search", continuing=continuing)
    assert guids_of(strict_reader, sized[1501]) == domain.user_guids[:1501]
    assert [record.kind for record in policy.operations()].count("bind") == 2


def test_a_connection_that_drops_every_time_is_an_error(
    strict_reader: Reader, sized: dict[int, Made], policy: PolicyAdmin
) -> None:
    policy.add_fault("drop_after", kind="search", times=0)
    with pytest.raises(DirectoryError) as caught:
        guids_of(strict_reader, sized[1501])
    assert caught.value.code == "directory_unreachable"


def test_a_connection_that_drops_between_two_pages_is_an_error(
    strict_session: Session, domain: Domain, policy: PolicyAdmin
) -> None:
    policy.add_fault("drop_after", kind="search", continuing=True)
    with pytest.raises(DirectoryError):
        list(strict_session.search(f"OU=Load,{domain.settings.base_dn}", "(objectClass=user)", ()))


def test_members_that_leave_between_two_ranges_make_it_start_anew(
    strict_reader: Reader, domain: Domain, policy: PolicyAdmin
) -> None:
    group = domain.group(*[domain.users[guid] for guid in domain.user_guids[:1600]])
    policy.add_fault("shrink", kind="search", continuing=True, amount=10)
    read = guids_of(strict_reader, group)
    assert read is not None
    assert len(read) == 1590
    assert {domain.users[guid] for guid in read} == domain.members(group)


def test_a_group_that_shrinks_below_the_asked_range_is_never_read_short(
    strict_reader: Reader, domain: Domain, policy: PolicyAdmin
) -> None:
    group = domain.group(*[domain.users[guid] for guid in domain.user_guids[:1501]])
    policy.add_fault("shrink", kind="search", continuing=True, amount=10)
    # The server refuses the range that begins behind the last value, so that the reading cannot begin anew.
    assert guids_of(strict_reader, group) is None
    assert len(guids_of(strict_reader, group) or ()) == 1491
