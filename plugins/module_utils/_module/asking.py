# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What gpad_scope asks of Entra ID because the plan before names it: groups by id, linked objects by SID."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import questions
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import GroupQuery
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import GraphClient
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.questions import AskedGroups
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import Outcome, StoreError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    Fate,
    FateKind,
    Principal,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Notice, Subject
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.report import Report, worst
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.planfile import PlanFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.signature import SnapshotKey
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Questions:
    """What the plan before could not answer: object ids of groups, and SIDs."""

    groups: frozenset[str] = frozenset()
    sids: frozenset[str] = frozenset()


def read_questions(path: Path | None, tenant_id: str, report: Report, before: Before) -> Questions:
    """Return what the plan at a path asks; no plan asks nothing, nor does a damaged one, which the next plan replaces.

    What the snapshot before knew of groups that are gone is asked again when no plan was made from it: the run that
    captured it may have been killed, and nothing else would bring its knowledge to the next plan.

    Raises:
        StoreError: the plan belongs to another tenant, where its groups would all seem to be gone.
    """
    if path is None:
        return Questions()
    if not path.exists():
        return Questions(before.gone)
    try:
        plan = PlanFile(path)
    except StoreError as error:
        report.remark(Notice("", str(path), error.code, error.message))
        return Questions(before.gone)
    with closing(plan):
        # The way back from a run before the first capture knows none.
        if plan.header.tenant_id not in ("", tenant_id):
            raise StoreError(
                f"The plan {path} is of tenant {plan.header.tenant_id}, not of {tenant_id}.",
                "Give each tenant and domain a plan of its own.",
                code="other_tenant",
            )
        # Both go into URLs, so nothing else than ids and SIDs may pass.
        ids = (identity.guid_text(value) for value in plan.questions(Subject.GROUP))
        return Questions(
            frozenset(cloud_id for cloud_id in ids if cloud_id)
            | (before.gone if plan.header.fingerprint != before.fingerprint else frozenset()),
            frozenset(sid for sid in plan.questions(Subject.SID) if identity.is_sid(sid)),
        )


@dataclass(frozen=True, slots=True)
class Before:
    """What the snapshot that is about to be replaced said.

    Parameters:
        in_scope: ids of the groups in scope.
        gone: ids of the groups that were no living ones.
        fingerprint: what tells it from others; empty when there was none.
        absent: fates of the groups that were absent, by object id; none from a snapshot of check mode.
        names: displayNames by object id.
    """

    in_scope: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    fingerprint: str = ""
    absent: Mapping[str, Fate] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


def open_before(path: Path, tenant_id: str, report: Report, key: SnapshotKey | None = None) -> Snapshot | None:
    """Return the snapshot at a path; none where there is none, or a damaged one, which is reported.

    Parameters:
        path: where the snapshot is.
        tenant_id: the tenant that is captured.
        report: told what was wrong with it.
        key: what it must be signed with, or None.

    Raises:
        StoreError: it belongs to another tenant.
    """
    if not path.exists():
        return None
    try:
        old = Snapshot(path, key)
    except StoreError as error:
        # It is only a cache, which this run makes anew.
        report.remark(Notice("", str(path), error.code, f"{error.message} It is made anew."))
        return None
    if old.header.tenant_id != tenant_id:
        old.close()
        raise StoreError(
            f"The snapshot {path} is of tenant {old.header.tenant_id}, not of {tenant_id}.",
            "Give each tenant a snapshot of its own.",
            code="other_tenant",
        )
    return old


def before_of(old: Snapshot | None) -> Before:
    """Return what the snapshot said that is about to be replaced."""
    if old is None:
        return Before()
    fates = {} if old.header.check_mode else old.fates()
    absent = {cloud_id: fate for cloud_id, fate in fates.items() if fate.kind is FateKind.ABSENT}
    return Before(old.ids_in_scope(), frozenset(fates), old.header.fingerprint, absent, old.names())


def ask_groups(client: GraphClient, query: GroupQuery, ids: frozenset[str], report: Report) -> AskedGroups:
    """Return what became of groups that are not among the listed ones, and report what stays open.

    Raises:
        EntraError: a batch failed as a whole.
    """
    if not ids:
        return AskedGroups()
    asked = questions.ask_groups(client, query, ids)
    report.summary["groups_asked"] += len(ids)
    report.summary["groups_soft_deleted"] += len(asked.deleted)
    report.summary["groups_absent"] += len(asked.absent)
    if asked.problem is not None:
        count = len(asked.unread)
        text = f"What became of {count} groups that the directory holds could not be read: {asked.problem}"
        report.remark(Notice("", "groups of the directory", "fate_unread", text))
        report.outcome = worst(report.outcome, Outcome.INCOMPLETE)
    return asked


def fates(asked: AskedGroups, before: Before, captured_at: str) -> Iterator[Fate]:
    """Yield the fate of each group that was asked for and does not live."""
    for cloud_id, found in asked.deleted.items():
        name = found.name or before.names.get(cloud_id, "")
        kind = FateKind.SYNCED if found.synced else FateKind.SOFT_DELETED
        yield Fate(cloud_id, kind, name, found.since, captured_at)
    for cloud_id in sorted(asked.absent):
        old = before.absent.get(cloud_id)
        # A clock that was set back must not make a group absent since a time to come.
        since = min(old.since, captured_at) if old else captured_at
        yield Fate(cloud_id, FateKind.ABSENT, before.names.get(cloud_id, ""), since, captured_at)


def ask_sids(client: GraphClient, sids: frozenset[str], report: Report) -> Iterable[Principal]:
    """Return the users and groups of Entra ID with one of these SIDs on premises.

    Raises:
        EntraError: a batch failed as a whole.
    """
    if not sids:
        return ()
    found, problem = questions.principals_with(client, sids)
    report.summary["sids_asked"] += len(sids)
    report.summary["sids_found"] += len({one.on_premises_security_identifier for one in found if one.readable})
    if problem is not None:
        text = f"Whether Entra ID knows members of the directory by their SIDs could not be read: {problem}"
        report.remark(Notice("", "members of the directory", "sids_unread", text))
        report.outcome = worst(report.outcome, Outcome.INCOMPLETE)
    return found
