# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gpad_info gathers of groups of writeback V2, and gpad_plan does with it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import preflight
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import (
    applying,
    inspecting,
    planning,
    writeback_side,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.writeback import (
    WritebackGroup,
    WritebackMember,
)
from tests.unit.plugins.module_utils._module.running import run
from tests.unit.plugins.module_utils._module.world import World
from tests.unit.samples import BASE, MANAGED, cloud_id, directory_group, guid, sid

MARK = f"Group_{cloud_id(10)}"
GROUP = WritebackGroup(
    guid(10),
    sid(2010),
    f"CN={MARK},{MANAGED}",
    -2147483640,
    MARK,
    members=(WritebackMember(guid(1), sid(5001), f"CN=User 1,{BASE}", "user"),),
)
Look = Callable[..., dict[str, Any]]


@pytest.fixture
def held() -> list[WritebackGroup]:
    """The groups that a reading finds."""
    return [GROUP]


@pytest.fixture
def look(
    world: World, held: list[WritebackGroup], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Look:
    """Gather."""
    monkeypatch.setattr(writeback_side, "read_writeback", lambda *_asked: tuple(held))
    monkeypatch.setattr(preflight, "right_rows", lambda *_asked: ())

    def running(*stores: str, **more: Any) -> dict[str, Any]:
        given = {"gather": ["writeback"], **more}
        return run(monkeypatch, capsys, inspecting.run, {**world.options(*stores), **given})

    return running


def test_the_table_and_who_is_ready(world: World, look: Look) -> None:
    world.capture()
    result = look("snapshot")
    found = result["info"]["writeback"]
    assert (result["outcome"], result["changed"], found["ready"], found["anchored"]) == ("ok", False, [guid(10)], [])
    rows = {(row["check"], row["status"]) for row in found["checks"]}
    assert {("names", "attention"), ("scope", "ok"), ("anchor_form", "ok")} <= rows
    assert (found["summary"]["writeback_v2"], found["groups"][0]["origin"]) == (1, "writeback_v2")
    assert look("snapshot", writeback_leave=[guid(10).upper()])["info"]["writeback"]["ready"] == []


def test_without_a_snapshot_the_cloud_is_unknown(look: Look) -> None:
    found = look()["info"]["writeback"]
    assert found["ready"] == [] and found["summary"]["rows_unknown"] == 4


def test_members_go_into_the_file_alone(world: World, look: Look, tmp_path: Path) -> None:
    world.capture()
    path = tmp_path / "export.json"
    result = look("snapshot", report_path=str(path))
    (shown,) = result["info"]["writeback"]["groups"]
    assert shown["member_count"] == 1 and "members" not in shown
    (written,) = json.loads(path.read_text())["info"]["writeback"]["groups"]
    assert written["members"][0]["object_sid"] == sid(5001)


def test_the_present_is_compared_with_an_export(
    world: World, look: Look, held: list[WritebackGroup], tmp_path: Path
) -> None:
    path = tmp_path / "export.json"
    look(report_path=str(path))
    assert look("journal", writeback_export=str(path))["info"]["writeback"]["differences"] == []
    held[0] = replace(GROUP, members=(), anchor=MARK)
    found = look("journal", writeback_export=str(path))["info"]["writeback"]["differences"]
    assert [(one["what"], one["expected"]) for one in found] == [("anchor", True), ("member_lost", False)]
    assert "journal" in look(writeback_export=str(path))["msg"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"writeback_containers": ["Groups"]}, "configuration_invalid"),
        ({"writeback_leave": ["Sales"]}, "configuration_invalid"),
    ],
)
def test_what_makes_no_sense_is_refused(look: Look, options: dict[str, Any], code: str) -> None:
    assert [error["code"] for error in look(**options)["errors"]] == [code]


@pytest.mark.parametrize("text", ["", "[]", '{"info": {}}', '{"groups": [], "read_at": "", "domain": "DC=other"}'])
def test_what_is_no_export_of_this_domain_is_refused(look: Look, tmp_path: Path, text: str) -> None:
    path = tmp_path / "export.json"
    path.write_text(text)
    result = look("journal", writeback_export=str(path))
    assert [error["code"] for error in result["errors"]] == ["writeback_export_invalid"]


def test_an_account_that_is_not_trusted_is_named(world: World, look: Look) -> None:
    world.capture()
    rows = look("snapshot")["info"]["writeback"]["checks"]
    (row,) = (row for row in rows if row["check"] == "rights")
    # The directory in memory has no descriptor for a group that it does not hold.
    assert (row["status"], row["guid"]) == ("attention", guid(10)) and "cannot be read" in row["found"]


def test_anchors_are_stamped_and_taken_back(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.directory.add_group(directory_group(10, adminDescription=(MARK,)))

    def both(**options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        given = world.options("journal", "plan", **options)
        plan = run(monkeypatch, capsys, planning.run, given)
        own = {name: value for name, value in given.items() if name not in ("target_container", *options)}
        return plan, run(monkeypatch, capsys, applying.run_groups, own)

    plan, done = both(stamp_anchors=[guid(10).upper()])
    assert (plan["would_change"], done["changed"], done["summary"]["anchors_stamped"]) == (True, True, 1)
    assert world.directory.nodes[guid(10)].attributes[ANCHOR] == (MARK,)
    assert both(stamp_anchors=[guid(10)])[1]["changed"] is False
    assert both(undo=plan["plan_id"])[1]["changed"] is True
    assert not world.directory.nodes[guid(10)].attributes.get(ANCHOR)
    (error,) = both(stamp_anchors=["Sales"])[0]["errors"]
    assert error["code"] == "configuration_invalid" and "objectGUID" in error["reason"]
