# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who else writes cloud groups to Active Directory: the running jobs of Microsoft's Cloud Sync."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import items
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import Call, GraphClient
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import EntraError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import OtherWriters

_Item = TypeVar("_Item")

# The gallery application from which a configuration "Microsoft Entra ID to AD" is made, and the template of its job.
_APPLICATION_TEMPLATE = "fb81332f-3eca-4ecf-a939-4278e501d330"
_JOB_TEMPLATE = "AAD2ADGroupProvisioning"

_READ_PRINCIPALS = (
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
)
_READ_JOBS = ("Synchronization.Read.All", "Synchronization.ReadWrite.All")

# A job without schedule does not run, whatever its status was; one that was started and never ran is about to.
_IDLE_SCHEDULES = frozenset({"disabled", "paused"})
_IDLE_STATES = frozenset({"notconfigured", "paused"})


def other_writers(client: GraphClient) -> OtherWriters:
    """Return the jobs that write cloud groups to Active Directory now, and why that may not be all of them."""
    lacking = [needed[0] for needed in (_READ_PRINCIPALS, _READ_JOBS) if not client.roles.intersection(needed)]
    if lacking:
        return OtherWriters(unread=f"the application lacks {' and '.join(lacking)}")
    principals: list[Mapping[str, Any]] = []
    running: list[str] = []
    # What was read counts, whatever fails after it.
    problems = [_read(_principals(client), principals)]
    problems += [_read(_running(client, principal), running) for principal in principals]
    unread = "; ".join(filter(None, problems))
    return OtherWriters(tuple(sorted(running)), unread, failed=bool(unread))


def _read(source: Iterator[_Item], into: list[_Item]) -> str:
    """Read what is there into a list; return why that broke off, or an empty string."""
    try:
        into.extend(source)
    except EntraError as error:
        return error.message
    return ""


def _principals(client: GraphClient) -> Iterator[Mapping[str, Any]]:
    chosen = quote(f"applicationTemplateId eq '{_APPLICATION_TEMPLATE}'")
    call = Call(f"/servicePrincipals?$select=id,displayName&$filter={chosen}", _READ_PRINCIPALS[:1])
    for page in client.pages(call):
        yield from items(page, call.path)


def _running(client: GraphClient, principal: Mapping[str, Any]) -> Iterator[str]:
    jobs = Call(f"/servicePrincipals/{quote(principal['id'])}/synchronization/jobs", _READ_JOBS[:1])
    for page in client.pages(jobs):
        for job in items(page, jobs.path):
            state, schedule = _word(job, "status", "code"), _word(job, "schedule", "state")
            if _is_running(job, state, schedule):
                yield f"{principal.get('displayName') or principal['id']}, job {job['id']}, {state or 'unknown'}"


def _is_running(job: Mapping[str, Any], state: str, schedule: str) -> bool:
    # The id begins with the template's name, too.
    kind = str(job.get("templateId") or job["id"].partition(".")[0])
    if kind.lower() != _JOB_TEMPLATE.lower():
        return False
    return state.lower() not in _IDLE_STATES and schedule.lower() not in _IDLE_SCHEDULES


def _word(job: Mapping[str, Any], part: str, name: str) -> str:
    held = job.get(part)
    value = held.get(name) if isinstance(held, dict) else None
    return value if isinstance(value, str) else ""
