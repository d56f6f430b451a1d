# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Groups inside groups."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from graphlib import CycleError, TopologicalSorter


def cycles(members: Mapping[str, Collection[str]]) -> list[tuple[str, ...]]:
    """Return cycles of nested groups, no two of which share a group, each in the order of its nesting.

    Parameters:
        members: id of each group to the ids of its member groups.
    """
    found: list[tuple[str, ...]] = []
    left = {group: sorted(inside) for group, inside in sorted(members.items())}
    while cycle := _cycle(left):
        found.append(cycle)
        left = {
            group: [inner for inner in inside if inner not in cycle]
            for group, inside in left.items()
            if group not in cycle
        }
    return found


def _cycle(members: Mapping[str, Collection[str]]) -> tuple[str, ...]:
    try:
        TopologicalSorter(members).prepare()
    except CycleError as error:
        # The sorter names what is inside first.
        return tuple(reversed(error.args[1][:-1]))
    return ()
