# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delta queries on groups and users: rounds, slices, tombstones and tokens (delta query overview, delta for groups)."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from . import errors
from .calls import Call, Reply, Tenant
from .cursors import Cursor
from .entities import ENTITIES, GROUP, USER
from .filters import Clause, Expression, Junction, parse_filter
from .listing import link, values
from .schema import EXTENSION_NAME, EntityType
from .store import Change, Directory, Entity

_MAX_IDS = 50
_RELATIONS: Mapping[str, frozenset[str]] = {"group": frozenset({"members"}), "user": frozenset()}
_FUNCTION = "delta"


@dataclass(frozen=True, slots=True)
class Tracking:
    """What a chain of delta calls follows: properties (None: the default ones), member links, and only some ids."""

    select: tuple[str, ...] | None
    members: bool
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Token:
    """The state in a deltaLink: the last change that the client has seen."""

    resource: str
    sequence: int
    epoch: int
    issued: float
    tracking: Tracking


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a round. ``names``: the properties to show, None for all set ones; links are (id, type) pairs."""

    id: str
    names: frozenset[str] | None = None
    emptied: frozenset[str] = frozenset()
    added: tuple[tuple[str, str], ...] = ()
    removed: tuple[tuple[str, str], ...] = ()
    reason: str | None = None


class TokenBox:
    """Seals tokens, so that a client can neither read nor make them."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(16)

    def seal(self, token: Token) -> str:
        data = json.dumps(asdict(token)).encode()
        return base64.urlsafe_b64encode(hmac.digest(self._key, data, "sha256")[:16] + data).decode().rstrip("=")

    def open(self, text: str) -> Token:
        """Raise GraphError (400) on anything that was not sealed here."""
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except ValueError:
            raise errors.bad_request("Badly formed token.") from None
        if not hmac.compare_digest(raw[:16], hmac.digest(self._key, raw[16:], "sha256")[:16]):
            raise errors.bad_request("Badly formed token.")
        data = json.loads(raw[16:])
        tracking = data.pop("tracking")
        select = tracking["select"]
        return Token(
            **data,
            tracking=Tracking(None if select is None else tuple(select), tracking["members"], tuple(tracking["ids"])),
        )


_BOX = TokenBox()


def _tracked_select(tenant: Tenant, call: Call, entity: EntityType) -> tuple[tuple[str, ...] | None, bool]:
    """The tracked properties, and whether member links are tracked too."""
    text = call.options.get("$select")
    relations = _RELATIONS[entity.name]
    if text is None:
        return None, bool(relations)
    names = [name.strip() for name in text.split(",")]
    for name in names:
        if name not in relations and tenant.model.find(entity, name, beta=call.beta) is None:
            raise errors.unknown_property(name, entity.name)
    return tuple(name for name in names if name not in relations), "members" in names


def _filter_ids(expression: Expression) -> Iterable[str]:
    if isinstance(expression, Clause) and (expression.property, expression.operator) == ("id", "eq"):
        yield str(expression.value).lower()
    elif isinstance(expression, Junction) and expression.operator == "or":
        for operand in expression.operands:
            yield from _filter_ids(operand)
    else:
        raise errors.unsupported_query("Delta queries support only 'id eq' clauses joined by 'or' in $filter.")


def _tracking(tenant: Tenant, call: Call, entity: EntityType) -> Tracking:
    select, members = _tracked_select(tenant, call, entity)
    text = call.options.get("$filter")
    ids = tuple(_filter_ids(parse_filter(text))) if text else ()
    if len(ids) > _MAX_IDS:
        raise errors.unsupported_query(f"Too many ids in $filter: {len(ids)}. At most {_MAX_IDS} are allowed.")
    return Tracking(select, members, ids)


# Building a round


def _slices(item: Item, size: int) -> list[Item]:
    """Cut a long member list into several items of the same object."""
    links = [(True, pair) for pair in item.added] + [(False, pair) for pair in item.removed]
    if len(links) <= size:
        return [item]
    parts = [links[start : start + size] for start in range(0, len(links), size)]
    return [
        replace(
            item,
            added=tuple(pair for is_added, pair in part if is_added),
            removed=tuple(pair for is_added, pair in part if not is_added),
        )
        for part in parts
    ]


def _typed_links(reader: Directory, group_id: str) -> tuple[tuple[str, str], ...]:
    linked = reader.links(group_id)
    types = reader.type_names(linked)
    return tuple((member, types[member]) for member in linked)


def _initial(tenant: Tenant, reader: Directory, entity: EntityType, tracking: Tracking) -> list[Item]:
    items = [
        Item(object_id, added=_typed_links(reader, object_id) if tracking.members else ())
        for object_id in reader.ids(entity.name)
    ]
    if tenant.knobs.delta_tombstones:
        items += [Item(object_id, reason="changed") for object_id in reader.ids(entity.name, deleted=True)]
        items += [Item(object_id, reason="deleted") for object_id in reader.purged(entity.name)]
        gone = _former_links(reader) if tracking.members else {}
        items = [replace(item, removed=gone.get(item.id, ())) if item.reason is None else item for item in items]
    return items


