# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose an object is, and what is never touched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import ownership, rights
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    DeletedGroup,
    DirectoryGroup,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ownership import (
    Claims,
    Stranger,
    Trust,
    Verdict,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.rights import Ace, SecurityDescriptor
from tests.unit.samples import (
    BASE,
    DOMAIN_SID,
    MANAGED,
    OUTSIDE,
    OWN_SID,
    PERSONAL_INFORMATION,
    SISTER_SID,
    STRANGER_SID,
    SUB,
    anchored_group,
    cloud_group,
    cloud_id,
    converted,
    directory_group,
    guid,
    sid,
)

BORN = cloud_group(1)
CONVERTED = converted(1, sid(2001))


TRUSTED = SecurityDescriptor(OWN_SID, ())
HELP_DESK = Ace(True, rights.WRITE_PROPERTY, STRANGER_SID, PERSONAL_INFORMATION, False)
UNTRUSTED = SecurityDescriptor(OWN_SID, (HELP_DESK,))


def claims(
    security: Mapping[str, SecurityDescriptor] | None = None, owners: Mapping[str, str] | None = None, **trust: Any
) -> Claims:
    """Return what is known of anchored objects; the first two are written by the trusted only, unless it is said."""
    told = {guid(1): TRUSTED, guid(2): TRUSTED} if security is None else security
    usual = {"trusted": frozenset({OWN_SID}), "guarded": frozenset({PERSONAL_INFORMATION})}
    return Claims(owners or {}, told, Trust(**{**usual, **trust}))


def find(
    group: CloudGroup, found: list[DirectoryGroup], known: str | None = None, told: Claims | None = None
) -> ownership.Match:
    return ownership.match(group, ownership.index(found), known, DOMAIN_SID, told or claims())


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
        ([anchored_group(1, of=2)], guid(1), "journal"),
    ],
)
def test_a_born_group_is_tied_by_journal_or_anchor(found: list[DirectoryGroup], known: str | None, by: str) -> None:
    assert find(BORN, found, known) == ownership.Match(found[0], by)


def test_a_converted_group_is_tied_by_its_sid() -> None:
    group = directory_group(1)
    assert find(CONVERTED, [group, directory_group(2)]) == ownership.Match(group, "sid")
    assert find(CONVERTED, [anchored_group(1)], guid(1)).by == "sid"


@pytest.mark.parametrize(
    ("cloud", "found", "known"),
    [
        (BORN, [anchored_group(1), anchored_group(2, of=1)], guid(1)),
        (BORN, [directory_group(1), anchored_group(2, of=1)], guid(1)),
        (CONVERTED, [directory_group(1), anchored_group(2, of=1)], None),
        (CONVERTED, [anchored_group(1), anchored_group(2, of=1)], guid(1)),
    ],
)
def test_an_anchor_on_another_object_stops_nothing_and_is_told(
    cloud: CloudGroup, found: list[DirectoryGroup], known: str | None
) -> None:
    hit = find(cloud, found, known)
    assert (hit.group, hit.problem, hit.strangers) == (found[0], "", (Stranger(guid(2), found[1].dn),))


@pytest.mark.parametrize(
    ("cloud", "found", "known", "strangers"),
    [
        (BORN, [], guid(1), ()),
        (BORN, [anchored_group(2, of=1)], guid(1), (Stranger(guid(2), f"CN=Group 2,{MANAGED}"),)),
        (CONVERTED, [directory_group(2)], None, ()),
        (CONVERTED, [anchored_group(2, of=1)], None, (Stranger(guid(2), f"CN=Group 2,{MANAGED}"),)),
    ],
)
def test_an_object_that_is_not_there_is_not_replaced_by_another(
    cloud: CloudGroup, found: list[DirectoryGroup], known: str | None, strangers: tuple[Stranger, ...]
) -> None:
    """Whether it is missing is said only after the deleted objects were looked at."""
    assert find(cloud, found, known) == ownership.Match(strangers=strangers)


def test_a_group_of_another_domain() -> None:
    hit = find(converted(1, sid(2001, SISTER_SID)), [directory_group(1)])
    assert (hit.problem, hit.group) == ("other_domain_group", None)
    assert SISTER_SID in hit.detail


def test_two_objects_that_only_the_trusted_write_are_a_duplicate() -> None:
    hit = find(BORN, [anchored_group(1), anchored_group(2, of=1)])
    assert (hit.problem, hit.group) == ("duplicate_anchor", None)
    assert "CN=Group 1" in hit.detail
    assert "CN=Group 2" in hit.detail


def test_several_claims_are_told_in_a_stable_order() -> None:
    first, second = anchored_group(1), anchored_group(2, of=1)
    assert find(BORN, [first, second]).detail == find(BORN, [second, first]).detail


MARK = f"Group_{cloud_id(1)}"


