# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users, deleted items, look-ups by id, source of authority and app role assignments."""

from __future__ import annotations

from typing import Any

from . import audits, changes, errors, permissions
from .calls import Call, Reply, Tenant, now
from .cursors import Cursor
from .entities import ENTITIES, GROUP, SERVICE_PRINCIPAL, USER
from .groups import check_properties, require_object
from .listing import (
    ALL,
    OBJECTS,
    RELATED,
    count_objects,
    get_object,
    link,
    list_objects,
    needed,
    render,
    single_reply,
    target_of,
)
from .query import own_options, parse_query
from .schema import EntityType
from .store import Directory, Entity

_MAX_IDS = 1000
_ALWAYS_WRITABLE = frozenset(
    {
        "onPremisesDistinguishedName",
        "onPremisesDomainName",
        "onPremisesImmutableId",
        "onPremisesSamAccountName",
        "onPremisesUserPrincipalName",
        "onPremisesObjectIdentifier",
        "usageLocation",
    }
)
_DIRECTORY_OBJECT = frozenset({"id", "deletedDateTime"})
_DELETABLE = {"group": GROUP, "user": USER}


def list_users(tenant: Tenant, call: Call) -> Reply:
    return list_objects(tenant, call, target_of(USER), lambda reader: reader.ids("user"), collection="users")


def count_users(tenant: Tenant, call: Call) -> Reply:
    return count_objects(tenant, call, target_of(USER), lambda reader: reader.ids("user"))


def get_user(tenant: Tenant, call: Call) -> Reply:
    return get_object(tenant, call, USER)


def list_groups_of(tenant: Tenant, call: Call) -> Reply:
    """The groups that have a user or group as a direct member; hidden ones take a role of their own."""
    entity = USER if call.path.split("/")[1] == "users" else GROUP
    needed(tenant.reader(call), call.parameters["id"], entity)

    def source(reader: Directory) -> list[str]:
        member = needed(reader, call.parameters["id"], entity)
        found = reader.fetch(reader.groups_of(member.id))
        shown = permissions.HIDDEN_MEMBERSHIP.intersection(call.roles)
        return [one.id for one in found if shown or one.properties.get("visibility") != "HiddenMembership"]

    return list_objects(tenant, call, RELATED, source, collection="directoryObjects")


def update_user(tenant: Tenant, call: Call) -> Reply:
    body = require_object(call.body)
    user = needed(tenant.directory, call.parameters["id"], USER)
    check_properties(tenant, call, "user", body, frozenset())
    if "onPremisesObjectIdentifier" in body:
        permissions.require(call.roles, permissions.USER_AUTHORITY)
        if body["onPremisesObjectIdentifier"] is not None:
            raise errors.bad_request("Property 'onPremisesObjectIdentifier' can only be set to null.")
    if set(body) - {"onPremisesObjectIdentifier"}:
        permissions.require(call.roles, permissions.WRITE_USERS)
    if {"$", "_"} & set(body.get("onPremisesImmutableId") or ""):
        raise errors.bad_request("Invalid value specified for property 'onPremisesImmutableId' of resource 'User'.")
    if user.properties.get("onPremisesSyncEnabled") and not set(body) <= _ALWAYS_WRITABLE:
        raise errors.bad_request(
            "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects "
            "currently undergoing migration."
        )
    tenant.directory.update(user, body)
    return Reply(204)


def delete_user(tenant: Tenant, call: Call) -> Reply:
    tenant.directory.set_deleted(needed(tenant.directory, call.parameters["id"], USER), now())
    return Reply(204)


def list_service_principals(tenant: Tenant, call: Call) -> Reply:
    return list_objects(
        tenant,
        call,
        target_of(SERVICE_PRINCIPAL),
        lambda reader: reader.ids("servicePrincipal"),
        collection="servicePrincipals",
    )


def get_service_principal(tenant: Tenant, call: Call) -> Reply:
    return get_object(tenant, call, SERVICE_PRINCIPAL)


def list_assignments(tenant: Tenant, call: Call) -> Reply:
    """App role assignments of a service principal, in one page per 100 or ``$top`` items."""
    reader = tenant.reader(call)
    resource = needed(reader, call.parameters["id"], SERVICE_PRINCIPAL)
    context = f"{call.root}/$metadata#appRoleAssignments"
    return page_of(tenant, call, reader.assignments(resource.id), context)


def list_jobs(tenant: Tenant, call: Call) -> Reply:
    """Synchronization jobs of a service principal."""
    principal = needed(tenant.reader(call), call.parameters["id"], SERVICE_PRINCIPAL)
    context = f"{call.root}/$metadata#servicePrincipals('{principal.id}')/synchronization/jobs"
    return page_of(tenant, call, list(principal.properties.get("synchronizationJobs") or ()), context)


def list_organizations(tenant: Tenant, call: Call) -> Reply:
    """The one organization of the tenant, with the few properties that the lab knows."""
    whole = {
        "id": tenant.id,
        "displayName": tenant.default_domain.partition(".")[0].capitalize(),
        "tenantType": tenant.knobs.tenant_type,
    }
    wanted = [name.strip() for name in call.options.get("$select", "").split(",") if name.strip()] or list(whole)
    row = {name: value for name, value in whole.items() if name in wanted}
    return Reply(200, {"@odata.context": f"{call.root}/$metadata#organization", "value": [row]})


