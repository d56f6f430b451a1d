# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan that is handed over to slices, carried out by them, and merged."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import keeping, slicing
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.slices import index_of
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from tests.unit.plugins.module_utils._module.running import Runner, run
from tests.unit.plugins.module_utils._module.world import World
from tests.unit.samples import SUB, anchored_group, cloud_id, group_member, user

COUNT = 4
ALL = tuple(range(COUNT))
SETTINGS = {"target_container": SUB, "limits": {"moves": {"count": 100}, "renames": {"count": 100}}}
Slices = Callable[..., "Nodes"]


def codes(result: dict[str, Any]) -> list[str]:
    return sorted(error["code"] for error in result["errors"])


def journal(path: Path) -> JournalFile:
    return JournalFile(path, writable=False)


@contextmanager
def written(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a journal as a database; what the block writes is kept."""
    with closing(sqlite3.connect(path)) as database:
        yield database
        database.commit()


def state(world: World) -> dict[str, Any]:
    """Return all objects of the directory with what they hold."""
    return {node.dn: node for node in world.directory.nodes.values()}


class Nodes:
    """Machines that carry out slices, each in a folder of its own."""

    def __init__(self, world: World, gpad: Runner, count: int = COUNT) -> None:
        self.world, self.gpad, self.count = world, gpad, count
        self.copy = world.folder / "copy"

    def hand_over(self, module: str, *, check_mode: bool = False, **more: Any) -> dict[str, Any]:
        given = {"slices": self.count, "copy_to": str(self.copy)}
        return self.gpad(module, "journal", "plan", hand_over=given, check_mode=check_mode, **more)

    def path(self, index: int) -> Path:
        return self.world.folder / f"slice-{index}"

    def carry_out(self, module: str, index: int, *, check_mode: bool = False, **more: Any) -> dict[str, Any]:
        """Carry out one slice on a fresh copy."""
        shutil.copyfile(self.copy, self.path(index))
        part = {"count": self.count, "index": index}
        path = str(self.path(index))
        return self.gpad(module, "plan", journal=path, partition=part, check_mode=check_mode, **more)

    def merge(
        self, module: str, came_back: Iterable[int] = ALL, *, check_mode: bool = False, **more: Any
    ) -> dict[str, Any]:
        merged = [str(self.path(index)) for index in came_back]
        return self.gpad(module, "journal", "plan", merged=merged, check_mode=check_mode, **more)

    def part(self, module: str, came_back: Iterable[int] = ALL) -> dict[str, Any]:
        """Hand a part over, let all machines work, and merge those that come back."""
        assert self.hand_over(module)["outcome"] == "ok"
        for index in range(self.count):
            assert self.carry_out(module, index)["outcome"] == "ok"
        return self.merge(module, came_back)


@pytest.fixture
def nodes(world: World, gpad: Runner) -> Nodes:
    """Four machines."""
    return Nodes(world, gpad)


def planned(world: World, gpad: Runner) -> dict[str, Any]:
    """Provision some groups on one machine, then plan changes of every kind, holding the journal."""
    world.directory.add_group(anchored_group(50))
    world.directory.existing.remove(SUB)
    world.capture({number: (user(1), user(2)) for number in range(10, 20)})
    for module, *stores in (("plan", "snapshot", "journal", "plan"), ("group", "journal", "plan")):
        assert gpad(module, *stores)["outcome"] == "ok"
    assert gpad("membership", "journal", "plan")["outcome"] == "ok"
    nested = {20: (group_member(10), group_member(21), user(3)), 21: (user(1), group_member(22)), 22: (user(2),)}
    fewer = {number: (user(1), user(3)) for number in range(10, 20)}
    names = {number: f"Renamed {number}" for number in (18, 19)}
    world.capture({**fewer, **nested, 50: (user(1),), **{n: (user(3),) for n in range(23, 30)}}, names=names)
    told = gpad("plan", "snapshot", "journal", "plan", hold=True, create_containers=True, **SETTINGS)
    assert told["outcome"] == "ok", told["msg"]
    return told


def carried_out(world: World, gpad: Runner) -> dict[str, dict[str, Any]]:
    """Carry the plan out on one machine, on copies of directory and journal; return results and end state."""
    sliced, world.directory = world.directory, world.directory.copy()
    shutil.copyfile(world.folder / "journal", world.folder / "one")
    path = str(world.folder / "one")
    told = {module: gpad(module, "plan", journal=path) for module in ("group", "membership")}
    found, world.directory = state(world), sliced
    return {**told, "state": found}


# What differs from run to run, and what the oldest ansible-core adds.
VOLATILE = ("plan_id", "slices", "_rc", "invocation")


def lasting(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result without what differs from run to run."""
    kept = {name: value for name, value in result.items() if name not in VOLATILE}
    return {**kept, "summary": {n: c for n, c in result["summary"].items() if n != "operations"}}


def test_four_slices_end_as_one_machine_does(world: World, gpad: Runner, nodes: Nodes) -> None:
    plan = planned(world, gpad)
    kinds = {change["action"] for change in plan["changes"]}
    assert kinds == {"create_container", "create", "adopt", "move", "rename_and_move", "update", "members"}
    one = carried_out(world, gpad)
    for module in ("group", "membership"):
        told = nodes.part(module)
        assert lasting(told) == lasting(one[module])
        assert told["slices"] == {"count": COUNT, "merged": list(ALL), "missing": [], "unfinished": []}
    assert state(world) == one["state"]
    mine, others = journal(world.folder / "journal"), journal(world.folder / "one")
    assert mine.known() == others.known()
    assert mine.lease.holder() is None and mine.slices.handed_over() is None

    def kept(held: JournalFile) -> list[Any]:
        return [(done.action, done.id, done.before, done.after, done.added) for done in held.outcomes(plan["plan_id"])]

    assert kept(mine) == kept(others) != []
    again = gpad("plan", "snapshot", "journal", "plan", **SETTINGS)
    assert (again["outcome"], again["would_change"]) == ("ok", False)


def test_every_slice_writes_its_own_groups_alone(world: World, gpad: Runner, nodes: Nodes) -> None:
    planned(world, gpad)
    handed = nodes.hand_over("group")
    assert (handed["outcome"], handed["changed"], handed["changes"]) == ("ok", False, [])
    for index in ALL:
        told = nodes.carry_out("group", index)
        own = [change["id"] for change in told["changes"] if change["id"]]
        assert {index_of(one, COUNT) for one in own} <= {index}
        assert len(own) == handed["slices"]["changes"][index] > 0
        assert [change["dn"] for change in told["changes"] if not change["id"]] == [SUB]
    assert sum(kind == "create_container" for kind, _name in world.directory.writes) == 1


def test_a_container_that_nobody_can_make_fails_in_a_slice_too(
    world: World, gpad: Runner, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(world, gpad)
    nodes.hand_over("group")
    monkeypatch.setattr(world.directory, "containers", lambda _names: frozenset())
    told = nodes.carry_out("group", 0)
    assert "object_missing" in codes(told)


def let_go(world: World, gpad: Runner) -> None:
    """Say that the machines which did not come back write no more, before which no other run begins."""
    held = journal(world.folder / "journal")
    assert held.lease.holder() is not None
    refused = gpad("plan", "snapshot", "journal", "plan", **SETTINGS)
    assert [error["code"] for error in refused["errors"]] == ["run_in_progress"]
    with closing(JournalFile(world.folder / "journal", writable=True)) as writable:
        writable.lease.release()


def test_a_lost_slice_is_found_and_the_next_run_does_the_rest(world: World, gpad: Runner, nodes: Nodes) -> None:
    planned(world, gpad)
    one = carried_out(world, gpad)
    nodes.hand_over("group")
    lost = nodes.gpad  # nobody runs slice 2
    for index in (0, 1, 3):
        assert nodes.carry_out("group", index)["outcome"] == "ok"
    told = nodes.merge("group", (0, 1, 3))
    assert (told["outcome"], told["fatal"], set(codes(told))) == ("partial", False, {"slice_missing"})
    assert {index_of(error["id"], COUNT) for error in told["errors"]} == {2}
    assert told["slices"] == {"count": COUNT, "merged": [0, 1, 3], "missing": [2], "unfinished": []}
    assert "Slice 2 of 0 to 3 did not come back" in told["errors"][0]["reason"]
    assert [notice["code"] for notice in told["notices"]] == ["slice_lost"]
    assert f"{len(told['errors'])} of its changes" in told["notices"][0]["reason"]
    assert nodes.hand_over("membership")["outcome"] == "ok"
    for index in ALL:
        nodes.carry_out("membership", index)
    assert nodes.merge("membership")["outcome"] == "partial"
    assert journal(world.folder / "journal").retries.rows() == {}
    let_go(world, gpad)
    for module, *stores in (("plan", "snapshot", "journal", "plan"), ("group", "journal", "plan")):
        assert lost(module, *stores, **(SETTINGS if module == "plan" else {}))["outcome"] == "ok"
    assert gpad("membership", "journal", "plan")["outcome"] == "ok"
    assert {dn: (node.guid, node.attributes, node.members) for dn, node in state(world).items()} == {
        dn: (node.guid, node.attributes, node.members) for dn, node in one["state"].items()
    }


def test_a_slice_that_wrote_and_did_not_come_back_makes_no_second_group(
    world: World, gpad: Runner, nodes: Nodes
) -> None:
    planned(world, gpad)
    assert nodes.part("group", (0, 1, 3))["outcome"] == "partial"
    assert nodes.hand_over("membership")["outcome"] == "ok"
    assert nodes.merge("membership", ())["outcome"] == "partial"
    let_go(world, gpad)
    before = {node.guid for node in world.directory.nodes.values()}
    for module, *stores in (("plan", "snapshot", "journal", "plan"), ("group", "journal", "plan")):
        told = gpad(module, *stores, **(SETTINGS if module == "plan" else {}))
        assert told["outcome"] == "ok"
    assert {change["action"] for change in told["changes"]} == {"adopt"}
    assert {node.guid for node in world.directory.nodes.values()} == before


def test_a_run_that_lost_a_slice_is_no_whole_one(world: World, gpad: Runner, nodes: Nodes) -> None:
    world.capture({number: (user(1),) for number in range(10, 30)})
    gpad("plan", "snapshot", "journal", "plan", hold=True)
    assert nodes.part("group", (0, 1))["outcome"] == "partial"
    held = journal(world.folder / "journal")
    assert held.fresh and held.pins.applied_size() is None


def test_a_slice_without_changes_that_does_not_come_back_lost_nothing(world: World, gpad: Runner, nodes: Nodes) -> None:
    world.capture({10: (user(1),)})
    gpad("plan", "snapshot", "journal", "plan", hold=True)
    own = index_of(cloud_id(10), COUNT)
    missing = [index for index in ALL if index != own]
    told = nodes.part("group", [own])
    assert (told["outcome"], told["slices"]["missing"]) == ("ok", missing)
    assert [notice["code"] for notice in told["notices"]] == ["slice_lost"] * 3
    assert nodes.part("membership", [own])["outcome"] == "ok"
    assert not journal(world.folder / "journal").fresh


def test_a_machine_that_lost_its_domain_controller_counts_with_what_it_did(
    world: World, gpad: Runner, nodes: Nodes
) -> None:
    planned(world, gpad)
    nodes.hand_over("group")
    for index in (0, 1, 3):
        nodes.carry_out("group", index)
    world.directory.writes_left = 1
    died = nodes.carry_out("group", 2)
    assert (died["outcome"], len(died["changes"])) == ("fatal", 2)
    world.directory.writes_left = None
    told = nodes.merge("group")
    assert (told["outcome"], told["slices"]["unfinished"]) == ("partial", [2])
    assert "ended before it: The domain controller does not answer" in told["errors"][0]["reason"]
    done = {change["id"] for change in told["changes"]}
    assert {change["id"] for change in died["changes"]} <= done
    assert {error["id"] for error in told["errors"]}.isdisjoint(done)


def test_a_run_that_was_killed_counts_with_what_it_wrote_down(world: World, gpad: Runner, nodes: Nodes) -> None:
    planned(world, gpad)
    nodes.hand_over("group")
    for index in ALL:
        nodes.carry_out("group", index)
    with written(nodes.path(1)) as copy:
        copy.execute("UPDATE runs SET ended_at = NULL, outcome = NULL WHERE no = (SELECT max(no) FROM runs)")
        copy.execute('UPDATE runs SET summary = \'{"slice": 1, "slices": 4}\' WHERE no = (SELECT max(no) FROM runs)')
        copy.execute(
            "DELETE FROM outcomes WHERE no > (SELECT min(no) + 1 FROM outcomes WHERE run_no = "
            "(SELECT max(no) FROM runs))"
        )
    told = nodes.merge("group")
    assert (told["outcome"], told["slices"]["unfinished"]) == ("partial", [1])
    assert {error["reason"] for error in told["errors"]} == {"Slice 1 of 0 to 3 broke off before it."}


def test_check_mode_of_a_merge_tells_the_same_and_writes_nothing(world: World, gpad: Runner, nodes: Nodes) -> None:
    planned(world, gpad)
    nodes.hand_over("group")
    for index in ALL:
        nodes.carry_out("group", index)
    before = (world.folder / "journal").read_bytes()
    would = nodes.merge("group", (0, 2), check_mode=True)
    assert (world.folder / "journal").read_bytes() == before
    assert lasting(would) == lasting(nodes.merge("group", (0, 2)))


def test_check_mode_hands_nothing_over_and_a_slice_shows_its_own(world: World, gpad: Runner, nodes: Nodes) -> None:
    planned(world, gpad)
    told = nodes.hand_over("group", check_mode=True)
    assert (told["outcome"], nodes.copy.exists()) == ("ok", False)
    assert journal(world.folder / "journal").slices.handed_over() is None
    nodes.hand_over("group")
    writes = list(world.directory.writes)
    would = nodes.carry_out("group", 1, check_mode=True)
    assert world.directory.writes == writes
    assert would["changes"] == nodes.carry_out("group", 1)["changes"]


# Which journals are merged


def renewed(nodes: Nodes) -> None:
    """Hand another plan over, after the first one was given up."""
    held = JournalFile(nodes.world.folder / "journal", writable=True)
    held.lease.release()
    held.close()
    nodes.gpad("plan", "snapshot", "journal", "plan", hold=True)
    nodes.hand_over("group")


def settled(path: Path, name: str, value: str) -> None:
    with written(path) as copy:
        copy.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (renewed, "is of the part of gpad_group of the plan"),
        (lambda nodes: shutil.copyfile(nodes.path(0), nodes.path(1)), "holds slice 0, which"),
        (lambda nodes: nodes.path(1).unlink(), "does not exist"),
        (lambda nodes: settled(nodes.path(1), "tenant_id", "another"), "is of the tenant another"),
        (lambda nodes: settled(nodes.path(1), "domain", "dc=other"), "is of the domain dc=other"),
        (lambda nodes: shutil.copyfile(nodes.world.folder / "journal", nodes.path(1)), "is no copy that was made"),
    ],
    ids=["another plan", "twice", "missing", "tenant", "domain", "the journal itself"],
)
def test_a_wrong_journal_is_refused_and_nothing_is_merged(
    world: World, gpad: Runner, nodes: Nodes, spoil: Callable[[Nodes], Any], why: str
) -> None:
    world.capture({number: (user(1),) for number in range(10, 20)})
    gpad("plan", "snapshot", "journal", "plan", hold=True)
    nodes.hand_over("group")
    for index in ALL:
        nodes.carry_out("group", index)
    spoil(nodes)
    before = (world.folder / "journal").read_bytes()
    told = nodes.merge("group")
    assert (told["outcome"], codes(told), why in told["msg"]) == ("fatal", ["slice_wrong"], True), told["msg"]
    held = journal(world.folder / "journal")
    assert held.known() == {} and held.lease.holder() is not None and held.slices.handed_over() is not None
    assert len(before) == (world.folder / "journal").stat().st_size


