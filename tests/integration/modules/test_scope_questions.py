# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gpad_scope asks because the plan before names it, against the emulator."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import Fate, FateKind
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Question, Subject
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store import planfile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.snapshot import Snapshot
from tests.integration.modules.target import Target
from tests.lab.scenario import object_id

NEVER = "00000000-0000-4000-8000-00000000dead"


def asking(target: Target, *, groups: Iterable[str] = (), sids: Iterable[str] = ()) -> dict[str, Any]:
    """Write a plan with questions; return the options that name it and list one group alone."""
    entra = target.lab.settings.entra
    assert entra is not None
    moment = "2026-01-01T00:00:00Z"
    header = planfile.PlanHeader("p", moment, entra.tenant_id, moment, target.forest.base_dn, "dc1", False)
    path = target.state / "asking.jsonl"
    with planfile.writing(path, header) as writer:
        for value in groups:
            writer.add(Question(Subject.GROUP, value))
        for value in sids:
            writer.add(Question(Subject.SID, value))
        writer.finish({}, ())
    listed = {"attribute": "displayName", "operator": "EQUALS", "value": "Sales"}
    return {"plan": str(path), "scope_mode": "all", "filters": [{"clauses": [listed]}]}


def fates(target: Target) -> dict[str, Fate]:
    return dict(Snapshot(target.snapshot).fates())


def capture(target: Target, options: dict[str, Any], *, check: bool = False) -> dict[str, Any]:
    result = target.scope(check=check, **options)
    assert result["outcome"] == "ok", result
    return result


def test_groups_that_live_and_that_are_deleted(target: Target) -> None:
    living = target.admin.create_group("Asked and living")
    mailed = target.admin.create_group("Asked and mail-enabled", mailEnabled=True)
    deleted = target.admin.create_group("Asked and deleted")
    target.admin.delete_group(deleted)
    options = asking(target, groups=[living, mailed, deleted, NEVER, object_id("Sales")])
    result = capture(target, options)
    reasons = {group["id"]: group["reason"] for group in result["groups"]}
    assert reasons == {
        object_id("Sales"): "in scope",
        living: "no filter lets it in",
        mailed: "it is mail-enabled",
    }
    summary = result["summary"]
    assert (summary["groups_asked"], summary["groups_soft_deleted"], summary["groups_absent"]) == (4, 1, 1)
    found = fates(target)
    assert {key: fate.kind for key, fate in found.items()} == {deleted: FateKind.SOFT_DELETED, NEVER: FateKind.ABSENT}
    assert found[deleted].name == "Asked and deleted"
    assert found[deleted].since <= found[deleted].seen == result["captured_at"]
    assert found[NEVER] == Fate(NEVER, FateKind.ABSENT, "", result["captured_at"], result["captured_at"])


def test_absence_counts_from_the_first_capture_that_found_it(target: Target) -> None:
    group = target.admin.create_group("Soon gone")
    options = asking(target, groups=[group])
    target.admin.delete_group(group)
    deleted = capture(target, options)
    assert fates(target)[group].kind is FateKind.SOFT_DELETED
    target.admin.purge(group)
    first = capture(target, options)["captured_at"]
    assert fates(target)[group] == Fate(group, FateKind.ABSENT, "Soon gone", first, first)
    time.sleep(1.1)  # times are to the second
    second = capture(target, options)["captured_at"]
    assert deleted["captured_at"] <= first < second
    assert fates(target)[group] == Fate(group, FateKind.ABSENT, "Soon gone", first, second)


def test_a_group_that_was_restored_has_no_fate(target: Target) -> None:
    group = target.admin.create_group("Deleted and restored")
    options = asking(target, groups=[group])
    target.admin.delete_group(group)
    capture(target, options)
    target.admin.restore_group(group)
    result = capture(target, options)
    assert fates(target) == {}
    assert group in {entry["id"] for entry in result["groups"]}


def test_check_mode_asks_and_its_answers_are_no_evidence(target: Target) -> None:
    options = asking(target, groups=[NEVER])
    capture(target, options, check=True)
    seen = fates(target)[NEVER]
    assert Snapshot(target.snapshot).header.check_mode
    time.sleep(1.1)
    result = capture(target, options)
    assert fates(target)[NEVER].since == result["captured_at"] > seen.since


