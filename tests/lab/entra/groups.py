# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Group and membership operations of Graph."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from . import changes, errors, permissions
from .calls import ALL_TYPES, Call, Reply, Tenant, now
from .entities import ENTITIES, GROUP
from .listing import (
    RELATED,
    count_objects,
    get_object,
    list_objects,
    needed,
    readable_members,
    single_reply,
    target_of,
)
from .query import Target
from .schema import EXTENSION_NAME
from .store import Directory, Entity

_NICKNAME = re.compile(r"[!-~]{1,64}")
_NICKNAME_FORBIDDEN = frozenset('@()\\[]";:<>,')
_CREATE_ONLY = frozenset({"mailEnabled", "groupTypes", "isAssignableToRole", "uniqueName"})
_REQUIRED = ("displayName", "mailEnabled", "mailNickname", "securityEnabled")
_REFERENCE = re.compile(r"https://[^/]+/(?:v1\.0|beta)/(?:directoryObjects|users|groups|devices)/([0-9a-fA-F-]{36})")
_BIND_LIMIT = 20
_DUPLICATE = "One or more added object references already exist for the following modified properties: 'members'."
_NO_OBJECT = "The source resource object or one of the objects being referenced don't exist."
_SYNCED = (
    "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects "
    "currently undergoing migration."
)
_MAIL_ENABLED = "Cannot Update a mail-enabled security groups and or distribution list."


def list_groups(tenant: Tenant, call: Call) -> Reply:
    return list_objects(tenant, call, _group_target(call), lambda reader: reader.ids("group"), collection="groups")


def count_groups(tenant: Tenant, call: Call) -> Reply:
    return count_objects(tenant, call, _group_target(call), lambda reader: reader.ids("group"))


def _group_target(call: Call) -> Target:
    if "isCloudManaged" in call.options.get("$filter", ""):
        permissions.require(call.roles, permissions.GROUP_AUTHORITY)
    return target_of(GROUP)


def get_group(tenant: Tenant, call: Call) -> Reply:
    return get_object(tenant, call, GROUP)


def require_object(body: Any) -> dict[str, Any]:
    """The JSON object that a write must carry.

    Raises GraphError (400).
    """
    if body is None:
        raise errors.bad_request(
            "An unexpected 'EndOfInput' node was found when reading from the JSON reader. "
            "A 'StartObject' node was expected."
        )
    if not isinstance(body, dict):
        raise errors.bad_request("A 'StartObject' node was expected.")
    return body


def check_properties(
    tenant: Tenant, call: Call, entity_name: str, body: Mapping[str, Any], extra: frozenset[str]
) -> None:
    """Refuse unknown, read-only and mistyped properties of a write.

    Raises GraphError (400).
    """
    entity = ENTITIES[entity_name]
    for name, value in body.items():
        row = tenant.model.find(entity, name, beta=call.beta)
        if row is None:
            raise errors.bad_request(
                f"One or more property values specified are invalid: '{name}' is not a property of '{entity.resource}'."
            )
        if not (row.write or name in extra or EXTENSION_NAME.fullmatch(name)):
            raise errors.bad_request(f"Property '{name}' is read-only and cannot be set.")
        if not row.kind.accepts(value):
            raise errors.bad_request(f"Invalid value specified for property '{name}' of resource '{entity.resource}'.")


def _check_group_values(values: Mapping[str, Any]) -> None:
    name, nickname = values.get("displayName"), values.get("mailNickname")
    if not name or len(name) > 256:
        raise errors.bad_request("Invalid value specified for property 'displayName' of resource 'Group'.")
    if not nickname or not _NICKNAME.fullmatch(nickname) or _NICKNAME_FORBIDDEN & set(nickname):
        raise errors.bad_request("Invalid value specified for property 'mailNickname' of resource 'Group'.")


