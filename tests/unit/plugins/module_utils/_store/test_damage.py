# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A damaged journal: set aside, never lost, and nothing is believed of it that could not be read."""

from __future__ import annotations

import re
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import StoreError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied, KnownGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.replication import Database
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store import damage
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal_schema import SCHEMA
from tests.unit.samples import TENANT, cloud_id, guid

PAGE = 4096
_OUTCOMES = 300
_ROWS = 1 + 40 + 1 + _OUTCOMES


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a journal is that has seen a run."""
    path = tmp_path / "journal.sqlite3"
    journal = JournalFile(path, writable=True)
    journal.pins.pin_tenant(TENANT)
    for number in range(40):
        journal.remember(cloud_id(number), guid(number), accepted=True)
    journal.begin_run("run", "gpad_group", "plan", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z")
    for number in range(_OUTCOMES):
        values = {"displayName": ("old",)}
        name, place = f"Group {number}", f"CN=Group {number}"
        journal.record(Applied("update", cloud_id(number), name, guid(number), place, "done", values, {}, ("a",)))
    journal.end_run("ok", {}, "2026-01-02T00:00:01Z")
    assert not journal.fresh
    journal.close()
    return path


def page_of(path: Path, name: str) -> int:
    """Return the offset of the root page of a table or index."""
    with sqlite3.connect(path) as db:
        row = db.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    db.close()
    return (int(row[0]) - 1) * PAGE


def blot(name: str) -> Callable[[Path], None]:
    """Return what breaks the root page of a table or index."""

    def break_page(path: Path) -> None:
        start = page_of(path, name)
        content = path.read_bytes()
        path.write_bytes(content[:start] + b"\xff" * PAGE + content[start + PAGE :])

    return break_page


def rewrite(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Return what changes the bytes of a file."""
    return lambda path: void(path.write_bytes(change(path.read_bytes())))


def void(_value: object) -> None:
    """Take a value and forget it."""


# The damage, how many rows can be read, and whether the settings are among them.
DAMAGES: tuple[tuple[str, Callable[[Path], None], int | None, bool], ...] = (
    ("empty", rewrite(lambda content: b""), 0, False),
    ("zeroed", rewrite(lambda content: bytes(len(content))), 0, False),
    ("rubbish", rewrite(lambda content: b"rubbish" * len(content)), 0, False),
    ("cut", rewrite(lambda content: content[: len(content) - 3 * PAGE]), None, True),
    ("first page broken", rewrite(lambda content: content[:100] + b"\xff" * 3996 + content[4096:]), 0, False),
    ("settings broken", blot("settings"), _ROWS - 1, False),
    ("groups broken", blot("groups"), _ROWS - 40, True),
    ("outcomes broken", blot("outcomes"), _ROWS - _OUTCOMES, True),
    ("runs broken", blot("runs"), _ROWS - 1, True),
    ("an index broken", blot("outcomes_by_id"), _ROWS, True),
)


@pytest.mark.parametrize("writable", [True, False], ids=["written", "read"])
@pytest.mark.parametrize(
    ("break_it", "rows", "settings"), [row[1:] for row in DAMAGES], ids=[row[0] for row in DAMAGES]
)
def test_what_can_be_read_is_taken_over(
    path: Path, break_it: Callable[[Path], None], rows: int | None, settings: bool, writable: bool
) -> None:
    break_it(path)
    broken = path.read_bytes()
    journal = JournalFile(path, writable=writable)
    found = re.search(r"(\d+) entries could be read", journal.damage)
    assert found, journal.damage
    assert "\n" not in journal.damage
    assert int(found[1]) == rows if rows is not None else 42 < int(found[1]) < _ROWS
    assert journal.fresh
    assert (journal.stopped() is None) is settings
    assert (journal.pins.tenant_id() == TENANT) is settings
    if writable:
        (aside,) = path.parent.glob("*.damaged-*Z")
        assert str(aside) in journal.damage
        assert aside.read_bytes() == broken
        assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in path.parent.iterdir())
        journal.close()
        again = JournalFile(path, writable=True)
        assert (again.damage, again.fresh) == ("", True)
    else:
        assert path.read_bytes() == broken
        assert not list(path.parent.glob("*.damaged-*"))


def test_no_table_is_forgotten() -> None:
    assert set(re.findall(r"CREATE TABLE (\w+)", SCHEMA)) == damage.TABLES


def test_a_run_of_the_new_journal_ends_the_doubt(path: Path) -> None:
    blot("outcomes")(path)
    journal = JournalFile(path, writable=True)
    assert (journal.fresh, journal.doubted) == (True, True)
    assert journal.known()[cloud_id(1)] == KnownGroup(guid(1), False)
    journal.begin_run("new", "gpad_group", "next", "2026-01-03T00:00:00Z", "2026-01-03T00:00:00Z")
    journal.end_run("ok", {}, "2026-01-03T00:00:01Z")
    assert (journal.fresh, journal.doubted) == (False, False)
    assert journal.known()[cloud_id(1)] == KnownGroup(guid(1), True)


def test_a_log_that_waits_is_read_and_set_aside(path: Path) -> None:
    """A run that was killed leaves its last records in the log beside the file."""
    writer = JournalFile(path, writable=True)
    writer.remember(cloud_id(99), guid(99), accepted=True)
    log = path.with_name(path.name + "-wal")
    content = log.read_bytes()
    main = path.read_bytes()
    writer.close()
    path.write_bytes(main)
    blot("outcomes")(path)
    log.write_bytes(content)
    journal = JournalFile(path, writable=True)
    assert cloud_id(99) in journal.known()
    assert [file.read_bytes() for file in path.parent.glob("*.damaged-*Z-wal")] == [content]


