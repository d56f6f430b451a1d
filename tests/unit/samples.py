# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builders of the things that the tests speak about, with as little to say as each test needs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import (
    ANCHOR,
    UNIVERSAL_SECURITY,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Limits
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.mapping import AttributeMapping
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    DirectoryGroup,
    DomainInfo,
    GraphValue,
    Link,
    Principal,
    PrincipalKind,
    Values,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.naming import NameCollision
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.removal import ForeignMembers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retire import RetireRules
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import (
    Moves,
    Settings,
    compile_settings,
)

TENANT = "7f000000-0000-4000-8000-000000000001"
BASE = "DC=contoso,DC=com"
MANAGED = f"OU=Groups,{BASE}"
SUB = f"OU=Sales,{MANAGED}"
OUTSIDE = f"OU=People,{BASE}"
DOMAIN_SID = "S-1-5-21-1004336348-1177238915-682003330"
SISTER_SID = "S-1-5-21-111-222-333"
FOREIGN_SID = "S-1-5-21-444-555-666"
OWN_SID = f"{DOMAIN_SID}-1100"
# Somebody who may write groups and is not trusted, such as a help desk.
STRANGER_SID = f"{DOMAIN_SID}-1999"
# The property set that the anchor is in (MS-ADTS 5.1.3.2 and 3.1.1.2.3.3).
PERSONAL_INFORMATION = "77b5b886-944a-11d1-aebd-0000f80367c1"
DOMAIN = DomainInfo(
    BASE,
    DOMAIN_SID,
    {DOMAIN_SID: "contoso.com", SISTER_SID: "emea.contoso.com"},
    "dc1.contoso.com",
    guarded=frozenset({PERSONAL_INFORMATION}),
    invocation_id="1a000000-0000-4000-8000-000000000001",
)


def cloud_id(number: int) -> str:
    """Return the object id of the cloud object with this number."""
    return f"c0000000-0000-4000-8000-{number:012x}"


def guid(number: int) -> str:
    """Return the objectGUID of the directory object with this number."""
    return f"d0000000-0000-4000-8000-{number:012x}"


def sid(number: int, issuer: str = DOMAIN_SID) -> str:
    """Return the SID of the account with this number."""
    return f"{issuer}-{number}"


def cloud_group(number: int, *, managed: bool | None = None, **properties: Any) -> CloudGroup:
    """Return a security group born in the cloud, unless the properties say otherwise."""
    usual: dict[str, GraphValue] = {
        "displayName": f"Group {number}",
        "description": None,
        "securityEnabled": True,
        "mailEnabled": False,
        "groupTypes": [],
        "onPremisesSyncEnabled": None,
        "onPremisesSecurityIdentifier": None,
    }
    return CloudGroup(cloud_id(number), {**usual, **properties}, managed)


def converted(number: int, security_identifier: str) -> CloudGroup:
    """Return a group that was born on premises and is mastered in the cloud now."""
    return cloud_group(number, managed=True, onPremisesSecurityIdentifier=security_identifier)


def user(number: int, security_identifier: str | None = "", **more: object) -> Principal:
    """Return a synced user whose account has the RID 5000 + number, unless a SID is given."""
    held = sid(5000 + number) if security_identifier == "" else security_identifier
    readable = bool(more.get("readable", True))
    object_identifier = more.get("object_identifier")
    return Principal(
        cloud_id(number),
        PrincipalKind.USER,
        f"User {number}" if readable else "",
        True if held else None,
        held if readable else None,
        str(object_identifier) if object_identifier else None,
        readable=readable,
    )


def group_member(number: int, *, synced: bool | None = None, readable: bool = True) -> Principal:
    """Return a group as a member of another."""
    name = f"Group {number}" if readable else ""
    return Principal(cloud_id(number), PrincipalKind.GROUP, name, synced, readable=readable)


def other_member(number: int, kind: PrincipalKind, *, readable: bool = True) -> Principal:
    """Return a member that is neither user nor group."""
    return Principal(cloud_id(number), kind, f"{kind} {number}" if readable else "", readable=readable)


def link(number: int, security_identifier: str | None = "") -> Link:
    """Return the link to the directory object with this number."""
    held = sid(5000 + number) if security_identifier == "" else security_identifier
    return Link(guid(number), held, f"CN=User {number},{OUTSIDE}")


def directory_group(
    number: int, *, anchor: str | None = None, container: str = MANAGED, rid: int | None = None, **attributes: Values
) -> DirectoryGroup:
    """Return a universal security group of the directory."""
    values: dict[str, Values] = {"groupType": (UNIVERSAL_SECURITY,), **attributes}
    if anchor is not None:
        values[ANCHOR] = (anchor,)
    return DirectoryGroup(guid(number), sid(rid or 2000 + number), f"CN=Group {number},{container}", values)


def anchored_group(
    number: int, *, of: int | None = None, container: str = MANAGED, **attributes: Values
) -> DirectoryGroup:
    """Return a group that carries the anchor of the cloud group with the same number, or of another."""
    anchor = identity.anchor_of(cloud_id(number if of is None else of))
    group = directory_group(number, anchor=anchor, container=container)
    return replace(group, attributes={**group.attributes, **attributes})


def settings(
    target_container: str = MANAGED,
    *,
    foreign_members: ForeignMembers = ForeignMembers.ACCEPTED,
    protected_groups: tuple[str, ...] = (),
    protected_members: tuple[str, ...] = (),
    max_members: int = 50_000,
    limits: Limits | None = None,
    container_default: str = "",
    attribute_mappings: tuple[AttributeMapping, ...] = (),
    moves: Moves = Moves.HOLD,
    create_containers: bool = False,
    name_collision: NameCollision = NameCollision.FAIL,
    convert_scope: bool = False,
    trusted_writers: tuple[str, ...] = (),
    adopt_objects: tuple[str, ...] = (),
    ignore_objects: tuple[str, ...] = (),
    retire: RetireRules | None = None,
) -> Settings:
    """Return settings that manage one container."""
    return compile_settings(
        [MANAGED],
        target_container,
        foreign_members=foreign_members,
        protected_groups=protected_groups,
        protected_members=protected_members,
        max_members=max_members,
        limits=limits,
        container_default=container_default,
        attribute_mappings=attribute_mappings,
        moves=moves,
        create_containers=create_containers,
        name_collision=name_collision,
        convert_scope=convert_scope,
        trusted_writers=trusted_writers,
        adopt_objects=adopt_objects,
        ignore_objects=ignore_objects,
        retire=retire,
    )
