# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is to be linked, who is skipped and why, and which links may go."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity, membership
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    Account,
    CompleteReading,
    DomainInfo,
    Link,
    Principal,
    PrincipalKind,
    Skipped,
)
from tests.unit.samples import (
    DOMAIN,
    FOREIGN_SID,
    SISTER_SID,
    cloud_id,
    group_member,
    guid,
    link,
    other_member,
    sid,
    user,
)

OWN = cloud_id(99)
WITH_CATALOG = replace(DOMAIN, catalog=True)


def settle(
    members: Iterable[Principal],
    links: Iterable[Link] = (),
    provisioned: Mapping[str, str | None] | None = None,
    found: Mapping[str, Account] | None = None,
    anchored: Mapping[str, tuple[Account, ...]] | None = None,
    domain: DomainInfo = DOMAIN,
) -> membership.Sorted:
    """Sort the members and take in what a look-up finds."""
    sorted_members = membership.sort_members(members, links, provisioned or {}, OWN, domain)
    return membership.resolve_members(sorted_members, found or {}, anchored or {}, sid(2099))


def account(number: int, security_identifier: str = "", *, primary_group: int | None = 513) -> Account:
    """Return the account of the sample user with this number."""
    return Account(link(number, security_identifier), f"user{number}", "contoso.com", primary_group)


def reasons(result: membership.Sorted) -> list[str]:
    return [skip.reason.value for skip in result.skips]


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (user(1, None), Skipped.CLOUD_ONLY_USER),
        (user(1, sid(1, SISTER_SID)), Skipped.OTHER_DOMAIN),
        (user(1, sid(1, FOREIGN_SID)), Skipped.OTHER_FOREST),
        (user(1, readable=False), Skipped.UNREADABLE),
        (user(1), Skipped.NOT_FOUND_IN_DIRECTORY),
        (group_member(1, synced=True), Skipped.SYNCED_GROUP),
        (group_member(1), Skipped.GROUP_NOT_PROVISIONED),
        (group_member(1, synced=False), Skipped.GROUP_NOT_PROVISIONED),
        (group_member(1, readable=False), Skipped.UNREADABLE),
        (group_member(99), Skipped.GROUP_ITSELF),
        (other_member(1, PrincipalKind.DEVICE), Skipped.UNSUPPORTED_TYPE),
        (other_member(1, PrincipalKind.SERVICE_PRINCIPAL), Skipped.UNSUPPORTED_TYPE),
        (other_member(1, PrincipalKind.CONTACT), Skipped.UNSUPPORTED_TYPE),
        (other_member(1, PrincipalKind.UNKNOWN, readable=False), Skipped.UNSUPPORTED_TYPE),
    ],
)
def test_each_member_that_is_not_linked_has_its_reason(member: Principal, reason: Skipped) -> None:
    result = settle([member])
    assert result.wanted == ()
    assert result.skips == (membership.MemberSkip(member, reason),)


def test_a_user_is_linked_by_the_account_with_the_same_sid() -> None:
    result = settle([user(1)], found={sid(5001): account(1)})
    assert [(want.guid, want.sid, want.id) for want in result.wanted] == [(guid(1), sid(5001), cloud_id(1))]


def test_a_user_who_is_linked_already_needs_no_look_up() -> None:
    sorted_members = membership.sort_members([user(1)], [link(1)], {}, OWN, DOMAIN)
    assert sorted_members.unresolved == ()
    assert [want.guid for want in sorted_members.wanted] == [guid(1)]


def as_base64(text: str) -> str:
    return base64.b64encode(identity.guid_to_bytes(text)).decode()


@pytest.mark.parametrize("linked", [False, True])
@pytest.mark.parametrize(
    ("object_identifier", "skipped"),
    [
        (guid(1), []),
        (as_base64(guid(1)), []),
        ("a custom source anchor", []),
        (guid(2), ["identity_conflict"]),
        (as_base64(guid(2)), ["identity_conflict"]),
    ],
)
def test_sid_and_guid_of_a_user_must_agree(object_identifier: str, skipped: list[str], linked: bool) -> None:
    member = user(1, object_identifier=object_identifier)
    result = settle([member], [link(1)] if linked else [], found={sid(5001): account(1)})
    assert reasons(result) == skipped
    assert len(result.wanted) == (0 if skipped else 1)


def test_a_group_is_linked_by_what_this_run_provisioned() -> None:
    result = settle([group_member(1), group_member(2)], provisioned={cloud_id(1): guid(1), cloud_id(2): None})
    assert [(want.id, want.guid) for want in result.wanted] == [(cloud_id(1), guid(1)), (cloud_id(2), None)]


def test_a_provisioned_group_is_linked_even_if_its_properties_are_withheld() -> None:
    assert settle([group_member(1, readable=False)], provisioned={cloud_id(1): guid(1)}).skips == ()


