# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The source of authority of groups, changed in the emulator and followed in the directory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.modules.objects import (
    DOMAIN_LOCAL,
    GLOBAL,
    add,
    add_group,
    add_user,
    converted_group,
    read,
    synced_user,
    unique,
)
from tests.integration.modules.target import ROOT, Target
from tests.lab.api import Lab
from tests.lab.entra.admin import EntraAdmin
from tests.lab.scenario import object_id

NESTED = ("Everybody", "All Staff", "Field Staff", "Floor Staff")
SYNCED, CONVERTED, ROLLED_BACK = (False, True), (True, None), (False, None)


@pytest.fixture(scope="module")
def soa_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    scenario = ROOT / "tests" / "lab" / "scenarios" / "soa.yml"
    with Lab.up(scenario, tmp_path_factory.mktemp("soa") / "lab", "auto") as running:
        yield running


@pytest.fixture
def admin(soa_lab: Lab) -> Iterator[EntraAdmin]:
    entra = soa_lab.settings.entra
    assert entra is not None
    made = EntraAdmin(entra.admin_url, entra.admin_key, entra.ca_cert)
    yield made
    made.knobs(conversion_waits=False)
    made.clear_faults()
    made.clear_requests()
    made.close()


@pytest.fixture
def target(soa_lab: Lab, admin: EntraAdmin, tmp_path: Path) -> Target:
    return Target(soa_lab, admin, tmp_path, application="converter")


def sids(states: dict[str, Any]) -> list[str]:
    """Return the SIDs that the states of some groups name."""
    return [one["before"]["on_premises_security_identifier"] for one in states["states"]]


def table(result: dict[str, Any], when: str) -> dict[str, tuple[bool | None, bool | None]]:
    """Return isCloudManaged and onPremisesSyncEnabled by name."""
    return {
        one["name"]: (one[when]["is_cloud_managed"], one[when]["on_premises_sync_enabled"]) for one in result["states"]
    }


def known(target: Target, *groups: str) -> dict[str, Any]:
    """Return the directory's facts of cloud groups."""
    return target.facts(*sids(target.soa(*groups)))


def change(target: Target, wanted: str, *groups: str, **options: Any) -> dict[str, Any]:
    """Change the source of authority of groups with fresh facts."""
    facts = options.pop("directory_facts", None) or known(target, *groups)
    return target.soa(*groups, source_of_authority=wanted, directory_facts=facts, **options)


def codes(result: dict[str, Any], kind: str = "errors") -> set[tuple[str, str]]:
    """Return name and code of each remark."""
    return {(one["name"], one["code"]) for one in result[kind]}


def identities(target: Target) -> dict[str, tuple[str, str]]:
    """Return GUID and SID of the nested groups, as ldapsearch reads them."""
    entries = {name: read(target, f"CN={name},OU=Groups,{target.forest.base_dn}") for name in NESTED}
    return {name: (held["objectGUID"][0], held["objectSid"][0]) for name, held in entries.items()}


def synced_group(target: Target, *members: str, group_type: str | None = None, **cloud: Any) -> str:
    """Add a synced group, whose members are DNs that Entra ID knows, return its name."""
    name = unique("Refused")
    dn = add_group(target, name, members=members, **({"group_type": group_type} if group_type else {}))
    ids = tuple(object_id(member[3:].partition(",")[0]) for member in members)
    cloud_id = converted_group(target, dn, ids, cloud_managed=False)
    if cloud:
        target.admin.patch_group(cloud_id, **cloud)
    return name


