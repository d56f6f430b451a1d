# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role does when runs go into quarantine: the tasks of the administrator, once, and the same failure after."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.integration.modules.objects import unique
from tests.integration.modules.target import Target
from tests.integration.playbooks.player import play
from tests.integration.playbooks.test_provision import inventory_of
from tests.lab.scenario import object_id

_HOOK = """---
- name: Append what the hook was told
  ansible.builtin.lineinfile:
    path: "{{ hook_told }}"
    line: "{{ gpad_quarantine | to_json }}"
    create: true
    mode: "0600"
"""
_LAST = "Fail with what the run failed with"


@pytest.fixture
def hook(target: Target) -> dict[str, str]:
    """Return the variables of a hook that writes down what it is told."""
    path = target.state / "on_quarantine.yml"
    path.write_text(_HOOK, encoding="utf-8")
    return {"gpad_provision_on_quarantine": str(path), "hook_told": str(target.state / "told.jsonl")}


def told(target: Target) -> list[dict[str, Any]]:
    """Return what the hook was told, one entry for each time."""
    path = target.state / "told.jsonl"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def last_words(output: str) -> str:
    """Return what the run says at its end."""
    assert _LAST in output, output
    return output[output.rindex(_LAST) :]


def test_the_hook_is_told_once_and_the_run_still_says_why_it_failed(target: Target, hook: dict[str, str]) -> None:
    cloud_id = target.admin.create_group(unique("Hooked"), [object_id("Britta Simon")])
    limits = {"creations": {"count": 0}}
    tight = inventory_of(target, cloud_id, gpad_limits=limits, **hook)
    assert play(tight, "--check", home=target.state).code != 0
    assert told(target) == []
    run = play(tight, home=target.state)
    assert run.code != 0 and run.failed == {target.domain: 1}, run.output
    assert "creations: 1 planned, 0 allowed" in last_words(run.output)
    (quarantine,) = told(target)
    assert quarantine["reason"] == "limit_exceeded" and quarantine["since"] < quarantine["next_at"]
    again = play(tight, home=target.state)
    assert again.code != 0 and len(told(target)) == 1
    refused = play(inventory_of(target, cloud_id, **hook), home=target.state)
    assert refused.code != 0 and "Runs are in quarantine since" in last_words(refused.output)
    assert target.entries(cloud_id) == [] and len(told(target)) == 1


def test_the_hook_is_told_of_a_log_on_that_entra_refused(target: Target, hook: dict[str, str]) -> None:
    cloud_id = target.admin.create_group(unique("No log-on"))
    run = play(inventory_of(target, cloud_id, gpad_client_secret="not-its-secret", **hook), home=target.state)
    assert run.code != 0 and run.failed == {target.domain: 1}, run.output
    assert "the client secret is wrong" in last_words(run.output)
    (quarantine,) = told(target)
    assert quarantine["reason"] == "asked_for" and "the client secret is wrong" in quarantine["message"]
    held = play(inventory_of(target, cloud_id, **hook), home=target.state)
    assert "Runs are in quarantine since" in last_words(held.output)
    assert target.entries(cloud_id) == []


def test_a_hook_that_fails_does_not_hide_why_the_run_failed(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Broken hook"))
    broken = target.state / "broken.yml"
    broken.write_text("---\n- name: Break\n  ansible.builtin.fail:\n    msg: the hook broke\n", encoding="utf-8")
    more: dict[str, Any] = {"gpad_limits": {"creations": {"count": 0}}, "gpad_provision_on_quarantine": str(broken)}
    run = play(inventory_of(target, cloud_id, **more), home=target.state)
    assert run.code != 0 and "the hook broke" in run.output
    assert "creations: 1 planned, 0 allowed" in last_words(run.output)


def test_a_whole_run_holds_the_journal_and_gives_it_back(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Held by the role"), [object_id("Britta Simon")])
    inventory = inventory_of(target, cloud_id)
    first = play(inventory, home=target.state)
    assert first.code == 0, first.output
    reviewed = play(inventory, home=target.state, playbook="hybrid_identity.gpad.plan")
    assert reviewed.code == 0, reviewed.output
    journal = str(target.state / "state" / "journal.sqlite3")
    assert target.keep(journal=journal, released=["lease"])["released"] == []
    plan_id = target.info("runs", journal=journal)["info"]["runs"][0]["plan_id"]
    undone = play(inventory, "-e", f"gpad_undo={plan_id}", home=target.state, playbook="hybrid_identity.gpad.undo")
    assert undone.code == 0, undone.output
    assert target.members(cloud_id) == set()
    assert target.keep(journal=journal, released=["lease"])["released"] == []
