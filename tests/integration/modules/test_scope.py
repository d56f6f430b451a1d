# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scope in all its forms, against the emulator."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.modules.target import Target

APP = "fedcba9876543210fedcba9876543210"
ROLE = "1a0abf4d-b9fa-4512-a3a2-51ee82c6fd9f"


def clause(attribute: str, operator: str, value: object = None) -> dict[str, Any]:
    return {"attribute": attribute, "operator": operator, "value": value}


def names_in_scope(result: dict[str, Any], *prefixes: str) -> set[str]:
    return {g["name"] for g in result["groups"] if g["in_scope"] and g["name"].startswith(prefixes)}


@pytest.mark.parametrize(
    ("clauses", "expected"),
    [
        ([clause("displayName", "EQUALS", "F-{p}-Sales")], {"Sales"}),
        ([clause("displayName", "STARTS_WITH", "F-{p}-S")], {"Sales", "Support"}),
        ([clause("displayName", "INCLUDES", "{p}-M")], {"Marketing"}),
        ([clause("displayName", "ENDS_WITH", "t"), clause("displayName", "INCLUDES", "{p}")], {"Support"}),
        ([clause("displayName", "REGEX MATCH", "^F-{p}-(Sales|Marketing)$")], {"Sales", "Marketing"}),
        ([clause("displayName", "EQUALS", "f-{p}-sales")], set()),
        (
            [clause("description", "NOT EQUALS", "keep out"), clause("displayName", "INCLUDES", "{p}")],
            {"Sales"},
        ),
        ([clause("description", "IS NULL"), clause("displayName", "INCLUDES", "{p}")], {"Marketing"}),
        ([clause(f"extension_{APP}_Write", "IS TRUE"), clause("displayName", "INCLUDES", "{p}")], {"Sales"}),
        ([clause(f"extension_{APP}_Level", "GREATER_THAN", 2), clause("displayName", "INCLUDES", "{p}")], {"Support"}),
    ],
)
def test_filters_let_in_what_they_should(
    target: Target, clauses: list[dict[str, Any]], expected: set[str], request: pytest.FixtureRequest
) -> None:
    prefix = f"p{abs(hash(request.node.name)) % 10**8}"
    groups: dict[str, dict[str, Any]] = {
        "Sales": {"description": "x", f"extension_{APP}_Write": True},
        "Marketing": {f"extension_{APP}_Write": False},
        "Support": {"description": "keep out", f"extension_{APP}_Level": 3},
    }
    for name, properties in groups.items():
        target.admin.create_group(f"F-{prefix}-{name}", (), **properties)
    filled = [
        {**c, "value": c["value"].replace("{p}", prefix) if isinstance(c["value"], str) else c["value"]}
        for c in clauses
    ]
    result = target.scope(filters=[{"clauses": filled}], max_results=100000)
    assert names_in_scope(result, f"F-{prefix}") == {f"F-{prefix}-{name}" for name in expected}, result
    assert result["outcome"] == "ok"


def test_filters_are_alternatives_and_the_result_names_the_one_that_let_in(target: Target) -> None:
    target.admin.create_group("Alt-A")
    target.admin.create_group("Alt-B")
    result = target.scope(
        filters=[
            {"name": "first", "clauses": [clause("displayName", "EQUALS", "Alt-A")]},
            {"name": "second", "clauses": [clause("displayName", "EQUALS", "Alt-B")]},
            {"name": "idle", "clauses": [clause("displayName", "EQUALS", "Alt-C")]},
        ]
    )
    clauses = {group["name"]: group["clause"] for group in result["groups"] if group["name"].startswith("Alt-")}
    assert clauses == {"Alt-A": "first", "Alt-B": "second"}
    assert [notice["name"] for notice in result["notices"] if notice["code"] == "filter_idle"] == ["idle"]


