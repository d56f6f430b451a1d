# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may write an anchor, and no more, gains nothing by it and stops nothing; each attempt is reported."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.modules import objects
from tests.integration.modules.objects import unique
from tests.integration.modules.target import Target
from tests.lab.scenario import object_id

BRITTA, LOLA, ATTACKER = "Britta Simon", "Lola Jacobson", "Foreign Hand"
ANCHOR = "msDS-ExternalDirectoryObjectId"
# The property set Personal-Information, which holds the anchor (MS-ADA2).
PERSONAL_INFORMATION = "77b5b886-944a-11d1-aebd-0000f80367c1"


def stamp(target: Target, dn: str, cloud_id: str) -> None:
    """Write the anchor of a cloud group on some object."""
    target.modify(dn, f"replace: {ANCHOR}\n{ANCHOR}: Group_{cloud_id}")


def sid_of(target: Target, name: str) -> str:
    """Return the SID of one of the scenario's people."""
    return objects.read(target, target.person(name))["objectSid"][0]


@pytest.fixture
def warm(target: Target) -> Iterator[Target]:
    """A target whose journal knows a group, as any has after its first run."""
    target.provision(target.admin.create_group(unique("Known")))
    yield target


def test_a_user_stamps_the_own_account(warm: Target) -> None:
    cloud_id = warm.admin.create_group(unique("Targeted"), [object_id(BRITTA)])
    attacker = warm.person(ATTACKER)
    stamp(warm, attacker, cloud_id)
    try:
        warm.snapshot_of(cloud_id)
        plan = warm.apply_plan()
        assert "anchor_tampering" in objects.noticed(plan, cloud_id)
        (group,) = [entry for entry in warm.entries(cloud_id) if entry["dn"] != [attacker]]
        assert group["member"] == [warm.person(BRITTA)]
    finally:
        warm.modify(attacker, f"replace: {ANCHOR}")


def test_a_help_desk_with_personal_information_stamps_a_group(warm: Target) -> None:
    """Neither the existing group of the anchor's owner nor one that is still to be created is stopped."""
    decoy = objects.add_group(warm, unique("Decoy"), members=(warm.person(ATTACKER),))
    warm.grant(decoy, f"(OA;;RPWP;{PERSONAL_INFORMATION};;{sid_of(warm, ATTACKER)})")
    existing = warm.admin.create_group(unique("Existing"), [object_id(BRITTA)])
    coming = warm.admin.create_group(unique("Coming"), [object_id(BRITTA)])
    warm.provision(existing)
    before = warm.entry(existing)
    for cloud_id in (existing, coming):
        stamp(warm, decoy, cloud_id)
        warm.snapshot_of(cloud_id)
        plan = warm.apply_plan()
        assert "anchor_tampering" in objects.noticed(plan, cloud_id)
        (group,) = [entry for entry in warm.entries(cloud_id) if entry["dn"] != [decoy]]
        assert group["member"] == [warm.person(BRITTA)]
        assert objects.read(warm, decoy)["member"] == [warm.person(ATTACKER)]
    assert (
        warm.lab.ldapsearch(warm.domain, before["dn"][0], "(objectClass=*)", "objectSid")[0]["objectSid"]
        == (before["objectSid"])
    )


def test_an_anchor_overwritten_on_our_own_group_is_written_back(warm: Target) -> None:
    cloud_id, other = warm.admin.create_group(unique("Ours")), warm.admin.create_group(unique("Theirs"))
    warm.provision(cloud_id)
    dn = warm.entry(cloud_id)["dn"][0]
    stamp(warm, dn, other)
    warm.snapshot_of(cloud_id, other)
    plan = warm.apply_plan()
    assert "anchor_tampering" in objects.noticed(plan, cloud_id)
    assert warm.entry(cloud_id)["dn"] == [dn]
    assert warm.entry(other)["dn"] != [dn]


def test_a_foreign_group_takes_the_anchor_of_a_child_that_is_not_provisioned_yet(warm: Target) -> None:
    child = warm.admin.create_group(unique("Child"), [object_id(BRITTA)])
    parent = warm.admin.create_group(unique("Parent"), [child])
    decoy = objects.add_group(warm, unique("Decoy child"), ou="OU=People", members=(warm.person(ATTACKER),))
    stamp(warm, decoy, child)
    warm.snapshot_of(parent, child)
    plan = warm.apply_plan()
    assert "anchor_tampering" in objects.noticed(plan, child)
    (own,) = [entry for entry in warm.entries(child) if entry["dn"] != [decoy]]
    assert warm.members(parent) == {own["dn"][0]}


