# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What shows that a cloud group left, and what follows from it."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import retire
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import Fate, FateKind, Skipped
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retire import (
    DEFAULT_RETIRE,
    INDEX_LAG,
    Departure,
    Evidence,
    Retire,
    RetireRules,
    Steps,
)
from tests.unit.samples import cloud_group, cloud_id, converted, sid

SINCE = datetime(2026, 1, 1, tzinfo=timezone.utc)


def fate(kind: FateKind, since: str = "2026-01-01T00:00:00Z", seen: str = "2026-01-02T00:00:00Z") -> Fate:
    return Fate(cloud_id(1), kind, "Group 1", since, seen)


DEPARTURES = {
    Skipped.MAIL_ENABLED: Departure.MAIL_ENABLED,
    Skipped.MICROSOFT_365: Departure.MAIL_ENABLED,
    Skipped.NOT_SECURITY_ENABLED: Departure.OUT_OF_SCOPE,
    Skipped.NOT_SELECTED: Departure.OUT_OF_SCOPE,
    Skipped.NOT_ASSIGNED: Departure.OUT_OF_SCOPE,
    Skipped.FILTERED_OUT: Departure.OUT_OF_SCOPE,
    Skipped.ROLLED_BACK: Departure.ROLLED_BACK,
    Skipped.ON_PREMISES_SYNCED: Departure.ROLLED_BACK,
}


@pytest.mark.parametrize("reason", Skipped)
def test_a_group_that_is_listed_left_by_its_reason(reason: Skipped) -> None:
    found = retire.evidence(None, reason, None, "words")
    assert (found.departure, found.text, found.since) == (DEPARTURES.get(reason), "words", None)


def test_a_group_that_is_listed_is_not_deleted_whatever_else_is_said() -> None:
    found = retire.evidence(None, Skipped.FILTERED_OUT, fate(FateKind.ABSENT), "words")
    assert found.departure is Departure.OUT_OF_SCOPE


@pytest.mark.parametrize("reason", [entry for entry in Skipped if entry in DEPARTURES])
@pytest.mark.parametrize("managed", [True, False, None])
def test_of_a_converted_group_only_a_read_authority_shows_that_it_left(reason: Skipped, managed: bool | None) -> None:
    """A group that was rolled back may be mail-enabled, too, or match no filter, and on-premises it is used."""
    group = dataclasses.replace(converted(1, sid(2001)), is_cloud_managed=managed)
    rolled_back = DEPARTURES[reason] is Departure.ROLLED_BACK
    found = retire.evidence(group, reason, None, "words")
    assert found.departure is (DEPARTURES[reason] if rolled_back or managed else None)
    assert found.text.startswith("words")
    assert ("authority" in found.text) is (found.departure is None)


@pytest.mark.parametrize("managed", [True, False, None])
def test_a_group_born_in_the_cloud_has_no_other_master(managed: bool | None) -> None:
    group = cloud_group(1, managed=managed)
    assert retire.evidence(group, Skipped.MAIL_ENABLED, None, "").departure is Departure.MAIL_ENABLED


def test_a_copy_that_was_deleted_while_it_was_synced_is_a_group_that_was_rolled_back() -> None:
    found = retire.evidence(None, None, fate(FateKind.SYNCED), "")
    assert (found.departure, found.since) == (Departure.ROLLED_BACK, None)
    assert "2026-01-01" in found.text


def test_the_codes_of_groups_that_were_rolled_back() -> None:
    assert {"on_premises_synced", "rolled_back"} == retire.ROLLED_BACK_CODES


def test_a_group_that_was_not_asked_for_shows_nothing() -> None:
    assert retire.evidence(None, None, None, "").departure is None


def test_a_soft_deleted_group() -> None:
    found = retire.evidence(None, None, fate(FateKind.SOFT_DELETED), "")
    assert (found.departure, found.since) == (Departure.SOFT_DELETED, SINCE)


