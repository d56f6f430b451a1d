# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy of the enforcement, read and judged."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import enforcement
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.enforcement import (
    Controller,
    Enforcement,
    Mode,
    enforcement_rows,
    policy_of,
)
from tests.unit.samples import OWN_SID, STRANGER_SID

DN = "CN=CloudSyncSOAPolicy,CN=SOA-Policies,CN=System,DC=contoso,DC=com"
NEW = Controller("dc1", "Windows Server 2025", "10.0 (26100)", False)
OLD = Controller("dc2", "Windows Server 2019", "10.0 (17763)", False)
GOOD = policy_of(DN, [OWN_SID, STRANGER_SID], ["EnforcementMode=Enforced"])
FACTS = Enforcement((GOOD,), True, 3, frozenset({OWN_SID}), OWN_SID, {STRANGER_SID: "svc"}, (NEW,))


@pytest.mark.parametrize(
    ("settings", "texts", "mode"),
    [
        ([OWN_SID], ["Enforced"], Mode.ENFORCED),
        ([OWN_SID, "EnforcementMode=Audit"], [], Mode.AUDIT),
        ([OWN_SID], [], Mode.UNKNOWN),
        ([OWN_SID, "Audit"], ["enforced"], Mode.UNKNOWN),
        ([OWN_SID], ["auditor"], Mode.UNKNOWN),
    ],
)
def test_the_mode_is_told_only_where_one_value_names_it(settings: list[str], texts: list[str], mode: Mode) -> None:
    assert policy_of(DN, settings, texts).mode is mode


def test_sids_and_what_is_none_are_told_apart() -> None:
    found = policy_of(DN, [OWN_SID, "S-1-5-x", "s-1", "text"], [])
    assert (found.allowed, found.invalid, found.other) == ((OWN_SID,), ("S-1-5-x", "s-1"), ("text",))
    assert enforcement.explain(GOOD, FACTS.names) == (
        f"{DN}: changes by others are refused; allowed: {OWN_SID}, svc ({STRANGER_SID})"
    )


def statuses(**change: Any) -> list[str]:
    return [row.status.value for row in enforcement_rows(replace(FACTS, **change))]


def policy(**change: Any) -> dict[str, Any]:
    return {"policies": (replace(GOOD, **change),)}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ["ok", "ok", "unknown"]),
        ({"policies": ()}, ["ok"]),
        ({"policies": (), "hidden": True}, ["unknown"]),
        ({"token": frozenset()}, ["ok", "unknown", "unknown"]),
        ({"token": frozenset({STRANGER_SID})}, ["ok", "ok", "unknown"]),
        ({"token": frozenset({"S-1-5-11"})}, ["ok", "failed", "unknown"]),
        ({"token": frozenset({"S-1-5-11"}), "marked": 0}, ["ok", "warning", "unknown"]),
        (policy(allowed=(OWN_SID.lower(),)), ["ok", "ok", "unknown"]),
        (policy(allowed=(STRANGER_SID,), mode=Mode.AUDIT), ["ok", "warning", "unknown"]),
        (policy(mode=Mode.UNKNOWN), ["warning", "ok", "unknown"]),
        (policy(invalid=("S-1",)), ["failed", "ok", "unknown"]),
        (policy(allowed=(OWN_SID,) * 64), ["ok", "ok", "unknown"]),
        (policy(allowed=(OWN_SID,) * 65), ["failed", "ok", "unknown"]),
        (policy(allowed=()), ["warning", "failed", "unknown"]),
        ({"controllers": (NEW, OLD)}, ["ok", "ok", "warning"]),
        ({"controllers": (NEW, replace(OLD, read_only=True))}, ["ok", "ok", "unknown"]),
        ({"controllers": (NEW, replace(NEW, version="10.0 (29000)"))}, ["ok", "ok", "unknown"]),
        ({"controllers": (NEW, replace(NEW, system="", version=""))}, ["ok", "ok", "unknown"]),
        ({"controllers": (replace(NEW, version="10.0 (25398)"),)}, ["ok", "ok", "warning"]),
        ({"controllers": ()}, ["ok", "ok", "unknown"]),
    ],
)
def test_how_it_stands(change: dict[str, Any], expected: list[str]) -> None:
    assert statuses(**change) == expected


def test_controllers_that_cannot_enforce_are_named() -> None:
    assert enforcement.lets_through((NEW, OLD, replace(NEW, version="4.17"))) == (OLD, replace(NEW, version="4.17"))


def test_whoever_is_to_mark_must_be_in_the_list_before_anything_is_marked() -> None:
    facts = replace(FACTS, token=frozenset({"S-1-5-11"}), marked=0)
    found = {row.check: row.status.value for row in enforcement_rows(facts, marks=True)}
    assert found["enforcement: own account"] == "failed"


def test_no_controller_found_is_told() -> None:
    row = list(enforcement_rows(replace(FACTS, controllers=())))[-1]
    assert "no domain controller" in row.found
