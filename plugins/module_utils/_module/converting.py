# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runner of gpad_soa."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import authority as service
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import extensions, member_reading, questions
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.auth import MSAL_IMPORT_ERROR, EntraSettings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import MemberQuery
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import GraphClient
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.http import REQUESTS_IMPORT_ERROR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.arguments import ENTRA, RESULTS, Spec
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.entra_options import entra_settings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.result import report_result, run_module
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import authority, identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.authority import (
    Authority,
    Candidate,
    Master,
    Rules,
    authority_of,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.authority_decisions import (
    Decisions,
    decide,
    nested_failed,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.directory_facts import (
    GroupFacts,
    read_facts,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    BlockedError,
    ConfigurationError,
    EntraError,
    Outcome,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import CloudGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Notice
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.report import Report, worst

_READ = frozenset(
    {"displayName", "mailEnabled", "onPremisesSecurityIdentifier", "onPremisesSyncEnabled", "securityEnabled"}
)
_READ_BACK_TRIES = 3
_READ_BACK_SECONDS = 2
_ACTIONS: Mapping[Master, tuple[str, str, str]] = {
    Master.CLOUD: ("convert_to_cloud", "groups_converted", "its source of authority is to be the cloud"),
    Master.ON_PREMISES: ("roll_back", "groups_rolled_back", "its source of authority is to be on premises"),
}
# After these no other request can succeed.
_ENDING = frozenset({"entra_unreachable", "entra_not_trusted", "permission_missing", "entra_401"})


def run() -> None:
    """Run the module gpad_soa."""
    options: Spec = {
        "groups": {"type": "list", "elements": "str", "required": True},
        "source_of_authority": {"type": "str", "choices": [master.value for master in Master]},
        "directory_facts": {"type": "raw"},
        "left_behind": {"type": "list", "elements": "str", "default": []},
        "limits": {"type": "dict", "default": {}, "options": {"count": {"type": "int", "default": 50}}},
        "approve": {"type": "str"},
        "original_name": {
            "type": "dict",
            "default": {},
            "options": {"extension": {"type": "str", "choices": ["none", "use", "create"], "default": "none"}},
        },
        "gather_audit": {"type": "bool", "default": False},
    }
    run_module(
        {**ENTRA, **options, **RESULTS},
        _run,
        {"msal": MSAL_IMPORT_ERROR, "requests": REQUESTS_IMPORT_ERROR},
        mutually_exclusive=[("client_secret", "client_certificate_path", "federated_token_file")],
    )


@dataclass(slots=True)
class _Work:
    """What a call changes.

    Parameters:
        client: logged on.
        report: is told.
        check_mode: nothing is written.
        failed: object id of each group that was refused to the error.
    """

    client: GraphClient
    report: Report
    check_mode: bool
    failed: dict[str, EntraError]


def _run(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    settings = entra_settings(params)
    facts = _facts(params["directory_facts"])
    limit = (params["limits"] or {}).get("count", 50)
    if limit < 0:
        raise ConfigurationError(f"limits: count is {limit}.", "Give zero or more.")
    odd = [sid for sid in params["left_behind"] if not identity.is_sid(sid)]
    if odd:
        raise ConfigurationError(f"left_behind: {odd[0]!r} is not a SID.", "Take it from the message that names it.")
    report = Report(params["max_results"])
    client = GraphClient(settings)
    client.log_on()
    found = service.find(client, params["groups"], _READ)
    _tell_missing(found, report)
    before = {group.id: authority_of(group) for group in found.groups}
    wanted = Master(params["source_of_authority"]) if params["source_of_authority"] else None
    decisions = Decisions()
    if wanted is not None:
        decisions = _decide(client, found, facts, wanted, frozenset(params["left_behind"]))
        for problem in decisions.problems:
            report.remark(problem)
        for notice in decisions.notices:
            report.remark(notice)
    ids = [candidate.group.id for candidate in decisions.changes]
    checksum = authority.checksum(wanted, ids) if wanted is not None else ""
    after = before
    if wanted is not None and not _is_blocked(params["approve"], checksum, len(ids), limit, report):
        work = _Work(client, report, module.check_mode, {})
        after = _change(work, settings, params["original_name"], decisions, wanted, before)
    report.summary["groups"] = len(found.groups)
    report.summary["pending"] = sum(state.is_pending for state in after.values())
    audit = _audit(client, before.keys(), report) if params["gather_audit"] else []
    report.summary["requests"] = sum(client.requests.values())
    return report_result(
        module,
        report,
        changed=report.changed,
        # All of these: what follows a change rests on them, and of the originals perhaps nothing else is left.
        states=[_state_entry(group.id, group.display_name, before, after) for group in found.groups],
        planned=[{"id": one.group.id, "name": one.group.display_name} for one in decisions.changes],
        originals=[_original(one) for one in decisions.changes if one.facts and wanted is Master.CLOUD],
        checksum=checksum,
        audit=audit[: params["max_results"]],
    )


def _audit(client: GraphClient, ids: Collection[str], report: Report) -> list[dict[str, Any]]:
    """Return what the audit log says; a log that cannot be read must not take the result of a change with it."""
    try:
        return service.audit_entries(client, ids)
    except EntraError as error:
        report.problem("", "audit log", error.code, error.message, error.remedy)
        return []


def _facts(given: object) -> dict[str, GroupFacts]:
    """Return what the option directory_facts says: nothing, a file of gpad_info's, or what it returned.

    Raises:
        ConfigurationError: it cannot be used.
    """
    if given is None or given == "":
        return {}
    if isinstance(given, str):
        try:
            given = json.loads(Path(given).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigurationError(
                f"directory_facts: {given} cannot be read: {error}.",
                "Give the report_path of gpad_info, or what it returned.",
                code="directory_facts_invalid",
            ) from None
    return read_facts(given)


def _tell_missing(found: service.Found, report: Report) -> None:
    """Tell which entries name no group, or several.

    Raises:
        EntraError: one could not be looked up at all.
    """
    if found.problem is not None and not found.groups:
        raise found.problem
    remedy = "Name each group by its object id, or by a displayName that only it has."
    for entry, why in found.missing.items():
        report.problem("", entry, "soa_group_not_found", f"groups: {entry!r} {why}.", remedy)
    for entry, ids in found.ambiguous.items():
        text = f"groups: {entry!r} fits {len(ids)} groups: {', '.join(ids)}."
        report.problem("", entry, "soa_group_not_unique", text, remedy)
    if found.problem is not None:
        report.problem("", "groups", found.problem.code, found.problem.message, found.problem.remedy)


def _decide(
    client: GraphClient,
    found: service.Found,
    facts: Mapping[str, GroupFacts],
    wanted: Master,
    left_behind: frozenset[str],
) -> Decisions:
    """Return what is to be done, after all that decides was read.

    Raises:
        EntraError: what only the directory knows could not be looked up.
    """
    moving = [group.id for group in found.groups if authority_of(group).master not in (wanted, None)]
    members = dict(member_reading.read_members(client, moving, MemberQuery()))
    candidates = [
        Candidate(group, members.get(group.id), facts.get(group.security_identifier or "")) for group in found.groups
    ]
    asked = frozenset[str]().union(*(one.only_in_directory for one in candidates if one.group.id in members))
    known, problem = questions.principals_with(client, asked) if asked else ((), None)
    if problem is not None:
        raise problem
    by_sid = {one.on_premises_security_identifier or "": one for one in known}
    return decide(candidates, Rules(wanted, by_sid, left_behind))


def _is_blocked(approve: str | None, checksum: str, count: int, limit: int, report: Report) -> bool:
    """Return whether a limit, or an approval of something else, stands in the way, which is told."""
    if approve is not None and approve.strip().lower() != checksum:
        text = f"approve: {approve} is not the checksum of these changes, which is {checksum}."
        error = BlockedError(text, "Review the groups in planned, then give their checksum.", code="plan_not_approved")
    elif count > limit and approve is None:
        text = f"{count} groups would change their source of authority, {limit} may in one run."
        remedy = f"Look at planned; if it is right, approve: {checksum} lets it through."
        error = BlockedError(text, remedy, code="limit_exceeded")
    else:
        return False
    report.stopped(error)
    return True


def _change(
    work: _Work,
    settings: EntraSettings,
    original_name: Mapping[str, Any] | None,
    decisions: Decisions,
    wanted: Master,
    before: Mapping[str, Authority],
) -> dict[str, Authority]:
    """Change the groups, lowest first, and return the states that were read back; in check mode those to be expected.

    Raises:
        GpadError: the extension for the original name cannot be had; no group was changed.
    """
    mode = (original_name or {}).get("extension", "none")
    extension = _extension(work, settings.tenant_id, mode) if decisions.changes and wanted is Master.CLOUD else None
    tried: list[Candidate] = []
    for candidate in decisions.changes:
        if candidate.nested & work.failed.keys():
            work.report.remark(nested_failed(candidate, work.failed))
            work.failed[candidate.group.id] = EntraError("")
            continue
        tried.append(candidate)
        if not work.check_mode:
            _change_one(work, candidate, extension, wanted)
            error = work.failed.get(candidate.group.id)
            if error is not None and error.code in _ENDING:
                work.report.stopped(error)
                break
    expected = {one.group.id: before[one.group.id].moved(wanted) for one in tried}
    after = dict(before) | (expected if work.check_mode else _read_back(work, expected))
    for candidate in tried:
        _tell(work, candidate, extension, wanted, before[candidate.group.id], after[candidate.group.id])
    return after


def _extension(work: _Work, tenant_id: str, mode: str) -> str | None:
    """Return the name of the extension in which the original name is kept, or None.

    Raises:
        GpadError: it is missing, or cannot be created.
    """
    if mode == "none":
        return None
    name = extensions.find_extension(work.client, tenant_id)
    if name is not None:
        return name
    if mode == "use":
        raise ConfigurationError(
            f"original_name: {extensions.APPLICATION} has no extension {extensions.EXTENSION} for groups.",
            "Create it, or set extension: create.",
            code="extension_missing",
        )
    if not work.check_mode:
        name = extensions.make_extension(work.client, tenant_id)
    entry = {
        "action": "create_extension",
        "id": "",
        "name": extensions.EXTENSION,
        "dn": "",
        "reason": "it is to keep the original names",
        "attributes": {},
    }
    work.report.entry(entry, "extensions_created")
    return name or extensions.EXTENSION


def _change_one(work: _Work, candidate: Candidate, extension: str | None, wanted: Master) -> None:
    try:
        if extension is not None and candidate.facts is not None:
            extensions.write_value(work.client, candidate.group.id, extension, candidate.facts.dn)
        service.move(work.client, candidate.group.id, wanted)
    except EntraError as error:
        work.failed[candidate.group.id] = error


def _read_back(work: _Work, expected: Mapping[str, Authority]) -> dict[str, Authority]:
    """Return the states as the service gives them now; what it was told a moment ago may need one."""
    now: dict[str, Authority] = {}
    for attempt in range(_READ_BACK_TRIES):
        open_ids = [i for i in expected if i not in now or now[i].master is not expected[i].master]
        open_ids = [i for i in open_ids if attempt == 0 or i not in work.failed]
        if not open_ids:
            break
        if attempt:
            time.sleep(_READ_BACK_SECONDS * attempt)
        try:
            found = service.find(work.client, open_ids, _READ)
        except EntraError:
            continue
        now |= {group.id: authority_of(group) for group in found.groups}
    return {i: now.get(i, replace(expected[i], cloud_managed=None)) for i in expected}


def _tell(
    work: _Work, candidate: Candidate, extension: str | None, wanted: Master, before: Authority, after: Authority
) -> None:
    """Tell what became of a group: the state that was read back counts, not the answer to the request."""
    group, error = candidate.group, work.failed.get(candidate.group.id)
    if error is not None and after.master is not wanted:
        if after.master is None:
            text = "No answer came, and its state could not be read: it may have been changed."
            _doubt(work, group, text)
        if error.code not in _ENDING:
            work.report.problem(group.id, group.display_name, error.code, error.message, error.remedy)
        return
    if after.master is not wanted:
        text = "It was accepted, and the service does not show it yet."
        _doubt(work, group, text)
    action, counted_as, reason = _ACTIONS[wanted]
    attributes = {"isCloudManaged": {"before": [_word(before)], "after": [_word(before.moved(wanted))]}}
    if extension is not None and candidate.facts is not None:
        attributes[extensions.EXTENSION] = {"before": [], "after": [candidate.facts.dn]}
    place = candidate.facts.dn if candidate.facts else ""
    entry = {"action": action, "id": group.id, "name": group.display_name, "dn": place, "reason": reason}
    work.report.entry({**entry, "attributes": attributes}, counted_as)


def _doubt(work: _Work, group: CloudGroup, text: str) -> None:
    """Tell that nobody knows yet who is master of a group: what comes after a change must not begin."""
    work.report.remark(Notice(group.id, group.display_name, "authority_unconfirmed", text))
    work.report.outcome = worst(work.report.outcome, Outcome.INCOMPLETE)


def _word(state: Authority) -> str:
    return str(state.cloud_managed).lower()


def _state_entry(
    cloud_id: str, name: str, before: Mapping[str, Authority], after: Mapping[str, Authority]
) -> dict[str, Any]:
    return {
        "id": cloud_id,
        "name": name,
        "before": _columns(before[cloud_id]),
        "after": _columns(after[cloud_id]),
        "pending": after[cloud_id].is_pending,
    }


def _columns(state: Authority) -> dict[str, Any]:
    return {
        "state": state.state.value,
        "is_cloud_managed": state.cloud_managed,
        "on_premises_sync_enabled": state.sync_enabled,
        "on_premises_security_identifier": state.sid,
    }


def _original(candidate: Candidate) -> dict[str, Any]:
    facts = candidate.facts
    return {
        "id": candidate.group.id,
        "name": facts.name if facts else "",
        "dn": facts.dn if facts else "",
        "object_guid": facts.guid if facts else "",
        "object_sid": facts.sid if facts else "",
        "admin_description": facts.admin_description if facts else "",
    }
