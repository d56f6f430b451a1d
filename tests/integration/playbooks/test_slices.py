# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One forest on several machines, as a person types it: four hosts of the inventory, and one of them down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.slices import index_of
from tests.integration.modules.objects import unique
from tests.integration.modules.target import Target
from tests.integration.playbooks.player import Play, play
from tests.integration.playbooks.test_provision import inventory_of
from tests.lab.scenario import object_id

BRITTA, LOLA = "Britta Simon", "Lola Jacobson"
MACHINES = ["node-a", "node-b", "node-c", "node-d"]
# Nothing listens there.
DOWN = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1, "ansible_ssh_retries": 0}


def run(inventory: Path, home: Path, *arguments: str) -> Play:
    return play(inventory, *arguments, home=home, playbook="hybrid_identity.gpad.provision_in_slices")


def inventory(target: Target, *groups: str, down: str = "") -> Path:
    """Write an inventory of the forest and four machines with folders of their own, of which one may be down."""
    path = inventory_of(target, *groups, gpad_provision_carry_directory=str(target.state / "carry"))
    content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    content["gpad_slices"] = {
        "hosts": {name: DOWN if name == down else {} for name in MACHINES},
        "vars": {
            **local,
            "gpad_provision_carry_directory": str(target.state / "carry"),
            "gpad_provision_slice_directory": str(target.state / "{{ inventory_hostname }}"),
        },
    }
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def of_each_machine(target: Target, more: int = 0) -> list[str]:
    """Create cloud groups, one or more for each machine, and one that holds the first."""
    found: list[str] = []
    while len(found) < len(MACHINES) + more or {index_of(one, 4) for one in found} != {0, 1, 2, 3}:
        found.append(target.admin.create_group(unique("Played"), [object_id(BRITTA)]))
    return [*found, target.admin.create_group(unique("Nesting"), [object_id(LOLA), found[0]])]


def assert_in_the_goal(target: Target, ids: list[str]) -> None:
    for cloud_id in ids[:-1]:
        assert target.members(cloud_id) == {target.person(BRITTA)}
    assert target.members(ids[-1]) == {target.person(LOLA), target.entry(ids[0])["dn"][0]}


@pytest.mark.long
def test_four_machines_do_it_and_a_second_run_changes_nothing(target: Target) -> None:
    ids = of_each_machine(target)
    hosts = inventory(target, *ids)
    before = target.usn()
    foretold = run(hosts, target.state, "--check")
    assert foretold.code == 0 and target.usn() == before, foretold.output
    assert foretold.output.count("create (new)") == len(ids)
    first = run(hosts, target.state)
    assert first.code == 0, first.output
    assert all(first.changed[name] > 0 for name in MACHINES)
    assert_in_the_goal(target, ids)
    assert target.forest.service_account.password not in first.output
    before = target.usn()
    second = run(hosts, target.state)
    assert (second.code, set(second.changed.values())) == (0, {0}), second.output
    assert target.usn() == before


@pytest.mark.long
def test_a_machine_that_is_down_is_named_and_an_ordinary_run_does_the_rest(target: Target) -> None:
    ids = of_each_machine(target)
    played = run(inventory(target, *ids, down="node-c"), target.state)
    assert played.code != 0 and played.failed[target.domain] == 1, played.output
    last = played.output[played.output.rindex("Fail when something could not be done") :]
    assert "Slice 2 of 0 to 3 did not come back" in last and "partial" in last
    missing = {cloud_id for cloud_id in ids if index_of(cloud_id, 4) == 2}
    assert {cloud_id for cloud_id in ids if not target.entries(cloud_id)} == missing
    born = {cloud_id: target.entry(cloud_id)["objectSid"] for cloud_id in ids if cloud_id not in missing}
    refused = play(inventory_of(target, *ids), home=target.state)
    assert refused.code != 0 and "Its slices may write until" in refused.output, refused.output
    arguments = ("-e", '{"gpad_restart": ["lease"]}')
    freed = play(inventory_of(target, *ids), *arguments, home=target.state, playbook="hybrid_identity.gpad.restart")
    assert freed.code == 0, freed.output
    ordinary = play(inventory_of(target, *ids), home=target.state)
    assert ordinary.code == 0, ordinary.output
    assert_in_the_goal(target, ids)
    assert all(target.entry(cloud_id)["objectSid"] == held for cloud_id, held in born.items())


def test_what_cannot_be_provisioned_so_is_refused_in_a_sentence(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Refused"))
    hosts = inventory_of(target, cloud_id)
    alone = run(hosts, target.state)
    assert alone.code != 0 and "the inventory has no hosts in a group gpad_slices" in alone.output
    content = yaml.safe_load(hosts.read_text(encoding="utf-8"))
    content["gpad"]["hosts"]["fabrikam.test"] = content["gpad"]["hosts"][target.domain]
    hosts.write_text(yaml.safe_dump(content), encoding="utf-8")
    two = run(hosts, target.state)
    assert two.code != 0 and "one forest at a time is provisioned in slices" in two.output
    assert not target.entries(cloud_id)
