# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each kind of listed member that is not written, while its link is there: it stays, and a plain ex-member goes."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable

import pytest

from tests.integration.modules import objects
from tests.integration.modules.objects import unique
from tests.integration.modules.target import Target
from tests.lab.scenario import object_id

BRITTA, LOLA, FOREIGN = "Britta Simon", "Lola Jacobson", "Foreign Hand"

# Object id of the listed member, and DN of the link that answers for it.
Pair = tuple[str, str]


def _synced_group(target: Target) -> Pair:
    dn = objects.add_group(target, unique("Synced"), ou="OU=People")
    return objects.converted_group(target, dn, cloud_managed=False), dn


def _computer(target: Target) -> Pair:
    name = unique("PC").replace(" ", "")[:15]
    dn = objects.add(target, name, "computer", f"sAMAccountName: {name}$")
    return _device(target, name, objects.read(target, dn)["objectGUID"][0]), dn


def _device(target: Target, name: str, device_id: str) -> str:
    properties = {"displayName": name, "deviceId": device_id, "accountEnabled": True, "onPremisesSyncEnabled": True}
    return target.admin.create("device", properties)


def _written_back_device(target: Target) -> Pair:
    """What device writeback leaves: an msDS-Device with the deviceId of the cloud's device."""
    device_id = uuid.uuid4()
    raw = base64.b64encode(device_id.bytes_le).decode()
    base = f"CN=RegisteredDevices,{target.forest.base_dn}"
    if not target.lab.ldapsearch(target.domain, target.forest.base_dn, "(cn=RegisteredDevices)"):
        target.lab.ldapmodify(target.domain, f"dn: {base}\nchangetype: add\nobjectClass: msDS-DeviceContainer\n")
    dn = f"CN={device_id},{base}"
    target.lab.ldapmodify(
        target.domain,
        f"dn: {dn}\nchangetype: add\nobjectClass: msDS-Device\ndisplayName: Written back\nmsDS-IsEnabled: TRUE\n"
        f"altSecurityIdentities: X509:<SHA1-TP-PUBKEY>{device_id}\nmsDS-DeviceID:: {raw}\n",
    )
    return _device(target, "Written back", str(device_id)), dn


def _written_by_another_job(target: Target) -> Pair:
    cloud_id = target.admin.create_user(unique("Cloud"), f"{uuid.uuid4().hex}@contoso.com")
    dn = objects.add_user(target, unique("Written"))
    target.modify(dn, f"add: msDS-ExternalDirectoryObjectId\nmsDS-ExternalDirectoryObjectId: User_{cloud_id}")
    return cloud_id, dn


def _another_guid(target: Target) -> Pair:
    """A user whose SID and GUID point at two accounts is neither written nor removed."""
    dn = objects.add_user(target, unique("Conflict"))
    other = objects.read(target, target.person(FOREIGN))["objectGUID"][0]
    return objects.synced_user(target, dn, onPremisesObjectIdentifier=other), dn


_KINDS = [
    pytest.param(_synced_group, "synced_group", id="synced nested group of an adopted group"),
    pytest.param(_computer, "unsupported_type", id="hybrid-joined device and its computer"),
    pytest.param(_written_back_device, "unsupported_type", id="device left by writeback"),
    pytest.param(_written_by_another_job, "cloud_only_user", id="cloud user that another job wrote"),
    pytest.param(_another_guid, "identity_conflict", id="user whose SID and GUID disagree"),
]


@pytest.mark.parametrize(("make", "code"), _KINDS)
@pytest.mark.parametrize("accepted", [False, True], ids=["adopted", "accepted"])
def test_a_skipped_member_keeps_its_link_and_an_ex_member_does_not(
    target: Target, make: Callable[[Target], Pair], code: str, *, accepted: bool
) -> None:
    member, dn = make(target)
    group_dn = objects.add_group(target, unique("Adopted"), members=(dn, target.person(LOLA), target.person(BRITTA)))
    cloud_id = objects.converted_group(target, group_dn, (member, object_id(BRITTA), object_id(LOLA)))
    options = {"match_users_by": ["object_identifier"]}
    target.snapshot_of(cloud_id, **options)
    target.apply_plan()
    if accepted:
        assert target.accept(cloud_id)["changed"]
    target.admin.remove_member(cloud_id, object_id(LOLA))
    # Lola is in another captured group, so that the snapshot knows her.
    other = target.admin.create_group(unique("Other"), [object_id(LOLA)])
    target.snapshot_of(cloud_id, other, **options)
    plan = target.apply_plan()
    assert target.members(cloud_id) == {dn, target.person(BRITTA)}
    assert objects.skipped(plan, cloud_id) == {(member, code)}


def test_a_converted_user_is_a_member_like_any_other_of_the_domain(target: Target) -> None:
    dn = objects.add_user(target, unique("Converted"))
    user = objects.synced_user(target, dn, onPremisesSyncEnabled=None)
    cloud_id = target.admin.create_group(unique("Of the converted"), [user])
    target.provision(cloud_id)
    assert target.members(cloud_id) == {dn}


