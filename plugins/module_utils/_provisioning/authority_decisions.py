# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which groups change their master, in which order, and what stands in the way of the others."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import nesting, texts
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.authority import Candidate, Rules
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.authority_checks import (
    notices,
    problems,
    some,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Notice, Problem


@dataclass(slots=True)
class Decisions:
    """What is to be done.

    Parameters:
        changes: the groups to be changed, those inside others first.
        problems: why others are not.
        notices: what people should know.
    """

    changes: list[Candidate] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)


def decide(candidates: Sequence[Candidate], rules: Rules) -> Decisions:
    """Return which groups change their master, in order, and what stands in the way of the others.

    All that is wrong with a group is told, and a group waits for those inside it that were named as well and cannot be
    changed. "Begin with the lowest nested group" and "not recursive" are the rules of the service's documents.
    """
    made = Decisions()
    moving: dict[str, Candidate] = {}
    stuck: set[str] = set()
    for candidate in candidates:
        if candidate.authority.master is rules.wanted:
            continue
        found = list(problems(candidate, rules))
        made.problems += found
        if found:
            stuck.add(candidate.group.id)
        else:
            moving[candidate.group.id] = candidate
    while held := [one for one in moving.values() if stuck & one.nested]:
        for candidate in held:
            made.problems.append(nested_failed(candidate, stuck))
            stuck.add(candidate.group.id)
            del moving[candidate.group.id]
    inside = {cloud_id: one.nested & moving.keys() for cloud_id, one in moving.items()}
    named = {candidate.group.id for candidate in candidates}
    for circle in nesting.cycles(inside):
        names = ", ".join(moving[cloud_id].group.display_name for cloud_id in circle)
        first = moving[circle[0]].group
        made.notices.append(Notice(first.id, first.display_name, "nesting_cycle", texts.SOA_CYCLE.format(names=names)))
    made.changes = [moving[cloud_id] for cloud_id in _bottom_up(inside, moving)]
    for candidate in made.changes:
        made.notices += notices(candidate, rules, named)
    return made


def nested_failed(candidate: Candidate, failed: Collection[str]) -> Problem:
    """Return why a group waits for groups inside it."""
    names = [member.display_name or member.id for member in candidate.listed if member.id in failed]
    text = f"These groups inside it were to be changed first, and were not: {some(names)}."
    return candidate.problem("nested_failed", text, "See why, and run again.")


def _bottom_up(inside: Mapping[str, Collection[str]], moving: Mapping[str, Candidate]) -> Iterator[str]:
    """Yield the groups, those inside others first; those of a circle follow one another."""
    left = sorted(inside, key=lambda cloud_id: (moving[cloud_id].group.display_name, cloud_id))
    while left:
        waiting = {cloud_id: set(inside[cloud_id]) & set(left) for cloud_id in left}
        free = [cloud_id for cloud_id in left if not waiting[cloud_id]] or _lowest_circle(waiting)
        yield from free
        left = [cloud_id for cloud_id in left if cloud_id not in free]


def _lowest_circle(waiting: Mapping[str, Collection[str]]) -> Sequence[str]:
    circles = nesting.cycles(waiting)
    closed = (circle for circle in circles if all(set(waiting[cloud_id]) <= set(circle) for cloud_id in circle))
    return next(closed, circles[0])
