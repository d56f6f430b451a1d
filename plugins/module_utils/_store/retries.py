# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects that failed, with the time at which each is tried again."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from dataclasses import astuple

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retry import Part, Retry


class Retries:
    """The table `retries` of a journal.

    Parameters:
        db: the open journal.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def rows(self) -> dict[tuple[str, Part], Retry]:
        """Return the objects that failed, by object id and part."""
        rows = self._db.execute(
            "SELECT id, part, name, dn, code, message, remedy, digest, tries, first_at, tried_at, next_at FROM retries"
        )
        found = (Retry(cloud_id, Part(part), *more) for cloud_id, part, *more in rows)
        return {(row.id, row.part): row for row in found}

    def put(self, row: Retry) -> None:
        """Remember that an object failed."""
        values = [value.value if isinstance(value, Part) else value for value in astuple(row)]
        self._db.execute("INSERT OR REPLACE INTO retries VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)

    def drop(self, cloud_id: str, part: Part) -> None:
        """Forget that an object failed."""
        self._db.execute("DELETE FROM retries WHERE id = ? AND part = ?", (cloud_id, part.value))

    def keep_only(self, part: Part, cloud_ids: Collection[str]) -> None:
        """Forget the failures of a part of all other objects, which a whole plan no longer wants to change."""
        stale = [cloud_id for cloud_id, of in self.rows() if of is part and cloud_id not in cloud_ids]
        for cloud_id in stale:
            self.drop(cloud_id, part)

    def waiting(self, now: str) -> int:
        """Return how many objects are not to be tried yet, or no more."""
        found = self._db.execute("SELECT count(*) FROM retries WHERE next_at IS NULL OR next_at > ?", (now,))
        return int(found.fetchone()[0])

    def make_due(self, now: str) -> None:
        """Let the next run try all of them."""
        self._db.execute("UPDATE retries SET next_at = ? WHERE next_at IS NULL OR next_at > ?", (now, now))
