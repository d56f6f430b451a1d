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


def test_what_is_configured_is_what_an_ordinary_run_takes() -> None:
    ordinary, own = options("gpad_provision"), options("gpad_configure")
    assert {name: entry for name, entry in own.items() if not name.startswith("gpad_configure_")} == {
        name: entry for name, entry in ordinary.items() if name not in ("gpad_retry_now", "gpad_provision_show_report")
    }


def test_every_option_of_a_run_decides_over_what_is_written_or_is_known_not_to() -> None:
    variables = yaml.safe_load((ROLE / "vars" / "main.yml").read_text(encoding="utf-8"))
    decisive = set(variables["gpad_provision_configuration_names"])
    connection = {name for name in options("gpad_provision") if name.startswith(("gpad_domain_", "gpad_client_"))}
    rest = {
        "gpad_approve",
        "gpad_ca_cert",
        "gpad_federated_token_file",
        "gpad_full_after_hours",
        "gpad_global_catalog_port",
        "gpad_graph_url",
        "gpad_log_path",
        "gpad_login_url",
        "gpad_managed_identity",
        "gpad_max_results",
        "gpad_max_snapshot_age",
        "gpad_properties",
        "gpad_provision_on_quarantine",
        "gpad_provision_show_report",
        "gpad_provision_state_directory",
        "gpad_quarantine_rules",
        "gpad_retry_days",
        "gpad_retry_hours",
        "gpad_retry_now",
        "gpad_snapshot_key",
        "gpad_write_order",
    }
    assert decisive | connection | rest == set(options("gpad_provision"))
    assert not decisive & (connection | rest)


@pytest.mark.parametrize(("tasks", "plan"), [("main.yml", "Plan"), ("undo.yml", "Plan the way back")])
def test_a_plan_that_was_approved_is_not_made_anew(tasks: str, plan: str) -> None:
    *_before, block = yaml.safe_load((ROLE / "tasks" / tasks).read_text(encoding="utf-8"))
    conditions = {task["name"]: task.get("when") for task in block["block"]}
    assert conditions == {plan: "gpad_approve is not defined", "Apply": None, "Report": None}


MIGRATION = ROLES / "gpad_migrate_writeback_v2" / "tasks"


def test_a_migration_reads_every_run_that_it_may_have_to_take_back() -> None:
    (task,) = yaml.safe_load((MIGRATION / "read_runs.yml").read_text(encoding="utf-8"))
    assert task["hybrid_identity.gpad.gpad_info"]["max_results"] >= 10**6


@pytest.mark.parametrize("tasks", ["names.yml", "take_over.yml"])
def test_no_variable_of_the_command_line_takes_the_place_of_the_limits_of_a_migration(tasks: str) -> None:
    text = (MIGRATION / tasks).read_text(encoding="utf-8")
    assert 'gpad_provision_limits: "{{ gpad_migrate_writeback_v2_limits }}"' in text and " gpad_limits:" not in text
