# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose an object is, and what is never touched."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import ownership
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import CloudGroup, DirectoryGroup
from tests.unit.samples import (
    BASE,
    DOMAIN_SID,
    MANAGED,
    OUTSIDE,
    SISTER_SID,
    SUB,
    anchored_group,
    cloud_group,
    converted,
    directory_group,
    guid,
    sid,
)

BORN = cloud_group(1)
CONVERTED = converted(1, sid(2001))


def find(group: CloudGroup, found: list[DirectoryGroup], known: str | None = None) -> ownership.Match:
    return ownership.match(group, ownership.index(found), known, DOMAIN_SID)


def test_a_group_that_nothing_ties_is_new() -> None:
    assert find(BORN, [directory_group(1), anchored_group(2)]) == ownership.Match()


def test_the_name_ties_nothing() -> None:
    twin = directory_group(7, displayName=("Group 1",), sAMAccountName=("Group 1",))
    assert find(BORN, [twin]).group is None


@pytest.mark.parametrize(
    ("found", "known", "by"),
    [
        ([anchored_group(1)], None, "anchor"),
        ([anchored_group(1)], guid(1), "journal"),
        ([directory_group(1)], guid(1), "journal"),
    ],
)
def test_a_born_group_is_tied_by_journal_or_anchor(found: list[DirectoryGroup], known: str | None, by: str) -> None:
    assert find(BORN, found, known) == ownership.Match(found[0], by)


def test_a_converted_group_is_tied_by_its_sid() -> None:
    group = directory_group(1)
    assert find(CONVERTED, [group, directory_group(2)]) == ownership.Match(group, "sid")
    assert find(CONVERTED, [anchored_group(1)], guid(1)).by == "sid"


@pytest.mark.parametrize(
    ("cloud", "found", "known", "problem", "named"),
    [
        (BORN, [anchored_group(1), anchored_group(2, of=1)], None, "duplicate_anchor", "CN=Group 2"),
        (BORN, [anchored_group(1), anchored_group(2, of=1)], guid(1), "duplicate_anchor", "CN=Group 2"),
        (BORN, [directory_group(1), anchored_group(2, of=1)], guid(1), "duplicate_anchor", "CN=Group 1"),
        (BORN, [anchored_group(1, of=2)], guid(1), "anchor_changed", "CN=Group 1"),
        (BORN, [], guid(1), "directory_group_missing", guid(1)),
        (BORN, [anchored_group(2, of=1)], guid(1), "directory_group_missing", "CN=Group 2"),
        (CONVERTED, [directory_group(2)], None, "converted_group_missing", sid(2001)),
        (CONVERTED, [anchored_group(2, of=1)], None, "converted_group_missing", sid(2001)),
        (CONVERTED, [directory_group(1), anchored_group(2, of=1)], None, "duplicate_anchor", "CN=Group 2"),
        (converted(1, sid(2001, SISTER_SID)), [directory_group(1)], None, "other_domain_group", SISTER_SID),
    ],
)
def test_what_forbids_to_write(
    cloud: CloudGroup, found: list[DirectoryGroup], known: str | None, problem: str, named: str
) -> None:
    hit = find(cloud, found, known)
    assert (hit.problem, hit.group) == (problem, None)
    assert named in hit.detail


def test_several_claims_are_told_in_a_stable_order() -> None:
    first, second = anchored_group(1), anchored_group(2, of=1)
    assert find(BORN, [first, second]).detail == find(BORN, [second, first]).detail


@pytest.mark.parametrize(
    ("group", "words"),
    [
        (DirectoryGroup(guid(1), "S-1-5-32-544", f"CN=Administrators,CN=Builtin,{BASE}"), "built-in"),
        (directory_group(1, rid=512), "below 1000"),
        (directory_group(1, rid=999), "below 1000"),
        (directory_group(1, groupType=("-2147483639",)), "system group"),
        (directory_group(1, isCriticalSystemObject=("TRUE",)), "isCriticalSystemObject"),
        (directory_group(1, adminCount=("1",)), "adminCount"),
        (directory_group(1, sAMAccountName=("dnsadmins",)), "DnsAdmins"),
    ],
)
def test_system_and_guarded_groups_are_never_touched(group: DirectoryGroup, words: str) -> None:
    assert words in ownership.untouchable(group, frozenset())


@pytest.mark.parametrize("word", ["sales", sid(2001).lower(), f"CN=Group 1,{MANAGED}".lower()])
def test_protected_groups_are_named_by_account_sid_or_dn(word: str) -> None:
    group = directory_group(1, sAMAccountName=("Sales",))
    assert "protected_groups" in ownership.untouchable(group, frozenset({word}))
    assert ownership.untouchable(group, frozenset({"marketing"})) == ""


def test_an_ordinary_group_may_be_touched() -> None:
    group = directory_group(1, rid=1000, adminCount=("0",), isCriticalSystemObject=("FALSE",))
    assert ownership.untouchable(group, frozenset()) == ""


@pytest.mark.parametrize(
    ("container", "words"),
    [
        (MANAGED, ""),
        (MANAGED.lower(), ""),
        (SUB, ""),
        (OUTSIDE, "outside"),
        (BASE, "outside"),
        (r"OU=x\,OU\=Groups,DC=contoso,DC=com", "outside"),
        ("nonsense", "not a distinguished name"),
    ],
)
def test_the_target_container_lies_in_the_managed_ones(container: str, words: str) -> None:
    found = ownership.container_problem(container, [MANAGED])
    assert found == "" if not words else words in found
