# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people hold in their hands: approving one plan, stopping runs, and the way back from one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.modules import objects
from tests.integration.modules.objects import unique
from tests.integration.modules.target import Target
from tests.lab.scenario import object_id

BRITTA, LOLA, FOREIGN = "Britta Simon", "Lola Jacobson", "Foreign Hand"


def test_a_plan_over_its_limits_is_applied_once_it_is_approved(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Over"), [object_id(BRITTA)])
    target.snapshot_of(cloud_id)
    plan = target.plan(limits={"creations": {"count": 0}})
    assert plan["outcome"] == "blocked" and plan["checksum"] in plan["errors"][0]["remedy"]
    assert target.group()["errors"][0]["code"] == "limit_exceeded"
    wrong = target.group(approve="0" * 64)
    assert wrong["errors"][0]["code"] == "plan_not_approved" and plan["checksum"] in wrong["msg"]
    assert target.entries(cloud_id) == []
    assert target.group(approve=plan["checksum"])["outcome"] == "ok"
    assert target.membership(approve=plan["checksum"])["outcome"] == "ok"
    assert target.members(cloud_id) == {target.person(BRITTA)}
    assert target.group(approve=plan["checksum"])["errors"][0]["code"] == "plan_used"


def test_stopped_runs_write_nothing_until_they_may_again(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Stopped"))
    target.provision(cloud_id)
    assert target.keep(stopped=True, check=True)["changed"]
    assert target.keep(stopped=True, stop_reason="a change freeze.")["stopped"]
    assert not target.keep(stopped=True)["changed"]
    target.admin.patch_group(cloud_id, description="new")
    before = target.usn()
    target.snapshot_of(cloud_id)
    assert target.plan()["outcome"] == "ok"
    result = target.group()
    assert (result["outcome"], result["errors"][0]["code"]) == ("blocked", "stopped")
    assert "a change freeze." in result["msg"]
    assert target.usn() == before
    assert target.keep(stopped=False)["changed"]
    target.provision(cloud_id)
    assert target.entry(cloud_id)["description"] == ["new"]


def undo(target: Target, plan_id: str, **options: Any) -> dict[str, Any]:
    """Take back all runs of a plan; return the plan of the way back."""
    way_back = target.undo(plan_id, **options)
    for result in (way_back, target.group(), target.membership()):
        assert result["outcome"] == "ok", result
    return way_back


def test_a_run_is_taken_back(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Back"), [object_id(BRITTA)], description="old")
    target.provision(cloud_id)
    before = target.entry(cloud_id)
    target.admin.patch_group(cloud_id, displayName=unique("Forth"), description="new")
    target.admin.add_member(cloud_id, object_id(LOLA))
    target.admin.remove_member(cloud_id, object_id(BRITTA))
    target.snapshot_of(cloud_id)
    plan_id = target.apply_plan(target_container=target.forest.managed_containers[1])["plan_id"]
    assert target.entry(cloud_id)["dn"] != before["dn"]
    foretold = target.undo(plan_id, check=True)
    plan = undo(target, plan_id)
    assert foretold["changes"] == plan["changes"]
    after = target.entry(cloud_id)
    same = ("dn", "objectSid", "cn", "displayName", "description", "member", "adminDescription")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert not target.undo(plan_id)["would_change"]
    outdated = target.plan()
    assert outdated["errors"][0]["code"] == "snapshot_outdated", "it would do again what was undone"


def test_what_was_changed_since_stays(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Since"), [object_id(BRITTA), object_id(LOLA)])
    target.snapshot_of(cloud_id)
    plan_id = target.apply_plan()["plan_id"]
    dn = target.entry(cloud_id)["dn"][0]
    target.modify(dn, f"add: member\nmember: {target.person(FOREIGN)}")
    target.modify(dn, f"delete: member\nmember: {target.person(LOLA)}")
    plan = undo(target, plan_id)
    assert objects.noticed(plan, cloud_id) == {"undo_left"}
    assert target.members(cloud_id) == {target.person(FOREIGN)}, "the group that was created is kept"


def test_a_group_that_was_retired_and_deleted_returns(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Deleted too soon"))
    other = target.admin.create_group(unique("Stays"))
    target.provision(cloud_id, other)
    before = target.entry(cloud_id)
    target.admin.purge(cloud_id)
    target.snapshot_of(other)
    target.age_fates()
    plan_id = target.apply_plan(retire={"grace_days": 0})["plan_id"]
    assert target.entries(cloud_id) == []
    undo(target, plan_id)
    after = target.entry(cloud_id)
    assert all(after[name] == before[name] for name in ("dn", "objectSid", "objectGUID", "adminDescription"))


@pytest.mark.parametrize("limits", [{"member_removals": {"count": 0}}, {"groups_emptied": {"count": 0}}])
def test_the_way_back_stands_under_the_same_limits(target: Target, limits: dict[str, Any]) -> None:
    cloud_id = target.admin.create_group(unique("Limited"), [object_id(BRITTA)])
    target.snapshot_of(cloud_id)
    plan_id = target.apply_plan()["plan_id"]
    assert target.undo(plan_id, limits=limits)["outcome"] == "blocked"
    assert target.membership()["outcome"] == "blocked"
    assert target.members(cloud_id) == {target.person(BRITTA)}


def test_a_run_that_nobody_knows_is_told(target: Target) -> None:
    result = target.undo("no-such-run")
    assert result["fatal"] and result["errors"][0]["code"] == "run_unknown"
