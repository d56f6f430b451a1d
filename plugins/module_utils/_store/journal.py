# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal: a SQLite file with the memory of the directory side."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import BlockedError, StoreError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied, KnownGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.files import create_private

FORMAT = 2
_APPLICATION_ID = 0x4750414A  # "GPAJ"

_SCHEMA = f"""
PRAGMA application_id = {_APPLICATION_ID};
PRAGMA user_version = {FORMAT};
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE groups (id TEXT PRIMARY KEY, guid TEXT NOT NULL, accepted INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE undecided (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE left (id TEXT PRIMARY KEY, since TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE runs (
  no INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE, module TEXT NOT NULL, plan_id TEXT NOT NULL,
  plan_created_at TEXT NOT NULL, started_at TEXT NOT NULL, ended_at TEXT, outcome TEXT, summary TEXT);
CREATE TABLE outcomes (
  no INTEGER PRIMARY KEY, run_no INTEGER NOT NULL REFERENCES runs, action TEXT NOT NULL, id TEXT NOT NULL,
  name TEXT NOT NULL, guid TEXT, dn TEXT NOT NULL, status TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL,
  added TEXT NOT NULL, removed TEXT NOT NULL, code TEXT, message TEXT, remedy TEXT);
CREATE INDEX outcomes_by_id ON outcomes (id) WHERE added <> '[]';
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One applying call, as the journal keeps it."""

    run_id: str
    module: str
    plan_id: str
    started_at: str
    ended_at: str | None
    outcome: str | None
    summary: Mapping[str, Any]


