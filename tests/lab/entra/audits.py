# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit log, as far as it tells of the source of authority."""

from __future__ import annotations

import re
import uuid
from typing import Any

from . import errors
from .calls import Call, Reply, Tenant, now
from .cursors import Cursor
from .listing import link
from .query import own_options
from .store import Entity

_ACTIVITIES = {
    True: "Change Source of Authority from AD to cloud",
    False: "Undo changes to Source of Authority from AD DS to cloud",
}
# The service documents eq, ge, le and startswith here; the lab takes what the documents show, and refuses the rest.
_CLAUSES = (
    re.compile(r"activityDisplayName (?P<operator>eq) '(?P<value>[^']*)'"),
    re.compile(r"(?P<operator>startswith)\(activityDisplayName, ?'(?P<value>[^']*)'\)"),
    re.compile(r"activityDateTime (?P<operator>ge|le) (?P<value>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)"),
    re.compile(r"targetResources/(?P<operator>any)\(t:t/id eq '(?P<value>[0-9a-f-]{36})'\)"),
)
_PAGE = 1000


def record_authority(tenant: Tenant, call: Call, entity: Entity, *, cloud_managed: bool) -> None:
    """Write down who changed the source of authority of an object, and which way."""
    tenant.directory.audit(
        {
            "id": f"Directory_{uuid.uuid4()}",
            "category": "GroupManagement" if entity.type.name == "group" else "UserManagement",
            "correlationId": str(uuid.uuid4()),
            "result": "success",
            "resultReason": "",
            "activityDisplayName": _ACTIVITIES[cloud_managed],
            "activityDateTime": now(),
            "loggedByService": "Core Directory",
            "operationType": "Update",
            "initiatedBy": {"user": None, "app": {"appId": call.app_id, "displayName": None}},
            "targetResources": [
                {
                    "id": entity.id,
                    "displayName": entity.properties.get("displayName"),
                    "type": entity.type.resource,
                    "modifiedProperties": [],
                }
            ],
            "additionalDetails": [],
        }
    )


def list_audits(tenant: Tenant, call: Call) -> Reply:
    """Answer the entries that all clauses of the filter let through, newest first."""
    tests = [_clause(text) for text in call.options.get("$filter", "").split(" and ") if text]
    bound = (call.path, own_options(call), call.eventual)
    token = call.options.get("$skiptoken")
    if token:
        start = tenant.cursors.resume(token, bound)
    else:
        found = [row for row in tenant.reader(call).audits() if all(_holds(row, test) for test in tests)]
        start = Cursor(bound, tuple(found), 0)
    top = call.options.get("$top", str(_PAGE))
    if not top.isdigit() or not 1 <= int(top) <= _PAGE:
        raise errors.bad_request(f"Invalid page size specified: '{top}'.")
    end = start.position + int(top)
    context = f"{call.root}/$metadata#auditLogs/directoryAudits"
    body: dict[str, Any] = {"@odata.context": context, "value": list(start.items[start.position : end])}
    if end < len(start.items):
        onward = tenant.cursors.issue(Cursor(bound, start.items, end), tenant.knobs.skip_token_seconds)
        body["@odata.nextLink"] = link(call, {**bound[1], "$skiptoken": onward})
    return Reply(200, body)


def _clause(text: str) -> tuple[str, str]:
    for pattern in _CLAUSES:
        match = pattern.fullmatch(text.strip())
        if match is not None:
            return match["operator"], match["value"]
    raise errors.unparsable(f"Invalid filter clause: '{text}'.")


def _holds(row: dict[str, Any], test: tuple[str, str]) -> bool:
    operator, value = test
    name, moment = str(row["activityDisplayName"]), str(row["activityDateTime"])
    return {
        "eq": name == value,
        "startswith": name.startswith(value),
        "ge": moment >= value,
        "le": moment <= value,
        "any": any(target["id"] == value for target in row["targetResources"]),
    }[operator]
