# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal: a SQLite file with the memory of the directory side."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import BlockedError, StoreError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied, KnownGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.files import create_private
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal_schema import (
    APPLICATION_ID,
    FORMAT,
    SCHEMA,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.pins import Pins


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
        self._last = time.monotonic()
        try:
            if self.missing and writable:
                create_private(path)
            if self.missing:
                self._db = sqlite3.connect(path if writable else ":memory:", isolation_level=None)
                self._db.executescript(SCHEMA)
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
        self.pins = Pins(self._db, path)

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
        if application != APPLICATION_ID:
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

    def stopped(self) -> str | None:
        """Return why runs are stopped, or None."""
        return self.pins.get("stopped")

    def stop(self, why: str | None) -> None:
        """Stop runs, a running one before its next batch; None lets them run again."""
        self.pins.put("stopped", why)

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
        self._last = time.monotonic()

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
        """Write down what became of a change; it took the time since the change before it ended."""
        error = applied.error
        ended = time.monotonic()
        milliseconds, self._last = round((ended - self._last) * 1000), ended
        self._db.execute(
            "INSERT INTO outcomes (run_no, at, milliseconds, action, id, name, guid, dn, status, before, after, added, "
            "removed, reason, code, message, remedy) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._run_no,
                moment_text(utc_now()),
                milliseconds,
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
                applied.reason,
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
