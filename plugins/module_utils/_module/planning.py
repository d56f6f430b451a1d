# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runner of gpad_plan."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.arguments import (
    DIRECTORY,
    FULL_READING,
    QUARANTINE,
    RESULTS,
    SETTINGS,
    Spec,
    check_hours,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.configuring import check_places
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.connecting import (
    LIBRARIES,
    open_directory,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.plan_making import (
    Planned,
    make_plan,
    settings_word,
    snapshot_of,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.progress import ProgressFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.refusals import refuse_old
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
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.settings_options import settings_of
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import (
    full_reading,
    on_demand,
    writeback,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    BlockedError,
    ConfigurationError,
    Outcome,
    StoreError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.on_demand import Chosen
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.progress import Stage
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.report import Report, worst
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.run_facts import Trace
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Settings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.files import require_folder
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.planfile import PlanFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.snapshot import Snapshot

# The options by whose values both sides are compared, and those that decide on what is seen of the directory.
_SEEN_BY = {"managed_containers", "global_catalog_server", "domain_username"}
_COMPARED_BY = (SETTINGS.keys() | _SEEN_BY) - {"limits", "max_snapshot_age", "retry_now"}

# What a plan is made from.
_SOURCES = ("snapshot", "undo", "make_universal", "hand_back", "stamp_anchors")


def run() -> None:
    """Run the module gpad_plan."""
    target = {**SETTINGS, "target_container": {**SETTINGS["target_container"], "required": True}}
    stores: Spec = {
        "snapshot": {"type": "path"},
        "undo": {"type": "str"},
        "make_universal": {"type": "list", "elements": "str"},
        "hand_back": {"type": "list", "elements": "str"},
        "stamp_anchors": {"type": "list", "elements": "str"},
        "journal": {"type": "path", "required": True},
        "plan": {"type": "path", "required": True},
        "members": {"type": "list", "elements": "str"},
        "hold": {"type": "bool", "default": False},
        **FULL_READING,
        "configuration": {"type": "str", "default": ""},
        "validate_only": {"type": "bool", "default": False},
    }
    run_module(
        {**DIRECTORY, **target, **QUARANTINE, **stores, **RESULTS},
        _plan,
        LIBRARIES,
        required_one_of=[_SOURCES],
        mutually_exclusive=[_SOURCES],
        required_by={"members": ("snapshot",)},
    )


@dataclass(frozen=True, slots=True)
class _Call:
    """What belongs to one call.

    Parameters:
        module: for its options, and whether it runs in check mode.
        settings: what the administrator decided.
        snapshot: what the plan is made from, or None for a narrow plan.
        chosen: the members that may be changed, or None for all.
        journal: of the target domain.
        control: over runs.
        report: told of what is planned.
        holds: whether the plan is to be applied, so that the journal is written and nobody else writes it.
    """

    module: AnsibleModule
    settings: Settings
    snapshot: Snapshot | None
    chosen: Chosen | None
    journal: JournalFile
    control: RunControl
    report: Report
    holds: bool


def _plan(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    settings = settings_of(params)
    require_folder(Path(params["plan"]))
    report = Report(params["max_results"])
    rules = quarantine_rules(params["quarantine"])
    retry_rules(params)
    check_hours(params)
    if params["validate_only"]:
        check_places(params)
        return report_result(module, report, changed=False)
    snapshot = snapshot_of(params) if params["snapshot"] else None
    chosen = _chosen(params["members"], snapshot)
    holds = params["hold"] and not module.check_mode
    with ExitStack() as stack:
        journal = JournalFile(Path(params["journal"]), writable=holds)
        stack.callback(journal.close)
        tell_damage(module, report, journal.path, journal.damage)
        control = RunControl(journal, rules, writes=holds)
        call = _Call(module, settings, snapshot, chosen, journal, control, report, holds)
        try:
            if holds:
                stack.enter_context(journal.locked())
            result = _make(call, stack)
        except Exception as error:
            return control.failed(error)
        return control.finished(result, last=False)


def _make(call: _Call, stack: ExitStack) -> dict[str, Any]:
    params, snapshot, control, report = call.module.params, call.snapshot, call.control, call.report
    control.begin(None, report)
    control.refuse_log_on()
    control.tell(report)
    trace = Trace() if snapshot is not None and snapshot.header.narrowed else None
    planned, report.summary["operations"] = _compare(call, trace)
    stack.callback(planned.file.close)
    if planned.mark is not None and call.holds:
        # What the plan changes is unsettled until the next one finds it done; nothing hangs on its being applied.
        call.journal.watermarks.put(planned.mark, planned.unsettled)
    would_change = report.changed
    breaches = _breaches(planned.file)
    for breach in breaches:
        report.stopped(breach)
    if breaches:
        control.blame(breaches[0])
    elif not planned.file.header.check_mode:
        control.hold(planned.file.header.plan_id)
    if snapshot is not None and snapshot.header.incomplete:
        report.outcome = worst(report.outcome, Outcome.INCOMPLETE)
    more: dict[str, Any] = {} if snapshot is None else {"reading": full_reading.told(planned.why_all)}
    if snapshot is not None and trace is not None:
        told = on_demand.steps(snapshot.groups(), planned.file.items(), trace, call.chosen)
        more["steps"] = [asdict(one) for one in islice(told, params["max_results"])]
    return report_result(
        call.module,
        report,
        changed=False,
        would_change=would_change,
        plan=str(Path(params["plan"])),
        plan_id=planned.file.header.plan_id,
        checksum=planned.file.footer.checksum,
        server=planned.file.header.server,
        **more,
    )


def _compare(call: _Call, trace: Trace | None) -> tuple[Planned, int]:
    """Compare both sides and return the plan, and how many operations of LDAP that took.

    Parameters:
        call: what belongs to this call.
        trace: told of each decision, or None.

    Raises:
        GpadError: the plan could not be made.
    """
    params, settings, snapshot, journal = call.module.params, call.settings, call.snapshot, call.journal
    written = _written(journal, params["undo"]) if params["undo"] is not None else frozenset(settings.mapper.targets)
    if params["stamp_anchors"] is not None:
        written |= frozenset(writeback.MAIL)
    path = Path(params["plan"])
    progress = ProgressFile.of_environment()
    progress.tell(Stage.DIRECTORY_READ)
    with open_directory(params, written) as (session, reader):
        if snapshot is not None:
            refuse_old(snapshot.header.captured_at, params["max_snapshot_age"])
            planned = make_plan(
                settings,
                snapshot,
                reader,
                journal,
                path,
                check_mode=call.module.check_mode,
                retry_now=params["retry_now"],
                word=settings_word(params, _COMPARED_BY),
                full_after_hours=_hours(params, settings),
                chosen=call.chosen,
                trace=trace,
                configuration=params["configuration"],
                before_use=call.control.look_again,
                compared=partial(progress.tell, Stage.MEMBERS_COMPARED),
                told=call.report.plan_item,
            )
        else:
            # Loaded where it is needed, which is seldom.
            from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import narrow_plans

            items = narrow_plans.items_of(params, settings, reader, journal)
            planned = narrow_plans.make_narrow(
                settings,
                reader,
                journal,
                path,
                items,
                check_mode=call.module.check_mode,
                before_use=call.control.look_again,
                told=call.report.plan_item,
            )
    return planned, sum(session.operations.values())


def _breaches(plan: PlanFile) -> list[BlockedError]:
    """Return an error for each limit that a plan exceeds."""
    return [
        BlockedError(
            f"The plan exceeds a limit: {text}.",
            f"Look at the plan; if it is right, approve: {plan.footer.checksum} applies it once.",
            code="limit_exceeded",
        )
        for text in plan.footer.breaches
    ]


def _hours(params: dict[str, Any], settings: Settings) -> int:
    """Return for how long settled groups are not looked at; a mapping that depends on the time unsettles all."""
    expressions = [line.expression for line in settings.mapper.lines]
    return 0 if any(one is not None and one.uses_clock for one in expressions) else int(params["full_after_hours"])


def _chosen(given: list[str] | None, snapshot: Snapshot | None) -> Chosen | None:
    """Return the members that may be changed, or None for all.

    Raises:
        ConfigurationError: an entry cannot be understood, or all groups are concerned.
    """
    if given is None:
        return None
    if snapshot is None or not snapshot.header.narrowed:
        raise ConfigurationError(
            "members: the snapshot was not captured for a few named groups.", "Give groups to gpad_scope, too."
        )
    return on_demand.chosen_members(given)


def _written(journal: JournalFile, run: str) -> frozenset[str]:
    """Return the attributes that a run wrote.

    Raises:
        ConfigurationError: there was no such run.
        StoreError: it is not known any more what it did.
    """
    if not journal.has_run(run):
        raise ConfigurationError(
            f"undo: the journal {journal.path} knows no run {run}.",
            "Give a run_id or plan_id that gpad_info shows under runs.",
            code="run_unknown",
        )
    if not journal.is_whole(run):
        raise StoreError(
            f"undo: the journal {journal.path} was damaged since the run {run}; what it did may not be all there.",
            "Take it back by hand, with what gpad_info shows of it under log; or restore a backup of the journal.",
            code="run_not_whole",
        )
    return frozenset(name for done in journal.outcomes(run) for name in done.after) - {"cn", "distinguishedName"}
