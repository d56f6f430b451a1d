# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A part of a plan is carried out: what becomes of it goes into the journal, the log file and the report."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.parts import GROUPS, MEMBERS, Change, Part
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.result import unexpected
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.run_control import RunControl, Trials
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import ownership, retry
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import GpadError, StoreError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Size
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Notice, Problem, Skip
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.replication import (
    GONE_CODES,
    PENDING,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.report import Report
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retire import (
    LEFT_CODES,
    ROLLED_BACK_CODES,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retry import RetryRules
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.slices import Slice
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store import log_file
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.log import Mark
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.planfile import PlanFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.slicing import summary_of


@dataclass(frozen=True, slots=True)
class Work:
    """What belongs to one call.

    Parameters:
        part: the part of the plan.
        journal: the open journal.
        control: what stands around the work.
        retries: when failed objects are tried again.
        report: what happened.
        log_path: the file to which the provisioning log is appended, or None.
        slice: the slice of the part that is carried out; None for all of it.
        lost: how many changes slices did not bring back, by index, where what they did is merged.
    """

    part: Part
    journal: JournalFile
    control: RunControl
    retries: RetryRules
    report: Report
    log_path: Path | None
    slice: Slice | None = None
    lost: Counter[int] = field(default_factory=Counter)


def record(plan: PlanFile, work: Work, planned: Iterator[Change], done: Iterator[Applied]) -> GpadError | None:
    """Carry out changes by running through what becomes of them, and close the run in the journal.

    Parameters:
        plan: the plan.
        work: what belongs to this call.
        planned: the changes of this part.
        done: what becomes of each of them, in their order.

    Returns:
        What ended the run early, which is in the report, or None.

    Raises:
        StoreError: the journal cannot be written, before anything was done.
    """
    part, journal, report = work.part, work.journal, work.report
    header, run_id = plan.header, uuid.uuid4().hex
    journal.pins.pin_tenant(header.tenant_id)
    journal.pins.pin_snapshot_key(header.snapshot_key)
    journal.pins.pin_domain(header.domain)
    journal.pins.remember_age(header.captured_at)
    if not any(isinstance(item, Problem) and item.code == PENDING for item in plan.items_of(Problem)):
        journal.written_to.remember(header.database)
    log_start = journal.log.mark()
    said = summary_of(work.slice) if work.slice is not None else None
    journal.begin_run(run_id, part.module, header.plan_id, header.created_at, moment_text(utc_now()), said)
    trials = Trials(journal, retry.Part.GROUPS if part is GROUPS else retry.Part.MEMBERS, work.retries)
    moved, ended_by = _run_through(plan, work, planned, done, trials if work.slice is None else None)
    try:
        if work.slice is None:
            _close(plan, work, trials, ended_by, run_id, moved=moved)
        else:
            if ended_by is not None:
                work.control.blame(ended_by)
            said = summary_of(work.slice, ended_by)
            journal.end_run(report.outcome.value, {**report.summary, **said}, moment_text(utc_now()))
        _append(work, log_start)
    except StoreError as error:
        report.stopped(error)
        return error
    return ended_by


def _run_through(
    plan: PlanFile, work: Work, planned: Iterator[Change], done: Iterator[Applied], trials: Trials | None
) -> tuple[bool, GpadError | None]:
    """Take in what becomes of each change; return whether all moves were made, and what ended it early."""
    moved = not any(isinstance(item, Problem) and item.moves for item in plan.items_of(Problem))
    try:
        for applied in done:
            change = next(planned)
            work.report.applied(change, applied)
            if trials is not None:
                trials.note(change, applied)
            moved = moved and (applied.status != "failed" or getattr(change, "new_dn", None) is None)
    except Exception as error:
        ended_by = error if isinstance(error, GpadError) else unexpected(error)
        work.report.stopped(ended_by)
        return False, ended_by
    return moved, None


def _close(plan: PlanFile, work: Work, trials: Trials, ended_by: GpadError | None, run_id: str, *, moved: bool) -> None:
    """Close a run of a whole part: remember what the next one must know, and judge over the runs after it."""
    part, journal, report, header = work.part, work.journal, work.report, plan.header
    trials.close()
    whole = not header.narrowed and ended_by is None and not work.lost
    if whole:
        trials.forget_stale(plan)
    if part is GROUPS:
        _remember_groups(plan, journal, moved=moved, whole=whole)
    journal.remark(_left_alone(plan, part), members=part is MEMBERS, whole=whole, looked_at=header.looked_at)
    # A run of a few named groups did not look at the others, and one that lost slices does not know all that it did.
    less = {"narrowed": int(header.narrowed), "slices_lost": len(work.lost)}
    said = {**report.summary, **{name: count for name, count in less.items() if count}}
    journal.end_run(report.outcome.value, said, moment_text(utc_now()))
    # Groups without their members are half a run, members without their groups too, and a few named groups show
    # little.
    both = part is MEMBERS and not (header.narrowed or work.lost)
    both = both and journal.has_whole_run(GROUPS.module, header.plan_id)
    work.control.judge(report.outcome, trials, ended_by, run_id if both else None)


def _append(work: Work, start: Mark) -> None:
    """Append to the log file last: the run is over, and is none the worse for a log that cannot be written."""
    if work.log_path is None:
        return
    try:
        log_file.append(work.log_path, work.journal.log, work.journal.pins, start)
    except StoreError as error:
        work.report.problem("", "", error.code, error.message, error.remedy)


def _remember_groups(plan: PlanFile, journal: JournalFile, *, moved: bool, whole: bool) -> None:
    """Remember what the next run compares with."""
    header = plan.header
    # Moves that were not made must not be held by the next run, as if the rule had been there before.
    if moved and header.container_rule and not header.narrowed:
        journal.pins.remember_container_rule(header.container_rule)
    if not header.narrowed:
        _remember_open(plan, journal)
    # A run that broke off did not apply what was approved, and an incomplete capture seems smaller than the cloud is.
    if whole and not header.incomplete:
        journal.pins.remember_size(Size(header.groups, header.memberships))


def _left_alone(plan: PlanFile, part: Part) -> Iterator[Skip | Problem]:
    """Yield what a plan leaves alone of a part: members of groups, or groups."""
    for item in plan.items_of(Skip, Problem):
        if isinstance(item, (Skip, Problem)) and (getattr(item, "group_id", None) is not None) == (part is MEMBERS):
            yield item


def _remember_open(plan: PlanFile, journal: JournalFile) -> None:
    """Remember what the next run must know of groups that this one left as they are."""
    left: list[str] = []
    undecided: list[str] = []
    gone: list[str] = []
    for item in plan.items_of(Notice, Problem, Skip):
        if isinstance(item, Notice) and item.code in LEFT_CODES:
            left.append(item.id)
        elif isinstance(item, Problem) and item.code == ownership.UNDECIDED:
            undecided.append(item.id)
        elif isinstance(item, Notice) and item.code in GONE_CODES:
            gone.append(item.id)
        elif isinstance(item, Skip) and item.group_id is None and item.code in ROLLED_BACK_CODES:
            # On-premises it is master again, whatever becomes of its copy in the cloud.
            journal.forget(item.id)
    journal.remember_left(left, moment_text(utc_now()))
    journal.remember_undecided(undecided)
    known = journal.known()
    journal.written_to.remember_gone([known[cloud_id].guid for cloud_id in gone if cloud_id in known])
