# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The provisioning log: each outcome in the shape of Graph's provisioningObjectSummary.

Source: learn.microsoft.com/graph/api/resources/provisioningobjectsummary. What the collection has no counterpart for is
null or left out; values that Graph gives as one text are one text here, several values as a JSON array in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import Values
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Action

PRODUCT = "hybrid_identity.gpad"
# What is left alone, and what could not even be planned, in the place of an action.
SKIP, PLAN = "skip", "plan"

_ACTIONS: Mapping[str, str] = {
    Action.CREATE_CONTAINER.value: "other",
    Action.CREATE.value: "create",
    Action.RESTORE.value: "create",
    Action.DETACH.value: "other",
    Action.DELETE.value: "delete",
    SKIP: "other",
    PLAN: "other",
}
_STATUSES: Mapping[str, str] = {"done": "success", "partial": "warning", "failed": "failure", "skipped": "skipped"}
_EXPORTS: Mapping[str, str] = {"create": "EntryExportAdd", "delete": "EntryExportDelete"}
_MEMBER = "member"


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One outcome, as the journal keeps it.

    Parameters:
        key: names the entry in the journal.
        at: ISO 8601, UTC.
        milliseconds: how long it took.
        module: the module that wrote it.
        run_id: the run.
        plan_id: its plan.
        tenant_id: the tenant.
        domain: DN of the target domain.
        action: the change's action, `skip` for what was left alone, `plan` for what could not be planned.
        status: `done`, `partial`, `failed` or `skipped`.
        id: object id of the cloud object.
        name: its displayName.
        guid: objectGUID of the directory object, or None.
        dn: where it is, or an empty string.
        reason: why the change was planned or the object left alone.
        group_id: for a member that was left alone, the object id of the group.
        group_name: the group's displayName.
        before: values before.
        after: values after.
        added: objectGUIDs added to `member`.
        removed: objectGUIDs removed from it.
        code: the stable word for what went wrong, or an empty string.
        message: what went wrong.
        remedy: what to do.
    """

    key: str
    at: str
    milliseconds: int
    module: str
    run_id: str
    plan_id: str
    tenant_id: str
    domain: str
    action: str
    status: str
    id: str
    name: str
    guid: str | None = None
    dn: str = ""
    reason: str = ""
    group_id: str = ""
    group_name: str = ""
    before: Mapping[str, Values] = field(default_factory=dict)
    after: Mapping[str, Values] = field(default_factory=dict)
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    code: str = ""
    message: str = ""
    remedy: str = ""


def summary_object(entry: LogEntry) -> dict[str, Any]:
    """Return an entry in the shape of provisioningObjectSummary."""
    action = _ACTIONS.get(entry.action, "update")
    return {
        "id": entry.key,
        "activityDateTime": entry.at,
        "tenantId": entry.tenant_id,
        "jobId": f"{PRODUCT}.{entry.tenant_id}.{_dns_name(entry.domain)}",
        "cycleId": entry.run_id,
        "changeId": entry.plan_id,
        "provisioningAction": action,
        "durationInMilliseconds": entry.milliseconds,
        "initiatedBy": {"id": entry.module, "displayName": f"{PRODUCT}.{entry.module}", "initiatorType": "application"},
        "servicePrincipal": {"id": PRODUCT, "displayName": PRODUCT},
        "sourceSystem": {"id": entry.tenant_id, "displayName": "Microsoft Entra ID", "details": {}},
        "targetSystem": {"id": entry.domain, "displayName": "Active Directory", "details": {}},
        "sourceIdentity": _source(entry),
        "targetIdentity": _target(entry),
        "modifiedProperties": list(_modified(entry)),
        "provisioningSteps": list(_steps(entry, action)),
        "provisioningStatusInfo": {"status": _STATUSES[entry.status], "errorInformation": _error(entry)},
    }


def _dns_name(domain: str) -> str:
    return dn.domain_dns_name(domain) if domain else ""


def _source(entry: LogEntry) -> dict[str, Any]:
    details = {"groupId": entry.group_id, "groupDisplayName": entry.group_name} if entry.group_id else {}
    kind = "Member" if entry.group_id else "Group"
    return {"id": entry.id, "displayName": entry.name, "identityType": kind, "details": details}


def _target(entry: LogEntry) -> dict[str, Any]:
    sid = "".join(entry.after.get("objectSid", ()))
    details = {"distinguishedName": entry.dn, **({"objectSid": sid} if sid else {})}
    return {"id": entry.guid or "", "displayName": entry.dn, "identityType": "group", "details": details}


def _text(values: Iterable[str]) -> str | None:
    texts = list(values)
    if len(texts) > 1:
        return json.dumps(texts, ensure_ascii=False)
    return texts[0] if texts else None


def _modified(entry: LogEntry) -> Iterable[dict[str, str | None]]:
    if entry.status == "failed":
        return
    for name, values in sorted(entry.after.items()):
        yield {"displayName": name, "oldValue": _text(entry.before.get(name, ())), "newValue": _text(values)}
    if entry.added or entry.removed:
        old, new = (json.dumps(list(guids)) if guids else None for guids in (entry.removed, entry.added))
        yield {"displayName": _MEMBER, "oldValue": old, "newValue": new}


def _steps(entry: LogEntry, action: str) -> Iterable[dict[str, Any]]:
    """Yield the steps that an object went through: whoever reached a change was imported, in scope and matched."""
    status = _STATUSES[entry.status]
    details = {"ReportableIdentifier": entry.id}
    if entry.action == SKIP:
        yield _step("EntrySynchronizationSkip", "scoping", status, entry.reason, details)
        return
    if entry.action == PLAN:
        yield _step("EntrySynchronizationUpdate", "matching", status, entry.message, details)
        return
    word = {"create": "Add", "delete": "Delete"}.get(action, "Update")
    yield _step(f"EntryImport{word}", "import", "success", "", details)
    yield _step("EntrySynchronizationScoping", "scoping", "success", entry.reason, details)
    yield _step(f"EntrySynchronization{word}", "matching", "success", "", details)
    yield _step(_EXPORTS.get(action, "EntryExportUpdate"), "export", status, entry.message, details)


def _step(name: str, kind: str, status: str, description: str, details: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": name,
        "provisioningStepType": kind,
        "status": status,
        "description": description,
        "details": dict(details),
    }


def _error(entry: LogEntry) -> dict[str, Any] | None:
    if not entry.code:
        return None
    return {
        "errorCode": entry.code,
        "errorCategory": "nonServiceFailure" if entry.status == "skipped" else "failure",
        "reason": entry.message or entry.reason,
        "recommendedAction": entry.remedy,
        "additionalDetails": None,
    }
