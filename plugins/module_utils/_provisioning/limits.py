# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How much one run may change, checked on the whole plan before the first write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
    GROUPS_EMPTIED = "groups_emptied"
    RETIREMENTS = "retirements"
    DELETIONS = "deletions"


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
    Kind.MEMBER_REMOVALS: Limit(count=2000, percent=30, floor=20),
    Kind.GROUPS_EMPTIED: Limit(count=20, percent=10, floor=3),
    Kind.RENAMES: Limit(count=200, percent=30, floor=10),
    Kind.MOVES: Limit(count=200, percent=30, floor=10),
    Kind.CONVERSIONS: Limit(count=200),
    Kind.RESTORES: Limit(count=50),
    Kind.RETIREMENTS: Limit(count=50, percent=10, floor=5),
    Kind.DELETIONS: Limit(count=20, percent=5, floor=3),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a run."""

    by_kind: Mapping[Kind, Limit] = field(default_factory=lambda: DEFAULT_LIMITS)


@dataclass(slots=True)
class Tally:
    """Running counts over a plan, and what the directory holds now.

    Parameters:
        counts: changes by kind.
        groups: managed groups in the directory.
        links: their links.
    """

    counts: dict[Kind, int] = field(default_factory=lambda: dict.fromkeys(Kind, 0))
    groups: int = 0
    links: int = 0

    def base(self, kind: Kind) -> int:
        """Return what a percentage of this kind refers to."""
        return self.links if kind in (Kind.MEMBER_ADDITIONS, Kind.MEMBER_REMOVALS) else self.groups


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that a plan exceeds.

    Parameters:
        kind: what was counted.
        planned: how many the plan holds.
        allowed: how many the limit lets through.
        rule: the limit in words.
    """

    kind: Kind
    planned: int
    allowed: int
    rule: str


def check_limits(tally: Tally, limits: Limits) -> tuple[Breach, ...]:
    """Return the limits that a plan exceeds; an empty tuple lets it through."""
    breaches = []
    for kind, limit in limits.by_kind.items():
        planned, base = tally.counts[kind], tally.base(kind)
        if limit.count is not None and planned > limit.count:
            breaches.append(Breach(kind, planned, limit.count, f"count {limit.count}"))
        elif limit.percent is not None and planned > limit.floor and planned * 100 > limit.percent * base:
            allowed = max(limit.floor, limit.percent * base // 100)
            breaches.append(Breach(kind, planned, allowed, f"{limit.percent} % of {base}, from {limit.floor} up"))
    return tuple(breaches)
