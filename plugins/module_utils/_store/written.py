# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a journal remembers of the domain controller that runs wrote to."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Action
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.replication import Database, Written
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.pins import Pins

_NAME = "written_to"


class WrittenTo:
    """The setting `written_to` of a journal: server, invocation id, and the first run that wrote there.

    Parameters:
        db: the open journal.
        pins: its settings.
    """

    def __init__(self, db: sqlite3.Connection, pins: Pins) -> None:
        self._db = db
        self._pins = pins

    def _held(self) -> dict[str, Any] | None:
        text = self._pins.get(_NAME)
        return None if text is None else dict(json.loads(text))

    def last(self) -> Written | None:
        """Return where the last applying run wrote, and what was deleted since runs write there; None if none did."""
        held = self._held()
        if held is None:
            return None
        return Written(Database(held["server"], held["invocation_id"]), dict(self._deleted(held)))

    def _deleted(self, held: dict[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
        rows = self._db.execute(
            "SELECT d.guid, d.id, d.name FROM outcomes d WHERE d.action = ? AND d.status = 'done' AND d.run_no >= ? "
            "AND NOT EXISTS (SELECT 1 FROM outcomes r WHERE r.guid = d.guid AND r.action = ? AND r.status = 'done' "
            "AND r.no > d.no)",
            (Action.DELETE.value, held["first_run"], Action.RESTORE.value),
        )
        for guid, cloud_id, name in rows:
            if guid and cloud_id not in held["settled"]:
                yield guid, (cloud_id, name)

    def remember(self, database: Database) -> None:
        """Remember where the run writes that begins next."""
        held = self._held()
        if held is not None and Database(held["server"], held["invocation_id"]).is_surely(database):
            return
        first = self._db.execute("SELECT coalesce(max(no), 0) + 1 FROM runs").fetchone()[0]
        values = {"server": database.server, "invocation_id": database.invocation_id, "first_run": first, "settled": []}
        self._pins.put(_NAME, json.dumps(values))

    def settle(self, cloud_id: str) -> bool:
        """No longer expect that the deleted objects of a cloud group are gone; return whether any were expected to."""
        held = self._held()
        if held is None or all(cloud_id != whose[0] for _guid, whose in self._deleted(held)):
            return False
        self._pins.put(_NAME, json.dumps({**held, "settled": [*held["settled"], cloud_id]}))
        return True
