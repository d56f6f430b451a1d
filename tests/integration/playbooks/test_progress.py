# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far a run is: on a terminal only, and without any effect on what the modules do."""

from __future__ import annotations

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
    assert told(shown) == [WAITING, WAITING], shown


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