def page_of(tenant: Tenant, call: Call, rows: list[dict[str, Any]], context: str) -> Reply:
    """Page plain rows that are no directory objects."""
    query = parse_query(tenant, call, OBJECTS, ALL)
    bound = (call.path, own_options(call), call.eventual)
    start = tenant.cursors.resume(query.skip_token, bound) if query.skip_token else Cursor(bound, tuple(rows), 0)
    size = query.top or tenant.knobs.default_page
    end = start.position + min(size, tenant.knobs.page_cap or size)
    body: dict[str, Any] = {"@odata.context": context, "value": list(start.items[start.position : end])}
    if end < len(start.items):
        token = tenant.cursors.issue(Cursor(bound, start.items, end), tenant.knobs.skip_token_seconds)
        body["@odata.nextLink"] = link(call, {**bound[1], "$skiptoken": token})
    return Reply(200, body)


# Deleted items


def list_deleted(tenant: Tenant, call: Call) -> Reply:
    name = call.parameters["cast"].rpartition(".")[2].casefold()
    entity = _DELETABLE.get(name)
    if entity is None:
        raise errors.unsupported_query(f"The specified cast to '{call.parameters['cast']}' is not supported.")
    permissions.require(call.roles, permissions.READ_DELETED[name])
    return list_objects(
        tenant,
        call,
        target_of(entity),
        lambda reader: reader.ids(entity.name, deleted=True),
        collection=entity.collection,
        deleted=True,
    )


def _deleted(tenant: Tenant, call: Call) -> Entity:
    found = tenant.directory.get(call.parameters["id"], deleted=True)
    if found is None:
        raise errors.not_found(call.parameters["id"])
    return found


def get_deleted(tenant: Tenant, call: Call) -> Reply:
    """One deleted item, as a directoryObject or cast to its type.

    Without the cast `$select` takes what every directoryObject has; nothing else is documented.
    """
    found = _deleted(tenant, call)
    permissions.require(call.roles, permissions.READ_DELETED[found.type.name])
    cast = call.parameters.get("cast")
    if cast is not None and cast.rpartition(".")[2].casefold() != found.type.name:
        raise errors.not_found(found.id)
    query = parse_query(tenant, call, target_of(found.type, single=True), ALL)
    for name in query.select or () if cast is None else ():
        if name not in _DIRECTORY_OBJECT:
            raise errors.unknown_property(name, "directoryObject")
    shown = render(tenant, call, found, query.select, typed=cast is None)
    collection = "directoryObjects" if cast is None else found.type.collection
    return Reply(200, {"@odata.context": f"{call.root}/$metadata#{collection}/$entity", **shown})


def _write_rights(entity: EntityType) -> frozenset[str]:
    return permissions.WRITE_USERS if entity is USER else permissions.WRITE_GROUPS


def restore_deleted(tenant: Tenant, call: Call) -> Reply:
    found = _deleted(tenant, call)
    permissions.require(call.roles, _write_rights(found.type))
    tenant.directory.set_deleted(found, None)
    restored = needed(tenant.directory, found.id, found.type)
    return single_reply(tenant, call, restored, 200, "directoryObjects", typed=True)


def purge_deleted(tenant: Tenant, call: Call) -> Reply:
    found = _deleted(tenant, call)
    permissions.require(call.roles, _write_rights(found.type))
    tenant.directory.purge(found)
    return Reply(204)


def get_by_ids(tenant: Tenant, call: Call) -> Reply:
    body = require_object(call.body)
    ids, types = body.get("ids"), body.get("types", list(ENTITIES))
    if set(body) - {"ids", "types"} or not isinstance(ids, list) or not isinstance(types, list):
        raise errors.bad_request("The request body takes 'ids' and 'types'.")
    if not ids or len(ids) > _MAX_IDS:
        raise errors.bad_request(f"Invalid number of ids: {len(ids)}. Must be between 1 and {_MAX_IDS}.")
    if set(types) - set(ENTITIES) - {"directoryObject"}:
        raise errors.bad_request("Invalid value in 'types'.")
    query = parse_query(tenant, call, OBJECTS, ALL)
    wanted = set(ENTITIES) if "directoryObject" in types else set(types)
    found = tenant.reader(call).fetch(list(dict.fromkeys(map(str, ids))))
    shown = [render(tenant, call, entity, query.select, typed=True) for entity in found if entity.type.name in wanted]
    return Reply(200, {"@odata.context": f"{call.root}/$metadata#directoryObjects", "value": shown})


# Source of authority


def _authority_entity(tenant: Tenant, call: Call) -> Entity:
    return needed(tenant.reader(call), call.parameters["id"], USER if call.path.lower().startswith("/users") else GROUP)


def get_authority(tenant: Tenant, call: Call) -> Reply:
    found = _authority_entity(tenant, call)
    selected = call.options.get("$select", "id,isCloudManaged").split(",")
    for name in selected:
        if name not in ("id", "isCloudManaged"):
            raise errors.unknown_property(name, "onPremisesSyncBehavior")
    context = f"{call.root}/$metadata#{found.type.collection}('{found.id}')/onPremisesSyncBehavior/$entity"
    body: dict[str, Any] = {"@odata.context": context, "id": found.id}
    if "isCloudManaged" in selected:
        body["isCloudManaged"] = bool(found.properties.get("isCloudManaged"))
    return Reply(200, body)


def set_authority(tenant: Tenant, call: Call) -> Reply:
    body = require_object(call.body)
    found = _authority_entity(tenant, call)
    if set(body) - {"isCloudManaged", "@odata.type"} or not isinstance(body.get("isCloudManaged"), bool):
        raise errors.bad_request("Invalid value specified for property 'isCloudManaged'.")
    try:
        changes.set_cloud_managed(tenant, found, body["isCloudManaged"])
    except changes.ChangeError as error:
        raise errors.bad_request(f"The source of authority cannot be changed: {error}.") from None
    audits.record_authority(tenant, call, found, cloud_managed=body["isCloudManaged"])
    return Reply(204)
