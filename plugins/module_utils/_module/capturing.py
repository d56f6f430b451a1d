# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runner of gpad_scope."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import capture, member_reading, writers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.auth import MSAL_IMPORT_ERROR
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
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.asking import Before
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.cloud_looking import cloud_rows
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.cloud_reading import (
    Asked,
    Listed,
    list_groups,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.entra_options import entra_settings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.progress import ProgressFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.result import report_result, run_module
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.scope_options import ScopeOptions
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import (
    full_reading,
    scope,
    texts,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import Outcome
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
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.scope import Decision
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store import snapshot as snapshots
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
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


@dataclass(frozen=True, slots=True)
class _Found:
    """The groups that were read, and what was decided.

    Parameters:
        listed: the listing, and why it is a full one.
        groups: all that live and may concern the run, by name.
        fates: what became of those that were asked for by id.
        decisions: whether each is in scope, by object id; one that could not be decided has none.
    """

    listed: Listed
    groups: list[CloudGroup]
    fates: AskedGroups
    decisions: dict[str, Decision]

    @property
    def in_scope(self) -> frozenset[str]:
        """The ids of the groups in scope."""
        return frozenset(cloud_id for cloud_id, decision in self.decisions.items() if decision.in_scope)


def _capture(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    settings = entra_settings(params)
    report = Report(params["max_results"])
    if params["preflight"]:
        return report_result(module, report, changed=False, preflight=cloud_rows(params, settings))
    options = ScopeOptions.of(params, settings)
    if params["validate_only"]:
        return report_result(module, report, changed=False)
    with ExitStack() as stack:
        old = asking.open_before(options.path, settings.tenant_id, report, options.key)
        if old is not None:
            stack.callback(old.close)
        before = asking.before_of(old)
        questions = asking.read_questions(options.plan, settings.tenant_id, report, before)
        progress = ProgressFile.of_environment()
        progress.tell(Stage.GROUPS_READ)
        client = GraphClient(settings)
        client.log_on()
        asked = Asked(client, settings, options.query, scope_options.member_query(params))
        found = _find(params, options, asked, old, questions.groups | before.in_scope, report)
        going_on = None if found.listed.why else old
        with (
            snapshots.updating(options.path, going_on, options.key)
            if going_on
            else snapshots.writing(options.path, options.key)
        ) as writer:
            _write_groups(found, going_on, writer, report)
            _capture_members(asked, found, _to_read(found, going_on), writer, report, progress)
            writer.remove_principals(found.listed.gone)
            for principal in asking.ask_sids(client, questions.sids, report):
                writer.add_holder(principal)
            jobs = _other_writers(client, report, disjoint=params["other_writers"] == DISJOINT)
            header = _header(options, going_on, report, jobs, check_mode=module.check_mode)
            for fate in asking.fates(found.fates, before, header.captured_at):
                writer.add_fate(fate)
            report.summary["memberships"] = writer.memberships()
            writer.finish(header, found.listed.watches)
    if options.named is None:
        scope_deciding.warn_of_idle_filters(options.rules, found.decisions, report)
    report.summary["requests"] = sum(client.requests.values())
    report.summary["resource_units"] = client.quota.used
    return report_result(module, report, changed=False, **_told(options, found, before, header, report))


def _find(
    params: dict[str, Any],
    options: ScopeOptions,
    asked: Asked,
    old: Snapshot | None,
    of_interest: frozenset[str],
    report: Report,
) -> _Found:
    """Read the groups, and decide on each whether it is in scope.

    Parameters:
        params: of the module.
        options: what the options ask for.
        asked: what is asked of the tenant.
        old: the snapshot before.
        of_interest: ids of groups that the plan before asks for, and of those that were in scope before: these are
            asked for as well, since a filter in the service leaves out what it does not let in, and of a group that is
            gone it says nothing.
        report: told of what could not be read or decided.

    Raises:
        EntraError: a reading did not reach its end.
    """
    client, named = asked.client, options.named
    if named is None:
        listed = list_groups(asked, old, params["full_after_hours"])
        groups, fates = _with_asked(asked, listed, of_interest, report)
    else:
        of_interest = frozenset()
        groups, fates = few_groups.read(client, options.query, named, options.selected, report)
        listed = Listed(groups, {}, "a few groups are named")
    scoped = scope_deciding.scope_of(
        client, params, options.selected, options.rules, groups, fates, report, narrowed=named is not None
    )
    if named is not None:
        ids = few_groups.choose(named, groups, fates, report)
        groups = [group for group in groups if group.id in ids]
    groups = scope_deciding.with_authority(client, groups, scoped, of_interest, report)
    decisions = scope_deciding.decide(groups, scoped, report)
    return _Found(listed, groups, fates, decisions)


def _told(
    options: ScopeOptions, found: _Found, before: Before, header: SnapshotHeader, report: Report
) -> dict[str, Any]:
    """Return what the module says of the groups and of the snapshot."""
    names = {**before.names, **{group.id: group.display_name for group in found.groups}}
    moved = {"entered": frozenset[str](), "left": frozenset[str]()}
    if options.named is None and before.in_scope:
        moved = {"entered": found.in_scope - before.in_scope, "left": before.in_scope - found.in_scope}
    report.summary.update({f"groups_{how}": len(ids) for how, ids in moved.items() if ids})
    return {
        "snapshot": str(options.path),
        "captured_at": header.captured_at,
        "reading": full_reading.told(found.listed.why),
        **{how: _named(ids, names)[: report.max_results] for how, ids in moved.items()},
        "groups": _decided(found)[: report.max_results],
    }


def _with_asked(
    asked: Asked, listed: Listed, of_interest: frozenset[str], report: Report
) -> tuple[list[CloudGroup], AskedGroups]:
    """Return the listed groups and what else of interest lives, by name; and what became of the others of interest."""
    missing = of_interest - {group.id for group in listed.groups}
    fates = asking.ask_groups(asked.client, asked.groups, missing, report)
    return sorted((*listed.groups, *fates.living), key=lambda group: (group.display_name, group.id)), fates


def _header(
    options: ScopeOptions,
    going_on: Snapshot | None,
    report: Report,
    other_writers: tuple[str, ...],
    *,
    check_mode: bool,
) -> SnapshotHeader:
    """Return the header of a snapshot whose groups and members are written, as of now.

    Parameters:
        options: what the options ask for.
        going_on: the snapshot that this one goes on from; None for a full reading.
        report: what was remarked.
        other_writers: jobs that must not run beside this collection.
        check_mode: whether the module runs in check mode.
    """
    now = second_text(utc_now())
    return SnapshotHeader(
        options.settings.tenant_id,
        now,
        snapshots.new_fingerprint(),
        report.noticed(_INCOMPLETE),
        check_mode=check_mode,
        narrowed=options.named is not None,
        scope_doubt="a part of the scope could not be decided" if report.summary["errors"] else "",
        other_writers=other_writers,
        sequence=going_on.header.sequence + 1 if going_on else 0,
        full_at=going_on.header.full_at if going_on else now,
    )


def _decided(found: _Found) -> list[dict[str, Any]]:
    return [
        {
            "id": group.id,
            "name": group.display_name,
            "in_scope": decision.in_scope,
            "clause": decision.clause,
            "reason": texts.SKIPPED[decision.reason],
        }
        for group in found.groups
        if (decision := found.decisions.get(group.id)) is not None
    ]


def _write_groups(found: _Found, going_on: Snapshot | None, writer: snapshots.SnapshotWriter, report: Report) -> None:
    """Write the groups with their decisions, and bring up to date what is taken over from the snapshot before.

    The members of groups in scope are read and written later.
    """
    for group in found.groups:
        if group.id in found.decisions:
            writer.add_group(group, found.decisions[group.id])
            _tell(group, found.decisions[group.id], report)
    if going_on is None:
        return
    left = frozenset(item.group.id for item in going_on.groups()) - found.decisions.keys()
    writer.remove_groups(left)
    for cloud_id in sorted(going_on.ids_in_scope() - left):
        if not found.decisions[cloud_id].in_scope:
            writer.remove_members(cloud_id)
    for principal in found.listed.principals:
        writer.add_principal(principal)


def _to_read(found: _Found, going_on: Snapshot | None) -> frozenset[str]:
    """Return the ids of the groups whose members have to be read: of those in scope, all or what may have changed."""
    if going_on is None:
        return found.in_scope
    return found.in_scope & (found.listed.stale | going_on.unread() | {group.id for group in found.fates.living})


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
    found: _Found,
    to_read: frozenset[str],
    writer: snapshots.SnapshotWriter,
    report: Report,
    progress: ProgressFile,
) -> None:
    groups = found.groups
    names = {group.id: group.display_name for group in groups}
    chosen = [group.id for group in groups if group.id in to_read]
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


def _named(ids: frozenset[str], names: dict[str, str]) -> list[dict[str, str]]:
    return sorted(
        ({"id": cloud_id, "name": names.get(cloud_id, cloud_id)} for cloud_id in ids),
        key=lambda entry: (entry["name"], entry["id"]),
    )
