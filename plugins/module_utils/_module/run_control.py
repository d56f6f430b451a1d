# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands around the work of a module on a journal: one run at a time, quarantine, and the retries of objects."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.result import error_result, unexpected
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import lease as lease_rule
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import quarantine as quarantine_rule
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import retry
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    GpadError,
    Outcome,
    StoreError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_of, second_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    GroupChange,
    MemberChange,
    Notice,
    Problem,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.quarantine import (
    QuarantineRules,
    Reason,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.report import Report
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retry import Part, RetryRules, Trial
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.planfile import PlanFile


def retry_rules(params: Mapping[str, Any]) -> RetryRules:
    """Return when failed objects are tried again, as the options say.

    Raises:
        ConfigurationError: a value cannot be used.
    """
    if params["retry_days"] < 0:
        raise ConfigurationError(f"retry_days: {params['retry_days']} is less than 0.", "Give zero or more days.")
    return RetryRules(_hours("retry_hours", params["retry_hours"]), params["retry_days"])


def quarantine_rules(given: Mapping[str, Any]) -> QuarantineRules:
    """Return what leads into quarantine, as the option says.

    Raises:
        ConfigurationError: a value cannot be used.
    """
    for name in ("failures", "percent", "floor"):
        if given[name] < 0:
            raise ConfigurationError(f"quarantine: {name} is {given[name]}.", "Give zero or more.")
    hours = _hours("quarantine: hours", given["hours"])
    return QuarantineRules(given["failures"], given["percent"], given["floor"], hours)


def _hours(option: str, given: list[int]) -> tuple[int, ...]:
    if not given or min(given) < 1:
        raise ConfigurationError(f"{option}: {given} is no list of hours.", "Give positive numbers, like [6, 12, 24].")
    return tuple(given)


class RunControl:
    """The journal's view of one call of a module.

    Parameters:
        journal: the open journal.
        rules: what leads into quarantine.
        writes: whether this call may write the directory, or holds the journal for one that will; what it learns is
            then remembered, else nothing is.
        of_slice: this call is of a slice, which works on a copy of the journal.
    """

    def __init__(
        self,
        journal: JournalFile,
        rules: QuarantineRules,
        *,
        writes: bool,
        of_slice: bool = False,
    ) -> None:
        self._journal = journal
        self._rules = rules
        self._writes = writes
        self._of_slice = of_slice
        self._keeps = False
        self._carried = False
        self._let_through = False
        self._entered = False

    def begin(self, plan_id: str | None, report: Report, *, approved: bool = False) -> None:
        """Refuse to work beside another run, and take over from one that is dead.

        Parameters:
            plan_id: the plan that is applied; None for a new one.
            report: told of a run that was taken over.
            approved: no gpad_plan of this run could hold the journal for the plan, so that this call does.

        Raises:
            BlockedError: another run is alive.
            StoreError: the journal is the copy of a slice, or a slice was given another one.
        """
        self._check_kind()
        lease = self._journal.lease
        holder, locked = lease.holder(), not self._writes and self._journal.is_locked()
        other = holder if holder is not None and holder.plan_id != plan_id else None
        if locked or (other is not None and lease_rule.is_alive(other, utc_now(), locked=False)):
            raise lease_rule.refusal(holder, str(self._journal.path))
        if not self._writes:
            return
        if other is not None:
            lease.release()
            text = (
                f"The plan {other.plan_id} held it since {other.since}, its last sign of life was at {other.heartbeat}."
            )
            report.remark(Notice("", str(self._journal.path), "lease_taken_over", text))
        ours = holder is not None and other is None
        if plan_id is None or not (ours or approved):
            return
        if not ours:
            lease.take(plan_id)
        self._carried = True
        lease.carry(plan_id)

    def _check_kind(self) -> None:
        path = self._journal.path
        if self._of_slice and not self._journal.slices.is_copy:
            raise StoreError(
                f"partition: the journal {path} is no copy that was made for slices.",
                "Give the one that hand_over wrote, carried to this machine.",
                code="journal_of_no_slice",
            )
        if not self._of_slice and self._journal.slices.is_copy:
            raise StoreError(
                f"The journal {path} is a copy that was made for a slice, and knows nothing of the others.",
                "Give partition as well, or the journal that it was made from.",
                code="journal_of_slice",
            )

    def look_again(self) -> None:
        """Refuse to put a new plan in the place of the one that a run holds which began meanwhile.

        Raises:
            BlockedError: there is one.
        """
        if self._writes:
            return  # this call holds the lock
        if not self._journal.missing:
            self.begin(None, Report(0))
        elif self._journal.path.exists():
            with closing(JournalFile(self._journal.path, writable=False)) as made:
                RunControl(made, self._rules, writes=False).begin(None, Report(0))

    def hold(self, plan_id: str) -> None:
        """Hold the journal for a plan until it was applied, where this call may; unless this call fails."""
        if self._writes:
            self._journal.lease.take(plan_id)
            self._carried = True

    def tell(self, report: Report) -> None:
        """Report a quarantine where it stops nothing."""
        current = self._journal.quarantines.current()
        if current is not None:
            report.remark(Notice("", str(self._journal.path), "quarantined", current.text))

    def refuse_quarantined(self, report: Report, *, approved: bool, planned_at: str | None) -> None:
        """Let no run through a quarantine before its time, unless its plan was approved.

        After too many failures a plan that was made before that time tries nothing of what failed, and shows nothing.

        Parameters:
            report: told of the quarantine.
            approved: whether the plan was.
            planned_at: when the plan was made; None when this call makes it.

        Raises:
            BlockedError: runs are in quarantine.
        """
        current = self._journal.quarantines.current()
        if current is None:
            return
        tries = current.reason is not Reason.FAILURES or planned_at is None or current.is_due(moment_of(planned_at))
        self._let_through = approved or (tries and current.is_due(utc_now()))
        if self._writes and not self._let_through:
            raise quarantine_rule.refusal(current)
        self.tell(report)

    def keep(self) -> None:
        """Leave the journal held for the plan when this call fails, since others carry the plan out."""
        self._keeps = True

    def go_on(self, report: Report) -> None:
        """Let a run pass that was let through already."""
        self._let_through = True
        self.tell(report)

    def refuse_log_on(self) -> None:
        """Do not log on again with what was refused, before its time: accounts are locked after a few times.

        Raises:
            BlockedError: runs are in quarantine since the log-on was refused.
        """
        current = self._journal.quarantines.current()
        refused = current if current is not None and current.reason is Reason.CREDENTIALS else None
        if self._writes and refused is not None and not refused.is_due(utc_now()):
            raise quarantine_rule.refusal(refused)

    def enter(self, reason: Reason, message: str, remedy: str) -> None:
        """Enter quarantine; a run that was let through in vain prolongs it, one that was not leaves it as it is."""
        now, current = utc_now(), self._journal.quarantines.current()
        if not self._writes or (current is not None and not (self._let_through or current.is_due(now))):
            return
        self._entered = self._entered or current is None
        after = quarantine_rule.entered(current, reason, message, remedy, now, self._rules)
        self._journal.quarantines.put(after)

    def blame(self, error: GpadError) -> None:
        """Enter quarantine where an error calls for it."""
        reason = quarantine_rule.REASONS.get(error.code)
        if reason is not None:
            self.enter(reason, error.message, error.remedy)

    def judge(self, outcome: Outcome, trials: Trials, error: GpadError | None, released_by: str | None) -> None:
        """Enter, prolong or end the quarantine after a part of a plan was carried out.

        Parameters:
            outcome: how that ended.
            trials: what became of the objects.
            error: what ended it early, or None.
            released_by: the run whose end shows that the reason is gone, or None where it does not show that.
        """
        why = self._rules.tripped(trials.failed, trials.planned)
        current = self._journal.quarantines.current()
        known = error or trials.refused
        if known is not None and known.code in quarantine_rule.REASONS:
            self.blame(known)
        elif why:
            self.enter(Reason.FAILURES, why, "Look at what the errors have in common.")
        elif outcome is Outcome.FATAL:
            if current is not None:
                self.enter(current.reason, current.message, current.remedy)
        elif outcome is not Outcome.BLOCKED and current is not None and released_by is not None:
            self._journal.quarantines.release(second_text(utc_now()), released_by)

    def finished(self, result: dict[str, Any], *, last: bool) -> dict[str, Any]:
        """Return a result with the quarantine in it; the journal is given back where nothing follows.

        Parameters:
            result: the result.
            last: this module is the last one of its plan.
        """
        if self._carried and not (self._keeps and result["fatal"]) and (last or result["fatal"]):
            self._journal.lease.release()
            self._carried = False
        return {**result, "quarantine": self.state()}

    def failed(self, error: Exception) -> dict[str, Any]:
        """Return the result of a call that an error ended."""
        known = error if isinstance(error, GpadError) else unexpected(error)
        try:
            self.blame(known)
            return self.finished(error_result(known), last=True)
        except StoreError:
            # The journal itself is what is wrong, or cannot say more.
            return error_result(known)

    def state(self) -> dict[str, Any]:
        """Return the quarantine as a result shows it."""
        return quarantine_state(self._journal, entered=self._entered)


def quarantine_state(journal: JournalFile, *, entered: bool) -> dict[str, Any]:
    """Return the quarantine as results show it.

    Parameters:
        journal: the journal.
        entered: it began just now.
    """
    current = journal.quarantines.current()
    if current is None:
        return {"active": False, "entered": False, "reason": "", "since": "", "next_at": "", "message": ""}
    return {
        "active": True,
        "entered": entered,
        "reason": current.reason.value,
        "since": current.since,
        "next_at": current.next_at,
        "message": f"{current.message} {current.remedy}".strip(),
    }


class Trials:
    """Remembers which objects of one part of a plan failed, and forgets those that no longer do.

    Parameters:
        journal: the open journal.
        part: the part.
        rules: the schedule.
    """

    def __init__(self, journal: JournalFile, part: Part, rules: RetryRules) -> None:
        self._retries, self._part, self._rules = journal.retries, part, rules
        self._rows = self._retries.rows()
        self._tried = journal.quarantines.current() is not None
        self._id = ""
        self._trial = Trial()
        self.planned = 0
        self.failed = 0
        self.refused: GpadError | None = None

    def note(self, change: retry.Change, applied: Applied) -> None:
        """Take in what became of the next change."""
        if change.id != self._id:
            self.close()
            self._id = change.id
        if applied.error is not None and applied.error.code in quarantine_rule.REASONS:
            self.refused = applied.error
        self._trial.add(change, applied)

    def close(self) -> None:
        """Take in that no more changes of the last group follow."""
        trial, self._trial = self._trial, Trial()
        if not trial.changes:
            return
        self.planned += 1
        before = self._rows.get((self._id, self._part))
        self.failed += trial.lasting is not None and (before is None or self._tried)
        if not self._id:
            return  # containers are tried in each run
        if trial.lasting is not None:
            now = utc_now()
            self._retries.put(retry.failed_again(before, trial.changes, trial.left, trial.lasting, now, self._rules))
        elif trial.error is None and before is not None:
            self._retries.drop(self._id, self._part)

    def forget_stale(self, plan: PlanFile) -> None:
        """Forget the failures of objects that a whole plan no longer speaks of."""
        if not any(part is self._part for _cloud_id, part in self._rows):
            return
        items = plan.items_of(GroupChange, MemberChange, Problem, Notice)
        self._retries.keep_only(self._part, retry.not_stale(items, self._part))
