# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Up to where both sides were compared, as the journal remembers it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.focus import Watermark
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.replication import Database

_COLUMNS = "word, reading, sequence, server, invocation_id, usn, full_at, groups, links"


class Watermarks:
    """The watermark of a journal, and the groups that were not as they should be below it.

    Parameters:
        db: the open journal.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def last(self) -> Watermark | None:
        """Return up to where both sides were compared, or None."""
        row = self._db.execute(f"SELECT {_COLUMNS} FROM watermark").fetchone()  # noqa: S608 - a constant
        if row is None:
            return None
        word, reading, sequence, server, invocation_id, usn, full_at, groups, links = row
        return Watermark(word, reading, sequence, Database(server, invocation_id), usn, full_at, groups, links)

    def unsettled(self) -> frozenset[str]:
        """Return the object ids of the groups that the next plan looks at in any case."""
        return frozenset(row[0] for row in self._db.execute("SELECT id FROM unsettled"))

    def put(self, mark: Watermark, unsettled: Iterable[str]) -> None:
        """Remember up to where both sides were compared, and what was not as it should be."""
        self._db.execute("BEGIN")
        self._clear()
        self._db.execute(
            f"INSERT INTO watermark (no, {_COLUMNS}) VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - a constant
            (
                mark.word,
                mark.reading,
                mark.sequence,
                mark.database.server,
                mark.database.invocation_id,
                mark.usn,
                mark.full_at,
                mark.groups,
                mark.links,
            ),
        )
        self._unsettle(unsettled)
        self._db.execute("COMMIT")

    def unsettle(self, cloud_ids: Iterable[str]) -> None:
        """Let the next plan look at some groups."""
        self._unsettle(cloud_ids)

    def forget(self) -> bool:
        """Let the next plan look at all groups; return whether it would not have."""
        was = self.last() is not None
        self._clear()
        return was

    def _unsettle(self, cloud_ids: Iterable[str]) -> None:
        self._db.executemany("INSERT OR IGNORE INTO unsettled VALUES (?)", [(cloud_id,) for cloud_id in cloud_ids])

    def _clear(self) -> None:
        self._db.execute("DELETE FROM watermark")
        self._db.execute("DELETE FROM unsettled")
