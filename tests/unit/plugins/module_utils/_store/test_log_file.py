# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The log as a file of JSON lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import StoreError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store import log_file
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile

T1 = "2026-11-21T10:00:01.000000Z"


def run(journal: JournalFile, path: Path | None, *numbers: int) -> None:
    """Run once, each change of one group."""
    before = journal.log.mark()
    journal.begin_run(f"run-{numbers}", "gpad_group", f"plan-{numbers}", T1, T1)
    for number in numbers:
        journal.record(Applied("update", f"id-{number}", "Grüße", "g", "CN=x", "done", {}, {}))
    if path is not None:
        log_file.append(path, journal.log, journal.pins, before)


def ids(path: Path) -> list[str]:
    """Return whom the lines are about."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["sourceIdentity"]["id"] for line in lines]


@pytest.fixture
def journal(tmp_path: Path) -> JournalFile:
    return JournalFile(tmp_path / "journal", writable=True)


def test_each_run_appends_its_own(journal: JournalFile, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    run(journal, path, 1, 2)
    run(journal, path)
    run(journal, path, 3)
    assert ids(path) == ["id-1", "id-2", "id-3"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_log_that_is_asked_for_later_begins_there(journal: JournalFile, tmp_path: Path) -> None:
    run(journal, None, 1)
    run(journal, tmp_path / "log.jsonl", 2)
    assert ids(tmp_path / "log.jsonl") == ["id-2"]


def test_what_a_broken_run_did_not_write_is_appended_by_the_next(journal: JournalFile, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    run(journal, path, 1)
    run(journal, None, 2)
    run(journal, path, 3)
    assert ids(path) == ["id-1", "id-2", "id-3"]


def test_a_file_that_was_rotated_away_begins_anew(journal: JournalFile, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    run(journal, path, 1)
    path.rename(tmp_path / "log.jsonl.1")
    run(journal, path, 2)
    assert ids(path) == ["id-2"]


def test_a_file_that_cannot_be_written_is_told_and_loses_nothing(journal: JournalFile, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    run(journal, path, 1)
    with pytest.raises(StoreError, match="log_path") as caught:
        run(journal, tmp_path / "missing" / "log.jsonl", 2)
    assert caught.value.code == "log_unwritten"
    run(journal, path, 3)
    assert ids(path) == ["id-1", "id-2", "id-3"]


def test_a_link_is_not_followed(journal: JournalFile, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match="log_path"):
        run(journal, tmp_path / "link", 1)
    assert not (tmp_path / "elsewhere").exists()


def test_a_line_that_was_cut_is_ended_and_its_entry_comes_again(journal: JournalFile, tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    run(journal, path, 1)
    run(journal, None, 2)
    with path.open("a", encoding="utf-8") as stream:
        stream.write('{"id":"run-2.o2","activityDa')
    run(journal, path, 3)
    whole, cut, *more = path.read_text(encoding="utf-8").splitlines()
    assert cut == '{"id":"run-2.o2","activityDa'
    assert [json.loads(line)["sourceIdentity"]["id"] for line in (whole, *more)] == ["id-1", "id-2", "id-3"]


@pytest.mark.parametrize("noted", ["5 0", "5 5"])
def test_a_journal_that_lost_entries_goes_on_where_its_numbers_are(
    journal: JournalFile, tmp_path: Path, noted: str
) -> None:
    path = tmp_path / "log.jsonl"
    run(journal, path, 1, 2)
    journal.pins.put("in_log_file", noted)
    run(journal, path, 3)
    run(journal, path, 4)
    assert ids(path) == ["id-1", "id-2", "id-3", "id-4"]