def test_a_nested_set_goes_to_the_cloud_and_back(target: Target, admin: EntraAdmin) -> None:
    before, ids = identities(target), [object_id(name) for name in NESTED]
    facts = known(target, *NESTED)
    audited_before = len(target.soa(*NESTED, gather_audit=True)["audit"])
    admin.clear_requests()

    # Check mode writes nothing and tells the same.
    dry = change(target, "cloud", *NESTED, directory_facts=facts, check=True, diff=True)
    assert not [one for one in admin.requests() if one["method"] == "PATCH"]
    assert (dry["outcome"], dry["changed"]) == ("ok", True)
    assert table(dry, "before") == dict.fromkeys(NESTED, SYNCED)
    assert table(dry, "after") == dict.fromkeys(NESTED, CONVERTED)
    assert "+ isCloudManaged: true" in dry["diff"]["prepared"]
    assert table(target.soa(*NESTED), "before") == dict.fromkeys(NESTED, SYNCED)

    # For real: the lowest first.
    done = change(target, "cloud", *NESTED, directory_facts=facts, gather_audit=True)
    assert (done["outcome"], done["changed"]) == ("ok", True), done
    assert done["changes"] == dry["changes"]
    assert [one["name"] for one in done["changes"]] == ["Field Staff", "Floor Staff", "All Staff", "Everybody"]
    patched = [one["path"].split("/")[3] for one in admin.requests() if one["method"] == "PATCH"]
    assert patched == [one["id"] for one in done["changes"]]
    assert table(done, "before") == dict.fromkeys(NESTED, SYNCED)
    assert table(done, "after") == dict.fromkeys(NESTED, CONVERTED)
    assert [one["pending"] for one in done["states"]] == [False] * 4
    assert {one["dn"] for one in done["originals"]} == {f"CN={n},OU=Groups,{target.forest.base_dn}" for n in NESTED}
    assert len(done["audit"]) == audited_before + 4

    again = change(target, "cloud", *NESTED)
    assert (again["outcome"], again["changed"], again["changes"]) == ("ok", False, [])

    # Provisioning takes the groups over where they are.
    target.provision(*ids, mark_authority=True)
    assert identities(target) == before
    assert {target.entry(cloud_id)["msDS-ObjectSoa"][0] for cloud_id in ids} == {"Cloud"}
    marks = {name: target.entry(object_id(name))["adminDescription"] for name in NESTED}
    assert marks == {name: [f"TakenOver_Group_{object_id(name)}"] for name in NESTED}

    # Back: not before the mark is gone.
    early = change(target, "on_premises", *NESTED)
    assert early["outcome"] == "partial" and not early["changed"]
    assert {code for _name, code in codes(early)} == {"anchor_still_set"}
    assert target.prepare(hand_back=ids, check=True)["changed"]
    assert target.prepare(hand_back=ids)["outcome"] == "ok"
    assert not any("adminDescription" in target.entry(object_id(name)) for name in NESTED)
    assert not any("msDS-ObjectSoa" in target.entry(cloud_id) for cloud_id in ids)
    back = change(target, "on_premises", *NESTED)
    assert (back["outcome"], back["changed"]) == ("ok", True), back
    assert table(back, "before") == dict.fromkeys(NESTED, CONVERTED)
    assert table(back, "after") == dict.fromkeys(NESTED, ROLLED_BACK)
    assert [one["pending"] for one in back["states"]] == [True] * 4
    assert [one["name"] for one in back["changes"]] == ["Field Staff", "Floor Staff", "All Staff", "Everybody"]
    assert change(target, "on_premises", *NESTED)["changed"] is False
    waiting = change(target, "cloud", "Floor Staff")
    assert codes(waiting) == {("Floor Staff", "roll_back_pending")}

    # Provisioning leaves them alone, whatever the sync client does next.
    scoped = target.scope(*ids)
    assert {one["code"] for one in scoped["skips"]} == {"rolled_back"}
    plan = target.plan()
    assert plan["changes"] == [] and {one["code"] for one in plan["errors"]} == {"limit_exceeded"}  # all of them left
    for result in (target.group(approve=plan["checksum"]), target.membership(approve=plan["checksum"])):
        assert (result["outcome"], result["changed"]) == ("ok", False), result
    assert not any("adminDescription" in target.entry(object_id(name)) for name in NESTED)
    for cloud_id in ids:
        admin.take_over(cloud_id)
    last = target.soa(*NESTED)
    assert table(last, "after") == dict.fromkeys(NESTED, SYNCED) and last["summary"]["pending"] == 0
    assert identities(target) == before


def test_a_conversion_is_pending_until_the_sync_client_lets_go(target: Target, admin: EntraAdmin) -> None:
    name = synced_group(target, target.person("Britta Simon"))
    admin.knobs(conversion_waits=True)
    done = change(target, "cloud", name)
    (state,) = done["states"]
    assert (state["after"]["state"], state["pending"]) == ("converted", True)
    admin.take_over(state["id"])
    assert target.soa(name)["states"][0]["pending"] is False


