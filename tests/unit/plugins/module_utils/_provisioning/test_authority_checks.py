# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each precondition refuses what it should, all of them are told, and a good group passes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.authority import (
    Candidate,
    Master,
    Rules,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.authority_checks import (
    notices,
    problems,
    some,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CompleteReading,
    IncompleteReading,
    PrincipalKind,
)
from tests.unit.plugins.module_utils._provisioning.authorities import candidate, converted, facts, inner, synced
from tests.unit.samples import cloud_group, cloud_id, other_member, sid, user

UP, DOWN = Rules(Master.CLOUD), Rules(Master.ON_PREMISES)
HAND = sid(5009)


def codes(one: Candidate, rules: Rules) -> set[str]:
    found = list(problems(one, rules))
    assert all(problem.message and problem.remedy and problem.id == one.group.id for problem in found)
    return {problem.code for problem in found}


def told(one: Candidate, rules: Rules, *named: int) -> set[str]:
    return {notice.code for notice in notices(one, rules, {cloud_id(number) for number in named})}


def test_good_groups_pass_both_ways() -> None:
    assert codes(candidate(synced(1), user(2), inner(3)), UP) == set()
    assert codes(candidate(converted(1), user(2), inner(3, is_synced=None)), DOWN) == set()


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (candidate(synced(1, mailEnabled=True)), "mail_enabled"),
        (candidate(synced(1, securityEnabled=False)), "not_security_enabled"),
        (candidate(synced(1, onPremisesSyncEnabled=None)), "roll_back_pending"),
        (candidate(replace(synced(1), is_cloud_managed=None)), "authority_unknown"),
        (Candidate(synced(1), None, facts(1)), "members_incomplete"),
        (Candidate(synced(1), IncompleteReading((), "cut"), facts(1)), "members_incomplete"),
        (candidate(synced(1), user(2, readable=False), known=facts(1)), "members_unreadable"),
        (Candidate(synced(1), CompleteReading(())), "directory_facts_missing"),
        (candidate(synced(1), problem="cut"), "directory_facts_incomplete"),
        (candidate(synced(1), guarded="it is critical"), "protected_group"),
        (candidate(synced(1), scope="global"), "not_universal"),
        (candidate(synced(1), known=facts(1, [HAND])), "members_unknown"),
        (candidate(synced(1), user(2), known=facts(1)), "sync_pending"),
    ],
)
def test_what_keeps_a_group_from_being_converted(one: Candidate, code: str) -> None:
    assert codes(one, UP) == {code}


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (candidate(cloud_group(1, managed=False)), "born_in_cloud"),
        (candidate(converted(1), user(2, None), known=facts(1)), "cloud_only_members"),
        (
            candidate(converted(1), other_member(2, PrincipalKind.SERVICE_PRINCIPAL), known=facts(1)),
            "cloud_only_members",
        ),
        (candidate(converted(1), user(2), known=facts(1)), "sync_pending"),
        (candidate(converted(1), admin_description=f"TakenOver_Group_{cloud_id(1)}"), "anchor_still_set"),
        (Candidate(converted(1), CompleteReading(())), "directory_facts_missing"),
    ],
)
def test_what_keeps_a_group_from_being_rolled_back(one: Candidate, code: str) -> None:
    assert codes(one, DOWN) == {code}


def test_all_that_is_wrong_is_told_together() -> None:
    one = candidate(synced(1, mailEnabled=True), user(2), known=facts(1, [HAND], scope="global", guarded="x"))
    wrong = {"mail_enabled", "protected_group", "not_universal", "members_unknown", "sync_pending"}
    assert codes(one, UP) == wrong


def test_a_member_that_entra_knows_and_does_not_list_waits_for_the_sync_client() -> None:
    one = candidate(synced(1), known=facts(1, [HAND]))
    assert codes(one, Rules(Master.CLOUD, {HAND: user(9)})) == {"sync_pending"}


def test_an_unknown_member_may_be_left_behind() -> None:
    rules = Rules(Master.CLOUD, left_behind=frozenset({HAND}))
    one = candidate(synced(1), known=facts(1, [HAND]))
    assert (codes(one, rules), told(one, rules)) == (set(), {"members_left_behind"})


def test_a_nested_group_that_was_converted_before_is_told_and_stops_nothing() -> None:
    nested = inner(3, is_synced=None)
    rules = Rules(Master.CLOUD, {sid(2003): nested})
    one = candidate(synced(1), known=facts(1, [sid(2003)]))
    assert (codes(one, rules), told(one, rules)) == (set(), {"nested_reference_missing"})


def test_a_synced_contact_is_no_cloud_member() -> None:
    contact = replace(other_member(2, PrincipalKind.CONTACT), on_premises_sync_enabled=True)
    assert codes(candidate(converted(1), contact, known=facts(1)), DOWN) == set()
    cloud = replace(contact, on_premises_sync_enabled=None)
    assert codes(candidate(converted(1), cloud, known=facts(1)), DOWN) == {"cloud_only_members"}


def test_nested_groups_that_stay_are_told_unless_they_are_named() -> None:
    up, down = candidate(synced(1), inner(2)), candidate(converted(1), inner(2, is_synced=None))
    assert (told(up, UP), told(up, UP, 2)) == ({"nested_not_converted"}, set())
    assert (told(down, DOWN), told(down, DOWN, 2)) == ({"nested_in_cloud"}, set())


def test_parents_contacts_and_unmanaged_places_are_told() -> None:
    one = candidate(synced(1), known=facts(1, [None], member_of=("CN=Above",), managed=False))
    assert told(one, UP) == {"parents_on_premises", "contacts_not_compared", "container_not_managed"}
    assert told(replace(one, group=converted(1)), DOWN) == set()


def test_many_names_are_cut() -> None:
    assert some(["a", "b"]) == "a, b"
    assert some(list("abcdefg")) == "a, b, c, d, e and 2 more"
