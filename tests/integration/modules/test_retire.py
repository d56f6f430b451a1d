# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of a directory group whose cloud group left: on what evidence, and how it comes back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.modules import objects
from tests.integration.modules.objects import unique
from tests.integration.modules.target import Target
from tests.lab.scenario import object_id

BRITTA, LOLA = "Britta Simon", "Lola Jacobson"
SALES = 1


def again(target: Target, *groups: str, **options: Any) -> dict[str, Any]:
    """Do one whole run, as the role does: the capture is told of the plan before. Return the plan's result."""
    target.snapshot_of(*groups, plan=str(target.plan_path))
    return target.apply_plan(**options)


@pytest.fixture
def other(target: Target) -> str:
    """A group that stays in scope."""
    return target.admin.create_group(unique("Stays"), [object_id(BRITTA)])


def provisioned(target: Target, other: str, name: str) -> tuple[str, dict[str, list[str]]]:
    """Provision a group with two members, return its id and its object."""
    cloud_id = target.admin.create_group(unique(name), [object_id(BRITTA), object_id(LOLA)])
    again(target, other, cloud_id)
    return cloud_id, target.entry(cloud_id)


def same_object(before: dict[str, list[str]], after: dict[str, list[str]]) -> bool:
    """Return whether two readings are of one object in one place."""
    return all(before[name] == after[name] for name in ("dn", "objectSid", "objectGUID"))


def test_a_soft_deleted_group_is_emptied_and_a_restore_refills_the_same_object(target: Target, other: str) -> None:
    cloud_id, before = provisioned(target, other, "Soft-deleted")
    target.admin.delete_group(cloud_id)
    plan = again(target, other)
    assert objects.noticed(plan, cloud_id) == {"retired"}
    (notice,) = [notice for notice in plan["notices"] if notice["id"] == cloud_id]
    assert "among the deleted items since" in notice["reason"]
    emptied = target.entry(cloud_id)
    assert "member" not in emptied and same_object(before, emptied)
    assert not again(target, other)["would_change"]
    target.admin.restore_group(cloud_id)
    again(target, other, cloud_id)
    assert same_object(before, target.entry(cloud_id))
    assert target.members(cloud_id) == {target.person(BRITTA), target.person(LOLA)}


def test_a_deleted_group_is_emptied_once_it_is_confirmed_and_deleted_after_the_days_of_grace(
    target: Target, other: str
) -> None:
    cloud_id, before = provisioned(target, other, "Deleted")
    target.admin.delete_group(cloud_id)
    target.admin.purge(cloud_id)
    plan = again(target, other)
    assert objects.noticed(plan, cloud_id) == {"orphan"}
    again(target, other)
    assert len(target.members(cloud_id)) == 2, "absent for less than an index lag"
    target.age_fates()
    plan = again(target, other)
    assert objects.noticed(plan, cloud_id) == {"retired"}
    emptied = target.entry(cloud_id)
    assert "member" not in emptied and same_object(before, emptied)
    assert not again(target, other)["would_change"], "the days of grace have not passed"
    plan = again(target, other, retire={"grace_days": 1})
    assert [change["action"] for change in plan["changes"]] == ["delete"]
    assert target.entries(cloud_id) == []
    plan = again(target, other)
    assert objects.noticed(plan, cloud_id) == set()


def test_a_group_is_not_deleted_while_it_has_members(target: Target, other: str) -> None:
    cloud_id, _before = provisioned(target, other, "Refilled by hand")
    target.admin.delete_group(cloud_id)
    target.admin.purge(cloud_id)
    again(target, other)
    target.age_fates()
    plan = again(target, other, retire={"grace_days": 0})
    assert [change["action"] for change in plan["changes"]] == ["members"]
    plan = again(target, other, retire={"grace_days": 0})
    assert [change["action"] for change in plan["changes"]] == ["delete"]


def test_without_a_journal_nothing_is_retired(target: Target, other: str) -> None:
    cloud_id, before = provisioned(target, other, "Forgotten")
    target.admin.delete_group(cloud_id)
    target.journal.unlink()
    plan = again(target, other)
    assert objects.noticed(plan, cloud_id) == {"retained_access"}
    assert "the journal does not know it" in next(n["reason"] for n in plan["notices"] if n["id"] == cloud_id)
    assert target.entry(cloud_id) == before


