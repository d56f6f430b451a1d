# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runners of gpad_group and gpad_membership: the same work on two parts of a plan."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reader import Reader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.writer import Writer
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.arguments import (
    DIRECTORY,
    QUARANTINE,
    RESULTS,
    SETTINGS,
    Spec,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.connecting import (
    LIBRARIES,
    open_directory,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.directory_side import (
    make_plan,
    other_writer,
    refuse_breaches,
    refuse_old,
    refuse_other_writers,
    settings_of,
    snapshot_of,
    temporary_plan,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.result import (
    report_result,
    run_module,
    tell_damage,
    unexpected,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.run_control import (
    RunControl,
    Trials,
    quarantine_rules,
    retry_rules,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import (
    apply,
    dn,
    ownership,
    retry,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    GpadError,
    StoreError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Size
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    GroupChange,
    MemberChange,
    Notice,
    PlanItem,
    Problem,
    Question,
    Skip,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied, WriteOrder
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.replication import PENDING
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.report import Report
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retire import ROLLED_BACK_CODES
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retire_planning import LEFT_CODES
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retry import RetryRules
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Settings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store import log_file
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.planfile import PlanFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.snapshot import Snapshot

_Change: TypeAlias = "GroupChange | MemberChange"
_CHANGES = (GroupChange, MemberChange)


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a plan that a module carries out.

    Parameters:
        module: the module's name.
        kind: the class of its changes.
        options: the options that this module alone has.
    """

    module: str
    kind: type[GroupChange] | type[MemberChange]
    options: Spec


_ORDER: Spec = {
    "write_order": {
        "type": "str",
        "choices": ["additions_first", "removals_first"],
        "default": "additions_first",
    }
}
GROUPS = Part("gpad_group", GroupChange, {})
MEMBERS = Part("gpad_membership", MemberChange, _ORDER)

_STORES: Spec = {
    "snapshot": {"type": "path"},
    "plan": {"type": "path"},
    "journal": {"type": "path", "required": True},
    "approve": {"type": "str"},
    "log_path": {"type": "path"},
}


def run_groups() -> None:
    """Run the module gpad_group."""
    _run(GROUPS)


def run_members() -> None:
    """Run the module gpad_membership."""
    _run(MEMBERS)


def _run(part: Part) -> None:
    run_module(
        {**DIRECTORY, **SETTINGS, **QUARANTINE, **_STORES, **RESULTS, **part.options},
        lambda module: _execute(module, part),
        LIBRARIES,
        required_one_of=[("plan", "snapshot")],
        mutually_exclusive=[("plan", "snapshot")],
        required_by={"snapshot": ("target_container",), "approve": ("plan",)},
    )


def _execute(module: AnsibleModule, part: Part) -> dict[str, Any]:
    params = module.params
    report = Report(params["max_results"])
    with ExitStack() as stack:
        # Files first: what is wrong with them is told before the directory is asked.
        given = PlanFile(Path(params["plan"])) if params["plan"] else None
        snapshot = snapshot_of(params) if given is None else None
        settings = settings_of(params) if given is None else None
        rules, retries = quarantine_rules(params["quarantine"]), retry_rules(params)
        journal = JournalFile(Path(params["journal"]), writable=not module.check_mode)
        stack.callback(journal.close)
        tell_damage(module, report, journal.path, journal.damage)
        control = RunControl(journal, rules, writes=not module.check_mode)
        log_path = Path(params["log_path"]) if params["log_path"] else None
        work = _Work(part, journal, control, retries, report, log_path)
        try:
            if not module.check_mode:
                stack.enter_context(journal.locked())
            result = _carry_out(module, work, given, snapshot, settings, stack)
        except Exception as error:
            return control.failed(error)
        return control.finished(result, last=part is MEMBERS)


@dataclass(frozen=True, slots=True)
class _Work:
    """What belongs to one call.

    Parameters:
        part: the part of the plan.
        journal: the open journal.
        control: what stands around the work.
        retries: when failed objects are tried again.
        report: what happened.
        log_path: the file to which the provisioning log is appended, or None.
    """

    part: Part
    journal: JournalFile
    control: RunControl
    retries: RetryRules
    report: Report
    log_path: Path | None


def _carry_out(
    module: AnsibleModule,
    work: _Work,
    given: PlanFile | None,
    snapshot: Snapshot | None,
    settings: Settings | None,
    stack: ExitStack,
) -> dict[str, Any]:
    params, part, journal, report = module.params, work.part, work.journal, work.report
    work.control.begin(given.header.plan_id if given is not None else None, report)
    if given is not None:
        _check_given(given, journal, part, params, check_mode=module.check_mode)
        refuse_breaches(given, params["approve"])
        _look_for_other_writers(given, report, check_mode=module.check_mode)
    work.control.refuse_quarantined(report, approved=params["approve"] is not None)
    if given is not None and next(_changes(given, part), None) is None:
        # Nothing to do needs no directory.
        if not module.check_mode:
            _record(given, work, iter(()))
        return report_result(module, report, changed=False, plan_id=given.header.plan_id)
    written = given.written_attributes() if given is not None else settings.mapper.targets if settings else ()
    session, reader = stack.enter_context(open_directory(params, written))
    if given is not None:
        plan = given
        _check_domain(plan, reader)
    elif snapshot is not None and settings is not None:
        refuse_old(snapshot.header.captured_at, params["max_snapshot_age"])
        path = stack.enter_context(temporary_plan())
        plan = make_plan(
            settings,
            snapshot,
            reader,
            journal,
            path,
            check_mode=module.check_mode,
            with_members=part is MEMBERS,
            retry_now=params["retry_now"],
        ).file
        _check_fresh(plan, check_mode=module.check_mode)
        refuse_breaches(plan, None)
        if not module.check_mode:
            refuse_other_writers(plan)
    else:
        raise ConfigurationError("Neither plan nor snapshot is given.", "Give one of them.")
    for item in plan.items():
        if not isinstance(item, _CHANGES) and _concerns(item, part, given=given is not None):
            report.remark(item)
    if module.check_mode:
        for change in _changes(plan, part):
            report.change(change)
    else:
        writer = Writer(session, WriteOrder(params.get("write_order", WriteOrder.ADDITIONS_FIRST)))
        if part is GROUPS:
            done = apply.apply_groups(_group_changes(plan), reader, writer, journal, planned_on=plan.header.database)
        else:
            done = apply.apply_members(
                _member_changes(plan),
                reader,
                writer,
                journal,
                planned_on=plan.header.database,
                just_planned=given is None,
            )
        _record(plan, work, done)
    report.summary["operations"] = sum(session.operations.values())
    return report_result(module, report, changed=report.changed, plan_id=plan.header.plan_id)


def _look_for_other_writers(plan: PlanFile, report: Report, *, check_mode: bool) -> None:
    """Refuse to apply a given plan beside another writer; check mode only tells of it."""
    if not check_mode:
        refuse_other_writers(plan)
    elif (told := other_writer(plan.header)) is not None:
        report.remark(told)


def _concerns(item: PlanItem, part: Part, *, given: bool) -> bool:
    """Return whether a remark of the plan belongs to this module's result.

    With a given plan, gpad_plan has told them already; alone, each module tells what its own part left out.
    """
    if given or isinstance(item, Question):
        return False
    about_member = getattr(item, "group_id", None) is not None
    return about_member == (part is MEMBERS) or not hasattr(item, "group_id")


def _changes(plan: PlanFile, part: Part) -> Iterator[_Change]:
    return (item for item in plan.items() if isinstance(item, part.kind))


def _group_changes(plan: PlanFile) -> Iterator[GroupChange]:
    return (item for item in plan.items() if isinstance(item, GroupChange))


def _member_changes(plan: PlanFile) -> Iterator[MemberChange]:
    return (item for item in plan.items() if isinstance(item, MemberChange))


def _check_place(plan: PlanFile, change: GroupChange, managed: Sequence[str]) -> None:
    """Refuse a plan that was made for other containers than this call may write."""
    for place in (change.dn, change.new_dn or change.dn):
        wrong = ownership.container_problem(dn.parent(place), managed)
        if (wrong and change.guid is None) or (wrong and place == change.new_dn):
            raise StoreError(
                f"The plan {plan.path} puts {change.name} into {dn.parent(place)}: {wrong}.",
                "Use the plan of these managed_containers.",
                code="plan_of_other_containers",
            )


def _check_domain(plan: PlanFile, reader: Reader) -> None:
    if plan.header.domain.lower() != reader.domain.dn.lower():
        raise StoreError(
            f"The plan {plan.path} is for {plan.header.domain}, domain_server serves {reader.domain.dn}.",
            "Use the plan of this domain.",
            code="plan_of_other_domain",
        )


def _check_given(
    plan: PlanFile, journal: JournalFile, part: Part, params: Mapping[str, Any], *, check_mode: bool
) -> None:
    header = plan.header
    journal.pins.check_tenant(header.tenant_id)
    journal.pins.check_snapshot_key(header.snapshot_key)
    journal.pins.check_domain(header.domain)
    for change in _group_changes(plan):
        _check_place(plan, change, params["managed_containers"])
    refuse_old(header.captured_at, params["max_snapshot_age"])
    if not check_mode:
        _check_fresh(plan, check_mode=False)
        journal.pins.check_age(header.captured_at)
        journal.check_plan(part.module, header.plan_id, header.created_at)


def _check_fresh(plan: PlanFile, *, check_mode: bool) -> None:
    if plan.header.check_mode and not check_mode:
        raise StoreError(
            f"The plan {plan.header.plan_id} was made in check mode, or from a snapshot that was.",
            "Run gpad_scope and gpad_plan without check mode.",
            code="plan_of_check_mode",
        )


def _record(plan: PlanFile, work: _Work, done: Iterator[Applied]) -> None:
    """Carry out changes by running through what becomes of them, and close the run in the journal."""
    part, journal, report = work.part, work.journal, work.report
    header, run_id = plan.header, uuid.uuid4().hex
    trials = Trials(journal, retry.Part.GROUPS if part is GROUPS else retry.Part.MEMBERS, work.retries)
    journal.pins.pin_tenant(header.tenant_id)
    journal.pins.pin_snapshot_key(header.snapshot_key)
    journal.pins.pin_domain(header.domain)
    journal.pins.remember_age(header.captured_at)
    if not any(isinstance(item, Problem) and item.code == PENDING for item in plan.items()):
        journal.written_to.remember(header.database)
    log_start = journal.log.mark()
    journal.begin_run(run_id, part.module, header.plan_id, header.created_at, moment_text(utc_now()))
    # Two passes over the file keep one change in memory at a time: apply yields in the order of the changes.
    changes = _changes(plan, part)
    moved = not any(isinstance(item, Problem) and item.moves for item in plan.items())
    ended_by: GpadError | None = None
    try:
        for applied in done:
            change = next(changes)
            report.applied(change, applied)
            trials.note(change, applied)
            moved = moved and (applied.status != "failed" or getattr(change, "new_dn", None) is None)
    except Exception as error:
        moved = False
        ended_by = error if isinstance(error, GpadError) else unexpected(error)
        report.stopped(ended_by)
    try:
        trials.close()
        if not header.narrowed and ended_by is None:
            trials.forget_stale(plan)
        if part is GROUPS:
            # Moves that were not made must not be held by the next run, as if the rule had been there before.
            if moved:
                journal.pins.remember_container_rule(header.container_rule)
            if not header.narrowed:
                _remember_open(plan, journal)
                journal.pins.remember_size(Size(header.groups, header.memberships))
        whole = not header.narrowed and ended_by is None
        journal.remark(_left_alone(plan, part), members=part is MEMBERS, whole=whole)
        if work.log_path is not None:
            log_file.append(work.log_path, journal.log, journal.pins, log_start)
        # A run of a few named groups did not look at the others.
        narrowed = {"narrowed": 1} if header.narrowed else {}
        journal.end_run(report.outcome.value, {**report.summary, **narrowed}, moment_text(utc_now()))
        # Groups without their members are half a run, and a few named groups show little.
        whole = part is MEMBERS and not header.narrowed
        work.control.judge(report.outcome, trials, ended_by, run_id if whole else None)
    except StoreError as error:
        report.stopped(error)


def _left_alone(plan: PlanFile, part: Part) -> Iterator[Skip | Problem]:
    """Yield what a plan leaves alone of a part: members of groups, or groups."""
    for item in plan.items():
        if isinstance(item, (Skip, Problem)) and (getattr(item, "group_id", None) is not None) == (part is MEMBERS):
            yield item


def _remember_open(plan: PlanFile, journal: JournalFile) -> None:
    """Remember what the next run must know of groups that this one left as they are."""
    left: list[str] = []
    undecided: list[str] = []
    for item in plan.items():
        if isinstance(item, Notice) and item.code in LEFT_CODES:
            left.append(item.id)
        elif isinstance(item, Problem) and item.code == ownership.UNDECIDED:
            undecided.append(item.id)
        elif isinstance(item, Skip) and item.group_id is None and item.code in ROLLED_BACK_CODES:
            # On-premises it is master again, whatever becomes of its copy in the cloud.
            journal.forget(item.id)
    journal.remember_left(left, moment_text(utc_now()))
    journal.remember_undecided(undecided)
