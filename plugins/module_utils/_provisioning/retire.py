# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What becomes of a directory group whose cloud group left, and on what evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    Fate,
    FateKind,
    Skipped,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_of
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word

# A group that was just restored or created may be missing from an index for some minutes: absence counts only when two
# captures, at least this far apart, found it.
INDEX_LAG = timedelta(minutes=15)


class Departure(Word):
    """How a cloud group left."""

    DELETED = "deleted"
    SOFT_DELETED = "soft_deleted"
    OUT_OF_SCOPE = "out_of_scope"
    MAIL_ENABLED = "mail_enabled"
    ROLLED_BACK = "rolled_back"


class Retire(Word):
    """What is done with its directory group."""

    KEEP = "keep"
    EMPTY = "empty"
    DETACH = "detach"
    MOVE = "move"
    DELETE = "delete"


DEFAULT_RETIRE: Mapping[Departure, Retire] = {
    Departure.DELETED: Retire.DELETE,
    Departure.SOFT_DELETED: Retire.EMPTY,
    Departure.OUT_OF_SCOPE: Retire.KEEP,
    Departure.MAIL_ENABLED: Retire.KEEP,
    Departure.ROLLED_BACK: Retire.KEEP,
}


@dataclass(frozen=True, slots=True)
class RetireRules:
    """What the administrator decided about groups that left.

    Parameters:
        by_departure: what is done, by how the group left; a rolled-back group is always kept.
        grace_days: days from the deletion in the cloud to the deletion in the directory; emptied at once.
        container: where `move` puts a group, a DN inside the managed containers.
    """

    by_departure: Mapping[Departure, Retire] = field(default_factory=lambda: DEFAULT_RETIRE)
    grace_days: int = 30
    container: str = ""


_DEPARTURES: Mapping[Skipped, Departure] = {
    Skipped.MAIL_ENABLED: Departure.MAIL_ENABLED,
    Skipped.MICROSOFT_365: Departure.MAIL_ENABLED,
    Skipped.NOT_SECURITY_ENABLED: Departure.OUT_OF_SCOPE,
    Skipped.NOT_SELECTED: Departure.OUT_OF_SCOPE,
    Skipped.NOT_ASSIGNED: Departure.OUT_OF_SCOPE,
    Skipped.FILTERED_OUT: Departure.OUT_OF_SCOPE,
    Skipped.ROLLED_BACK: Departure.ROLLED_BACK,
    Skipped.ON_PREMISES_SYNCED: Departure.ROLLED_BACK,
}


# The notices that tell of a group which left; the journal remembers since when.
LEFT_CODES = frozenset({"retired", "retained_access", "orphan"})

# The codes of skips that say a group is mastered on premises.
ROLLED_BACK_CODES = frozenset(
    reason.value for reason, departure in _DEPARTURES.items() if departure is Departure.ROLLED_BACK
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What shows that a cloud group left.

    Parameters:
        departure: how it left, or None where that is not shown.
        text: the evidence, or what is missing, as a phrase.
        since: when it left, where the cloud says so.
    """

    departure: Departure | None
    text: str
    since: datetime | None = None


def evidence(group: CloudGroup | None, reason: Skipped | None, fate: Fate | None, explained: str) -> Evidence:
    """Return what shows that a group left.

    Deletion needs positive evidence: the group is among the deleted items, or two captures an index lag apart asked
    for it by its id and found neither a living nor a deleted one.

    A group that was converted may have been rolled back as well, which outweighs all else: it counts as left only if
    this capture read that the cloud is its master.

    Parameters:
        group: the group, when the snapshot holds it.
        reason: why it is out of scope, when the snapshot holds it.
        fate: what Entra ID answered when asked for its id, when the snapshot does not hold it.
        explained: the reason as a phrase.
    """
    if reason is not None:
        departure = _DEPARTURES.get(reason)
        doubtful = group is not None and group.security_identifier is not None and group.is_cloud_managed is not True
        if doubtful and departure is not Departure.ROLLED_BACK:
            return Evidence(None, f"{explained}, and its source of authority was not read")
        return Evidence(departure, explained)
    if fate is None:
        return Evidence(None, "Entra ID was not asked for it yet; the next capture does")
    since, seen = _time(fate.since), _time(fate.seen)
    if fate.kind is FateKind.SYNCED:
        return Evidence(Departure.ROLLED_BACK, f"it was deleted at {fate.since} while it was mastered on premises")
    if fate.kind is FateKind.SOFT_DELETED:
        return Evidence(Departure.SOFT_DELETED, f"it is among the deleted items since {fate.since}", since)
    if since is None or seen is None or seen - since < INDEX_LAG:
        return Evidence(None, f"it was not found at {fate.seen}; a later capture must confirm that")
    return Evidence(Departure.DELETED, f"it is neither a group nor a deleted item since {fate.since}", since)


def _time(text: str) -> datetime | None:
    try:
        return moment_of(text)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Steps:
    """What to do with one directory group.

    Parameters:
        empty: take all members out.
        action: what to do with the object itself.
        text: what waits, as a phrase, or an empty string.
    """

    empty: bool = False
    action: Retire = Retire.KEEP
    text: str = ""


def steps(rules: RetireRules, shown: Evidence, now: datetime | None) -> Steps:
    """Return what to do with the directory group of a cloud group that left.

    Parameters:
        rules: what the administrator decided.
        shown: the evidence.
        now: the time of the run.
    """
    if shown.departure is None or shown.departure is Departure.ROLLED_BACK:
        return Steps()
    chosen = rules.by_departure.get(shown.departure, Retire.KEEP)
    if chosen is not Retire.DELETE:
        return Steps(chosen is Retire.EMPTY, Retire.KEEP if chosen is Retire.EMPTY else chosen)
    due = shown.since + timedelta(days=rules.grace_days) if shown.since else None
    if due is None or now is None or now < due:
        when = due.date().isoformat() if due else "later"
        return Steps(empty=True, text=f"it is deleted on {when}")
    return Steps(empty=True, action=Retire.DELETE)
