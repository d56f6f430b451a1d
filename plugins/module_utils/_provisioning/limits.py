# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much one run may change, checked on the whole plan before the first write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    MemberChange,
    PlanItem,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word


class Kind(Word):
    """What is counted."""

    CONTAINERS = "containers"
    CREATIONS = "creations"
    RESTORES = "restores"
    ADOPTIONS = "adoptions"
    CONVERSIONS = "conversions"
    UPDATES = "updates"
    RENAMES = "renames"
    MOVES = "moves"
    MEMBER_ADDITIONS = "member_additions"
    MEMBER_REMOVALS = "member_removals"
    GROUP_ADDITIONS = "group_additions"
    GROUP_REMOVALS = "group_removals"
    GROUPS_EMPTIED = "groups_emptied"
    RETIREMENTS = "retirements"
    DELETIONS = "deletions"
    SCOPE_LOSSES = "scope_losses"
    MEMBERSHIP_LOSSES = "membership_losses"


@dataclass(frozen=True, slots=True)
class Limit:
    """The limit of one kind of change.

    Parameters:
        count: most that one run may do, or None.
        percent: most of what the directory holds now, in percent, or None.
        floor: up to this many, percent is not looked at, so that small sets can change.
    """

    count: int | None = None
    percent: int | None = None
    floor: int = 0


DEFAULT_LIMITS: Mapping[Kind, Limit] = {
    Kind.CONTAINERS: Limit(count=100),
    Kind.CREATIONS: Limit(count=500),
    Kind.RESTORES: Limit(count=50),
    Kind.ADOPTIONS: Limit(count=500),
    Kind.CONVERSIONS: Limit(count=200),
    Kind.UPDATES: Limit(percent=50, floor=100),
    Kind.RENAMES: Limit(count=200, percent=30, floor=10),
    Kind.MOVES: Limit(count=200, percent=30, floor=10),
    Kind.MEMBER_ADDITIONS: Limit(count=20000, percent=100, floor=2000),
    Kind.MEMBER_REMOVALS: Limit(count=2000, percent=30, floor=20),
    Kind.GROUP_ADDITIONS: Limit(count=5000),
    Kind.GROUP_REMOVALS: Limit(percent=50, floor=50),
    Kind.GROUPS_EMPTIED: Limit(count=20, percent=10, floor=3),
    Kind.RETIREMENTS: Limit(count=50, percent=10, floor=5),
    Kind.DELETIONS: Limit(count=20, percent=5, floor=3),
    Kind.SCOPE_LOSSES: Limit(percent=30, floor=10),
    Kind.MEMBERSHIP_LOSSES: Limit(percent=30, floor=20),
}

