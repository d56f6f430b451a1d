# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a call costs: operations as the proxy counted them, time, and memory of the module's process."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.lab.policy.admin import PolicyAdmin

WRITES = ("add", "modify", "modify_dn", "delete")


@dataclass(frozen=True, slots=True)
class Cost:
    """Operations of one or more calls.

    Parameters:
        ranges: searches that asked for a range of members.
        look_ups: searches for accounts by SID.
        others: searches for anything else, and log-ons.
        writes: adds, modifies, renames and deletes.
        largest: most values of one write.
        seconds: time on the clock.
        megabytes: largest memory of any module process so far.
    """

    ranges: int
    look_ups: int
    others: int
    writes: int
    largest: int
    seconds: float
    megabytes: int

    @property
    def operations(self) -> int:
        """All of them."""
        return self.ranges + self.look_ups + self.others + self.writes


def measured(policy: PolicyAdmin, call: Callable[[], dict[str, Any]]) -> tuple[dict[str, Any], Cost]:
    """Run a call of one module; return its result and its cost, on which it and the proxy must agree."""
    policy.clear_operations()
    start = time.monotonic()
    result = call()
    seconds = time.monotonic() - start
    seen = policy.operations()
    searches = [operation for operation in seen if operation.kind == "search"]
    ranges = sum(any(name.startswith("member;range=") for name in search.attributes) for search in searches)
    look_ups = sum("primaryGroupID" in search.attributes for search in searches)
    writes = [operation for operation in seen if operation.kind in WRITES]
    assert result["summary"]["operations"] == len(seen)
    return result, Cost(
        ranges,
        look_ups,
        len(seen) - ranges - look_ups - len(writes),
        len(writes),
        max((write.values for write in writes), default=0),
        seconds,
        resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    )
