# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A configuration that is in use: enabled by a reviewed plan, disabled by a change, and what it lets through."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import keeping, planning
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.planfile import PlanFile
from tests.unit.plugins.module_utils._module.running import Runner, run
from tests.unit.plugins.module_utils._module.world import World
from tests.unit.samples import user

OURS, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def keep(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run gpad_journal."""

    def running(check_mode: bool = False, **more: Any) -> dict[str, Any]:
        options = {"journal": str(world.folder / "journal"), "plan": str(world.folder / "plan"), **more}
        return run(monkeypatch, capsys, keeping.run, options, check_mode=check_mode)

    return running


@pytest.fixture
def plan(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run gpad_plan, and return the checksum of the plan."""

    def running(check_mode: bool = False, **more: Any) -> str:
        options = world.options("snapshot", "journal", "plan", **more)
        return str(run(monkeypatch, capsys, planning.run, options, check_mode=check_mode)["checksum"])

    return running


def code(result: dict[str, Any]) -> str:
    """Return the code of the only error, or an empty string."""
    errors = [error["code"] for error in result["errors"]]
    assert len(errors) < 2
    return errors[0] if errors else ""


def test_a_reviewed_plan_enables_and_a_change_disables(world: World, keep: Any, plan: Any, gpad: Runner) -> None:
    world.capture()
    assert keep(configured=OURS)["changed"] and not keep(configured=OURS)["changed"]
    checksum = plan(configuration=OURS)
    assert code(gpad("group", "plan", "journal")) == "configuration_disabled" and not world.directory.writes
    told = gpad("group", "plan", "journal", check_mode=True)
    assert [notice["code"] for notice in told["notices"]] == ["configuration_disabled"]
    foretold = keep(configured=OURS, enabled_by=checksum, check_mode=True)
    assert foretold["changed"] and code(gpad("group", "plan", "journal")) == "configuration_disabled"
    enabled = keep(configured=OURS, enabled_by=checksum.upper())
    assert enabled["configuration"] == {"digest": OURS, "enabled": True, "enabled_by": checksum}
    assert code(gpad("group", "plan", "journal")) == "" and world.directory.writes
    # A plan that took its place does not end what was enabled.
    world.capture({10: (user(1), user(2)), 11: ()})
    plan(configuration=OURS)
    assert not keep(configured=OURS, enabled_by=checksum)["changed"]
    changed = keep(configured=OTHER, enabled_by=checksum, stopped=True)
    assert code(changed) == "plan_not_approved" and not keep()["stopped"]
    assert code(gpad("group", "plan", "journal")) == "plan_of_other_configuration"
    assert keep()["configuration"] == {"digest": OTHER, "enabled": False, "enabled_by": ""}


def test_a_plan_of_another_configuration_or_none_is_refused(world: World, keep: Any, plan: Any, gpad: Runner) -> None:
    world.capture()
    assert code(keep(configured=OURS, enabled_by=plan(configuration=OTHER))) == "plan_of_other_configuration"
    assert code(keep(configured=OURS, enabled_by=plan(configuration=OURS, check_mode=True))) == "plan_not_whole"
    assert code(keep(configured=OURS, enabled_by=plan(configuration=OURS))) == ""
    assert code(gpad("group", "plan", "journal")) == ""
    world.capture({10: (user(1),), 11: ()})
    plan()
    assert code(gpad("group", "plan", "journal")) == "plan_of_other_configuration"
    assert code(gpad("group", "snapshot", "journal")) == "plan_of_other_configuration"


def test_a_narrowed_plan_enables_nothing_and_is_let_through_once_enabled(
    world: World, keep: Any, plan: Any, gpad: Runner
) -> None:
    world.capture(narrowed=True)
    assert code(keep(configured=OURS, enabled_by=plan(configuration=OURS))) == "plan_not_whole"
    world.capture({10: ()})
    keep(configured=OURS, enabled_by=plan(configuration=OURS))
    world.capture({10: (), 11: ()}, narrowed=True)
    plan(configuration=OURS)
    assert code(gpad("group", "plan", "journal")) == ""


def test_disabling_by_hand(world: World, keep: Any, plan: Any) -> None:
    world.capture()
    keep(configured=OURS, enabled_by=plan(configuration=OURS))
    assert keep(configured=OURS)["changed"] and not keep()["configuration"]["enabled"]


def test_nothing_is_asked_where_no_configuration_is_in_use(world: World, plan: Any, gpad: Runner) -> None:
    world.capture()
    plan(configuration=OURS)
    assert PlanFile(world.folder / "plan").header.configuration == OURS
    assert code(gpad("group", "plan", "journal")) == ""
    assert JournalFile(world.folder / "journal", writable=False).pins.configuration() == ""


@pytest.mark.parametrize("options", [{"configured": "x"}, {"configured": OURS, "enabled_by": "x"}])
def test_what_is_no_digest_is_refused(world: World, keep: Any, options: dict[str, str]) -> None:
    assert "is no SHA-256" in keep(**options)["msg"]


def test_options_are_validated_without_a_look_at_anything(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.reached = False

    def validate(**more: Any) -> dict[str, Any]:
        options = world.options("snapshot", "journal", "plan", validate_only=True, **more)
        return run(monkeypatch, capsys, planning.run, options)

    assert validate()["outcome"] == "ok" and list(world.folder.iterdir()) == []
    assert validate(target_container="[displayName]")["outcome"] == "ok"
    for option in ("target_container", "container_default"):
        assert f"{option}: OU=Elsewhere,DC=example" in validate(**{option: "OU=Elsewhere,DC=example"})["msg"]
    assert "creations.count is -1" in validate(limits={"creations": {"count": -1}})["msg"]
    assert "no list of hours" in validate(retry_hours=[0])["msg"]
