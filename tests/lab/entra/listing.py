# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collections: find, filter, order, page, and render objects as Graph does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from . import errors, permissions
from .calls import Call, Reply, Tenant
from .cursors import Cursor
from .entities import ENTITIES
from .filters import clauses, matches
from .model import security_identifier
from .query import Query, Target, own_options, parse_query
from .schema import EntityType, Property
from .store import Directory, Entity

Source = Callable[[Directory], list[str]]
ALL = tuple(ENTITIES.values())
_EXPAND_LIMIT = 20


def target_of(entity: EntityType, *, single: bool = False, advanced_only: bool = False) -> Target:
    return Target((entity,), entity.resource, entity.name, single, advanced_only)


RELATED = Target(ALL, "DirectoryObject", "directoryObject", advanced_only=True)
OBJECTS = Target(ALL, "DirectoryObject", "directoryObject")


def values(entity: Entity) -> dict[str, Any]:
    """The stored properties with what follows from them."""
    result = dict(entity.properties)
    result["deletedDateTime"] = entity.deleted
    if entity.type.name in ("group", "user"):
        result["securityIdentifier"] = security_identifier(entity.id)
    if entity.type.name == "group" and entity.deleted:
        result["securityEnabled"] = False  # What the service shows of a soft-deleted security group.
    return result


def render(
    tenant: Tenant, call: Call, entity: Entity, select: tuple[str, ...] | None, *, typed: bool, full: bool = False
) -> dict[str, Any]:
    """One object in an answer: selected or default properties, ``@odata.type`` where types mix.

    A type that the roles do not cover shows its id and type alone, the rest null (list group members, known limits).
    ``full`` adds directory extensions, as a single GET does.
    """
    rows = _rows(tenant, call, entity.type, select, full)
    held = values(entity)
    shown = permissions.visible(entity.type.name, call.roles)
    result: dict[str, Any] = {"@odata.type": entity.type.odata_type} if typed else {}
    if shown is not None:
        result["id"] = entity.id
    for name, row in rows.items():
        hidden = shown is not None and name not in shown and name != "id"
        if full and select is None and name.startswith("extension_") and held.get(name) is None:
            continue
        result[name] = None if hidden else held.get(name, row.kind.empty)
    return result


def _rows(
    tenant: Tenant, call: Call, entity_type: EntityType, select: tuple[str, ...] | None, full: bool
) -> dict[str, Property]:
    """The properties that an answer shows of objects of a type."""
    if select is not None:
        found = {name: tenant.model.find(entity_type, name, beta=call.beta) for name in select}
        return {name: row for name, row in found.items() if row is not None}
    rows = {row.name: row for row in tenant.model.defaults(entity_type, beta=call.beta)}
    if full:
        rows.update((row.name, row) for row in tenant.model.extensions(entity_type))
    return rows


def _context(call: Call, collection: str, select: tuple[str, ...] | None, *, single: bool = False) -> str:
    names = f"({','.join(select)})" if select else ""
    return f"{call.root}/$metadata#{collection}{names}" + ("/$entity" if single else "")


def _tips(call: Call, query: Query) -> dict[str, str]:
    if query.select is not None:
        return {}
    return {
        "@microsoft.graph.tips": "Use $select to choose only the properties your app needs, as this can lead to "
        f"performance improvements. For example: GET {call.path.lstrip('/')}?$select=displayName,id"
    }


def _answerable(call: Call, entity: Entity, asked: frozenset[str]) -> bool:
    """Whether the roles show what a filter asks; else the object is left out (documented of `$filter`)."""
    shown = permissions.visible(entity.type.name, call.roles)
    return shown is None or asked <= shown | {"id"}


def _found(reader: Directory, call: Call, ids: list[str], query: Query, deleted: bool) -> list[str]:
    if not query.needs_properties:
        return ids
    asked = frozenset(clause.property for clause, _unused in clauses(query.filter)) if query.filter else frozenset()
    hits: list[tuple[str, dict[str, Any]]] = []
    for entity in reader.scan(ids, deleted=deleted):
        if not _answerable(call, entity, asked):
            continue
        held = values(entity)
        if (query.filter is None or matches(query.filter, held)) and (
            query.search is None or query.search.matches(held)
        ):
            hits.append((entity.id, held))
    if query.order is not None:
        name, descending = query.order
        hits.sort(key=lambda hit: str(hit[1].get(name) or "").casefold(), reverse=descending)
    return [object_id for object_id, _unused in hits]


def link(call: Call, options: Mapping[str, str]) -> str:
    """An absolute link to the same resource with these options."""
    return f"{call.root}{call.path}?{urlencode(options, safe='$,()', quote_via=quote)}"