def test_a_decoy_of_an_untrusted_owner_is_deleted_and_comes_back(warm: Target) -> None:
    """Its creator may write it, so it is neither adopted, nor restored when it lies among the deleted objects."""
    cloud_id, good = (
        warm.admin.create_group(unique("Wanted"), [object_id(BRITTA)]),
        warm.admin.create_group(unique("Good")),
    )
    decoy = objects.add_group(warm, unique("Creator owned"), members=(warm.person(ATTACKER),))
    stamp(warm, decoy, cloud_id)
    guid = objects.read(warm, decoy)["objectGUID"][0]
    warm.own(decoy, sid_of(warm, ATTACKER))
    warm.lab.ldapmodify(warm.domain, f"dn: {decoy}\nchangetype: delete\n")
    warm.snapshot_of(cloud_id, good)
    plan = warm.apply_plan()
    assert "anchor_tampering" in objects.noticed(plan, cloud_id)
    created = warm.entry(cloud_id)
    assert created["objectGUID"] != [guid] and created["member"] == [warm.person(BRITTA)]
    (lost,) = warm.lab.ldapsearch(warm.domain, f"<GUID={guid}>", "(objectClass=*)", scope="base", show_deleted=True)
    back = f"delete: isDeleted\n-\nreplace: distinguishedName\ndistinguishedName: {decoy}"
    warm.lab.ldapmodify(warm.domain, f"dn: {lost['dn'][0]}\nchangetype: modify\n{back}\n", show_deleted=True)
    warm.snapshot_of(cloud_id, good)
    plan = warm.apply_plan()
    assert "anchor_tampering" in objects.noticed(plan, cloud_id)
    assert not plan["would_change"]
    assert "member" not in objects.read(warm, decoy)


def test_a_full_decoy_waits_for_a_decision_and_stops_no_other_group(warm: Target) -> None:
    """With both marks it looks like the work of another provisioning job, so that people must say whose it is."""
    cloud_id, good = (
        warm.admin.create_group(unique("Claimed"), [object_id(BRITTA)]),
        warm.admin.create_group(unique("Fine")),
    )
    decoy = objects.add_group(warm, unique("Full decoy"))
    stamp(warm, decoy, cloud_id)
    warm.modify(decoy, f"replace: adminDescription\nadminDescription: Group_{cloud_id}")
    attacker = sid_of(warm, ATTACKER)
    warm.own(decoy, attacker)
    guid = objects.read(warm, decoy)["objectGUID"][0]
    warm.scope(cloud_id, good)
    plan = warm.plan()
    assert [(error["id"], error["code"]) for error in plan["errors"]] == [(cloud_id, "adoption_needs_approval")]
    assert guid in plan["errors"][0]["reason"] and attacker in plan["errors"][0]["reason"]
    warm.group()
    warm.membership()
    assert warm.entry(good) and "member" not in objects.read(warm, decoy)
    ignored = warm.plan(ignore_objects=[guid])
    assert [change["action"] for change in ignored["changes"]] == ["create", "members"]
    for option, value in (("adopt_objects", guid), ("trusted_writers", attacker)):
        vouched: dict[str, Any] = {option: [value]}
        assert [change["action"] for change in warm.plan(**vouched)["changes"]][:1] == ["adopt"]


def test_without_a_journal_a_stamped_group_waits_for_a_decision(target: Target) -> None:
    """It may be all that is left of a group whose other mark was cleared; a new one would have another SID."""
    cloud_id = target.admin.create_group(unique("Unremembered"))
    dn = objects.add_group(target, unique("Stamped"))
    stamp(target, dn, cloud_id)
    target.grant(dn, f"(OA;;RPWP;{PERSONAL_INFORMATION};;{sid_of(target, ATTACKER)})")
    target.scope(cloud_id)
    assert [error["code"] for error in target.plan()["errors"]] == ["adoption_needs_approval"]
