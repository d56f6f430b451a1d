# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much one run may change."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import (
    DEFAULT_LIMITS,
    Kind,
    Limit,
    Limits,
    Tally,
    check_limits,
)


def tally(kind: Kind, planned: int, *, groups: int = 0, links: int = 0) -> Tally:
    result = Tally(groups=groups, links=links)
    result.counts[kind] = planned
    return result


@pytest.mark.parametrize(
    ("limit", "planned", "links", "allowed"),
    [
        (Limit(count=5), 5, 0, None),
        (Limit(count=5), 6, 0, 5),
        (Limit(count=0), 1, 1000, 0),
        (Limit(percent=30), 30, 100, None),
        (Limit(percent=30), 31, 100, 30),
        (Limit(percent=30), 1, 0, 0),
        (Limit(percent=30), 1, 3, 0),
        (Limit(percent=0), 1, 100, 0),
        (Limit(percent=30, floor=20), 20, 10, None),
        (Limit(percent=30, floor=20), 21, 10, 20),
        (Limit(percent=30, floor=20), 31, 100, 30),
        (Limit(count=10, percent=1), 11, 100, 10),
        (Limit(count=100, percent=1), 11, 100, 1),
        (Limit(), 10**6, 0, None),
    ],
)
def test_a_limit_lets_through_what_it_says(limit: Limit, planned: int, links: int, allowed: int | None) -> None:
    breaches = check_limits(tally(Kind.MEMBER_REMOVALS, planned, links=links), Limits({Kind.MEMBER_REMOVALS: limit}))
    assert [breach.allowed for breach in breaches] == ([] if allowed is None else [allowed])
    for breach in breaches:
        assert (breach.kind, breach.planned) == (Kind.MEMBER_REMOVALS, planned)
        assert breach.rule


@pytest.mark.parametrize("kind", Kind)
def test_percent_refers_to_links_for_members_and_to_groups_else(kind: Kind) -> None:
    counted = tally(kind, 1, groups=100, links=200)
    assert counted.base(kind) == (200 if "member" in kind.value else 100)


def test_every_kind_that_takes_away_has_a_default_limit() -> None:
    taking = {Kind.MEMBER_REMOVALS, Kind.GROUPS_EMPTIED, Kind.RENAMES, Kind.MOVES, Kind.RETIREMENTS, Kind.DELETIONS}
    assert set(DEFAULT_LIMITS) == taking | {Kind.RESTORES, Kind.CONVERSIONS}
    assert all(DEFAULT_LIMITS[kind].percent and DEFAULT_LIMITS[kind].floor for kind in taking)
    assert all(limit.count for limit in DEFAULT_LIMITS.values())


def test_each_exceeded_limit_is_told() -> None:
    counted = tally(Kind.RENAMES, 500, groups=1000)
    counted.counts[Kind.MOVES] = 500
    assert {breach.kind for breach in check_limits(counted, Limits())} == {Kind.RENAMES, Kind.MOVES}


def test_nothing_planned_exceeds_nothing() -> None:
    assert check_limits(Tally(), Limits({kind: Limit(0, 0, 0) for kind in Kind})) == ()
