# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many group SIDs users carry in their access tokens, estimated.

A token holds 1,024 SIDs at most, of which about nine are well-known ones; beyond 1,015 groups a user cannot log on
(learn.microsoft.com, "Logging on a user account that is a member of more than 1,010 groups may fail").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.preflight import (
    Row,
    Status,
    judged,
    listed,
)

_MOST_GROUPS = 1015
_NEAR = 900


@dataclass(frozen=True, slots=True)
class Membership:
    """A user and the groups that hold it directly, by the keys of the group table."""

    dn: str
    groups: tuple[str, ...]


class GroupClosure:
    """Which groups hold a group, at any depth.

    Parameters:
        parents: group to the groups that hold it directly; what is not a key is no security group of the domain.
    """

    def __init__(self, parents: Mapping[str, Iterable[str]]) -> None:
        self._parents = {
            name: tuple(other for other in held_by if other in parents) for name, held_by in parents.items()
        }
        self._above: dict[str, frozenset[str]] = {}

    def count(self, groups: Iterable[str]) -> int:
        """Return how many groups these are with all that hold them."""
        return len(frozenset().union(*(self._closure(name) for name in groups if name in self._parents)))

    def _closure(self, start: str) -> frozenset[str]:
        """Return a group and all that hold it; asked for at the groups that hold users, and kept."""
        if start not in self._above:
            seen = {start}
            waiting = [start]
            while waiting:
                new = [other for other in self._parents[waiting.pop()] if other not in seen]
                seen.update(new)
                waiting += new
            self._above[start] = frozenset(seen)
        return self._above[start]


def token_row(closure: GroupClosure, users: Iterable[Membership], most: int) -> Row:
    """Return the row on users near the limit.

    Parameters:
        closure: of the security groups of the domain.
        users: those who are members of a group.
        most: how many users were to be looked at.
    """
    looked, largest, near = 0, 0, []
    for user in users:
        looked += 1
        # The primary group is not among the groups that hold a user.
        carried = closure.count(user.groups) + 1
        largest = max(largest, carried)
        if carried >= _NEAR:
            near.append(f"{user.dn} ({carried})")
    scope = f"the first {looked} users" if looked >= most else f"{looked} users"
    counted = (
        f"{scope} with groups looked at, the most groups {largest}; counted are the security groups of this domain at "
        "any depth and the primary group, not SID history nor groups of other domains"
    )
    if not near and (looked >= most or not looked):
        return Row("group SIDs in users' tokens", Status.UNKNOWN, counted)
    return judged(
        "group SIDs in users' tokens",
        not near,
        f"{len(near)} with {_NEAR} or more: {listed(near)}; {counted}" if near else counted,
        f"From {_MOST_GROUPS} groups on a user cannot log on: take these users out of groups before they get more.",
        Status.WARNING,
    )
