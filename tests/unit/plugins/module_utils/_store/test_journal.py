# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: the memory of the directory side, and its rules on plans, tenants and runs at once."""

from __future__ import annotations

import sqlite3
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    BlockedError,
    ObjectError,
    Outcome,
    StoreError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied, KnownGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from tests.unit.samples import TENANT, cloud_id, guid

EARLY, LATE = "2026-01-01T00:00:00.000001Z", "2026-01-01T00:00:00.000002Z"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is."""
    return tmp_path / "journal.sqlite3"


def opened(path: Path, *, writable: bool = True) -> JournalFile:
    return JournalFile(path, writable=writable)


def outcome(number: int, status: str = "done", action: str = "update", error: ObjectError | None = None) -> Applied:
    values = {"displayName": ("old", "x")}
    name, place = f"Group {number}", f"CN=Group {number}"
    return Applied(action, cloud_id(number), name, guid(number), place, status, values, {}, ("a",), ("b",), error)


def test_a_new_journal_is_private_and_empty(path: Path) -> None:
    journal = opened(path)
    assert journal.missing
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert (journal.known(), journal.runs(10), journal.failing(10)) == ({}, [], [])
    journal.remember(cloud_id(1), guid(1), accepted=True)
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in path.parent.iterdir())


def test_reading_a_missing_journal_creates_nothing(path: Path) -> None:
    journal = opened(path, writable=False)
    assert journal.missing
    assert (journal.known(), journal.runs(10)) == ({}, [])
    journal.pins.check_tenant(TENANT)
    assert list(path.parent.iterdir()) == []


def test_what_is_remembered_outlives_the_process(path: Path) -> None:
    journal = opened(path)
    journal.remember(cloud_id(1), guid(1), accepted=True)
    journal.remember(cloud_id(2), guid(2), accepted=False)
    journal.close()
    for writable in (True, False):
        again = opened(path, writable=writable)
        assert not again.missing
        assert again.known() == {cloud_id(1): KnownGroup(guid(1), True), cloud_id(2): KnownGroup(guid(2), False)}
        again.close()


@pytest.mark.parametrize("accepted", [True, False])
def test_what_was_accepted_is_not_taken_back(path: Path, accepted: bool) -> None:
    journal = opened(path)
    journal.remember(cloud_id(1), guid(1), accepted=accepted)
    journal.remember(cloud_id(1), guid(2), accepted=not accepted)
    assert journal.known() == {cloud_id(1): KnownGroup(guid(2), accepted)}


def test_a_journal_for_reading_cannot_be_written(path: Path) -> None:
    opened(path).close()
    with pytest.raises(StoreError, match="readonly"):
        opened(path, writable=False).remember(cloud_id(1), guid(1), accepted=True)


def applied_plan(journal: JournalFile, module: str, plan_id: str, created_at: str) -> None:
    journal.check_plan(module, plan_id, created_at)
    journal.begin_run(f"run {module} {plan_id}", module, plan_id, created_at, "2026-01-02T00:00:00Z")
    journal.end_run("ok", {"groups_created": 1}, "2026-01-02T00:00:01Z")


def test_each_module_uses_a_plan_once(path: Path) -> None:
    journal = opened(path)
    applied_plan(journal, "gpad_group", "one", EARLY)
    applied_plan(journal, "gpad_membership", "one", EARLY)
    with pytest.raises(StoreError, match="2026-01-02") as caught:
        journal.check_plan("gpad_group", "one", EARLY)
    assert caught.value.code == "plan_used"


def test_a_newer_plan_voids_an_older_one_for_every_module(path: Path) -> None:
    journal = opened(path)
    applied_plan(journal, "gpad_group", "new", LATE)
    for module in ("gpad_group", "gpad_membership"):
        with pytest.raises(StoreError, match="older") as caught:
            journal.check_plan(module, "old", EARLY)
        assert caught.value.code == "plan_outdated"


def test_a_run_that_never_ended_has_used_its_plan(path: Path) -> None:
    journal = opened(path)
    journal.begin_run("run", "gpad_group", "one", EARLY, "2026-01-02T00:00:00Z")
    journal.close()
    with pytest.raises(StoreError):
        opened(path).check_plan("gpad_group", "one", EARLY)


@pytest.mark.parametrize(
    ("module", "outcome", "fresh"),
    [
        ("gpad_group", "ok", False),
        ("gpad_group", "partial", False),
        ("gpad_group", "incomplete", False),
        ("gpad_group", "fatal", True),
        ("gpad_group", "blocked", True),
        ("gpad_group", None, True),
        ("gpad_membership", "ok", True),
    ],
)
def test_a_journal_is_fresh_until_a_run_of_groups_has_ended(
    path: Path, module: str, outcome: str | None, fresh: bool
) -> None:
    assert opened(path, writable=False).fresh
    journal = opened(path)
    assert journal.fresh
    journal.begin_run("first", module, "one", EARLY, EARLY)
    if outcome:
        journal.end_run(outcome, {}, EARLY)
    assert journal.fresh is fresh
    journal.close()
    again = opened(path)
    assert (again.missing, again.fresh) == (False, fresh)
    again.begin_run("second", "gpad_group", "two", LATE, LATE)
    again.end_run("fatal", {}, LATE)
    assert again.fresh is fresh


def test_what_became_of_a_run_comes_out_as_it_was_written(path: Path) -> None:
    """An undo reads it; what failed changed nothing, and so is not there."""
    journal = opened(path)
    after = {"displayName": ("new", "x"), "info": ()}
    first = replace(outcome(1), after=after)
    part = outcome(1, "partial", "members", ObjectError("It failed.", "Do.", code="object_failed"))
    made = replace(outcome(3, action="create_container"), guid=None, added=(), removed=(), before={})
    journal.begin_run("run 1", "gpad_group", "plan 1", EARLY, EARLY)
    for applied in (first, outcome(2, "failed"), made):
        journal.record(applied)
    journal.begin_run("run 2", "gpad_membership", "plan 1", EARLY, EARLY)
    journal.record(part)
    journal.begin_run("run 3", "gpad_group", "plan 2", LATE, LATE)
    journal.record(outcome(4))
    assert journal.outcomes("run 1") == [first, made]
    assert journal.outcomes("run 2") == [replace(part, error=None)]
    assert journal.outcomes("plan 1") == [first, made, replace(part, error=None)]
    assert journal.outcomes("plan 2") == journal.outcomes("run 3") == [outcome(4)]
    assert journal.outcomes("run 4") == []


def test_which_runs_there_were(path: Path) -> None:
    journal = opened(path)
    assert not journal.has_run("")
    journal.begin_run("run 1", "gpad_group", "plan 1", EARLY, EARLY)
    assert [journal.has_run(run) for run in ("run 1", "plan 1", "run 2", "")] == [True, True, False, False]


def test_runs_are_stopped_until_they_are_let_go(path: Path) -> None:
    journal, run = opened(path), opened(path)
    assert journal.stopped() is None
    with run.locked():
        journal.stop("Somebody is looking.")
        journal.stop("Enough.")
        # The run that holds the journal hears of it, as does whoever only reads.
        assert run.stopped() == "Enough."
    assert opened(path, writable=False).stopped() == "Enough."
    journal.stop(None)
    journal.stop(None)
    assert (journal.stopped(), run.stopped()) == (None, None)


def test_a_journal_is_one_by_whatever_name_it_is_opened(path: Path) -> None:
    """Two names with a lock each would let two runs write at once."""
    first = opened(path)
    other = path.parent / "other" / "link"
    other.parent.mkdir()
    other.symlink_to(path)
    second = opened(other)
    with first.locked(), pytest.raises(BlockedError), second.locked():
        pytest.fail("two runs at once")
    assert [file.name for file in other.parent.iterdir()] == ["link"]


def test_runs_are_told_newest_first(path: Path) -> None:
    journal = opened(path)
    applied_plan(journal, "gpad_group", "one", EARLY)
    applied_plan(journal, "gpad_group", "two", LATE)
    journal.begin_run("open", "gpad_group", "three", LATE, "2026-01-03T00:00:00Z")
    runs = journal.runs(2)
    assert [run.plan_id for run in runs] == ["three", "two"]
    assert (runs[0].ended_at, runs[0].outcome, runs[0].summary) == (None, None, {})
    assert (runs[1].outcome, runs[1].summary) == ("ok", {"groups_created": 1})


def test_before_values_of_each_change_are_kept(path: Path) -> None:
    journal = opened(path)
    journal.begin_run("run", "gpad_group", "one", EARLY, "2026-01-02T00:00:00Z")
    journal.record(outcome(1, error=ObjectError("m", "r", code="c")))
    journal.close()
    with sqlite3.connect(path) as db:
        row = db.execute("SELECT run_no, before, added, removed, code, message, remedy FROM outcomes").fetchone()
    db.close()
    assert row == (1, '{"displayName": ["old", "x"]}', '["a"]', '["b"]', "c", "m", "r")


def test_what_fails_is_what_failed_last(path: Path) -> None:
    journal = opened(path)
    journal.begin_run("run", "gpad_group", "one", EARLY, "2026-01-02T00:00:00Z")
    error = ObjectError("It failed.", "Do.", code="object_failed")
    journal.record(outcome(1, "failed", error=error))
    journal.record(outcome(2, "failed", error=error))
    journal.record(outcome(2))
    journal.record(outcome(3))
    journal.record(outcome(3, "partial", error=error))
    journal.record(outcome(4, "failed", error=error))
    journal.record(outcome(4, action="members"))
    failing = journal.failing(10)
    assert [entry["id"] for entry in failing] == [cloud_id(1), cloud_id(3), cloud_id(4)]
    assert failing[0] == {
        "id": cloud_id(1),
        "name": "Group 1",
        "dn": "CN=Group 1",
        "action": "update",
        "code": "object_failed",
        "message": "It failed.",
        "remedy": "Do.",
        "tries": None,
        "first_at": None,
        "next_at": None,
    }
    assert len(journal.failing(2)) == 2


def test_one_run_writes_at_a_time(path: Path) -> None:
    first, second = opened(path), opened(path)
    with first.locked():
        with pytest.raises(BlockedError) as caught, second.locked():
            pytest.fail("two runs at once")
        assert (caught.value.code, caught.value.outcome) == ("run_in_progress", Outcome.BLOCKED)
    with second.locked():
        pass


def test_a_run_that_fails_gives_the_lock_back(path: Path) -> None:
    journal = opened(path)
    with pytest.raises(RuntimeError), journal.locked():
        raise RuntimeError
    with journal.locked():
        assert stat.S_IMODE((path.parent / "journal.sqlite3.lock").stat().st_mode) == 0o600


@pytest.mark.parametrize("writable", [True, False])
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("PRAGMA application_id = 1", "not a journal"),
        ("PRAGMA user_version = 9", "format 9, this version reads 3"),
    ],
)
def test_a_file_of_somebody_else_is_refused(path: Path, change: str, words: str, writable: bool) -> None:
    opened(path).close()
    with sqlite3.connect(path) as db:
        db.execute(change)
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=words) as caught:
        opened(path, writable=writable)
    assert caught.value.code == "journal_damaged"
    assert path.read_bytes() == before


@pytest.mark.parametrize("writable", [True, False])
def test_a_damaged_journal_that_another_run_holds_is_left_to_it(path: Path, writable: bool) -> None:
    holder = opened(path)
    with holder.locked():
        path.write_bytes(b"x" * 5000)
        if writable:
            with pytest.raises(BlockedError) as caught:
                opened(path)
            assert caught.value.code == "run_in_progress"
        else:
            assert opened(path, writable=False).damage
    assert path.read_bytes() == b"x" * 5000


def test_a_folder_that_is_missing(path: Path) -> None:
    with pytest.raises(StoreError, match="folder"):
        opened(path.parent / "none" / "journal")


def test_a_group_that_is_forgotten_is_forgotten_with_its_age(path: Path) -> None:
    journal = opened(path)
    for number in (1, 2):
        journal.remember(cloud_id(number), guid(number), accepted=True)
    journal.remember_left([cloud_id(1), cloud_id(2)], EARLY)
    journal.forget(cloud_id(1))
    journal.forget(cloud_id(3))
    assert (set(journal.known()), journal.left()) == ({cloud_id(2)}, {cloud_id(2): EARLY})


def test_the_age_of_what_left_counts_from_the_first_time(path: Path) -> None:
    journal = opened(path)
    journal.remember_left([cloud_id(1), cloud_id(2)], EARLY)
    journal.remember_left([cloud_id(2), cloud_id(3), cloud_id(3)], LATE)
    assert journal.left() == {cloud_id(2): EARLY, cloud_id(3): LATE}
    journal.remember_left([], LATE)
    assert journal.left() == {}


def test_accepted_groups(path: Path) -> None:
    journal = opened(path)
    for number in (1, 2):
        journal.remember(cloud_id(number), guid(number), accepted=False)
    journal.accept([cloud_id(2), cloud_id(9)])
    assert journal.known() == {cloud_id(1): KnownGroup(guid(1), False), cloud_id(2): KnownGroup(guid(2), True)}


def test_what_every_run_added(path: Path) -> None:
    journal = opened(path)
    assert journal.added([cloud_id(1)]) == {}
    journal.begin_run("run", "gpad_membership", "one", EARLY, LATE)
    for number, added in ((1, ("a", "b")), (1, ("c",)), (1, ()), (2, ("d",)), (3, ())):
        journal.record(replace(outcome(number), added=added))
    assert journal.added([cloud_id(1), cloud_id(3)]) == {cloud_id(1): frozenset("abc")}


def test_what_was_asked_is_asked_until_it_is_decided(path: Path) -> None:
    journal = opened(path)
    assert journal.undecided() == frozenset()
    journal.remember_undecided([cloud_id(1), cloud_id(2), cloud_id(1)])
    assert journal.undecided() == {cloud_id(1), cloud_id(2)}
    journal.remember_undecided([cloud_id(2)])
    assert journal.undecided() == {cloud_id(2)}


def test_what_a_mark_took_the_place_of(path: Path) -> None:
    journal = opened(path)
    journal.begin_run("r", "gpad_group", "p", EARLY, EARLY)

    def write(number: int, before: str, after: str, status: str = "done") -> None:
        held: dict[str, tuple[str, ...]] = {"mark": (before,) if before else ()}
        place = f"CN={number}"
        done = Applied("adopt", cloud_id(number), "x", guid(number), place, status, held, {"mark": (after,)})
        journal.record(done)

    write(1, "first", "Mark_1")
    write(1, "second", "MARK_1")
    write(1, "Mark_0", "Mark_1")
    write(1, "third", "other")
    write(2, "", "Mark_2")
    write(3, "kept", "Mark_3", "failed")
    found = journal.before([cloud_id(number) for number in (1, 2, 3, 4)], "mark", ("mark_",))
    assert {key: done.before["mark"] for key, done in found.items()} == {cloud_id(1): ("second",), cloud_id(2): ()}
    assert found[cloud_id(1)].guid == guid(1)
