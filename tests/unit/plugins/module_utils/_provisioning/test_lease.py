# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a run is alive, and what the others are told."""

from __future__ import annotations

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


def test_the_others_are_told_who_it_is() -> None:
    error = refusal(holder(timedelta(minutes=1)), "/state/journal")
    assert (error.code, error.outcome.value) == ("run_in_progress", "blocked")
    for told in ("plan-a", "host-a", "4711", "2026-11-21T08:00:00", "2026-11-21T09:59:00", "/state/journal"):
        assert told in error.message
    assert "thirty minutes" in error.remedy


def test_a_lock_without_a_lease_tells_the_journal() -> None:
    assert refusal(None, "/state/journal").message == "Another run holds the journal /state/journal."
