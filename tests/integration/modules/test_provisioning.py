# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups come, change, and stay the same objects; ldapsearch is the judge."""

from __future__ import annotations

import pytest

from tests.integration.modules.target import Target
from tests.lab.scenario import object_id

BRITTA, LOLA, CLOUD_ONLY = "Britta Simon", "Lola Jacobson", "Cora Cloud"
UNIVERSAL_SECURITY = "-2147483640"


def test_a_cloud_group_is_created_with_the_default_mapping(target: Target) -> None:
    cloud_id = target.admin.create_group("Created", [object_id(BRITTA)], description="  What it is for ")
    target.provision(cloud_id)
    entry = target.entry(cloud_id)
    assert entry["dn"] == [f"CN=Created_{cloud_id[-12:]},{target.forest.managed_containers[0]}"]
    assert entry["groupType"] == [UNIVERSAL_SECURITY]
    assert entry["displayName"] == ["Created"]
    assert entry["description"] == ["What it is for"]
    assert entry["sAMAccountName"] == [f"Created_{cloud_id[-12:]}"]
    assert entry["adminDescription"] == [f"Group_{cloud_id}"]
    assert entry["msDS-ExternalDirectoryObjectId"] == [f"Group_{cloud_id}"]
    assert entry["member"] == [target.person(BRITTA)]


def test_anchor_and_admin_description_come_with_the_object(target: Target) -> None:
    """A sync client that looks between add and modify must not see an unmarked group: there is no modify."""
    cloud_id = target.admin.create_group("Marked at birth")
    target.provision(cloud_id)
    entry = target.entry(cloud_id)
    assert entry["uSNCreated"] == entry["uSNChanged"]


def test_the_second_run_writes_nothing(target: Target) -> None:
    cloud_id = target.admin.create_group("Quiet", [object_id(BRITTA), object_id(LOLA), object_id(CLOUD_ONLY)])
    target.provision(cloud_id)
    before = target.usn()
    assert target.scope(cloud_id)["outcome"] == "ok"
    plan = target.plan()
    assert not plan["would_change"] and plan["changes"] == []
    assert not target.group()["changed"]
    assert not target.membership()["changed"]
    assert target.usn() == before


def test_check_mode_writes_nothing_and_foretells_what_apply_does(target: Target) -> None:
    cloud_id = target.admin.create_group("Foretold", [object_id(BRITTA)])
    before = target.usn()
    target.scope(cloud_id, check=True)
    target.plan(check=True)
    foretold = [target.group(check=True, diff=True), target.membership(check=True, diff=True)]
    assert all(result["changed"] for result in foretold)
    assert target.usn() == before
    assert not target.journal.exists()
    target.scope(cloud_id)
    target.plan()
    done = [target.group(diff=True), target.membership(diff=True)]
    assert [result["changes"] for result in done] == [result["changes"] for result in foretold]
    assert [result["diff"] for result in done] == [result["diff"] for result in foretold]


def test_a_plan_made_in_check_mode_is_not_applied(target: Target) -> None:
    cloud_id = target.admin.create_group("Only checked")
    target.scope(cloud_id, check=True)
    target.plan()
    result = target.group()
    assert result["errors"][0]["code"] == "plan_of_check_mode"
    assert target.entries(cloud_id) == []


def test_a_renamed_group_keeps_its_sid(target: Target) -> None:
    cloud_id = target.admin.create_group("Before", [object_id(BRITTA)])
    target.provision(cloud_id)
    born = target.entry(cloud_id)
    target.admin.patch_group(cloud_id, displayName="After, with a comma")
    target.provision(cloud_id)
    entry = target.entry(cloud_id)
    assert entry["objectSid"] == born["objectSid"] and entry["objectGUID"] == born["objectGUID"]
    assert entry["cn"] == [f"After, with a comma_{cloud_id[-12:]}"]
    assert entry["displayName"] == ["After, with a comma"]
    assert entry["member"] == born["member"]


def test_a_new_container_moves_the_group_with_its_sid(target: Target) -> None:
    cloud_id = target.admin.create_group("Movable", [object_id(LOLA)])
    target.provision(cloud_id)
    born = target.entry(cloud_id)
    target.provision(cloud_id, target_container=target.forest.managed_containers[1])
    entry = target.entry(cloud_id)
    assert entry["objectSid"] == born["objectSid"]
    assert entry["dn"][0].endswith(target.forest.managed_containers[1])
    assert entry["member"] == born["member"]


