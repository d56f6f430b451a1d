# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of groups on a controller that refuses what Windows refuses."""

from __future__ import annotations

import pytest

from tests.integration.modules import objects
from tests.integration.modules.objects import unique
from tests.integration.modules.target import Target
from tests.lab.api import LdapToolError
from tests.lab.policy.admin import PolicyAdmin
from tests.lab.scenario import object_id

BRITTA, LOLA, CORA = "Britta Simon", "Lola Jacobson", "Cora Cloud"
SAME = ("objectSid", "objectGUID", "adminDescription", "groupType")


def _writes(policy: PolicyAdmin) -> list[tuple[str, int | None]]:
    """Return kind and result of each write that reached the proxy since the last call."""
    kinds = ("add", "modify", "modify_dn", "delete")
    made = [(operation.kind, operation.result) for operation in policy.operations() if operation.kind in kinds]
    policy.clear_operations()
    return made


def test_a_group_lives_through_the_tutorial_as_one_object(strict: Target, strict_policy: PolicyAdmin) -> None:
    inner = strict.admin.create_group(unique("Inner"), [object_id(LOLA)])
    people = [object_id(BRITTA), object_id(CORA), inner]
    cloud_id = strict.admin.create_group(unique("Tutorial"), people, description="what it is for")
    strict.provision(cloud_id, inner)
    born = strict.entry(cloud_id)
    inside = strict.entry(inner)["dn"][0]
    assert strict.members(cloud_id) == {strict.person(BRITTA), inside}
    assert sorted(_writes(strict_policy)) == [("add", 0), ("add", 0), ("modify", 0), ("modify", 0)]

    strict.admin.remove_member(cloud_id, object_id(BRITTA))
    strict.admin.add_member(cloud_id, object_id(LOLA))
    strict.provision(cloud_id, inner)
    assert strict.members(cloud_id) == {strict.person(LOLA), inside}
    assert _writes(strict_policy) == [("modify", 0)]

    strict.admin.patch_group(cloud_id, displayName="Tutorial, the second")
    strict.provision(cloud_id, inner)
    renamed = strict.entry(cloud_id)
    assert renamed["cn"] == [f"Tutorial, the second_{cloud_id[-12:]}"]
    assert sorted(_writes(strict_policy)) == [("modify", 0), ("modify_dn", 0)]

    sales = strict.forest.managed_containers[1]
    strict.provision(cloud_id, inner, target_container=sales)
    moved = strict.entry(cloud_id)
    assert moved["dn"] == [f"CN=Tutorial\\, the second_{cloud_id[-12:]},{sales}"]
    assert _writes(strict_policy) == [("modify_dn", 0), ("modify_dn", 0)]

    strict.lab.ldapmodify(strict.domain, f"dn: {moved['dn'][0]}\nchangetype: delete\n", direct=False)
    strict_policy.clear_operations()
    assert strict.entries(cloud_id) == []
    # What comes back with the object may be looked at first; its members are there after the next run at the latest.
    strict.provision(cloud_id, inner, target_container=sales)
    strict.provision(cloud_id, inner, target_container=sales)
    back = strict.entry(cloud_id)
    assert back["dn"] == moved["dn"] and strict.members(cloud_id) == {strict.person(LOLA), strict.entry(inner)["dn"][0]}
    assert {result for _kind, result in _writes(strict_policy)} == {0}
    for entry in (renamed, moved, back):
        assert {name: entry[name] for name in SAME} == {name: born[name] for name in SAME}

    before = strict.usn()
    strict.snapshot_of(cloud_id, inner)
    assert not strict.apply_plan(target_container=sales)["would_change"]
    assert strict.usn() == before


