# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands around the work of the modules: lease, quarantine and retries, from options to results."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import applying, keeping, planning, result
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.run_control import (
    quarantine_rules,
    retry_rules,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    DirectoryError,
    GpadError,
    ObjectError,
    StoreError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import MemberResult
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from tests.unit.plugins.module_utils._module.running import run
from tests.unit.plugins.module_utils._module.world import World
from tests.unit.samples import cloud_id, guid, user

Runner = Callable[..., dict[str, Any]]
DUE = "UPDATE quarantines SET next_at = '2020-01-01T00:00:00Z'"


@pytest.fixture
def gpad(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Runner:
    """Run a module on the world's files, as the role does."""
    runners = {"plan": planning.run, "group": applying.run_groups, "membership": applying.run_members}

    def running(module: str, *, check_mode: bool = False, **more: Any) -> dict[str, Any]:
        if module == "keep":
            options = {"journal": str(world.folder / "journal"), **more}
            return run(monkeypatch, capsys, keeping.run, options, check_mode=check_mode)
        stores = ("snapshot", "journal", "plan") if module == "plan" else ("journal", "plan")
        usual = {"hold": True} if module == "plan" else {}
        options = world.options(*stores, **{**usual, **more})
        return run(monkeypatch, capsys, runners[module], options, check_mode=check_mode)

    return running


def journal(world: World) -> JournalFile:
    return JournalFile(world.folder / "journal", writable=False)


def change(world: World, statement: str, *values: str) -> None:
    with closing(sqlite3.connect(world.folder / "journal")) as database:
        database.execute(statement, values)
        database.commit()


def codes(result: dict[str, Any]) -> list[str]:
    return [error["code"] for error in result["errors"]]


def cycle(world: World, gpad: Runner, groups: dict[int, tuple[Any, ...]], **options: Any) -> list[dict[str, Any]]:
    world.capture(groups)
    return [gpad("plan", **options), gpad("group"), gpad("membership")]


# The lease


def test_a_held_plan_is_applied_and_the_journal_given_back(world: World, gpad: Runner) -> None:
    world.capture()
    plan = gpad("plan")
    holder = journal(world).lease.holder()
    assert holder is not None and holder.plan_id == plan["plan_id"]
    assert codes(gpad("plan")) == codes(gpad("plan", check_mode=True)) == ["run_in_progress"]
    assert gpad("group")["outcome"] == "ok"
    assert journal(world).lease.holder() is not None
    assert gpad("membership")["outcome"] == "ok"
    assert journal(world).lease.holder() is None


def test_a_plan_with_nothing_for_gpad_membership_is_given_back_by_it(world: World, gpad: Runner) -> None:
    results = cycle(world, gpad, {10: ()})
    assert [result["outcome"] for result in results] == ["ok"] * 3
    assert journal(world).lease.holder() is None


def test_a_plan_that_may_not_be_applied_holds_nothing(world: World, gpad: Runner) -> None:
    world.capture(check_mode=True)
    assert gpad("plan")["outcome"] == "ok"
    assert journal(world).lease.holder() is None
    world.capture()
    assert gpad("plan", limits={"creations": {"count": 0}})["outcome"] == "blocked"
    assert journal(world).lease.holder() is None


def test_a_fatal_end_gives_the_journal_back(world: World, gpad: Runner) -> None:
    world.capture()
    gpad("plan")
    world.reached = False
    assert codes(gpad("group")) == ["directory_unreachable"]
    assert journal(world).lease.holder() is None
    assert not journal(world).quarantines.current()


def test_a_dead_run_is_taken_over_and_told(world: World, gpad: Runner) -> None:
    world.capture()
    gpad("plan")
    change(world, "UPDATE lease SET heartbeat = '2026-01-01T00:00:00.000000Z'")
    plan = gpad("plan")
    assert plan["notices"][0]["code"] == "lease_taken_over"
    holder = journal(world).lease.holder()
    assert holder is not None and holder.plan_id == plan["plan_id"]


# Retries


def test_what_failed_is_remembered_until_it_succeeds(world: World, gpad: Runner) -> None:
    world.directory.refused = {guid(1)}
    groups = {10: (user(1), user(2))}
    assert cycle(world, gpad, groups)[2]["outcome"] == "partial"
    (row,) = journal(world).retries.rows().values()
    assert (row.id, row.part.value, row.tries) == (cloud_id(10), "members", 1)
    (failing,) = journal(world).failing(10)
    assert (failing["tries"], failing["next_at"]) == (1, row.next_at)
    plan, group, members = cycle(world, gpad, groups)
    assert codes(plan) == ["waiting_for_retry"] and plan["outcome"] == "partial"
    assert group["outcome"] == members["outcome"] == "ok"
    assert list(journal(world).retries.rows().values()) == [row]
    world.directory.refused = set()
    plan, _group, members = cycle(world, gpad, groups, retry_now=True)
    assert plan["outcome"] == members["outcome"] == "ok"
    assert journal(world).retries.rows() == {}


def test_what_a_whole_plan_no_longer_wants_is_forgotten(world: World, gpad: Runner) -> None:
    world.directory.refused = {guid(1)}
    cycle(world, gpad, {10: (user(1), user(2))})
    assert journal(world).retries.rows()
    world.capture({10: (user(2),)}, narrowed=True)
    for module in ("plan", "group", "membership"):
        gpad(module)
    assert journal(world).retries.rows(), "a run of a few named groups did not look at the others"
    cycle(world, gpad, {10: (user(2),)})
    assert journal(world).retries.rows() == {}


def test_retries_are_released_by_hand(world: World, gpad: Runner) -> None:
    world.directory.refused = {guid(1)}
    cycle(world, gpad, {10: (user(1),)})
    assert gpad("keep", released=["retries"], check_mode=True)["released"] == ["retries"]
    assert gpad("keep", released=["retries"])["released"] == ["retries"]
    assert gpad("keep", released=["retries"])["released"] == []
    plan, _group, members = cycle(world, gpad, {10: (user(1),)})
    assert plan["outcome"] == "ok" and members["outcome"] == "partial"


# Quarantine


def failing_groups(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def create(*_arguments: Any) -> Any:
        raise ObjectError("It may not.", code="permission_denied")

    monkeypatch.setattr(world.directory, "create", create)


def test_too_many_failures_and_the_try_that_ends_it(world: World, gpad: Runner) -> None:
    world.capture({10: (), 11: (), 12: ()})
    with pytest.MonkeyPatch.context() as patch:
        failing_groups(world, patch)
        gpad("plan")
        group = gpad("group", quarantine={"floor": 1})
    assert (group["outcome"], group["quarantine"]["reason"]) == ("partial", "too_many_failures")
    assert group["quarantine"]["entered"] and group["quarantine"]["active"]
    assert codes(gpad("membership")) == ["quarantined"]
    waiting = gpad("plan")
    assert codes(waiting) == ["waiting_for_retry"] * 3 and waiting["notices"][0]["code"] == "quarantined"
    assert codes(gpad("group")) == ["quarantined"]
    assert gpad("group", check_mode=True)["outcome"] == "ok"
    change(world, DUE)
    assert gpad("plan")["outcome"] == "ok", "the try is of all that waits"
    assert gpad("group")["quarantine"]["active"], "half a run does not end it"
    last = gpad("membership")
    assert last["outcome"] == "ok" and not last["quarantine"]["active"]


def test_objects_that_fail_again_lead_nobody_there(world: World, gpad: Runner) -> None:
    world.capture({10: (), 11: (), 12: ()})
    with pytest.MonkeyPatch.context() as patch:
        failing_groups(world, patch)
        gpad("plan")
        assert not gpad("group")["quarantine"]["active"]
        gpad("membership")
        change(world, "UPDATE retries SET next_at = '2020-01-01T00:00:00Z'")
        gpad("plan")
        again = gpad("group", quarantine={"floor": 1})
    assert again["summary"]["errors"] == 3 and not again["quarantine"]["active"]


def test_what_was_refused_is_not_used_again_before_its_time(world: World, gpad: Runner) -> None:
    world.capture()
    world.refused = True
    assert gpad("plan")["quarantine"]["reason"] == "credentials_refused"
    world.refused = False
    world.reached = False
    assert codes(gpad("plan")) == ["quarantined"]
    world.reached = True
    assert gpad("plan", hold=False)["outcome"] == "ok"
    change(world, DUE)
    assert gpad("plan")["outcome"] == "ok"


def test_failures_that_the_next_plan_settles_do_not_count(world: World, gpad: Runner) -> None:
    world.capture({10: (user(1),)})
    gpad("plan")
    with pytest.MonkeyPatch.context() as patch:
        failing_groups(world, patch)
        gpad("group")
    members = gpad("membership", quarantine={"floor": 0, "percent": 1})
    assert codes(members) == ["group_missing"] and not members["quarantine"]["active"]


def test_a_try_in_vain_waits_longer_and_one_out_of_turn_does_not(world: World, gpad: Runner) -> None:
    world.capture()
    limits = {"creations": {"count": 0}}
    first = gpad("plan", limits=limits)["quarantine"]
    assert first["entered"] and first["reason"] == "limit_exceeded"
    out_of_turn = gpad("plan", limits=limits)["quarantine"]
    assert not out_of_turn["entered"] and out_of_turn["next_at"] == first["next_at"]
    change(world, DUE)
    in_vain = gpad("plan", limits=limits, quarantine={"hours": [1, 500]})["quarantine"]
    assert in_vain["since"] == first["since"] and in_vain["next_at"] > first["next_at"]


def test_check_mode_and_reviews_lead_nobody_there(world: World, gpad: Runner) -> None:
    world.capture()
    limits = {"creations": {"count": 0}}
    assert not gpad("plan", limits=limits, check_mode=True)["quarantine"]["active"]
    assert not (world.folder / "journal").exists()
    gpad("plan", limits=limits, hold=False)
    assert not (world.folder / "journal").exists()
    assert codes(gpad("group", check_mode=True)) == ["limit_exceeded"]
    assert not (world.folder / "journal").exists()
    assert gpad("group")["quarantine"]["entered"]


def test_it_is_entered_and_released_by_hand(world: World, gpad: Runner) -> None:
    asked = gpad("keep", quarantined="Entra ID refused the log-on.")
    assert asked["changed"] and asked["quarantine"]["entered"] and asked["quarantine"]["reason"] == "asked_for"
    assert not gpad("keep", quarantined="Entra ID refused the log-on.")["changed"]
    assert gpad("keep", released=["quarantine"], check_mode=True)["quarantine"]["active"]
    released = gpad("keep", released=["quarantine", "lease"])
    assert released["released"] == ["quarantine"] and not released["quarantine"]["active"]


# Options


@pytest.mark.parametrize("wrong", [{"hours": []}, {"hours": [0]}, {"failures": -1}, {"percent": -1}, {"floor": -1}])
def test_rules_of_the_quarantine_that_cannot_be(wrong: dict[str, Any]) -> None:
    usual = {"failures": 1000, "percent": 40, "floor": 20, "hours": [1]}
    assert quarantine_rules(usual).hours == (1,)
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        quarantine_rules({**usual, **wrong})


@pytest.mark.parametrize("wrong", [{"retry_hours": []}, {"retry_hours": [6, -1]}, {"retry_days": -1}])
def test_schedules_that_cannot_be(wrong: dict[str, Any]) -> None:
    usual = {"retry_hours": [6], "retry_days": 1}
    assert retry_rules(usual).hours == (6,)
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        retry_rules({**usual, **wrong})


# What a review of them found


def test_a_plan_that_fails_at_its_end_gives_the_journal_back(
    world: World, gpad: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path) -> None:
        raise StoreError("The disk is full.")

    world.capture()
    with monkeypatch.context() as patch:
        patch.setattr(result, "replacing", full)
        assert gpad("plan", report_path=str(world.folder / "report"))["fatal"]
    assert journal(world).lease.holder() is None


def test_an_approved_plan_holds_the_journal_to_its_end(world: World, gpad: Runner) -> None:
    world.capture()
    plan = gpad("plan", limits={"creations": {"count": 0}})
    assert codes(gpad("group", approve="0" * 64)) == ["plan_not_approved"]
    assert journal(world).lease.holder() is None
    assert gpad("group", approve=plan["checksum"])["outcome"] == "ok"
    assert codes(gpad("plan")) == ["run_in_progress"]
    assert gpad("membership", approve=plan["checksum"])["outcome"] == "ok"
    assert journal(world).lease.holder() is None


def test_an_approval_holds_when_the_same_is_planned_again(world: World, gpad: Runner) -> None:
    limits = {"creations": {"count": 0}}
    world.capture(hours_ago=1)
    first = gpad("plan", limits=limits)
    world.capture()
    second = gpad("plan", limits=limits)
    assert (second["checksum"], second["plan_id"] == first["plan_id"]) == (first["checksum"], False)
    group = gpad("group", approve=first["checksum"])
    assert (group["outcome"], group["plan_id"]) == ("ok", second["plan_id"])


@pytest.mark.parametrize("code", ["directory_unreachable", "directory_log_on_refused"])
def test_links_of_a_connection_that_broke_are_tried_in_the_next_run(world: World, gpad: Runner, code: str) -> None:
    def change_members(group: str, add: dict[str, str], _remove: dict[str, str]) -> MemberResult:
        first, second = sorted(add)
        world.directory.nodes[group].members.add(first)
        return MemberResult(frozenset({first}), frozenset(), {second: DirectoryError("It is gone.", code=code)})

    world.capture()
    gpad("plan")
    gpad("group")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.directory, "change_members", change_members)
        members = gpad("membership", quarantine={"floor": 0, "percent": 1})
    assert codes(members) == [code] and journal(world).retries.rows() == {}
    reason = "credentials_refused" if code == "directory_log_on_refused" else ""
    assert members["quarantine"]["reason"] == reason
    gpad("keep", released=["quarantine"])
    world.capture()
    assert codes(gpad("plan")) == []


def test_a_removal_that_met_a_busy_server_does_not_wait_beside_a_link_that_is_refused(
    world: World, gpad: Runner
) -> None:
    cycle(world, gpad, {10: (user(1), user(3))})

    def change_members(_group: str, add: dict[str, str], remove: dict[str, str]) -> MemberResult:
        refused: dict[str, GpadError] = {member: ObjectError("No.", code="directory_rejected") for member in add}
        busy = {member: ObjectError("Busy.", code="directory_busy") for member in remove}
        return MemberResult(frozenset(), frozenset(), refused | busy)

    world.capture({10: (user(1), user(2))})
    gpad("plan")
    gpad("group")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.directory, "change_members", change_members)
        assert codes(gpad("membership")) == ["directory_busy"]
    world.directory.refused = {guid(2)}
    cycle(world, gpad, {10: (user(1), user(2))})
    assert world.members() == {guid(1)}


def test_a_failure_that_is_settled_is_shown_no_more(world: World, gpad: Runner) -> None:
    world.directory.refused = {guid(2)}
    cycle(world, gpad, {10: (user(1), user(2))})
    cycle(world, gpad, {10: (user(1), user(2))})
    assert [entry["tries"] for entry in journal(world).failing(10)] == [1], "it waits"
    world.capture({10: (user(1),)}, narrowed=True)
    for module in ("plan", "group", "membership"):
        gpad(module)
    assert journal(world).failing(10), "a run of a few named groups settles nothing"
    cycle(world, gpad, {10: (user(1),)})
    assert journal(world).failing(10) == []


def test_a_failure_that_does_not_wait_is_shown_until_the_next_whole_run(world: World, gpad: Runner) -> None:
    world.capture({10: (user(1),)})
    gpad("plan")
    with pytest.MonkeyPatch.context() as patch:
        failing_groups(world, patch)
        gpad("group")
    assert codes(gpad("membership")) == ["group_missing"]
    shown = {(entry["action"], entry["tries"]) for entry in journal(world).failing(10)}
    assert shown == {("create", 1), ("members", None)}
    cycle(world, gpad, {11: (user(1),)})
    assert journal(world).failing(10) == []


FEW = {"floor": 1, "percent": 50}


def test_a_try_whose_plan_was_made_too_early_tries_nothing_and_is_not_let_through(world: World, gpad: Runner) -> None:
    world.directory.refused = {guid(1), guid(2)}
    world.capture({number: (user(1), user(2)) for number in (10, 11, 12)})
    gpad("plan")
    gpad("group")
    assert gpad("membership", quarantine=FEW)["quarantine"]["entered"]
    early = gpad("plan")
    assert codes(early) == ["waiting_for_retry"] * 3
    change(world, "UPDATE quarantines SET next_at = ?", moment_text(utc_now()))
    refused = gpad("group")
    assert codes(refused) == ["quarantined"] and refused["quarantine"]["active"]
    assert gpad("plan")["outcome"] == "ok"
    assert gpad("group")["outcome"] == "ok"
    prolonged = gpad("membership", quarantine=FEW)
    assert prolonged["quarantine"]["active"] and not prolonged["quarantine"]["entered"]


def test_members_alone_do_not_end_what_groups_brought_about(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def alone(runner: Callable[[], None]) -> dict[str, Any]:
        return run(monkeypatch, capsys, runner, world.options("snapshot", "journal", quarantine=FEW))

    world.capture({number: (user(1),) for number in (10, 11, 12)})
    failing_groups(world, monkeypatch)
    assert alone(applying.run_groups)["quarantine"]["entered"]
    change(world, DUE)
    members = alone(applying.run_members)
    assert codes(members) == ["group_missing"] * 3 and members["quarantine"]["active"]


def test_a_log_that_cannot_be_written_keeps_nobody_out_of_quarantine(world: World, gpad: Runner) -> None:
    world.directory.refused = {guid(1), guid(2)}
    world.capture({number: (user(1), user(2)) for number in (10, 11, 12)})
    log_path = str(world.folder / "missing" / "log")
    gpad("plan")
    assert codes(gpad("group", log_path=log_path)) == ["log_unwritten"]
    members = gpad("membership", quarantine=FEW, log_path=log_path)
    assert (members["outcome"], codes(members)[-1]) == ("partial", "log_unwritten")
    assert members["quarantine"]["reason"] == "too_many_failures"
    assert [entry.outcome for entry in journal(world).runs(5)] == ["partial", "ok"]
