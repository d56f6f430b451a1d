# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The snapshot: a SQLite file with what Entra ID said, when, and how complete it was."""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import StoreError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    CompleteReading,
    Fate,
    FateKind,
    IncompleteReading,
    Principal,
    PrincipalKind,
    Reading,
    Skipped,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import (
    CapturedGroup,
    ChangedObjects,
    SnapshotHeader,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.scope import Decision
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store import signature
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.files import replacing
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.signature import SnapshotKey

FORMAT = 3
_APPLICATION_ID = 0x47504144  # "GPAD"
_SIDS_AT_ONCE = 500
# Principals in memory: some 60 MB.
_MOST_KEPT = 100_000

_UNREAD = "they were not read"
_GROUP_ROW = "SELECT name, properties, is_cloud_managed, reason, clause FROM groups WHERE id = ?"
_UPDATE_PRINCIPAL = (
    "UPDATE principals SET kind = ?, name = ?, synced = ?, sid = ?, object_identifier = ?, immutable_id = ?, "
    "sam_account_name = ?, domain_name = ?, readable = ? WHERE no = ?"
)

_SCHEMA = f"""
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {FORMAT};
CREATE TABLE header (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE groups (
  no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, properties TEXT NOT NULL,
  is_cloud_managed INTEGER, reason TEXT, clause TEXT NOT NULL, incomplete TEXT DEFAULT '{_UNREAD}',
  member_count INTEGER NOT NULL DEFAULT 0, changed INTEGER NOT NULL);
CREATE TABLE readings (sequence INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL);
CREATE TABLE watches (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE principals (
  no INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, name TEXT NOT NULL, synced INTEGER,
  sid TEXT, object_identifier TEXT, immutable_id TEXT, sam_account_name TEXT, domain_name TEXT,
  readable INTEGER NOT NULL);
CREATE INDEX principals_by_sid ON principals (sid) WHERE sid IS NOT NULL;
CREATE TABLE members (
  group_no INTEGER NOT NULL, principal_no INTEGER NOT NULL, PRIMARY KEY (group_no, principal_no)) WITHOUT ROWID;
CREATE TABLE fates (
  id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, since TEXT NOT NULL, seen TEXT NOT NULL) WITHOUT ROWID;
"""


class SnapshotWriter:
    """Fills a snapshot; `writing` and `updating` put it in place when all went well.

    Parameters:
        connection: the file's, in a transaction.
        sequence: what groups are marked with that are added or changed.
    """

    def __init__(self, connection: sqlite3.Connection, sequence: int = 0) -> None:
        self._db = connection
        self._sequence = sequence
        self._numbers: dict[str, int] = dict(self._db.execute("SELECT id, no FROM principals"))
        self._next = max(self._numbers.values(), default=0) + 1
        self._fresh: set[str] = set()
        self._altered: list[int] = []

    def add_group(self, group: CloudGroup, decision: Decision) -> None:
        """Add a group and the decision on it, or bring it up to date."""
        row = (
            group.display_name,
            json.dumps(dict(group.properties), sort_keys=True),
            group.is_cloud_managed,
            decision.reason.value if decision.reason else None,
            decision.clause,
        )
        old = self._db.execute(_GROUP_ROW, (group.id,)).fetchone() if self._sequence else None
        if old is None:
            self._db.execute(
                "INSERT INTO groups (id, name, properties, is_cloud_managed, reason, clause, changed) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (group.id, *row, self._sequence),
            )
        elif old != row:
            self._db.execute(
                "UPDATE groups SET name = ?, properties = ?, is_cloud_managed = ?, reason = ?, clause = ?, changed = ? "
                "WHERE id = ?",
                (*row, self._sequence, group.id),
            )

    def remove_groups(self, ids: Iterable[str]) -> None:
        """Take groups out that are no living ones any more."""
        for cloud_id in ids:
            self.remove_members(cloud_id)
            self._db.execute("DELETE FROM groups WHERE id = ?", (cloud_id,))

    def add_members(self, group_id: str, reading: Reading[tuple[Principal, ...]]) -> None:
        """Add the members of a group that was added before, in place of those that it had."""
        numbers = {self._number(principal) for principal in reading.items}
        why = reading.why if isinstance(reading, IncompleteReading) else None
        row = self._db.execute(
            "UPDATE groups SET member_count = ?, incomplete = ?, changed = ? WHERE id = ? RETURNING no",
            (len(numbers), why, self._sequence, group_id),
        ).fetchone()
        if self._sequence:
            self._db.execute("DELETE FROM members WHERE group_no = ?", row)
        self._db.executemany("INSERT INTO members VALUES (?, ?)", [(row[0], number) for number in sorted(numbers)])

    def remove_members(self, group_id: str) -> None:
        """Forget the members of a group, as of one that left the scope."""
        self._db.execute("DELETE FROM members WHERE group_no = (SELECT no FROM groups WHERE id = ?)", (group_id,))
        self._db.execute(
            "UPDATE groups SET member_count = 0, incomplete = ? WHERE id = ? AND incomplete IS NOT ?",
            (_UNREAD, group_id, _UNREAD),
        )

    def add_principal(self, principal: Principal) -> None:
        """Add a principal that need not be a member of any captured group, or bring it up to date."""
        self._number(principal)

    def add_holder(self, principal: Principal) -> None:
        """Add a principal that was asked for by its SID; of one that is known, more than that was read."""
        if principal.id not in self._numbers:
            self._number(principal)

    def remove_principals(self, ids: Iterable[str]) -> None:
        """Take principals out that are gone, once no group has them as members."""
        for cloud_id in ids:
            number = self._numbers.pop(cloud_id, None)
            self._db.execute("DELETE FROM principals WHERE no = ?", (number,))

    def memberships(self) -> int:
        """Return how many memberships there are by now."""
        return int(self._db.execute("SELECT count(*) FROM members").fetchone()[0])

    def add_fate(self, fate: Fate) -> None:
        """Add what became of a group that is not among the living ones."""
        row = (fate.id, fate.kind.value, fate.name, fate.since, fate.seen)
        self._db.execute("INSERT INTO fates VALUES (?, ?, ?, ?, ?)", row)

    def _number(self, principal: Principal) -> int:
        number = self._numbers.get(principal.id)
        if number is not None and (not self._sequence or principal.id in self._fresh):
            # Of several readings in one capture the first one counts.
            return number
        row = (
            principal.id,
            principal.kind.value,
            principal.display_name,
            principal.on_premises_sync_enabled,
            principal.on_premises_security_identifier,
            principal.on_premises_object_identifier,
            principal.on_premises_immutable_id,
            principal.on_premises_sam_account_name,
            principal.on_premises_domain_name,
            principal.readable,
        )
        if number is None:
            number = self._numbers[principal.id] = self._next
            self._next += 1
            self._db.execute("INSERT INTO principals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (number, *row))
        else:
            self._bring_up_to_date(number, row)
        if self._sequence:
            self._fresh.add(principal.id)
        return number

    def _bring_up_to_date(self, number: int, row: tuple[object, ...]) -> None:
        if self._db.execute("SELECT * FROM principals WHERE no = ?", (number,)).fetchone() != (number, *row):
            self._db.execute(_UPDATE_PRINCIPAL, (*row[1:], number))
            self._altered.append(number)

    def finish(self, header: SnapshotHeader, watches: Mapping[str, str] | None = None) -> None:
        """Write the header, which makes the snapshot whole.

        Parameters:
            header: what the snapshot says of itself.
            watches: from where changes can be read next time, by name; None where they cannot.
        """
        if self._altered:
            self._db.execute(
                "UPDATE groups SET changed = ? WHERE no IN (SELECT group_no FROM members WHERE principal_no IN "
                "(SELECT value FROM json_each(?)))",
                (self._sequence, json.dumps(self._altered)),
            )
        rows = [(name, json.dumps(value)) for name, value in asdict(header).items()]
        self._db.executemany("INSERT OR REPLACE INTO header VALUES (?, ?)", rows)
        self._db.execute("INSERT INTO readings VALUES (?, ?)", (header.sequence, header.fingerprint))
        self._db.execute("DELETE FROM watches")
        self._db.executemany("INSERT INTO watches VALUES (?, ?)", (watches or {}).items())


def writing(path: Path, key: SnapshotKey | None = None) -> AbstractContextManager[SnapshotWriter]:
    """Give a writer of a new snapshot, which takes the place of the old one only when the block ends well.

    Parameters:
        path: where it is to be.
        key: what it is signed with, or None.

    Raises:
        StoreError: the path cannot be written.
    """
    return _drafting(path, key, _empty)


def updating(path: Path, old: Snapshot, key: SnapshotKey | None = None) -> AbstractContextManager[SnapshotWriter]:
    """Give a writer that goes on from a snapshot before, and takes its place only when the block ends well.

    The fates of groups are not taken over.

    Parameters:
        path: where it is to be.
        old: what it begins with.
        key: what it is signed with, or None.

    Raises:
        StoreError: the path cannot be written.
    """
    return _drafting(path, key, partial(_copied, old))


def _empty(connection: sqlite3.Connection) -> SnapshotWriter:
    connection.executescript("PRAGMA journal_mode = OFF;" + _SCHEMA)
    connection.execute("BEGIN")
    return SnapshotWriter(connection)


def _copied(old: Snapshot, connection: sqlite3.Connection) -> SnapshotWriter:
    old.copy_to(connection)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("BEGIN")
    connection.execute("DELETE FROM fates")
    return SnapshotWriter(connection, old.header.sequence + 1)


@contextmanager
def _drafting(
    path: Path, key: SnapshotKey | None, begin: Callable[[sqlite3.Connection], SnapshotWriter]
) -> Iterator[SnapshotWriter]:
    try:
        with replacing(path) as draft:
            with closing(sqlite3.connect(draft)) as connection:
                yield begin(connection)
                connection.commit()
            signed = signature.sign(draft, key) if key is not None else None
        signature.put(path, signed)
    except sqlite3.OperationalError as error:
        raise StoreError(f"The snapshot {path} cannot be written: {error}.", "Look at the disk.") from None


def new_fingerprint() -> str:
    """Return a word that no other snapshot has."""
    return uuid.uuid4().hex


class Snapshot:
    """A snapshot opened for reading; fills the port CloudReader.

    Parameters:
        path: the file.
        key: what it must be signed with; None takes any.

    Raises:
        StoreError: the file is missing, damaged, of another format, or not signed with the key.
    """

    def __init__(self, path: Path, key: SnapshotKey | None = None) -> None:
        self.path = path
        self.key_id = key.id if key is not None else ""
        self._kept: dict[int, Principal] = {}
        if not path.is_file():
            raise StoreError(f"The snapshot {path} does not exist.", "Run gpad_scope first.", code="snapshot_missing")
        if key is None:
            self._open(path)
        else:
            # The connection keeps the copy once its name is gone.
            with signature.verified(path, key) as copy:
                self._open(copy)

    def _open(self, content: Path) -> None:
        path = self.path
        try:
            self._db = sqlite3.connect(f"{content.resolve().as_uri()}?mode=ro", uri=True)
            application, version = (
                self._db.execute(f"PRAGMA {word}").fetchone()[0] for word in ("application_id", "user_version")
            )
            if application != _APPLICATION_ID:
                raise _damaged(path, "it is not a snapshot")
            if version != FORMAT:
                raise _damaged(path, f"it is of format {version}, this version reads {FORMAT}")
            verdict = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if verdict != "ok":
                raise _damaged(path, str(verdict))
            pages, size = (self._db.execute(f"PRAGMA {word}").fetchone()[0] for word in ("page_count", "page_size"))
            if content.stat().st_size != pages * size:
                raise _damaged(path, "its end is missing")
            values = {name: json.loads(value) for name, value in self._db.execute("SELECT name, value FROM header")}
            values["other_writers"] = tuple(values.get("other_writers", ()))
            self.header = SnapshotHeader(**values)
        except (sqlite3.Error, ValueError, TypeError) as error:
            raise _damaged(path, str(error)) from None

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def copy_to(self, connection: sqlite3.Connection) -> None:
        """Copy all of it into an empty database."""
        self._db.backup(connection)

    def watches(self) -> dict[str, str]:
        """Return from where changes can be read, by name."""
        return dict(self._db.execute("SELECT name, value FROM watches").fetchall())

    def principals(self, ids: Collection[str]) -> dict[str, PrincipalKind]:
        """Return which of these objects are principals of the snapshot, with their kinds."""
        query = "SELECT id, kind FROM principals WHERE id IN (SELECT value FROM json_each(?))"
        return {cloud_id: PrincipalKind(kind) for cloud_id, kind in self._db.execute(query, (json.dumps(sorted(ids)),))}

    def groups_with(self, principals: Collection[str]) -> frozenset[str]:
        """Return the ids of the groups of which one of these is a direct member."""
        query = (
            "SELECT id FROM groups WHERE no IN (SELECT group_no FROM members WHERE principal_no IN "
            "(SELECT no FROM principals WHERE id IN (SELECT value FROM json_each(?))))"
        )
        given = json.dumps(sorted(principals))
        return frozenset(row[0] for row in self._db.execute(query, (given,))) if principals else frozenset()

    def accounts(self, changed: ChangedObjects) -> frozenset[str]:
        """Return the ids of the listed members whose accounts on premises are among the changed objects."""
        query = (
            "SELECT id FROM principals WHERE sid IN (SELECT value FROM json_each(?)) "
            "OR lower(object_identifier) IN (SELECT value FROM json_each(?))"
        )
        rows = self._db.execute(query, (json.dumps(sorted(changed.sids)), json.dumps(sorted(changed.guids))))
        found = {row[0] for row in rows}
        for cloud_id, immutable_id in self._db.execute(
            "SELECT id, immutable_id FROM principals WHERE sid IS NULL AND immutable_id IS NOT NULL"
        ):
            if identity.source_anchor_guid(immutable_id) in changed.guids:
                found.add(cloud_id)
        return frozenset(found)

    def unread(self) -> frozenset[str]:
        """Return the ids of the groups whose members were not read to their end."""
        return frozenset(row[0] for row in self._db.execute("SELECT id FROM groups WHERE incomplete IS NOT NULL"))

    def reading(self, sequence: int) -> str | None:
        """Return the fingerprint of the snapshot that this one goes back to, so many readings behind the full one."""
        row = self._db.execute("SELECT fingerprint FROM readings WHERE sequence = ?", (sequence,)).fetchone()
        return None if row is None else str(row[0])

    def changed_since(self, sequence: int) -> frozenset[str]:
        """Return the ids of the groups that changed after a reading of this generation."""
        return frozenset(row[0] for row in self._db.execute("SELECT id FROM groups WHERE changed > ?", (sequence,)))

    def groups(self) -> Iterator[CapturedGroup]:
        """Yield every captured group by name and id."""
        rows = self._db.execute(
            "SELECT id, properties, is_cloud_managed, reason, clause, member_count FROM groups ORDER BY name, id"
        )
        for cloud_id, properties, managed, reason, clause, count in rows:
            group = CloudGroup(cloud_id, json.loads(properties), None if managed is None else bool(managed))
            yield CapturedGroup(group, Decision(Skipped(reason) if reason else None, clause), count)

    def members(self, group_id: str) -> Reading[tuple[Principal, ...]]:
        """Return the direct members of a group, by object id; a group that was not read is an incomplete reading."""
        row = self._db.execute("SELECT no, incomplete FROM groups WHERE id = ?", (group_id,)).fetchone()
        if row is None:
            return IncompleteReading((), "the group is not in the snapshot")
        members = tuple(sorted(self._members(row[0]), key=lambda member: (member.display_name, member.id)))
        return CompleteReading(members) if row[1] is None else IncompleteReading(members, row[1])

    def _members(self, group_no: int) -> list[Principal]:
        """Return the members of a group in any order; a principal of several groups is made once.

        One that was taken out because it is gone is no member, although the list of members still named it.
        """
        numbers = [no for (no,) in self._db.execute("SELECT principal_no FROM members WHERE group_no = ?", (group_no,))]
        wanted = [no for no in numbers if no not in self._kept]
        if wanted and len(self._kept) + len(wanted) > _MOST_KEPT:
            self._kept.clear()
            wanted = numbers
        if wanted:
            query = "SELECT * FROM principals WHERE no IN (SELECT value FROM json_each(?))"
            self._kept.update((row[0], _principal(row[1:])) for row in self._db.execute(query, (json.dumps(wanted),)))
        return [self._kept[no] for no in numbers if no in self._kept]

    def member_sids(self, group_id: str) -> frozenset[str] | None:
        """Return the SIDs of all direct members of a group; None unless they say all that there is to say of them.

        SQLite puts them together in one step: it lets other threads of Python work only meanwhile, and a plan asks this
        of every group while the links of the next ones are read.
        """
        row = self._db.execute("SELECT no FROM groups WHERE id = ? AND incomplete IS NULL", (group_id,)).fetchone()
        if row is None:
            return None
        query = (
            "SELECT count(*), count(CASE WHEN kind = ? AND readable AND object_identifier IS NULL THEN sid END), "
            "coalesce(group_concat(sid, ' '), '') FROM members JOIN principals ON no = principal_no WHERE group_no = ?"
        )
        members, plain, joined = self._db.execute(query, (PrincipalKind.USER.value, *row)).fetchone()
        sids = joined.split()
        found = frozenset(sids)
        return found if members == plain == len(sids) == len(found) else None

    def known_sids(self, sids: Collection[str]) -> frozenset[str]:
        """Return which of these SIDs belong to a readable principal of the snapshot."""
        found: set[str] = set()
        wanted = sorted(sids)
        for start in range(0, len(wanted), _SIDS_AT_ONCE):
            part = wanted[start : start + _SIDS_AT_ONCE]
            marks = ",".join("?" * len(part))
            query = f"SELECT sid FROM principals WHERE readable AND sid IN ({marks})"  # noqa: S608 - only question marks
            found.update(row[0] for row in self._db.execute(query, part))
        return frozenset(found)

    def fates(self) -> Mapping[str, Fate]:
        """Return what became of the groups that were asked for by id and are no living groups, by object id."""
        rows = self._db.execute("SELECT id, kind, name, since, seen FROM fates ORDER BY id")
        return {cloud_id: Fate(cloud_id, FateKind(kind), *texts) for cloud_id, kind, *texts in rows}

    def names(self) -> dict[str, str]:
        """Return the displayName of every group, and of those that are gone where it is known, by object id."""
        query = "SELECT id, name FROM fates WHERE name <> '' UNION ALL SELECT id, name FROM groups"
        return dict(self._db.execute(query).fetchall())

    def ids_in_scope(self) -> frozenset[str]:
        """Return the ids of the groups in scope."""
        return frozenset(row[0] for row in self._db.execute("SELECT id FROM groups WHERE reason IS NULL"))

    def counts(self) -> dict[str, int]:
        """Return how many groups, groups in scope, principals and memberships the snapshot holds."""
        queries: Iterable[tuple[str, str]] = (
            ("groups", "SELECT count(*) FROM groups"),
            ("in_scope", "SELECT count(*) FROM groups WHERE reason IS NULL"),
            ("principals", "SELECT count(*) FROM principals"),
            ("memberships", "SELECT count(*) FROM members"),
        )
        return {name: int(self._db.execute(query).fetchone()[0]) for name, query in queries}


_KINDS: Mapping[str, PrincipalKind] = {kind.value: kind for kind in PrincipalKind}


def _principal(row: tuple[Any, ...]) -> Principal:
    cloud_id, kind, name, synced, sid, object_identifier, immutable_id, sam_account_name, domain_name, readable = row
    return Principal(
        cloud_id,
        _KINDS[kind],
        name,
        None if synced is None else bool(synced),
        sid,
        object_identifier,
        immutable_id,
        sam_account_name,
        domain_name,
        bool(readable),
    )


def _damaged(path: Path, why: str) -> StoreError:
    return StoreError(
        f"The snapshot {path} cannot be used: {' '.join(why.split())}.",
        "Remove the file and run gpad_scope again.",
        code="snapshot_damaged",
    )
