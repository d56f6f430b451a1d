# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an application has the permissions of Microsoft Graph that provisioning needs, and no others.

docs/permissions.md has the same table with the ids of the app roles.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.preflight import (
    Row,
    Status,
    judged,
    listed,
)

_READ_DIRECTORY = ("Directory.Read.All", "Directory.ReadWrite.All")


@dataclass(frozen=True, slots=True)
class Need:
    """A permission that something needs.

    Parameters:
        role: the least one that suffices.
        others: further ones that suffice.
        purpose: what it is needed for.
        lacking: how it stands when none of them is there.
    """

    role: str
    others: tuple[str, ...]
    purpose: str
    lacking: Status = Status.WARNING


_NEEDS = (
    Need(
        "Group.Read.All",
        ("Group.ReadWrite.All", *_READ_DIRECTORY),
        "groups, their members, and groups among the deleted items",
        Status.FAILED,
    ),
    Need("User.Read.All", ("User.ReadWrite.All", *_READ_DIRECTORY), "the SIDs of users", Status.FAILED),
    Need("Device.Read.All", _READ_DIRECTORY, "devices among the members; else not needed", Status.OK),
    Need(
        "Group-OnPremisesSyncBehavior.ReadWrite.All",
        (),
        "converted groups, which are left out without it; else not needed",
    ),
    Need(
        "Synchronization.Read.All",
        ("Synchronization.ReadWrite.All",),
        "seeing the jobs of Cloud Sync that write the same groups",
    ),
    Need("Member.Read.Hidden", (), "groups with hidden membership; else not needed", Status.OK),
    Need(
        "Organization.Read.All", ("Organization.ReadWrite.All", *_READ_DIRECTORY), "the kind of the tenant", Status.OK
    ),
)
# Reads what Application.Read.All reads, and belongs to the least set only for what it is named for.
_APPLICATIONS = ("Application.ReadWrite.All", *_READ_DIRECTORY)


def permission_rows(roles: Collection[str], *, assigned: bool) -> Iterator[Row]:
    """Yield a row for each permission that is needed, and one for those that are not.

    Parameters:
        roles: the application permissions in the token.
        assigned: the scope is read from app role assignments.
    """
    purpose = "the groups that are assigned" if assigned else "seeing the jobs of Cloud Sync that write the same groups"
    applications = Need("Application.Read.All", _APPLICATIONS, purpose, Status.FAILED if assigned else Status.WARNING)
    needs = (*_NEEDS, applications)
    for need in needs:
        yield _row(need, roles)
    least = {need.role for need in needs}
    beyond = sorted(set(roles) - least)
    writing = [role for role in beyond if "Write" in role or "Create" in role or "Manage" in role]
    found = f"{len(beyond)} that provisioning does not need: {', '.join(beyond)}" if beyond else "none"
    remedy = f"Give them to another application{'; these write: ' + listed(writing) if writing else ''}."
    yield judged("Graph permissions beyond what is needed", not beyond, found, remedy, Status.WARNING)


def _row(need: Need, roles: Collection[str]) -> Row:
    check = f"Graph permission {need.role}"
    held = next((role for role in (need.role, *need.others) if role in roles), None)
    if held is not None:
        instead = "" if held == need.role else f", in its place {held}"
        return Row(check, Status.OK, f"granted{instead}: {need.purpose}")
    remedy = "" if need.lacking is Status.OK else f"Grant {need.role} to the application, and consent to it."
    return Row(check, need.lacking, f"not granted: {need.purpose}", remedy)


# organization.tenantType (learn.microsoft.com/graph/api/resources/organization).
_ORDINARY = "AAD"


def tenant_row(kind: str, name: str) -> Row:
    """Return the row on the kind of the tenant: those for customers are not supported.

    Parameters:
        kind: its tenantType, or an empty string.
        name: its displayName.
    """
    if not kind:
        return Row("tenant", Status.UNKNOWN, f"{name}: the service does not tell its kind")
    remedy = (
        "Groups of tenants for customers (Azure AD B2C, External ID) cannot be provisioned: use the workforce tenant."
    )
    return judged("tenant", kind == _ORDINARY, f"{name}, of kind {kind}", remedy)


def writers_row(running: Collection[str], unread: str, *, disjoint: bool) -> Row:
    """Return the row on other jobs that write cloud groups to Active Directory.

    Parameters:
        running: those that run.
        unread: why that may not be all, or an empty string.
        disjoint: somebody vouches that they have no group of this scope.
    """
    check = "other provisioning jobs"
    if running:
        found = f"{len(running)} of the tenant may write to this domain: {listed(running)}"
        remedy = "Pause them, or set other_writers: disjoint where their groups are others."
        return Row(check, Status.WARNING if disjoint else Status.FAILED, found, remedy)
    if unread:
        return Row(check, Status.UNKNOWN, unread, "Grant Application.Read.All and Synchronization.Read.All.")
    return Row(check, Status.OK, "none runs")