def test_rename_and_move_are_one_operation(target: Target) -> None:
    cloud_id = target.admin.create_group("Here")
    target.provision(cloud_id)
    born = target.entry(cloud_id)
    target.admin.patch_group(cloud_id, displayName="There")
    target.scope(cloud_id)
    plan = target.plan(target_container=target.forest.managed_containers[2])
    assert [change["action"] for change in plan["changes"]] == ["update", "rename_and_move"]
    assert target.group()["outcome"] == "ok"
    entry = target.entry(cloud_id)
    assert entry["dn"] == [f"CN=There_{cloud_id[-12:]},{target.forest.managed_containers[2]}"]
    assert entry["objectSid"] == born["objectSid"]


def test_a_null_description_leaves_the_old_one(target: Target) -> None:
    cloud_id = target.admin.create_group("Described", description="kept")
    target.provision(cloud_id)
    target.admin.patch_group(cloud_id, description=None)
    target.provision(cloud_id)
    assert target.entry(cloud_id)["description"] == ["kept"]


def test_members_are_added_removed_and_explained(target: Target) -> None:
    cloud_id = target.admin.create_group("Members", [object_id(BRITTA), object_id(CLOUD_ONLY)])
    target.provision(cloud_id)
    assert target.members(cloud_id) == {target.person(BRITTA)}
    target.admin.remove_member(cloud_id, object_id(BRITTA))
    target.admin.add_member(cloud_id, object_id(LOLA))
    target.scope(cloud_id)
    plan = target.plan()
    skips = [(skip["name"], skip["code"]) for skip in plan["skips"] if skip.get("group_id") == cloud_id]
    assert skips == [(CLOUD_ONLY, "cloud_only_user")]
    target.group()
    result = target.membership()
    assert result["summary"]["members_added"] == 1 and result["summary"]["members_removed"] == 1
    assert target.members(cloud_id) == {target.person(LOLA)}


def test_a_foreign_member_of_a_group_born_here_is_removed(target: Target) -> None:
    cloud_id = target.admin.create_group("Drifting", [object_id(BRITTA)])
    target.provision(cloud_id)
    foreign = target.person("Foreign Hand")
    target.modify(target.entry(cloud_id)["dn"][0], f"add: member\nmember: {foreign}")
    assert foreign in target.members(cloud_id)
    target.provision(cloud_id)
    assert target.members(cloud_id) == {target.person(BRITTA)}


def test_without_the_journal_a_foreign_member_is_kept_and_an_ex_member_goes(target: Target) -> None:
    """Lola is known to Entra through the other group, and no longer listed in this one: she has left."""
    cloud_id = target.admin.create_group("Forgotten", [object_id(BRITTA), object_id(LOLA)])
    other = target.admin.create_group("Other", [object_id(LOLA)])
    target.provision(cloud_id, other)
    target.modify(target.entry(cloud_id)["dn"][0], f"add: member\nmember: {target.person('Foreign Hand')}")
    target.admin.remove_member(cloud_id, object_id(LOLA))
    target.journal.unlink()
    target.scope(cloud_id, other)
    plan = target.plan()
    codes = {notice["code"] for notice in plan["notices"]}
    assert {"journal_missing", "foreign_member"} <= codes
    target.group()
    assert target.membership()["outcome"] == "ok"
    assert target.members(cloud_id) == {target.person(BRITTA), target.person("Foreign Hand")}


def test_a_nested_group_is_linked_in_the_run_that_creates_both(target: Target) -> None:
    child = target.admin.create_group("Child", [object_id(BRITTA)])
    parent = target.admin.create_group("Parent", [child])
    target.provision(parent, child)
    assert target.members(parent) == set(target.entry(child)["dn"])


def test_a_nested_group_out_of_scope_is_not_linked_and_comes_when_it_enters(target: Target) -> None:
    child = target.admin.create_group("Late child")
    parent = target.admin.create_group("Early parent", [child])
    target.scope(parent)
    plan = target.plan()
    assert [(s["name"], s["code"]) for s in plan["skips"] if s.get("group_id") == parent] == [
        ("Late child", "group_not_provisioned")
    ]
    target.group()
    target.membership()
    assert target.members(parent) == set()
    target.provision(parent, child)
    assert target.members(parent) == set(target.entry(child)["dn"])