def test_the_service_filters_what_it_can_and_a_group_that_drops_out_is_still_explained(target: Target) -> None:
    cloud_id = target.admin.create_group("Pushed")
    rule = [{"clauses": [clause("displayName", "EQUALS", "Pushed")]}]
    target.admin.clear_requests()
    first = target.scope(filters=rule)
    listing = [entry for entry in target.admin.requests() if entry["method"] == "GET" and "/groups?" in entry["path"]]
    assert len(listing) == 1 and "displayName" in listing[0]["path"] and "filter" in listing[0]["path"]
    assert len(first["groups"]) == 1
    target.apply_plan()
    target.admin.patch_group(cloud_id, displayName="Pulled")
    second = target.scope(filters=rule)
    assert [entry["id"] for entry in second["left"]] == [cloud_id]
    assert {group["name"]: group["reason"] for group in second["groups"]} == {"Pulled": "no filter lets it in"}
    notices = {(notice["id"], notice["code"]) for notice in target.plan()["notices"]}
    assert (cloud_id, "retained_access") in notices


def test_members_of_a_group_are_let_in(target: Target) -> None:
    inside = target.admin.create_group("Inside")
    target.admin.create_group("Outside")
    parent = target.admin.create_group("Gatekeeper", [inside])
    result = target.scope(filters=[{"clauses": [{"operator": "IS_MEMBER_OF", "value": parent}]}], max_results=100000)
    assert names_in_scope(result, "Inside", "Outside", "Gatekeeper") == {"Inside"}


def test_assigned_groups_are_read_from_the_jobs_service_principals(target: Target) -> None:
    assigned = target.admin.create_group("Assigned")
    other_role = target.admin.create_group("Assigned by another role")
    target.admin.create_group("Not assigned")
    principal = target.admin.create("servicePrincipal", {"displayName": "GPAD job", "appId": ROLE})
    target.admin.assign_app_role(principal, assigned, ROLE)
    target.admin.assign_app_role(principal, other_role, "00000000-0000-0000-0000-000000000001")
    result = target.scope(scope_mode="assigned", service_principals=[principal], max_results=100000)
    assert {group["name"] for group in result["groups"] if group["in_scope"]} == {"Assigned"}
    reasons = {group["name"]: group["reason"] for group in result["groups"]}
    assert reasons["Not assigned"] == "it is not assigned to the provisioning job"


def test_groups_are_selected_from_a_file(target: Target) -> None:
    cloud_id = target.admin.create_group("From a file by id")
    target.admin.create_group("From a file by name")
    path = target.state / "groups.txt"
    path.write_text(f"# chosen\n{cloud_id}\n\nFrom a file by name\n", encoding="utf-8")
    result = target.scope(scope_mode="selected", selected_groups_file=str(path), max_results=100000)
    assert names_in_scope(result, "From a file") == {"From a file by id", "From a file by name"}
    assert "cannot be read" in target.scope(scope_mode="selected", selected_groups_file="/nowhere")["msg"]
    path.write_text("# none\n", encoding="utf-8")
    assert "No group is selected" in target.scope(scope_mode="selected", selected_groups_file=str(path))["msg"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (clause("displayName", "REGEX MATCH", "(unclosed"), "regular expression"),
        (clause("displayName", "REGEX MATCH", "(a+)+$"), "regular expression"),
        (clause("nickname", "EQUALS", "x"), "no attribute nickname"),
        (clause("groupTypes", "EQUALS", "Unified"), "no attribute groupTypes"),
        (clause("displayName", "EQUALS"), "needs a value"),
        (clause("mailEnabled", "IS TRUE", "x"), "takes no value"),
        (clause("displayName", "GREATER_THAN", "ten"), "not an integer"),
    ],
)
def test_a_filter_that_cannot_work_is_refused_before_anything_is_read(
    target: Target, given: dict[str, Any], words: str
) -> None:
    target.admin.clear_requests()
    result = target.scope(filters=[{"clauses": [given]}])
    assert result["fatal"] and result["errors"][0]["code"] == "filter_invalid"
    assert words in result["msg"] and "filter 1, clause 1" in result["msg"]
    assert target.admin.requests() == []


def test_properties_of_the_beta_end_point_can_be_filtered(target: Target) -> None:
    target.admin.create_group("Written back", writebackConfiguration={"isEnabled": True})
    target.admin.create_group("Not written back", writebackConfiguration={"isEnabled": False})
    result = target.scope(filters=[{"clauses": [clause("isWritebackEnabled", "IS TRUE")]}], max_results=100000)
    assert names_in_scope(result, "Written", "Not written") == {"Written back"}