def test_every_refusal_is_told_before_anything_is_written(target: Target, admin: EntraAdmin) -> None:
    britta, lola = target.person("Britta Simon"), target.person("Lola Jacobson")
    mail = synced_group(target, mailEnabled=True)
    plain = synced_group(target, securityEnabled=False)
    everywhere = synced_group(target, group_type=GLOBAL)
    local = synced_group(target, group_type=DOMAIN_LOCAL)
    stranger = unique("Refused")
    converted_group(target, add_group(target, stranger, members=(target.person("Foreign Hand"),)), cloud_managed=False)
    behind = unique("Refused")
    converted_group(
        target, add_group(target, behind, members=(britta,)), (object_id("Lola Jacobson"),), cloud_managed=False
    )
    outer = unique("Refused")
    converted_group(
        target,
        add_group(target, outer, members=(f"CN={everywhere},OU=Groups,{target.forest.base_dn}", lola)),
        (target.soa(everywhere)["states"][0]["id"], object_id("Lola Jacobson")),
        cloud_managed=False,
    )
    unknown = unique("Nowhere")
    twins = unique("Twins")
    admin.create_group(twins)
    admin.create_group(twins)
    good = synced_group(target, britta)
    wanted = (mail, plain, everywhere, local, stranger, behind, outer, unknown, twins, good)
    named = (mail, plain, everywhere, local, stranger, behind, outer, good)
    facts = known(target, *named)
    result = change(target, "cloud", *wanted, directory_facts=facts)
    assert result["outcome"] == "partial", result
    assert codes(result) == {
        (mail, "mail_enabled"),
        (plain, "not_security_enabled"),
        (everywhere, "not_universal"),
        (local, "not_universal"),
        (stranger, "members_unknown"),
        (behind, "sync_pending"),
        (outer, "nested_failed"),
        (unknown, "soa_group_not_found"),
        (twins, "soa_group_not_unique"),
    }
    assert [one["name"] for one in result["changes"]] == [good]
    texts = {one["name"]: one["reason"] for one in result["errors"]}
    assert "only in Entra ID: Lola Jacobson" in texts[behind] and britta in texts[behind]
    assert target.person("Foreign Hand") in texts[stranger]
    assert all(one["remedy"] for one in result["errors"])
    # What an administrator decides to leave behind stands in the way no longer.
    hand = read(target, target.person("Foreign Hand"))["objectSid"]
    left = change(target, "cloud", stranger, left_behind=hand)
    assert left["outcome"] == "ok" and codes(left, "notices") == {(stranger, "members_left_behind")}


def test_built_in_groups_and_unknown_facts_are_refused(target: Target) -> None:
    dn = f"CN=Domain Admins,CN=Users,{target.forest.base_dn}"
    converted_group(target, dn, cloud_managed=False)
    facts = target.facts(dn)
    assert facts["info"]["soa"][0]["guarded"] and facts["info"]["soa"][0]["managed"] is False
    result = change(target, "cloud", "Domain Admins", directory_facts=facts)
    assert ("Domain Admins", "protected_group") in codes(result)
    name = synced_group(target)
    assert codes(target.soa(name, source_of_authority="cloud")) == {(name, "directory_facts_missing")}


def test_cloud_members_keep_a_group_from_being_rolled_back(target: Target, admin: EntraAdmin) -> None:
    name = synced_group(target, target.person("Britta Simon"))
    assert change(target, "cloud", name)["outcome"] == "ok"
    cloud_id = target.soa(name)["states"][0]["id"]
    admin.add_member(cloud_id, object_id("Cora Cloud"))
    admin.add_member(cloud_id, object_id("Lola Jacobson"))
    born = admin.create_group(unique("Born in the cloud"))
    result = target.soa(name, born, source_of_authority="on_premises", directory_facts=known(target, name))
    assert {code for _name, code in codes(result)} == {"cloud_only_members", "sync_pending", "born_in_cloud"}
    texts = {one["code"]: one["reason"] for one in result["errors"]}
    assert "Cora Cloud" in texts["cloud_only_members"] and "Lola Jacobson" in texts["sync_pending"]
    assert result["changed"] is False


def test_groups_are_made_universal_in_the_order_that_the_directory_takes(target: Target) -> None:
    low, high = unique("Low"), unique("High")
    inside = add_group(target, low, group_type=GLOBAL)
    outside = add_group(target, high, group_type=GLOBAL, members=(inside,))
    stuck = add_group(target, unique("Stuck"), group_type=DOMAIN_LOCAL)
    add_group(target, unique("Deep"), group_type=DOMAIN_LOCAL)
    wanted = [read(target, dn)["objectSid"][0] for dn in (inside, outside, stuck)]
    applied = target.prepare(make_universal=wanted)
    assert applied["outcome"] == "ok", applied
    assert [one["name"] for one in applied["changes"]].index(high) < [one["name"] for one in applied["changes"]].index(
        low
    )
    assert {one["scope"] for one in target.facts(*wanted)["info"]["soa"]} == {"universal"}
    assert target.prepare(make_universal=wanted)["changed"] is False


def test_a_limit_stops_all_until_these_very_changes_are_approved(target: Target, admin: EntraAdmin) -> None:
    names = [synced_group(target) for _unused in range(2)]
    facts = known(target, *names)
    admin.clear_requests()
    stopped = change(target, "cloud", *names, directory_facts=facts, limits={"count": 1})
    assert (stopped["outcome"], stopped["fatal"], stopped["changed"]) == ("blocked", True, False)
    assert {code for _name, code in codes(stopped)} == {"limit_exceeded"}
    wrong = change(target, "cloud", *names, directory_facts=facts, approve="0" * 64)
    assert {code for _name, code in codes(wrong)} == {"plan_not_approved"}
    assert not [one for one in admin.requests() if one["method"] == "PATCH"]
    assert table(target.soa(*names), "after") == dict.fromkeys(names, SYNCED)
    let = change(
        target, "cloud", *names, directory_facts=facts, limits={"count": 1}, approve=stopped["checksum"].upper()
    )
    assert let["outcome"] == "ok" and len(let["changes"]) == 2


