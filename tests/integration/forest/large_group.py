# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of one large group, and how many operations each step of it may cost."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

from tests.integration.forest.cost import Cost, measured
from tests.integration.modules.target import Target
from tests.lab.policy.admin import PolicyAdmin
from tests.lab.scenario import object_id

RANGE, TERMS, BATCH = 1500, 200, 1000
CHANGED = 5
# So many members at once are more than the default limits let through.
_WIDE = {kind: {"count": 10**6} for kind in ("member_additions", "group_additions")}
_BESIDE_RANGES, _BESIDE_BATCHES, _MORE_FOR_CHANGES = 20, 10, 3


class LargeGroup:
    """A group of the first users of a lab's crowd, through the modules.

    Parameters:
        target: the domain, behind the policy proxy.
        policy: the proxy's control channel.
        size: members that it has.
    """

    def __init__(self, target: Target, policy: PolicyAdmin, size: int) -> None:
        self.target, self._policy = target, policy
        self.members = [object_id(f"load{number:05}") for number in range(1, size + 1)]
        self.cloud_id = target.admin.create_group("Large", self.members)
        self.table: list[tuple[str, Cost]] = []

    def run(self, name: str, call: Callable[[], dict[str, Any]], outcome: str = "ok") -> tuple[dict[str, Any], Cost]:
        """Measure a call under a name; it must end as expected."""
        result, cost = measured(self._policy, call)
        self.table.append((name, cost))
        assert result["outcome"] == outcome, result["errors"]
        return result, cost

    def from_snapshot(self, name: str) -> tuple[dict[str, Any], Cost]:
        """Run gpad_membership on the snapshot."""
        return self.run(name, lambda: self.target.membership(snapshot=str(self.target.snapshot), limits=_WIDE))

    def create(self) -> None:
        """Make the group with all its members, by a plan."""
        size = len(self.members)
        _result, planned = self.run("gpad_plan, new group", lambda: self.target.plan(limits=_WIDE))
        _result, made = self.run("gpad_group, by the plan", self.target.group)
        result, filled = self.run("gpad_membership, by the plan", self.target.membership)
        assert result["summary"]["members_added"] == size
        assert planned.look_ups + made.look_ups + filled.look_ups <= ceil(size / TERMS)
        assert made.writes + filled.writes <= ceil(size / BATCH) + _BESIDE_BATCHES
        assert filled.largest <= BATCH

    def leave_as_it_is(self) -> Cost:
        """Look at the group, with nothing to change; return what it cost."""
        result, cost = self.from_snapshot("gpad_membership, no change")
        assert not result["changed"]
        assert (cost.writes, cost.look_ups) == (0, 0)
        assert cost.ranges <= ceil(len(self.members) / RANGE)
        assert cost.others <= _BESIDE_RANGES
        return cost

    def exchange(self, quiet: Cost, newcomers: list[str]) -> None:
        """Let as many members leave as come."""
        leaving = self.members[:CHANGED]
        self.target.admin.remove_members(self.cloud_id, leaving)
        self.target.admin.add_members(self.cloud_id, newcomers)
        self.members = self.members[CHANGED:] + newcomers
        self.target.snapshot_of(self.cloud_id)
        result, cost = self.from_snapshot(f"gpad_membership, {CHANGED} in, {CHANGED} out")
        assert result["summary"]["members_added"] == result["summary"]["members_removed"] == CHANGED
        assert cost.operations <= quiet.operations + _MORE_FOR_CHANGES

    def report(self) -> str:
        """Return the table of what was measured."""
        head = f"{'step':38}{'ranges':>8}{'look-ups':>9}{'others':>7}{'writes':>7}{'s':>8}{'MB':>6}"
        rows = [
            f"{name:38}{cost.ranges:8}{cost.look_ups:9}{cost.others:7}{cost.writes:7}{cost.seconds:8.1f}"
            f"{cost.megabytes:6}"
            for name, cost in self.table
        ]
        return "\n".join([head, *rows])
