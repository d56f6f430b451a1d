# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""When an object that failed is tried again, as Entra ID does with failed objects: later and later, then no more.

Sources: learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-quarantine-status and
how-provisioning-works, "Errors and retries".
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import TypeAlias

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import GpadError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_of, moment_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    MemberChange,
    Notice,
    PlanItem,
    Problem,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word

Change: TypeAlias = "GroupChange | MemberChange"

# Failures that say nothing of the object: the next run plans it again, and tries it at once.
PLAN_AGAIN: Mapping[str, str] = {
    "directory_moved_on": "the next plan compares with what is there now",
    "earlier_step_failed": "the step before it has the failure",
    "group_missing": "the creation of that group has the failure",
    "replication_pending": "the next plan sees whether it has arrived",
    "links_unread": "a reading that broke off may succeed at once",
    "object_missing": "it went away, and the next plan knows",
    "already_done": "the next plan sees that it is so",
    "created_unread": "the next plan finds the group by its anchor",
    "directory_busy": "the server recovers in minutes",
    "directory_unreachable": "the connection broke, whatever was written at that moment",
    "directory_log_on_refused": "it stops the run, and all that follow wait",
    "slice_missing": "the machine that was to do it did not say what it did",
    "directory_not_trusted": "another server answered when the connection was made anew",
}

# Of a group that waits with one of these there is no object whose members could be written.
_MAKES_OBJECT = frozenset({Action.CREATE, Action.RESTORE})
_GIVES_OBJECT = _MAKES_OBJECT | {Action.ADOPT}


# Notices of groups whose changes the plan could not know, or not all of them.
_UNDECIDED = frozenset({"links_unread", "members_wait", "removals_held"})


class Part(Word):
    """The part of a plan to which a change belongs."""

    GROUPS = "groups"
    MEMBERS = "members"


def part_of(change: Change) -> Part:
    """Return the part that a change belongs to."""
    return Part.MEMBERS if isinstance(change, MemberChange) else Part.GROUPS


@dataclass(frozen=True, slots=True)
class Retry:
    """An object that failed.

    Parameters:
        id: object id of the cloud group.
        part: what of it failed.
        name: its displayName.
        dn: where the object is, or was to be.
        code: why it failed.
        message: the same, one sentence.
        remedy: what to do.
        digest: of what was still wanted when it failed.
        tries: how often it failed.
        first_at: when first, ISO 8601.
        tried_at: when last.
        next_at: when it is tried again, or None.
    """

    id: str
    part: Part
    name: str
    dn: str
    code: str
    message: str
    remedy: str
    digest: str
    tries: int
    first_at: str
    tried_at: str
    next_at: str | None


@dataclass(frozen=True, slots=True)
class RetryRules:
    """The schedule.

    Parameters:
        hours: from each try to the next; the last repeats.
        days: after so many days from the first failure there is no further try.
    """

    hours: tuple[int, ...] = (6, 12, 24)
    days: int = 28

    def next_at(self, tries: int, first_at: datetime, now: datetime) -> datetime | None:
        """Return when an object that failed so often is tried again, or None."""
        due = now + timedelta(hours=self.hours[min(tries, len(self.hours)) - 1])
        return due if due <= first_at + timedelta(days=self.days) else None


def digest_of(changes: Sequence[Change]) -> str:
    """Return a digest of what some changes of one part of one group want."""
    wanted = [
        [sorted(want.id for want in change.add), sorted(link.guid for link in change.remove)]
        if isinstance(change, MemberChange)
        else [
            change.action.value,
            sorted((name, list(values)) for name, values in change.after.items()),
            _place(change),
        ]
        for change in changes
    ]
    return hashlib.sha256(json.dumps(wanted).encode()).hexdigest()


def _place(change: GroupChange) -> str | None:
    return change.dn if change.action is Action.CREATE else change.new_dn


def _left_over(change: Change, applied: Applied) -> Change:
    """Return what remains wanted of a change that failed, or failed in part."""
    if isinstance(change, GroupChange):
        return change
    return replace(
        change,
        add=tuple(want for want in change.add if want.id not in applied.added_ids),
        remove=tuple(link for link in change.remove if link.guid not in applied.removed),
    )


