# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking Microsoft Graph of single groups and SIDs, because the directory holds them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any
from urllib.parse import quote

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.batches import in_batches
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import (
    PRINCIPAL_PROPERTIES,
    READ_USERS,
    GroupQuery,
    MemberQuery,
    items,
    read_principal,
    storable,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import Call, GraphClient
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import EntraError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    Principal,
    PrincipalKind,
)

# A 404 counts as an answer with one of these codes only: a proxy or a path that is wrong gives 404, too.
_GONE = frozenset({"Request_ResourceNotFound", "Directory_ObjectNotFound"})
# The default index takes no more alternatives in one filter (github.com/microsoftgraph/microsoft-graph-docs-contrib,
# issue 1238: "Too many child clauses specified ... Max allowed: 15").
MOST_ALTERNATIVES = 15

# Up to seven digits may follow the point.
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z")

_READ_DELETED = ("Group.Read.All", "Directory.Read.All")
_COLLECTIONS: Mapping[str, tuple[PrincipalKind, tuple[str, ...]]] = {
    "users": (PrincipalKind.USER, (READ_USERS, "Directory.Read.All")),
    "groups": (PrincipalKind.GROUP, ("Group.Read.All", "Directory.Read.All")),
}
_PATHS: Mapping[PrincipalKind, str] = {kind: name for name, (kind, _need) in _COLLECTIONS.items()}


@dataclass(frozen=True, slots=True)
class Deleted:
    """A group among the deleted items.

    Parameters:
        name: displayName.
        since: the time of its deletion in ISO 8601, UTC.
        synced: it was mastered on premises when it was deleted.
    """

    name: str
    since: str
    synced: bool = False


@dataclass(frozen=True, slots=True)
class AskedGroups:
    """What became of groups that were asked for by id.

    Parameters:
        living: those that exist.
        deleted: those among the deleted items, by object id.
        absent: ids that the service knows neither as groups nor as deleted items.
        unread: ids of which it could not be learnt.
        problem: the first error of these, or None.
    """

    living: tuple[CloudGroup, ...] = ()
    deleted: Mapping[str, Deleted] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()
    problem: EntraError | None = None


def ask_groups(client: GraphClient, query: GroupQuery, ids: Iterable[str]) -> AskedGroups:
    """Return what became of some groups.

    A group is absent only when the service itself says so twice, of groups and of deleted items; anything else leaves
    it open.

    Raises:
        EntraError: a batch failed as a whole.
    """
    living: list[CloudGroup] = []
    gone: list[str] = []
    deleted: dict[str, Deleted] = {}
    absent: set[str] = set()
    unread: dict[str, EntraError] = {}
    calls = [(cloud_id, query.call(f"/groups/{cloud_id}")) for cloud_id in sorted(set(ids))]
    for cloud_id, call, status, body in in_batches(client, calls):
        if status == 200 and _is_of(body, cloud_id):
            living.append(query.read(body))
        elif _is_gone(status, body):
            gone.append(cloud_id)
        else:
            unread[cloud_id] = client.refusal(call, status, body)
    # Without $select: this end point gives a directoryObject, whose own properties are fewer than a group's.
    calls = [(cloud_id, Call(f"/directory/deletedItems/{cloud_id}", _READ_DELETED)) for cloud_id in gone]
    for cloud_id, call, status, body in in_batches(client, calls):
        found = _deleted(body, cloud_id) if status == 200 else None
        if found is not None:
            deleted[cloud_id] = found
        elif _is_gone(status, body):
            absent.add(cloud_id)
        else:
            unread[cloud_id] = client.refusal(call, status, body)
    problem = next(iter(unread.values()), None)
    return AskedGroups(tuple(living), deleted, frozenset(absent), frozenset(unread), problem)


def _is_of(body: Any, cloud_id: str) -> bool:
    return isinstance(body, dict) and isinstance(body.get("id"), str) and body["id"].lower() == cloud_id


def _is_gone(status: int, body: Any) -> bool:
    error = body.get("error") if isinstance(body, dict) else None
    return status == 404 and isinstance(error, dict) and error.get("code") in _GONE


def _deleted(body: Any, cloud_id: str) -> Deleted | None:
    if not _is_of(body, cloud_id) or body.get("@odata.type") != "#microsoft.graph.group":
        return None
    since = _TIME.fullmatch(str(body.get("deletedDateTime")))
    name = body.get("displayName")
    synced = body.get("onPremisesSyncEnabled") is True
    return Deleted(name if isinstance(name, str) else "", f"{since[1]}Z", synced) if since else None


