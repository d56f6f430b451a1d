# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""gpad_group and gpad_membership from their options to their results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import (
    applying,
    refusals,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.progress import ProgressFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import Fate, FateKind
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.planfile import integrity_of
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.signature import SnapshotKey
from tests.unit.plugins.module_utils._module.running import Runner
from tests.unit.plugins.module_utils._module.world import PASSWORD, World
from tests.unit.plugins.module_utils._provisioning.planning import settled
from tests.unit.samples import (
    STRANGER_SID,
    TENANT,
    anchored_group,
    cloud_group,
    cloud_id,
    guid,
    sid,
    user,
)


def planned(world: World, gpad: Runner) -> dict[str, Any]:
    world.capture()
    return gpad("plan", "snapshot", "journal", "plan")


def journal(world: World) -> JournalFile:
    return JournalFile(world.folder / "journal", writable=False)


def test_a_plan_is_carried_out_in_two_parts(world: World, gpad: Runner) -> None:
    told = planned(world, gpad)
    group = gpad("group", "journal", "plan")
    assert (group["_rc"], group["changed"], group["outcome"]) == (0, True, "ok")
    assert [change["action"] for change in group["changes"]] == ["create"]
    assert world.members() == set()
    members = gpad("membership", "journal", "plan")
    assert (members["changed"], members["summary"]["members_added"]) == (True, 2)
    assert world.members() == {guid(1), guid(2)}
    assert group["plan_id"] == members["plan_id"] == told["plan_id"]
    assert group["changes"] + members["changes"] == told["changes"]
    runs = journal(world).runs(10)
    assert [(entry.module, entry.plan_id, entry.outcome) for entry in runs] == [
        ("gpad_membership", told["plan_id"], "ok"),
        ("gpad_group", told["plan_id"], "ok"),
    ]
    assert runs[0].summary["members_added"] == 2


def test_it_tells_how_many_changes_are_made(world: World, gpad: Runner, told: list[Any]) -> None:
    world.capture({10: (user(1),), 11: (user(2),), 12: ()})
    gpad("plan", "snapshot", "journal", "plan")
    told.clear()
    gpad("group", "journal", "plan")
    assert told == [["reading the directory", 0, None], *(["writing groups", done, 3] for done in range(4))]
    told.clear()
    gpad("membership", "journal", "plan")
    assert told == [["reading the directory", 0, None], *(["writing members", done, 2] for done in range(3))]


def test_without_a_plan_it_tells_of_the_comparison_too(world: World, gpad: Runner, told: list[Any]) -> None:
    world.capture()
    gpad("group", "snapshot", "journal")
    told.clear()
    gpad("membership", "snapshot", "journal")
    assert [line[0] for line in told] == ["reading the directory", *2 * ["comparing members"], *2 * ["writing members"]]


