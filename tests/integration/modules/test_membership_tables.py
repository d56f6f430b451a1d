# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of who becomes a member, row by row, each on a live directory."""

from __future__ import annotations

import pytest

from tests.integration.modules import objects
from tests.integration.modules.objects import unique
from tests.integration.modules.target import Target
from tests.lab.scenario import object_id

BRITTA, LOLA, CLOUD_ONLY, NIMBUS = "Britta Simon", "Lola Jacobson", "Cora Cloud", "Nils Nimbus"

_USER_ROWS = [
    pytest.param([BRITTA, LOLA], [BRITTA, LOLA], id="cloud parent, members on premises: all are written"),
    pytest.param([CLOUD_ONLY, NIMBUS], [], id="cloud parent, members in the cloud: none is written"),
    pytest.param([BRITTA, CLOUD_ONLY], [BRITTA], id="cloud parent, mixed members: those on premises are written"),
    pytest.param([], [], id="cloud parent, no members: an empty group"),
]


@pytest.mark.parametrize(("listed", "written"), _USER_ROWS)
def test_user_members(target: Target, listed: list[str], written: list[str]) -> None:
    cloud_id = target.admin.create_group(unique("Users"), [object_id(name) for name in listed])
    target.snapshot_of(cloud_id)
    plan = target.apply_plan()
    assert target.members(cloud_id) == {target.person(name) for name in written}
    left_out = {(object_id(name), "cloud_only_user") for name in set(listed) - set(written)}
    assert objects.skipped(plan, cloud_id) == left_out


def test_user_members_of_a_group_mastered_on_premises_are_not_written(target: Target) -> None:
    dn = objects.add_group(target, unique("On premises"))
    cloud_id = objects.converted_group(target, dn, (object_id(BRITTA),), cloud_managed=False)
    target.snapshot_of(cloud_id)
    plan = target.apply_plan()
    assert (cloud_id, "on_premises_synced") in {(entry["id"], entry["code"]) for entry in plan["skips"]}
    assert "member" not in objects.read(target, dn)


def _group(target: Target, kind: str, name: str, members: tuple[str, ...] = ()) -> str:
    """Make a group that was born in the cloud, converted to it, or is mastered on premises."""
    if kind == "cloud":
        return target.admin.create_group(unique(name), list(members))
    dn = objects.add_group(target, unique(name))
    return objects.converted_group(target, dn, members, cloud_managed=kind == "converted")


_NESTED_ROWS = [
    ("cloud", "cloud", True),
    ("cloud", "on premises", False),
    ("cloud", "converted", True),
    ("converted", "cloud", True),
    ("converted", "on premises", False),
    ("converted", "converted", True),
]


@pytest.mark.parametrize(
    ("parent", "member", "linked"),
    [
        pytest.param(*row, id=f"{row[0]} parent, {row[1]} member: {'linked' if row[2] else 'left out'}")
        for row in _NESTED_ROWS
    ],
)
def test_nested_groups(target: Target, parent: str, member: str, *, linked: bool) -> None:
    inner = _group(target, member, "Inner")
    outer = _group(target, parent, "Outer", (inner, object_id(BRITTA)))
    target.snapshot_of(outer, *([inner] if linked else []))
    plan = target.apply_plan()
    expected = {target.person(BRITTA)} | ({target.entry(inner)["dn"][0]} if linked else set())
    assert target.members(outer) == expected
    assert objects.skipped(plan, outer) == (set() if linked else {(inner, "synced_group")})


def test_groups_nested_at_mixed_depths(target: Target) -> None:
    deepest = target.admin.create_group(unique("Depth 3"), [object_id(LOLA)])
    middle = target.admin.create_group(unique("Depth 2"), [deepest])
    top = target.admin.create_group(unique("Depth 1"), [middle, deepest, object_id(BRITTA)])
    target.provision(top, middle, deepest)
    dns = {cloud_id: target.entry(cloud_id)["dn"][0] for cloud_id in (middle, deepest)}
    assert target.members(deepest) == {target.person(LOLA)}
    assert target.members(middle) == {dns[deepest]}
    assert target.members(top) == {dns[middle], dns[deepest], target.person(BRITTA)}


def test_groups_in_a_circle_are_written_and_told(target: Target) -> None:
    first = target.admin.create_group(unique("Circle"))
    second = target.admin.create_group(unique("Circle"), [first])
    target.admin.add_member(first, second)
    target.snapshot_of(first, second)
    plan = target.apply_plan()
    assert target.members(first) == {target.entry(second)["dn"][0]}
    assert target.members(second) == {target.entry(first)["dn"][0]}
    assert objects.noticed(plan, first) | objects.noticed(plan, second) == {"nesting_cycle"}
    assert not target.plan()["would_change"]


def test_a_group_in_itself_is_left_out(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Itself"), [object_id(BRITTA)])
    target.admin.add_member(cloud_id, cloud_id)
    target.snapshot_of(cloud_id)
    plan = target.apply_plan()
    assert target.members(cloud_id) == {target.person(BRITTA)}
    assert objects.skipped(plan, cloud_id) == {(cloud_id, "group_itself")}


def test_a_member_group_that_comes_into_scope_is_linked_in_that_run(target: Target) -> None:
    inner = target.admin.create_group(unique("Later"))
    outer = target.admin.create_group(unique("Waiting"), [inner])
    target.provision(outer)
    assert target.members(outer) == set()
    target.provision(outer, inner)
    assert target.members(outer) == {target.entry(inner)["dn"][0]}


def test_a_member_group_that_leaves_scope_keeps_its_link_while_it_is_listed(target: Target) -> None:
    inner = target.admin.create_group(unique("Leaving"))
    outer = target.admin.create_group(unique("Holding"), [inner])
    target.provision(outer, inner)
    linked = {target.entry(inner)["dn"][0]}
    target.snapshot_of(outer)
    plan = target.apply_plan()
    assert target.members(outer) == linked
    assert objects.skipped(plan, outer) == {(inner, "group_not_provisioned")}
    target.admin.remove_member(outer, inner)
    target.provision(outer)
    assert target.members(outer) == set()