def test_a_group_that_left_scope_is_kept_with_its_members_and_reported(target: Target) -> None:
    cloud_id = target.admin.create_group("Leaving", [object_id(BRITTA)])
    target.provision(cloud_id)
    other = target.admin.create_group("Staying")
    scope = target.scope(other)
    assert {entry["id"] for entry in scope["left"]} == {cloud_id}
    before = target.entry(cloud_id)
    plan = target.plan()
    assert (cloud_id, "retained_access") in {(notice["id"], notice["code"]) for notice in plan["notices"]}
    target.group()
    target.membership()
    assert target.entry(cloud_id) == before


def test_an_anchor_outside_the_managed_containers_has_no_effect(target: Target) -> None:
    """Any user may write the attribute on the own account; it must neither capture nor freeze the group."""
    cloud_id = target.admin.create_group("Targeted", [object_id(BRITTA)])
    attacker = target.person("Foreign Hand")
    anchor = f"msDS-ExternalDirectoryObjectId: Group_{cloud_id}"
    target.modify(attacker, f"replace: msDS-ExternalDirectoryObjectId\n{anchor}")
    try:
        target.scope(cloud_id)
        plan = target.plan()
        assert (attacker, "anchor_tampering") in {(notice["name"], notice["code"]) for notice in plan["notices"]}
        assert target.group()["outcome"] == "ok"
        assert len(target.entries(cloud_id)) == 2
    finally:
        target.modify(attacker, "delete: msDS-ExternalDirectoryObjectId")
    assert target.entry(cloud_id)["objectClass"] == ["top", "group"]


def test_without_a_journal_two_objects_with_one_anchor_stop_that_group_alone(target: Target) -> None:
    cloud_id = target.admin.create_group("Twice", [object_id(BRITTA)])
    good = target.admin.create_group("Once")
    target.provision(cloud_id)
    twin = f"CN=Twin,{target.forest.managed_containers[0]}"
    target.lab.ldapmodify(
        target.domain,
        f"dn: {twin}\nchangetype: add\nobjectClass: group\nmsDS-ExternalDirectoryObjectId: Group_{cloud_id}\n",
    )
    try:
        target.scope(cloud_id, good)
        # The journal knows which of the two it is.
        assert target.plan()["outcome"] == "ok"
        target.journal.unlink()
        plan = target.plan()
        assert [(error["id"], error["code"]) for error in plan["errors"]] == [(cloud_id, "duplicate_anchor")]
        assert plan["outcome"] == "partial"
        target.group()
        assert target.entry(good)
    finally:
        target.lab.ldapmodify(target.domain, f"dn: {twin}\nchangetype: delete\n")


def test_a_group_of_other_scope_is_explained(target: Target) -> None:
    cloud_id = target.admin.create_group("Global")
    dn = f"CN=Global,{target.forest.managed_containers[0]}"
    target.lab.ldapmodify(
        target.domain,
        f"dn: {dn}\nchangetype: add\nobjectClass: group\ngroupType: -2147483646\n"
        f"msDS-ExternalDirectoryObjectId: Group_{cloud_id}\n",
    )
    target.scope(cloud_id)
    assert [error["code"] for error in target.plan()["errors"]] == ["not_universal"]
    target.lab.ldapmodify(target.domain, f"dn: {dn}\nchangetype: delete\n")


def test_a_group_with_too_many_members_is_refused(target: Target) -> None:
    cloud_id = target.admin.create_group("Crowd", [object_id(BRITTA), object_id(LOLA)])
    target.scope(cloud_id)
    error = target.plan(max_members=1)["errors"][0]
    assert error["code"] == "too_many_members" and "max_members" in error["remedy"]


def test_a_limit_stops_everything_before_the_first_write(target: Target) -> None:
    cloud_id = target.admin.create_group("Limited", [object_id(BRITTA), object_id(LOLA)])
    target.provision(cloud_id)
    target.admin.remove_members(cloud_id, [object_id(BRITTA), object_id(LOLA)])
    target.admin.patch_group(cloud_id, displayName="Limited and renamed")
    before = target.usn()
    target.scope(cloud_id)
    plan = target.plan(limits={"member_removals": {"count": 1}})
    assert plan["outcome"] == "blocked" and plan["fatal"]
    assert "member_removals: 2 planned, 1 allowed" in plan["msg"]
    for result in (target.group(), target.membership()):
        assert result["outcome"] == "blocked" and not result["changed"]
    assert target.usn() == before