def create_group(tenant: Tenant, call: Call) -> Reply:
    body = dict(require_object(call.body))
    members = _references(body.pop("members@odata.bind", []))
    check_properties(tenant, call, "group", body, _CREATE_ONLY)
    for name in _REQUIRED:
        if body.get(name) is None:
            raise errors.bad_request(f"A value must be specified for property '{name}' of resource 'Group'.")
    _check_group_values(body)
    types = body.setdefault("groupTypes", [])
    if not set(types) <= {"Unified", "DynamicMembership"}:
        raise errors.bad_request("Invalid value specified for property 'groupTypes' of resource 'Group'.")
    if body["mailEnabled"] != ("Unified" in types):
        raise errors.bad_request("The service does not currently support writes of mail-enabled groups.")
    if not body["mailEnabled"] and not body["securityEnabled"]:
        raise errors.bad_request("A group must be security-enabled, mail-enabled or both.")
    if ("DynamicMembership" in types) != bool(body.get("membershipRule")) or ("DynamicMembership" in types and members):
        raise errors.bad_request("Invalid value specified for property 'membershipRule' of resource 'Group'.")
    if body["mailEnabled"]:
        body["mail"] = f"{body['mailNickname']}@{tenant.default_domain}"
        body["proxyAddresses"] = [f"SMTP:{body['mail']}"]
    _check_member_kinds(tenant, body, members)
    body["renewedDateTime"] = now()
    group_id = changes.create(tenant, GROUP, body, members)
    created = needed(tenant.directory, group_id, GROUP)
    return single_reply(tenant, call, created, 201, "groups", typed=False)


def update_group(tenant: Tenant, call: Call) -> Reply:
    body = dict(require_object(call.body))
    group = needed(tenant.directory, call.parameters["id"], GROUP)
    bind = body.pop("members@odata.bind", None)
    check_properties(tenant, call, "group", body, frozenset())
    # Directory extensions belong to the application that made them, not to the sync client.
    own = {name: value for name, value in body.items() if not EXTENSION_NAME.fullmatch(name)}
    if own and group.properties.get("onPremisesSyncEnabled"):
        raise errors.bad_request(_SYNCED)
    if own:
        _check_group_values({**group.properties, **body})
        if body.get("membershipRule") and "DynamicMembership" not in group.properties.get("groupTypes", []):
            raise errors.bad_request("Invalid value specified for property 'membershipRule' of resource 'Group'.")
    if bind is not None:
        permissions.require(call.roles, permissions.WRITE_MEMBERS)
        _add(tenant, group, _references(bind))
    if body:
        tenant.directory.update(group, body)
    return Reply(204)


def delete_group(tenant: Tenant, call: Call) -> Reply:
    group = needed(tenant.directory, call.parameters["id"], GROUP)
    if group.properties.get("onPremisesSyncEnabled"):
        raise errors.bad_request(_SYNCED)
    tenant.directory.set_deleted(group, now())
    return Reply(204)


# Members


def _cast(call: Call) -> str | None:
    text = call.parameters.get("cast")
    if text is None:
        return None
    name = text.rpartition(".")[2].casefold()
    found = next((entity for entity in ALL_TYPES if entity.casefold() == name), None)
    if found is None:
        raise errors.unsupported_query(f"The specified cast to '{text}' is not supported for this relationship.")
    return found


def _visible_types(call: Call, cast: str | None) -> tuple[str, ...]:
    """Which member types a listing holds: v1.0 leaves service principals out of the default mode (known issue)."""
    if cast is not None:
        return (cast,)
    advanced = call.eventual and call.options.get("$count") == "true"
    return tuple(name for name in ALL_TYPES if name != "servicePrincipal" or call.beta or advanced)


def _members(tenant: Tenant, call: Call, *, transitive: bool) -> Reply:
    cast = _cast(call)
    if cast is not None and not (call.eventual and call.options.get("$count") == "true"):
        raise errors.needs_advanced("cast")
    needed(tenant.reader(call), call.parameters["id"], GROUP)
    target = RELATED if cast is None else target_of(ENTITIES[cast], advanced_only=True)
    collection = "directoryObjects" if cast is None else ENTITIES[cast].collection
    types = _visible_types(call, cast)

    def source(reader: Directory) -> list[str]:
        group = needed(reader, call.parameters["id"], GROUP)
        return readable_members(reader, call, group, types, transitive=transitive)

    return list_objects(tenant, call, target, source, collection=collection)


def list_members(tenant: Tenant, call: Call) -> Reply:
    return _members(tenant, call, transitive=False)


def list_transitive_members(tenant: Tenant, call: Call) -> Reply:
    return _members(tenant, call, transitive=True)


def _count(tenant: Tenant, call: Call, *, transitive: bool) -> Reply:
    cast = _cast(call)
    target = RELATED if cast is None else target_of(ENTITIES[cast], advanced_only=True)
    types = ALL_TYPES if cast is None else (cast,)

    def source(reader: Directory) -> list[str]:
        group = needed(reader, call.parameters["id"], GROUP)
        return readable_members(reader, call, group, tuple(types), transitive=transitive)

    return count_objects(tenant, call, target, source)


