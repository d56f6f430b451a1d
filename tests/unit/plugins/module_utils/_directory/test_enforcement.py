# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy of the enforcement, read from a scripted domain."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.enforcement import read_enforcement
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.enforcement import (
    Controller,
    Enforcement,
    Mode,
)
from tests.unit.plugins.module_utils._directory.scripted import (
    Operation,
    ScriptedConnection,
    connect,
    entry,
    page,
    refused,
)
from tests.unit.plugins.module_utils._provisioning.test_rights import ace, descriptor
from tests.unit.samples import BASE, MANAGED, OWN_SID, STRANGER_SID

SCHEMA = f"CN=Schema,CN=Configuration,{BASE}"
SYSTEM = f"CN=System,{BASE}"
FOLDER = f"CN=SOA-Policies,{SYSTEM}"
POLICY = f"CN=CloudSyncSOAPolicy,{FOLDER}"
LISTS, READS = descriptor(ace(0, 0x4, OWN_SID)), descriptor(ace(0, 0x10, OWN_SID))


def read(
    patch: pytest.MonkeyPatch,
    *policies: dict[str, Any],
    in_schema: bool = True,
    token: tuple[str, ...] = (OWN_SID, "S-1-5-11"),
    lists: dict[str, bytes | None] | None = None,
) -> tuple[Enforcement, list[Operation]]:
    """Read, where these objects are there; a list that is None is hidden."""
    seen: dict[str, bytes | None] = {SYSTEM: LISTS, FOLDER: LISTS} if lists is None else lists

    def handler(operation: Operation) -> Any:
        base, term = operation.base, operation.arguments[1]
        if operation.options["search_scope"] == "BASE":
            raw = seen.get(base)
            return (
                page([entry(base, **({"nTSecurityDescriptor": [raw]} if raw else {}))]) if base in seen else refused(32)
            )
        if base == FOLDER:
            return page(policies)
        if base == SCHEMA:
            return page([entry("CN=mark", cn=["mark"])] if in_schema else [])
        if base == MANAGED:
            return page([entry("CN=1"), entry("CN=2")])
        if "objectSid" in term:
            return page([entry("CN=svc", objectSid=[identity.sid_to_bytes(STRANGER_SID)], sAMAccountName=["svc"])])
        return page(
            [
                entry("CN=DC1", dNSHostName=["dc1"], operatingSystem=["W"], userAccountControl=["532480"]),
                entry(
                    "CN=DC2",
                    sAMAccountName=["DC2$"],
                    operatingSystemVersion=["10.0 (20348)"],
                    userAccountControl=["83890176"],
                ),
            ]
        )

    connection = ScriptedConnection(handler)
    session = connect(patch, connection)
    found = read_enforcement(session, BASE, SCHEMA, [MANAGED], token)
    assert set(session.operations) <= {"bind", "search"}
    return found, connection.asked


def test_policy_names_controllers_and_marks_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = entry(POLICY, msDS__Settings=[STRANGER_SID, "S-x"], keywords=["Mode=Audit"], cn=["Enforced"])
    found, _asked = read(monkeypatch, policy)
    (one,) = found.policies
    # What the object is called says nothing of its mode.
    assert (one.dn, one.mode, one.allowed, one.invalid) == (POLICY, Mode.AUDIT, (STRANGER_SID,), ("S-x",))
    assert (found.own_sid, found.in_schema, found.marked, found.hidden) == (OWN_SID, True, 2, False)
    assert found.names == {STRANGER_SID: "svc"}
    assert found.controllers == (Controller("dc1", "W", "", False), Controller("DC2$", "", "10.0 (20348)", True))


def test_a_schema_without_the_mark_is_not_asked_for_marked_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    found, asked = read(monkeypatch, in_schema=False)
    assert (found.in_schema, found.marked) == (False, 0)
    assert MANAGED not in [operation.base for operation in asked]


@pytest.mark.parametrize(
    ("lists", "token", "hidden"),
    [
        ({SYSTEM: LISTS}, (OWN_SID,), False),
        ({SYSTEM: LISTS, FOLDER: LISTS}, (OWN_SID,), False),
        ({SYSTEM: LISTS, FOLDER: READS}, (OWN_SID,), True),
        ({SYSTEM: READS}, (OWN_SID,), True),
        ({SYSTEM: None}, (OWN_SID,), True),
        ({}, (OWN_SID,), True),
        ({SYSTEM: LISTS}, (), True),
    ],
)
def test_no_policy_is_told_from_a_hidden_one(
    monkeypatch: pytest.MonkeyPatch, lists: dict[str, bytes | None], token: tuple[str, ...], hidden: bool
) -> None:
    found, _asked = read(monkeypatch, lists=lists, token=token)
    assert (found.policies, found.hidden, found.controllers) == ((), hidden, ())
