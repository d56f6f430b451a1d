# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A group of 50,000 members, the most that is provisioned by default; run by make large, never by make test."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.forest.large_group import CHANGED, LargeGroup
from tests.integration.forest.sides import running
from tests.integration.modules.target import ROOT, Target
from tests.lab.scenario import object_id

DOMAIN = "large.test"
SIZE = 50_000
# The halvings of a batch of 1000 that find one bad value, two modifies each, and one look whether the group is there.
_BISECTION = 2 * 10 + 1


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    """The lab of 50,000 users; it stays up after a run if LARGE_LAB names its directory."""
    kept = os.environ.get("LARGE_LAB")
    start = time.monotonic()
    with running("large.yml", ROOT / kept if kept else tmp_path / "lab", keep=kept is not None) as (lab, admin):
        print(f"\nlab up after {time.monotonic() - start:.0f} s")
        target = Target(lab, admin, tmp_path, DOMAIN)
        for entry in lab.ldapsearch(DOMAIN, target.forest.managed_containers[0], "(objectClass=group)", "1.1"):
            lab.ldapmodify(DOMAIN, f"dn: {entry['dn'][0]}\nchangetype: delete\n")
        yield target


def _users(target: Target, numbers: range) -> set[str]:
    return {f"CN=load{number:05},OU=Load,{target.forest.base_dn}" for number in numbers}


def _captured(target: Target, group: LargeGroup, name: str) -> None:
    start = time.monotonic()
    target.snapshot_of(group.cloud_id)
    print(f"{name}: {time.monotonic() - start:.1f} s, {len(target.admin.requests())} requests to Graph")
    target.admin.clear_requests()


def test_fifty_thousand_members(target: Target) -> None:
    size = SIZE - CHANGED
    with target.lab.policy(DOMAIN) as policy:
        group = LargeGroup(target, policy, size)
        _captured(target, group, "gpad_scope, first")
        group.create()
        assert target.members(group.cloud_id) == _users(target, range(1, size + 1))
        quiet = group.leave_as_it_is()
        newcomers = [object_id(f"load{number:05}") for number in range(size + 1, SIZE + 1)]
        group.exchange(quiet, newcomers)
        assert target.members(group.cloud_id) == _users(target, range(CHANGED + 1, SIZE + 1))
    print(group.report())


def test_one_bad_value_among_fifty_thousand_is_found(target: Target) -> None:
    """A user is deleted between plan and apply: all others are written, and this one is told."""
    with target.lab.policy(DOMAIN) as policy:
        group = LargeGroup(target, policy, SIZE - 1)
        (gone,) = _users(target, range(SIZE, SIZE + 1))
        cloud_id = target.admin.create_group("With a bad one", [*group.members, object_id(f"load{SIZE:05}")])
        group.cloud_id = cloud_id
        _captured(target, group, "gpad_scope")
        group.run("gpad_plan, new group", target.plan)
        group.run("gpad_group, by the plan", target.group)
        target.lab.ldapmodify(DOMAIN, f"dn: {gone}\nchangetype: delete\n")
        result, cost = group.run("gpad_membership, one bad value", target.membership, outcome="partial")
        assert [(error["id"], error["code"]) for error in result["errors"]] == [(cloud_id, "object_missing")]
        assert f"1 of {SIZE} links" in result["errors"][0]["reason"]
        assert result["summary"]["members_added"] == SIZE - 1
        assert cost.writes <= SIZE // 1000 + _BISECTION
        assert target.members(cloud_id) == _users(target, range(1, SIZE))
    print(group.report())
