# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lease: which plan holds the journal from its making to its end."""

from __future__ import annotations

import os
import socket
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.lease import Holder
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now

_BEAT_SECONDS = 30.0


class Lease:
    """The table `lease` of a journal.

    Parameters:
        db: the open journal.
        lent: returns for how many minutes the slices of a plan may write.
    """

    def __init__(self, db: sqlite3.Connection, lent: Callable[[str], int]) -> None:
        self._db = db
        self._lent = lent
        self._carried: str | None = None
        self._beaten = 0.0

    def holder(self) -> Holder | None:
        """Return the run that holds the journal, dead or alive, or None."""
        row = self._db.execute("SELECT plan_id, host, pid, since, heartbeat FROM lease").fetchone()
        return None if row is None else replace(Holder(*row), lent_minutes=self._lent(row[0]))

    def take(self, plan_id: str) -> None:
        """Give the journal to a plan, whoever held it before."""
        now = moment_text(utc_now())
        self._db.execute(
            "INSERT OR REPLACE INTO lease (no, plan_id, host, pid, since, heartbeat) VALUES (1, ?, ?, ?, ?, ?)",
            (plan_id, socket.gethostname(), os.getpid(), now, now),
        )

    def carry(self, plan_id: str) -> None:
        """Show that this process goes on with the plan, now and at each beat; nothing where another plan holds it."""
        self._carried = plan_id
        self._beat()

    def beat(self) -> None:
        """Give a sign of life, at most every half minute."""
        if self._carried is not None and time.monotonic() - self._beaten >= _BEAT_SECONDS:
            self._beat()

    def _beat(self) -> None:
        self._beaten = time.monotonic()
        self._db.execute(
            "UPDATE lease SET host = ?, pid = ?, heartbeat = ? WHERE plan_id = ?",
            (socket.gethostname(), os.getpid(), moment_text(utc_now()), self._carried),
        )

    def release(self) -> None:
        """Give the journal back."""
        self._carried = None
        self._db.execute("DELETE FROM lease")