def test_slices_of_another_count_are_refused(world: World, gpad: Runner, nodes: Nodes) -> None:
    world.capture()
    gpad("plan", "snapshot", "journal", "plan", hold=True)
    nodes.hand_over("group")
    told = Nodes(world, gpad, 5).carry_out("group", 4)
    assert (codes(told), "count: 5 is not the number" in told["msg"]) == (["configuration_invalid"], True)
    for index in ALL:
        nodes.carry_out("group", index)
    with written(nodes.path(3)) as copy:
        copy.execute(
            "UPDATE settings SET value = replace(value, '\"count\": 4', '\"count\": 5') WHERE name = 'handed_over'"
        )
    told = nodes.merge("group")
    assert (codes(told), "of another hand-over, to 5 slices" in told["msg"]) == (["slice_wrong"], True)


def test_a_merge_that_was_refused_can_be_repeated_and_one_that_was_done_cannot(
    world: World, gpad: Runner, nodes: Nodes
) -> None:
    planned(world, gpad)
    nodes.hand_over("group")
    for index in ALL:
        nodes.carry_out("group", index)
    assert codes(nodes.merge("group", (0, 0))) == ["slice_wrong"]
    assert nodes.merge("group")["outcome"] == "ok"
    assert codes(nodes.merge("group")) == ["not_handed_over"]


