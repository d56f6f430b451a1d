# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run leaves behind: in the journal, for the next plan, and in the log file."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from tests.unit.plugins.module_utils._module.running import Runner
from tests.unit.plugins.module_utils._module.test_applying import journal, planned
from tests.unit.plugins.module_utils._module.world import World
from tests.unit.samples import (
    MANAGED,
    STRANGER_SID,
    TENANT,
    anchored_group,
    cloud_group,
    cloud_id,
    directory_group,
    guid,
    sid,
    user,
)


def codes(result: dict[str, Any]) -> list[str]:
    return [error["code"] for error in result["errors"]]


def test_a_directory_that_goes_away_ends_the_run_and_is_written_down(world: World, gpad: Runner) -> None:
    world.capture({10: (), 11: ()})
    gpad("plan", "snapshot", "journal", "plan")
    world.directory.writes_left = 1
    result = gpad("group", "journal", "plan")
    assert (result["outcome"], result["fatal"], result["changed"]) == ("fatal", True, True)
    assert [change["action"] for change in result["changes"]] == ["create"]
    assert result["errors"][0]["code"] == "directory_unreachable"
    (entry,) = journal(world).runs(10)
    assert (entry.outcome, entry.ended_at is not None) == ("fatal", True)
    assert len(journal(world).known()) == 1


def test_the_rule_for_containers_is_remembered_when_nothing_is_to_be_done(world: World, gpad: Runner) -> None:
    world.capture({})
    gpad("plan", "snapshot", "journal", "plan")
    gpad("group", "journal", "plan")
    assert journal(world).pins.container_rule() is not None


def left_behind(world: World, gpad: Runner) -> str:
    """Provision a group and let it go out of the snapshot; return since when the journal knows that."""
    planned(world, gpad)
    gpad("group", "journal", "plan")
    gpad("membership", "journal", "plan")
    world.capture({11: (user(3),)})
    told = gpad("group", "snapshot", "journal")
    assert [notice["code"] for notice in told["notices"]] == ["orphan"]
    return journal(world).left()[cloud_id(10)]


def test_since_when_a_group_is_out_of_scope_is_remembered(world: World, gpad: Runner) -> None:
    since = left_behind(world, gpad)
    told = gpad("group", "snapshot", "journal")
    assert f"since {since}" in told["notices"][0]["reason"]
    gpad("membership", "snapshot", "journal")
    assert journal(world).left() == {cloud_id(10): since}
    world.capture({10: (user(1), user(2)), 11: (user(3),)})
    gpad("group", "snapshot", "journal")
    assert journal(world).left() == {}


def test_a_reading_that_fails_once_does_not_make_the_age_start_anew(world: World, gpad: Runner) -> None:
    since = left_behind(world, gpad)
    world.directory.cut = set(world.directory.nodes)
    told = gpad("group", "snapshot", "journal")
    assert "links_unread" in [notice["code"] for notice in told["notices"]]
    assert journal(world).left() == {cloud_id(10): since}


def test_a_narrowed_capture_does_not_make_the_age_start_anew(world: World, gpad: Runner) -> None:
    since = left_behind(world, gpad)
    world.capture({}, narrowed=True)
    gpad("group", "snapshot", "journal")
    assert journal(world).left() == {cloud_id(10): since}


def test_a_narrowed_run_does_not_make_the_rule_for_containers_an_old_one(world: World, gpad: Runner) -> None:
    """The next ordinary run would take the moves of all other groups for changes of the data, and hold them."""
    world.capture({10: ()})
    gpad("group", "snapshot", "journal")
    rule = journal(world).pins.container_rule()
    world.capture({10: ()}, narrowed=True)
    gpad("group", "snapshot", "journal", container_default=MANAGED)
    assert rule is not None and journal(world).pins.container_rule() == rule
    world.capture({10: ()})
    gpad("group", "snapshot", "journal", container_default=MANAGED)
    assert journal(world).pins.container_rule() != rule


def test_a_first_run_that_broke_off_does_not_make_a_journal_that_knows(world: World, gpad: Runner) -> None:
    """The mark was cleared by hand: the anchor is all that is left, and nothing was remembered of the question."""
    world.directory.add_group(anchored_group(10)).owner = STRANGER_SID
    world.capture({10: (), 11: ()})
    world.directory.writes_left = 0
    assert gpad("group", "snapshot", "journal")["outcome"] == "fatal"
    world.directory.writes_left = None
    for _run in range(2):
        told = gpad("group", "snapshot", "journal")
        assert [error["code"] for error in told["errors"]] == ["adoption_needs_approval"]
    assert world.members(10) is None