# What each change of a group object counts as; detaching counts as a retirement alone.
_COUNTED_AS: Mapping[Action, tuple[Kind, ...]] = {
    Action.CREATE_CONTAINER: (Kind.CONTAINERS,),
    Action.CREATE: (Kind.CREATIONS,),
    Action.RESTORE: (Kind.RESTORES,),
    Action.ADOPT: (Kind.ADOPTIONS,),
    Action.CONVERT: (Kind.CONVERSIONS,),
    Action.UPDATE: (Kind.UPDATES,),
    Action.STAMP: (Kind.ADOPTIONS,),
    Action.RENAME: (Kind.RENAMES,),
    Action.MOVE: (Kind.MOVES,),
    Action.RENAME_AND_MOVE: (Kind.RENAMES, Kind.MOVES),
    Action.DELETE: (Kind.DELETIONS,),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a run."""

    by_kind: Mapping[Kind, Limit] = field(default_factory=lambda: DEFAULT_LIMITS)


@dataclass(frozen=True, slots=True)
class Size:
    """How much a reading of the cloud holds.

    Parameters:
        groups: groups in scope.
        memberships: their direct members, over all of them.
    """

    groups: int
    memberships: int


@dataclass(slots=True)
class Tally:
    """Running counts over a plan, what the directory holds now, and how large the readings of the cloud are.

    Parameters:
        counts: changes by kind.
        groups: managed groups in the directory.
        links: their links, as far as they are looked at.
        links_before: the links of all when all were looked at last; 0 when all are now.
        size: what the snapshot holds, or None where that says nothing.
        size_before: the same of the snapshot that was applied last, or None.
        members_planned: whether the members of all groups are planned; else a share of removals says nothing.
        by_group: for additions and removals, the changes of single groups: name, links to add or remove, links held.
    """

    counts: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    groups: int = 0
    links: int = 0
    links_before: int = 0
    size: Size | None = None
    size_before: Size | None = None
    members_planned: bool = True
    by_group: dict[Kind, list[tuple[str, int, int]]] = field(
        default_factory=lambda: {Kind.GROUP_ADDITIONS: [], Kind.GROUP_REMOVALS: []}
    )

    def counted(self, items: Iterable[PlanItem]) -> Iterator[PlanItem]:
        """Yield the items of a plan and count them."""
        for item in items:
            if isinstance(item, GroupChange):
                for kind in _COUNTED_AS.get(item.action, ()):
                    self.counts[kind] += 1
                self.counts[Kind.RETIREMENTS] += item.retires
            elif isinstance(item, MemberChange):
                self._count_members(item)
                self.counts[Kind.RETIREMENTS] += item.retires
            yield item

    def _count_members(self, change: MemberChange) -> None:
        added, removed, held = len(change.add), len(change.remove), change.before_count
        self.counts[Kind.MEMBER_ADDITIONS] += added
        self.counts[Kind.MEMBER_REMOVALS] += removed
        # Whoever comes instead is somebody else.
        self.counts[Kind.GROUPS_EMPTIED] += bool(removed) and removed == held
        for kind, planned in ((Kind.GROUP_ADDITIONS, added), (Kind.GROUP_REMOVALS, removed)):
            if planned:
                self.by_group[kind].append((change.name, planned, held))

    def base(self, kind: Kind) -> int:
        """Return what a percentage of this kind refers to."""
        if kind in (Kind.MEMBER_ADDITIONS, Kind.MEMBER_REMOVALS):
            return max(self.links, self.links_before)
        return self.groups


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that a plan exceeds.

    Parameters:
        kind: what was counted.
        planned: how many the plan holds.
        allowed: how many the limit lets through.
        rule: the limit in words.
        where: the group, for a limit of single groups; else an empty string.
    """

    kind: Kind
    planned: int
    allowed: int
    rule: str
    where: str = ""


def check_limits(tally: Tally, limits: Limits) -> tuple[Breach, ...]:
    """Return the limits that a plan exceeds; an empty tuple lets it through."""
    breaches = []
    for kind in Kind:
        limit = limits.by_kind.get(kind, Limit())
        if kind in tally.by_group:
            breaches += _group_breaches(kind, limit, tally.by_group[kind])
        elif kind in _SIZES:
            breaches += _size_breaches(kind, limit, tally)
        elif kind is Kind.MEMBER_ADDITIONS and not tally.members_planned:
            # Only the links of restored groups are planned, and none was counted that they could be a share of.
            breaches += _breaches(kind, Limit(limit.count), tally.counts[kind], 0)
        elif kind is not Kind.MEMBER_REMOVALS or tally.members_planned:
            breaches += _breaches(kind, limit, tally.counts[kind], tally.base(kind))
    return tuple(breaches)


def _breaches(kind: Kind, limit: Limit, planned: int, base: int, where: str = "") -> list[Breach]:
    if limit.count is not None and planned > limit.count:
        return [Breach(kind, planned, limit.count, f"count {limit.count}", where)]
    if limit.percent is not None and planned > limit.floor and planned * 100 > limit.percent * base:
        allowed = max(limit.floor, limit.percent * base // 100)
        return [Breach(kind, planned, allowed, f"{limit.percent} % of {base}, from {limit.floor} up", where)]
    return []


_MOST_GROUPS_NAMED = 10


def _group_breaches(kind: Kind, limit: Limit, groups: Iterable[tuple[str, int, int]]) -> list[Breach]:
    """Return the groups that change too much, the largest changes first."""
    found = [breach for name, planned, held in groups for breach in _breaches(kind, limit, planned, held, name)]
    return sorted(found, key=lambda breach: (-breach.planned, breach.where))[:_MOST_GROUPS_NAMED]


_SIZES: Mapping[Kind, str] = {Kind.SCOPE_LOSSES: "groups", Kind.MEMBERSHIP_LOSSES: "memberships"}


def _size_breaches(kind: Kind, limit: Limit, tally: Tally) -> list[Breach]:
    """Return whether the cloud holds much less than before; no group where some were is always too little."""
    if tally.size is None or tally.size_before is None:
        return []
    now, before = getattr(tally.size, _SIZES[kind]), getattr(tally.size_before, _SIZES[kind])
    if kind is Kind.SCOPE_LOSSES and before and not now:
        return [Breach(kind, before, 0, "nothing is left of what was there before")]
    return _breaches(kind, limit, max(0, before - now), before)
