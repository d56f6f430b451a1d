# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which groups change, and in which order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.authority import (
    Candidate,
    Master,
    Rules,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.authority_decisions import (
    Decisions,
    decide,
)
from tests.unit.plugins.module_utils._provisioning.authorities import candidate, converted, inner, synced
from tests.unit.samples import cloud_group, cloud_id

UP = Rules(Master.CLOUD)


def order(made: Decisions) -> list[str]:
    return [one.group.id for one in made.changes]


def tree(inside: dict[int, set[int]]) -> list[Candidate]:
    return [candidate(synced(number), *map(inner, sorted(held))) for number, held in inside.items()]


def test_the_lowest_goes_first() -> None:
    made = decide(tree({1: {2, 3}, 2: {3}, 3: set(), 4: {1}}), UP)
    assert order(made) == [cloud_id(number) for number in (3, 2, 1, 4)]
    assert (made.problems, made.notices) == ([], [])


def test_what_is_so_already_is_left_alone() -> None:
    groups = [candidate(converted(1)), candidate(cloud_group(2, managed=False))]
    assert decide(groups, UP) == Decisions()
    assert order(decide([candidate(converted(1))], Rules(Master.ON_PREMISES))) == [cloud_id(1)]


def test_a_group_waits_for_those_inside_it_that_cannot_change() -> None:
    groups = [*tree({1: {2}, 2: {3}, 4: set()}), candidate(synced(3, mailEnabled=True))]
    made = decide(groups, UP)
    assert order(made) == [cloud_id(4)]
    assert {(problem.id, problem.code) for problem in made.problems} == {
        (cloud_id(3), "mail_enabled"),
        (cloud_id(2), "nested_failed"),
        (cloud_id(1), "nested_failed"),
    }


def test_a_circle_is_told_and_comes_between_what_it_holds_and_what_holds_it() -> None:
    made = decide(tree({1: {2}, 2: {3}, 3: {2, 4}, 4: set()}), UP)
    assert order(made) == [cloud_id(4), *sorted([cloud_id(2), cloud_id(3)], key=order(made).index), cloud_id(1)]
    (notice,) = made.notices
    assert notice.code == "nesting_cycle" and "Group 2" in notice.message and "Group 3" in notice.message


@given(st.dictionaries(st.integers(1, 7), st.sets(st.integers(1, 7)), max_size=7))
def test_every_group_comes_once_and_after_what_is_inside_it_unless_a_circle_ties_them(
    inside: dict[int, set[int]],
) -> None:
    made = order(decide(tree(inside), UP))
    assert sorted(made) == sorted(map(cloud_id, inside))
    place = {one: number for number, one in enumerate(made)}
    for outer, held in inside.items():
        for one in held & inside.keys():
            if place[cloud_id(one)] > place[cloud_id(outer)]:
                assert outer in _reached(inside, one)


def _reached(inside: dict[int, set[int]], start: int) -> set[int]:
    found: set[int] = set()
    left = [start]
    while left:
        fresh = inside.get(left.pop(), set()) - found
        found |= fresh
        left += fresh
    return found