@pytest.mark.parametrize("module", ["group", "membership"])
def test_a_plan_is_used_once(target: Target, module: str) -> None:
    cloud_id = target.admin.create_group(f"Once by {module}", [object_id(BRITTA)])
    target.provision(cloud_id)
    result = getattr(target, module)()
    assert result["errors"][0]["code"] == "plan_used"


def test_an_older_plan_is_void_after_a_newer_one(target: Target) -> None:
    cloud_id = target.admin.create_group("Outdated plan")
    target.scope(cloud_id)
    target.plan()
    old = target.plan_path.rename(target.state / "old.jsonl")
    target.plan()
    assert target.group()["outcome"] == "ok"
    assert target.group(plan=str(old))["errors"][0]["code"] == "plan_outdated"


def test_a_group_that_moved_on_since_the_plan_is_left_alone(target: Target) -> None:
    cloud_id = target.admin.create_group("Moving target", [object_id(BRITTA)])
    good = target.admin.create_group("Steady", [object_id(BRITTA)])
    target.provision(cloud_id, good)
    for group in (cloud_id, good):
        target.admin.patch_group(group, description="new")
        target.admin.add_member(group, object_id(LOLA))
    target.scope(cloud_id, good)
    target.plan()
    dn = target.entry(cloud_id)["dn"][0]
    foreign = target.person("Foreign Hand")
    target.modify(dn, "replace: description\ndescription: by hand", f"add: member\nmember: {foreign}")
    for result in (target.group(), target.membership()):
        assert [(error["id"], error["code"]) for error in result["errors"]] == [(cloud_id, "directory_moved_on")]
        assert result["outcome"] == "partial" and result["changed"]
    assert target.entry(cloud_id)["description"] == ["by hand"]
    assert foreign in target.members(cloud_id) and target.person(LOLA) not in target.members(cloud_id)
    assert target.members(good) == {target.person(BRITTA), target.person(LOLA)}


def test_each_module_works_alone_from_the_snapshot(target: Target) -> None:
    cloud_id = target.admin.create_group("Without a plan", [object_id(BRITTA)])
    target.scope(cloud_id)
    snapshot = str(target.snapshot)
    assert target.group(snapshot=snapshot)["changed"]
    assert target.membership(snapshot=snapshot)["changed"]
    assert target.members(cloud_id) == {target.person(BRITTA)}
    assert not target.group(snapshot=snapshot)["changed"]
    assert not target.membership(snapshot=snapshot)["changed"]


def test_info_shows_groups_drift_and_runs(target: Target) -> None:
    cloud_id = target.admin.create_group("Informed", [object_id(BRITTA)])
    target.provision(cloud_id)
    entry = target.entry(cloud_id)
    target.modify(entry["dn"][0], f"delete: member\nmember: {target.person(BRITTA)}")
    before = target.usn()
    result = target.info("groups", "orphans", "drift", "snapshot", "runs", "failing")
    groups = {group["id"]: group for group in result["info"]["groups"]}
    assert groups[cloud_id]["object_sid"] == entry["objectSid"][0] and groups[cloud_id]["known"]
    assert cloud_id not in {orphan["id"] for orphan in result["info"]["orphans"]}
    assert [(change["id"], change["added"]) for change in result["changes"]] == [(cloud_id, 1)]
    assert [run["module"] for run in result["info"]["runs"]] == ["gpad_membership", "gpad_group"]
    assert result["info"]["snapshot"]["in_scope"] == 1
    assert result["info"]["failing"] == []
    assert target.usn() == before


def test_an_account_that_cannot_see_deleted_objects_is_told_before_it_creates(target: Target) -> None:
    reader = target.forest.reader_account
    target.snapshot_of(target.admin.create_group("Blind"))
    result = target.plan(domain_username=reader.username, domain_password=reader.password)
    assert [n["code"] for n in result["notices"] if n["code"] == "deleted_objects_hidden"]
    assert "deleted_objects_hidden" not in {notice["code"] for notice in target.plan()["notices"]}