def failed_again(
    before: Retry | None,
    tried: Sequence[Change],
    left: Sequence[Change],
    error: GpadError,
    now: datetime,
    rules: RetryRules,
) -> Retry:
    """Return what is remembered of an object that failed.

    Parameters:
        before: what was remembered of it, or None.
        tried: the changes of this part of the group in the plan.
        left: those that remain wanted, from the one that failed on.
        error: why it failed.
        now: the time.
        rules: the schedule.
    """
    same = before is not None and before.digest == digest_of(tried)
    tries = before.tries + 1 if before is not None and same else 1
    first = moment_of(before.first_at) if before is not None and same else now
    due = rules.next_at(tries, first, now)
    change = left[0]
    return Retry(
        change.id,
        part_of(change),
        change.name,
        change.dn,
        error.code,
        error.message,
        error.remedy,
        digest_of(left),
        tries,
        moment_text(first),
        moment_text(now),
        moment_text(due) if due else None,
    )


@dataclass(slots=True)
class Trial:
    """The changes of one part of one group, and what became of them.

    Parameters:
        changes: in the order of the plan.
        left: what remains wanted, from the first failure on.
        error: the first failure, or None.
    """

    changes: list[Change] = field(default_factory=list)
    left: list[Change] = field(default_factory=list)
    error: GpadError | None = None

    def add(self, change: Change, applied: Applied) -> None:
        """Take in the next change and what became of it."""
        self.changes.append(change)
        self.error = self.error or applied.error
        if self.error is not None:
            self.left.append(_left_over(change, applied))

    @property
    def lasting(self) -> GpadError | None:
        """The failure, where it speaks of the object; those that call for another plan do not."""
        return self.error if self.error is not None and self.error.code not in PLAN_AGAIN else None


@dataclass(frozen=True, slots=True)
class Waiting:
    """The objects that failed, as the plan looks at them.

    Parameters:
        rows: by object id of the cloud group and part.
        now: the time, ISO 8601.
    """

    rows: Mapping[tuple[str, Part], Retry] = field(default_factory=dict)
    now: str = ""

    def problem(self, changes: Sequence[Change]) -> Problem | None:
        """Return what to say of changes of one part of one group that wait, or None where they are to be tried."""
        first = changes[0]
        row = self.rows.get((first.id, part_of(first)))
        if row is None or row.digest != digest_of(changes) or (row.next_at is not None and row.next_at <= self.now):
            return None
        again = f"The next try is at {row.next_at}" if row.next_at else f"After {row.tries} tries it is not tried again"
        return Problem(
            first.id,
            first.name,
            "waiting_for_retry",
            f"It failed with {row.code}: {row.message.rstrip('.')}. {again}, or when what it should be changes.",
            f"{row.remedy} retry_now: true tries it at once.".strip(),
            row.part.value,
            any(isinstance(change, GroupChange) and change.new_dn is not None for change in changes),
        )


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Changes of one group that wait.

    Parameters:
        id: object id of the cloud group.
        problem: what to say of it.
        no_object: there is no object of this group now.
        no_members: its members cannot be written.
    """

    id: str
    problem: Problem
    no_object: bool
    no_members: bool


def hold_back(items: Iterable[PlanItem], waiting: Waiting) -> Iterator[PlanItem | HeldBack]:
    """Yield the items of a plan, those that wait replaced; the changes of one group stand one after the other."""
    for (change_of, _part), run in groupby(items, _of_one_group):
        if not change_of:
            yield from run
            continue
        changes = [item for item in run if isinstance(item, (GroupChange, MemberChange))]
        problem = waiting.problem(changes)
        if problem is None:
            yield from changes
            continue
        actions = {change.action for change in changes}
        yield HeldBack(change_of, problem, bool(actions & _MAKES_OBJECT), bool(actions & _GIVES_OBJECT))


def _of_one_group(item: PlanItem) -> tuple[str, Part | None]:
    """Return object id and part of a change; containers, which belong to no group, never wait."""
    if isinstance(item, (GroupChange, MemberChange)):
        return item.id, part_of(item)
    return "", None


def not_stale(items: Iterable[PlanItem], part: Part) -> frozenset[str]:
    """Return the object ids of a whole plan whose failures in a part are still to be remembered."""
    kept: set[str] = set()
    for item in items:
        if isinstance(item, (GroupChange, MemberChange)):
            kept |= {item.id} if part_of(item) is part else set()
        elif isinstance(item, Problem):
            kept |= {item.id} if item.part in ("", part.value) else set()
        elif isinstance(item, Notice) and item.code in _UNDECIDED:
            kept.add(item.id)
    return frozenset(kept)