def test_a_merge_that_breaks_off_wrote_nothing(
    world: World, gpad: Runner, nodes: Nodes, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(world, gpad)
    nodes.hand_over("group")
    for index in ALL:
        nodes.carry_out("group", index)
    known = journal(world.folder / "journal").known()
    record, left = JournalFile.record, [3]

    def failing(self: JournalFile, applied: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise RuntimeError
        record(self, applied)

    monkeypatch.setattr(JournalFile, "record", failing)
    assert codes(nodes.merge("group")) == ["internal_error"]
    monkeypatch.setattr(JournalFile, "record", record)
    assert journal(world.folder / "journal").known() == known
    assert nodes.merge("group")["outcome"] == "ok"


# The order of the steps, and what is refused


def handed(world: World, gpad: Runner, nodes: Nodes) -> None:
    world.capture({number: (user(1),) for number in range(10, 20)})
    gpad("plan", "snapshot", "journal", "plan", hold=True)
    assert nodes.hand_over("group")["outcome"] == "ok"


def test_nobody_else_carries_out_what_was_handed_over(world: World, gpad: Runner, nodes: Nodes) -> None:
    handed(world, gpad, nodes)
    for told in (
        gpad("group", "journal", "plan"),
        gpad("membership", "journal", "plan"),
        nodes.hand_over("group"),
        nodes.hand_over("membership"),
    ):
        assert (told["outcome"], codes(told)) == ("blocked", ["handed_over"])
    assert codes(gpad("plan", "snapshot", "journal", "plan")) == ["run_in_progress"]
    assert codes(nodes.merge("membership", ())) == ["not_handed_over"]
    assert world.directory.writes == []


def test_the_journal_is_held_while_slices_may_write(world: World, gpad: Runner, nodes: Nodes) -> None:
    handed(world, gpad, nodes)

    def later(minutes: int) -> dict[str, Any]:
        with written(world.folder / "journal") as held:
            held.execute(
                "UPDATE lease SET heartbeat = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', ?)", (f"-{minutes} minutes",)
            )
        return gpad("plan", "snapshot", "journal", "plan", check_mode=True)

    told = later(269)
    assert codes(told) == ["run_in_progress"] and "Its slices may write until" in told["msg"]
    assert later(271)["outcome"] == "ok"


def test_a_slice_ends_with_its_time(world: World, gpad: Runner, nodes: Nodes) -> None:
    handed(world, gpad, nodes)
    with written(nodes.copy) as copy:
        copy.execute("UPDATE settings SET value = replace(value, '\"minutes\": 240', '\"minutes\": 0')")
    told = nodes.carry_out("group", index_of(cloud_id(10), COUNT))
    assert (told["outcome"], codes(told)) == ("blocked", ["slice_time_over"])
    assert world.directory.writes == []


def test_a_copy_is_for_its_slice_alone_and_a_slice_for_its_copy(world: World, gpad: Runner, nodes: Nodes) -> None:
    handed(world, gpad, nodes)
    for module, *stores in (("plan", "snapshot", "plan"), ("group", "plan"), ("group", "snapshot")):
        assert codes(gpad(module, *stores, journal=str(nodes.copy))) == ["journal_of_slice"]
    part = {"count": COUNT, "index": 0}
    assert codes(gpad("group", "plan", "journal", partition=part)) == ["journal_of_no_slice"]
    assert world.directory.writes == []


def test_a_copy_is_private_and_made_for_one_use(world: World, gpad: Runner, nodes: Nodes) -> None:
    handed(world, gpad, nodes)
    assert nodes.copy.stat().st_mode & 0o777 == 0o600
    own = index_of(cloud_id(10), COUNT)
    assert nodes.carry_out("group", own)["outcome"] == "ok"
    part = {"count": COUNT, "index": own}
    assert codes(gpad("group", "plan", journal=str(nodes.path(own)), partition=part)) == ["plan_used"]


def test_a_plan_of_a_few_groups_is_not_sliced(world: World, gpad: Runner, nodes: Nodes) -> None:
    world.capture(narrowed=True)
    gpad("plan", "snapshot", "journal", "plan", hold=True)
    assert codes(nodes.hand_over("group")) == ["plan_not_sliced"]
    assert journal(world.folder / "journal").lease.holder() is None


def test_a_stopped_run_is_not_handed_over(world: World, gpad: Runner, nodes: Nodes) -> None:
    world.capture()
    gpad("plan", "snapshot", "journal", "plan", hold=True)
    held = JournalFile(world.folder / "journal", writable=True)
    held.stop("Enough.")
    held.close()
    assert codes(nodes.hand_over("group")) == ["stopped"]
    assert not nodes.copy.exists()


def test_a_copy_that_cannot_be_written_hands_nothing_over(world: World, gpad: Runner, nodes: Nodes) -> None:
    world.capture()
    gpad("plan", "snapshot", "journal", "plan", hold=True)
    nodes.copy = world.folder / "missing" / "copy"
    told = nodes.hand_over("group")
    assert (told["outcome"], "missing or not writable" in told["msg"]) == ("fatal", True)
    held = journal(world.folder / "journal")
    assert (held.slices.handed_over(), held.lease.holder()) == (None, None)


def test_a_limit_stops_the_plan_before_it_is_handed_over(world: World, gpad: Runner, nodes: Nodes) -> None:
    world.capture({number: (user(1),) for number in range(10, 20)})
    plan = gpad("plan", "snapshot", "journal", "plan", hold=True, limits={"creations": {"count": 3}})
    assert plan["outcome"] == "blocked"
    assert codes(nodes.hand_over("group")) == ["limit_exceeded"]
    approved = {"approve": plan["checksum"]}
    assert nodes.hand_over("group", **approved)["outcome"] == "ok"
    assert codes(nodes.carry_out("group", 0)) == ["limit_exceeded"]
    for index in ALL:
        assert nodes.carry_out("group", index, **approved)["outcome"] == "ok"
    assert nodes.merge("group", **approved)["summary"]["groups_created"] == 10
    assert journal(world.folder / "journal").lease.holder() is not None


def test_a_log_on_that_a_slice_was_refused_is_not_tried_again_at_once(world: World, gpad: Runner, nodes: Nodes) -> None:
    handed(world, gpad, nodes)
    world.refused = True
    for index in ALL:
        assert codes(nodes.carry_out("group", index)) == ["directory_log_on_refused"]
    world.refused = False
    told = nodes.merge("group")
    assert (told["outcome"], told["slices"]["missing"]) == ("partial", list(ALL))
    assert (told["quarantine"]["reason"], told["quarantine"]["entered"]) == ("credentials_refused", True)
    current = journal(world.folder / "journal").quarantines.current()
    assert current is not None and current.tries == 1


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"partition": {"count": 0, "index": 0}}, "partition: count: 0 is less than 1"),
        ({"partition": {"count": 4, "index": 4}}, "partition: index: 4 is not one of 0 to 3"),
        ({"partition": {"count": 4, "index": -1}}, "partition: index: -1 is not one of 0 to 3"),
        ({"hand_over": {"slices": 0, "copy_to": "copy"}}, "hand_over: slices: 0 is less than 1"),
        ({"hand_over": {"slices": 1, "copy_to": "copy", "minutes": 0}}, "hand_over: minutes: 0 is less than 1"),
        ({"hand_over": {"slices": 1, "copy_to": "copy", "minutes": 1441}}, "1441 is more than 1440, a day"),
        ({"partition": {"count": 4, "index": 1}, "merged": []}, "mutually exclusive"),
        ({"partition": {"count": 4}}, "missing required arguments: index"),
    ],
)
def test_numbers_that_cannot_be_are_refused(world: World, gpad: Runner, options: dict[str, Any], why: str) -> None:
    world.capture()
    gpad("plan", "snapshot", "journal", "plan", hold=True)
    told = gpad("group", "journal", "plan", **options)
    assert told["_rc"] == 1 and why in told["msg"]
    assert world.directory.writes == []


