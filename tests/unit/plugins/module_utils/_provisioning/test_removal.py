# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which links go, and why the others stay."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import removal
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CompleteReading,
    IncompleteReading,
    Link,
    LinkFacts,
    Principal,
    PrincipalKind,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.removal import (
    Evidence,
    ForeignMembers,
    RemovalPolicy,
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


def fate(
    held: Link,
    fact: LinkFacts | None = None,
    *,
    members: Iterable[Principal] = (),
    known: Iterable[str] = (),
    matched: Iterable[str] = (),
    added: Iterable[str] = (),
    foreign_members: ForeignMembers = ForeignMembers.ACCEPTED,
    accepted: bool = False,
    protected: Iterable[str] = (),
) -> str:
    """Return what becomes of one candidate: removed, kept silently, or the word for keeping it."""
    result = removal.removals(
        [held],
        Evidence({held.guid: fact} if fact else {}, frozenset(known), frozenset(matched), frozenset(added)),
        CompleteReading(tuple(members)),
        RemovalPolicy(foreign_members, accepted, frozenset(protected)),
        DOMAIN,
    )
    assert len(result.remove) + len(result.foreign) <= 1
    return "removed" if result.remove else result.foreign[0][1] if result.foreign else "kept"


@pytest.mark.parametrize(
    ("foreign_members", "accepted", "expected"),
    [
        (ForeignMembers.ACCEPTED, True, "removed"),
        (ForeignMembers.ACCEPTED, False, "foreign_member"),
        (ForeignMembers.REMOVE, True, "removed"),
        (ForeignMembers.REMOVE, False, "removed"),
        (ForeignMembers.KEEP, True, "foreign_member"),
        (ForeignMembers.KEEP, False, "foreign_member"),
    ],
)
def test_foreign_members(foreign_members: ForeignMembers, accepted: bool, expected: str) -> None:
    assert fate(link(1), foreign_members=foreign_members, accepted=accepted) == expected


@pytest.mark.parametrize("foreign_members", ForeignMembers)
def test_an_ex_member_is_removed_whatever_is_said_of_foreign_ones(foreign_members: ForeignMembers) -> None:
    assert fate(link(1), known=[sid(5001)], foreign_members=foreign_members) == "removed"


@pytest.mark.parametrize("foreign_members", ForeignMembers)
def test_a_nested_group_of_this_run_that_is_not_listed_has_left(foreign_members: ForeignMembers) -> None:
    nested = link(7, sid(2007))
    assert fate(nested, LinkFacts("group"), matched=[guid(7)], foreign_members=foreign_members) == "removed"
    held = fate(nested, LinkFacts("group"), matched=[guid(8)], foreign_members=foreign_members)
    assert held == ("removed" if foreign_members is ForeignMembers.REMOVE else "foreign_member")


@pytest.mark.parametrize("foreign_members", ForeignMembers)
def test_what_an_earlier_run_added_has_left(foreign_members: ForeignMembers) -> None:
    assert fate(link(1), added=[guid(1)], foreign_members=foreign_members) == "removed"
    held = fate(link(1), added=[guid(2)], foreign_members=foreign_members)
    assert held == ("removed" if foreign_members is ForeignMembers.REMOVE else "foreign_member")


@pytest.mark.parametrize("kind", [PrincipalKind.USER, PrincipalKind.UNKNOWN])
def test_what_an_earlier_run_added_may_be_the_member_that_cannot_be_read(kind: PrincipalKind) -> None:
    """When the permission to read members is lost, everybody is listed without a SID; nobody has left."""
    unreadable = other_member(1, kind, readable=False)
    assert fate(link(1), LinkFacts("user"), added=[guid(1)], members=[unreadable]) == "unreadable_member_listed"


def test_what_an_earlier_run_added_may_have_moved_to_another_domain() -> None:
    """The objectGUID outlives a move in the forest; only sIDHistory, which nobody read, ties the link to its member."""
    moved = link(1, sid(7, SISTER_SID))
    assert fate(moved, None, added=[guid(1)], members=[user(1)]) == "unread_domain"


def test_a_written_anchor_does_not_keep_what_an_earlier_run_added() -> None:
    fact = LinkFacts("user", anchor=f"User_{cloud_id(1)}")
    assert fate(link(7), fact, added=[guid(7)], members=[user(1, sid(1, FOREIGN_SID))]) == "removed"


@pytest.mark.parametrize(
    ("held", "fact", "expected"),
    [
        (link(1, sid(7, SISTER_SID)), None, "unread_domain"),
        (link(1, sid(7, SISTER_SID)), LinkFacts("user"), "removed"),
        (link(1, sid(7, FOREIGN_SID)), None, "removed"),
        (link(1), None, "removed"),
        (link(1, None), None, "removed"),
    ],
)
def test_links_into_domains_that_nobody_reads_are_kept(held: Link, fact: LinkFacts | None, expected: str) -> None:
    assert fate(held, fact, foreign_members=ForeignMembers.REMOVE) == expected


def test_a_link_into_an_unread_domain_goes_when_entra_knows_its_principal() -> None:
    held = link(1, sid(7, SISTER_SID))
    assert fate(held, known=[sid(7, SISTER_SID)], foreign_members=ForeignMembers.KEEP) == "removed"


def test_a_listed_device_keeps_what_device_writeback_made_of_it() -> None:
    device = replace(other_member(1, PrincipalKind.DEVICE), on_premises_object_identifier=guid(50))
    fact = LinkFacts("msDS-Device", device_id=guid(50))
    assert fate(link(1, None), fact, members=[device], foreign_members=ForeignMembers.REMOVE) == "kept"
    assert fate(link(1, None), fact, members=[user(1)], foreign_members=ForeignMembers.REMOVE) == "removed"
    nameless = LinkFacts("msDS-Device")
    assert fate(link(1, None), nameless, members=[device], foreign_members=ForeignMembers.REMOVE) == "removed"


@pytest.mark.parametrize("known", [[], [sid(5001)]])
@pytest.mark.parametrize("word", [sid(5001).lower(), link(1).dn.lower()])
def test_protected_members_are_never_removed(word: str, known: list[str]) -> None:
    found = fate(link(1), known=known, foreign_members=ForeignMembers.REMOVE, protected=[word])
    assert found == "protected_member"


@pytest.mark.parametrize(
    "fact",
    [
        LinkFacts("user", (sid(9), sid(1, FOREIGN_SID))),
        LinkFacts("user", anchor=f"User_{cloud_id(1)}"),
        LinkFacts("user", anchor=f"user_{cloud_id(1).upper()}"),
        LinkFacts("group", anchor=f"Group_{cloud_id(1)}"),
    ],
)
def test_sid_history_and_anchor_are_reasons_to_keep(fact: LinkFacts) -> None:
    members = [user(1, sid(1, FOREIGN_SID))]
    kept = "kept" if fact.sid_history else "anchored_member"
    assert fate(link(7), fact, members=members, foreign_members=ForeignMembers.REMOVE) == kept
    assert fate(link(7), fact, foreign_members=ForeignMembers.REMOVE) == "removed"


def test_a_written_anchor_does_not_keep_who_has_left() -> None:
    """Many may write the attribute on their own account; what Entra knows weighs more."""
    members = [user(1, sid(1, FOREIGN_SID))]
    fact = LinkFacts("user", (), f"User_{members[0].id}")
    assert fate(link(7), fact, members=members, known={link(7).sid or ""}) == "removed"


@pytest.mark.parametrize(
    ("unreadable", "object_class", "held_back"),
    [
        (user(1, readable=False), "user", True),
        (user(1, readable=False), "inetOrgPerson", True),
        (user(1, readable=False), "group", False),
        (user(1, readable=False), "computer", False),
        (group_member(1, readable=False), "group", True),
        (group_member(1, readable=False), "user", False),
        (other_member(1, PrincipalKind.DEVICE, readable=False), "computer", True),
        (other_member(1, PrincipalKind.CONTACT, readable=False), "contact", True),
        (other_member(1, PrincipalKind.SERVICE_PRINCIPAL, readable=False), "user", False),
        (user(1), "user", False),
    ],
)
def test_an_unreadable_member_holds_back_foreign_links_of_its_class(
    unreadable: Principal, object_class: str, held_back: bool
) -> None:
    found = fate(link(7), LinkFacts(object_class), members=[unreadable], foreign_members=ForeignMembers.REMOVE)
    assert found == ("unreadable_member_listed" if held_back else "removed")


def test_an_unreadable_member_does_not_hold_back_an_ex_member() -> None:
    members = [user(1, readable=False)]
    assert fate(link(7), LinkFacts("user"), members=members, known=[sid(5007)]) == "removed"


@pytest.mark.parametrize(
    ("reading", "evaluated", "words"),
    [
        (CompleteReading(()), False, ""),
        (CompleteReading(()), True, "dynamic rule"),
        (IncompleteReading((), "a page was lost"), False, "a page was lost"),
        (IncompleteReading((), "a page was lost"), True, "a page was lost"),
    ],
)
def test_when_nothing_may_be_removed(
    reading: CompleteReading[tuple[Principal, ...]] | IncompleteReading[tuple[Principal, ...]],
    evaluated: bool,
    words: str,
) -> None:
    found = removal.removals_allowed(reading, evaluated)
    assert found == "" if not words else words in found
