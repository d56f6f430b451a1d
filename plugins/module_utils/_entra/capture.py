# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading groups, members and authority from Microsoft Graph."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.batches import in_batches
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import ADVANCED, Call, GraphClient
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import EntraError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    Principal,
    PrincipalKind,
)

# Resource units of a page of members with $select.
_MEMBER_UNITS = 2
_SURROGATE = re.compile("[\ud800-\udfff]")

# What decisions, snapshots and the default mappings read; more on request.
ALWAYS_READ = frozenset(
    {
        "description",
        "displayName",
        "groupTypes",
        "mail",
        "mailEnabled",
        "mailNickname",
        "membershipRule",
        "membershipRuleProcessingState",
        "onPremisesDomainName",
        "onPremisesSamAccountName",
        "onPremisesSecurityIdentifier",
        "onPremisesSyncEnabled",
        "securityEnabled",
        "visibility",
    }
)
PRINCIPAL_PROPERTIES = ("id", "displayName", "onPremisesSyncEnabled", "onPremisesSecurityIdentifier")
_OBJECT_IDENTIFIER = "onPremisesObjectIdentifier"
_IMMUTABLE_ID = ("onPremisesImmutableId", "onPremisesSamAccountName", "onPremisesDomainName")
KINDS: Mapping[str, PrincipalKind] = {f"#microsoft.graph.{kind.value}": kind for kind in PrincipalKind}

READ_GROUPS = ("Group.Read.All", "Directory.Read.All")
_READ_MEMBERS = ("GroupMember.Read.All", "Group.Read.All", "Directory.Read.All")
READ_USERS = "User.Read.All"
# The permissions with which the service gives all properties of a user; with lesser ones it gives a name and no SID.
_FULL_USERS = frozenset({READ_USERS, "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"})
READ_HIDDEN = "Member.Read.Hidden"
_READ_ASSIGNMENTS = ("Application.Read.All", "Directory.Read.All")
_READ_AUTHORITY = ("Group-OnPremisesSyncBehavior.ReadWrite.All",)


@dataclass(frozen=True, slots=True)
class MemberQuery:
    """What to read of members, beside name, SID and deviceId.

    Parameters:
        object_identifier: also onPremisesObjectIdentifier, which the beta end point alone knows.
        immutable_id: also onPremisesImmutableId, and account name and domain to check it by.
    """

    object_identifier: bool = False
    immutable_id: bool = False

    def call(self, group_id: str) -> Call:
        """Return the call for the members of a group."""
        names = ",".join((*self.user_properties, "deviceId"))
        path = f"/groups/{group_id}/members?$select={names}&$count=true&$top=999"
        return Call(path, _READ_MEMBERS, ADVANCED, self.version, units=_MEMBER_UNITS)

    @property
    def user_properties(self) -> tuple[str, ...]:
        """The properties that decide on a user as a member."""
        more = (_OBJECT_IDENTIFIER,) if self.object_identifier else ()
        return (*PRINCIPAL_PROPERTIES, *more, *(_IMMUTABLE_ID if self.immutable_id else ()))

    @property
    def version(self) -> str:
        """The end point that knows them."""
        return "beta" if self.object_identifier else "v1.0"


@dataclass(frozen=True, slots=True)
class GroupQuery:
    """What to read of groups.

    Parameters:
        select: properties for `$select`.
        beta: whether one of them needs the beta end point.
        service_filter: a `$filter` that leaves nothing out that is in scope, or an empty string.
    """

    select: frozenset[str]
    beta: bool = False
    service_filter: str = ""

    def call(self, path: str, *more: str) -> Call:
        """Return the call for a path with this query."""
        options = [f"$select={','.join(sorted({'id', *self.select}))}", *more]
        return Call(f"{path}?{'&'.join(options)}", READ_GROUPS, version=self.version)

    @property
    def version(self) -> str:
        """The end point that knows the properties."""
        return "beta" if self.beta else "v1.0"

    def read(self, item: Mapping[str, Any]) -> CloudGroup:
        """Return the group of an answer, its authority not read yet.

        Raises:
            EntraError: a property is not of its type.
        """
        values = {name: storable_text(item.get(name)) for name in self.select}
        wrong = sorted(name for name, value in values.items() if value is not None and not _fits(name, value))
        if wrong:
            raise EntraError(
                f"The group {item['id']}: {wrong[0]} is not what it should be.",
                "Run again.",
                code="entra_answer_broken",
            )
        return CloudGroup(item["id"].lower(), values)


_BOOLEANS = frozenset({"mailEnabled", "onPremisesSyncEnabled", "securityEnabled"})
_LISTS = frozenset({"groupTypes"})
_SCALARS = (str, bool, int, float, type(None))
_DEEPEST = 4


def _fits(name: str, value: object) -> bool:
    """Return whether a value can be that of a property; of one that only a mapping names, any but a deep one can."""
    if name in _BOOLEANS:
        return isinstance(value, bool)
    if name in _LISTS:
        return isinstance(value, list) and all(isinstance(one, str) for one in value)
    return isinstance(value, str) if name in ALWAYS_READ else _is_shallow(value, _DEEPEST)


def _is_shallow(value: object, levels: int) -> bool:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if inner is None:
        return isinstance(value, _SCALARS)
    return levels > 0 and all(_is_shallow(one, levels - 1) for one in inner)


