# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource units and token buckets (Graph throttling limits for identity and access)."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

from .calls import Call
from .errors import GraphError
from .knobs import Knobs

_SMALL_PAGE = 20
_GET_BY_IDS = "/directoryobjects/getbyids"


def resource_units(call: Call, base: int) -> int:
    """The cost of a call: $select takes one off, $expand adds one, $top below 20 takes one off; at least one."""
    if call.path.lower() == _GET_BY_IDS:
        return 2 if "$select" in call.options else base
    top = call.options.get("$top", "")
    cost = base - ("$select" in call.options) + ("$expand" in call.options)
    return max(1, cost - (top.isdigit() and int(top) < _SMALL_PAGE))


@dataclass(slots=True)
class _Bucket:
    level: float
    moment: float


class Throttle:
    """One read and one write bucket per application."""

    def __init__(self) -> None:
        self._buckets: dict[tuple[str, bool], _Bucket] = {}

    def clear(self) -> None:
        self._buckets.clear()

    def charge(self, app_id: str, *, write: bool, units: int, knobs: Knobs) -> None:
        """Take units from the bucket.

        Raises GraphError (429 with Retry-After) when it does not hold enough; a refused request counts all the same.
        """
        size = knobs.write_units if write else knobs.read_units
        rate = size / (knobs.write_seconds if write else knobs.read_seconds)
        moment = time.monotonic()
        bucket = self._buckets.setdefault((app_id, write), _Bucket(size, moment))
        bucket.level = min(size, bucket.level + (moment - bucket.moment) * rate)
        bucket.moment = moment
        if bucket.level >= units:
            bucket.level -= units
            return
        bucket.level = max(0.0, bucket.level - units)
        wait = max(1, math.ceil((units - bucket.level) / rate))
        raise GraphError(
            429,
            "TooManyRequests",
            "Please retry again later.",
            {
                "Retry-After": str(wait),
                "x-ms-throttle-scope": f"Tenant_Application/{'ReadWrite' if write else 'Read'}/{app_id}",
                "x-ms-throttle-information": "WriteLimitExceeded" if write else "ResourceUnitLimitExceeded",
            },
        )