def anchored_user(name: str | None = "user1", domain: str | None = "contoso.com") -> Principal:
    """Return a user without a SID whose source anchor is the GUID of the first account."""
    return replace(
        user(1, None),
        on_premises_immutable_id=as_base64(guid(1)),
        on_premises_sam_account_name=name,
        on_premises_domain_name=domain,
    )


@pytest.mark.parametrize(
    ("member", "accounts", "skipped"),
    [
        (anchored_user(), (account(1),), None),
        (anchored_user("USER1", "Contoso.COM"), (account(1),), None),
        (anchored_user(), (), Skipped.NOT_FOUND_IN_DIRECTORY),
        (anchored_user("user2"), (account(1),), Skipped.IDENTITY_CONFLICT),
        (anchored_user(domain="emea.contoso.com"), (account(1),), Skipped.IDENTITY_CONFLICT),
        (anchored_user(None), (account(1),), Skipped.IDENTITY_CONFLICT),
        (anchored_user(domain=None), (account(1),), Skipped.IDENTITY_CONFLICT),
        (anchored_user(""), (replace(account(1), sam_account_name=""),), Skipped.IDENTITY_CONFLICT),
        (anchored_user(), (account(1), account(2)), Skipped.IDENTITY_CONFLICT),
        (anchored_user(), (account(1, sid(7, SISTER_SID)),), None),
        (replace(anchored_user(), on_premises_immutable_id="custom"), (account(1),), Skipped.CLOUD_ONLY_USER),
    ],
)
def test_a_source_anchor_counts_when_name_and_domain_agree(
    member: Principal, accounts: tuple[Account, ...], skipped: Skipped | None
) -> None:
    result = settle([member], anchored={guid(1): accounts})
    assert reasons(result) == ([skipped.value] if skipped else [])
    assert [want.guid for want in result.wanted] == ([] if skipped else [guid(1)])


def test_a_sid_weighs_more_than_a_source_anchor() -> None:
    member = replace(anchored_user(), on_premises_security_identifier=sid(5002))
    result = settle([member], found={sid(5002): account(2)}, anchored={guid(1): (account(1),)})
    assert [want.guid for want in result.wanted] == [guid(2)]


@pytest.mark.parametrize(
    ("primary_group", "skipped"), [(2099, ["primary_group"]), (513, []), (None, [])], ids=["own", "other", "unknown"]
)
def test_members_by_their_primary_group_are_told(primary_group: int | None, skipped: list[str]) -> None:
    result = settle([user(1)], found={sid(5001): account(1, primary_group=primary_group)})
    assert reasons(result) == skipped
    assert len(result.wanted) == (0 if skipped else 1)


def test_a_primary_group_of_another_domain_has_the_same_number_only() -> None:
    sister = account(1, sid(7, SISTER_SID), primary_group=2099)
    result = settle([user(1, sid(7, SISTER_SID))], found={sid(7, SISTER_SID): sister}, domain=WITH_CATALOG)
    assert reasons(result) == []


def test_other_domains_are_looked_at_where_a_catalog_answers() -> None:
    member, there = user(1, sid(7, SISTER_SID)), account(1, sid(7, SISTER_SID))
    assert reasons(settle([member], found={sid(7, SISTER_SID): there})) == ["other_domain"]
    result = settle([member], found={sid(7, SISTER_SID): there}, domain=WITH_CATALOG)
    assert [(want.guid, want.sid, want.dn) for want in result.wanted] == [(guid(1), sid(7, SISTER_SID), link(1).dn)]
    assert reasons(settle([member], domain=WITH_CATALOG)) == ["not_found_in_directory"]
    assert reasons(settle([user(1, sid(1, FOREIGN_SID))], domain=WITH_CATALOG)) == ["other_forest"]


def test_two_members_with_one_account_are_one_addition() -> None:
    members = [user(1), replace(anchored_user(), id=cloud_id(2))]
    result = settle(members, found={sid(5001): account(1)}, anchored={guid(1): (account(1),)})
    assert len(result.wanted) == 2
    assert [want.guid for want in membership.additions(result.wanted, [])] == [guid(1)]


def test_additions_leave_out_what_is_linked() -> None:
    result = settle([user(1), user(2)], [link(1)], found={sid(5002): account(2)})
    assert [want.guid for want in membership.additions(result.wanted, [link(1)])] == [guid(2)]


def test_a_group_to_be_created_is_always_an_addition() -> None:
    result = settle([group_member(1)], provisioned={cloud_id(1): None})
    assert len(membership.additions(result.wanted, [link(1)])) == 1


