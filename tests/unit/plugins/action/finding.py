# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the action plugins share."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from ansible_collections.hybrid_identity.gpad.plugins.plugin_utils.progress import ProgressAction
from tests.unit.test_packaging import ROOT, packaged

COLLECTION = "ansible_collections.hybrid_identity.gpad.plugins"


def asks_a_telling_module(name: str) -> bool:
    """Return whether a plugin shows progress, and whether the module of its name tells of it."""
    plugin = import_module(f"{COLLECTION}.action.{name}")
    teller = Path(ROOT, "plugins/module_utils/_module/progress.py")
    return issubclass(plugin.ActionModule, ProgressAction) and teller in packaged(ROOT / f"plugins/modules/{name}.py")
