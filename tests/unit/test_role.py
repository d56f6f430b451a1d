# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role repeats of the modules."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import auth

ROLES = Path(__file__).resolve().parents[2] / "roles"
ROLE = ROLES / "gpad_provision"
# What they say of it in words of their own.
OWN_WORDS = frozenset({"description"})


def test_the_refusals_of_a_log_on_are_those_of_the_modules() -> None:
    variables = yaml.safe_load((ROLE / "vars" / "main.yml").read_text(encoding="utf-8"))
    known = {code for code, _why, _remedy in auth._REASONS.values()} | {"log_on_refused"}
    assert variables["gpad_provision_log_on_refusals"] == sorted(known)


def options(role: str) -> dict[str, dict[str, object]]:
    """Return the options of the entry point main of a role, without their descriptions."""
    specs = yaml.safe_load((ROLES / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    found = specs["argument_specs"]["main"]["options"]
    return {name: {key: entry[key] for key in entry.keys() - OWN_WORDS} for name, entry in found.items()}


def test_a_run_on_demand_takes_what_an_ordinary_one_takes() -> None:
    ordinary, own = options("gpad_provision"), options("gpad_on_demand")
    only = {"gpad_on_demand_groups", "gpad_on_demand_members"}
    assert {name: entry for name, entry in own.items() if name not in only} == {
        name: entry for name, entry in ordinary.items() if name not in ("gpad_retry_now", "gpad_provision_show_report")
    }


@pytest.mark.parametrize(("tasks", "plan"), [("main.yml", "Plan"), ("undo.yml", "Plan the way back")])
def test_a_plan_that_was_approved_is_not_made_anew(tasks: str, plan: str) -> None:
    (block,) = yaml.safe_load((ROLE / "tasks" / tasks).read_text(encoding="utf-8"))
    conditions = {task["name"]: task.get("when") for task in block["block"]}
    assert conditions == {plan: "gpad_approve is not defined", "Apply": None, "Report": None}
