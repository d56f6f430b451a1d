# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook that provisions a few groups now, and what it leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.modules.objects import unique
from tests.integration.modules.target import Target
from tests.integration.playbooks.player import Play, play
from tests.integration.playbooks.test_provision import inventory_of
from tests.lab.scenario import object_id

BRITTA, LOLA = "Britta Simon", "Lola Jacobson"


def demand(inventory: Path, target: Target, *arguments: str) -> Play:
    return play(inventory, *arguments, home=target.state, playbook="hybrid_identity.gpad.on_demand")


def files(target: Target) -> dict[str, bytes]:
    """Return the files of the ordinary runs."""
    return {name: (target.state / "state" / name).read_bytes() for name in ("snapshot.sqlite3", "plan.jsonl")}


def test_chosen_members_of_one_group_and_nothing_else(target: Target) -> None:
    name = unique("On demand")
    cloud_id = target.admin.create_group(name, [object_id(BRITTA), object_id(LOLA)])
    other = target.admin.create_group(unique("Not named"), [object_id(BRITTA)])
    gone = target.admin.create_group(unique("Not named, gone"), [object_id(BRITTA)])
    everything = inventory_of(target, other, gone)
    assert play(everything, home=target.state).code == 0
    target.admin.remove_member(other, object_id(BRITTA))
    target.admin.delete_group(gone)
    held, others = files(target), target.usn()

    chosen = {"gpad_on_demand_groups": [name], "gpad_on_demand_members": [object_id(BRITTA)]}
    inventory = inventory_of(target, cloud_id, other, gone, **chosen)
    dry = demand(inventory, target, "--check")
    assert dry.code == 0 and "would be done" in dry.output and target.entries(cloud_id) == [], dry.output
    done = demand(inventory, target)
    assert done.code == 0, done.output
    assert target.members(cloud_id) == {target.person(BRITTA)}
    for words in (f"{name}: done", f"{name}: member {BRITTA}: done", "in scope (selected)", "match: no object yet"):
        assert words in done.output
    assert f"member {LOLA}" not in done.output and "Groups that were not named were not looked at" in done.output
    assert files(target) == held
    assert {dn: usn for dn, usn in target.usn().items() if dn in others} == others

    again = demand(inventory, target)
    assert again.code == 0 and again.changed == {target.domain: 0}, again.output
    assert f"{name}: unchanged" in again.output and f"member {BRITTA}: unchanged" in again.output
    target.admin.remove_member(cloud_id, object_id(BRITTA))
    account = target.person(BRITTA)
    former = inventory_of(target, cloud_id, **{**chosen, "gpad_on_demand_members": [account]})
    removed = demand(former, target)
    assert removed.code == 0 and f"member {account}: done" in removed.output, removed.output
    assert target.members(cloud_id) == set()
    whole = inventory_of(target, cloud_id, gpad_on_demand_groups=[cloud_id])
    assert demand(whole, target).code == 0 and target.members(cloud_id) == {target.person(LOLA)}
    ordinary = play(inventory_of(target, cloud_id, other, gone), home=target.state)
    assert ordinary.code == 0 and target.members(other) == set(), ordinary.output


@pytest.mark.long
def test_what_is_out_of_scope_unknown_deleted_or_not_unique_is_told(target: Target) -> None:
    inside = target.admin.create_group(unique("Selected"), [object_id(BRITTA)])
    outside, twice = unique("Not selected"), unique("Twice")
    outside_id = target.admin.create_group(outside)
    twin_ids = [target.admin.create_group(twice) for _unused in range(2)]
    scope = {"gpad_selected_groups": [inside, "Sales", twice]}
    run = demand(inventory_of(target, gpad_on_demand_groups=[outside_id], **scope), target)
    assert run.code == 0 and "it is not among the selected groups" in run.output, run.output
    run = demand(inventory_of(target, gpad_on_demand_groups=[inside, twice, "No such group"], **scope), target)
    assert run.code != 0 and "fits 2 groups" in run.output and "fits no group" in run.output
    assert target.members(inside) == {target.person(BRITTA)}
    run = demand(inventory_of(target, gpad_on_demand_groups=[twin_ids[0]], **scope), target)
    assert run.code != 0 and "fits 2 groups" in run.output and target.entries(twin_ids[0]) == []
    target.admin.delete_group(inside)
    run = demand(inventory_of(target, gpad_on_demand_groups=[inside], **scope), target)
    assert run.code == 0 and "was deleted; a run of named groups retires nothing" in run.output, run.output
    assert target.members(inside) == {target.person(BRITTA)}
    for wrong in ([], ["Britta"]):
        chosen = {"gpad_on_demand_groups": [inside], "gpad_on_demand_members": wrong}
        refused = demand(inventory_of(target, inside, **chosen), target)
        assert refused.code != 0 and ("is empty" in refused.output or "is no object id" in refused.output)
