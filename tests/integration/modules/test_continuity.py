# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The object behind a cloud group stays the same object: objectSid before and after whatever happens to it."""

from __future__ import annotations

import pytest

from tests.integration.modules import objects
from tests.integration.modules.objects import unique
from tests.integration.modules.target import Target
from tests.lab.scenario import object_id

BRITTA, LOLA = "Britta Simon", "Lola Jacobson"


def identity_of(entry: dict[str, list[str]]) -> tuple[str, str]:
    """Return what must never change."""
    return entry["objectSid"][0], entry["objectGUID"][0]


def delete(target: Target, cloud_id: str) -> None:
    """Delete a group's object by hand."""
    target.lab.ldapmodify(target.domain, f"dn: {target.entry(cloud_id)['dn'][0]}\nchangetype: delete\n")


@pytest.mark.parametrize("remembered", [True, False], ids=["known to the journal", "without a journal"])
def test_a_group_deleted_by_hand_returns_with_its_sid(target: Target, *, remembered: bool) -> None:
    cloud_id = target.admin.create_group(unique("Returns"), [object_id(BRITTA)], description="as before")
    target.provision(cloud_id)
    before = target.entry(cloud_id)
    delete(target, cloud_id)
    assert target.entries(cloud_id) == []
    if not remembered:
        target.journal.unlink()
    target.snapshot_of(cloud_id)
    foretold = target.plan(check=True)["changes"]
    plan = target.apply_plan()
    assert [change["action"] for change in plan["changes"]] == ["restore", "members"]
    assert foretold == plan["changes"]
    after = target.entry(cloud_id)
    same = ("dn", "objectSid", "objectGUID", "adminDescription", "description", "displayName", "member", "groupType")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert not target.plan()["would_change"]


