# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of operations: method, path, handler, sufficient roles, options, cost."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from . import applications, audits, delta, errors, groups, objects
from . import permissions as may
from .calls import Call, Reply, Tenant

Handler = Callable[[Tenant, Call], Reply]

_PLACEHOLDERS = {
    "id": r"(?P<id>[0-9a-fA-F-]+)",
    "member": r"(?P<member>[0-9a-fA-F-]+)",
    "cast": r"(?P<cast>(?:microsoft\.)?graph\.[A-Za-z]+)",
    "delta": r"(?:microsoft\.graph\.)?delta(?:\(\))?",
}
_NONE: frozenset[str] = frozenset()
_LIST = frozenset({"$select", "$filter", "$orderby", "$search", "$count", "$top", "$skiptoken"})
_EXPANDABLE = _LIST | {"$expand"}
_ONE = frozenset({"$select", "$expand"})
_COUNT = frozenset({"$filter", "$search"})
_DELTA = frozenset({"$select", "$filter", "$skiptoken", "$deltatoken"})
_PLAIN_LIST = frozenset({"$top", "$skiptoken"})


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    pattern: re.Pattern[str]
    handler: Handler
    roles: frozenset[str]
    options: frozenset[str]
    cost: int
    reads: bool


def _route(
    method: str,
    template: str,
    handler: Handler,
    roles: frozenset[str],
    options: frozenset[str] = _NONE,
    cost: int = 1,
    *,
    reads: bool | None = None,
) -> Route:
    parts = re.split(r"\{(\w+)\}", template)
    pattern = "".join(_PLACEHOLDERS[part] if index % 2 else re.escape(part) for index, part in enumerate(parts))
    is_read = method == "GET" if reads is None else reads
    return Route(method, re.compile(pattern, re.IGNORECASE), handler, roles, options, cost, is_read)


