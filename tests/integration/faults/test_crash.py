# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module is killed, everywhere: no link is lost that stays, none comes from nowhere, and the next run finishes.

The gate kills at the first and the last of each kind of step that may leave a trace and at a few random moments;
`make crash` kills at all of them, before and after every step, each in a round of its own, and at hundreds of random
moments (`GPAD_CRASHES`).
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from itertools import zip_longest

import pytest

from tests.integration.faults.conftest import Inject
from tests.integration.faults.faultpoints import AFTER, BEFORE, Strike, leaves_a_trace
from tests.integration.faults.world import MODULES, World

RANDOM = int(os.environ.get("GPAD_CRASHES", "0"))
_RANDOM_IN_THE_GATE = 6
_GROUP, _MEMBERSHIP = MODULES[2:]
_WRITES = ("ldap add", "ldap modify", "ldap modify_dn", "ldap delete")
_BEGUN = "store insert into runs"


def wrote(steps: Sequence[str]) -> bool:
    """Return whether one of these steps writes to the directory."""
    return any(step in _WRITES for step in steps)


def traces(world: World, module: str) -> list[str]:
    """Return the steps of a module that leave a trace."""
    return list(filter(leaves_a_trace, world.steps[module]))


def chosen(steps: Sequence[str]) -> list[int]:
    """Return the points to die at, counted from 1: all for `make crash`, else the first and last of each kind."""
    if RANDOM:
        return list(range(1, len(steps) + 1))
    first = {step: point for point, step in reversed(list(enumerate(steps, start=1)))}
    last = {step: point for point, step in enumerate(steps, start=1)}
    return sorted({*first.values(), *last.values()})


def lead_to(world: World, module: str, start: str = MODULES[0]) -> None:
    """Run what comes before a module."""
    for earlier in MODULES[MODULES.index(start) : MODULES.index(module)]:
        world.run(earlier)


def survive(world: World, inject: Inject, *deaths: tuple[str, Strike]) -> None:
    """Let modules die in one round, each after an ordinary run of those before it, and see the round end in calm."""
    world.change()
    start = MODULES[0]
    for module, strike in deaths:
        lead_to(world, module, start)
        start = MODULES[1]  # a snapshot may be planned from again
        inject(f"crash of {module} {strike.moment} a step")
        world.die(module, strike)
        world.judge()
    world.run()
    world.settle()


def test_a_module_killed_before_its_first_write_wrote_nothing(world: World, inject: Inject) -> None:
    world.change()
    for module in MODULES:
        before = world.target.usn()
        for point in range(1, len(world.steps[module]) + 1):
            inject(f"crash of {module} before a step")
            world.die(module, Strike(point, BEFORE))
            *done, _next = world.target.last.steps
            if wrote(done):
                world.judge()
                break
            assert world.target.usn() == before, f"{module} wrote before step {point}"
            if _BEGUN in done:  # the plan is used up
                lead_to(world, module)
        lead_to(world, module)
        world.run(module)
    world.settle()


@pytest.mark.parametrize("module", MODULES[:2])
def test_what_a_lost_reading_knew_is_not_lost(world: World, inject: Inject, module: str) -> None:
    """A group was soft-deleted, and the run that saw it first died; the next one has to see it as well."""
    for point in (1, len(world.steps[module])):
        survive(world, inject, (module, Strike(point, AFTER)))


@pytest.mark.parametrize("half", [0, 1])
def test_killed_after_any_step_that_leaves_a_trace(world: World, inject: Inject, half: int) -> None:
    last = {module: len(traces(world, module)) for module in (_GROUP, _MEMBERSHIP)}
    open_before = world.open_runs()
    points = [[(module, point) for point in chosen(traces(world, module))][half::2] for module in last]
    runs = []
    for pair in zip_longest(*points):
        deaths = [(module, Strike(point, AFTER, traces=True)) for module, point in filter(None, pair)]
        survive(world, inject, *deaths)
        begun = [_BEGUN in traces(world, module)[: strike.point] for module, strike in deaths]
        # The last step of a run closes it.
        runs += [
            is_begun and strike.point < last[module] for is_begun, (module, strike) in zip(begun, deaths, strict=True)
        ]
    assert sum(runs) > 0
    assert world.open_runs() - open_before == sum(runs)


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_random_moments(world: World, inject: Inject, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    left = (RANDOM or _RANDOM_IN_THE_GATE) // 2
    while left > 0:
        world.change()
        # Two deaths in a round cost less than one in each.
        for module in sorted(chance.sample(MODULES, 2), key=MODULES.index):
            lead_to(world, module)
            died = world.dies_after(module, chance.uniform(0, world.seconds[module]))
            if died:
                inject(f"crash of {module} at a random moment")
            left -= died
            world.judge()
        world.run()
        world.settle()


@pytest.mark.skipif(not RANDOM, reason="half an hour of rounds; make crash runs them")
@pytest.mark.parametrize("moment", [BEFORE, AFTER])
def test_killed_at_every_step(world: World, inject: Inject, moment: str) -> None:
    for module in MODULES:
        for point in range(1, len(world.steps[module]) + 1):
            survive(world, inject, (module, Strike(point, moment)))
