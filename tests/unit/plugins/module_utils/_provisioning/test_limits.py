# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much one run may change."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import (
    DEFAULT_LIMITS,
    Kind,
    Limit,
    Limits,
    Size,
    Tally,
    check_limits,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.membership import Wanted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import Link, PrincipalKind
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    MemberChange,
    PlanItem,
)

OF_GROUPS = (Kind.GROUP_ADDITIONS, Kind.GROUP_REMOVALS)
OF_READINGS = (Kind.SCOPE_LOSSES, Kind.MEMBERSHIP_LOSSES)


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


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in OF_GROUPS + OF_READINGS])
def test_percent_refers_to_links_for_members_and_to_groups_else(kind: Kind) -> None:
    counted = tally(kind, 60, groups=100, links=200)
    told = check_limits(counted, Limits({kind: Limit(percent=50)}))
    assert len(told) == (0 if kind in (Kind.MEMBER_ADDITIONS, Kind.MEMBER_REMOVALS) else 1)


def test_every_kind_has_a_default_limit() -> None:
    assert set(DEFAULT_LIMITS) == set(Kind)
    assert all(limit.count is not None or limit.percent is not None for limit in DEFAULT_LIMITS.values())


def test_what_takes_away_is_limited_in_proportion_beyond_a_floor() -> None:
    taking = {Kind.MEMBER_REMOVALS, Kind.GROUP_REMOVALS, Kind.GROUPS_EMPTIED, Kind.RETIREMENTS, Kind.DELETIONS}
    assert all(DEFAULT_LIMITS[kind].percent and DEFAULT_LIMITS[kind].floor for kind in taking)


def test_each_exceeded_limit_is_told() -> None:
    counted = tally(Kind.RENAMES, 500, groups=1000)
    counted.counts[Kind.MOVES] = 500
    assert {breach.kind for breach in check_limits(counted, Limits())} == {Kind.RENAMES, Kind.MOVES}


def test_nothing_planned_exceeds_nothing() -> None:
    assert check_limits(Tally(), Limits({kind: Limit(0, 0, 0) for kind in Kind})) == ()


def members(number: int, add: int, remove: int, held: int, **more: Any) -> MemberChange:
    wanted = tuple(Wanted(str(n), PrincipalKind.USER, str(n), str(n), None, str(n)) for n in range(add))
    links = tuple(Link(str(n), f"S-1-{n}", f"CN={n}") for n in range(remove))
    return MemberChange(f"id-{number}", f"group {number}", "g", "CN=g", wanted, links, held, "", **more)


def group_change(action: Action, *, retires: bool = False) -> GroupChange:
    return GroupChange(action, "id", "name", "guid", "CN=name", None, {}, {}, "reason", retires=retires)


def counted(*items: PlanItem, **more: Any) -> Tally:
    result = Tally(**more)
    assert list(result.counted(items)) == list(items)
    return result


def test_what_a_plan_holds_is_counted_by_kind() -> None:
    both = group_change(Action.RENAME_AND_MOVE)
    gone = group_change(Action.DELETE, retires=True)
    loose = group_change(Action.DETACH, retires=True)
    result = counted(both, gone, loose, members(1, 3, 0, 5), members(2, 1, 4, 4), members(3, 0, 2, 4, retires=True))
    assert {kind.value: count for kind, count in result.counts.items() if count} == {
        "renames": 1,
        "moves": 1,
        "deletions": 1,
        "retirements": 3,
        "member_additions": 4,
        "member_removals": 6,
        "groups_emptied": 1,
    }


def test_a_group_that_loses_all_and_gains_others_was_emptied() -> None:
    assert counted(members(1, 7, 3, 3)).counts[Kind.GROUPS_EMPTIED] == 1
    assert counted(members(1, 7, 3, 4)).counts[Kind.GROUPS_EMPTIED] == 0
    assert counted(members(1, 7, 0, 0)).counts[Kind.GROUPS_EMPTIED] == 0


@pytest.mark.parametrize(
    ("remove", "held", "allowed"), [(5, 5, None), (6, 12, None), (7, 13, 6), (7, 14, None), (7, 7, 5), (40, 100, None)]
)
def test_one_group_may_lose_so_much(remove: int, held: int, allowed: int | None) -> None:
    limits = Limits({Kind.GROUP_REMOVALS: Limit(percent=50, floor=5)})
    told = check_limits(counted(members(1, 0, remove, held), members(2, 9, 0, 1), links=10**6), limits)
    assert [(b.where, b.planned, b.allowed) for b in told] == (
        [] if allowed is None else [("group 1", remove, allowed)]
    )


def test_one_group_may_gain_so_many() -> None:
    limits = Limits({Kind.GROUP_ADDITIONS: Limit(count=5)})
    told = check_limits(counted(*(members(n, n, 0, 0) for n in range(9))), limits)
    assert [(breach.where, breach.planned) for breach in told] == [("group 8", 8), ("group 7", 7), ("group 6", 6)]


def test_a_thousand_groups_are_not_all_named() -> None:
    limits = Limits({Kind.GROUP_ADDITIONS: Limit(count=0)})
    assert len(check_limits(counted(*(members(n, 1, 0, 0) for n in range(1000))), limits)) == 10


@pytest.mark.parametrize(
    ("before", "now", "kinds"),
    [
        (None, Size(0, 0), ()),
        (Size(0, 0), Size(0, 0), ()),
        (Size(100, 1000), None, ()),
        (Size(100, 1000), Size(100, 1000), ()),
        (Size(100, 1000), Size(200, 9000), ()),
        (Size(100, 1000), Size(70, 700), ()),
        (Size(100, 1000), Size(69, 1000), (Kind.SCOPE_LOSSES,)),
        (Size(100, 1000), Size(100, 699), (Kind.MEMBERSHIP_LOSSES,)),
        (Size(12, 22), Size(2, 2), ()),
        (Size(12, 22), Size(1, 1), OF_READINGS),
        (Size(3, 10), Size(0, 0), (Kind.SCOPE_LOSSES,)),
        (Size(3, 10), Size(3, 0), ()),
        (Size(3, 21), Size(3, 0), (Kind.MEMBERSHIP_LOSSES,)),
    ],
)
def test_a_much_smaller_reading_is_stopped(before: Size | None, now: Size | None, kinds: tuple[Kind, ...]) -> None:
    told = check_limits(Tally(size=now, size_before=before), Limits())
    assert tuple(breach.kind for breach in told) == kinds


def test_an_empty_reading_is_stopped_whatever_the_limits() -> None:
    told = check_limits(Tally(size=Size(0, 0), size_before=Size(1, 1)), Limits({}))
    assert [breach.kind for breach in told] == [Kind.SCOPE_LOSSES]


def test_a_share_of_removals_says_nothing_where_members_are_not_planned() -> None:
    lost = members(1, 0, 6, 6, retires=True)
    limits = Limits({Kind.MEMBER_REMOVALS: Limit(percent=1)})
    assert check_limits(counted(lost, members_planned=False), limits) == ()
    assert len(check_limits(counted(lost), limits)) == 1


@pytest.mark.parametrize(("planned", "allowed"), [(2001, True), (20_000, True), (20_001, False)])
def test_a_share_of_additions_says_nothing_where_members_are_not_planned(planned: int, allowed: bool) -> None:
    """The links of restored groups are planned by gpad_group, which counts no links that they could be a share of."""
    held = tally(Kind.MEMBER_ADDITIONS, planned, groups=1000)
    assert check_limits(held, Limits())
    held.members_planned = False
    assert (check_limits(held, Limits()) == ()) is allowed
