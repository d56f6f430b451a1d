# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""gpad_plan from its options to its result."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import (
    applying,
    narrow_plans,
    plan_making,
    planning,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.planfile import PlanFile
from tests.unit.plugins.module_utils._module.running import run
from tests.unit.plugins.module_utils._module.world import PASSWORD, World
from tests.unit.plugins.module_utils._store.test_damage import blot
from tests.unit.samples import MANAGED, STRANGER_SID, TENANT, anchored_group, guid, user


@pytest.fixture
def plan(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run gpad_plan with more options."""

    def running(check_mode: bool = False, **more: Any) -> dict[str, Any]:
        options = world.options("snapshot", "journal", "plan", **more)
        return run(monkeypatch, capsys, planning.run, options, check_mode=check_mode)

    return running


def test_a_plan_is_written_and_changes_nothing(world: World, plan: Any) -> None:
    world.capture()
    result = plan()
    assert (result["_rc"], result["changed"], result["would_change"], result["outcome"]) == (0, False, True, "ok")
    assert [change["action"] for change in result["changes"]] == ["create", "members"]
    assert result["summary"]["operations"] == 3
    file = PlanFile(world.folder / "plan")
    assert (file.header.plan_id, file.footer.checksum) == (result["plan_id"], result["checksum"])
    assert (file.header.tenant_id, file.header.server, file.header.check_mode) == (TENANT, result["server"], False)
    assert world.directory.writes == []
    assert sorted(path.name for path in world.folder.iterdir()) == ["plan", "snapshot"]


def test_it_tells_how_many_groups_were_compared(world: World, plan: Any, told: list[Any]) -> None:
    world.capture({10: (user(1),), 11: (), 12: ()})
    plan()
    assert told == [["reading the directory", 0, None], *(["comparing members", done, 3] for done in range(4))]


def test_nothing_to_do(world: World, plan: Any) -> None:
    world.capture({})
    result = plan()
    assert (result["would_change"], result["changes"], result["outcome"]) == (False, [], "ok")


@pytest.mark.parametrize(("at_once", "foreseen"), [(1, True), (2, False)])
def test_the_links_of_many_known_groups_are_foreseen(
    world: World, gpad: Any, monkeypatch: pytest.MonkeyPatch, at_once: int, foreseen: bool
) -> None:
    world.capture({10: (user(1),), 11: (user(2),)})
    gpad("plan", "snapshot", "journal", "plan")
    gpad("group", "journal", "plan")
    monkeypatch.setattr(plan_making, "GROUPS_AT_ONCE", at_once)
    world.directory.questions.clear()
    assert gpad("plan", "snapshot", "journal", "plan")["outcome"] == "ok"
    assert ("foresee_links" in world.directory.questions) is foreseen
    world.directory.questions.clear()
    assert gpad("group", "snapshot", "journal", check_mode=True)["outcome"] == "ok"
    assert "foresee_links" not in world.directory.questions, "of groups alone no links are read"


@pytest.mark.parametrize("where", ["module", "snapshot"])
def test_check_mode_marks_the_plan(world: World, plan: Any, where: str) -> None:
    world.capture(check_mode=where == "snapshot")
    assert plan(check_mode=where == "module")["outcome"] == "ok"
    assert PlanFile(world.folder / "plan").header.check_mode


def test_a_plan_beyond_a_limit_is_written_and_blocked(world: World, plan: Any) -> None:
    world.capture()
    result = plan(limits={"creations": {"count": 0}})
    assert (result["_rc"], result["outcome"], result["fatal"]) == (1, "blocked", True)
    assert result["errors"][0]["code"] == "limit_exceeded"
    assert "creations: 1 planned, 0 allowed" in result["msg"]
    assert PlanFile(world.folder / "plan").footer.breaches


def test_groups_already_there_without_a_journal_are_told(world: World, plan: Any) -> None:
    world.capture()
    world.directory.add_group(anchored_group(10))
    assert "journal_missing" in [notice["code"] for notice in plan()["notices"]]


@pytest.mark.parametrize(
    ("module", "outcome", "told"),
    [
        (None, None, True),
        ("gpad_group", None, True),
        ("gpad_group", "fatal", True),
        ("gpad_group", "blocked", True),
        ("gpad_membership", "ok", True),
        ("gpad_group", "partial", False),
        ("gpad_group", "ok", False),
    ],
)
def test_a_journal_of_no_run_of_groups_that_ended_counts_as_missing(
    world: World, plan: Any, module: str | None, outcome: str | None, told: bool
) -> None:
    world.capture()
    world.directory.add_group(anchored_group(10)).owner = STRANGER_SID
    journal = JournalFile(world.folder / "journal", writable=True)
    if module:
        journal.begin_run("run", module, "p", moment_text(utc_now()), moment_text(utc_now()))
    if outcome:
        journal.end_run(outcome, {}, moment_text(utc_now()))
    journal.close()
    result = plan()
    assert ("journal_missing" in [notice["code"] for notice in result["notices"]]) is told
    assert [error["code"] for error in result["errors"]] == (["adoption_needs_approval"] if told else [])


def test_a_journal_of_another_domain(world: World, plan: Any) -> None:
    world.capture()
    journal = JournalFile(world.folder / "journal", writable=True)
    journal.pins.pin_domain("DC=fabrikam,DC=com")
    journal.close()
    result = plan()
    assert (result["outcome"], result["errors"][0]["code"]) == ("fatal", "other_domain_journal")
    assert not (world.folder / "plan").exists()


@pytest.mark.parametrize(
    ("hours_ago", "options", "code"),
    [
        (23.9, {}, None),
        (24.1, {}, "snapshot_outdated"),
        (24.1, {"max_snapshot_age": 25}, None),
        (1.1, {"max_snapshot_age": 1}, "snapshot_outdated"),
    ],
)
def test_an_old_snapshot_is_not_planned_from(
    world: World, plan: Any, hours_ago: float, options: dict[str, int], code: str | None
) -> None:
    world.capture(hours_ago=hours_ago)
    result = plan(**options)
    assert [error["code"] for error in result["errors"]] == ([code] if code else [])
    assert (world.folder / "plan").exists() is (code is None)


def test_an_incomplete_snapshot_makes_the_outcome_incomplete(world: World, plan: Any) -> None:
    world.capture(incomplete="a page was lost")
    assert plan()["outcome"] == "incomplete"


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ({"target_container": ["displayName"]}, "expression_not_quoted", "single quotes"),
        ({"managed_containers": ["x"]}, "configuration_invalid", "managed_containers"),
        ({"max_members": 0}, "configuration_invalid", "max_members"),
        ({"limits": {"moves": {"count": -1}}}, "configuration_invalid", "moves.count"),
        ({"plan": "/none/such/plan"}, "store_failed", "/none/such"),
        ({"snapshot": "/none/such/snapshot"}, "snapshot_missing", "gpad_scope"),
    ],
)
def test_what_cannot_be_used_is_told_before_the_directory_is_asked(
    world: World, plan: Any, options: dict[str, Any], code: str, words: str
) -> None:
    world.capture()
    world.reached = False
    result = plan(**options)
    assert (result["outcome"], result["errors"][0]["code"]) == ("fatal", code)
    assert words in result["msg"]
    assert not (world.folder / "plan").exists()


def test_a_snapshot_of_another_tenant(world: World, plan: Any) -> None:
    journal = JournalFile(world.folder / "journal", writable=True)
    journal.pins.pin_tenant("another")
    journal.close()
    world.capture()
    assert plan()["errors"][0]["code"] == "other_tenant"


def test_a_directory_that_is_not_reached_leaves_the_old_plan(world: World, plan: Any) -> None:
    world.capture()
    plan()
    before = (world.folder / "plan").read_bytes()
    world.reached = False
    result = plan()
    assert result["errors"][0]["code"] == "directory_unreachable"
    assert (world.folder / "plan").read_bytes() == before


def test_a_defect_shows_no_secret(world: World, plan: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world.capture()

    def broken(*_arguments: object) -> None:
        raise KeyError(f"{PASSWORD} is not right")

    monkeypatch.setattr(world.directory, "anchored", broken)
    result = plan()
    assert result["errors"][0]["code"] == "internal_error"
    assert PASSWORD not in json.dumps(result)


def test_lists_are_capped(world: World, plan: Any) -> None:
    world.capture({10: tuple(user(number, None) for number in range(20, 30))})
    result = plan(max_results=3)
    assert (len(result["skips"]), result["summary"]["members_skipped"]) == (3, 10)


def test_the_way_back_from_a_run(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is planned from the journal, without a snapshot, and carried out like any plan."""
    world.capture()
    for runner in (applying.run_groups, applying.run_members):
        run(monkeypatch, capsys, runner, world.options("snapshot", "journal"))
    assert world.members() == {guid(1), guid(2)}
    journal = JournalFile(world.folder / "journal", writable=False)
    (members, groups) = journal.runs(2)
    journal.close()
    undone = {}
    for run_id in (members.run_id, groups.plan_id):
        options = world.options("journal", "plan", undo=run_id)
        undone[run_id] = run(monkeypatch, capsys, planning.run, options)
    assert [change["action"] for change in undone[members.run_id]["changes"]] == ["members"]
    assert [notice["code"] for notice in undone[groups.plan_id]["notices"]] == ["undo_left"]
    run(monkeypatch, capsys, planning.run, world.options("journal", "plan", undo=members.run_id))
    assert world.members() == {guid(1), guid(2)}
    assert run(monkeypatch, capsys, applying.run_members, world.options("journal", "plan"))["outcome"] == "ok"
    assert world.members() == set()


@pytest.mark.parametrize("undo", ["none", ""])
def test_the_way_back_from_a_run_that_was_not(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], undo: str
) -> None:
    JournalFile(world.folder / "journal", writable=True).close()
    result = run(monkeypatch, capsys, planning.run, world.options("journal", "plan", undo=undo))
    assert result["failed"]
    assert not (world.folder / "plan").exists()
    if undo:
        assert result["errors"][0]["code"] == "run_unknown"