@pytest.mark.parametrize("path", ["/v1.0/groups/", "/directory/deletedItems/"])
@pytest.mark.parametrize(
    "fault", [{"status": 403}, {"status": 404}, {"status": 400}, {"status": 200, "body": {"value": []}}]
)
def test_no_group_is_absent_because_of_an_error(target: Target, path: str, fault: dict[str, Any]) -> None:
    other = str(uuid.UUID(int=uuid.UUID(NEVER).int + 1))
    body = fault.get("body", {"error": {"code": "UnknownError", "message": "Something else."}})
    target.admin.fault("status", path=f"{path}{NEVER}", status=fault["status"], body=body, times=0)
    result = target.scope(**asking(target, groups=[NEVER, other]))
    assert (result["outcome"], result["fatal"]) == ("incomplete", False)
    assert [notice["code"] for notice in result["notices"]] == ["fate_unread"]
    assert set(fates(target)) == {other}
    assert Snapshot(target.snapshot).header.incomplete


def test_a_deleted_group_that_is_busy_is_asked_again(target: Target) -> None:
    target.admin.fault("status", path=f"/directory/deletedItems/{NEVER}", status=429, headers={"Retry-After": "0"})
    capture(target, asking(target, groups=[NEVER]))
    assert fates(target)[NEVER].kind is FateKind.ABSENT


def sid_of(target: Target, name: str) -> str:
    (entry,) = target.lab.ldapsearch(target.domain, target.forest.base_dn, f"(cn={name})", "objectSid")
    return entry["objectSid"][0]


def test_sids_of_users_and_groups_become_known(target: Target) -> None:
    sids = {name: sid_of(target, name) for name in ("Britta Simon", "File Server Admins", "Foreign Hand")}
    capture(target, {"scope_mode": "selected", "selected_groups": ["Empty Shelf"]})
    assert Snapshot(target.snapshot).known_sids(sids.values()) == frozenset()
    unknown = [f"{identity.domain_of(sids['Britta Simon'])}-{900_000 + number}" for number in range(40)]
    options = asking(target, sids=[*sids.values(), *unknown])
    chosen = {"scope_mode": "selected", "selected_groups": ["Empty Shelf"], "plan": options["plan"]}
    result = capture(target, chosen)
    assert (result["summary"]["sids_asked"], result["summary"]["sids_found"]) == (43, 2)
    known = Snapshot(target.snapshot).known_sids([*sids.values(), *unknown])
    assert known == {sids["Britta Simon"], sids["File Server Admins"]}


def test_sids_that_could_not_be_asked_stay_unknown(target: Target) -> None:
    sid = sid_of(target, "Lola Jacobson")
    target.admin.fault("status", path="/v1.0/users", status=403, times=0)
    options = {**asking(target, sids=[sid]), "scope_mode": "selected", "selected_groups": ["Empty Shelf"]}
    result = target.scope(**{**options, "filters": []})
    assert result["outcome"] == "incomplete"
    assert "sids_unread" in {notice["code"] for notice in result["notices"]}
    assert Snapshot(target.snapshot).known_sids([sid]) == frozenset()


def test_a_plan_that_was_edited_asks_nothing_and_is_told(target: Target) -> None:
    options = asking(target, groups=[NEVER])
    path = Path(options["plan"])
    path.write_text(path.read_text(encoding="utf-8").replace("dc1", "dc2"), encoding="utf-8")
    result = target.scope(**options)
    assert result["outcome"] == "ok"
    assert [notice["code"] for notice in result["notices"]] == ["plan_damaged"]
    assert "groups_asked" not in result["summary"]


def test_what_users_are_matched_by_is_read(target: Target) -> None:
    guid = target.lab.ldapsearch(target.domain, target.forest.base_dn, "(cn=Britta Simon)", "objectGUID")[0]
    capture(target, {"match_users_by": ["object_identifier", "immutable_id"], "scope_mode": "all"})
    members = Snapshot(target.snapshot).members(object_id("Sales")).items
    (britta,) = [member for member in members if member.display_name == "Britta Simon"]
    for value in (britta.on_premises_object_identifier, britta.on_premises_immutable_id):
        assert identity.source_anchor_guid(value) == guid["objectGUID"][0]
    assert (britta.on_premises_sam_account_name, britta.on_premises_domain_name) == ("bsimon", "contoso.com")
    capture(target, {"scope_mode": "all"})
    plain = next(m for m in Snapshot(target.snapshot).members(object_id("Sales")).items if m.id == britta.id)
    assert (plain.on_premises_object_identifier, plain.on_premises_immutable_id) == (None, None)
    assert plain.on_premises_security_identifier == britta.on_premises_security_identifier


def test_a_device_brings_its_device_id(target: Target) -> None:
    device_id = str(uuid.uuid4())
    device = target.admin.create(
        "device", {"displayName": "PC 1", "deviceId": device_id, "onPremisesSyncEnabled": True}
    )
    group = target.admin.create_group("With a device", [device])
    capture(target, {"scope_mode": "selected", "selected_groups": [group]})
    (member,) = Snapshot(target.snapshot).members(group).items
    assert (member.on_premises_object_identifier, member.on_premises_sync_enabled) == (device_id, True)
    assert member.readable
