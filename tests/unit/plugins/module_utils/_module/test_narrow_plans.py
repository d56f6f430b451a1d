# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans that come from no snapshot are applied like any other, also before there is a journal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import applying, planning
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import UNIVERSAL_SECURITY
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from tests.unit.plugins.module_utils._module.running import run
from tests.unit.plugins.module_utils._module.world import World
from tests.unit.samples import anchored_group, cloud_id, directory_group, guid, sid

GLOBAL = "-2147483646"
MARK = f"TakenOver_Group_{cloud_id(10)}"
Prepare = Callable[..., tuple[dict[str, Any], dict[str, Any]]]


@pytest.fixture
def prepare(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Prepare:
    """Plan, and apply the plan."""

    def running(*, check: bool = False, **options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        given = world.options("journal", "plan", **options)
        plan = run(monkeypatch, capsys, planning.run, given, check_mode=check)
        own = {name: value for name, value in given.items() if name not in ("target_container", *options)}
        return plan, run(monkeypatch, capsys, applying.run_groups, own, check_mode=check)

    return running


def test_groups_are_made_universal_before_anything_was_provisioned(world: World, prepare: Prepare) -> None:
    world.directory.add_group(directory_group(10, groupType=(GLOBAL,)))
    _plan, dry = prepare(make_universal=[sid(2010)], check=True)
    assert dry["changed"] and world.directory.writes == []
    plan, applied = prepare(make_universal=[sid(2010)])
    assert (plan["outcome"], applied["outcome"], applied["changed"]) == ("ok", "ok", True)
    assert world.directory.nodes[guid(10)].attributes["groupType"] == (UNIVERSAL_SECURITY,)
    journal = JournalFile(world.folder / "journal", writable=False)
    # It is no memory of a tenant, of a rule for containers, or of what was provisioned.
    assert (journal.pins.get("tenant_id"), journal.pins.container_rule(), journal.fresh) == (None, None, True)
    journal.close()
    world.capture()
    assert prepare(snapshot=str(world.folder / "snapshot"))[1]["outcome"] == "ok"


def test_what_the_journal_remembers_is_handed_back(world: World, prepare: Prepare) -> None:
    world.directory.add_group(anchored_group(10, adminDescription=(MARK,)))
    journal = JournalFile(world.folder / "journal", writable=True)
    journal.begin_run("r", "gpad_group", "p", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00Z")
    before, after = {"adminDescription": ("by hand",)}, {"adminDescription": (MARK,)}
    journal.record(Applied("adopt", cloud_id(10), "Sales", guid(10), "CN=x", "done", before, after))
    journal.close()
    plan, applied = prepare(hand_back=[cloud_id(10).upper()])
    assert [change["name"] for change in plan["changes"]] == ["Sales"]
    assert applied["changed"] and world.directory.nodes[guid(10)].attributes["adminDescription"] == ("by hand",)
    plan, applied = prepare(hand_back=[cloud_id(10)])
    assert (plan["would_change"], applied["changed"]) == (False, False)


def test_what_nobody_remembers_is_told(world: World, prepare: Prepare) -> None:
    world.directory.add_group(anchored_group(10, adminDescription=(MARK,)))
    plan, _applied = prepare(hand_back=[cloud_id(10)])
    assert [error["code"] for error in plan["errors"]] == ["earlier_value_unknown"]
    assert world.directory.writes == []


@pytest.mark.parametrize("wrong", [{"hand_back": ["Sales"]}, {"make_universal": ["Sales"]}])
def test_names_are_not_guessed(prepare: Prepare, wrong: dict[str, Any]) -> None:
    plan, _applied = prepare(**wrong)
    assert [error["code"] for error in plan["errors"]] == ["configuration_invalid"]