def _former_links(reader: Directory) -> dict[str, tuple[tuple[str, str], ...]]:
    """Member links that once were and are no more, by group."""
    logged: dict[str, dict[str, str]] = {}
    for change in reader.changes("group", 0):
        if change.event == "member":
            member, _unused, type_name = change.detail.partition(" ")
            logged.setdefault(change.object_id, {})[member] = type_name
    return {
        group: tuple(pair for pair in pairs.items() if not reader.has_link(group, pair[0]))
        for group, pairs in logged.items()
    }


def _changed_item(reader: Directory, object_id: str, changes: Sequence[Change], tracking: Tracking) -> Item | None:
    """What became of one object since the token, or None when nothing tracked did."""
    events = {change.event for change in changes}
    current = reader.get(object_id)
    if current is None:
        soft = reader.get(object_id, deleted=True) is not None
        gone = events & ({"deleted"} if soft else {"purged"})
        return Item(object_id, reason="changed" if soft else "deleted") if gone else None
    if events & {"created", "restored"}:
        return Item(object_id, added=_typed_links(reader, object_id) if tracking.members else ())
    names = _changed_names(current, changes, tracking)
    added, removed = _changed_links(reader, object_id, changes) if tracking.members else ((), ())
    if not names and not added and not removed:
        return None
    emptied = frozenset(name for name in names if values(current).get(name) is None)
    return Item(object_id, frozenset(names), emptied, added, removed)


def _changed_names(entity: Entity, changes: Sequence[Change], tracking: Tracking) -> set[str]:
    names = {change.detail for change in changes if change.event == "property"}
    tracked = {
        name
        for name in names
        if (name in tracking.select if tracking.select is not None else _is_default(entity.type, name))
    }
    # A changed directory extension brings every extension of the same data type along.
    kinds = {type(entity.properties.get(name)) for name in tracked if EXTENSION_NAME.fullmatch(name)}
    others = {
        name
        for name, value in entity.properties.items()
        if EXTENSION_NAME.fullmatch(name)
        and type(value) in kinds
        and (tracking.select is None or name in tracking.select)
    }
    return tracked | others


def _is_default(entity: EntityType, name: str) -> bool:
    row = entity.properties.get(name)
    return EXTENSION_NAME.fullmatch(name) is not None or (row is not None and row.returned.name == "DEFAULT")


def _changed_links(
    reader: Directory, group_id: str, changes: Sequence[Change]
) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    touched = dict(change.detail.split(" ", 1) for change in changes if change.event == "member")
    pairs = list(touched.items())
    held = {member for member in touched if reader.has_link(group_id, member)}
    return (
        tuple(pair for pair in pairs if pair[0] in held),
        tuple(pair for pair in pairs if pair[0] not in held),
    )


def _since(reader: Directory, entity: EntityType, token: Token, tracking: Tracking) -> list[Item]:
    grouped: dict[str, list[Change]] = {}
    for change in reader.changes(entity.name, token.sequence):
        grouped.setdefault(change.object_id, []).append(change)
    found = (_changed_item(reader, object_id, changes, tracking) for object_id, changes in grouped.items())
    return [item for item in found if item is not None]


def _arrange(tenant: Tenant, items: list[Item], tracking: Tracking) -> tuple[Item, ...]:
    wanted = [item for item in items if not tracking.ids or item.id in tracking.ids]
    parts = [part for item in wanted for part in _slices(item, tenant.knobs.delta_slice)]
    if tenant.knobs.delta_repeat:
        parts += parts
    if tenant.knobs.delta_shuffle:
        tenant.random.shuffle(parts)
    return tuple(parts)


# Answering


@dataclass(frozen=True, slots=True)
class _Round:
    """What all pages of one round share: the token for its end and how to show an item."""

    token: Token
    minimal: bool


