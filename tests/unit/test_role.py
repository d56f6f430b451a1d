# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role repeats of the modules."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import auth

ROLE = Path(__file__).resolve().parents[2] / "roles" / "gpad_provision"


def test_the_refusals_of_a_log_on_are_those_of_the_modules() -> None:
    variables = yaml.safe_load((ROLE / "vars" / "main.yml").read_text(encoding="utf-8"))
    known = {code for code, _why, _remedy in auth._REASONS.values()} | {"log_on_refused"}
    assert variables["gpad_provision_log_on_refusals"] == sorted(known)


@pytest.mark.parametrize(("tasks", "plan"), [("main.yml", "Plan"), ("undo.yml", "Plan the way back")])
def test_a_plan_that_was_approved_is_not_made_anew(tasks: str, plan: str) -> None:
    (block,) = yaml.safe_load((ROLE / "tasks" / tasks).read_text(encoding="utf-8"))
    conditions = {task["name"]: task.get("when") for task in block["block"]}
    assert conditions == {plan: "gpad_approve is not defined", "Apply": None, "Report": None}
