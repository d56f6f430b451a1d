# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the account may do, found out without writing."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import preflight
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.preflight import Check
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    EXTENDED_DN,
    PAGED_RESULTS,
    SHOW_DELETED,
)
from tests.unit.plugins.module_utils._directory.scripted import (
    Operation,
    ScriptedConnection,
    connect,
    entry,
    page,
    refused,
)
from tests.unit.samples import BASE, MANAGED

ATTRIBUTES = ["MSDS-ExternalDirectoryObjectId", "adminDescription", "member", "cn", "groupType", "displayName"]


def checked(
    patch: pytest.MonkeyPatch,
    *,
    skew: timedelta = timedelta(),
    controls: tuple[str, ...] = (PAGED_RESULTS, EXTENDED_DN, SHOW_DELETED),
    children: tuple[str, ...] = ("user", "group"),
    allowed: list[str] | None = None,
    there: bool = True,
    deleted: list[str] | None = None,
    owner: str = "dc1",
) -> dict[str, Check]:
    """Return the checks of a domain controller by their first word."""
    now = (datetime.now(timezone.utc) + skew).strftime("%Y%m%d%H%M%S.0Z")

    def handler(operation: Operation) -> Any:
        if operation.base == "":
            return page([entry("", dnsHostName=["dc1"], currentTime=[now], supportedControl=list(controls))])
        if operation.base.startswith("<WKGUID="):
            held = ["top", "container"] if deleted is None else deleted
            return page([entry(f"CN=Deleted Objects,{BASE}", objectClass=held)])
        if operation.base == BASE:
            return page([entry(BASE, fSMORoleOwner=[f"CN=NTDS Settings,CN=Owner,{BASE}"])])
        if operation.base == f"CN=Owner,{BASE}":
            return page([entry(operation.base, dNSHostName=[owner])]) if owner else refused(32)
        if operation.options["search_scope"] == "BASE":
            return page([entry(MANAGED, allowedChildClassesEffective=list(children))]) if there else refused(32)
        return page([entry(f"CN=a,{MANAGED}", allowedAttributesEffective=allowed)] if allowed is not None else [])

    session = connect(patch, ScriptedConnection(handler))
    found = list(preflight.checks(session, BASE, [MANAGED], ["displayName"]))
    assert set(session.operations) == {"bind", "search"}
    return {check.check.split()[0]: check for check in found}


def test_all_is_as_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = checked(monkeypatch, allowed=ATTRIBUTES)
    assert list(found) == ["domain", "PDC", "LDAP", "clock", "see", "create", "write"]
    assert all(check.ok for check in found.values())


@pytest.mark.parametrize(
    ("lacking", "word", "detail"),
    [
        ({"skew": timedelta(minutes=6)}, "clock", "s apart"),
        ({"skew": timedelta(minutes=-6)}, "clock", "s apart"),
        ({"controls": (PAGED_RESULTS, SHOW_DELETED)}, "LDAP", EXTENDED_DN),
        ({"deleted": []}, "see", "new SID"),
        ({"children": ("user",)}, "create", "not allowed"),
        ({"there": False}, "create", "not allowed"),
        ({"allowed": ATTRIBUTES[1:]}, "write", "msDS-ExternalDirectoryObjectId"),
        ({"allowed": ATTRIBUTES[:-1]}, "write", "displayName"),
        ({"allowed": []}, "write", "member"),
    ],
)
def test_what_is_lacking_is_named_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, lacking: dict[str, Any], word: str, detail: str
) -> None:
    found = checked(monkeypatch, **{"allowed": ATTRIBUTES, **lacking})
    assert [check.check.split()[0] for check in found.values() if not check.ok] == [word]
    assert detail in found[word].detail
    assert found[word].remedy


def test_a_clock_a_little_apart_is_good_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checked(monkeypatch, skew=timedelta(minutes=4))["clock"].ok


def test_an_empty_container_has_nothing_to_look_at(monkeypatch: pytest.MonkeyPatch) -> None:
    found = checked(monkeypatch)["write"]
    assert (found.ok, found.detail) == (True, "no group there yet to look at")


@pytest.mark.parametrize(
    ("owner", "detail"),
    [
        ("DC1", "it is this domain controller"),
        ("dc2", "it is dc2, which is not used"),
        ("", "it cannot be found out"),
    ],
)
def test_whether_it_is_the_pdc_emulator_is_told_and_no_fault(
    monkeypatch: pytest.MonkeyPatch, owner: str, detail: str
) -> None:
    found = checked(monkeypatch, owner=owner)["PDC"]
    assert (found.ok, found.detail) == (True, detail)
