# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a run is: on a terminal only, and without any effect on what the modules do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.modules.target import Target
from tests.integration.playbooks.player import play, play_on_a_terminal
from tests.lab.inventory import write_inventory

OPTIONS = ("tenant_id", "client_id", "client_secret", "login_url", "graph_url", "ca_cert")
WAITING = "gpad_scope contoso.com: reading members, 0 of 1 groups, time left unknown"


def slow_playbook(target: Target) -> Path:
    """Write a playbook that captures one group, whose answer takes longer than a run may without a word."""
    cloud_id = target.admin.create_group("Slow")
    target.admin.fault("hang", path=r"\$batch", seconds=11)
    captured = target.state / "snapshot.sqlite3"
    return playbook(target, scope(snapshot=str(captured), selected_groups=[cloud_id]))


def scope(**more: Any) -> dict[str, Any]:
    """Return a task that captures selected groups; what else it needs is among the play's defaults."""
    return {"name": "Capture", "hybrid_identity.gpad.gpad_scope": {"scope_mode": "selected", **more}}


def playbook(target: Target, *tasks: dict[str, Any]) -> Path:
    """Write a playbook of tasks that reach the tenant by the module_defaults of an action group."""
    options = {name: f"{{{{ gpad_{name} }}}}" for name in OPTIONS}
    plays = [
        {
            "name": "Progress",
            "hosts": "gpad",
            "gather_facts": False,
            "vars": {"ansible_async_dir": str(target.state / "jobs")},
            "module_defaults": {"group/hybrid_identity.gpad.entra": options},
            "tasks": list(tasks),
        }
    ]
    path = target.state / "playbook.yml"
    path.write_text(yaml.safe_dump(plays, sort_keys=False))
    return path


def inventory_of(target: Target) -> Path:
    """Write the lab's inventory."""
    return write_inventory(target.lab.settings, target.state / "inventory.yml")


def told(output: str) -> list[str]:
    """Return the lines about progress."""
    return [line for line in output.splitlines() if line.startswith("gpad_")]


def test_a_slow_run_tells_how_far_it_is(target: Target) -> None:
    code, shown = play_on_a_terminal(inventory_of(target), str(slow_playbook(target)), home=target.state)
    assert code == 0, shown
    lines = told(shown)
    assert len(lines) >= 2 and WAITING in lines, shown


@pytest.mark.parametrize("switch", [{"CI": "true"}, {"GPAD_PROGRESS": "0"}])
def test_a_switch_in_the_environment_silences_it(target: Target, switch: dict[str, str]) -> None:
    code, shown = play_on_a_terminal(inventory_of(target), str(slow_playbook(target)), home=target.state, **switch)
    assert code == 0 and "ok=1" in shown, shown
    assert told(shown) == []


def test_without_a_terminal_it_is_silent(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    run = play(inventory_of(target), home=target.state, playbook=str(slow_playbook(target)))
    assert run.code == 0 and "ok=1" in run.output, run.output
    assert told(run.output) == []


# What a task may say beside the module's options.
KEYWORDS: dict[str, dict[str, Any]] = {
    "plain": {},
    "loop": {"loop": [1, 2]},
    "async": {"async": 60, "poll": 1},
    "delegated": {"delegate_to": "localhost"},
    "checked": {"check_mode": True},
    "become": {"become": True, "become_user": "root"},
    "secret": {"no_log": True},
    "tried_again": {"until": "attempt.attempts == 2", "retries": 2, "delay": 0, "register": "attempt"},
    "surrounded": {"environment": {"AZURE_CLIENT_ID": "of the task"}},
    "failing": {"ignore_errors": True, "vars": {"gpad_login_url": "http://in.clear"}},
}
# What differs between two runs of the same task.
OF_THE_RUN = frozenset({"ansible_job_id", "results_file"})


def results(target: Target, name: str, **environment: str) -> dict[str, Any]:
    """Run a task with each keyword, on a terminal, and return what was registered."""
    file = target.state / name
    options = {"snapshot": str(target.state / "none.sqlite3"), "selected_groups": ["Any"], "validate_only": True}
    tasks = [{**scope(**options), "register": f"{word}_result", **more} for word, more in KEYWORDS.items()]
    words = [str(task["register"]) for task in tasks]
    kept = "{{ dict(" + repr(words) + " | zip([" + ", ".join(words) + "])) | to_nice_json }}"
    keep = {"name": "Keep", "ansible.builtin.copy": {"content": kept, "dest": str(file), "mode": "0600"}}
    path = playbook(target, *tasks, keep)
    code, shown = play_on_a_terminal(inventory_of(target), str(path), home=target.state, **environment)
    assert code == 0, shown
    assert "errantly" not in shown and "Traceback" not in shown, shown
    found: dict[str, Any] = json.loads(file.read_text())
    return {
        word: {key: value for key, value in result.items() if key not in OF_THE_RUN} for word, result in found.items()
    }


@pytest.mark.long
def test_tasks_give_the_same_with_whatever_keyword(target: Target) -> None:
    shown = results(target, "shown.json")
    assert shown == results(target, "silent.json", GPAD_PROGRESS="0")
    outcomes = {word: result.get("outcome") for word, result in shown.items()}
    failing = outcomes.pop("failing_result")
    looped = outcomes.pop("loop_result")
    assert set(outcomes.values()) == {"ok"} and failing == "fatal" and looped is None
    assert [result["outcome"] for result in shown["loop_result"]["results"]] == ["ok", "ok"]