@pytest.mark.parametrize(
    ("security", "description", "trust", "owners", "expected"),
    [
        # only the trusted may write it
        (TRUSTED, None, {}, {}, Verdict.ADOPT),
        (TRUSTED, "a note", {}, {}, Verdict.ADOPT),
        (UNTRUSTED, None, {"trusted": frozenset({OWN_SID, STRANGER_SID})}, {}, Verdict.ADOPT),
        # others may: the mark that provisioning jobs write beside the anchor makes it a question
        (UNTRUSTED, None, {}, {}, Verdict.IGNORE),
        (UNTRUSTED, "a note", {}, {}, Verdict.IGNORE),
        (UNTRUSTED, f"Group_{cloud_id(2)}", {}, {}, Verdict.IGNORE),
        (UNTRUSTED, MARK, {}, {}, Verdict.ASK),
        (UNTRUSTED, MARK.upper(), {}, {}, Verdict.ASK),
        (UNTRUSTED, f"TakenOver_{MARK}", {}, {}, Verdict.ASK),
        # without a journal the anchor may be all that is left
        (UNTRUSTED, None, {"journal_missing": True}, {}, Verdict.ASK),
        # and what was asked then is still asked when there is one
        (UNTRUSTED, None, {"undecided": frozenset({cloud_id(1)})}, {}, Verdict.ASK),
        (UNTRUSTED, None, {"undecided": frozenset({cloud_id(2)})}, {}, Verdict.IGNORE),
        # an access control list that cannot be read trusts nobody
        (None, None, {}, {}, Verdict.IGNORE),
        (None, MARK, {}, {}, Verdict.ASK),
        # no list at all lets everybody write, whoever owns it
        (SecurityDescriptor(OWN_SID, None), MARK, {}, {}, Verdict.ASK),
        (SecurityDescriptor(STRANGER_SID, ()), MARK, {}, {}, Verdict.ASK),
        # the administrator decided
        (UNTRUSTED, None, {"adopt": frozenset({guid(1)})}, {}, Verdict.ADOPT),
        (None, None, {"adopt": frozenset({guid(1)})}, {}, Verdict.ADOPT),
        (UNTRUSTED, None, {"adopt": frozenset({guid(1)}), "ignore": frozenset({guid(1)})}, {}, Verdict.ADOPT),
        (TRUSTED, MARK, {"ignore": frozenset({guid(1)})}, {}, Verdict.IGNORE),
        (UNTRUSTED, MARK, {"ignore": frozenset({guid(1)}), "journal_missing": True}, {}, Verdict.IGNORE),
        # the journal knows it as another group's
        (TRUSTED, MARK, {}, {guid(1): cloud_id(2)}, Verdict.IGNORE),
        (TRUSTED, MARK, {}, {guid(2): cloud_id(2)}, Verdict.ADOPT),
        # which an administrator who vouches for it does not change, and neither does a lost memory
        (TRUSTED, MARK, {"adopt": frozenset({guid(1)})}, {guid(1): cloud_id(2)}, Verdict.IGNORE),
        (UNTRUSTED, MARK, {"journal_missing": True}, {guid(1): cloud_id(2)}, Verdict.IGNORE),
    ],
)
def test_whether_an_anchor_is_believed(
    security: SecurityDescriptor | None,
    description: str | None,
    trust: dict[str, Any],
    owners: dict[str, str],
    expected: Verdict,
) -> None:
    told = claims({guid(1): security} if security else {}, owners, **trust)
    assert ownership.verdict(cloud_id(1), guid(1), description, told) is expected


def test_an_entry_that_does_not_give_the_group_away_disturbs_nobody() -> None:
    harmless = SecurityDescriptor(OWN_SID, (Ace(True, rights.WRITE_PROPERTY, STRANGER_SID, guid(50), False),))
    assert ownership.untrusted(guid(1), claims({guid(1): harmless})) == ""
    assert STRANGER_SID in ownership.untrusted(guid(1), claims({guid(1): UNTRUSTED}))
    assert "cannot be read" in ownership.untrusted(guid(1), claims({}))


def test_a_decoy_beside_the_own_object_is_told_and_stops_nothing() -> None:
    own, decoy = anchored_group(1), anchored_group(2, of=1, adminDescription=(MARK,))
    hit = find(BORN, [decoy, own], told=claims({guid(1): TRUSTED, guid(2): UNTRUSTED}))
    assert (hit.group, hit.by, hit.strangers) == (own, "anchor", (Stranger(guid(2), decoy.dn),))


def test_a_decoy_alone_is_told_and_the_group_is_new() -> None:
    decoy = anchored_group(2, of=1)
    assert find(BORN, [decoy], told=claims({guid(2): UNTRUSTED})) == ownership.Match(
        strangers=(Stranger(guid(2), decoy.dn),)
    )


def test_a_doubtful_object_alone_needs_approval() -> None:
    doubtful = anchored_group(2, of=1, adminDescription=(MARK,))
    hit = find(BORN, [doubtful], told=claims({guid(2): UNTRUSTED}))
    assert (hit.problem, hit.group) == ("adoption_needs_approval", None)
    assert all(text in hit.detail for text in (guid(2), STRANGER_SID, doubtful.dn))


