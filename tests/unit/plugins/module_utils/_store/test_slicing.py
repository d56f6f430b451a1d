# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a journal knows of slices, and its copies."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    ObjectError,
    StoreError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.slices import HandOver, Slice
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.slicing import summary_of
from tests.unit.samples import cloud_id, guid

T1 = "2026-01-01T10:00:00.000000Z"
GIVEN = HandOver("plan", "gpad_group", 4, 240, T1)
DONE = Applied(
    "create", cloud_id(1), "One", guid(1), "CN=One", "done", {"info": ("a",)}, {"info": ("b", "c")}, reason="new"
)
FAILED = replace(DONE, id=cloud_id(2), guid=None, status="failed", error=ObjectError("No.", "Do it.", code="no_code"))


@pytest.fixture
def journal(tmp_path: Path) -> JournalFile:
    """An empty journal."""
    return JournalFile(tmp_path / "journal", writable=True)


def copy_of(journal: JournalFile, *, for_slices: bool = True) -> JournalFile:
    path = journal.path.with_name("copy")
    journal.slices.copy_to(path, for_slices=for_slices)
    return JournalFile(path, writable=True)


def test_what_was_handed_over_is_remembered_until_it_is_merged(journal: JournalFile) -> None:
    assert journal.slices.handed_over() is None
    journal.slices.hand_over(GIVEN)
    journal.lease.take("plan")
    held = journal.lease.holder()
    assert (journal.slices.handed_over(), held.lent_minutes if held else 0) == (GIVEN, 240)
    journal.lease.take("another")
    held = journal.lease.holder()
    assert held is not None and held.lent_minutes == 0
    journal.slices.hand_over(None)
    assert journal.slices.handed_over() is None


def test_a_copy_knows_that_it_is_one_and_when_its_time_is_over(journal: JournalFile) -> None:
    journal.remember(cloud_id(1), guid(1), accepted=True)
    journal.slices.hand_over(GIVEN)
    past = copy_of(journal)
    assert (past.known(), past.slices.is_copy, past.over()) == (journal.known(), True, GIVEN.until)
    assert (journal.slices.is_copy, journal.over()) == (False, None)
    journal.slices.hand_over(replace(GIVEN, at=moment_text(utc_now())))
    assert copy_of(journal).over() is None
    assert not copy_of(journal, for_slices=False).slices.is_copy


@pytest.mark.parametrize("replaced", [False, True])
def test_a_slice_whose_journal_was_taken_away_writes_no_more(journal: JournalFile, replaced: bool) -> None:
    """Its machine was given up and is used again, while the module still runs: what it does would be lost."""
    journal.slices.hand_over(replace(GIVEN, at=moment_text(utc_now())))
    copy = copy_of(journal)
    assert copy.over() is None
    copy.path.unlink()
    if replaced:
        copy_of(journal)
    with pytest.raises(StoreError, match="taken away") as caught:
        copy.over()
    assert (caught.value.code, str(copy.path) in str(caught.value)) == ("journal_unusable", True)


def test_a_copy_takes_in_what_was_not_yet_in_the_file(journal: JournalFile) -> None:
    """As after a process was killed: the log of SQLite beside the file holds what it did last."""
    journal.begin_run("run", "gpad_group", "plan", T1, T1, summary_of(Slice(4, 1)))
    journal.record(DONE)
    assert journal.path.with_name("journal-wal").stat().st_size > 0
    copy = copy_of(journal, for_slices=False)
    (run,) = copy.slices.runs_of("plan", "gpad_group")
    assert [applied.id for applied in copy.slices.outcomes(run)] == [DONE.id]


def test_all_of_an_outcome_comes_back(journal: JournalFile) -> None:
    journal.begin_run("run", "gpad_group", "plan", T1, T1, summary_of(Slice(4, 1)))
    journal.record(DONE)
    journal.record(FAILED)
    ended = summary_of(Slice(4, 1), StoreError("The disk is full.", "Make room."))
    journal.end_run("fatal", {"groups_created": 1, **ended}, T1)
    (run,) = journal.slices.runs_of("plan", "gpad_group")
    assert (run.slice, run.ended) == (Slice(4, 1), "The disk is full. Make room.")
    assert journal.slices.runs_of("plan", "gpad_membership") == journal.slices.runs_of("other", "gpad_group") == []
    done, failed = journal.slices.outcomes(run)
    assert replace(done, at="", milliseconds=0) == DONE and done.at > T1
    error = failed.error
    assert error is not None and (error.message, error.remedy, error.code) == ("No.", "Do it.", "no_code")


def test_what_another_journal_wrote_down_keeps_its_time(journal: JournalFile) -> None:
    journal.begin_run("run", "gpad_group", "plan", T1, T1, summary_of(Slice(1, 0)))
    journal.record(replace(DONE, at=T1, milliseconds=17))
    (run,) = journal.slices.runs_of("plan", "gpad_group")
    assert [(one.at, one.milliseconds) for one in journal.slices.outcomes(run)] == [(T1, 17)]


def test_all_or_nothing(journal: JournalFile) -> None:
    with pytest.raises(RuntimeError), journal.together():
        journal.remember(cloud_id(1), guid(1), accepted=True)
        journal.remark((), members=False, whole=True)
        raise RuntimeError
    assert journal.known() == {}
    with journal.together():
        journal.remember(cloud_id(1), guid(1), accepted=True)
    assert set(journal.known()) == {cloud_id(1)}


def test_a_copy_that_cannot_be_is_refused(journal: JournalFile) -> None:
    with pytest.raises(ConfigurationError, match="is the journal itself"):
        journal.slices.copy_to(journal.path.parent / "." / "journal")
    with pytest.raises(StoreError, match="missing or not writable"):
        journal.slices.copy_to(journal.path.parent / "missing" / "copy")
