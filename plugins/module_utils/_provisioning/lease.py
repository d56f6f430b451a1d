# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One run at a time: whether the run that holds the journal is alive, and what to tell the others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import BlockedError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_of, moment_text

# Longer than the modules of a run wait for one another where it serves several hosts.
LIFETIME = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Holder:
    """The run that holds the journal.

    Parameters:
        plan_id: its plan.
        host: the host of the process that gave the last sign of life.
        pid: that process.
        since: when the plan was made, ISO 8601.
        heartbeat: the last sign of life, ISO 8601.
        lent_minutes: for how long from then on its slices may write, which give no signs here.
    """

    plan_id: str
    host: str
    pid: int
    since: str
    heartbeat: str
    lent_minutes: int = 0

    @property
    def lent(self) -> timedelta:
        """For how long its slices may write."""
        return timedelta(minutes=self.lent_minutes)


def is_alive(holder: Holder, now: datetime, *, locked: bool) -> bool:
    """Return whether a run still holds the journal.

    A run that handed its plan over to slices lives as long as they may write, and as much longer as any other.

    A sign of life in the future, of a clock that was set back since, counts no longer than one of the past.

    Parameters:
        holder: the run.
        now: the time.
        locked: another process holds the lock of the operating system.
    """
    silent = now - moment_of(holder.heartbeat)
    return locked or -LIFETIME < silent < holder.lent + LIFETIME


def refusal(holder: Holder | None, journal: str) -> BlockedError:
    """Return the error for whoever comes while another run is alive."""
    if holder is None:
        return BlockedError(
            f"Another run holds the journal {journal}.", "Wait until it has ended.", code="run_in_progress"
        )
    until = moment_text(moment_of(holder.heartbeat) + holder.lent)
    term = f"Its slices may write until {until}; it is taken over thirty minutes after that."
    usual = "Wait until it has ended; it is taken over thirty minutes after its last sign of life."
    return BlockedError(
        f"Another run holds the journal {journal}: the plan {holder.plan_id}, since {holder.since}, "
        f"process {holder.pid} on {holder.host}, last sign of life at {holder.heartbeat}.",
        f"Merge them. {term}" if holder.lent_minutes else usual,
        code="run_in_progress",
    )