def test_telling_costs_a_look_at_the_clock_for_each_group(
    world: World, gpad: Runner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Fifty groups, of which none takes a second: one write for each stage, and the directory is asked nothing more."""
    world.capture({number: (user(1), user(2)) for number in range(10, 60)})
    gpad("plan", "snapshot", "journal", "plan")
    gpad("group", "journal", "plan")
    looks: list[float] = []
    writes: list[str] = []

    def clock() -> float:
        looks.append(0.0)
        return 0.0

    asked = ProgressFile(str(tmp_path / "unwritten"), clock)
    monkeypatch.setattr(ProgressFile, "of_environment", lambda: asked)
    monkeypatch.setattr(ProgressFile, "_write", lambda _self, _path, line: writes.append(line))
    before = len(world.directory.writes)
    assert gpad("membership", "journal", "plan")["summary"]["groups_with_member_changes"] == 50
    assert len(world.directory.writes) - before == 50
    assert (len(looks), len(writes)) == (1 + 1 + 50, 2)


def test_a_plan_is_used_once_by_each_module(world: World, gpad: Runner) -> None:
    planned(world, gpad)
    gpad("group", "journal", "plan")
    again = gpad("group", "journal", "plan")
    assert (again["outcome"], again["errors"][0]["code"]) == ("fatal", "plan_used")


def test_without_a_plan_each_module_does_its_own_part(world: World, gpad: Runner) -> None:
    world.capture()
    assert gpad("group", "snapshot", "journal")["changed"]
    assert gpad("membership", "snapshot", "journal")["changed"]
    assert world.members() == {guid(1), guid(2)}
    for module in ("group", "membership"):
        result = gpad(module, "snapshot", "journal")
        assert (result["changed"], result["changes"], result["outcome"]) == (False, [], "ok")


@pytest.mark.parametrize("stores", [("plan",), ("snapshot",)])
def test_check_mode_tells_what_would_be_done_and_does_nothing(
    world: World, gpad: Runner, stores: tuple[str, ...]
) -> None:
    planned(world, gpad)
    would = gpad("group", "journal", *stores, check_mode=True, diff=True)
    assert (would["changed"], would["outcome"]) == (True, "ok")
    assert "+ displayName: Group 10" in would["diff"]["prepared"]
    assert world.directory.writes == []
    assert not (world.folder / "journal").exists()
    done = gpad("group", "journal", *stores)
    assert done["changes"] == would["changes"]


def test_a_plan_of_check_mode_is_never_carried_out(world: World, gpad: Runner) -> None:
    world.capture()
    gpad("plan", "snapshot", "journal", "plan", check_mode=True)
    result = gpad("group", "journal", "plan")
    assert result["errors"][0]["code"] == "plan_of_check_mode"
    assert gpad("group", "journal", "plan", check_mode=True)["outcome"] == "ok"
    assert world.directory.writes == []


def test_a_snapshot_of_check_mode_is_never_carried_out(world: World, gpad: Runner) -> None:
    world.capture(check_mode=True)
    assert gpad("group", "snapshot", "journal")["errors"][0]["code"] == "plan_of_check_mode"
    assert world.directory.writes == []


def test_a_plan_of_another_domain(world: World, gpad: Runner) -> None:
    planned(world, gpad)
    path = world.folder / "plan"
    lines = path.read_text().splitlines(keepends=True)
    assert "DC=contoso" in lines[0]
    with_other = [lines[0].replace('"domain":"DC=contoso', '"domain":"DC=fabrikam'), *lines[1:-1]]
    footer = json.loads(lines[-1])
    footer["integrity"] = integrity_of(hashlib.sha256("".join(with_other).encode()), footer)
    path.write_text("".join([*with_other, json.dumps(footer) + "\n"]))
    assert gpad("group", "journal", "plan")["errors"][0]["code"] == "plan_of_other_domain"


def test_a_plan_of_another_tenant(world: World, gpad: Runner) -> None:
    planned(world, gpad)
    other = JournalFile(world.folder / "journal", writable=True)
    other.pins.pin_tenant("another")
    other.close()
    assert gpad("group", "journal", "plan")["errors"][0]["code"] == "other_tenant"


def test_a_plan_beyond_a_limit_writes_nothing(world: World, gpad: Runner) -> None:
    world.capture()
    gpad("plan", "snapshot", "journal", "plan", limits={"creations": {"count": 0}})
    result = gpad("group", "journal", "plan")
    assert (result["outcome"], result["fatal"], result["errors"][0]["code"]) == ("blocked", True, "limit_exceeded")
    assert world.directory.writes == []


def test_a_plan_beyond_a_limit_that_was_approved_is_carried_out_by_both_modules(world: World, gpad: Runner) -> None:
    world.capture()
    limits = {"creations": {"count": 0}, "member_additions": {"count": 0}}
    told = gpad("plan", "snapshot", "journal", "plan", limits=limits)
    assert told["outcome"] == "blocked"
    for module in ("group", "membership"):
        refused = gpad(module, "journal", "plan", approve="0" * 64)
        assert (refused["outcome"], refused["errors"][0]["code"]) == ("blocked", "plan_not_approved")
    assert world.directory.writes == []
    for module in ("group", "membership"):
        assert gpad(module, "journal", "plan", approve=told["checksum"])["outcome"] == "ok"
    assert world.members() == {guid(1), guid(2)}
    again = gpad("group", "journal", "plan", approve=told["checksum"])
    assert again["errors"][0]["code"] == "plan_used"


def test_approval_is_of_a_plan(world: World, gpad: Runner) -> None:
    world.capture()
    result = gpad("group", "snapshot", "journal", approve="0" * 64)
    assert result["failed"]
    assert "plan" in result["msg"]


@pytest.mark.parametrize("stores", [("plan",), ("snapshot",)])
@pytest.mark.parametrize("module", ["group", "membership"])
def test_stopped_runs_write_nothing_until_they_are_let_go(
    world: World, gpad: Runner, module: str, stores: tuple[str, ...]
) -> None:
    planned(world, gpad)
    if module == "membership":
        gpad("group", "journal", *stores)
        world.directory.writes.clear()
    switch = JournalFile(world.folder / "journal", writable=True)
    switch.stop("Somebody is looking.")
    result = gpad(module, "journal", *stores)
    assert (result["outcome"], result["errors"][0]["code"], result["changed"]) == ("blocked", "stopped", False)
    assert "Somebody is looking." in result["msg"]
    assert world.directory.writes == []
    assert journal(world).runs(1)[0].outcome == "blocked"
    switch.stop(None)
    switch.close()
    assert gpad(module, "snapshot", "journal")["changed"]


def test_a_run_that_is_stopped_under_way_keeps_what_was_done(
    world: World, gpad: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.capture({10: (), 11: (), 12: ()})
    gpad("plan", "snapshot", "journal", "plan")
    create = world.directory.create

    def create_and_stop(*arguments: Any) -> Any:
        switch = JournalFile(world.folder / "journal", writable=True)
        switch.stop("Enough.")
        switch.close()
        return create(*arguments)

    monkeypatch.setattr(world.directory, "create", create_and_stop)
    result = gpad("group", "journal", "plan")
    assert (result["outcome"], result["fatal"], result["errors"][0]["code"]) == ("blocked", True, "stopped")
    assert (len(result["changes"]), len(world.directory.writes), len(journal(world).known())) == (1, 1, 1)


def test_another_run_blocks(world: World, gpad: Runner) -> None:
    planned(world, gpad)
    other = JournalFile(world.folder / "journal", writable=True)
    with other.locked():
        result = gpad("group", "journal", "plan")
        assert (result["outcome"], result["errors"][0]["code"]) == ("blocked", "run_in_progress")
        # What it would tell would not last.
        assert gpad("group", "journal", "plan", check_mode=True)["errors"][0]["code"] == "run_in_progress"
    assert gpad("group", "journal", "plan")["outcome"] == "ok"


def test_the_tenant_is_remembered_at_first_use(world: World, gpad: Runner) -> None:
    planned(world, gpad)
    gpad("group", "journal", "plan")
    journal(world).pins.check_tenant(TENANT)
    world.capture(tenant="another")
    assert gpad("group", "snapshot", "journal")["errors"][0]["code"] == "other_tenant"


def test_the_domain_is_remembered_at_first_use(world: World, gpad: Runner) -> None:
    """Two directories with one journal would take each other's objects for their own."""
    planned(world, gpad)
    gpad("group", "journal", "plan")
    world.directory.info = replace(world.directory.info, dn="DC=fabrikam,DC=com")
    world.directory.writes.clear()
    for module in ("group", "membership"):
        result = gpad(module, "snapshot", "journal")
        assert (result["outcome"], result["errors"][0]["code"]) == ("fatal", "other_domain_journal")
    assert world.directory.writes == []


@pytest.mark.parametrize("check_mode", [False, True])
@pytest.mark.parametrize("module", ["group", "membership"])
def test_a_late_plan_is_refused(world: World, gpad: Runner, module: str, check_mode: bool) -> None:
    """Nothing was applied since, but the cloud has moved on: what was taken away there would be given here."""
    world.capture(hours_ago=25)
    gpad("plan", "snapshot", "journal", "plan", max_snapshot_age=26)
    for stores in (("plan",), ("snapshot",)):
        result = gpad(module, "journal", *stores, check_mode=check_mode)
        assert (result["outcome"], result["errors"][0]["code"]) == ("fatal", "snapshot_outdated")
    assert world.directory.writes == []
    assert gpad("group", "journal", "plan", max_snapshot_age=26, check_mode=check_mode)["outcome"] == "ok"


def test_a_snapshot_older_than_the_applied_one_is_refused(world: World, gpad: Runner) -> None:
    planned(world, gpad)
    gpad("group", "journal", "plan")
    world.capture(hours_ago=1)
    assert gpad("group", "snapshot", "journal")["errors"][0]["code"] == "snapshot_outdated"


def test_links_that_were_there_already_are_no_change(
    world: World, gpad: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(world, gpad)
    gpad("group", "journal", "plan")
    group = next(node for node in world.directory.nodes.values() if node.object_class == "group")
    change = world.directory.change_members

    def linked_meanwhile(guid_: str, *arguments: Any) -> Any:
        group.members |= {guid(1), guid(2)}
        return change(guid_, *arguments)

    monkeypatch.setattr(world.directory, "change_members", linked_meanwhile)
    world.directory.writes.clear()
    result = gpad("membership", "journal", "plan")
    assert (result["outcome"], result["changed"], result["changes"]) == ("ok", False, [])
    assert world.directory.writes == []


def test_one_object_that_fails_is_partial(world: World, gpad: Runner) -> None:
    planned(world, gpad)
    gpad("group", "journal", "plan")
    world.directory.refused = {guid(2)}
    result = gpad("membership", "journal", "plan")
    assert (result["_rc"], result["outcome"], result["fatal"], result["changed"]) == (1, "partial", False, True)
    assert result["summary"]["members_added"] == 1
    assert [entry["action"] for entry in journal(world).failing(10)] == ["members"]


def test_a_defect_while_writing_keeps_what_was_done_and_shows_no_secret(
    world: World, gpad: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(world, gpad)

    def broken(*_arguments: object) -> None:
        raise ValueError(f"{PASSWORD} for CN=Group")

    monkeypatch.setattr(world.directory, "create", broken)
    result = gpad("group", "journal", "plan")
    assert (result["outcome"], result["errors"][0]["code"]) == ("fatal", "internal_error")
    assert PASSWORD not in json.dumps(result)
    assert journal(world).runs(1)[0].outcome == "fatal"


def test_a_directory_that_is_not_reached(world: World, gpad: Runner) -> None:
    planned(world, gpad)
    world.reached = False
    result = gpad("group", "journal", "plan")
    assert result["errors"][0]["code"] == "directory_unreachable"
    world.reached = True
    assert gpad("group", "journal", "plan")["outcome"] == "ok"


def test_what_was_skipped_is_told_by_the_module_it_concerns(world: World, gpad: Runner) -> None:
    world.capture({10: (user(1), user(9, None))})
    alone = gpad("group", "snapshot", "journal")
    assert alone["skips"] == []
    members = gpad("membership", "snapshot", "journal")
    assert [skip["code"] for skip in members["skips"]] == ["cloud_only_user"]


def test_with_a_plan_what_was_skipped_was_told_by_the_plan(world: World, gpad: Runner) -> None:
    world.capture({10: (user(9, None),)})
    told = gpad("plan", "snapshot", "journal", "plan")
    assert len(told["skips"]) == 1
    gpad("group", "journal", "plan")
    assert gpad("membership", "journal", "plan")["skips"] == []


@pytest.mark.parametrize("stores", [(), ("plan", "snapshot")])
def test_plan_or_snapshot_and_not_both(gpad: Runner, stores: tuple[str, ...]) -> None:
    result = gpad("group", "journal", *stores)
    assert result["failed"]
    assert "plan" in result["msg"]


def test_a_snapshot_needs_a_target(world: World, gpad: Runner) -> None:
    world.capture()
    result = gpad("group", "snapshot", "journal", target_container=None)
    assert result["failed"]
    assert "target_container" in result["msg"]


def test_an_error_while_reading_the_directory_again(
    world: World, gpad: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(world, gpad)

    def broken(*_arguments: object) -> None:
        raise DirectoryError("gone", code="directory_unreachable")

    monkeypatch.setattr(world.directory, "groups", broken)
    assert gpad("group", "journal", "plan")["outcome"] == "fatal"


def test_a_part_of_a_plan_with_nothing_in_it_needs_no_directory(world: World, gpad: Runner) -> None:
    world.capture({10: ()})
    gpad("plan", "snapshot", "journal", "plan")
    gpad("group", "journal", "plan")
    world.reached = False
    told = gpad("membership", "journal", "plan")
    assert (told["outcome"], told["changed"], told["changes"]) == ("ok", False, [])
    assert [entry.module for entry in journal(world).runs(10)] == ["gpad_membership", "gpad_group"]
    assert gpad("membership", "journal", "plan")["errors"][0]["code"] == "plan_used"


def test_a_part_with_nothing_in_it_is_checked_like_any_other(world: World, gpad: Runner) -> None:
    world.capture({10: ()})
    gpad("plan", "snapshot", "journal", "plan", limits={"creations": {"count": 0}})
    assert gpad("membership", "journal", "plan")["errors"][0]["code"] == "limit_exceeded"
    gpad("plan", "snapshot", "journal", "plan", check_mode=True)
    assert gpad("membership", "journal", "plan")["errors"][0]["code"] == "plan_of_check_mode"
    assert gpad("membership", "journal", "plan", check_mode=True)["outcome"] == "ok"


def test_without_a_journal_what_is_not_believed_still_waits_in_the_next_run(world: World, gpad: Runner) -> None:
    """The first run makes the journal; the decision is still open when the second one finds it."""
    world.directory.add_group(anchored_group(10)).owner = STRANGER_SID
    world.capture({10: (), 11: ()})
    for _run in range(2):
        told = gpad("group", "snapshot", "journal")
        assert [error["code"] for error in told["errors"]] == ["adoption_needs_approval"]
    assert world.members(10) is None


@pytest.mark.parametrize("kind", [FateKind.ABSENT, FateKind.SOFT_DELETED, FateKind.SYNCED])
@pytest.mark.parametrize("members", [set(), {guid(1)}])
def test_a_group_that_was_rolled_back_is_not_retired_when_its_copy_goes(
    world: World, gpad: Runner, kind: FateKind, members: set[str]
) -> None:
    """The sync client no longer takes it along, so that the copy is deleted; on-premises it is in use."""
    mark = identity.anchor_of(cloud_id(20))
    world.directory.add_group(anchored_group(20, adminDescription=(f"TakenOver_{mark}",)), members)
    made = JournalFile(world.folder / "journal", writable=True)
    made.remember(cloud_id(20), guid(20), accepted=True)
    made.close()
    if kind is not FateKind.SYNCED:
        rolled_back = cloud_group(20, managed=False, onPremisesSecurityIdentifier=sid(2020))
        world.capture({}, more=[rolled_back])
        gpad("group", "snapshot", "journal")
    world.capture({}, fates=[Fate(cloud_id(20), kind, "Copy", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")])
    for _run in range(2):
        for module in ("group", "membership"):
            result = gpad(module, "snapshot", "journal", retire={"soft_deleted": "empty", "deleted": "delete"})
            assert (result["outcome"], result["changes"]) == ("ok", [])
    assert (world.directory.writes, world.directory.nodes[guid(20)].members) == ([], members)


def test_a_run_of_a_few_groups_does_not_make_a_journal_that_knows_the_others(world: World, gpad: Runner) -> None:
    world.directory.add_group(anchored_group(10)).owner = STRANGER_SID
    world.capture({11: ()}, narrowed=True)
    assert gpad("group", "snapshot", "journal")["outcome"] == "ok"
    world.capture({10: (), 11: ()})
    for _run in range(2):
        told = gpad("group", "snapshot", "journal")
        assert [error["code"] for error in told["errors"]] == ["adoption_needs_approval"]


def test_links_that_gpad_group_does_not_count_do_not_block_it(world: World, gpad: Runner) -> None:
    """Of 221 links 21 go, which is little; but without the members planned only these 21 are seen."""
    made = JournalFile(world.folder / "journal", writable=True)
    for number, size in ((20, 200), (21, 21)):
        users = [world.directory.add_user(number * 1000 + k).guid for k in range(size)]
        world.directory.add_group(settled(number), users)
        made.remember(cloud_id(number), guid(number), accepted=True)
    made.close()
    gone = Fate(cloud_id(21), FateKind.SOFT_DELETED, "", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
    world.capture({20: tuple(user(20_000 + k) for k in range(200))}, fates=[gone])
    assert gpad("plan", "snapshot", "journal", "plan")["outcome"] == "ok"
    assert gpad("group", "snapshot", "journal")["outcome"] == "ok"
    assert gpad("membership", "snapshot", "journal")["summary"]["members_removed"] == 21


@pytest.mark.parametrize("module", ["group", "membership"])
def test_an_empty_capture_after_a_full_one_changes_nothing(world: World, gpad: Runner, module: str) -> None:
    planned(world, gpad)
    gpad("group", "journal", "plan")
    gpad("membership", "journal", "plan")
    world.capture({})
    told = gpad(module, "snapshot", "journal")
    assert (told["outcome"], [error["code"] for error in told["errors"]]) == ("blocked", ["limit_exceeded"])
    assert "scope_losses: 1 planned, 0 allowed" in told["errors"][0]["reason"]
    assert world.members() == {guid(1), guid(2)}


def test_beside_another_writer_nothing_is_applied(world: World, gpad: Runner) -> None:
    world.capture(other_writers=("Cloud Sync, job 1, Active",))
    plan = gpad("plan", "snapshot", "journal", "plan")
    assert (plan["outcome"], plan["notices"][0]["code"]) == ("ok", "other_writer")
    for module in ("group", "membership"):
        for stores in (("journal", "plan"), ("journal", "snapshot")):
            refused = gpad(module, *stores)
            assert (refused["outcome"], refused["errors"][0]["code"]) == ("blocked", "other_writer")
            assert "Cloud Sync, job 1, Active" in refused["msg"]
            checked = gpad(module, *stores, check_mode=True)
            assert (checked["outcome"], checked["changed"]) == ("ok", True)
            assert [notice["code"] for notice in checked["notices"]].count("other_writer") == 1
    assert world.directory.writes == []


KEY = SnapshotKey(b"a key of thirty-two characters, or more")


def test_the_first_signed_run_pins_the_key(world: World, gpad: Runner) -> None:
    world.capture(key=KEY)
    signed = {"snapshot_key": KEY.secret.decode()}
    assert gpad("plan", "snapshot", "journal", "plan", **signed)["outcome"] == "ok"
    assert gpad("group", "journal", "plan")["outcome"] == "ok"
    assert gpad("membership", "journal", "snapshot", **signed)["outcome"] == "ok"
    for module in ("plan", "group", "membership"):
        stores = ("snapshot", "journal", "plan") if module == "plan" else ("snapshot", "journal")
        assert gpad(module, *stores)["errors"][0]["code"] == "snapshot_key_changed"
    assert gpad("plan", "snapshot", "journal", "plan", **signed)["outcome"] == "ok"


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_plan_of_the_future_is_not_carried_out(
    world: World, gpad: Runner, monkeypatch: pytest.MonkeyPatch, check_mode: bool
) -> None:
    """Its time would be remembered, and hold back those made until then."""
    world.capture(hours_ago=0.2)
    gpad("plan", "snapshot", "journal", "plan")
    now = utc_now()
    monkeypatch.setattr(refusals, "utc_now", lambda: now - timedelta(minutes=6))
    result = gpad("group", "journal", "plan", check_mode=check_mode)
    assert (result["outcome"], result["errors"][0]["code"]) == ("fatal", "snapshot_from_future")
    assert "The plan of" in result["msg"]
    assert world.directory.writes == []


def test_what_is_gone_is_remembered_until_it_is_there_again(world: World, gpad: Runner) -> None:
    """Another domain controller is not to wait for it."""

    def gone() -> frozenset[str]:
        written = journal(world).written_to.last()
        assert written is not None
        return written.gone

    world.capture({})
    gpad("group", "snapshot", "journal")
    held = JournalFile(world.folder / "journal", writable=True)
    held.remember(cloud_id(30), guid(30), accepted=True)
    held.close()
    result = gpad("group", "snapshot", "journal")
    assert [(item["id"], item["code"]) for item in result["notices"]] == [(cloud_id(30), "directory_group_gone")]
    assert gone() == {guid(30)}
    world.capture({}, narrowed=True)
    gpad("group", "snapshot", "journal")
    assert gone() == {guid(30)}
    world.capture({})
    world.directory.add_group(settled(30))
    gpad("group", "snapshot", "journal")
    assert gone() == frozenset()


def test_a_plan_that_takes_its_place_while_connecting_is_not_carried_out(
    world: World, gpad: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = planned(world, gpad)
    world.capture({10: (user(1),), 11: (), 12: ()})
    other = {"plan": str(world.folder / "review"), "journal": str(world.folder / "other")}
    assert gpad("plan", "snapshot", **other, limits={"creations": {"count": 1}})["outcome"] == "blocked"
    connect = world.open

    @contextmanager
    def opening(*arguments: Any) -> Iterator[Any]:
        (world.folder / "review").replace(world.folder / "plan")
        with connect(*arguments) as found:
            yield found

    monkeypatch.setattr(applying, "open_directory", opening)
    group = gpad("group", "journal", "plan")
    assert (group["outcome"], group["plan_id"]) == ("ok", plan["plan_id"])
    assert [change["id"] for change in group["changes"]] == [cloud_id(10)]


def test_an_approved_plan_tells_once_more_what_it_leaves_out(world: World, gpad: Runner) -> None:
    """The review may be long ago, and nobody else tells of it in this run."""
    world.directory.add_group(anchored_group(12)).owner = STRANGER_SID
    world.capture({10: (user(1), user(9, None)), 12: ()}, incomplete="a page was lost")
    plan = gpad("plan", "snapshot", "journal", "plan")
    assert plan["outcome"] == "incomplete"
    group, members = (gpad(module, "journal", "plan", approve=plan["checksum"]) for module in ("group", "membership"))
    assert (group["outcome"], [error["code"] for error in group["errors"]]) == (
        "incomplete",
        ["adoption_needs_approval"],
    )
    assert (members["outcome"], [skip["code"] for skip in members["skips"]]) == ("incomplete", ["cloud_only_user"])
