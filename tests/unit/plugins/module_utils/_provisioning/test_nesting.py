# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups that are members of one another in a circle."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import nesting


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ({}, []),
        ({"a": ["b"], "b": ["c"]}, []),
        ({"a": ["b", "c"], "b": ["d"], "c": ["d"]}, []),
        ({"a": ["b"], "b": ["a"]}, [{"a", "b"}]),
        ({"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}, [{"a", "b", "c"}]),
        ({"a": ["b"], "b": ["a"], "c": ["d"], "d": ["c"], "e": ["a", "c"]}, [{"a", "b"}, {"c", "d"}]),
    ],
)
def test_circles_are_found(members: dict[str, list[str]], found: list[set[str]]) -> None:
    assert [set(cycle) for cycle in nesting.cycles(members)] == found


_graphs = st.dictionaries(st.sampled_from("abcdef"), st.frozensets(st.sampled_from("abcdef"), max_size=4))


@given(_graphs)
def test_each_circle_is_one_and_no_two_share_a_group(members: dict[str, frozenset[str]]) -> None:
    found = nesting.cycles(members)
    for cycle in found:
        steps = list(zip(cycle, (*cycle[1:], cycle[0]), strict=True))
        forwards = all(inner in members[outer] for outer, inner in steps)
        backwards = all(outer in members[inner] for outer, inner in steps)
        assert forwards or backwards
    together = [group for cycle in found for group in cycle]
    assert len(together) == len(set(together))


@given(_graphs)
def test_without_the_circles_nothing_goes_round(members: dict[str, frozenset[str]]) -> None:
    seen = {group for cycle in nesting.cycles(members) for group in cycle}
    rest = {group: inside - seen for group, inside in members.items() if group not in seen}
    assert nesting.cycles(rest) == []
    shuffled = dict(reversed(members.items()))
    assert nesting.cycles(shuffled) == nesting.cycles(members)


def test_a_circle_is_told_from_the_outside_in() -> None:
    (cycle,) = nesting.cycles({"a": ["b"], "b": ["c"], "c": ["a"]})
    assert "".join(cycle * 2).find("abc") >= 0