@pytest.mark.parametrize("group_type", [objects.GLOBAL, objects.DOMAIN_LOCAL], ids=["global", "domain local"])
def test_a_group_is_adopted_and_made_universal(strict: Target, strict_policy: PolicyAdmin, group_type: str) -> None:
    dn = objects.add_group(strict, unique("Adopted"), group_type=group_type, members=(strict.person(LOLA),))
    before = objects.read(strict, dn)
    cloud_id = objects.converted_group(strict, dn, (object_id(BRITTA), object_id(LOLA)))
    strict.snapshot_of(cloud_id)
    plan = strict.apply_plan(convert_scope=True)
    assert [change["action"] for change in plan["changes"]] == ["convert", "adopt", "members"]
    assert {result for _kind, result in _writes(strict_policy)} == {0}
    after = strict.entry(cloud_id)
    assert after["groupType"] == [objects.UNIVERSAL]
    same = ("dn", "objectSid", "objectGUID", "sAMAccountName")
    assert {name: after[name] for name in same} == {name: before[name] for name in same}
    assert strict.members(cloud_id) == {strict.person(BRITTA), strict.person(LOLA)}


def test_what_windows_would_not_convert_is_told_before_it_is_tried(strict: Target, strict_policy: PolicyAdmin) -> None:
    dn = objects.add_group(strict, unique("Inner global"), group_type=objects.GLOBAL)
    objects.add_group(strict, unique("Outer global"), group_type=objects.GLOBAL, ou="OU=People", members=(dn,))
    cloud_id = objects.converted_group(strict, dn)
    strict.snapshot_of(cloud_id)
    (error,) = strict.plan(convert_scope=True)["errors"]
    assert error["code"] == "scope_not_convertible"
    assert strict.group()["outcome"] == "ok"
    assert _writes(strict_policy) == []
    # The proxy would have refused it, so that the rule of the plan is not stricter than Windows.
    change = f"dn: {dn}\nchangetype: modify\nreplace: groupType\ngroupType: {objects.UNIVERSAL}\n"
    with pytest.raises(LdapToolError, match="00002145"):
        strict.lab.ldapmodify(strict.domain, change, direct=False)


def test_a_nesting_that_windows_refuses_is_told_for_that_link_alone(strict: Target, strict_policy: PolicyAdmin) -> None:
    """After the plan somebody makes the inner group domain local, which a universal group must not hold."""
    inner = strict.admin.create_group(unique("Turns local"))
    cloud_id = strict.admin.create_group(unique("Universal"), [object_id(BRITTA)])
    strict.provision(cloud_id, inner)
    strict.admin.add_members(cloud_id, [inner, object_id(LOLA)])
    strict.admin.remove_member(cloud_id, object_id(BRITTA))
    strict.snapshot_of(cloud_id, inner)
    assert strict.plan()["outcome"] == "ok"
    local = strict.entry(inner)
    strict.modify(local["dn"][0], f"replace: groupType\ngroupType: {objects.DOMAIN_LOCAL}")
    assert strict.group()["outcome"] == "ok"
    result = strict.membership()
    assert result["outcome"] == "partial"
    (error,) = result["errors"]
    assert error["id"] == cloud_id and error["code"] == "directory_rejected"
    assert "00002146" in error["reason"] and "1 of 3 links" in error["reason"]
    assert local["objectGUID"][0] in error["reason"]
    assert strict.members(cloud_id) == {strict.person(LOLA)}
    assert (result["summary"]["members_added"], result["summary"]["members_removed"]) == (1, 1)


def test_a_member_that_went_away_after_the_plan_is_told_for_that_link_alone(strict: Target) -> None:
    dn = objects.add_user(strict, unique("Vanishing"))
    user = objects.synced_user(strict, dn)
    cloud_id = strict.admin.create_group(unique("Loses one"), [user, object_id(BRITTA), object_id(LOLA)])
    strict.snapshot_of(cloud_id)
    assert strict.plan()["outcome"] == "ok"
    strict.lab.ldapmodify(strict.domain, f"dn: {dn}\nchangetype: delete\n")
    assert strict.group()["outcome"] == "ok"
    result = strict.membership()
    assert [(error["id"], error["code"]) for error in result["errors"]] == [(cloud_id, "object_missing")]
    assert strict.members(cloud_id) == {strict.person(BRITTA), strict.person(LOLA)}