def candidates(
    members: Iterable[Principal], links: Iterable[Link], provisioned: Mapping[str, str | None] | None = None
) -> list[str]:
    listed, held = CompleteReading(tuple(members)), CompleteReading(tuple(links))
    result = settle(listed.items, held.items, provisioned)
    return [found.guid for found in membership.unanswered(listed, held, result, {})]


@pytest.mark.parametrize(
    ("member", "held"),
    [
        (user(1), link(1)),
        (user(1, object_identifier=guid(2)), link(1)),
        (user(1, object_identifier=guid(1)), link(1, sid(6000))),
        (user(1, sid(1, FOREIGN_SID)), link(7, sid(1, FOREIGN_SID))),
        (user(1, None, object_identifier=guid(7)), link(7, None)),
        (replace(user(1, None), on_premises_immutable_id=guid(7)), link(7)),
        (replace(other_member(1, PrincipalKind.DEVICE), on_premises_object_identifier=guid(7)), link(7)),
    ],
)
def test_a_listed_member_keeps_its_link_by_sid_or_guid(member: Principal, held: Link) -> None:
    assert candidates([member], [held]) == []


def test_a_listed_group_keeps_its_link() -> None:
    assert candidates([group_member(1)], [link(1, sid(2001))], provisioned={cloud_id(1): guid(1)}) == []


def test_what_no_listed_member_answers_for_is_a_candidate() -> None:
    assert candidates([user(1)], [link(1), link(2), link(3, None)]) == [guid(2), guid(3)]
    assert candidates([user(1, None)], [link(3, None)]) == [guid(3)]


def test_the_link_of_an_account_whose_name_does_not_agree_is_kept() -> None:
    """Not to be added again, but not to be taken away either: the account is renamed before the cloud hears of it."""
    member = replace(anchored_user("renamed"), on_premises_immutable_id=guid(50))
    held = (link(1),)
    sorted_members = membership.sort_members([member], held, {}, OWN, DOMAIN)
    result = membership.resolve_members(sorted_members, {}, {guid(50): (account(1),)}, sid(2099))
    assert reasons(result) == ["identity_conflict"]
    assert membership.unanswered(CompleteReading((member,)), CompleteReading(held), result, {}) == ()


def test_a_listed_group_that_cannot_be_handled_keeps_its_link() -> None:
    listed = CompleteReading((group_member(1),))
    held = CompleteReading((link(7),))
    result = membership.sort_members(listed.items, held.items, {}, cloud_id(9), DOMAIN)
    remembered = {listed.items[0].id: link(7).guid}
    assert membership.unanswered(listed, held, result, remembered) == ()
    assert membership.unanswered(listed, held, result, {}) == (link(7),)


_principals = st.lists(
    st.one_of(
        st.integers(1, 8).map(user),
        st.integers(1, 8).map(lambda n: user(n, object_identifier=guid(n % 3 + 1))),
        st.integers(1, 8).map(lambda n: user(n, sid(n, FOREIGN_SID))),
        st.integers(1, 8).map(lambda n: user(n, readable=False)),
        st.integers(10, 14).map(group_member),
    ),
    unique_by=lambda member: member.id,
    max_size=8,
)
_links = st.lists(st.integers(1, 8).map(link), unique=True, max_size=8)


@given(_principals, _links, st.frozensets(st.integers(1, 8)))
def test_each_listed_member_is_wanted_or_skipped_once(
    members: list[Principal], links: list[Link], present: frozenset[int]
) -> None:
    found = {sid(5000 + number): account(number) for number in present}
    result = settle(members, links, {cloud_id(10): None, cloud_id(11): guid(11)}, found)
    told = [want.id for want in result.wanted] + [skip.principal.id for skip in result.skips]
    assert sorted(told) == sorted(member.id for member in members)
    assert result.unresolved == ()


@given(_principals, _links)
def test_no_candidate_for_removal_answers_to_a_listed_member(members: list[Principal], links: list[Link]) -> None:
    listed = {member.on_premises_security_identifier for member in members}
    chosen = candidates(members, links)
    assert not [held for held in links if held.guid in chosen and held.sid in listed]


def sids_of(*numbers: int) -> frozenset[str]:
    return frozenset(sid(5000 + number) for number in numbers)


@pytest.mark.parametrize(
    ("listed", "linked", "expected"),
    [
        (sids_of(1, 2), sids_of(1, 2), True),
        (sids_of(), sids_of(), True),
        (sids_of(1, 2), sids_of(1), False),
        (sids_of(1), sids_of(1, 2), False),
        (sids_of(1, 2), sids_of(1, 3), False),
        (sids_of(1) | {sid(2, FOREIGN_SID)}, sids_of(1) | {sid(2, FOREIGN_SID)}, False),
    ],
)
def test_links_that_are_those_of_the_listed_members(
    listed: frozenset[str], linked: frozenset[str], expected: bool
) -> None:
    assert membership.are_linked(listed, linked, DOMAIN) is expected