ROUTES = (
    _route("GET", "/groups", groups.list_groups, may.READ_GROUPS, _EXPANDABLE),
    _route("POST", "/groups", groups.create_group, may.CREATE_GROUPS),
    _route("GET", "/groups/$count", groups.count_groups, may.READ_GROUPS, _COUNT),
    _route("GET", "/groups/{delta}", delta.groups_delta, may.READ_GROUPS, _DELTA),
    _route("GET", "/groups/{id}", groups.get_group, may.READ_GROUPS, _ONE),
    _route("PATCH", "/groups/{id}", groups.update_group, may.WRITE_GROUPS),
    _route("DELETE", "/groups/{id}", groups.delete_group, may.DELETE_GROUPS),
    _route("GET", "/groups/{id}/members", groups.list_members, may.READ_MEMBERS, _LIST, 3),
    _route("GET", "/groups/{id}/members/$count", groups.count_members, may.READ_MEMBERS, _COUNT),
    _route("GET", "/groups/{id}/members/{cast}", groups.list_members, may.READ_MEMBERS, _LIST, 3),
    _route("GET", "/groups/{id}/members/{cast}/$count", groups.count_members, may.READ_MEMBERS, _COUNT),
    _route("GET", "/groups/{id}/members/$ref", groups.list_member_references, may.READ_MEMBERS, _PLAIN_LIST, 3),
    _route("POST", "/groups/{id}/members/$ref", groups.add_member, may.WRITE_MEMBERS),
    _route("DELETE", "/groups/{id}/members/$ref", groups.remove_member, may.WRITE_MEMBERS, frozenset({"@id"})),
    _route("DELETE", "/groups/{id}/members/{member}/$ref", groups.remove_member, may.WRITE_MEMBERS),
    _route("DELETE", "/groups/{id}/members/{member}", groups.delete_member_object, may.ANY),
    _route("GET", "/groups/{id}/memberOf", objects.list_groups_of, may.READ_GROUPS, _LIST, 2),
    _route("GET", "/groups/{id}/transitiveMembers", groups.list_transitive_members, may.READ_MEMBERS, _LIST, 5),
    _route("GET", "/groups/{id}/transitiveMembers/$count", groups.count_transitive_members, may.READ_MEMBERS, _COUNT),
    _route("GET", "/groups/{id}/transitiveMembers/{cast}", groups.list_transitive_members, may.READ_MEMBERS, _LIST, 5),
    _route(
        "GET",
        "/groups/{id}/transitiveMembers/{cast}/$count",
        groups.count_transitive_members,
        may.READ_MEMBERS,
        _COUNT,
    ),
    _route(
        "GET",
        "/groups/{id}/onPremisesSyncBehavior",
        objects.get_authority,
        may.GROUP_AUTHORITY,
        frozenset({"$select"}),
    ),
    _route("PATCH", "/groups/{id}/onPremisesSyncBehavior", objects.set_authority, may.GROUP_AUTHORITY),
    _route("GET", "/users", objects.list_users, may.LIST_USERS, _LIST, 2),
    _route("GET", "/users/$count", objects.count_users, may.LIST_USERS, _COUNT),
    _route("GET", "/users/{delta}", delta.users_delta, may.READ_USERS, _DELTA),
    _route("GET", "/users/{id}", objects.get_user, may.LIST_USERS, frozenset({"$select"})),
    _route("GET", "/users/{id}/memberOf", objects.list_groups_of, may.READ_USERS, _LIST, 2),
    _route("PATCH", "/users/{id}", objects.update_user, may.WRITE_USERS | may.USER_AUTHORITY),
    _route("DELETE", "/users/{id}", objects.delete_user, may.WRITE_USERS),
    _route(
        "GET", "/users/{id}/onPremisesSyncBehavior", objects.get_authority, may.USER_AUTHORITY, frozenset({"$select"})
    ),
    _route("PATCH", "/users/{id}/onPremisesSyncBehavior", objects.set_authority, may.USER_AUTHORITY),
    _route("GET", "/servicePrincipals", objects.list_service_principals, may.READ_APPLICATIONS, _LIST),
    _route(
        "GET", "/servicePrincipals/{id}", objects.get_service_principal, may.READ_APPLICATIONS, frozenset({"$select"})
    ),
    _route(
        "GET", "/servicePrincipals/{id}/appRoleAssignedTo", objects.list_assignments, may.READ_APPLICATIONS, _PLAIN_LIST
    ),
    _route("GET", "/servicePrincipals/{id}/synchronization/jobs", objects.list_jobs, may.READ_JOBS, _PLAIN_LIST),
    _route("POST", "/servicePrincipals", applications.create_service_principal, may.WRITE_APPLICATIONS),
    _route("GET", "/applications", applications.list_applications, may.READ_APPLICATIONS, _LIST),
    _route("POST", "/applications", applications.create_application, may.WRITE_APPLICATIONS),
    _route(
        "GET",
        "/applications/{id}/extensionProperties",
        applications.list_extension_properties,
        may.READ_APPLICATIONS,
        _PLAIN_LIST,
    ),
    _route(
        "POST",
        "/applications/{id}/extensionProperties",
        applications.create_extension_property,
        may.WRITE_APPLICATIONS,
    ),
    _route(
        "GET",
        "/auditLogs/directoryAudits",
        audits.list_audits,
        may.READ_AUDITS,
        frozenset({"$filter", "$top", "$skiptoken"}),
    ),
    _route("GET", "/organization", objects.list_organizations, may.READ_ORGANIZATION, frozenset({"$select"})),
    _route("GET", "/directory/deletedItems/{cast}", objects.list_deleted, may.ANY, _LIST),
    _route("GET", "/directory/deletedItems/{id}", objects.get_deleted, may.ANY, frozenset({"$select"})),
    _route("GET", "/directory/deletedItems/{id}/{cast}", objects.get_deleted, may.ANY, frozenset({"$select"})),
    _route("DELETE", "/directory/deletedItems/{id}", objects.purge_deleted, may.ANY),
    _route("POST", "/directory/deletedItems/{id}/restore", objects.restore_deleted, may.ANY),
    _route(
        "POST",
        "/directoryObjects/getByIds",
        objects.get_by_ids,
        may.READ_OBJECTS,
        frozenset({"$select"}),
        5,
        reads=True,
    ),
)


def resolve(call: Call) -> tuple[Route, Call]:
    """Find the operation of a call and fill in its path parameters.

    Raises GraphError: 405 for a known path with another method, 400 for a path that is not implemented.
    """
    known = False
    for route in ROUTES:
        match = route.pattern.fullmatch(call.path)
        if match is not None:
            known = True
            if route.method == call.method:
                return route, replace(call, parameters=match.groupdict())
    if known:
        raise errors.GraphError(
            405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target."
        )
    raise errors.unknown_segment(call.path.strip("/").rpartition("/")[2])
