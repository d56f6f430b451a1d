# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shape of the provisioning log."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Action
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.provisioning_log import (
    PLAN,
    SKIP,
    LogEntry,
    summary_object,
)

TENANT = "aaaabbbb-0000-4000-8000-000000000001"

# The properties of learn.microsoft.com/graph/api/resources/provisioningobjectsummary.
PROPERTIES = {
    "id",
    "activityDateTime",
    "tenantId",
    "jobId",
    "cycleId",
    "changeId",
    "provisioningAction",
    "durationInMilliseconds",
    "initiatedBy",
    "servicePrincipal",
    "sourceSystem",
    "targetSystem",
    "sourceIdentity",
    "targetIdentity",
    "modifiedProperties",
    "provisioningSteps",
    "provisioningStatusInfo",
}
ACTIONS = {"create", "update", "delete", "other"}
STEP_TYPES = {"import", "scoping", "matching", "export"}
STATUSES = {"success", "warning", "failure", "skipped"}


def entry(action: str = "update", status: str = "done", **more: Any) -> LogEntry:
    """Return an entry of a group."""
    usual: dict[str, Any] = {"guid": "g", "dn": "CN=Sales,DC=contoso,DC=com"}
    first = ("run.o7", "2026-11-21T10:00:00.000000Z", 12, "gpad_group", "run", "plan", TENANT, "DC=contoso,DC=com")
    return LogEntry(*first, action, status, "c1", "Sales", **{**usual, **more})


def plain(value: Any) -> Any:
    """Return a value as JSON gives it back."""
    return json.loads(json.dumps(value))


@pytest.mark.parametrize("status", ["done", "partial", "failed", "skipped"])
@pytest.mark.parametrize("action", [*(action.value for action in Action), SKIP, PLAN])
def test_every_outcome_has_the_shape_that_graph_documents(action: str, status: str) -> None:
    found = plain(summary_object(entry(action, status, after={"cn": ("Sales",)}, added=("m",), code="x")))
    assert set(found) == PROPERTIES
    assert found["provisioningAction"] in ACTIONS
    assert {step["provisioningStepType"] for step in found["provisioningSteps"]} <= STEP_TYPES
    assert all(
        set(step) == {"name", "provisioningStepType", "status", "description", "details"}
        for step in found["provisioningSteps"]
    )
    assert found["provisioningSteps"][-1]["status"] == found["provisioningStatusInfo"]["status"]
    assert found["provisioningStatusInfo"]["status"] in STATUSES
    assert set(found["provisioningStatusInfo"]["errorInformation"]) == {
        "errorCode",
        "errorCategory",
        "reason",
        "recommendedAction",
        "additionalDetails",
    }
    assert set(found["initiatedBy"]) == {"id", "displayName", "initiatorType"}


def test_a_group_that_was_created() -> None:
    created = entry("create", after={"cn": ("Sales",), "objectSid": ("S-1-5-21-1-2-3-1104",), "proxies": ("a", "b")})
    found = summary_object(created)
    assert found["provisioningAction"] == "create"
    assert found["modifiedProperties"] == [
        {"displayName": "cn", "oldValue": None, "newValue": "Sales"},
        {"displayName": "objectSid", "oldValue": None, "newValue": "S-1-5-21-1-2-3-1104"},
        {"displayName": "proxies", "oldValue": None, "newValue": '["a", "b"]'},
    ]
    assert found["targetIdentity"]["id"] == "g"
    assert found["targetIdentity"]["details"]["objectSid"] == "S-1-5-21-1-2-3-1104"
    assert found["jobId"] == f"hybrid_identity.gpad.{TENANT}.contoso.com"
    assert [step["name"] for step in found["provisioningSteps"]] == [
        "EntryImportAdd",
        "EntrySynchronizationScoping",
        "EntrySynchronizationAdd",
        "EntryExportAdd",
    ]
    assert found["provisioningStatusInfo"] == {"status": "success", "errorInformation": None}


def test_old_and_new_values_and_links() -> None:
    found = summary_object(
        entry(before={"info": ("old",)}, after={"info": ()}, added=("m1", "m2"), removed=("m3",), status="partial")
    )
    assert found["modifiedProperties"] == [
        {"displayName": "info", "oldValue": "old", "newValue": None},
        {"displayName": "member", "oldValue": '["m3"]', "newValue": '["m1", "m2"]'},
    ]


def test_what_failed_modified_nothing_and_says_why() -> None:
    found = summary_object(
        entry(status="failed", after={"info": ("new",)}, code="permission_denied", message="No.", remedy="Grant it.")
    )
    assert found["modifiedProperties"] == []
    assert found["provisioningStatusInfo"]["errorInformation"] == {
        "errorCode": "permission_denied",
        "errorCategory": "failure",
        "reason": "No.",
        "recommendedAction": "Grant it.",
        "additionalDetails": None,
    }
    assert [step["status"] for step in found["provisioningSteps"]] == ["success"] * 3 + ["failure"]


def test_a_member_that_was_left_alone() -> None:
    found = summary_object(
        entry(SKIP, "skipped", group_id="c9", group_name="All", guid=None, dn="", reason="why", code="cloud_only_user")
    )
    assert found["sourceIdentity"] == {
        "id": "c1",
        "displayName": "Sales",
        "identityType": "Member",
        "details": {"groupId": "c9", "groupDisplayName": "All"},
    }
    assert [step["name"] for step in found["provisioningSteps"]] == ["EntrySynchronizationSkip"]
    assert found["provisioningStatusInfo"]["errorInformation"]["errorCategory"] == "nonServiceFailure"
    assert found["provisioningStatusInfo"]["errorInformation"]["reason"] == "why"
