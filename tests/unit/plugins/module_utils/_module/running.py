# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a module in this process: its arguments in, its result out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils import basic

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.arguments import QUARANTINE, SETTINGS

Runner = Callable[..., dict[str, Any]]


def run(
    patch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    runner: Callable[[], None],
    options: dict[str, Any],
    *,
    check_mode: bool = False,
    diff: bool = False,
) -> dict[str, Any]:
    """Run a module and return its result; `_rc` is how its process would have ended."""
    arguments = {**options, "_ansible_check_mode": check_mode, "_ansible_diff": diff}
    patch.setattr(basic, "_ANSIBLE_ARGS", json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode())
    # Newer ansible-core asks how the arguments are encoded; older ones do not know the word.
    patch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)
    # A test that imports the controller's side (a filter does) makes modules of this process believe they run there.
    internal = sys.modules.get("ansible.module_utils._internal")
    if internal is not None:
        patch.setattr(internal, "is_controller", False, raising=False)
    # AnsibleModule fills the default in place, which only matters where one process runs several modules.
    patch.setitem(SETTINGS["limits"], "default", {})
    patch.setitem(SETTINGS["retire"], "default", {})
    patch.setitem(QUARANTINE["quarantine"], "default", {})
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        runner()
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return {**result, "_rc": ended.value.code}