@pytest.mark.parametrize("option", slicing.STEPS)
def test_slices_need_a_plan_that_was_saved(world: World, gpad: Runner, option: str) -> None:
    world.capture()
    given = {
        "hand_over": {"slices": 2, "copy_to": str(world.folder / "copy")},
        "partition": {"count": 2, "index": 0},
        "merged": [],
    }
    told = gpad("group", "snapshot", "journal", **{option: given[option]})
    assert told["_rc"] == 1 and f"missing parameter(s) required by '{option}': plan" in told["msg"]


def test_a_copy_of_a_journal_is_one_file_that_holds_all(
    world: World, gpad: Runner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.capture()
    gpad("plan", "snapshot", "journal", "plan", hold=True)
    gpad("group", "journal", "plan")
    copy = world.folder / "backup"
    (world.folder / "backup-wal").write_bytes(b"of a file that was there before")
    options = {"journal": str(world.folder / "journal"), "copy_to": str(copy)}
    would = run(monkeypatch, capsys, keeping.run, options, check_mode=True)
    assert (would["outcome"], copy.exists()) == ("ok", False)
    told = run(monkeypatch, capsys, keeping.run, options)
    assert (told["outcome"], told["changed"], copy.stat().st_mode & 0o777) == ("ok", False, 0o600)
    assert [path.name for path in sorted(world.folder.glob("backup*"))] == ["backup"]
    assert journal(copy).known() == journal(world.folder / "journal").known() != {}
    assert not journal(copy).slices.is_copy
    told = run(monkeypatch, capsys, keeping.run, {**options, "copy_to": options["journal"]})
    assert "is the journal itself" in told["msg"]
