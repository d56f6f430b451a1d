# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tenant's directory: objects, membership and a log of changes, in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from .entities import ENTITIES
from .schema import EntityType

_SCHEMA = """
CREATE TABLE objects (position INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, type TEXT NOT NULL,
                      deleted TEXT, data TEXT NOT NULL);
CREATE INDEX objects_by_type ON objects (type, deleted);
CREATE TABLE members (position INTEGER PRIMARY KEY, group_id TEXT NOT NULL, member_id TEXT NOT NULL,
                      UNIQUE (group_id, member_id));
CREATE INDEX members_by_member ON members (member_id);
CREATE TABLE changes (sequence INTEGER PRIMARY KEY AUTOINCREMENT, type TEXT NOT NULL, object_id TEXT NOT NULL,
                      event TEXT NOT NULL, detail TEXT NOT NULL);
CREATE INDEX changes_by_type ON changes (type, sequence);
CREATE TABLE assignments (id TEXT PRIMARY KEY, data TEXT NOT NULL);
CREATE TABLE audits (position INTEGER PRIMARY KEY, data TEXT NOT NULL);
"""
_TRANSITIVE = """
WITH RECURSIVE reached(id) AS (
    SELECT member_id FROM members WHERE group_id = ?1
    UNION
    SELECT m.member_id FROM members m JOIN reached r ON m.group_id = r.id
    JOIN objects o ON o.id = r.id AND o.deleted IS NULL
)
SELECT o.id, o.type FROM reached JOIN objects o USING (id)
WHERE o.deleted IS NULL AND o.id <> ?1 ORDER BY o.position
"""
_DIRECT = """
SELECT o.id, o.type FROM members m JOIN objects o ON o.id = m.member_id
WHERE m.group_id = ?1 AND o.deleted IS NULL ORDER BY m.position
"""
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Entity:
    type: EntityType
    id: str
    properties: Mapping[str, Any]
    deleted: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """``event``: created, property, member, deleted, restored or purged; ``detail``: property name or member id."""

    object_id: str
    event: str
    detail: str


@lru_cache(200_000)
def _properties(data: str) -> Mapping[str, Any]:
    """What a row holds; a user of many groups is read many times."""
    return MappingProxyType(json.loads(data))


