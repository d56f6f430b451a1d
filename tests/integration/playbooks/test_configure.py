# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook that holds one configuration: nothing is written before a review, nor after a change."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from tests.integration.modules.objects import unique
from tests.integration.modules.target import Target
from tests.integration.playbooks.player import Play, play
from tests.integration.playbooks.test_provision import inventory_of
from tests.lab.inventory import host_vars, write_hosts
from tests.lab.scenario import object_id

BRITTA = "Britta Simon"


def configure(inventory: Path, target: Target, *arguments: str, **more: object) -> Play:
    given = [*arguments, "-e", json.dumps(more)]
    return play(inventory, *given, home=target.state, playbook="hybrid_identity.gpad.configure")


def reviewed(inventory: Path, target: Target) -> str:
    """Plan, and return the checksum of the plan."""
    run = play(inventory, home=target.state, playbook="hybrid_identity.gpad.plan")
    assert run.code == 0, run.output
    report = json.loads((target.state / "state" / "plan-report.json").read_text(encoding="utf-8"))
    return str(report["checksum"])


@pytest.mark.long
def test_nothing_is_written_before_a_review_nor_after_a_change(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Configured"), [object_id(BRITTA)])
    inventory = inventory_of(target, cloud_id)
    dry = configure(inventory, target, "--check", "--diff")
    assert dry.code == 0 and "gpad_target_container is new" in dry.output, dry.output
    assert not (target.state / "state" / "journal.sqlite3").exists()
    first = configure(inventory, target)
    assert first.code == 0 and "disabled: run the playbook plan" in first.output, first.output
    again = configure(inventory, target)
    assert again.code == 0 and again.changed == {target.domain: 0} and "Nothing differs" in again.output
    refused = play(inventory, home=target.state)
    assert refused.code != 0 and "The configuration is disabled" in refused.output, refused.output
    assert target.entries(cloud_id) == []
    unasked = configure(inventory, target, gpad_configure_enabled=True)
    assert unasked.code != 0 and "needs gpad_configure_reviewed" in unasked.output
    wrong = configure(inventory, target, gpad_configure_enabled=True, gpad_configure_reviewed="0" * 64)
    assert wrong.code != 0 and "is not the checksum of the plan" in wrong.output

    enabled = {"gpad_configure_enabled": True, "gpad_configure_reviewed": reviewed(inventory, target)}
    done = configure(inventory, target, **enabled)
    assert done.code == 0 and "enabled by the plan" in done.output, done.output
    assert play(inventory, home=target.state).code == 0
    assert target.members(cloud_id) == {target.person(BRITTA)}
    still = configure(inventory, target, **enabled)
    assert still.code == 0 and still.changed == {target.domain: 0}, still.output

    changed = inventory_of(target, cloud_id, gpad_moves="follow")
    held = play(changed, home=target.state)
    assert held.code != 0 and "not made under the configuration" in held.output, held.output
    told = configure(changed, target, "--diff", **enabled)
    assert told.code != 0 and "gpad_moves differs" in told.output, told.output
    held = play(changed, home=target.state)
    assert held.code != 0 and "The configuration is disabled" in held.output, held.output
    enabled["gpad_configure_reviewed"] = reviewed(changed, target)
    assert configure(changed, target, **enabled).code == 0
    assert play(changed, home=target.state).code == 0

    password = target.forest.service_account.password
    kept = target.state / "state" / "configuration.json"
    assert password not in kept.read_text(encoding="utf-8") and kept.stat().st_mode & 0o777 == 0o600


def test_what_cannot_work_is_refused_without_asking_anybody(target: Target) -> None:
    target.admin.clear_requests()
    wrong: list[tuple[dict[str, object], str]] = [
        ({"gpad_filters": [{"clauses": [{"attribute": "nickname", "operator": "EQUALS", "value": "x"}]}]}, "nickname"),
        ({"gpad_target_container": "OU=Elsewhere,DC=contoso,DC=com"}, "OU=Elsewhere"),
        ({"gpad_attribute_mappings": [{"target": "description", "expression": "Left("}]}, "Left("),
        ({"gpad_limits": {"creations": {"count": -1}}}, "creations.count is -1"),
        ({"gpad_retry_hours": [0]}, "no list of hours"),
    ]
    hosts = {
        f"wrong{number}": {
            **host_vars(target.lab.settings, target.domain),
            "gpad_selected_groups": ["Sales"],
            "gpad_scope_mode": "selected",
            "gpad_provision_state_directory": str(target.state / f"state{number}"),
            **variables,
        }
        for number, (variables, _words) in enumerate(wrong)
    }
    run = configure(write_hosts(target.state / "inventory.yml", hosts), target)
    assert run.code != 0 and run.failed == dict.fromkeys(hosts, 1), run.output
    for host, (_variables, words) in zip(hosts, wrong, strict=True):
        assert words in run.complaint(host), (words, run.output)
    assert target.admin.requests() == [] and list(target.state.rglob("journal.sqlite3")) == []


@pytest.mark.long
def test_a_configuration_is_removed_and_its_groups_stay(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Stays"), [object_id(BRITTA)])
    inventory = inventory_of(target, cloud_id)
    assert play(inventory, home=target.state).code == 0
    usn, state = target.usn(), target.state / "state"
    away = {"gpad_configure_state": "absent"}
    refused = configure(inventory, target, **away)
    assert (
        refused.code != 0 and "give gpad_configure_confirm" in refused.output and (state / "journal.sqlite3").exists()
    )
    (state / "kept by hand").touch()
    away["gpad_configure_confirm"] = target.domain
    dry = configure(inventory, target, "--check", **away)
    assert dry.code == 0 and (state / "journal.sqlite3").exists(), dry.output
    # A run that died holds the journal; what lets go of it is told.
    with closing(JournalFile(state / "journal.sqlite3", writable=True)) as journal:
        journal.lease.take("dead")
    held = configure(inventory, target, **away)
    assert held.code != 0 and "The plan dead holds the journal" in held.output, held.output
    assert "gpad_restart: [lease]" in held.output and (state / "plan.jsonl").exists()
    free = ("-e", '{"gpad_restart": ["lease"]}')
    assert play(inventory, *free, home=target.state, playbook="hybrid_identity.gpad.restart").code == 0
    done = configure(inventory, target, **away)
    assert done.code == 0, done.output
    assert [path.name for path in state.iterdir()] == ["kept by hand"]
    listed = json.loads((target.state / "state.removed.json").read_text(encoding="utf-8"))
    assert cloud_id in {entry["id"] for entry in listed} and target.usn() == usn
    again = configure(inventory, target, **away)
    assert again.code == 0 and again.changed == {target.domain: 0}, again.output