def test_a_group_that_was_rolled_back_is_forgotten(world: World, gpad: Runner) -> None:
    """On-premises it is master again, whatever becomes of its copy in the cloud."""
    rolled_back = cloud_group(20, managed=False, onPremisesSecurityIdentifier=sid(2020))
    world.directory.add_group(directory_group(20), [guid(1)])
    made = JournalFile(world.folder / "journal", writable=True)
    for number in (20, 21):
        made.remember(cloud_id(number), guid(number), accepted=True)
    made.close()
    world.capture({}, more=[rolled_back])
    gpad("group", "snapshot", "journal", check_mode=True)
    assert cloud_id(20) in journal(world).known()
    told = gpad("group", "snapshot", "journal")
    assert (told["outcome"], told["changes"], world.directory.writes) == ("ok", [], [])
    assert set(journal(world).known()) == {cloud_id(21)}


def test_the_log_is_written_as_json_lines(world: World, gpad: Runner) -> None:
    path = world.folder / "log.jsonl"
    planned(world, gpad)
    gpad("group", "journal", "plan", log_path=str(path))
    gpad("membership", "journal", "plan", log_path=str(path))
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["provisioningAction"] for line in lines] == ["create", "update"]
    assert {line["tenantId"] for line in lines} == {TENANT}


def test_check_mode_writes_no_log(world: World, gpad: Runner) -> None:
    path = world.folder / "log.jsonl"
    planned(world, gpad)
    gpad("group", "journal", "plan", check=True, log_path=str(path))
    assert not path.exists()


def test_a_log_that_cannot_be_written_is_a_problem_of_a_run_that_was_carried_out(world: World, gpad: Runner) -> None:
    planned(world, gpad)
    told = gpad("group", "journal", "plan", log_path=str(world.folder / "missing" / "log.jsonl"))
    assert (told["outcome"], told["fatal"], codes(told)) == ("partial", False, ["log_unwritten"])
    assert (journal(world).fresh, journal(world).runs(1)[0].outcome) == (False, "ok")
    assert (told["changed"], told["summary"]["groups_created"]) == (True, 1)


def test_the_server_is_remembered_only_by_a_run_that_lacked_nothing(world: World, gpad: Runner) -> None:
    def remembered() -> str:
        written = journal(world).written_to.last()
        return written.database.server if written else ""

    first = world.directory.copy()
    planned(world, gpad)
    assert gpad("group", "journal", "plan")["outcome"] == "ok"
    assert remembered() == "dc1.contoso.com"
    full, world.directory = world.directory, first
    second = replace(first.info, server="dc2.contoso.com", invocation_id=guid(902))
    first.info = second
    world.capture({10: (user(1), user(2)), 11: ()})
    assert gpad("plan", "snapshot", "journal", "plan")["outcome"] == "partial"
    assert gpad("group", "journal", "plan")["outcome"] == "ok"
    assert (remembered(), first.writes) == ("dc1.contoso.com", [])
    full.info, world.directory = second, full
    assert gpad("plan", "snapshot", "journal", "plan")["outcome"] == "ok"
    assert gpad("group", "journal", "plan")["outcome"] == "ok"
    assert remembered() == "dc2.contoso.com"


def groups_of(*numbers: int) -> dict[int, tuple[Any, ...]]:
    return {number: (user(1), user(2)) for number in numbers}


@pytest.mark.parametrize("ended", ["stopped", "directory_unreachable"])
def test_an_approval_does_not_outlive_its_plan_where_nothing_was_applied(
    world: World, gpad: Runner, ended: str
) -> None:
    world.capture(groups_of(*range(10, 40)))
    for module, *stores in (("plan", "snapshot", "journal", "plan"), ("group", "journal", "plan")):
        assert gpad(module, *stores)["outcome"] == "ok"
    few = groups_of(*range(10, 14), 50)
    world.capture(few)
    plan = gpad("plan", "snapshot", "journal", "plan")
    assert (plan["outcome"], "scope_losses" in plan["msg"]) == ("blocked", True)
    switch = JournalFile(world.folder / "journal", writable=True)
    if ended == "stopped":
        switch.stop("Enough.")
    else:
        world.directory.writes_left = 0
    group = gpad("group", "journal", "plan", approve=plan["checksum"])
    assert (codes(group), group["changed"]) == ([ended], False)
    switch.stop(None)
    switch.close()
    world.directory.writes_left = None
    world.capture(few)
    assert gpad("plan", "snapshot", "journal", "plan")["outcome"] == "blocked"
    assert gpad("group", "snapshot", "journal")["outcome"] == "blocked"


def test_an_incomplete_capture_is_not_what_the_next_one_is_compared_with(world: World, gpad: Runner) -> None:
    for numbers, incomplete, outcome in (
        (range(10, 50), "", "ok"),
        (range(10, 39), "a page was lost", "incomplete"),
        (range(10, 31), "", "blocked"),
    ):
        world.capture(groups_of(*numbers), incomplete=incomplete)
        assert gpad("plan", "snapshot", "journal", "plan")["outcome"] == outcome
        gpad("group", "journal", "plan")
    held = journal(world).pins.applied_size()
    assert held is not None and held.groups == 40