def test_a_row_that_no_run_can_have_written_is_not_believed(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE outcomes SET added = '{' WHERE no = 11")
    db.close()
    blot("settings")(path)
    journal = JournalFile(path, writable=True)
    assert len(journal.outcomes("run")) == 10
    assert "outcomes" in journal.damage


@pytest.mark.parametrize("content", [b"root:x:0:0:root:/root:/bin/bash\n" * 200, b""], ids=["text", "empty"])
@pytest.mark.parametrize("writable", [True, False])
def test_a_file_that_never_was_a_journal_is_left_alone(tmp_path: Path, content: bytes, writable: bool) -> None:
    path = tmp_path / "passwd"
    path.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        JournalFile(path, writable=writable)
    assert caught.value.code == "journal_damaged"
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_table_that_is_missing_is_damage(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("DROP TABLE retries")
    db.close()
    journal = JournalFile(path, writable=True)
    assert "lacks the table retries" in journal.damage
    assert journal.known()[cloud_id(3)] == KnownGroup(guid(3), False)


def test_a_journal_that_cannot_be_opened_is_not_damaged(path: Path) -> None:
    path.unlink()
    path.mkdir()
    with pytest.raises(StoreError) as caught:
        JournalFile(path, writable=True)
    assert caught.value.code == "journal_unusable"


def test_the_log_of_a_journal_that_was_moved_away_is_not_taken_for_the_new_ones(path: Path) -> None:
    writer = JournalFile(path, writable=True)
    writer.remember(cloud_id(99), guid(99), accepted=True)
    content = path.with_name(path.name + "-wal").read_bytes()
    writer.close()
    path.unlink()
    path.with_name(path.name + "-wal").write_bytes(content)
    assert JournalFile(path, writable=True).known() == {}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (sqlite3.DatabaseError("database disk image is malformed"), "journal_damaged"),
        (sqlite3.OperationalError("unsupported file format"), "journal_damaged"),
        (sqlite3.OperationalError("database or disk is full"), "journal_unusable"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "journal_unusable"),
    ],
)
def test_damage_is_told_from_what_is_around_the_file(error: sqlite3.Error, expected: str) -> None:
    assert damage.problem(Path("journal"), error).code == expected


def test_a_new_run_never_gets_the_number_of_one_whose_changes_are_known(path: Path) -> None:
    """The changes of the old run would be taken back with those of the new one."""
    blot("runs")(path)
    journal = JournalFile(path, writable=True)
    assert [(run.run_id, run.module, run.outcome) for run in journal.runs(9)] == [("lost-1", "gpad_group", None)]
    journal.begin_run("new", "gpad_group", "next", "2026-01-03T00:00:00Z", "2026-01-03T00:00:00Z")
    journal.record(Applied("update", cloud_id(9), "New", guid(9), "CN=New", "done", {}, {}))
    assert [applied.name for applied in journal.outcomes("new")] == ["New"]
    assert len(journal.outcomes("lost-1")) == _OUTCOMES


@pytest.mark.parametrize(("action", "module"), [("members", "gpad_membership"), ("delete", "gpad_group")])
def test_a_lost_run_is_of_the_module_that_makes_such_changes(path: Path, action: str, module: str) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE outcomes SET action = ?", (action,))
    db.close()
    blot("runs")(path)
    (run,) = JournalFile(path, writable=True).runs(9)
    assert run.module == module


def test_of_a_run_that_left_remarks_alone_the_module_is_not_guessed(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("INSERT INTO remarks VALUES (1, 7, '2026-01-01T00:00:00Z', NULL, 'i', '', 'c', '', '', '', '', '')")
    db.close()
    blot("runs")(path)
    runs = JournalFile(path, writable=True).runs(9)
    assert [(run.run_id, run.module) for run in runs] == [("lost-7", "unknown"), ("lost-1", "gpad_group")]


def test_deletions_of_a_new_run_are_not_older_than_the_first_on_this_server(path: Path) -> None:
    """Neither runs nor changes could be read, and the settings know from which run on deletions count."""
    journal = JournalFile(path, writable=True)
    journal.written_to.remember(Database("dc1", guid(901)))
    journal.begin_run("second", "gpad_group", "second", "2026-01-03T00:00:00Z", "2026-01-03T00:00:00Z")
    journal.close()
    blot("runs")(path)
    blot("outcomes")(path)
    journal = JournalFile(path, writable=True)
    journal.begin_run("new", "gpad_group", "next", "2026-01-04T00:00:00Z", "2026-01-04T00:00:00Z")
    journal.record(Applied("delete", cloud_id(9), "New", guid(9), "CN=New", "done", {}, {}))
    written = journal.written_to.last()
    assert written is not None and set(written.deleted) == {guid(9)}


@pytest.mark.parametrize(
    ("name", "whole"), [("outcomes", False), ("runs", False), ("settings", False), ("groups", True)]
)
def test_whether_the_changes_of_a_run_are_whole(path: Path, name: str, whole: bool) -> None:
    blot(name)(path)
    journal = JournalFile(path, writable=True)
    old = journal.runs(9)[0]
    assert journal.is_whole(old.run_id) is whole
    assert journal.is_whole(old.plan_id) is whole
    journal.begin_run("new", "gpad_group", "next", "2026-01-03T00:00:00Z", "2026-01-03T00:00:00Z")
    assert journal.is_whole("new") and journal.is_whole("next")


def test_of_a_journal_that_was_never_damaged_all_runs_are_whole(path: Path) -> None:
    assert JournalFile(path, writable=False).is_whole("run")
