# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runner of gpad_scope."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import auth, capture, member_reading, writers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.auth import MSAL_IMPORT_ERROR, EntraSettings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import GraphClient
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.http import REQUESTS_IMPORT_ERROR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.questions import AskedGroups
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import (
    asking,
    few_groups,
    scope_deciding,
    scope_options,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.arguments import (
    DISJOINT,
    ENTRA,
    MAPPINGS,
    RESULTS,
    SNAPSHOT_KEY,
    check_hours,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.cloud_looking import cloud_rows
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.cloud_reading import (
    Asked,
    Listed,
    list_groups,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.progress import ProgressFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.result import report_result, run_module
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import (
    full_reading,
    identity,
    scope,
    texts,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    Outcome,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    IncompleteReading,
    PrincipalKind,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import second_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Notice, Skip
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import SnapshotHeader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.progress import Stage
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.report import Report, worst
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.scope import Decision, Scope
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store import snapshot as snapshots
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.files import require_folder
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.signature import key_of
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.snapshot import Snapshot

# Notices after which the snapshot is not the whole truth.
_INCOMPLETE = frozenset({"authority_unread", "fate_unread", "members_incomplete", "members_unreadable", "sids_unread"})


def run() -> None:
    """Run the module gpad_scope."""
    run_module(
        {**ENTRA, **scope_options.OPTIONS, **MAPPINGS, **SNAPSHOT_KEY, **RESULTS},
        _capture,
        {"msal": MSAL_IMPORT_ERROR, "requests": REQUESTS_IMPORT_ERROR},
        mutually_exclusive=[
            ("client_secret", "client_certificate_path", "federated_token_file"),
        ],
    )


def entra_settings(params: dict[str, Any]) -> EntraSettings:
    """Return the connection to Entra ID that the options describe.

    Raises:
        ConfigurationError: a value cannot be used.
    """
    if identity.guid_text(params["tenant_id"]) is None:
        raise ConfigurationError(
            f"tenant_id: {params['tenant_id']!r} is not a tenant id.", "Give the GUID that the portal shows."
        )
    if not params["client_id"] and not params["managed_identity"]:
        raise ConfigurationError("client_id is missing.", "Give the application (client) id.")
    login, graph = auth.CLOUDS[params["cloud"]]
    urls = {"login_url": params["login_url"] or login, "graph_url": params["graph_url"] or graph}
    for name, url in urls.items():
        if not url.startswith("https://"):
            raise ConfigurationError(
                f"{name}: {url!r} does not begin with https://.", "A token must not leave in clear."
            )
    return EntraSettings(
        identity.guid_text(params["tenant_id"]) or "",
        params["client_id"] or "",
        urls["login_url"].rstrip("/"),
        urls["graph_url"].rstrip("/"),
        params["client_secret"],
        params["client_certificate_path"],
        params["federated_token_file"],
        params["managed_identity"],
        params["ca_cert"],
    )


def _capture(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    settings = entra_settings(params)
    if params["preflight"]:
        rows = cloud_rows(params, settings)
        return report_result(module, Report(params["max_results"]), changed=False, preflight=rows)
    rules = scope_options.filters(params["filters"])
    query = scope_options.group_query(params, rules)
    wanted = scope_options.selected(params)
    named = few_groups.entries(params)
    path = Path(params["snapshot"])
    key = key_of(params["snapshot_key"])
    require_folder(path)
    report = Report(params["max_results"])
    check_hours(params)
    if params["validate_only"]:
        return report_result(module, report, changed=False)
    with ExitStack() as stack:
        old = asking.open_before(path, settings.tenant_id, report, key)
        if old is not None:
            stack.callback(old.close)
        before = asking.before_of(old)
        plan = Path(params["plan"]) if params["plan"] else None
        questions = asking.read_questions(plan, settings.tenant_id, report, before)
        progress = ProgressFile.of_environment()
        progress.tell(Stage.GROUPS_READ)
        client = GraphClient(settings)
        client.log_on()
        asked = Asked(client, settings, query, scope_options.member_query(params))
        if named is None:
            listed = list_groups(asked, old, params["full_after_hours"])
            # Those that were in scope before are asked for as well: a filter in the service leaves out what it does not
            # let in, and of a group that is gone it says nothing.
            of_interest = questions.groups | before.in_scope
            groups, fates = _with_asked(asked, listed, of_interest, report)
        else:
            of_interest = frozenset()
            groups, fates = few_groups.read(client, query, named, wanted, report)
            listed = Listed(groups, {}, "a few groups are named")
        narrowed = named is not None
        chosen = scope_deciding.scope_of(client, params, wanted, rules, groups, fates, report, narrowed=narrowed)
        if named is not None:
            ids = few_groups.choose(named, groups, fates, report)
            groups = [group for group in groups if group.id in ids]
        groups = _with_authority(client, groups, chosen, of_interest, report)
        decisions = scope_deciding.decide(groups, chosen, report)
        going_on = old if not listed.why else None
        with snapshots.updating(path, going_on, key) if going_on else snapshots.writing(path, key) as writer:
            for group in groups:
                if group.id in decisions:
                    writer.add_group(group, decisions[group.id])
                    _tell(group, decisions[group.id], report)
            if going_on is not None:
                _take_over(going_on, listed, groups, decisions, writer)
            _capture_members(asked, groups, decisions, _to_read(going_on, listed, fates), writer, report, progress)
            writer.remove_principals(listed.gone)
            for principal in asking.ask_sids(client, questions.sids, report):
                writer.add_holder(principal)
            jobs = _other_writers(client, report, disjoint=params["other_writers"] == DISJOINT)
            header = _header(
                settings.tenant_id,
                going_on,
                report,
                jobs,
                check_mode=module.check_mode,
                narrowed=narrowed,
            )
            for fate in asking.fates(fates, before, header.captured_at):
                writer.add_fate(fate)
            report.summary["memberships"] = writer.memberships()
            writer.finish(header, listed.watches)
    if named is None:
        scope_deciding.warn_of_idle_filters(rules, decisions, report)
    after = {cloud_id for cloud_id, decision in decisions.items() if decision.in_scope}
    names = {**before.names, **{group.id: group.display_name for group in groups}}
    report.summary["requests"] = sum(client.requests.values())
    report.summary["resource_units"] = client.quota.used
    return report_result(
        module,
        report,
        changed=False,
        snapshot=str(path),
        captured_at=header.captured_at,
        reading=full_reading.told(listed.why),
        entered=_named(after - before.in_scope, names) if before.in_scope and named is None else [],
        left=_named(before.in_scope - after, names) if named is None else [],
        groups=_decided(groups, decisions)[: params["max_results"]],
    )


def _with_asked(
    asked: Asked, listed: Listed, of_interest: frozenset[str], report: Report
) -> tuple[list[CloudGroup], AskedGroups]:
    """Return the listed groups and what else of interest lives, by name; and what became of the others of interest."""
    missing = of_interest - {group.id for group in listed.groups}
    fates = asking.ask_groups(asked.client, asked.groups, missing, report)
    return sorted((*listed.groups, *fates.living), key=lambda group: (group.display_name, group.id)), fates


def _header(
    tenant_id: str,
    going_on: Snapshot | None,
    report: Report,
    other_writers: tuple[str, ...],
    *,
    check_mode: bool,
    narrowed: bool,
) -> SnapshotHeader:
    """Return the header of a snapshot whose groups and members are written, as of now.

    Parameters:
        tenant_id: of the tenant.
        going_on: the snapshot that this one goes on from; None for a full reading.
        report: what was remarked.
        other_writers: jobs that must not run beside this collection.
        check_mode: whether the module runs in check mode.
        narrowed: whether a few groups are named.
    """
    now = second_text(utc_now())
    return SnapshotHeader(
        tenant_id,
        now,
        snapshots.new_fingerprint(),
        "; ".join(sorted({notice["reason"] for notice in report.notices if notice["code"] in _INCOMPLETE})),
        check_mode=check_mode,
        narrowed=narrowed,
        scope_doubt="a part of the scope could not be decided" if report.summary["errors"] else "",
        other_writers=other_writers,
        sequence=going_on.header.sequence + 1 if going_on else 0,
        full_at=going_on.header.full_at if going_on else now,
    )


def _decided(groups: list[CloudGroup], decisions: dict[str, Decision]) -> list[dict[str, Any]]:
    return [
        {
            "id": group.id,
            "name": group.display_name,
            "in_scope": decisions[group.id].in_scope,
            "clause": decisions[group.id].clause,
            "reason": texts.SKIPPED[decisions[group.id].reason],
        }
        for group in groups
        if group.id in decisions
    ]


def _take_over(
    old: Snapshot,
    listed: Listed,
    groups: list[CloudGroup],
    decisions: dict[str, Decision],
    writer: snapshots.SnapshotWriter,
) -> None:
    """Bring what is taken over from the snapshot before up to date, but for the members of groups that are read."""
    left = frozenset(item.group.id for item in old.groups()) - {g.id for g in groups if g.id in decisions}
    writer.remove_groups(left)
    for cloud_id in sorted(old.ids_in_scope() - left):
        if not decisions[cloud_id].in_scope:
            writer.remove_members(cloud_id)
    for principal in listed.principals:
        writer.add_principal(principal)


def _to_read(old: Snapshot | None, listed: Listed, asked: AskedGroups) -> frozenset[str] | None:
    """Return the ids of the groups whose members have to be read where they are in scope; None for all."""
    return listed.stale | old.unread() | {group.id for group in asked.living} if old is not None else None


def _other_writers(client: GraphClient, report: Report, *, disjoint: bool) -> tuple[str, ...]:
    """Return the jobs that must not run beside this collection; none where the administrator vouches for the scopes."""
    found = writers.other_writers(client)
    if found.unread and not disjoint:
        text = texts.OTHER_WRITERS_UNREAD.format(why=found.unread)
        report.remark(Notice("", "Cloud Sync", "other_writers_unread", text))
        if found.failed:
            report.outcome = worst(report.outcome, Outcome.INCOMPLETE)
    if found.running:
        text = texts.OTHER_WRITERS.format(names="; ".join(found.running))
        vouched = Notice("", "Cloud Sync", "other_writer_disjoint", text)
        report.remark(vouched if disjoint else Notice("", "Cloud Sync", "other_writer", text))
    return () if disjoint else found.running


def _with_authority(
    client: GraphClient, groups: list[CloudGroup], scoped: Scope, of_interest: frozenset[str], report: Report
) -> list[CloudGroup]:
    """Return the groups with their source of authority read where the decision hangs on it.

    It hangs on it, too, for converted groups that the directory holds: what becomes of one that left the scope depends
    on who is its master.
    """
    chosen = scoped.chosen
    asked = [
        g.id
        for g in groups
        if (scope.needs_authority(g) and (chosen is None or g.id in chosen))
        or (g.security_identifier is not None and g.id in of_interest)
    ]
    if not asked:
        return groups
    states, problem = capture.authority(client, asked)
    if problem is not None:
        report.remark(Notice("", "source of authority", "authority_unread", str(problem)))
        report.outcome = worst(report.outcome, Outcome.INCOMPLETE)
    return [CloudGroup(g.id, g.properties, states.get(g.id)) if g.id in states else g for g in groups]


def _tell(group: CloudGroup, decision: Decision, report: Report) -> None:
    if decision.reason is None:
        report.summary["groups_in_scope"] += 1
    elif decision.reason not in scope.UNASKED:
        reason = texts.SKIPPED[decision.reason]
        report.remark(Skip(group.id, group.display_name, decision.reason.value, reason))
    else:
        report.summary[f"groups_{decision.reason}"] += 1


def _capture_members(
    asked: Asked,
    groups: list[CloudGroup],
    decisions: dict[str, Decision],
    stale: frozenset[str] | None,
    writer: snapshots.SnapshotWriter,
    report: Report,
    progress: ProgressFile,
) -> None:
    names = {group.id: group.display_name for group in groups}
    chosen = [
        group.id
        for group in groups
        if group.id in decisions and decisions[group.id].in_scope and (stale is None or group.id in stale)
    ]
    hidden = {group.id for group in groups if group.properties.get("visibility") == "HiddenMembership"}
    readings = member_reading.read_members(asked.client, chosen, asked.members)
    for cloud_id, reading in progress.counted(readings, Stage.MEMBERS_READ, lambda: len(chosen)):
        if cloud_id in hidden and capture.READ_HIDDEN not in asked.client.roles:
            reading = IncompleteReading(reading.items, f"its membership is hidden and {capture.READ_HIDDEN} is missing")
        writer.add_members(cloud_id, reading)
        name = names[cloud_id]
        if isinstance(reading, IncompleteReading):
            report.remark(Notice(cloud_id, name, "members_incomplete", f"Its members are not whole: {reading.why}"))
            report.outcome = worst(report.outcome, Outcome.INCOMPLETE)
        unreadable = sum(
            not member.readable and member.kind in (PrincipalKind.USER, PrincipalKind.GROUP) for member in reading.items
        )
        if unreadable:
            need = capture.READ_USERS
            text = f"{unreadable} members came without their properties; the application lacks {need}."
            report.remark(Notice(cloud_id, name, "members_unreadable", text))
            report.outcome = worst(report.outcome, Outcome.INCOMPLETE)


def _named(ids: set[str] | frozenset[str], names: dict[str, str]) -> list[dict[str, str]]:
    return sorted(
        ({"id": cloud_id, "name": names.get(cloud_id, cloud_id)} for cloud_id in ids),
        key=lambda entry: (entry["name"], entry["id"]),
    )
