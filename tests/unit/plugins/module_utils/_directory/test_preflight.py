# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what a preflight judges, from a scripted domain controller."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import preflight
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.preflight import Wanted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    EXTENDED_DN,
    PAGED_RESULTS,
    SHOW_DELETED,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.preflight import Row
from tests.unit.plugins.module_utils._directory.scripted import (
    Operation,
    ScriptedConnection,
    connect,
    entry,
    page,
    refused,
)
from tests.unit.samples import BASE, MANAGED, OWN_SID

CONFIGURATION = f"CN=Configuration,{BASE}"
SCHEMA = f"CN=Schema,{CONFIGURATION}"
RECYCLE_BIN = "CN=Recycle Bin Feature,CN=Optional Features,CN=Directory Service"


def root(**change: Any) -> dict[str, Any]:
    now = datetime.now(timezone.utc).strftime("%Y%m%d%H%M%S.0Z")
    said: dict[str, Any] = {
        "defaultNamingContext": [BASE],
        "configurationNamingContext": [CONFIGURATION],
        "schemaNamingContext": [SCHEMA],
        "dnsHostName": ["dc1"],
        "currentTime": [now],
        "supportedControl": [PAGED_RESULTS, EXTENDED_DN, SHOW_DELETED],
        "domainFunctionality": ["7"],
        "forestFunctionality": ["7"],
        "supportedCapabilities": ["1.2.840.113556.1.4.800"],
        "tokenGroups": [identity.sid_to_bytes(OWN_SID)],
    }
    return entry("", **{name: values for name, values in {**said, **change}.items() if values})


def checked(
    patch: pytest.MonkeyPatch, refuse: str | None = None, hide: str | None = None, **change: Any
) -> dict[str, Row]:
    """Return the rows by their check; a search at one base is refused, at another finds nothing."""

    def handler(operation: Operation) -> Any:
        if operation.base == refuse:
            return refused(1, "broken")
        if operation.base == hide:
            return page([])
        if operation.base == "":
            return page([root(**change)])
        if operation.base == BASE and operation.options["search_scope"] == "BASE":
            return page([entry(BASE, nTMixedDomain=["0"])])
        if operation.base == SCHEMA:
            return page([entry(SCHEMA, objectVersion=["88"], lDAPDisplayName=["msDS-ExternalDirectoryObjectId"])])
        if operation.base == f"CN=Partitions,{CONFIGURATION}":
            return page([entry(operation.base, msDS__EnabledFeature=[RECYCLE_BIN], cn=["Partitions"])])
        return refused(32) if operation.options["search_scope"] == "BASE" else page([])

    session = connect(patch, ScriptedConnection(handler))
    found = list(preflight.rows(session, Wanted([MANAGED], ["displayName"])))
    assert set(session.operations) <= {"bind", "search"}
    return {row.check: row for row in found}


def test_what_is_read_reaches_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = checked(monkeypatch)
    assert rows["domain controller"].found == "dc1, over TLS, certificate verified"
    assert rows["schema"].found == "version 88, with the attribute of the anchor"
    assert rows["Recycle Bin"].status.value == "ok" and rows["universal groups"].status.value == "ok"
    assert rows["account"].found.startswith(OWN_SID)
    assert rows[f"container {MANAGED}"].status.value == "failed"
    assert rows["reanimate tombstones"].status.value == "unknown"


@pytest.mark.parametrize("minutes", [6, -6])
def test_a_clock_that_is_wrong_either_way_is_told(monkeypatch: pytest.MonkeyPatch, minutes: int) -> None:
    there = datetime.now(timezone.utc) + timedelta(minutes=minutes)
    rows = checked(monkeypatch, currentTime=[there.strftime("%Y%m%d%H%M%S.0Z")])
    assert rows["clock"].status.value == "failed"


def test_a_clock_a_little_apart_is_good_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    there = datetime.now(timezone.utc) + timedelta(minutes=4)
    assert checked(monkeypatch, currentTime=[there.strftime("%Y%m%d%H%M%S.0Z")])["clock"].status.value == "ok"


def test_a_read_only_controller_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = checked(monkeypatch, supportedCapabilities=["1.2.840.113556.1.4.1920"])
    assert rows["writable domain controller"].status.value == "failed"


def test_what_a_controller_does_not_tell_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = checked(monkeypatch, hide=f"CN=Partitions,{CONFIGURATION}", supportedCapabilities=[])
    assert rows["writable domain controller"].status.value == "unknown"
    # No PDC emulator is seen in this script.
    for check in ("PDC emulator", "global catalog", "Recycle Bin"):
        assert rows[check].status.value == "unknown", rows[check]
    assert rows["enforcement policy"].status.value == rows["group SIDs in users' tokens"].status.value == "unknown"


def test_a_schema_that_cannot_be_read_keeps_nothing_else_from_being_told(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = checked(monkeypatch, refuse=SCHEMA)
    assert rows["domain controller"].status.value == "unknown"
    assert rows["account"].status.value == "ok" and rows[f"container {MANAGED}"].status.value == "failed"


def test_a_server_that_is_none_is_the_only_row(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [row.status.value for row in checked(monkeypatch, defaultNamingContext=[]).values()] == ["failed"]


def test_what_breaks_off_is_unknown_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = checked(monkeypatch, refuse=MANAGED)
    assert rows[f"container {MANAGED}"].status.value == "unknown"
    assert rows["clock"].status.value == "ok" and "group SIDs in users' tokens" in rows


def test_a_token_that_is_hidden_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checked(monkeypatch, tokenGroups=[])["account"].status.value == "unknown"
