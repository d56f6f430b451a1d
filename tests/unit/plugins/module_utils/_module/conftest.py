# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A world for each test that runs a module."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import applying, planning, progress
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.progress import PATH_VARIABLE
from tests.unit.plugins.module_utils._module.running import Runner, run
from tests.unit.plugins.module_utils._module.world import World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    """Files in a folder, and a directory with three accounts."""
    return World(monkeypatch, tmp_path)


@pytest.fixture
def gpad(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Runner:
    """Run a module on the world's files."""
    runners = {"plan": planning.run, "group": applying.run_groups, "membership": applying.run_members}

    def running(module: str, *stores: str, check_mode: bool = False, diff: bool = False, **more: Any) -> dict[str, Any]:
        options = world.options(*stores, **more)
        return run(monkeypatch, capsys, runners[module], options, check_mode=check_mode, diff=diff)

    return running


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Any]:
    """Ask modules how far they are; everything that they tell, as JSON brings it, not only once a second."""
    lines: list[Any] = []
    monkeypatch.setenv(PATH_VARIABLE, str(tmp_path / "unwritten"))
    monkeypatch.setattr(progress, "_PAUSE", 0.0)
    monkeypatch.setattr(progress.ProgressFile, "_write", lambda _self, _path, line: lines.append(json.loads(line)))
    return lines
