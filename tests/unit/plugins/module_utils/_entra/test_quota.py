# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests wait before the service refuses them: units are counted as it counts them."""

from __future__ import annotations

import time

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.quota import Quota


class Clock:
    """A clock that runs only while somebody sleeps."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []
        patch.setattr(time, "monotonic", lambda: self.now)
        patch.setattr(time, "sleep", self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.mark.parametrize(
    ("users", "units"), [(0, 3500), (49, 3500), (50, 5000), (499, 5000), (500, 8000), (10**6, 8000)]
)
def test_no_ten_seconds_see_more_than_the_bucket_and_what_flows_into_it(clock: Clock, users: int, units: int) -> None:
    quota = Quota()
    quota.saw_users(users)
    begun = clock.now
    for _unused in range(1000):
        quota.take(40)
        quota.answered(40, {"x-ms-resource-unit": "40"})
    assert quota.used == 40_000
    # The bucket is full for the smallest tenant at first; from then on it fills at the pace of the size that is known.
    expected = (40_000 - 3500 * 0.9) / (units * 0.9) * 10
    assert clock.now - begun == pytest.approx(expected, rel=0.02)
    assert quota.waited == pytest.approx(sum(clock.sleeps))


def test_what_was_not_expected_is_paid_by_the_next_request(clock: Clock) -> None:
    quota = Quota()
    quota.take(1)
    quota.answered(1, {"x-ms-resource-unit": "3200"})
    quota.take(1)
    assert clock.sleeps == [pytest.approx(51 / 315, rel=0.01)]


def test_a_service_that_says_how_near_the_limit_is_is_believed(clock: Clock) -> None:
    quota = Quota()
    quota.answered(0, {"x-ms-throttle-limit-percentage": "0.8"})
    quota.take(620)
    assert clock.sleeps == []
    quota.answered(0, {"x-ms-throttle-limit-percentage": "1.5"})
    quota.take(1)
    assert clock.sleeps == [pytest.approx(5, rel=0.01)]


@pytest.mark.parametrize("text", ["", "many", "-3", "1e300", "nan", "inf"])
def test_a_header_of_another_shape_makes_nobody_wait(clock: Clock, text: str) -> None:
    quota = Quota()
    quota.answered(1, {"x-ms-resource-unit": text, "x-ms-throttle-limit-percentage": text})
    quota.take(3000)
    assert (quota.used, clock.sleeps) == (0, [])


@pytest.mark.parametrize(
    "headers",
    [{"x-ms-throttle-limit-percentage": "85"}, {"x-ms-resource-unit": "8000"}, {"x-ms-resource-unit": "3500"}],
)
def test_headers_that_say_too_much_let_nobody_wait_for_long(clock: Clock, headers: dict[str, str]) -> None:
    quota = Quota()
    for _unused in range(20):
        quota.answered(1, headers)
    quota.take(1)
    assert sum(clock.sleeps) <= 61
