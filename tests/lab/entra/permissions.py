# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Application permissions: which roles suffice for which call (Graph permissions reference)."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from .errors import forbidden

_READ_ALL = frozenset({"Directory.Read.All", "Directory.ReadWrite.All"})
_GROUP_READ = frozenset({"Group.Read.All", "Group.ReadWrite.All"}) | _READ_ALL

READ_GROUPS = _GROUP_READ | {"GroupMember.Read.All", "GroupMember.ReadWrite.All"}
READ_MEMBERS = READ_GROUPS
CREATE_GROUPS = frozenset({"Group.Create", "Group.ReadWrite.All", "Directory.ReadWrite.All"})
WRITE_GROUPS = frozenset({"Group.ReadWrite.All", "Directory.ReadWrite.All"})
DELETE_GROUPS = frozenset({"Group.ReadWrite.All"})
WRITE_MEMBERS = WRITE_GROUPS | {"GroupMember.ReadWrite.All"}
READ_USERS = _READ_ALL | {"User.Read.All", "User.ReadWrite.All"}
LIST_USERS = READ_USERS | {"User.ReadBasic.All"}
WRITE_USERS = frozenset({"User.ReadWrite.All", "Directory.ReadWrite.All"})
READ_DEVICES = _READ_ALL | {"Device.Read.All"}
READ_APPLICATIONS = _READ_ALL | {"Application.Read.All", "Application.ReadWrite.All"}
WRITE_APPLICATIONS = frozenset(
    {"Application.ReadWrite.All", "Application.ReadWrite.OwnedBy", "Directory.ReadWrite.All"}
)
READ_AUDITS = frozenset({"AuditLog.Read.All"})
READ_JOBS = frozenset({"Synchronization.Read.All", "Synchronization.ReadWrite.All"})
READ_ORGANIZATION = _READ_ALL | {"Organization.Read.All", "Organization.ReadWrite.All"}
READ_CONTACTS = _READ_ALL | {"OrgContact.Read.All"}
READ_OBJECTS = READ_GROUPS | READ_USERS | READ_DEVICES | READ_APPLICATIONS | READ_CONTACTS
GROUP_AUTHORITY = frozenset({"Group-OnPremisesSyncBehavior.ReadWrite.All"})
USER_AUTHORITY = frozenset({"User-OnPremisesSyncBehavior.ReadWrite.All"})
HIDDEN_MEMBERSHIP = frozenset({"Member.Read.Hidden"})
ANY: frozenset[str] = frozenset()

# Who reads all properties of an object of a type; others see its type and id at most.
READ_TYPE: Mapping[str, frozenset[str]] = {
    "group": READ_GROUPS,
    "user": READ_USERS,
    "device": READ_DEVICES,
    "servicePrincipal": READ_APPLICATIONS,
    "application": READ_APPLICATIONS,
    "orgContact": READ_CONTACTS,
}
# "Get deleted item" names a permission for each type of object.
READ_DELETED: Mapping[str, frozenset[str]] = {"group": _GROUP_READ, "user": READ_USERS}
BASIC_USER = frozenset({"id", "displayName", "givenName", "surname", "mail", "userPrincipalName"})


def require(roles: Collection[str], sufficient: frozenset[str]) -> None:
    """Refuse with 403 unless one of the sufficient roles is held; an empty set asks for none."""
    if sufficient and not sufficient.intersection(roles):
        raise forbidden()


def visible(type_name: str, roles: Collection[str]) -> frozenset[str] | None:
    """The properties of a type that these roles show; None means all of them."""
    if READ_TYPE[type_name].intersection(roles):
        return None
    return BASIC_USER if type_name == "user" and "User.ReadBasic.All" in roles else frozenset()