def _show_link(pair: tuple[str, str], *, removed: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {"@odata.type": ENTITIES[pair[1]].odata_type, "id": pair[0]}
    if removed:
        # The reason is "deleted" although the member may live on: what was deleted is the link.
        shown["@removed"] = {"reason": "deleted"}
    return shown


def _show(
    tenant: Tenant, call: Call, reader: Directory, entity: EntityType, item: Item, state: _Round
) -> dict[str, Any]:
    current = None if item.reason else reader.get(item.id)
    if current is None:
        soft = reader.get(item.id, deleted=True) is not None
        return {"id": item.id, "@removed": {"reason": item.reason or ("changed" if soft else "deleted")}}
    held = values(current)
    select = state.token.tracking.select
    if select is None:
        rows = tenant.model.defaults(entity, beta=call.beta) + tenant.model.extensions(entity)
        select = tuple(row.name for row in rows)
    shown: dict[str, Any] = {}
    for name in select:
        if state.minimal and item.names is not None and name not in item.names:
            continue
        if held.get(name) is not None or name in item.emptied:
            shown[name] = held.get(name)
    shown["id"] = item.id
    linked = [_show_link(pair, removed=False) for pair in item.added]
    linked += [_show_link(pair, removed=True) for pair in item.removed]
    if linked:
        shown["members@delta"] = linked
    return shown


def _page(tenant: Tenant, call: Call, entity: EntityType, cursor: Cursor) -> Reply:
    state: _Round = cursor.state
    end = cursor.position if cursor.blank else cursor.position + tenant.knobs.delta_page
    chosen = () if cursor.blank else cursor.items[cursor.position : end]
    reader = tenant.reader(call)
    body: dict[str, Any] = {"@odata.context": f"{call.root}/$metadata#{entity.collection}"}
    if end < len(cursor.items) or cursor.blank:
        onward = Cursor(cursor.query, cursor.items, end, tenant.knobs.empty_pages and not cursor.blank, state)
        token = tenant.cursors.issue(onward, tenant.knobs.skip_token_seconds)
        body["@odata.nextLink"] = link(_canonical(call, entity), {"$skiptoken": token})
    else:
        body["@odata.deltaLink"] = link(_canonical(call, entity), {"$deltatoken": _BOX.seal(state.token)})
    body["value"] = [_show(tenant, call, reader, entity, item, state) for item in chosen]
    return Reply(200, body, is_delta=True)


def _canonical(call: Call, entity: EntityType) -> Call:
    return replace(call, path=f"/{entity.collection}/{_FUNCTION}")


def _binding(entity: EntityType) -> tuple[str, Mapping[str, str], bool]:
    """What page tokens of a delta query are bound to: the resource alone, for the rest is in the token."""
    return f"/{entity.collection}/{_FUNCTION}", {}, False


def _check_token(tenant: Tenant, call: Call, entity: EntityType, token: Token) -> None:
    """Raise GraphError: 400 for a token of another resource, 410 with a Location to start again from for an old one."""
    if token.resource != f"{call.version}/{entity.collection}":
        raise errors.bad_request("The token belongs to another resource.")
    too_old = token.issued + tenant.knobs.delta_token_seconds < time.time() or token.issued <= tenant.delta_not_before
    if not too_old and token.epoch == tenant.epoch:
        return
    options: dict[str, str] = {}
    tracking = token.tracking
    if tracking.select is not None:
        options["$select"] = ",".join(tracking.select + (("members",) if tracking.members else ()))
    if tracking.ids:
        options["$filter"] = " or ".join(f"id eq '{object_id}'" for object_id in tracking.ids)
    location = link(_canonical(call, entity), {**options, "$deltatoken": ""})
    raise errors.GraphError(
        410, "syncStateNotFound", "The sync state generation is not found; restart the query.", {"Location": location}
    )


def _start(tenant: Tenant, call: Call, entity: EntityType) -> Cursor:
    """Begin a round: an initial one, one from a deltaLink, or the empty one of ``$deltatoken=latest``."""
    text = call.options.get("$deltatoken", "")
    reader = tenant.reader(call)
    old = None if text in ("", "latest") else _BOX.open(text)
    if old is not None:
        _check_token(tenant, call, entity, old)
        if "$filter" in call.options:
            raise errors.unsupported_query("$filter cannot be combined with a delta token.")
    if old is not None and "$select" in call.options:
        select, members = _tracked_select(tenant, call, entity)
        tracking = replace(old.tracking, select=select, members=members)
    else:
        tracking = old.tracking if old is not None else _tracking(tenant, call, entity)
    if text == "latest":
        items: list[Item] = []
    elif old is not None:
        items = _since(reader, entity, old, tracking)
    else:
        items = _initial(tenant, reader, entity, tracking)
    resource = f"{call.version}/{entity.collection}"
    token = Token(resource, reader.sequence, tenant.epoch, time.time(), tracking)
    state = _Round(token, call.headers.get("prefer", "").replace(" ", "") == "return=minimal")
    return Cursor(_binding(entity), _arrange(tenant, items, tracking), 0, tenant.knobs.empty_pages, state)


def _delta(tenant: Tenant, call: Call, entity: EntityType) -> Reply:
    if "$skiptoken" not in call.options:
        return _page(tenant, call, entity, _start(tenant, call, entity))
    if len(call.options) > 1:
        raise errors.unsupported_query("Query options cannot be combined with a $skiptoken of a delta query.")
    return _page(tenant, call, entity, tenant.cursors.resume(call.options["$skiptoken"], _binding(entity)))


def groups_delta(tenant: Tenant, call: Call) -> Reply:
    return _delta(tenant, call, GROUP)


def users_delta(tenant: Tenant, call: Call) -> Reply:
    return _delta(tenant, call, USER)