def test_the_way_back_from_a_run_whose_changes_were_lost(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would end well, and take back nothing."""
    world.capture()
    for runner in (applying.run_groups, applying.run_members):
        run(monkeypatch, capsys, runner, world.options("snapshot", "journal"))
    journal = JournalFile(world.folder / "journal", writable=False)
    (members, _groups) = journal.runs(2)
    journal.close()
    blot("outcomes")(world.folder / "journal")
    result = run(monkeypatch, capsys, planning.run, world.options("journal", "plan", undo=members.run_id))
    assert (result["outcome"], result["errors"][0]["code"]) == ("fatal", "run_not_whole")
    assert members.run_id in result["msg"]
    assert not (world.folder / "plan").exists()


@pytest.mark.parametrize("wrong", [{"retry_hours": []}, {"retry_days": -1}])
def test_a_schedule_that_cannot_be_is_refused(world: World, plan: Any, wrong: dict[str, Any]) -> None:
    world.capture()
    assert next(iter(wrong)) in plan(**wrong)["msg"]


@pytest.mark.parametrize("began", ["planned", "planning"])
@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("known", [False, True])
def test_a_review_does_not_replace_the_plan_of_a_run_that_began_meanwhile(
    world: World, plan: Any, monkeypatch: pytest.MonkeyPatch, began: str, check_mode: bool, known: bool
) -> None:
    world.capture()
    plan()
    before = (world.folder / "plan").read_bytes()
    if known:
        JournalFile(world.folder / "journal", writable=True).close()
    connect = world.open
    with ExitStack() as stack:

        @contextmanager
        def opening(*arguments: Any) -> Iterator[Any]:
            journal = JournalFile(world.folder / "journal", writable=True)
            stack.callback(journal.close)
            if began == "planned":
                journal.lease.take("scheduled")
            else:
                stack.enter_context(journal.locked())
            with connect(*arguments) as found:
                yield found

        monkeypatch.setattr(planning, "open_directory", opening)
        result = plan(check_mode=check_mode)
    assert (result["outcome"], result["errors"][0]["code"]) == ("blocked", "run_in_progress")
    assert (world.folder / "plan").read_bytes() == before
    assert sorted(path.name for path in world.folder.iterdir() if path.name.endswith(".new")) == []


def test_chosen_members_of_a_narrowed_snapshot(world: World, plan: Any) -> None:
    world.capture({10: (user(1), user(2))}, narrowed=True)
    result = plan(members=[user(2).id])
    (change,) = [change for change in result["changes"] if change["action"] == "members"]
    assert [member["id"] for member in change["add"]] == [user(2).id]
    assert [(step["id"], step["result"]) for step in result["steps"][1:]] == [(user(2).id, "planned")]
    assert result["summary"]["members_added"] == 1
    assert len(plan(max_results=2)["steps"]) == 2


def test_members_are_chosen_in_runs_of_named_groups_only(world: World, plan: Any) -> None:
    world.capture()
    result = plan(members=[user(2).id])
    assert result["fatal"] and "was not captured for a few named groups" in result["msg"]
    assert not (world.folder / "plan").exists() and "steps" not in plan()


@pytest.mark.parametrize(
    "other",
    [
        {"managed_containers": [f"OU=Other,{MANAGED}"]},
        {"global_catalog_server": "gc.contoso.com"},
        {"domain_username": "other@contoso.com"},
        {"foreign_members": "keep"},
    ],
)
def test_what_both_sides_are_compared_by(
    world: World, plan: Any, monkeypatch: pytest.MonkeyPatch, other: dict[str, Any]
) -> None:
    """Whatever lets the plan see or do something else unsettles all groups."""
    words: list[str] = []
    make = plan_making.make_plan

    def making(*arguments: Any, **options: Any) -> Any:
        words.append(options["word"])
        return make(*arguments, **options)

    monkeypatch.setattr(planning, "make_plan", making)
    world.capture()
    for options in ({}, {"limits": {"creations": {"count": 7}}}, other):
        plan(**options)
    assert words[0] == words[1] != words[2]


def test_the_sources_of_plans_are_those_that_are_made() -> None:
    assert ("snapshot", *narrow_plans.SOURCES) == planning._SOURCES
