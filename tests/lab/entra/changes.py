# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changing the tenant: the rules that hold for every writer, be it Graph or the lab."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from .calls import Tenant, now
from .config import Seed
from .schema import EntityType
from .store import Directory, Entity


class ChangeError(ValueError):
    """A change that the directory cannot hold."""


def _stamp(entity: EntityType, object_id: str, created: str) -> dict[str, str]:
    """What the service gives to a new object of a type that has it; deviceId is the id of a device's registration."""
    given = {"createdDateTime": created, "deviceId": str(uuid.uuid5(uuid.NAMESPACE_OID, object_id))}
    return {name: value for name, value in given.items() if name in entity.properties}


def load(directory: Directory, seed: Seed) -> None:
    """Fill an empty directory."""
    types = {properties["id"]: entity.name for entity, properties in seed.objects}
    created = now()
    directory.begin()
    for entity, properties in seed.objects:
        directory.insert(entity, {**_stamp(entity, properties["id"], created), **properties})
    for group_id, members in seed.members.items():
        directory.link(group_id, {member: types[member] for member in members})
    for assignment in seed.assignments:
        directory.assign(complete_assignment(directory, assignment))
    directory.commit()


def create(tenant: Tenant, entity: EntityType, properties: Mapping[str, Any], members: Sequence[str] = ()) -> str:
    """Create an object and answer its id.

    Raises ModelError on properties that the table does not allow, ChangeError on members that do not exist.
    """
    object_id = str(properties.get("id") or uuid.uuid4()).lower()
    complete = {**_stamp(entity, object_id, now()), **properties, "id": object_id}
    tenant.model.register_extensions(entity, complete)
    tenant.model.check(entity, complete)
    if object_id in tenant.directory.type_names([object_id]):
        raise ChangeError(f"there is an object with the id {object_id} already")
    linked = _existing(tenant.directory, members)
    tenant.directory.insert(entity, complete)
    if linked:
        tenant.directory.link(object_id, linked)
    return object_id


def _existing(directory: Directory, ids: Sequence[str]) -> dict[str, str]:
    wanted = [object_id.lower() for object_id in ids]
    types = {entity.id: entity.type.name for entity in directory.fetch(wanted)}
    missing = [object_id for object_id in wanted if object_id not in types]
    if missing:
        raise ChangeError(f"no object has the id {missing[0]}")
    return {object_id: types[object_id] for object_id in wanted}


def add_members(tenant: Tenant, group: Entity, ids: Sequence[str]) -> None:
    """Add member links.

    Raises ChangeError when a member does not exist or is one already; nothing is added then.
    """
    linked = _existing(tenant.directory, ids)
    if any(tenant.directory.has_link(group.id, member) for member in linked):
        raise ChangeError("a member is there already")
    tenant.directory.link(group.id, linked)


def remove_member(tenant: Tenant, group: Entity, member_id: str) -> bool:
    """Remove a member link; answer whether there was one."""
    member = member_id.lower()
    if not tenant.directory.has_link(group.id, member):
        return False
    tenant.directory.unlink(group.id, member, tenant.directory.type_names([member])[member])
    return True


def set_cloud_managed(tenant: Tenant, entity: Entity, cloud_managed: bool) -> None:
    """Convert an object to cloud mastery, or roll it back; the next synchronisation takes it over.

    Until then a group that was rolled back is not synced; one that was converted still is with ``conversion_waits``.

    Raises ChangeError for an object that never was synced.
    """
    if entity.properties.get("onPremisesSecurityIdentifier") is None:
        raise ChangeError("the object was never synchronised from on premises")
    if bool(entity.properties.get("isCloudManaged")) == cloud_managed:
        return
    synced = entity.properties.get("onPremisesSyncEnabled") if tenant.knobs.conversion_waits and cloud_managed else None
    tenant.directory.update(entity, {"isCloudManaged": cloud_managed, "onPremisesSyncEnabled": synced})


def take_over(tenant: Tenant, entity: Entity) -> None:
    """Play the run of the sync client after a change of authority.

    Raises ChangeError for an object that never was synced.
    """
    if entity.properties.get("onPremisesSecurityIdentifier") is None:
        raise ChangeError("only an object that was synchronised is taken over")
    synced = None if entity.properties.get("isCloudManaged") else True
    tenant.directory.update(entity, {"onPremisesSyncEnabled": synced})


def complete_assignment(directory: Directory, assignment: Mapping[str, Any]) -> dict[str, Any]:
    """An app role assignment with the names that Graph shows beside the ids."""
    found = {entity.id: entity for entity in directory.fetch([assignment["principalId"], assignment["resourceId"]])}
    principal = found[assignment["principalId"].lower()]
    resource = found[assignment["resourceId"].lower()]
    return {
        "id": assignment.get("id") or uuid.uuid4().hex,
        "deletedDateTime": None,
        "appRoleId": assignment["appRoleId"],
        "createdDateTime": now(),
        "principalDisplayName": principal.properties.get("displayName"),
        "principalId": principal.id,
        "principalType": principal.type.resource,
        "resourceDisplayName": resource.properties.get("displayName"),
        "resourceId": resource.id,
    }
