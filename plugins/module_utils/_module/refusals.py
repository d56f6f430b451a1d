# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stops a plan or a snapshot from being used."""

from __future__ import annotations

from datetime import timedelta

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import texts
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    BlockedError,
    StoreError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Breach
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_of
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Notice
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.planfile import PlanFile, PlanHeader

# How far the clocks of two hosts may be apart, as Kerberos has it.
_CLOCKS_APART = timedelta(minutes=5)


def refuse_old(captured_at: str, hours: int) -> None:
    """Refuse a snapshot that was captured too long ago, or is not yet.

    Parameters:
        captured_at: ISO 8601, UTC.
        hours: the greatest age.

    Raises:
        StoreError: it is older, or of the future.
    """
    refuse_future("snapshot", captured_at)
    age = (utc_now() - moment_of(captured_at)).total_seconds() / 3600
    if age > hours:
        raise StoreError(
            f"The snapshot of {captured_at} is {age:.0f} hours old; max_snapshot_age is {hours}.",
            "Run gpad_scope again, and gpad_plan.",
            code="snapshot_outdated",
        )


def refuse_future(what: str, moment: str) -> None:
    """Refuse a file that is dated ahead of this host's clock, before its time is remembered and later ones are older.

    Parameters:
        what: `snapshot` or `plan`.
        moment: when it was made, ISO 8601, UTC.

    Raises:
        StoreError: it is of the future.
    """
    if moment_of(moment) - utc_now() > _CLOCKS_APART:
        raise StoreError(
            f"The {what} of {moment} is dated ahead of the clock of this host.",
            "Set the clocks of both hosts and make it anew; if one that was dated ahead has been applied, gpad_journal "
            "with released: [watermarks].",
            code="snapshot_from_future",
        )


def breach_text(breach: Breach) -> str:
    """Return a sentence with the numbers of an exceeded limit."""
    where = f" in {breach.where}" if breach.where else ""
    return f"{breach.kind}{where}: {breach.planned} planned, {breach.allowed} allowed ({breach.rule})"


def refuse_breaches(plan: PlanFile, approve: str | None) -> None:
    """Stop before the first write when a plan exceeds a limit and nobody approved this very plan.

    Parameters:
        plan: the plan.
        approve: checksum of the plan that an administrator approved, or None.

    Raises:
        BlockedError: it exceeds one, or another plan was approved.
    """
    if approve is not None and approve.strip().lower() != plan.footer.checksum:
        raise BlockedError(
            f"approve: {approve} is not the checksum of the plan {plan.path}, which is {plan.footer.checksum}.",
            "Review the plan that is there, then give its checksum.",
            code="plan_not_approved",
        )
    if plan.footer.breaches and approve is None:
        raise BlockedError(
            f"The plan exceeds a limit: {'; '.join(plan.footer.breaches)}.",
            f"Look at the plan; if it is right, approve: {plan.footer.checksum} applies it once.",
            code="limit_exceeded",
        )


def other_writer(plan_header: PlanHeader) -> Notice | None:
    """Return what to tell of the jobs that write cloud groups, too, or None."""
    names = "; ".join(plan_header.other_writers)
    return Notice("", "Cloud Sync", "other_writer", texts.OTHER_WRITERS.format(names=names)) if names else None


def refuse_other_writers(plan: PlanFile) -> None:
    """Stop before the first write while another job may write the same groups.

    Raises:
        BlockedError: one ran when the snapshot was captured.
    """
    told = other_writer(plan.header)
    if told is not None:
        raise BlockedError(told.message, texts.REMEDIES[told.code], code=told.code)