def test_a_disabled_user_is_a_member_as_the_cloud_lists(target: Target) -> None:
    dn = objects.add_user(target, unique("Disabled"))
    target.modify(dn, "replace: userAccountControl\nuserAccountControl: 514")
    cloud_id = target.admin.create_group(unique("Of the disabled"), [objects.synced_user(target, dn)])
    target.provision(cloud_id)
    assert target.members(cloud_id) == {dn}


def test_whose_primary_group_it_is_is_left_out_and_the_next_run_is_quiet(target: Target) -> None:
    user = objects.add_user(target, unique("Primary"))
    member = objects.synced_user(target, user)
    cloud_id = target.admin.create_group(unique("Primary group"), [member])
    target.provision(cloud_id)
    rid = target.entry(cloud_id)["objectSid"][0].rpartition("-")[2]
    target.modify(user, f"replace: primaryGroupID\nprimaryGroupID: {rid}")
    assert target.members(cloud_id) == set()
    target.snapshot_of(cloud_id)
    plan = target.apply_plan()
    assert objects.skipped(plan, cloud_id) == {(member, "primary_group")}
    assert not plan["would_change"]


def test_a_foreign_security_principal_stays_while_its_user_is_listed(target: Target) -> None:
    """A user of another forest cannot be written; a link that someone made by hand answers for it all the same."""
    sid = "S-1-5-21-9-9-9-1234"
    user = target.admin.create_user(
        unique("Other forest"),
        f"{uuid.uuid4().hex}@contoso.com",
        onPremisesSyncEnabled=True,
        onPremisesSecurityIdentifier=sid,
    )
    cloud_id = target.admin.create_group(unique("With a guest"), [user])
    target.provision(cloud_id)
    target.modify(target.entry(cloud_id)["dn"][0], f"add: member\nmember: <SID={sid}>")
    target.snapshot_of(cloud_id)
    plan = target.apply_plan()
    assert objects.skipped(plan, cloud_id) == {(user, "other_forest")}
    assert len(target.members(cloud_id)) == 1
    target.admin.remove_member(cloud_id, user)
    target.provision(cloud_id)
    assert target.members(cloud_id) == set()


def test_foreign_links_of_an_adopted_group_stay_until_they_are_accepted(target: Target) -> None:
    group_dn = objects.add_group(target, unique("Foreign links"), members=(target.person(FOREIGN),))
    cloud_id = objects.converted_group(target, group_dn, (object_id(BRITTA),))
    target.snapshot_of(cloud_id)
    plan = target.apply_plan()
    assert "foreign_member" in objects.noticed(plan, cloud_id)
    assert target.members(cloud_id) == {target.person(BRITTA), target.person(FOREIGN)}
    assert target.accept(cloud_id, check=True)["accepted"] == [cloud_id]
    assert target.accept(cloud_id)["changed"]
    assert not target.accept(cloud_id)["changed"]
    target.snapshot_of(cloud_id)
    target.apply_plan()
    assert target.members(cloud_id) == {target.person(BRITTA)}


def test_who_left_an_adopted_group_goes_once_entra_was_asked(target: Target) -> None:
    """In no captured group any more: the first plan asks for the SID, the second knows that the user is Entra's."""
    dn = objects.add_user(target, unique("Left"))
    objects.synced_user(target, dn)
    group_dn = objects.add_group(target, unique("Left behind"), members=(dn, target.person(FOREIGN)))
    cloud_id = objects.converted_group(target, group_dn, (object_id(BRITTA),))
    target.snapshot_of(cloud_id)
    target.apply_plan()
    assert target.members(cloud_id) == {target.person(BRITTA), target.person(FOREIGN), dn}
    target.snapshot_of(cloud_id, plan=str(target.plan_path))
    target.apply_plan()
    assert target.members(cloud_id) == {target.person(BRITTA), target.person(FOREIGN)}


def test_who_an_earlier_run_added_goes_even_if_entra_forgot(target: Target) -> None:
    dn = objects.add_user(target, unique("Added"))
    user = objects.synced_user(target, dn)
    group_dn = objects.add_group(target, unique("Adds"))
    cloud_id = objects.converted_group(target, group_dn, (user,))
    target.provision(cloud_id)
    assert target.members(cloud_id) == {dn}
    target.admin.remove_member(cloud_id, user)
    target.admin.purge(user)
    target.provision(cloud_id)
    assert target.members(cloud_id) == set()


def test_a_dynamic_group_under_evaluation_loses_nobody(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Dynamic"), [object_id(BRITTA), object_id(LOLA)])
    target.provision(cloud_id)
    target.admin.remove_member(cloud_id, object_id(LOLA))
    target.admin.patch_group(
        cloud_id,
        groupTypes=["DynamicMembership"],
        membershipRule="user.department -eq 1",
        membershipRuleProcessingState="Evaluating",
    )
    target.snapshot_of(cloud_id)
    plan = target.plan()
    assert "removals_held" in objects.noticed(plan, cloud_id)
    target.membership()
    assert target.members(cloud_id) == {target.person(BRITTA), target.person(LOLA)}