@dataclass(frozen=True, slots=True)
class AskedPrincipals:
    """What became of principals that were asked for by id.

    Parameters:
        found: those that exist.
        gone: ids that the service does not know any more.
        problem: the first error, or None.
    """

    found: tuple[Principal, ...] = ()
    gone: frozenset[str] = frozenset()
    problem: EntraError | None = None


def principals_by_id(client: GraphClient, query: MemberQuery, kinds: Mapping[str, PrincipalKind]) -> AskedPrincipals:
    """Return what became of users and groups that are members; of others, nothing that decides can change.

    Parameters:
        client: the client.
        query: what is read of members.
        kinds: object id to kind.

    Raises:
        EntraError: a batch failed as a whole.
    """
    select = ",".join(query.user_properties)
    calls = [
        (
            cloud_id,
            Call(
                f"/{_PATHS[kind]}/{cloud_id}?$select={_select(kind, select)}",
                _COLLECTIONS[_PATHS[kind]][1],
                version=query.version,
            ),
        )
        for cloud_id, kind in sorted(kinds.items())
        if kind in _PATHS
    ]
    found: list[Principal] = []
    gone: set[str] = set()
    problem: EntraError | None = None
    for cloud_id, call, status, body in in_batches(client, calls):
        if status == 200 and _is_of(body, cloud_id):
            found.append(read_principal(client, storable(body), kinds[cloud_id]))
        elif _is_gone(status, body):
            gone.add(cloud_id)
        else:
            problem = problem or client.refusal(call, status, body)
    return AskedPrincipals(tuple(found), frozenset(gone), problem)


def groups_of(client: GraphClient, kinds: Mapping[str, PrincipalKind]) -> tuple[frozenset[str], EntraError | None]:
    """Return the ids of the groups that have one of these as a direct member, and the first error.

    An object that was deleted and comes back is in its groups again, of which no delta query tells anything.

    Parameters:
        client: the client.
        kinds: object id of users and groups to kind.

    Raises:
        EntraError: a batch failed as a whole.
    """
    found: set[str] = set()
    problem: EntraError | None = None
    calls = [
        (cloud_id, Call(f"/{_PATHS[kind]}/{cloud_id}/memberOf?$select=id&$top=999", _COLLECTIONS[_PATHS[kind]][1]))
        for cloud_id, kind in sorted(kinds.items())
    ]
    for _cloud_id, call, status, body in in_batches(client, calls):
        if _is_gone(status, body):
            continue
        read, error = _read_items(client, call, status, body)
        problem = problem or error
        found.update(item["id"].lower() for item in read)
    return frozenset(found), problem


def _select(kind: PrincipalKind, of_users: str) -> str:
    return of_users if kind is PrincipalKind.USER else ",".join(PRINCIPAL_PROPERTIES)


def principals_with(client: GraphClient, sids: Collection[str]) -> tuple[tuple[Principal, ...], EntraError | None]:
    """Return the users and groups with one of these SIDs on premises, and the first error if any could not be read.

    Raises:
        EntraError: a batch failed as a whole.
    """
    wanted = sorted(sids)
    parts = [wanted[start : start + MOST_ALTERNATIVES] for start in range(0, len(wanted), MOST_ALTERNATIVES)]
    calls = [(name, _by_sid(name, part)) for part, name in product(parts, _COLLECTIONS)]
    found: dict[str, Principal] = {}
    problem: EntraError | None = None
    for name, call, status, body in in_batches(client, calls):
        read, error = _read_principals(client, call, _COLLECTIONS[name][0], status, body)
        problem = problem or error
        found.update((one.id, one) for one in read if one.on_premises_security_identifier in sids)
    return tuple(found.values()), problem


def _read_principals(
    client: GraphClient, call: Call, kind: PrincipalKind, status: int, body: Any
) -> tuple[list[Principal], EntraError | None]:
    read, error = _read_items(client, call, status, body)
    return [read_principal(client, item, kind) for item in read], error


def _read_items(
    client: GraphClient, call: Call, status: int, body: Any
) -> tuple[list[dict[str, Any]], EntraError | None]:
    """Return the objects of an answer and of the pages after it, and why they are not all."""
    if status != 200 or not isinstance(body, dict):
        return [], client.refusal(call, status, body)
    found: list[dict[str, Any]] = []
    try:
        for page in client.follow(call, body):
            found += items(page, call.path)
    except EntraError as error:
        return found, error
    return found, None


def _by_sid(collection: str, sids: Iterable[str]) -> Call:
    # Only `eq` is documented for this property, so `or` stands for `in` (user and group resource types, v1.0).
    clauses = " or ".join(f"onPremisesSecurityIdentifier eq '{sid}'" for sid in sids)
    path = f"/{collection}?$select={','.join(PRINCIPAL_PROPERTIES)}&$filter={quote(clauses)}"
    return Call(path, _COLLECTIONS[collection][1])
