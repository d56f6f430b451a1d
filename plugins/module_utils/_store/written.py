# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a journal remembers of the domain controller that runs wrote to."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterator
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Action
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.replication import Database, Written
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.pins import Pins

_NAME = "written_to"
_GONE = "gone"

_CONTAINERS = f"""
SELECT dn FROM outcomes WHERE action = '{Action.CREATE_CONTAINER.value}' AND status = 'done' AND run_no >= :since
"""  # noqa: S608 - constants of this package
_RESTORED = f"""
SELECT r.guid FROM outcomes r WHERE r.action = '{Action.RESTORE.value}' AND r.status = 'done' AND r.run_no >= :since
  AND r.guid IS NOT NULL AND NOT EXISTS (SELECT 1 FROM outcomes d
    WHERE d.guid = r.guid AND d.action = '{Action.DELETE.value}' AND d.status = 'done' AND d.no > r.no)
"""  # noqa: S608 - constants of this package


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
        """Return where the last applying run wrote, and what was done since runs write there; None if none did."""
        held = self._held()
        if held is None:
            return None
        since = held["first_run"]
        return Written(
            Database(held["server"], held["invocation_id"]),
            dict(self._deleted(held)),
            frozenset(guid for (guid,) in self._db.execute(_RESTORED, {"since": since})),
            frozenset(name for (name,) in self._db.execute(_CONTAINERS, {"since": since})),
            frozenset(json.loads(self._pins.get(_GONE) or "[]")),
        )

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
        # One that cannot be told apart is taken for the same: what was deleted there is looked for all the more.
        if held is not None and Database(held["server"], held["invocation_id"]).is_named(database):
            return
        first = self._db.execute("SELECT coalesce(max(no), 0) + 1 FROM runs").fetchone()[0]
        values = {"server": database.server, "invocation_id": database.invocation_id, "first_run": first, "settled": []}
        self._pins.put(_NAME, json.dumps(values))

    def remember_gone(self, guids: Collection[str]) -> None:
        """Remember which objects of known groups, and no others, are no more on the copy that was written to."""
        self._pins.put(_GONE, json.dumps(sorted(set(guids))))

    def settle(self, cloud_id: str) -> bool:
        """No longer expect that the deleted objects of a cloud group are gone; return whether any were expected to."""
        held = self._held()
        if held is None or all(cloud_id != whose[0] for _guid, whose in self._deleted(held)):
            return False
        self._pins.put(_NAME, json.dumps({**held, "settled": [*held["settled"], cloud_id]}))
        return True
