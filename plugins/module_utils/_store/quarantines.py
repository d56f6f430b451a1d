# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The quarantines of this target domain; the one that is open has no end."""

from __future__ import annotations

import sqlite3

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.quarantine import Quarantine, Reason


class Quarantines:
    """The table `quarantines` of a journal.

    Parameters:
        db: the open journal.
    """

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def current(self) -> Quarantine | None:
        """Return the quarantine that runs are in, or None."""
        row = self._db.execute(
            "SELECT reason, message, remedy, since, tries, next_at FROM quarantines WHERE released_at IS NULL"
        ).fetchone()
        return None if row is None else Quarantine(Reason(row[0]), *row[1:])

    def put(self, quarantine: Quarantine) -> None:
        """Enter a quarantine, or write how the one that runs are in goes on."""
        values = (
            quarantine.reason.value,
            quarantine.message,
            quarantine.remedy,
            quarantine.since,
            quarantine.tries,
            quarantine.next_at,
        )
        if self.current() is None:
            self._db.execute(
                "INSERT INTO quarantines (reason, message, remedy, since, tries, next_at) VALUES (?, ?, ?, ?, ?, ?)",
                values,
            )
            return
        self._db.execute(
            "UPDATE quarantines SET reason = ?, message = ?, remedy = ?, since = ?, tries = ?, next_at = ? "
            "WHERE released_at IS NULL",
            values,
        )

    def release(self, now: str, by: str) -> None:
        """End the quarantine that runs are in.

        Parameters:
            now: the time, ISO 8601.
            by: a run_id, or who asked for it.
        """
        self._db.execute("UPDATE quarantines SET released_at = ?, released_by = ? WHERE released_at IS NULL", (now, by))
