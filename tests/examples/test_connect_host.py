# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The task for the server of the sync client fits the module of ansible.windows; it is not run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tools import collections
from tests.tools.checkout import BUILD, ROOT

TASKS = ROOT / "roles" / "gpad_migrate_writeback_v2" / "tasks" / "run_on_connect.yml"
MODULE = "ansible.windows.win_powershell"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return where the collections of the examples are."""
    assert collections.main() == 0
    home = tmp_path_factory.mktemp("home")
    paths = f"{BUILD}{os.pathsep}{collections.FOLDER}"
    return {**os.environ, "ANSIBLE_HOME": str(home), "ANSIBLE_COLLECTIONS_PATH": paths}


def tool(name: str, *arguments: str, environment: dict[str, str]) -> str:
    command = [str(Path(sys.executable).with_name(name)), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_module_takes_and_gives_what_the_task_uses(environment: dict[str, str]) -> None:
    described: dict[str, Any] = json.loads(tool("ansible-doc", "-j", MODULE, environment=environment))[MODULE]
    (task,) = (task for task in yaml.safe_load(TASKS.read_text(encoding="utf-8")) if MODULE in task)
    assert set(task[MODULE]) <= set(described["doc"]["options"])
    assert "result" in described["return"]
    # Check mode is -WhatIf, which the scripts know.
    assert "SupportsShouldProcess" in json.dumps(described["doc"]["notes"])


def test_the_tasks_are_parsed_with_the_collection(environment: dict[str, str], tmp_path: Path) -> None:
    playbook = tmp_path / "play.json"
    play = {"hosts": "all", "gather_facts": False, "tasks": [{"ansible.builtin.import_tasks": str(TASKS)}]}
    playbook.write_text(json.dumps([play]), encoding="utf-8")
    tool("ansible-playbook", "-i", "server,", "--syntax-check", str(playbook), environment=environment)