def _page(tenant: Tenant, call: Call, cursor: Cursor, size: int) -> tuple[tuple[Any, ...], dict[str, str]]:
    """Cut the next page from a cursor; the second part holds the nextLink, if there is one."""
    if cursor.blank:
        chosen: tuple[Any, ...] = ()
        following = cursor.position
    else:
        following = cursor.position + size
        chosen = cursor.items[cursor.position : following]
    if following >= len(cursor.items) and not cursor.blank:
        return chosen, {}
    onward = Cursor(cursor.query, cursor.items, following, tenant.knobs.empty_pages and not cursor.blank)
    token = tenant.cursors.issue(onward, tenant.knobs.skip_token_seconds)
    return chosen, {"@odata.nextLink": link(call, {**cursor.query[1], "$skiptoken": token})}


def list_objects(
    tenant: Tenant,
    call: Call,
    target: Target,
    source: Source,
    *,
    collection: str,
    deleted: bool = False,
    item: Callable[[Entity, Query], dict[str, Any]] | None = None,
) -> Reply:
    """Answer a collection request: first page from a fresh query, later ones from the page token.

    ``item`` renders one object; by default types are named where the target mixes them.
    """
    query = parse_query(tenant, call, target, ALL)
    reader = tenant.reader(call)
    bound = (call.path, own_options(call), call.eventual)
    counted: dict[str, int] = {}
    if query.skip_token is None:
        ids = _found(reader, call, source(reader), query, deleted)
        cursor = Cursor(bound, tuple(ids), 0, tenant.knobs.empty_pages)
        if query.count:
            counted["@odata.count"] = len(ids)
    else:
        cursor = tenant.cursors.resume(query.skip_token, bound)
    size = query.top or tenant.knobs.default_page
    chosen, onward = _page(tenant, call, cursor, min(size, tenant.knobs.page_cap or size))

    def standard(entity: Entity, asked: Query) -> dict[str, Any]:
        return with_expansion(tenant, call, entity, asked, typed=len(target.types) > 1)

    show = item or standard
    return Reply(
        200,
        {
            "@odata.context": _context(call, collection, query.select),
            **counted,
            **onward,
            **_tips(call, query),
            "value": [show(entity, query) for entity in reader.fetch(list(chosen), deleted=deleted)],
        },
    )


def count_objects(tenant: Tenant, call: Call, target: Target, source: Source) -> Reply:
    """Answer a ``/$count`` segment: plain text, eventual reads only."""
    if not call.eventual:
        raise errors.bad_request("$count is not currently supported.")
    counted = replace(call, options={**call.options, "$count": "true"})
    query = parse_query(tenant, counted, target, ALL)
    reader = tenant.reader(call)
    return Reply(200, text=str(len(_found(reader, call, source(reader), query, False))))


def with_expansion(
    tenant: Tenant, call: Call, entity: Entity, query: Query, *, typed: bool = False, full: bool = False
) -> dict[str, Any]:
    """Render an object with its first twenty members when they are expanded: no link tells that there are more."""
    result = render(tenant, call, entity, query.select, typed=typed, full=full)
    if query.expand is not None:
        reader = tenant.reader(call)
        ids = readable_members(reader, call, entity, tuple(ENTITIES))[:_EXPAND_LIMIT]
        result["members"] = [render(tenant, call, member, query.expand[1], typed=True) for member in reader.fetch(ids)]
    return result


def readable_members(
    reader: Directory, call: Call, group: Entity, types: tuple[str, ...], *, transitive: bool = False
) -> list[str]:
    """Member ids as far as the caller may know them: hidden membership reads as empty without Member.Read.Hidden."""
    hidden = group.properties.get("visibility") == "HiddenMembership"
    if hidden and not permissions.HIDDEN_MEMBERSHIP.intersection(call.roles):
        return []
    return reader.members(group.id, types, transitive=transitive)


def get_object(tenant: Tenant, call: Call, entity: EntityType) -> Reply:
    """Answer a request for one object by id.

    Raises GraphError (404) when there is none of this type.
    """
    query = parse_query(tenant, call, target_of(entity, single=True), ALL)
    found = tenant.reader(call).get(call.parameters["id"])
    if found is None or found.type is not entity:
        raise errors.not_found(call.parameters["id"])
    return Reply(
        200,
        {
            "@odata.context": _context(call, entity.collection, query.select, single=True),
            **_tips(call, query),
            **with_expansion(tenant, call, found, query, full=True),
        },
    )


def needed(reader: Directory, object_id: str, entity: EntityType, *, deleted: bool = False) -> Entity:
    """An object that must exist.

    Raises GraphError (404).
    """
    found = reader.get(object_id, deleted=deleted)
    if found is None or found.type is not entity:
        raise errors.not_found(object_id)
    return found


def single_reply(tenant: Tenant, call: Call, entity: Entity, status: int, collection: str, *, typed: bool) -> Reply:
    """One object as the answer of a write."""
    shown = render(tenant, call, entity, None, typed=typed, full=True)
    return Reply(status, {"@odata.context": _context(call, collection, None, single=True), **shown})