def test_one_refused_change_leaves_the_others(target: Target, admin: EntraAdmin) -> None:
    inner, other = synced_group(target), synced_group(target)
    inner_id = target.soa(inner)["states"][0]["id"]
    outer = unique("Outer")
    dn = add_group(target, outer, members=(f"CN={inner},OU=Groups,{target.forest.base_dn}",))
    converted_group(target, dn, (inner_id,), cloud_managed=False)
    facts = known(target, outer, inner, other)
    admin.fault("status", path=f"{inner_id}/onPremisesSyncBehavior", method="PATCH", status=400)
    result = change(target, "cloud", outer, inner, other, directory_facts=facts)
    assert (result["outcome"], result["changed"]) == ("partial", True)
    assert codes(result) == {(inner, "entra_400"), (outer, "nested_failed")}
    assert [one["name"] for one in result["changes"]] == [other]
    assert table(result, "after") == {inner: SYNCED, outer: SYNCED, other: CONVERTED}
    admin.clear_faults()
    assert change(target, "cloud", outer, inner, other)["outcome"] == "ok"


def test_a_change_that_gets_no_answer_is_judged_by_what_is_there(target: Target, admin: EntraAdmin) -> None:
    name = synced_group(target)
    facts = known(target, name)
    admin.fault("status", path="onPremisesSyncBehavior", method="PATCH", status=503, headers={"Retry-After": "0"})
    admin.fault("truncate", path="onPremisesSyncBehavior", method="PATCH", skip=1, times=1)
    result = change(target, "cloud", name, directory_facts=facts)
    assert (result["outcome"], table(result, "after")[name]) == ("ok", CONVERTED)


def test_the_original_name_goes_into_the_extension(target: Target, admin: EntraAdmin) -> None:
    name = synced_group(target)
    dn = f"CN={name},OU=Groups,{target.forest.base_dn}"
    missing = change(target, "cloud", name, original_name={"extension": "use"})
    assert missing["errors"][0]["code"] == "extension_missing" and missing["fatal"]
    assert table(target.soa(name), "after")[name] == SYNCED
    dry = change(target, "cloud", name, original_name={"extension": "create"}, check=True)
    done = change(target, "cloud", name, original_name={"extension": "create"})
    assert [one["action"] for one in done["changes"]] == ["create_extension", "convert_to_cloud"]
    assert done["changes"] == dry["changes"]
    held = admin.get_object(done["states"][0]["id"])
    assert held is not None
    assert [value for key, value in held.items() if key.endswith("_GroupDN")] == [dn]
    other = synced_group(target)
    used = change(target, "cloud", other, original_name={"extension": "use"})
    assert [one["action"] for one in used["changes"]] == ["convert_to_cloud"]
    assert used["changes"][0]["attributes"]["GroupDN"]["after"] == [f"CN={other},OU=Groups,{target.forest.base_dn}"]


def test_facts_travel_in_a_file(target: Target, tmp_path: Path) -> None:
    name = synced_group(target)
    path = tmp_path / "facts.json"
    target.facts(*sids(target.soa(name)), report_path=str(path))
    assert json.loads(path.read_text())["info"]["soa"][0]["name"] == name
    assert change(target, "cloud", name, directory_facts=str(path))["outcome"] == "ok"


def test_without_the_permission_nothing_is_known(soa_lab: Lab, admin: EntraAdmin, tmp_path: Path) -> None:
    target = Target(soa_lab, admin, tmp_path, application="converter")
    name = synced_group(target)
    refused = Target(soa_lab, admin, tmp_path, application="gpad").soa(name, gather_audit=True)
    assert refused["errors"][0]["code"] == "permission_missing" and "AuditLog.Read.All" in refused["msg"]


def test_a_nested_group_that_was_converted_before_does_not_block_its_parent(target: Target) -> None:
    user = add_user(target, unique("Nested"))
    synced_user(target, user)
    inner = unique("Inner")
    inner_dn = add_group(target, inner)
    converted_group(target, inner_dn)
    contact = add(target, unique("Contact"), "contact")
    outer = unique("Outer")
    converted_group(target, add_group(target, outer, members=(inner_dn, contact)), cloud_managed=False)
    result = change(target, "cloud", outer)
    assert result["outcome"] == "ok", result
    assert codes(result, "notices") == {(outer, "nested_reference_missing"), (outer, "contacts_not_compared")}