def test_a_stamped_group_is_not_emptied_for_a_deleted_cloud_group(target: Target, other: str) -> None:
    """Who may write anchors could else have any managed group emptied."""
    cloud_id, _before = provisioned(target, other, "Bait")
    decoy = objects.add_group(target, unique("Victim"), members=(target.person(LOLA),))
    target.modify(decoy, f"add: msDS-ExternalDirectoryObjectId\nmsDS-ExternalDirectoryObjectId: Group_{cloud_id}")
    target.admin.delete_group(cloud_id)
    again(target, other)
    assert objects.read(target, decoy)["member"] == [target.person(LOLA)]


@pytest.mark.parametrize("departure", ["out_of_scope", "mail_enabled"])
@pytest.mark.parametrize("chosen", [None, "keep", "empty", "detach", "move"])
def test_each_option_of_a_group_that_left(target: Target, other: str, departure: str, chosen: str | None) -> None:
    cloud_id, before = provisioned(target, other, "Left")
    sales = target.forest.managed_containers[SALES]
    retire = {departure: chosen, "container": sales} if chosen else {}
    still = []
    if departure == "mail_enabled":
        target.admin.patch_group(cloud_id, mailEnabled=True)
        still = [cloud_id]
    plan = again(target, other, *still, retire=retire)
    found = target.lab.ldapsearch(target.domain, f"<GUID={before['objectGUID'][0]}>", "(objectClass=*)", scope="base")[
        0
    ]
    assert found["objectSid"] == before["objectSid"]
    acted = chosen not in (None, "keep")
    assert objects.noticed(plan, cloud_id) == {"retired" if acted else "retained_access"}
    assert ("member" in found) == (chosen != "empty")
    assert ("msDS-ExternalDirectoryObjectId" in found) == (chosen != "detach")
    assert ("adminDescription" in found) == (chosen != "detach")
    assert found["dn"][0].endswith(sales) == (chosen == "move")
    assert not again(target, other, *still, retire=retire)["would_change"]
    if chosen == "move":
        target.admin.patch_group(cloud_id, mailEnabled=False)
        again(target, other, cloud_id, retire=retire)
        assert same_object(before, target.entry(cloud_id)), "it returned to its place"


def test_a_rolled_back_group_is_always_kept(target: Target, other: str) -> None:
    dn = objects.add_group(target, unique("Rolled back"), members=(target.person(BRITTA),))
    cloud_id = objects.converted_group(target, dn, (object_id(BRITTA),))
    again(target, other, cloud_id)
    target.admin.set_cloud_managed(cloud_id, False)
    every = dict.fromkeys(("deleted", "soft_deleted", "out_of_scope", "mail_enabled"), "empty")
    plan = again(target, other, cloud_id, retire=every)
    assert "retained_access" in objects.noticed(plan, cloud_id)
    assert objects.read(target, dn)["member"] == [target.person(BRITTA)]


def test_kept_access_is_told_in_each_run_with_age_and_members(target: Target, other: str) -> None:
    cloud_id, _before = provisioned(target, other, "Kept")
    first = again(target, other)
    second = again(target, other)
    told = [next(n["reason"] for n in plan["notices"] if n["id"] == cloud_id) for plan in (first, second)]
    assert "2 members, but no longer updated, from this run on" in told[0]
    assert "2 members, but no longer updated, since 20" in told[1]


def test_retirements_stand_under_their_limit(target: Target, other: str) -> None:
    ids = [provisioned(target, other, f"Many {number}")[0] for number in range(2)]
    for cloud_id in ids:
        target.admin.delete_group(cloud_id)
    target.snapshot_of(other, plan=str(target.plan_path))
    plan = target.plan(limits={"retirements": {"count": 1}, "groups_emptied": {}, "member_removals": {}})
    assert plan["outcome"] == "blocked" and "retirements: 2 planned, 1 allowed" in plan["msg"]
    assert target.membership()["outcome"] == "blocked"
    assert all(len(target.members(cloud_id)) == 2 for cloud_id in ids)


def test_an_entry_that_fits_no_group_holds_retirements(target: Target, other: str) -> None:
    """The group that it named would seem to have left."""
    cloud_id, before = provisioned(target, other, "Named")
    result = target.scope(other, "No group has this name", plan=str(target.plan_path))
    assert [error["code"] for error in result["errors"]] == ["selected_group_unknown"]
    plan = target.plan(retire={"out_of_scope": "empty"})
    assert objects.noticed(plan, cloud_id) == {"retained_access"}
    assert "a part of the scope could not be decided" in str(plan["notices"])
    assert target.entry(cloud_id)["member"] == before["member"]