def lost(number: int = 1, *, of: int | None = 1, description: str | None = None) -> DeletedGroup:
    values = {ANCHOR: (f"Group_{cloud_id(of)}",)} if of else {}
    if description:
        values["adminDescription"] = (description,)
    place = f"CN=Group {number}\\0ADEL:{guid(number)},CN=Deleted Objects,{BASE}"
    return DeletedGroup(guid(number), sid(2000 + number), place, f"Group {number}", MANAGED, values)


DECOY = Stranger(guid(7), "CN=decoy")
NOTHING = ownership.Match(strangers=(DECOY,))


def find_deleted(
    group: CloudGroup, deleted: list[DeletedGroup], known: str | None = None, told: Claims | None = None
) -> ownership.Match:
    return ownership.match_deleted(group, NOTHING, deleted, known, told or claims())


@pytest.mark.parametrize(
    ("cloud", "deleted", "known", "by"),
    [
        (BORN, lost(), None, "anchor"),
        (BORN, lost(of=None), guid(1), "journal"),
        (CONVERTED, lost(of=None), None, "sid"),
        (CONVERTED, lost(of=2), guid(9), "sid"),
    ],
)
def test_a_deleted_object_is_tied_as_a_living_one_is(
    cloud: CloudGroup, deleted: DeletedGroup, known: str | None, by: str
) -> None:
    hit = find_deleted(cloud, [deleted], known)
    assert (hit.deleted, hit.by, hit.group, hit.problem, hit.strangers) == (deleted, by, None, "", (DECOY,))


@pytest.mark.parametrize(
    ("cloud", "deleted", "known", "problem"),
    [
        (BORN, [], guid(1), "directory_group_missing"),
        (BORN, [lost(2)], guid(1), "directory_group_missing"),
        (CONVERTED, [], None, "converted_group_missing"),
        (CONVERTED, [lost(2)], None, "converted_group_missing"),
        (BORN, [lost(1), lost(2)], None, "duplicate_anchor"),
    ],
)
def test_what_forbids_to_go_on_without_a_living_object(
    cloud: CloudGroup, deleted: list[DeletedGroup], known: str | None, problem: str
) -> None:
    hit = find_deleted(cloud, deleted, known)
    assert (hit.problem, hit.group, hit.deleted) == (problem, None, None)
    assert hit.detail


DELEGATED = SecurityDescriptor(STRANGER_SID, ())


@pytest.mark.parametrize(
    ("security", "description", "trust", "owners", "expected"),
    [
        (TRUSTED, None, {}, {}, Verdict.ADOPT),
        # a tombstone has lost the mark: whoever is trusted made the object, so that it may be the group's own
        (UNTRUSTED, None, {}, {}, Verdict.ASK),
        (UNTRUSTED, "a note", {}, {}, Verdict.ASK),
        (UNTRUSTED, MARK, {}, {}, Verdict.ASK),
        # nobody can say who made what cannot be read
        (None, None, {}, {}, Verdict.ASK),
        # somebody else made it, stamped the anchor and deleted it
        (DELEGATED, None, {}, {}, Verdict.IGNORE),
        (DELEGATED, MARK, {}, {}, Verdict.ASK),
        (DELEGATED, None, {"journal_missing": True}, {}, Verdict.ASK),
        (SecurityDescriptor(None, (HELP_DESK,)), None, {}, {}, Verdict.IGNORE),
        (DELEGATED, None, {"adopt": frozenset({guid(1)})}, {}, Verdict.ADOPT),
        (UNTRUSTED, None, {"ignore": frozenset({guid(1)})}, {}, Verdict.IGNORE),
        (UNTRUSTED, None, {}, {guid(1): cloud_id(2)}, Verdict.IGNORE),
    ],
)
def test_whether_the_anchor_of_a_deleted_object_is_believed(
    security: SecurityDescriptor | None,
    description: str | None,
    trust: dict[str, Any],
    owners: dict[str, str],
    expected: Verdict,
) -> None:
    told = claims({guid(1): security} if security else {}, owners, **trust)
    assert ownership.verdict(cloud_id(1), guid(1), description, told, deleted=True) is expected
    hit = find_deleted(BORN, [lost(description=description)], told=told)
    stranger = Stranger(guid(1), lost().dn)
    assert {
        Verdict.ADOPT: hit.deleted is not None,
        Verdict.ASK: hit.problem == "adoption_needs_approval",
        Verdict.IGNORE: hit == ownership.Match(strangers=(DECOY, stranger)),
    }[expected]


def test_an_object_that_two_groups_claim_is_nobodys() -> None:
    shared = ownership.Match(anchored_group(1), "anchor")
    back = ownership.Match(by="anchor", deleted=lost(3, of=3))
    alone = ownership.Match(anchored_group(2), "anchor")
    matches = {cloud_id(1): shared, cloud_id(2): alone, cloud_id(3): back, cloud_id(5): ownership.Match()}
    found = ownership.refuse_shared(matches, {cloud_id(2): guid(2), cloud_id(4): guid(1), cloud_id(6): guid(3)})
    assert [found[cloud_id(number)].problem for number in (1, 2, 3, 5)] == ["object_shared", "", "object_shared", ""]
    assert cloud_id(4) in found[cloud_id(1)].detail


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