def test_a_group_that_returns_goes_where_its_rule_says(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Old name"))
    target.provision(cloud_id)
    before = identity_of(target.entry(cloud_id))
    delete(target, cloud_id)
    target.admin.patch_group(cloud_id, displayName=unique("New name"))
    sales = target.forest.managed_containers[1]
    target.provision(cloud_id, target_container=sales)
    after = target.entry(cloud_id)
    assert identity_of(after) == before
    assert after["cn"][0].startswith("New name") and after["dn"][0].endswith(sales)


def test_a_converted_group_deleted_by_hand_is_restored_and_never_created(target: Target) -> None:
    dn = objects.add_group(target, unique("Converted"), members=(target.person(LOLA),))
    before = objects.read(target, dn)
    cloud_id = objects.converted_group(target, dn, (object_id(BRITTA),))
    target.provision(cloud_id)
    delete(target, cloud_id)
    target.provision(cloud_id)
    after = target.entry(cloud_id)
    assert identity_of(after) == identity_of(before)
    assert after["adminDescription"] == [f"TakenOver_Group_{cloud_id}"]
    assert after["dn"] == [dn]


def test_a_converted_group_that_is_nowhere_is_an_error(target: Target) -> None:
    sid = objects.read(target, target.person(BRITTA))["objectSid"][0].rpartition("-")[0] + "-999999"
    cloud_id = target.admin.create_group(unique("Nowhere"), onPremisesSecurityIdentifier=sid)
    target.admin.set_cloud_managed(cloud_id, True)
    target.scope(cloud_id)
    assert [error["code"] for error in target.plan()["errors"]] == ["converted_group_missing"]
    target.group()
    assert target.entries(cloud_id) == []


def test_a_name_that_was_taken_meanwhile_stops_the_restore_alone(target: Target) -> None:
    cloud_id, good = target.admin.create_group(unique("Taken")), target.admin.create_group(unique("Free"))
    target.provision(cloud_id)
    name = target.entry(cloud_id)["cn"][0]
    delete(target, cloud_id)
    objects.add_group(target, name)
    target.scope(cloud_id, good)
    plan = target.plan()
    assert [(error["id"], error["code"]) for error in plan["errors"]] == [(cloud_id, "name_collision")]
    target.group()
    assert target.entries(cloud_id) == [] and target.entry(good)


def test_an_adopted_group_keeps_sid_name_and_place(target: Target) -> None:
    dn = objects.add_group(target, unique("Was there"), ou="OU=Sales", members=(target.person(BRITTA),))
    before = objects.read(target, dn)
    cloud_id = objects.converted_group(target, dn, (object_id(BRITTA),))
    target.provision(cloud_id)
    after = target.entry(cloud_id)
    same = ("dn", "objectSid", "objectGUID", "sAMAccountName", "cn", "member")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert after["adminDescription"] == [f"TakenOver_Group_{cloud_id}"]


def test_without_a_journal_the_run_is_the_same(target: Target) -> None:
    """What is kept on this host is a memory for deletions and foreign links, and for nothing else."""
    inner = target.admin.create_group(unique("Stateless inner"), [object_id(LOLA)])
    cloud_id = target.admin.create_group(unique("Stateless"), [object_id(BRITTA), inner])
    target.provision(cloud_id, inner)
    target.admin.patch_group(cloud_id, displayName=unique("Renamed"))
    target.admin.remove_member(cloud_id, object_id(BRITTA))
    target.admin.add_member(cloud_id, object_id(LOLA))
    other = target.admin.create_group(unique("Knows Britta"), [object_id(BRITTA)])
    target.snapshot_of(cloud_id, inner, other)
    warm = target.plan(check=True)["changes"]
    target.journal.rename(target.journal.with_suffix(".away"))
    cold = target.plan(check=True)["changes"]
    # An object that the journal does not know is adopted, which writes the same values.
    actions = {"adopt": "update"}
    known = [change for change in cold if change["action"] != "adopt" or change["attributes"]]
    assert [actions.get(change["action"], change["action"]) for change in known] == [c["action"] for c in warm]
    assert [c.get("attributes") or c.get("add") for c in known] == [c.get("attributes") or c.get("add") for c in warm]
    assert [change.get("remove") for change in known] == [change.get("remove") for change in warm]


@pytest.mark.parametrize("group_type", [objects.GLOBAL, objects.DOMAIN_LOCAL], ids=["global", "domain local"])
def test_a_group_is_made_universal_on_request_and_keeps_its_sid(target: Target, group_type: str) -> None:
    dn = objects.add_group(target, unique("Scope"), group_type=group_type)
    before = objects.read(target, dn)
    cloud_id = objects.converted_group(target, dn, (object_id(BRITTA),))
    target.scope(cloud_id)
    assert [error["code"] for error in target.plan()["errors"]] == ["not_universal"]
    plan = target.apply_plan(convert_scope=True)
    assert [change["action"] for change in plan["changes"]] == ["convert", "adopt", "members"]
    after = target.entry(cloud_id)
    assert after["groupType"] == [objects.UNIVERSAL]
    assert identity_of(after) == identity_of(before)


def test_a_global_group_inside_a_global_group_is_explained(target: Target) -> None:
    dn = objects.add_group(target, unique("Inner global"), group_type=objects.GLOBAL)
    outer = objects.add_group(target, unique("Outer global"), group_type=objects.GLOBAL, ou="OU=People", members=(dn,))
    cloud_id = objects.converted_group(target, dn)
    target.scope(cloud_id)
    (error,) = target.plan(convert_scope=True)["errors"]
    assert error["code"] == "scope_not_convertible" and outer in error["reason"]
    assert objects.read(target, dn)["groupType"] == [objects.GLOBAL]


def test_a_group_protected_from_deletion_is_not_moved_and_the_rest_of_it_is_written(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Pinned"))
    target.provision(cloud_id)
    before = target.entry(cloud_id)
    target.protect_from_deletion(before["dn"][0])
    target.admin.patch_group(cloud_id, description="new")
    target.scope(cloud_id)
    plan = target.plan(target_container=target.forest.managed_containers[1])
    assert [(error["id"], error["code"]) for error in plan["errors"]] == [(cloud_id, "deletion_denied")]
    target.group()
    after = target.entry(cloud_id)
    assert after["dn"] == before["dn"] and after["description"] == ["new"]


@pytest.mark.parametrize("depth", [1, 2])
def test_a_group_inside_a_guarding_group_is_never_written(target: Target, depth: int) -> None:
    """adminCount has not caught up: nobody has marked the nested group yet."""
    cloud_id = target.admin.create_group(unique("Nested admin"), [object_id(BRITTA)])
    target.provision(cloud_id)
    inside = target.entry(cloud_id)["dn"][0]
    if depth == 2:
        inside = objects.add_group(target, unique("Between"), ou="OU=People", members=(inside,))
    guard = f"CN=Domain Admins,CN=Users,{target.forest.base_dn}"
    target.modify(guard, f"add: member\nmember: {inside}")
    try:
        target.admin.add_member(cloud_id, object_id(LOLA))
        target.scope(cloud_id)
        assert [error["code"] for error in target.plan()["errors"]] == ["protected_group"]
        target.membership()
        assert target.members(cloud_id) == {target.person(BRITTA)}
    finally:
        target.modify(guard, f"delete: member\nmember: {inside}")