def groups(client: GraphClient, query: GroupQuery) -> Iterator[CloudGroup]:
    """Yield every group of the tenant that the query lets through.

    Raises:
        EntraError: the list could not be read to its end.
    """
    narrowed = [f"$filter={quote(query.service_filter)}"] if query.service_filter else []
    call = query.call("/groups", "$top=999", *narrowed)
    seen: set[str] = set()
    for page in client.pages(call):
        for item in items(page, call.path):
            group = query.read(item)
            if group.id not in seen:
                seen.add(group.id)
                yield group


def member_ids(client: GraphClient, group_id: str) -> frozenset[str]:
    """Return the object ids of the direct members of a group.

    Raises:
        EntraError: they could not be read to their end.
    """
    path = f"/groups/{group_id}/members?$select=id&$count=true&$top=999"
    call = Call(path, _READ_MEMBERS, ADVANCED, units=_MEMBER_UNITS)
    found: list[str] = []
    count: object = None
    for page in client.pages(call):
        count = page.get("@odata.count", count)
        found += (item["id"].lower() for item in items(page, call.path))
    if count != len(found):
        raise EntraError(f"{len(found)} members were read, the service counts {count}.", code="entra_count_differs")
    return frozenset(found)


def assigned_ids(client: GraphClient, service_principal: str, app_role_ids: frozenset[str]) -> frozenset[str]:
    """Return the ids of the groups assigned to a provisioning job's service principal.

    Parameters:
        client: the client.
        service_principal: object id of the service principal.
        app_role_ids: the application roles that count, in lower case.

    Raises:
        EntraError: the assignments could not be read to their end.
    """
    call = Call(f"/servicePrincipals/{service_principal}/appRoleAssignedTo?$top=999", _READ_ASSIGNMENTS)
    return frozenset(
        str(item["principalId"]).lower()
        for page in client.pages(call)
        for item in items(page, call.path)
        if item.get("principalType") == "Group" and str(item.get("appRoleId")).lower() in app_role_ids
    )


def authority(client: GraphClient, ids: Sequence[str]) -> tuple[dict[str, bool], EntraError | None]:
    """Return `isCloudManaged` of each group that could be read, and the first error if any could not."""
    states: dict[str, bool] = {}
    problem: EntraError | None = None
    calls = [
        (cloud_id, Call(f"/groups/{cloud_id}/onPremisesSyncBehavior?$select=isCloudManaged", _READ_AUTHORITY))
        for cloud_id in ids
    ]
    for cloud_id, call, status, body in in_batches(client, calls):
        managed = body.get("isCloudManaged") if isinstance(body, dict) else None
        if status == 200 and isinstance(managed, bool):
            states[cloud_id] = managed
        else:
            problem = problem or client.refusal(call, status, body)
    return states, problem


def read_principal(client: GraphClient, item: Mapping[str, Any], kind: PrincipalKind) -> Principal:
    """Return the principal of an answer."""
    synced, given = item.get("onPremisesSyncEnabled"), item.get("onPremisesSecurityIdentifier")
    sid = given if isinstance(given, str) and identity.is_sid(given) else None
    return Principal(
        item["id"].lower(),
        kind,
        _text(item, "displayName") or "",
        synced if isinstance(synced, bool) else None,
        sid,
        _text(item, "deviceId" if kind is PrincipalKind.DEVICE else _OBJECT_IDENTIFIER),
        _text(item, "onPremisesImmutableId"),
        _text(item, "onPremisesSamAccountName"),
        _text(item, "onPremisesDomainName"),
        _is_readable(client, item, kind, sid),
    )


def _is_readable(client: GraphClient, item: Mapping[str, Any], kind: PrincipalKind, sid: str | None) -> bool:
    """Return whether a null in an answer means that there is no value.

    Every principal has a displayName, every device a deviceId, and what else is synced has a SID; without the
    permission for its type the service leaves them out, or gives the name alone.
    """
    if _text(item, "displayName") is None or (kind is PrincipalKind.USER and not _FULL_USERS & client.roles):
        return False
    if item.get("onPremisesSecurityIdentifier"):
        return sid is not None
    if kind is PrincipalKind.DEVICE:
        return identity.guid_text(_text(item, "deviceId") or "") is not None
    return item.get("onPremisesSyncEnabled") is not True


def _text(item: Mapping[str, Any], name: str) -> str | None:
    value = item.get(name)
    return value if isinstance(value, str) else None


def items(page: Mapping[str, Any], what: str) -> list[dict[str, Any]]:
    """Return the objects of a page.

    Raises:
        EntraError: it is no page of objects.
    """
    found = page.get("value")
    if not isinstance(found, list) or not all(isinstance(i, dict) and isinstance(i.get("id"), str) for i in found):
        raise EntraError(f"{what.partition('?')[0]}: a page is not a list of objects.", code="entra_answer_broken")
    return [storable(item) for item in found]


def storable(item: dict[str, Any]) -> dict[str, Any]:
    """Return an object of an answer in a form that files can hold; most are in it as they come."""
    for value in item.values():
        if isinstance(value, list) or (isinstance(value, str) and not value.isascii()):
            return {name: storable_text(value) for name, value in item.items()}
    return item


def storable_text(value: Any) -> Any:
    """Return a text, or a list of texts, in a form that files can hold: JSON can bring half of a surrogate pair."""
    if isinstance(value, list):
        return [storable_text(one) if isinstance(one, str) else one for one in value]
    return value if not isinstance(value, str) or value.isascii() else _SURROGATE.sub("\ufffd", value)
