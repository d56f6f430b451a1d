# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the journal remembers of the domain controller that runs wrote to."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.replication import Database, Written
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from tests.unit.samples import cloud_id, guid

FIRST, SECOND = Database("dc1", guid(901)), Database("dc2", guid(902))


@pytest.fixture
def journal(tmp_path: Path) -> JournalFile:
    return JournalFile(tmp_path / "journal", writable=True)


def run(journal: JournalFile, database: Database, *done: tuple[str, int, str]) -> None:
    """Carry out a run of actions on objects, each with its status."""
    journal.written_to.remember(database)
    number = len(journal.runs(100))
    journal.begin_run(f"r{number}", "gpad_group", f"p{number}", "t", "t")
    for action, item, status in done:
        journal.record(Applied(action, cloud_id(item), f"Group {item}", guid(item), "CN=x", status, {}, {}))


def deleted(journal: JournalFile) -> set[str]:
    written = journal.written_to.last()
    assert written is not None
    return set(written.deleted)


def test_nothing_was_written_yet(journal: JournalFile) -> None:
    assert journal.written_to.last() is None
    assert journal.written_to.settle(cloud_id(1)) is False


def test_where_and_what_was_deleted(journal: JournalFile) -> None:
    run(journal, FIRST, ("delete", 1, "done"), ("delete", 2, "failed"), ("update", 3, "done"))
    assert journal.written_to.last() == Written(FIRST, {guid(1): (cloud_id(1), "Group 1")})


def test_deletions_of_all_runs_since_the_switch_count(journal: JournalFile) -> None:
    run(journal, FIRST, ("delete", 1, "done"))
    run(journal, FIRST, ("delete", 2, "done"))
    run(journal, FIRST)
    assert deleted(journal) == {guid(1), guid(2)}
    run(journal, SECOND, ("delete", 3, "done"))
    assert deleted(journal) == {guid(3)}
    run(journal, FIRST)
    assert deleted(journal) == set()


def test_what_was_restored_since_may_live(journal: JournalFile) -> None:
    run(journal, FIRST, ("delete", 1, "done"), ("restore", 1, "done"), ("restore", 2, "done"), ("delete", 2, "done"))
    assert deleted(journal) == {guid(2)}


def test_what_was_settled_may_live(journal: JournalFile) -> None:
    run(journal, FIRST, ("delete", 1, "done"), ("delete", 2, "done"))
    assert journal.written_to.settle(cloud_id(1)) is True
    assert journal.written_to.settle(cloud_id(1)) is False
    assert deleted(journal) == {guid(2)}
    run(journal, FIRST)
    assert deleted(journal) == {guid(2)}


def test_what_was_deleted_is_kept_where_the_copy_cannot_be_told(journal: JournalFile) -> None:
    """Two modules apply one plan; the second one must not forget what the first one deleted."""
    unknown = Database("dc1", "")
    run(journal, unknown, ("delete", 1, "done"))
    run(journal, unknown)
    assert deleted(journal) == {guid(1)}
    run(journal, FIRST)
    assert deleted(journal) == set()


def test_what_was_restored_since_the_switch(journal: JournalFile) -> None:
    restored = ("restore", 1, "done"), ("restore", 2, "failed"), ("restore", 3, "done"), ("delete", 3, "done")
    run(journal, FIRST, ("restore", 9, "done"))
    run(journal, SECOND, *restored)
    written = journal.written_to.last()
    assert written is not None and written.restored == {guid(1)}


def test_containers_that_were_created_since_the_switch(journal: JournalFile) -> None:
    run(journal, FIRST, ("create_container", 9, "done"))
    run(journal, SECOND)
    for name, status in (("OU=A", "done"), ("OU=B", "failed")):
        journal.record(Applied("create_container", "", name, None, name, status, {}, {}))
    written = journal.written_to.last()
    assert written is not None and written.containers == {"OU=A"}


def test_what_is_gone(journal: JournalFile) -> None:
    journal.written_to.remember_gone([guid(2), guid(1)])
    run(journal, FIRST)
    run(journal, SECOND)
    written = journal.written_to.last()
    assert written is not None and written.gone == {guid(1), guid(2)}
    journal.written_to.remember_gone([])
    written = journal.written_to.last()
    assert written is not None and written.gone == frozenset()
