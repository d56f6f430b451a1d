# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many groups users carry."""

from __future__ import annotations

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.token_sizes import (
    GroupClosure,
    Membership,
    token_row,
)

NAMES = [f"g{number}" for number in range(7)]


def reached(parents: dict[str, list[str]], start: list[str]) -> set[str]:
    """Walk up, the plain way."""
    seen: set[str] = set()
    waiting = [name for name in start if name in parents]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += [other for other in parents[name] if other in parents]
    return seen


@given(
    st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES))),
    st.lists(st.sampled_from([*NAMES, "other"])),
)
def test_groups_are_counted_at_any_depth_cycles_too(parents: dict[str, list[str]], start: list[str]) -> None:
    assert GroupClosure(parents).count(start) == len(reached(parents, start))


def closure(size: int) -> GroupClosure:
    return GroupClosure({f"g{number}": () for number in range(size)})


def test_a_user_near_the_limit_is_named_with_the_primary_group_counted() -> None:
    users = [Membership("CN=many", tuple(f"g{n}" for n in range(899))), Membership("CN=few", ("g1",))]
    row = token_row(closure(1000), users, 100)
    assert row.status.value == "warning" and "1 with 900 or more: CN=many (900); 2 users" in row.found and row.remedy


def test_one_below_is_fine_and_what_was_counted_is_told() -> None:
    users = [Membership("CN=many", tuple(f"g{n}" for n in range(898)))]
    row = token_row(closure(1000), users, 2)
    assert row.status.value == "ok" and "1 users" in row.found and "not SID history" in row.found
    assert "the most groups 899" in row.found


def test_what_was_not_counted_to_its_end_is_unknown() -> None:
    row = token_row(closure(10), [Membership("CN=one", ("g1",))], 1)
    assert row.status.value == "unknown" and "the first 1 users" in row.found
    assert token_row(closure(10), [], 5).status.value == "unknown"


def test_many_groups_take_little_room() -> None:
    tracemalloc.start()
    try:
        parents = {f"g{number}": ("g0",) for number in range(40_000)}
        assert GroupClosure(parents).count(["g39999", "g2"]) == 3
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()
