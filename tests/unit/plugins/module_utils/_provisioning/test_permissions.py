# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Permissions of Microsoft Graph, and the docs on them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import permissions
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.permissions import permission_rows

LEAST = {need.role for need in permissions._NEEDS} | {"Application.Read.All"}
PAGE = Path(__file__).resolve().parents[5] / "docs" / "permissions.md"


def table(roles: set[str], *, assigned: bool = False) -> dict[str, str]:
    return {
        row.check.removeprefix("Graph permission "): row.status.value
        for row in permission_rows(roles, assigned=assigned)
    }


def test_the_least_set_is_enough_and_nothing_is_beyond_it() -> None:
    assert set(table(LEAST).values()) == {"ok"}


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("Group.Read.All", "failed"),
        ("User.Read.All", "failed"),
        ("Device.Read.All", "ok"),
        ("Member.Read.Hidden", "ok"),
        ("Organization.Read.All", "ok"),
        ("Synchronization.Read.All", "warning"),
        ("Application.Read.All", "warning"),
        ("Group-OnPremisesSyncBehavior.ReadWrite.All", "warning"),
    ],
)
def test_a_permission_that_lacks_is_as_bad_as_what_it_is_for(role: str, status: str) -> None:
    found = table(LEAST - {role})
    assert found[role] == status
    assert {name for name, word in found.items() if word != "ok"} <= {role}


def test_who_reads_assignments_needs_the_permission_for_them() -> None:
    assert table(LEAST - {"Application.Read.All"}, assigned=True)["Application.Read.All"] == "failed"


def test_a_greater_permission_suffices_and_is_more_than_needed() -> None:
    found = {row.check: row for row in permission_rows({"Directory.ReadWrite.All"}, assigned=False)}
    assert found["Graph permission Group.Read.All"].found.startswith("granted, in its place Directory.ReadWrite.All")
    beyond = found["Graph permissions beyond what is needed"]
    assert beyond.status.value == "warning" and "these write: Directory.ReadWrite.All" in beyond.remedy


def test_the_page_has_every_permission() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert [role for role in sorted(LEAST) if f"| `{role}` |" not in text] == []


@pytest.mark.parametrize(
    ("kind", "status"), [("AAD", "ok"), ("AAD B2C", "failed"), ("CIAM", "failed"), ("", "unknown")]
)
def test_tenants_for_customers_are_refused(kind: str, status: str) -> None:
    assert permissions.tenant_row(kind, "Contoso").status.value == status


@pytest.mark.parametrize(
    ("running", "unread", "disjoint", "status"),
    [
        ((), "", False, "ok"),
        ((), "no permission", False, "unknown"),
        (("job",), "", False, "failed"),
        (("job",), "", True, "warning"),
    ],
)
def test_other_jobs(running: tuple[str, ...], unread: str, disjoint: bool, status: str) -> None:
    assert permissions.writers_row(running, unread, disjoint=disjoint).status.value == status
