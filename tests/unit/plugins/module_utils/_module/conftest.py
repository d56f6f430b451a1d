# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A world for each test that runs a module."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.plugins.module_utils._module.world import World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> World:
    """Files in a folder, and a directory with three accounts."""
    return World(monkeypatch, tmp_path)
