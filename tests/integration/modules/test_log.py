# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The provisioning log of real runs: in the journal, and as JSON lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.integration.modules.objects import unique
from tests.integration.modules.target import Target
from tests.lab.scenario import object_id

BRITTA, LOLA, CLOUD_ONLY = "Britta Simon", "Lola Jacobson", "Cora Cloud"


def logged(target: Target, **chosen: Any) -> list[dict[str, Any]]:
    """Return the entries of the journal, oldest first."""
    return list(reversed(target.info("log", log=chosen)["info"]["log"]))


def provision(target: Target, cloud_id: str, path: Path) -> None:
    """Provision one group and write the log to a file."""
    target.snapshot_of(cloud_id)
    for result in (target.plan(), target.group(log_path=str(path)), target.membership(log_path=str(path))):
        assert result["outcome"] == "ok", result


def test_every_outcome_is_logged_once(target: Target) -> None:
    path = target.state / "log.jsonl"
    old, new = unique("Logged"), unique("Renamed")
    cloud_id = target.admin.create_group(old, [object_id(BRITTA), object_id(CLOUD_ONLY)])
    provision(target, cloud_id, path)
    provision(target, cloud_id, path)
    target.admin.patch_group(cloud_id, displayName=new)
    target.admin.add_member(cloud_id, object_id(LOLA))
    target.admin.remove_member(cloud_id, object_id(BRITTA))
    provision(target, cloud_id, path)
    entries = logged(target, id=cloud_id)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line for line in lines if line in entries] == entries
    everything = [entry["id"] for entry in logged(target)]
    assert [line["id"] for line in lines] == everything
    found = target.entry(cloud_id)
    actions = [(e["provisioningAction"], e["provisioningStatusInfo"]["status"]) for e in entries]
    assert actions == [
        ("create", "success"),
        ("update", "success"),
        ("other", "skipped"),
        ("update", "success"),
        ("update", "success"),
        ("update", "success"),
    ]
    created, members, skipped, attributes, renamed, changed = entries
    assert created["targetIdentity"]["details"]["objectSid"] == found["objectSid"][0]
    assert skipped["sourceIdentity"]["id"] == object_id(CLOUD_ONLY)
    assert skipped["sourceIdentity"]["details"]["groupId"] == cloud_id
    assert skipped["provisioningStatusInfo"]["errorInformation"]["errorCode"] == "cloud_only_user"
    assert {"displayName": "displayName", "oldValue": old, "newValue": new} in attributes["modifiedProperties"]
    renames = {entry["displayName"]: entry for entry in renamed["modifiedProperties"]}
    assert renames["distinguishedName"]["newValue"] == found["dn"][0]
    (added,) = members["modifiedProperties"]
    (swapped,) = changed["modifiedProperties"]
    assert added["oldValue"] is None
    assert json.loads(swapped["oldValue"]) == json.loads(added["newValue"])
    assert len(json.loads(swapped["newValue"])) == 1
    assert len({entry["id"] for entry in entries}) == len(entries)


def test_what_is_refused_is_logged_with_its_remedy(target: Target) -> None:
    first = unique("Taken")
    target.lab.ldapmodify(
        target.domain,
        f"dn: CN={first},{target.forest.managed_containers[0]}\nchangetype: add\nobjectClass: container\n",
    )
    cloud_id = target.admin.create_group(first)
    target.snapshot_of(cloud_id)
    plan = target.plan(attribute_mappings=[{"target": "cn", "source": "displayName"}])
    assert plan["outcome"] == "partial"
    target.group()
    (entry,) = logged(target, id=cloud_id, action="plan")
    error = entry["provisioningStatusInfo"]["errorInformation"]
    assert (error["errorCode"], error["errorCategory"]) == (plan["errors"][0]["code"], "failure")
    assert error["recommendedAction"] == plan["errors"][0]["remedy"] != ""
