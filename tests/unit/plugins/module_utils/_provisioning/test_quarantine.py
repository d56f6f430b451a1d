# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When runs go into quarantine, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import second_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.quarantine import (
    QuarantineRules,
    Reason,
    entered,
    refusal,
)

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("failed", "planned", "tripped"),
    [
        (0, 0, False),
        (20, 20, False),
        (21, 21, True),
        (40, 100, False),
        (41, 100, True),
        (41, 103, False),
        (1000, 100_000, False),
        (1001, 100_000, True),
    ],
)
def test_too_many_failures_are_a_count_or_a_share_above_a_floor(failed: int, planned: int, tripped: bool) -> None:
    text = QuarantineRules().tripped(failed, planned)
    assert bool(text) is tripped
    if tripped:
        assert f"{failed} of {planned}" in text


def test_each_vain_try_waits_longer_and_the_last_wait_repeats() -> None:
    found, rules, waits = None, QuarantineRules(), []
    for _number in range(7):
        found = entered(found, Reason.LIMIT, "Too much.", "Look.", NOW, rules)
        waits.append(datetime.fromisoformat(found.next_at.replace("Z", "+00:00")) - NOW)
    assert waits == [timedelta(hours=hours) for hours in (1, 2, 4, 8, 24, 24, 24)]
    assert found is not None and found.tries == 7


def test_a_vain_try_keeps_the_beginning_and_tells_the_latest_reason() -> None:
    first = entered(None, Reason.LIMIT, "Too much.", "", NOW, QuarantineRules())
    later = entered(first, Reason.CREDENTIALS, "No log-on.", "", NOW + timedelta(hours=1), QuarantineRules())
    assert (later.since, later.reason, later.message) == (second_text(NOW), Reason.CREDENTIALS, "No log-on.")


def test_a_run_is_let_through_at_the_time_of_the_next_try() -> None:
    found = entered(None, Reason.LIMIT, "Too much.", "", NOW, QuarantineRules())
    assert not found.is_due(NOW + timedelta(minutes=59))
    assert found.is_due(NOW + timedelta(hours=1))


def test_a_refused_run_is_told_why_since_when_and_what_to_do() -> None:
    error = refusal(entered(None, Reason.LIMIT, "Too much.", "Look at it.", NOW, QuarantineRules()))
    assert (error.code, error.outcome.value) == ("quarantined", "blocked")
    for told in ("limit_exceeded", "Too much.", "2026-11-21T10:00:00Z", "2026-11-21T11:00:00Z"):
        assert told in error.message
    assert error.remedy.startswith("Look at it. ") and "released: [quarantine]" in error.remedy