@pytest.mark.parametrize(
    ("later", "departure"),
    [
        (timedelta(0), None),
        (INDEX_LAG - timedelta(seconds=1), None),
        (INDEX_LAG, Departure.DELETED),
        (timedelta(days=40), Departure.DELETED),
        (-timedelta(days=1), None),
    ],
)
@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ"])
def test_absence_counts_when_two_captures_found_it(later: timedelta, departure: Departure | None, form: str) -> None:
    found = retire.evidence(None, None, fate(FateKind.ABSENT, SINCE.strftime(form), (SINCE + later).strftime(form)), "")
    assert found.departure is departure
    assert found.since == (SINCE if departure else None)


@pytest.mark.parametrize(
    ("since", "seen"), [("", "2026-01-02T00:00:00Z"), ("2026-01-01T00:00:00Z", "then"), ("x", "y")]
)
def test_absence_since_an_unknown_time_shows_nothing(since: str, seen: str) -> None:
    assert retire.evidence(None, None, fate(FateKind.ABSENT, since, seen), "").departure is None


def test_rolled_back_groups_are_kept_always() -> None:
    everything = dict.fromkeys(Departure, Retire.DELETE)
    shown = Evidence(Departure.ROLLED_BACK, "", SINCE)
    assert retire.steps(RetireRules(everything, 0), shown, SINCE + timedelta(days=99)) == Steps()


@pytest.mark.parametrize("chosen", Retire)
def test_without_evidence_everything_is_kept(chosen: Retire) -> None:
    rules = RetireRules(dict.fromkeys(Departure, chosen), 0, "OU=x")
    assert retire.steps(rules, Evidence(None, ""), SINCE) == Steps()


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (Retire.KEEP, Steps()),
        (Retire.EMPTY, Steps(empty=True)),
        (Retire.DETACH, Steps(action=Retire.DETACH)),
        (Retire.MOVE, Steps(action=Retire.MOVE)),
    ],
)
@pytest.mark.parametrize("departure", [entry for entry in Departure if entry is not Departure.ROLLED_BACK])
def test_what_the_rules_choose_is_done(departure: Departure, chosen: Retire, expected: Steps) -> None:
    rules = RetireRules({departure: chosen})
    assert retire.steps(rules, Evidence(departure, "", SINCE), SINCE) == expected


@pytest.mark.parametrize(
    ("grace_days", "passed", "action"),
    [
        (30, timedelta(days=29, hours=23), Retire.KEEP),
        (30, timedelta(days=30), Retire.DELETE),
        (0, timedelta(0), Retire.DELETE),
        (0, -timedelta(seconds=1), Retire.KEEP),
    ],
)
def test_a_deleted_group_is_emptied_at_once_and_deleted_after_the_grace(
    grace_days: int, passed: timedelta, action: Retire
) -> None:
    found = retire.steps(RetireRules(grace_days=grace_days), Evidence(Departure.DELETED, "", SINCE), SINCE + passed)
    assert (found.empty, found.action) == (True, action)
    assert bool(found.text) is (action is Retire.KEEP)


@pytest.mark.parametrize(("since", "now"), [(None, SINCE), (SINCE, None)])
def test_without_a_time_nothing_is_deleted(since: datetime | None, now: datetime | None) -> None:
    found = retire.steps(RetireRules(grace_days=0), Evidence(Departure.DELETED, "", since), now)
    assert (found.empty, found.action) == (True, Retire.KEEP)


def test_the_default_rules() -> None:
    assert DEFAULT_RETIRE[Departure.DELETED] is Retire.DELETE
    assert DEFAULT_RETIRE[Departure.SOFT_DELETED] is Retire.EMPTY
    kept = {Departure.OUT_OF_SCOPE, Departure.MAIL_ENABLED, Departure.ROLLED_BACK}
    assert {departure for departure, chosen in DEFAULT_RETIRE.items() if chosen is Retire.KEEP} == kept
    assert RetireRules().grace_days == 30
