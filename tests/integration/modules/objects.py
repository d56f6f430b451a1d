# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that tests put on either side: accounts and groups of the directory, and what Entra ID knows of them."""

from __future__ import annotations

import uuid
from typing import Any

from tests.integration.modules.target import Target

GLOBAL, DOMAIN_LOCAL, UNIVERSAL = "-2147483646", "-2147483644", "-2147483640"


def add(target: Target, name: str, object_class: str, *lines: str, ou: str = "OU=People") -> str:
    """Add an object to the directory, return its DN."""
    dn = f"CN={name},{ou},{target.forest.base_dn}"
    more = "".join(f"{line}\n" for line in lines)
    record = f"dn: {dn}\nchangetype: add\nobjectClass: {object_class}\n{more}"
    target.lab.ldapmodify(target.domain, record)
    return dn


def unique(name: str) -> str:
    """Return a name that no other test has."""
    return f"{name} {uuid.uuid4().hex[:8]}"


def add_group(
    target: Target, name: str, *, group_type: str = UNIVERSAL, ou: str = "OU=Groups", members: tuple[str, ...] = ()
) -> str:
    """Add a group to the directory, return its DN."""
    lines = [f"groupType: {group_type}", f"sAMAccountName: {name}", *(f"member: {dn}" for dn in members)]
    return add(target, name, "group", *lines, ou=ou)


def add_user(target: Target, name: str) -> str:
    """Add an enabled account to the directory, return its DN."""
    return add(target, name, "user", f"sAMAccountName: {name.replace(' ', '')[:20]}")


def read(target: Target, dn: str) -> dict[str, list[str]]:
    """Return an object of the directory."""
    found = target.lab.ldapsearch(target.domain, dn, "(objectClass=*)", scope="base")
    assert len(found) == 1, found
    return found[0]


def synced_user(target: Target, dn: str, **properties: Any) -> str:
    """Let Entra ID know an account of the directory, return the user's object id."""
    held = read(target, dn)
    base = {
        "onPremisesSyncEnabled": True,
        "onPremisesSecurityIdentifier": held["objectSid"][0],
        "onPremisesImmutableId": uuid.UUID(held["objectGUID"][0]).hex,
    }
    name = held["cn"][0]
    return target.admin.create_user(name, f"{name.replace(' ', '.')}@contoso.com", **{**base, **properties})


def converted_group(target: Target, dn: str, members: tuple[str, ...] = (), *, cloud_managed: bool = True) -> str:
    """Let Entra ID know a group of the directory, converted to the cloud or synced, return its object id."""
    held = read(target, dn)
    synced = {"onPremisesSyncEnabled": None if cloud_managed else True}
    properties = {"onPremisesSecurityIdentifier": held["objectSid"][0], **synced}
    cloud_id = target.admin.create_group(held["cn"][0], list(members), **properties)
    if cloud_managed:
        target.admin.set_cloud_managed(cloud_id, True)
    return cloud_id


def skipped(plan: dict[str, Any], cloud_id: str) -> set[tuple[str, str]]:
    """Return object id and code of each member of a group that a plan skips."""
    return {(entry["id"], entry["code"]) for entry in plan["skips"] if entry.get("group_id") == cloud_id}


def noticed(plan: dict[str, Any], cloud_id: str) -> set[str]:
    """Return the codes of a plan's notices on a cloud group."""
    return {notice["code"] for notice in plan["notices"] if notice["id"] == cloud_id}
