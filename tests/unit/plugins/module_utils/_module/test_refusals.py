# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stops a plan or a snapshot from being used."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import refusals
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    BlockedError,
    StoreError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import (
    Breach,
    Kind,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store import planfile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.planfile import PlanFile
from tests.unit.samples import BASE, TENANT

HOURS, MINUTE = timedelta(hours=2), timedelta(minutes=1)


def test_a_breach_reads_as_numbers_and_rule() -> None:
    assert refusals.breach_text(Breach(Kind.MOVES, 5, 3, "count 3")) == "moves: 5 planned, 3 allowed (count 3)"


@pytest.mark.parametrize(("age", "refused"), [(-4 * MINUTE, False), (HOURS - MINUTE, False), (HOURS + MINUTE, True)])
@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ"])
def test_a_snapshot_is_too_old_after_so_many_hours(age: timedelta, refused: bool, form: str) -> None:
    captured_at = (datetime.now(timezone.utc) - age).strftime(form)
    if not refused:
        refusals.refuse_old(captured_at, 2)
        return
    with pytest.raises(StoreError, match="2 hours old; max_snapshot_age is 2") as caught:
        refusals.refuse_old(captured_at, 2)
    assert caught.value.code == "snapshot_outdated"


def plan_file(path: Path, breaches: tuple[str, ...]) -> PlanFile:
    header = planfile.PlanHeader("p", moment_text(utc_now()), TENANT, moment_text(utc_now()), BASE, "dc1", False)
    with planfile.writing(path, header) as writer:
        writer.finish({}, breaches)
    return PlanFile(path)


@pytest.mark.parametrize("breaches", [(), ("creations: 2 planned, 1 allowed (count 1)",)])
@pytest.mark.parametrize("approve", ["{0}", " {0}\n", "upper"])
def test_the_checksum_of_a_plan_approves_it(tmp_path: Path, breaches: tuple[str, ...], approve: str) -> None:
    plan = plan_file(tmp_path / "plan", breaches)
    checksum = plan.footer.checksum
    refusals.refuse_breaches(plan, checksum.upper() if approve == "upper" else approve.format(checksum))


@pytest.mark.parametrize("breaches", [(), ("creations: 2 planned, 1 allowed (count 1)",)])
@pytest.mark.parametrize("approve", ["", "0" * 64, "yes"])
def test_another_checksum_approves_nothing(tmp_path: Path, breaches: tuple[str, ...], approve: str) -> None:
    plan = plan_file(tmp_path / "plan", breaches)
    with pytest.raises(BlockedError, match=plan.footer.checksum) as caught:
        refusals.refuse_breaches(plan, approve)
    assert caught.value.code == "plan_not_approved"


def test_without_approval_a_limit_stops_a_plan(tmp_path: Path) -> None:
    refusals.refuse_breaches(plan_file(tmp_path / "good", ()), None)
    plan = plan_file(tmp_path / "plan", ("moves: 5 planned", "creations: 2 planned"))
    with pytest.raises(BlockedError, match="moves: 5 planned; creations: 2 planned") as caught:
        refusals.refuse_breaches(plan, None)
    assert (caught.value.code, plan.footer.checksum in caught.value.remedy) == ("limit_exceeded", True)


@pytest.mark.parametrize("ahead", [6 * MINUTE, timedelta(days=365)])
def test_a_snapshot_of_the_future_is_not_fresh(ahead: timedelta) -> None:
    """It would be so for a year, and every right one would be older."""
    captured_at = (datetime.now(timezone.utc) + ahead).strftime("%Y-%m-%dT%H:%M:%SZ")
    with pytest.raises(StoreError, match=captured_at) as caught:
        refusals.refuse_old(captured_at, 24)
    assert caught.value.code == "snapshot_from_future"
    assert "watermarks" in caught.value.remedy