class JournalFile:
    """The journal opened for reading, or for writing; fills the port Journal.

    Parameters:
        path: the file; created when it is opened for writing and missing.
        writable: False never creates or changes anything; a missing file is then an empty journal.

    Raises:
        StoreError: the file is damaged or of another format.
    """

    def __init__(self, path: Path, *, writable: bool) -> None:
        self.path = path
        self.missing = not path.exists()
        self._run_no = 0
        try:
            if self.missing and writable:
                create_private(path)
            if self.missing:
                self._db = sqlite3.connect(path if writable else ":memory:", isolation_level=None)
                self._db.executescript(_SCHEMA)
            else:
                mode = "rw" if writable else "ro"
                self._db = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None)
            self._check()
            if writable:
                # FULL and WAL: what was recorded survives a power cut (sqlite.org/pragma.html#pragma_synchronous).
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error as error:
            raise self._damaged(str(error)) from None

    @property
    def fresh(self) -> bool:
        """Whether no whole run of gpad_group has ended yet, so that the journal may not know what was provisioned."""
        row = self._db.execute(
            "SELECT 1 FROM runs WHERE module = 'gpad_group' AND outcome IN ('ok', 'partial', 'incomplete') "
            "AND summary NOT LIKE '%\"narrowed\":%' LIMIT 1"
        ).fetchone()
        return row is None

    def _check(self) -> None:
        application, version = (
            self._db.execute(f"PRAGMA {word}").fetchone()[0] for word in ("application_id", "user_version")
        )
        if application != _APPLICATION_ID:
            raise self._damaged("it is not a journal")
        if version != FORMAT:
            raise self._damaged(f"it is of format {version}, this version reads {FORMAT}")
        verdict = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise self._damaged(str(verdict))

    def _damaged(self, why: str) -> StoreError:
        return StoreError(
            f"The journal {self.path} cannot be used: {why}.",
            "Restore it from a backup, or move it away: runs without it neither delete nor remove foreign members.",
            code="journal_damaged",
        )

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the right to write to the directory; the kernel gives it back when the process dies.

        Raises:
            BlockedError: another process holds it.
        """
        path = self.path.resolve()
        lock = os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise BlockedError(
                    f"Another run holds the journal {self.path}.", "Wait until it has ended.", code="run_in_progress"
                ) from None
            yield
        finally:
            os.close(lock)

    def pin_tenant(self, tenant_id: str) -> None:
        """Remember the tenant at first use.

        Raises:
            StoreError: the journal belongs to another tenant.
        """
        row = self._db.execute("SELECT value FROM settings WHERE name = 'tenant_id'").fetchone()
        if row is None:
            self._db.execute("INSERT INTO settings VALUES ('tenant_id', ?)", (tenant_id,))

    def check_tenant(self, tenant_id: str) -> None:
        """Compare a tenant with the one remembered.

        Raises:
            StoreError: the journal belongs to another tenant.
        """
        row = self._db.execute("SELECT value FROM settings WHERE name = 'tenant_id'").fetchone()
        if row is not None and row[0] != tenant_id:
            raise StoreError(
                f"The snapshot is of tenant {tenant_id}, the journal {self.path} belongs to tenant {row[0]}.",
                "Give each tenant and domain a journal of its own.",
                code="other_tenant",
            )

    def pin_domain(self, domain: str) -> None:
        """Remember the DN of the target domain at first use."""
        self._db.execute("INSERT OR IGNORE INTO settings VALUES ('domain', ?)", (domain.lower(),))

    def check_domain(self, domain: str) -> None:
        """Compare a target domain with the one remembered.

        Raises:
            StoreError: the journal belongs to another domain, whose objects it knows.
        """
        row = self._db.execute("SELECT value FROM settings WHERE name = 'domain'").fetchone()
        if row is not None and row[0] != domain.lower():
            raise StoreError(
                f"The target domain is {domain}, the journal {self.path} belongs to {row[0]}.",
                "Give each tenant and domain a journal of its own.",
                code="other_domain_journal",
            )

    def check_age(self, captured_at: str) -> None:
        """Compare a snapshot's time with that of the last one applied.

        Raises:
            StoreError: it is older, so that what was taken away since would be given again.
        """
        row = self._db.execute("SELECT value FROM settings WHERE name = 'captured_at'").fetchone()
        if row is not None and captured_at < row[0]:
            raise StoreError(
                f"The snapshot of {captured_at} is older than the one of {row[0]}, which was applied.",
                "Run gpad_scope again.",
                code="snapshot_outdated",
            )

    def remember_age(self, captured_at: str) -> None:
        """Remember the time of the snapshot that is applied."""
        self._db.execute("INSERT OR REPLACE INTO settings VALUES ('captured_at', ?)", (captured_at,))

    def stopped(self) -> str | None:
        """Return why runs are stopped, or None."""
        row = self._db.execute("SELECT value FROM settings WHERE name = 'stopped'").fetchone()
        return None if row is None else str(row[0])

    def stop(self, why: str | None) -> None:
        """Stop runs, a running one before its next batch; None lets them run again."""
        if why is None:
            self._db.execute("DELETE FROM settings WHERE name = 'stopped'")
        else:
            self._db.execute("INSERT OR REPLACE INTO settings VALUES ('stopped', ?)", (why,))

    def container_rule(self) -> str | None:
        """Return the rule for containers that was applied last, or None."""
        row = self._db.execute("SELECT value FROM settings WHERE name = 'container_rule'").fetchone()
        return None if row is None else str(row[0])

    def remember_container_rule(self, rule: str) -> None:
        """Remember the rule for containers that was applied."""
        self._db.execute("INSERT OR REPLACE INTO settings VALUES ('container_rule', ?)", (rule,))

    def known(self) -> dict[str, KnownGroup]:
        """Return what is remembered of each cloud group, by object id."""
        rows = self._db.execute("SELECT id, guid, accepted FROM groups")
        return {cloud_id: KnownGroup(guid, bool(accepted)) for cloud_id, guid, accepted in rows}

    def remember(self, cloud_id: str, guid: str, *, accepted: bool) -> None:
        """Remember the directory object of a cloud group."""
        self._db.execute(
            "INSERT INTO groups VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET guid = excluded.guid",
            (cloud_id, guid, accepted),
        )

    def undecided(self) -> frozenset[str]:
        """Return the object ids of groups whose adoption the last run asked about."""
        return frozenset(row[0] for row in self._db.execute("SELECT id FROM undecided"))

    def remember_undecided(self, cloud_ids: Collection[str]) -> None:
        """Remember of which groups, and no others, the adoption waits for a decision."""
        self._db.execute("DELETE FROM undecided")
        self._db.executemany("INSERT INTO undecided VALUES (?)", [(cloud_id,) for cloud_id in sorted(set(cloud_ids))])

    def forget(self, cloud_id: str) -> None:
        """Forget the directory object of a cloud group."""
        self._db.execute("DELETE FROM groups WHERE id = ?", (cloud_id,))
        self._db.execute("DELETE FROM left WHERE id = ?", (cloud_id,))

    def accept(self, cloud_ids: Iterable[str]) -> None:
        """Remember of groups that it knows that the foreign links of their objects may go."""
        self._db.executemany("UPDATE groups SET accepted = 1 WHERE id = ?", [(cloud_id,) for cloud_id in cloud_ids])

    def added(self, cloud_ids: Collection[str]) -> dict[str, frozenset[str]]:
        """Return the objectGUIDs of the members that earlier runs added to the objects of these cloud groups."""
        found: dict[str, frozenset[str]] = {}
        for cloud_id in cloud_ids:
            rows = self._db.execute("SELECT added FROM outcomes WHERE id = ? AND added <> '[]'", (cloud_id,))
            guids = frozenset(guid for row in rows for guid in json.loads(row[0]))
            if guids:
                found[cloud_id] = guids
        return found

    def left(self) -> dict[str, str]:
        """Return since when cloud groups with a directory object are out of scope, ISO 8601 by object id."""
        return dict(self._db.execute("SELECT id, since FROM left"))

    def remember_left(self, cloud_ids: Collection[str], now: str) -> None:
        """Remember since when these cloud groups, and no others, are out of scope."""
        gone = self.left().keys() - set(cloud_ids)
        self._db.executemany("DELETE FROM left WHERE id = ?", [(cloud_id,) for cloud_id in sorted(gone)])
        self._db.executemany("INSERT OR IGNORE INTO left VALUES (?, ?)", [(i, now) for i in sorted(set(cloud_ids))])

    def begin_run(self, run_id: str, module: str, plan_id: str, plan_created_at: str, now: str) -> None:
        """Open a run; what is recorded next belongs to it."""
        cursor = self._db.execute(
            "INSERT INTO runs (run_id, module, plan_id, plan_created_at, started_at) VALUES (?, ?, ?, ?, ?)",
            (run_id, module, plan_id, plan_created_at, now),
        )
        self._run_no = int(cursor.lastrowid or 0)

    def check_plan(self, module: str, plan_id: str, created_at: str) -> None:
        """Compare a plan with those applied before.

        Raises:
            StoreError: this module applied it already, or a newer plan was applied.
        """
        row = self._db.execute(
            "SELECT started_at FROM runs WHERE module = ? AND plan_id = ?", (module, plan_id)
        ).fetchone()
        if row is not None:
            raise StoreError(
                f"The plan {plan_id} was applied by {module} at {row[0]}.", "Run gpad_plan again.", code="plan_used"
            )
        row = self._db.execute(
            "SELECT plan_id, plan_created_at FROM runs WHERE plan_created_at > ? LIMIT 1", (created_at,)
        ).fetchone()
        if row is not None:
            raise StoreError(
                f"The plan {plan_id} is older than the plan {row[0]} of {row[1]}, which was applied since.",
                "Run gpad_plan again.",
                code="plan_outdated",
            )

    def end_run(self, outcome: str, summary: Mapping[str, Any], now: str) -> None:
        """Close the run."""
        self._db.execute(
            "UPDATE runs SET ended_at = ?, outcome = ?, summary = ? WHERE no = ?",
            (now, outcome, json.dumps(summary), self._run_no),
        )

    def record(self, applied: Applied) -> None:
        """Write down what became of a change."""
        error = applied.error
        self._db.execute(
            "INSERT INTO outcomes (run_no, action, id, name, guid, dn, status, before, after, added, removed, code, "
            "message, remedy) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._run_no,
                applied.action,
                applied.id,
                applied.name,
                applied.guid,
                applied.dn,
                applied.status,
                json.dumps(dict(applied.before)),
                json.dumps(dict(applied.after)),
                json.dumps(applied.added),
                json.dumps(applied.removed),
                error.code if error else None,
                error.message if error else None,
                error.remedy if error else None,
            ),
        )

    def outcomes(self, run: str) -> list[Applied]:
        """Return what became of the changes of a run, or of all runs of a plan, in their order; failed ones left out.

        Parameters:
            run: a run_id or a plan_id.
        """
        rows = self._db.execute(
            "SELECT o.action, o.id, o.name, o.guid, o.dn, o.status, o.before, o.after, o.added, o.removed "
            "FROM outcomes o JOIN runs r ON r.no = o.run_no WHERE (r.run_id = ? OR r.plan_id = ?) "
            "AND o.status <> 'failed' ORDER BY o.no",
            (run, run),
        )
        return [
            Applied(
                action,
                cloud_id,
                name,
                guid,
                place,
                status,
                _values(before),
                _values(after),
                tuple(json.loads(added)),
                tuple(json.loads(removed)),
            )
            for action, cloud_id, name, guid, place, status, before, after, added, removed in rows
        ]

    def has_run(self, run: str) -> bool:
        """Return whether there was such a run, or a run of such a plan."""
        row = self._db.execute("SELECT 1 FROM runs WHERE run_id = ? OR plan_id = ?", (run, run)).fetchone()
        return row is not None

    def tenant_id(self) -> str:
        """Return the tenant that the journal belongs to, or an empty string before the first run."""
        row = self._db.execute("SELECT value FROM settings WHERE name = 'tenant_id'").fetchone()
        return str(row[0]) if row else ""

    def runs(self, most: int) -> list[Run]:
        """Return the latest runs, newest first."""
        rows = self._db.execute(
            "SELECT run_id, module, plan_id, started_at, ended_at, outcome, summary FROM runs ORDER BY no DESC LIMIT ?",
            (most,),
        )
        return [
            Run(run_id, module, plan_id, started_at, ended_at, outcome, json.loads(summary or "{}"))
            for run_id, module, plan_id, started_at, ended_at, outcome, summary in rows
        ]

    def failing(self, most: int) -> list[dict[str, Any]]:
        """Return the groups whose latest outcome is a failure."""
        rows = self._db.execute(
            "SELECT id, name, dn, action, code, message, remedy, max(no) FROM outcomes GROUP BY id, action "
            "HAVING status <> 'done' ORDER BY name, id LIMIT ?",
            (most,),
        )
        words = ("id", "name", "dn", "action", "code", "message", "remedy")
        return [dict(zip(words, row, strict=False)) for row in rows]


def _values(text: str) -> dict[str, tuple[str, ...]]:
    return {name: tuple(values) for name, values in json.loads(text).items()}
