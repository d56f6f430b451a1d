# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import sqlite3

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal_schema import (
    APPLICATION_ID,
    FORMAT,
    SCHEMA,
)


def test_a_new_file_says_what_it_is() -> None:
    db = sqlite3.connect(":memory:")
    db.executescript(SCHEMA)
    assert db.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    assert db.execute("PRAGMA user_version").fetchone()[0] == FORMAT