class Directory:
    """Reads and writes of one database; the rules of who may write what are not here."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    @classmethod
    def create(cls, path: str) -> Directory:
        connection = sqlite3.connect(path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(_SCHEMA)
        return cls(connection)

    def copy(self) -> Directory:
        """A copy in memory, independent of this one from here on."""
        duplicate = sqlite3.connect(":memory:", isolation_level=None)
        self._db.backup(duplicate)
        return Directory(duplicate)

    def replace_by(self, other: Directory) -> None:
        other._db.backup(self._db)

    def close(self) -> None:
        self._db.close()

    def begin(self) -> None:
        self._db.execute("BEGIN")

    def commit(self) -> None:
        self._db.execute("COMMIT")

    def rollback(self) -> None:
        self._db.execute("ROLLBACK")

    # Reading

    def ids(self, type_name: str, *, deleted: bool = False) -> list[str]:
        sql = "SELECT id FROM objects WHERE type = ? AND (deleted IS NOT NULL) = ? ORDER BY position"
        return [row[0] for row in self._db.execute(sql, (type_name, deleted))]

    def get(self, object_id: str, *, deleted: bool = False) -> Entity | None:
        return next(iter(self.fetch([object_id], deleted=deleted)), None)

    def fetch(self, ids: Sequence[str], *, deleted: bool = False) -> list[Entity]:
        """The objects of these ids in their order, without those that are (or are not) deleted by now."""
        found: dict[str, Entity] = {}
        wanted = [object_id.lower() for object_id in ids]
        sql = "SELECT id, type, deleted, data FROM objects WHERE id IN (SELECT value FROM json_each(?))"
        for object_id, type_name, gone, data in self._db.execute(sql, (json.dumps(wanted),)):
            if (gone is not None) == deleted:
                found[object_id] = Entity(ENTITIES[type_name], object_id, _properties(data), gone)
        return [found[key] for key in wanted if key in found]

    def scan(self, ids: Sequence[str], *, deleted: bool = False) -> Iterator[Entity]:
        """Like fetch, in portions: for filters over whole collections."""
        for start in range(0, len(ids), _CHUNK):
            yield from self.fetch(ids[start : start + _CHUNK], deleted=deleted)

    def members(self, group_id: str, types: Collection[str], *, transitive: bool = False) -> list[str]:
        """Members that are not deleted, in the order in which they were added; direct or through nested groups."""
        rows = self._db.execute(_TRANSITIVE if transitive else _DIRECT, (group_id,))
        return [object_id for object_id, type_name in rows if type_name in types]

    def links(self, group_id: str) -> list[str]:
        """Every member link, also to soft-deleted objects, which keep theirs."""
        sql = "SELECT member_id FROM members WHERE group_id = ? ORDER BY position"
        return [row[0] for row in self._db.execute(sql, (group_id,))]

    def groups_of(self, member_id: str) -> list[str]:
        """The groups that have an object as a direct member, deleted ones included."""
        sql = "SELECT group_id FROM members WHERE member_id = ? ORDER BY position"
        return [row[0] for row in self._db.execute(sql, (member_id,))]

    def type_names(self, ids: Collection[str]) -> dict[str, str]:
        """The type of each object, deleted ones included."""
        sql = "SELECT id, type FROM objects WHERE id IN (SELECT value FROM json_each(?))"
        return dict(self._db.execute(sql, (json.dumps(list(ids)),)))

    def has_link(self, group_id: str, member_id: str) -> bool:
        sql = "SELECT 1 FROM members WHERE group_id = ? AND member_id = ?"
        return self._db.execute(sql, (group_id, member_id)).fetchone() is not None

    def assignments(self, resource_id: str) -> list[dict[str, Any]]:
        rows = [json.loads(row[0]) for row in self._db.execute("SELECT data FROM assignments ORDER BY rowid")]
        return [row for row in rows if row["resourceId"] == resource_id]

    def audits(self) -> list[dict[str, Any]]:
        """The entries of the audit log, newest first."""
        return [json.loads(row[0]) for row in self._db.execute("SELECT data FROM audits ORDER BY position DESC")]

    @property
    def sequence(self) -> int:
        """The number of the last change."""
        return int(self._db.execute("SELECT coalesce(max(sequence), 0) FROM changes").fetchone()[0])

    def changes(self, type_name: str, after: int) -> list[Change]:
        sql = "SELECT object_id, event, detail FROM changes WHERE type = ? AND sequence > ? ORDER BY sequence"
        return [Change(*row) for row in self._db.execute(sql, (type_name, after))]

    def purged(self, type_name: str) -> list[str]:
        sql = "SELECT object_id FROM changes WHERE type = ? AND event = 'purged' ORDER BY sequence"
        return [row[0] for row in self._db.execute(sql, (type_name,))]

    # Writing

    def _log(self, entity_type: str, object_id: str, event: str, details: Iterable[str] = ("",)) -> None:
        self._db.executemany(
            "INSERT INTO changes (type, object_id, event, detail) VALUES (?, ?, ?, ?)",
            [(entity_type, object_id, event, detail) for detail in details],
        )

    def insert(self, entity: EntityType, properties: Mapping[str, Any]) -> None:
        self._db.execute(
            "INSERT INTO objects (id, type, data) VALUES (?, ?, ?)",
            (properties["id"], entity.name, json.dumps(properties)),
        )
        self._log(entity.name, properties["id"], "created")

    def update(self, entity: Entity, values: Mapping[str, Any]) -> None:
        changed = [name for name, value in values.items() if entity.properties.get(name) != value]
        data = json.dumps({**entity.properties, **values})
        self._db.execute("UPDATE objects SET data = ? WHERE id = ?", (data, entity.id))
        self._log(entity.type.name, entity.id, "property", changed)

    def set_deleted(self, entity: Entity, moment: str | None) -> None:
        """Soft-delete an object, or restore it when ``moment`` is None."""
        self._db.execute("UPDATE objects SET deleted = ? WHERE id = ?", (moment, entity.id))
        self._log(entity.type.name, entity.id, "deleted" if moment else "restored")

    def purge(self, entity: Entity) -> None:
        """Remove an object for good, with its own links and the links to it."""
        holders = [row[0] for row in self._db.execute("SELECT group_id FROM members WHERE member_id = ?", (entity.id,))]
        self._db.execute("DELETE FROM members WHERE ?1 IN (group_id, member_id)", (entity.id,))
        self._db.execute("DELETE FROM objects WHERE id = ?", (entity.id,))
        for holder in holders:
            # The type goes with the log entry: nothing else remembers it once the object is gone.
            self._log("group", holder, "member", [f"{entity.id} {entity.type.name}"])
        self._log(entity.type.name, entity.id, "purged")

    def link(self, group_id: str, members: Mapping[str, str]) -> None:
        """Add member links; ``members`` maps object id to type name."""
        self._db.executemany(
            "INSERT INTO members (group_id, member_id) VALUES (?, ?)", [(group_id, member) for member in members]
        )
        self._log("group", group_id, "member", [f"{member} {type_name}" for member, type_name in members.items()])

    def unlink(self, group_id: str, member_id: str, type_name: str) -> None:
        self._db.execute("DELETE FROM members WHERE group_id = ? AND member_id = ?", (group_id, member_id))
        self._log("group", group_id, "member", [f"{member_id} {type_name}"])

    def assign(self, assignment: Mapping[str, Any]) -> None:
        self._db.execute("INSERT INTO assignments (id, data) VALUES (?, ?)", (assignment["id"], json.dumps(assignment)))

    def audit(self, entry: Mapping[str, Any]) -> None:
        """Write an entry of the audit log."""
        self._db.execute("INSERT INTO audits (data) VALUES (?)", (json.dumps(entry),))

    def unassign(self, assignment_id: str) -> bool:
        return self._db.execute("DELETE FROM assignments WHERE id = ?", (assignment_id,)).rowcount == 1
