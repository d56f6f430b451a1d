# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changing the source of authority of groups in Microsoft Graph, and what is read for it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import capture, questions
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.batches import in_batches
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import GroupQuery, items
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import Call, GraphClient
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.authority import Master
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import EntraError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import CloudGroup

_AUTHORITY = ("Group-OnPremisesSyncBehavior.ReadWrite.All",)
_AUDIT = ("AuditLog.Read.All",)

# The names of the activities differ between documents ("AD", "AD DS"), and agree in how they begin.
_ACTIVITIES = ("Change Source of Authority from AD", "Undo changes to Source of Authority from AD")


@dataclass(slots=True)
class Found:
    """The groups that a list of object ids and displayNames names.

    Parameters:
        groups: those that exist, in the order of the list.
        missing: entries that fit no group, with a word for why.
        ambiguous: entries that fit several groups, with their object ids.
        problem: the first error of entries that could not be looked up, or None.
    """

    groups: list[CloudGroup] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    ambiguous: dict[str, list[str]] = field(default_factory=dict)
    problem: EntraError | None = None


def find(client: GraphClient, wanted: Sequence[str], select: Collection[str]) -> Found:
    """Return the groups that a list names, their source of authority read where it could be.

    Raises:
        EntraError: a batch failed as a whole.
    """
    query = GroupQuery(frozenset(select))
    ids = [entry.lower() for entry in wanted if identity.guid_text(entry)]
    asked = questions.ask_groups(client, query, ids)
    living = {group.id: [group] for group in asked.living}
    living |= {name: groups for name, groups in _by_name(client, query, wanted).items() if name.lower() not in living}
    found = Found(problem=asked.problem)
    chosen: dict[str, CloudGroup] = {}
    for entry in wanted:
        hits = living.get(entry.lower()) or living.get(entry) or []
        if len(hits) == 1:
            chosen[hits[0].id] = hits[0]
        elif hits:
            found.ambiguous[entry] = sorted(group.id for group in hits)
        elif entry.lower() not in asked.unread:
            found.missing[entry] = "is among the deleted groups" if entry.lower() in asked.deleted else "fits no group"
    states, problem = capture.authority(client, list(chosen))
    found.problem = found.problem or problem
    found.groups = [CloudGroup(one.id, one.properties, states.get(one.id)) for one in chosen.values()]
    return found


def _by_name(client: GraphClient, query: GroupQuery, wanted: Sequence[str]) -> dict[str, list[CloudGroup]]:
    names = list(dict.fromkeys(entry for entry in wanted if not identity.guid_text(entry)))
    quoted = {name: quote("displayName eq '{}'".format(name.replace("'", "''"))) for name in names}
    calls = [(name, query.call("/groups", f"$filter={quoted[name]}")) for name in names]
    found: dict[str, list[CloudGroup]] = {}
    for name, call, status, body in in_batches(client, calls):
        if status != 200 or not isinstance(body, dict):
            raise client.refusal(call, status, body)
        pages = client.follow(call, body)
        read = [query.read(item) for page in pages for item in items(page, call.path)]
        # The service compares names without regard to case.
        found[name] = [group for group in read if group.display_name == name]
    return found


def move(client: GraphClient, cloud_id: str, wanted: Master) -> None:
    """Tell the service who is to be the master of a group.

    Raises:
        EntraError: it refused, or no answer came, in which case it may have been done.
    """
    call = Call(f"/groups/{cloud_id}/onPremisesSyncBehavior", _AUTHORITY, method="PATCH")
    client.write(call, {"isCloudManaged": wanted is Master.CLOUD})


def audit_entries(client: GraphClient, ids: Collection[str]) -> list[dict[str, Any]]:
    """Return the entries of the audit log on changes of the source of authority of these groups, newest first.

    The log is read once for each of the two activities, since it answers few requests (5 in ten seconds).

    Raises:
        EntraError: it could not be read to its end.
    """
    found: list[dict[str, Any]] = []
    for activity in _ACTIVITIES:
        chosen = quote(f"startswith(activityDisplayName,'{activity}')")
        call = Call(f"/auditLogs/directoryAudits?$filter={chosen}", _AUDIT)
        for page in client.pages(call):
            found += [entry for item in items(page, call.path) for entry in _entries(item, ids)]
    return sorted(found, key=lambda entry: (str(entry["at"]), str(entry["id"])), reverse=True)


def _entries(item: Mapping[str, Any], ids: Collection[str]) -> list[dict[str, Any]]:
    targets = item.get("targetResources")
    return [
        {
            "id": str(target["id"]).lower(),
            "name": target.get("displayName"),
            "activity": item.get("activityDisplayName"),
            "at": item.get("activityDateTime"),
            "by": item.get("initiatedBy"),
            "result": item.get("result"),
        }
        for target in (targets if isinstance(targets, list) else ())
        if isinstance(target, dict) and str(target.get("id")).lower() in ids
    ]