def count_members(tenant: Tenant, call: Call) -> Reply:
    return _count(tenant, call, transitive=False)


def count_transitive_members(tenant: Tenant, call: Call) -> Reply:
    return _count(tenant, call, transitive=True)


def list_member_references(tenant: Tenant, call: Call) -> Reply:
    needed(tenant.reader(call), call.parameters["id"], GROUP)

    def source(reader: Directory) -> list[str]:
        group = needed(reader, call.parameters["id"], GROUP)
        return readable_members(reader, call, group, _visible_types(call, None))

    reply = list_objects(
        tenant,
        call,
        RELATED,
        source,
        collection="Collection($ref)",
        item=lambda entity, _unused: {"@odata.id": f"{call.root}/directoryObjects/{entity.id}"},
    )
    return Reply(200, {name: value for name, value in reply.body.items() if name != "@microsoft.graph.tips"})


def _references(entries: Any) -> list[str]:
    if not isinstance(entries, list) or len(entries) > _BIND_LIMIT:
        raise errors.bad_request(f"'members@odata.bind' takes an array of at most {_BIND_LIMIT} references.")
    found = [_REFERENCE.fullmatch(entry) if isinstance(entry, str) else None for entry in entries]
    if None in found:
        raise errors.bad_request("Invalid URL format specified in payload.")
    return [match[1].lower() for match in found if match is not None]


def _check_member_kinds(tenant: Tenant, group: Mapping[str, Any], members: list[str]) -> None:
    """Raise unless all exist and suit: a Microsoft 365 group holds users only and is no member of a security group."""
    held = tenant.directory.fetch(members)
    if len(held) != len(members):
        raise errors.bad_request(_NO_OBJECT)
    unified = "Unified" in group.get("groupTypes", [])
    for member in held:
        nested_unified = "Unified" in member.properties.get("groupTypes", [])
        if (unified and member.type.name != "user") or nested_unified:
            raise errors.bad_request("Invalid object identifier: an object of this type cannot be added to this group.")


def _refuse_fixed_membership(group: Entity) -> None:
    if "DynamicMembership" in group.properties.get("groupTypes", []):
        raise errors.forbidden()
    if group.properties.get("mailEnabled") and "Unified" not in group.properties.get("groupTypes", []):
        raise errors.forbidden(_MAIL_ENABLED)
    if group.properties.get("onPremisesSyncEnabled"):
        raise errors.bad_request(_SYNCED)


def _add(tenant: Tenant, group: Entity, members: list[str]) -> None:
    _refuse_fixed_membership(group)
    _check_member_kinds(tenant, group.properties, members)
    try:
        changes.add_members(tenant, group, members)
    except changes.ChangeError:
        raise errors.bad_request(_DUPLICATE) from None


def add_member(tenant: Tenant, call: Call) -> Reply:
    body = require_object(call.body)
    if set(body) != {"@odata.id"}:
        raise errors.bad_request("Invalid URL format specified in payload.")
    group = needed(tenant.directory, call.parameters["id"], GROUP)
    _add(tenant, group, _references([body["@odata.id"]]))
    return Reply(204)


def remove_member(tenant: Tenant, call: Call) -> Reply:
    group = needed(tenant.directory, call.parameters["id"], GROUP)
    member = call.parameters.get("member") or _identifier(call)
    _refuse_fixed_membership(group)
    if not changes.remove_member(tenant, group, member):
        raise errors.not_found(member)
    return Reply(204)


def _identifier(call: Call) -> str:
    match = _REFERENCE.fullmatch(call.options.get("@id", ""))
    if match is None:
        raise errors.bad_request("Invalid URL format specified in '@id'.")
    return match[1].lower()


def delete_member_object(tenant: Tenant, call: Call) -> Reply:
    """``DELETE …/members/{id}`` without ``/$ref`` deletes the member itself if the application may."""
    group = needed(tenant.directory, call.parameters["id"], GROUP)
    member = tenant.directory.get(call.parameters["member"])
    if member is None or not tenant.directory.has_link(group.id, member.id):
        raise errors.not_found(call.parameters["member"])
    rights = {"user": permissions.WRITE_USERS, "group": permissions.DELETE_GROUPS}.get(member.type.name)
    if rights is None:
        raise errors.forbidden()
    permissions.require(call.roles, rights)
    tenant.directory.set_deleted(member, now())
    return Reply(204)
