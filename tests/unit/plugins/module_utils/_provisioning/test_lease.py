# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a run is alive, and what the others are told."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.lease import (
    Holder,
    is_alive,
    refusal,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_text

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=timezone.utc)


def holder(silent: timedelta) -> Holder:
    return Holder("plan-a", "host-a", 4711, moment_text(NOW - timedelta(hours=2)), moment_text(NOW - silent))


@pytest.mark.parametrize(
    ("silent", "locked", "alive"),
    [
        (timedelta(0), False, True),
        (timedelta(minutes=29, seconds=59), False, True),
        (timedelta(minutes=30), False, False),
        (timedelta(days=1), False, False),
        (timedelta(minutes=-29), False, True),
        (timedelta(minutes=-31), False, False),
        (timedelta(days=1), True, True),
    ],
)
def test_a_run_lives_thirty_minutes_after_its_last_sign_and_as_long_as_its_lock(
    silent: timedelta, locked: bool, alive: bool
) -> None:
    assert is_alive(holder(silent), NOW, locked=locked) is alive


@pytest.mark.parametrize(
    ("silent", "alive"),
    [
        (timedelta(minutes=119), True),
        (timedelta(minutes=149, seconds=59), True),
        (timedelta(minutes=150), False),
        (timedelta(minutes=-31), False),
    ],
)
def test_a_run_lives_thirty_minutes_longer_than_its_slices_may_write(silent: timedelta, alive: bool) -> None:
    lent = replace(holder(silent), lent_minutes=120)
    assert is_alive(lent, NOW, locked=False) is alive
    told = refusal(replace(holder(timedelta(0)), lent_minutes=120), "/state/journal")
    assert "Its slices may write until 2026-11-21T12:00:00" in told.remedy


def test_the_others_are_told_who_it_is() -> None:
    error = refusal(holder(timedelta(minutes=1)), "/state/journal")
    assert (error.code, error.outcome.value) == ("run_in_progress", "blocked")
    for told in ("plan-a", "host-a", "4711", "2026-11-21T08:00:00", "2026-11-21T09:59:00", "/state/journal"):
        assert told in error.message
    assert "thirty minutes" in error.remedy


def test_a_lock_without_a_lease_tells_the_journal() -> None:
    assert refusal(None, "/state/journal").message == "Another run holds the journal /state/journal."
