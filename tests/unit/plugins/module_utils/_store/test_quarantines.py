# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The quarantines in a journal."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.quarantine import (
    Quarantine,
    Reason,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile

FIRST = Quarantine(Reason.LIMIT, "Too much.", "Look.", "2026-11-21T10:00:00Z", 1, "2026-11-21T11:00:00Z")


def test_one_is_open_until_it_is_released_and_all_are_remembered(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = JournalFile(path, writable=True)
    quarantines = journal.quarantines
    assert quarantines.current() is None
    quarantines.put(FIRST)
    assert quarantines.current() == FIRST
    longer = replace(FIRST, tries=2, reason=Reason.CREDENTIALS, next_at="2026-11-21T13:00:00Z")
    quarantines.put(longer)
    assert quarantines.current() == longer
    quarantines.release("2026-11-21T13:05:00Z", "run-a")
    assert quarantines.current() is None
    quarantines.put(FIRST)
    assert quarantines.current() == FIRST
    journal.close()
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT tries, released_at, released_by FROM quarantines ORDER BY no").fetchall()
    assert rows == [(2, "2026-11-21T13:05:00Z", "run-a"), (1, None, None)]
