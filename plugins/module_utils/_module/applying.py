# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runners of gpad_group and gpad_membership: the same work on two parts of a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import tee
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reader import Reader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.writer import Writer
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.arguments import (
    DIRECTORY,
    QUARANTINE,
    RESULTS,
    SETTINGS,
    Spec,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.configuring import tell_or_refuse
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.connecting import (
    LIBRARIES,
    open_directory,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.parts import (
    CHANGES,
    GROUPS,
    MEMBERS,
    Change,
    Part,
    changes,
    group_changes,
    member_changes,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.plan_checks import (
    check_domain,
    check_fresh,
    check_given,
    check_pins,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.progress import ProgressFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.recording import Work, record
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.refusals import (
    other_writer,
    refuse_breaches,
    refuse_old,
    refuse_other_writers,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.result import (
    report_result,
    run_module,
    tell_damage,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.run_control import (
    RunControl,
    quarantine_rules,
    retry_rules,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.slicing import (
    SLICES,
    STEPS,
    HandingOver,
    Merging,
    Step,
    check_step,
    hand_over,
    step_of,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import (
    apply,
    member_applying,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import Outcome
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Notice,
    PlanItem,
    Problem,
    Skip,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import WriteOrder
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.progress import Stage
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.report import Report, worst
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.planfile import PlanFile

if TYPE_CHECKING:
    from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Settings
    from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.snapshot import Snapshot

_STORES: Spec = {
    "snapshot": {"type": "path"},
    "plan": {"type": "path"},
    "journal": {"type": "path", "required": True},
    "approve": {"type": "str"},
    "log_path": {"type": "path"},
}


@dataclass(frozen=True, slots=True)
class _Directory:
    """The directory, opened, and where is told how far the work has come."""

    session: Session
    reader: Reader
    progress: ProgressFile


def run_groups() -> None:
    """Run the module gpad_group."""
    _run(GROUPS)


def run_members() -> None:
    """Run the module gpad_membership."""
    _run(MEMBERS)


def _run(part: Part) -> None:
    run_module(
        {**DIRECTORY, **SETTINGS, **QUARANTINE, **_STORES, **SLICES, **RESULTS, **part.options},
        lambda module: _execute(module, part),
        LIBRARIES,
        required_one_of=[("plan", "snapshot")],
        mutually_exclusive=[("plan", "snapshot"), STEPS],
        required_by={"snapshot": ("target_container",), "approve": ("plan",), **dict.fromkeys(STEPS, ("plan",))},
    )


def _execute(module: AnsibleModule, part: Part) -> dict[str, Any]:
    params = module.params
    report = Report(params["max_results"])
    step = step_of(params)
    with ExitStack() as stack:
        # Files first: what is wrong with them is told before the directory is asked.
        given = PlanFile(Path(params["plan"])) if params["plan"] else None
        carry_out: Callable[[AnsibleModule, Work, ExitStack], dict[str, Any]]
        if given is not None:
            stack.callback(given.close)
            carry_out = partial(_apply_given, plan=given, step=step)
        else:
            snapshot, settings = _own_sources(params)
            carry_out = partial(_apply_own, snapshot=snapshot, settings=settings)
        rules, retries = quarantine_rules(params["quarantine"]), retry_rules(params)
        journal = JournalFile(Path(params["journal"]), writable=not module.check_mode)
        stack.callback(journal.close)
        tell_damage(module, report, journal.path, journal.damage)
        control = RunControl(
            journal,
            rules,
            writes=not module.check_mode,
            of_slice=step.slice is not None,
        )
        log_path = Path(params["log_path"]) if params["log_path"] else None
        work = Work(part, journal, control, retries, report, log_path, step.slice)
        try:
            if not module.check_mode:
                stack.enter_context(journal.locked())
            result = carry_out(module, work, stack)
        except Exception as error:
            return control.failed(error)
        # A slice of which nobody knows that it has ended keeps the others out until its time is over.
        is_silent = given is not None and journal.slices.is_silent(given.header.plan_id)
        return control.finished(result, last=part is MEMBERS and step.hand_over is None and not is_silent)


# What makes plans is loaded where there is none: it takes longer to load than a small plan takes to be carried out.
def _own_sources(params: dict[str, Any]) -> tuple[Snapshot, Settings]:
    """Return what this call makes its own plan from.

    Raises:
        GpadError: the snapshot cannot be used, or an option.
    """
    from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.plan_making import snapshot_of
    from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.settings_options import settings_of

    return snapshot_of(params), settings_of(params)


def _own_plan(
    module: AnsibleModule,
    work: Work,
    settings: Settings,
    snapshot: Snapshot,
    directory: _Directory,
    stack: ExitStack,
) -> PlanFile:
    """Return a plan that this call makes for itself; its file goes with the stack."""
    from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.plan_making import (
        make_plan,
        temporary_plan,
    )

    plan = make_plan(
        settings,
        snapshot,
        directory.reader,
        work.journal,
        stack.enter_context(temporary_plan()),
        check_mode=module.check_mode,
        with_members=work.part is MEMBERS,
        retry_now=module.params["retry_now"],
        compared=partial(directory.progress.tell, Stage.MEMBERS_COMPARED),
    ).file
    stack.callback(plan.close)
    return plan


def _apply_given(module: AnsibleModule, work: Work, stack: ExitStack, *, plan: PlanFile, step: Step) -> dict[str, Any]:
    """Carry out the plan that is given, or take the step that is asked for on the way to it."""
    params, report, header = module.params, work.report, plan.header
    approved = params["approve"] is not None
    work.control.begin(header.plan_id, report, approved=approved)
    handed_over = check_step(plan, work, step)
    if handed_over is not None and step.merged is not None:
        return _merge(module, work, Merging(plan, work, handed_over, step.merged, stack), plan)
    check_given(plan, work.journal, work.part, params, check_mode=module.check_mode)
    refuse_breaches(plan, params["approve"])
    tell_or_refuse(plan, work.journal, report, check_mode=module.check_mode)
    _look_for_other_writers(plan, report, check_mode=module.check_mode)
    work.control.refuse_quarantined(report, approved=approved, planned_at=header.created_at)
    # Nothing to do needs no directory.
    is_empty = next(changes(plan, work.part, work.slice), None) is None
    directory = None if is_empty else _open(module, plan.written_attributes(), stack)
    if directory is not None:
        check_domain(plan, directory.reader)
    if step.hand_over is not None:
        return _hand_over(module, work, step.hand_over, plan)
    _tell(plan, work, told=not approved)
    if directory is not None:
        return _apply(module, work, plan, directory, stack, just_planned=False)
    if not module.check_mode:
        record(plan, work, iter(()), iter(()))
    return report_result(module, report, changed=False, plan_id=header.plan_id)


def _apply_own(
    module: AnsibleModule, work: Work, stack: ExitStack, *, snapshot: Snapshot, settings: Settings
) -> dict[str, Any]:
    """Make a plan and carry it out."""
    params, report = module.params, work.report
    work.control.begin(None, report)
    work.control.refuse_quarantined(report, approved=False, planned_at=None)
    directory = _open(module, settings.mapper.targets, stack)
    refuse_old(snapshot.header.captured_at, params["max_snapshot_age"])
    plan = _own_plan(module, work, settings, snapshot, directory, stack)
    check_fresh(plan, check_mode=module.check_mode)
    refuse_breaches(plan, None)
    tell_or_refuse(plan, work.journal, report, check_mode=module.check_mode)
    if not module.check_mode:
        refuse_other_writers(plan)
    _tell(plan, work, told=False)
    return _apply(module, work, plan, directory, stack, just_planned=True)


def _open(module: AnsibleModule, written: Iterable[str], stack: ExitStack) -> _Directory:
    """Return the directory; it is closed with the stack."""
    progress = ProgressFile.of_environment()
    progress.tell(Stage.DIRECTORY_READ)
    return _Directory(*stack.enter_context(open_directory(module.params, written)), progress)


def _apply(
    module: AnsibleModule, work: Work, plan: PlanFile, directory: _Directory, stack: ExitStack, *, just_planned: bool
) -> dict[str, Any]:
    """Carry out a plan that nothing speaks against; in check mode, tell what would become of it."""
    report, session = work.report, directory.session
    if module.check_mode:
        for change in changes(plan, work.part, work.slice):
            report.change(change)
    else:
        writer = Writer(session, WriteOrder(module.params.get("write_order", WriteOrder.ADDITIONS_FIRST)))
        stack.callback(writer.close)
        _write(plan, work, directory.reader, writer, directory.progress, just_planned=just_planned)
        writer.close()
    report.summary["operations"] = sum(session.operations.values())
    return report_result(module, report, changed=report.changed, plan_id=plan.header.plan_id)


def _write(
    plan: PlanFile, work: Work, reader: Reader, writer: Writer, progress: ProgressFile, *, just_planned: bool
) -> None:
    """Write the part of the plan, and what became of it into the journal and the report."""
    planned: Iterator[Change]
    database, journal = plan.header.database, work.journal
    if work.part is GROUPS:
        planned, groups = tee(group_changes(plan, work.slice))
        beside_others = work.slice is not None
        done = apply.apply_groups(groups, reader, writer, journal, planned_on=database, beside_others=beside_others)
        stage = Stage.GROUPS_WRITTEN
    else:
        planned, members = tee(member_changes(plan, work.slice))
        done = member_applying.apply_members(
            members, reader, writer, journal, planned_on=database, just_planned=just_planned
        )
        stage = Stage.MEMBERS_WRITTEN
    record(plan, work, planned, progress.counted(done, stage, lambda: _count(plan, work)))


def _count(plan: PlanFile, work: Work) -> int:
    """Return how many changes there are."""
    if work.slice is None:
        return plan.count(work.part.kind)
    return sum(1 for _change in changes(plan, work.part, work.slice))


def _hand_over(module: AnsibleModule, work: Work, given: HandingOver, plan: PlanFile) -> dict[str, Any]:
    told = hand_over(plan, work, given, check_mode=module.check_mode)
    return report_result(module, work.report, changed=False, plan_id=plan.header.plan_id, slices=told)


def _merge(module: AnsibleModule, work: Work, merging: Merging, plan: PlanFile) -> dict[str, Any]:
    """Take what slices did for what this call did; whether it may be done was asked when it was handed over."""
    journal, report = work.journal, work.report
    check_pins(plan, journal)
    work.control.go_on(report)
    _tell(plan, work, told=module.params["approve"] is None)
    if module.check_mode:
        for change, applied in zip(changes(plan, work.part), merging.applied(), strict=True):
            report.applied(change, applied)
    else:
        journal.check_plan(work.part.module, plan.header.plan_id, plan.header.created_at)
        # All of it or nothing, so that a merge that failed can be repeated.
        with journal.together():
            ended_by = record(plan, work, changes(plan, work.part), merging.recorded())
            if ended_by is not None:
                raise ended_by
            merging.judge()
            merging.give_back()
    slices = merging.told()
    return report_result(module, report, changed=report.changed, plan_id=plan.header.plan_id, slices=slices)


def _look_for_other_writers(plan: PlanFile, report: Report, *, check_mode: bool) -> None:
    """Refuse to apply a given plan beside another writer; check mode only tells of it."""
    if not check_mode:
        refuse_other_writers(plan)
    elif (told := other_writer(plan.header)) is not None:
        report.remark(told)


def _tell(plan: PlanFile, work: Work, *, told: bool) -> None:
    """Take in what the plan left out of this module's part.

    With a given plan, gpad_plan has told it already in the same run, but where the plan was approved; of slices, the
    call tells it that merges them.
    """
    if told or work.slice is not None:
        return
    for item in plan.items_of(Skip, Problem, Notice):
        if not isinstance(item, CHANGES) and _concerns(item, work.part):
            work.report.remark(item)
    if plan.header.incomplete:
        work.report.outcome = worst(work.report.outcome, Outcome.INCOMPLETE)


def _concerns(item: PlanItem, part: Part) -> bool:
    """Return whether a remark of the plan belongs to this module's result."""
    about_member = getattr(item, "group_id", None) is not None
    return about_member == (part is MEMBERS) or not hasattr(item, "group_id")
