# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects that failed, in a journal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retry import Part, Retry
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from tests.unit.samples import cloud_id

NOW = "2026-11-21T10:00:00.000000Z"
LATER = "2026-11-21T16:00:00.000000Z"


def row(number: int, part: Part = Part.GROUPS, next_at: str | None = LATER) -> Retry:
    return Retry(
        cloud_id(number), part, "Group", "CN=G", "permission_denied", "No.", "Do.", "digest", 1, NOW, NOW, next_at
    )


@pytest.fixture
def journal(tmp_path: Path) -> JournalFile:
    """A journal with failures of two groups, of one in both parts."""
    journal = JournalFile(tmp_path / "journal", writable=True)
    for entry in (row(1), row(1, Part.MEMBERS, None), row(2, Part.MEMBERS)):
        journal.retries.put(entry)
    return journal


def test_what_is_put_is_there_once(journal: JournalFile) -> None:
    journal.retries.put(replace(row(1), tries=2))
    rows = journal.retries.rows()
    assert rows[cloud_id(1), Part.GROUPS] == replace(row(1), tries=2)
    assert rows[cloud_id(1), Part.MEMBERS] == row(1, Part.MEMBERS, None)
    assert len(rows) == 3


def test_a_part_is_dropped_by_itself(journal: JournalFile) -> None:
    journal.retries.drop(cloud_id(1), Part.GROUPS)
    assert set(journal.retries.rows()) == {(cloud_id(1), Part.MEMBERS), (cloud_id(2), Part.MEMBERS)}


def test_others_of_a_part_are_forgotten(journal: JournalFile) -> None:
    journal.retries.keep_only(Part.MEMBERS, {cloud_id(2)})
    assert set(journal.retries.rows()) == {(cloud_id(1), Part.GROUPS), (cloud_id(2), Part.MEMBERS)}


def test_all_are_made_due(journal: JournalFile) -> None:
    assert journal.retries.waiting(NOW) == 3
    journal.retries.make_due(NOW)
    assert journal.retries.waiting(NOW) == 0
    assert {entry.next_at for entry in journal.retries.rows().values()} == {NOW}
