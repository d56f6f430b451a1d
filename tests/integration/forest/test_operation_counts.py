# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many operations a group of thousands costs, counted by the proxy; make large does the same with 50,000."""

from __future__ import annotations

from math import ceil

from tests.integration.forest.large_group import BATCH, CHANGED, TERMS, LargeGroup
from tests.integration.modules.target import Target
from tests.lab.policy.admin import PolicyAdmin
from tests.lab.scenario import object_id

SIZE = 4600


def test_each_step_of_a_large_group_stays_within_its_operations(strict: Target, strict_policy: PolicyAdmin) -> None:
    size = SIZE - CHANGED
    group = LargeGroup(strict, strict_policy, size)
    strict.snapshot_of(group.cloud_id)
    group.create()
    loaded = {f"CN=load{number:05},OU=Load,{strict.forest.base_dn}" for number in range(1, size + 1)}
    assert strict.members(group.cloud_id) == loaded
    quiet = group.leave_as_it_is()
    group.exchange(quiet, [object_id(f"load{number:05}") for number in range(size + 1, SIZE + 1)])
    changed = {f"CN=load{number:05},OU=Load,{strict.forest.base_dn}" for number in range(CHANGED + 1, SIZE + 1)}
    assert strict.members(group.cloud_id) == changed


def test_without_a_plan_each_module_looks_up_what_it_writes(strict: Target, strict_policy: PolicyAdmin) -> None:
    group = LargeGroup(strict, strict_policy, SIZE)
    strict.snapshot_of(group.cloud_id)
    _result, made = group.run("gpad_group, new group", lambda: strict.group(snapshot=str(strict.snapshot)))
    result, filled = group.from_snapshot("gpad_membership, new group")
    assert result["summary"]["members_added"] == SIZE
    assert (made.look_ups, made.writes) == (0, 1)
    assert filled.look_ups <= ceil(SIZE / TERMS) and filled.writes <= ceil(SIZE / BATCH)
