# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the service lets an application read: counted here, so that requests wait before it refuses them."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

# Resource units in ten seconds for one application in one tenant, by how many users the tenant has more than (Microsoft
# Graph service-specific throttling limits, identity and access).
_UNITS: Mapping[int, int] = {0: 3500, 50: 5000, 500: 8000}
_SECONDS = 10.0
# Of these, so much is left to others who use the same application.
_SHARE = 0.9
# For more buckets nobody waits, whatever the headers say; a service that has enough of it says so with 429.
_MOST_BUCKETS = 6


@dataclass(slots=True)
class Quota:
    """A bucket of resource units that fills while time passes.

    The size of the tenant is not known at first; it is at least as large as the number of users that were seen. May be
    used by several threads.

    Parameters:
        used: resource units that the service said it counted.
        waited: seconds that requests waited here.
    """

    used: int = 0
    waited: float = 0.0
    _users: int = 0
    _level: float = _UNITS[0] * _SHARE
    _moment: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Begin to fill."""
        self._moment = time.monotonic()

    def _size(self) -> float:
        return max(units for users, units in _UNITS.items() if self._users >= users) * _SHARE

    def _fill(self) -> None:
        now = time.monotonic()
        size = self._size()
        self._level = min(size, self._level + (now - self._moment) * size / _SECONDS)
        self._moment = now

    def take(self, units: int) -> None:
        """Wait until there is room for a request, a minute at most.

        Parameters:
            units: what it is expected to cost.
        """
        with self._lock:
            self._fill()
            size = self._size()
            self._level = max(self._level - units, -_MOST_BUCKETS * size)
            seconds = max(0.0, -self._level * _SECONDS / size)
            self.waited += seconds
        if seconds:
            time.sleep(seconds)

    def answered(self, expected: int, headers: Mapping[str, str]) -> None:
        """Take in what the service said of a request.

        Parameters:
            expected: what was taken for it.
            headers: of the answer, or of one within a batch.
        """
        units = _number(headers.get("x-ms-resource-unit"))
        share = _number(headers.get("x-ms-throttle-limit-percentage"))
        with self._lock:
            if units is not None:
                self.used += int(units)
                self._level -= units - expected
            if share is not None:
                # It is sent from 0.8 of the limit on: others use the same quota.
                self._fill()
                self._level = min(self._level, (1 - share) * self._size())

    def saw_users(self, count: int) -> None:
        """Take in how many users the tenant has at least."""
        with self._lock:
            self._users = max(self._users, count)


def _number(text: str | None) -> float | None:
    """Return the number in a header, None where there is none; no header makes a request wait for ever."""
    try:
        number = float(text) if text else None
    except ValueError:
        return None
    return number if number is not None and 0 <= number <= max(_UNITS.values()) else None
