# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A part of a plan on several machines: it is handed over to slices, and what they bring back is merged."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.arguments import Spec
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.parts import MEMBERS, changes
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.recording import Work
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import apply, slices
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    BlockedError,
    ConfigurationError,
    GpadError,
    StoreError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import (
    moment_of,
    moment_text,
    second_text,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Notice
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.quarantine import Quarantine, Reason
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.slices import (
    HandOver,
    Returned,
    Slice,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.planfile import PlanFile

SLICES: Spec = {
    "hand_over": {
        "type": "dict",
        "options": {
            "slices": {"type": "int", "required": True},
            "copy_to": {"type": "path", "required": True},
            "minutes": {"type": "int", "default": 240},
        },
    },
    "partition": {
        "type": "dict",
        "options": {
            "count": {"type": "int", "required": True},
            "index": {"type": "int", "required": True},
        },
    },
    "merged": {"type": "list", "elements": "path"},
}
# One of these at most, and a plan that was saved.
STEPS = ("hand_over", "partition", "merged")
# A journal that was lent for longer would be held for as long by a machine that died.
_MOST_MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class HandingOver:
    """What is to be handed over.

    Parameters:
        count: how many slices.
        copy_to: where their copy of the journal is written.
        minutes: for how long they may write.
    """

    count: int
    copy_to: Path
    minutes: int


@dataclass(frozen=True, slots=True)
class Step:
    """Which step of the work in slices a call is; none where all are None.

    Parameters:
        hand_over: the plan's part is handed over.
        slice: one slice is carried out.
        merged: what slices brought back is merged, from these journals.
    """

    hand_over: HandingOver | None = None
    slice: Slice | None = None
    merged: tuple[Path, ...] | None = None


def step_of(params: Mapping[str, Any]) -> Step:
    """Return the step that the options name.

    Raises:
        ConfigurationError: a number cannot be used.
    """
    given, part, merged = (params[name] for name in STEPS)
    if part is not None:
        _at_least("partition: count", part["count"], 1)
        if not 0 <= part["index"] < part["count"]:
            raise ConfigurationError(
                f"partition: index: {part['index']} is not one of 0 to {part['count'] - 1}.",
                "The slices are counted from 0; count says how many there are.",
            )
        return Step(slice=Slice(part["count"], part["index"]))
    if given is not None:
        _at_least("hand_over: slices", given["slices"], 1)
        _at_least("hand_over: minutes", given["minutes"], 1)
        if given["minutes"] > _MOST_MINUTES:
            raise ConfigurationError(
                f"hand_over: minutes: {given['minutes']} is more than {_MOST_MINUTES}, a day.",
                "What slices do not reach in their time, the next run does.",
            )
        return Step(hand_over=HandingOver(given["slices"], Path(given["copy_to"]), given["minutes"]))
    return Step(merged=None if merged is None else tuple(map(Path, merged)))


def _at_least(option: str, value: int, least: int) -> None:
    if value < least:
        raise ConfigurationError(f"{option}: {value} is less than {least}.", "Give a positive number.")


def check_step(plan: PlanFile, work: Work, step: Step) -> HandOver | None:
    """Refuse a step that is not the next one of this plan; return what was handed over, if anything was.

    Raises:
        BlockedError: slices carry the plan out.
        GpadError: the plan is not for slices, or the journal handed nothing or something else over.
    """
    if step != Step() and plan.header.narrowed:
        raise ConfigurationError(
            f"The plan {plan.path} is of a few groups, or a way back, and is not carried out in slices.",
            "Apply it without hand_over, partition and merged.",
            code="plan_not_sliced",
        )
    given, module = work.journal.slices.handed_over(), work.part.module
    given = given if given is not None and given.plan_id == plan.header.plan_id else None
    if given is not None:
        work.control.keep()
    if step.slice is None and step.merged is None:
        if given is not None:
            raise BlockedError(
                f"The part of {given.module} of the plan {given.plan_id} was handed over to {given.count} slices at "
                f"{given.at}.",
                f"Merge what they bring back: {given.module} with merged, an empty list if nothing does.",
                code="handed_over",
            )
        return None
    if given is None or given.module != module:
        raise StoreError(
            f"The journal {work.journal.path} handed no part of {module} of the plan {plan.header.plan_id} over to "
            "slices.",
            f"Call {module} with hand_over first.",
            code="not_handed_over",
        )
    if step.slice is not None and step.slice.count != given.count:
        raise ConfigurationError(
            f"partition: count: {step.slice.count} is not the number of slices that the plan was handed over to, "
            f"{given.count}.",
            "Give the same count everywhere.",
        )
    return given


def hand_over(plan: PlanFile, work: Work, given: HandingOver, *, check_mode: bool) -> dict[str, Any]:
    """Hand a part of a plan over to slices: they get a copy of the journal, which is held for them.

    Parameters:
        plan: the plan.
        work: what belongs to this call.
        given: what the options say.
        check_mode: nothing is written.

    Returns:
        What the result says of it.

    Raises:
        BlockedError: runs are stopped.
        GpadError: the copy cannot be written.
    """
    journal, module = work.journal, work.part.module
    apply.refuse_stopped(journal)
    now = moment_text(utc_now())
    told = HandOver(plan.header.plan_id, module, given.count, given.minutes, now)
    counted = Counter(slices.index_of(change.id, given.count) for change in changes(plan, work.part) if change.id)
    if not check_mode:
        if journal.lease.holder() is None:
            work.control.hold(told.plan_id)
        journal.slices.hand_over(told)
        journal.lease.carry(told.plan_id)
        try:
            journal.slices.copy_to(given.copy_to, for_slices=True)
        except GpadError:
            journal.slices.hand_over(None)
            raise
    return {"count": given.count, "until": told.until, "changes": [counted[index] for index in range(given.count)]}


class Merging:
    """What slices brought back, to be taken for what one machine did.

    Parameters:
        plan: the plan.
        work: what belongs to this call.
        given: what was handed over.
        paths: the journals that came back.
        stack: closes them.

    Raises:
        StoreError: a journal is not the one of a slice of this plan, or a slice is there twice.
    """

    def __init__(self, plan: PlanFile, work: Work, given: HandOver, paths: Collection[Path], stack: ExitStack) -> None:
        self._plan, self._work, self._given, self._count = plan, work, given, given.count
        self._returned: dict[int, Returned] = {}
        self._paths: dict[int, Path] = {}
        self._refused: Quarantine | None = None
        for path in paths:
            journal = JournalFile(path, writable=False)
            stack.callback(journal.close)
            self._take(journal, given)

    def _take(self, journal: JournalFile, given: HandOver) -> None:
        _check_copy(journal, self._plan, given)
        self._note_refusal(journal, given)
        for run in journal.slices.runs_of(self._plan.header.plan_id, self._work.part.module):
            index = run.slice.index
            if index in self._returned or run.slice.count != self._count:
                raise _wrong(journal.path, f"holds slice {index}, which {self._paths.get(index, 'nobody')} holds, too")
            self._returned[index] = Returned(journal.slices.outcomes(run), run.ended)
            self._paths[index] = journal.path

    def _note_refusal(self, journal: JournalFile, given: HandOver) -> None:
        """Take in that the log-on of a slice was refused."""
        found, known = journal.quarantines.current(), self._work.journal.quarantines.current()
        if found is None or found.reason is not Reason.CREDENTIALS:
            return
        # The copy began with the quarantine that runs were in.
        later = known is not None and known.since == found.since and known.tries < found.tries
        if later or found.since >= second_text(moment_of(given.at)):
            self._refused = found

    def judge(self) -> None:
        """Let a refused log-on of a slice count here, before the next run has every machine try it again."""
        if self._refused is not None:
            self._work.control.enter(self._refused.reason, self._refused.message, self._refused.remedy)

    def _silent(self) -> list[int]:
        """Return the slices that may still be writing: missing, or broken off without a word, with changes left."""
        returned = self._returned
        return sorted(index for index in self._work.lost if index not in returned or not returned[index].ended)

    def give_back(self) -> None:
        """End the hand-over, but for the time in which a slice may still be writing what the next run would plan."""
        journal, plan_id = self._work.journal, self._plan.header.plan_id
        if self._silent():
            journal.slices.note_silent(plan_id)
        left = moment_of(self._given.until) - utc_now()
        if self._work.part is MEMBERS and journal.slices.is_silent(plan_id) and left > timedelta():
            journal.slices.hand_over(replace(self._given, minutes=math.ceil(left / timedelta(minutes=1))))
        else:
            journal.slices.hand_over(None)

    def applied(self) -> Iterator[Applied]:
        """Yield what became of each change of this part, in the order of the plan."""
        journal, part = self._work.journal, self._work.part
        known = journal.known() if part is MEMBERS else {}
        return slices.replay(changes(self._plan, part), self._count, self._returned, known, self._work.lost)

    def recorded(self) -> Iterator[Applied]:
        """Yield the same and write it down."""
        for applied in self.applied():
            yield from apply.recorded(applied, self._work.journal)

    def told(self) -> dict[str, Any]:
        """Return what the result says of it, after all was merged; notices go into the report."""
        missing = [index for index in range(self._count) if index not in self._returned]
        lost, silent = self._work.lost, self._silent()
        for index in sorted({*missing, *lost}):
            what = "did not come back" if index in missing else "ended early"
            text = f"The slice {what}; {lost[index]} of its changes are not known to be made."
            if index in silent:
                text += f" It may be writing until {self._given.until}; so long no other run begins."
            self._work.report.remark(Notice("", f"slice {index}", "slice_lost", text))
        return {
            "count": self._count,
            "merged": sorted(self._returned),
            "missing": missing,
            "unfinished": sorted(index for index in lost if index in self._returned),
        }


def _check_copy(journal: JournalFile, plan: PlanFile, given: HandOver) -> None:
    """Refuse a journal that is not a copy that was made for the slices of this plan."""
    header, mine = plan.header, journal.slices.handed_over()
    tenant, domain = journal.pins.tenant_id(), journal.pins.get("domain")
    reasons = (
        (journal.missing, "does not exist"),
        (bool(journal.damage), f"cannot be read whole: {journal.damage}"),
        (tenant not in ("", header.tenant_id), f"is of the tenant {tenant}"),
        (domain not in (None, header.domain.lower()), f"is of the domain {domain}"),
        (mine is None or not journal.slices.is_copy, "is no copy that was made for slices"),
        (mine is not None and _name(mine) != _name(given), f"is of {_words(mine)}"),
        (mine != given, f"is of another hand-over, to {mine.count if mine else 0} slices"),
    )
    for is_so, why in reasons:
        if is_so:
            raise _wrong(journal.path, why)


def _name(given: HandOver) -> tuple[str, str]:
    return given.plan_id, given.module


def _words(given: HandOver | None) -> str:
    return f"the part of {given.module} of the plan {given.plan_id}" if given is not None else "no plan"


def _wrong(path: Path, why: str) -> StoreError:
    return StoreError(
        f"merged: {path} {why}.",
        "Give the journals that the slices of this plan worked on; one that is left out counts as missing.",
        code="slice_wrong",
    )
