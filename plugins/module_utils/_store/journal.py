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
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import lease
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import BlockedError, StoreError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Problem, Skip
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied, KnownGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store import damage
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal_schema import SCHEMA
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.lease import Lease
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.log import Log, applied_of, values_of
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.pins import Pins
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.quarantines import Quarantines
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.retries import Retries
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.slicing import Slices
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.watermarks import Watermarks
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.written import WrittenTo

# Who only looks whether the lock is held has it for a moment.
_LOCK_TRIES = 3
_LOCK_PAUSE = 0.05
# A run that came to its end, looked at all groups, and of whose slices none lost a change.
_WHOLE = (
    "r.outcome IN ('ok', 'partial', 'incomplete') AND r.summary NOT LIKE '%\"narrowed\":%' "
    "AND r.summary NOT LIKE '%\"slices_lost\":%'"
)


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
        writable: False never creates or changes anything; a missing file is then an empty journal, and of a damaged one
            that is used which can be read. Otherwise a damaged one is set aside and made anew; `damage` says so.

    Raises:
        BlockedError: it is damaged or missing, and another process holds it.
        StoreError: it cannot be used, or is no journal of this format.
    """

    def __init__(self, path: Path, *, writable: bool) -> None:
        self.path = path
        self.missing = not path.exists()
        self.damage = ""
        self._run_no = 0
        self._last = time.monotonic()
        if self.missing and writable:
            damage.create(path)
        try:
            self._db = self._open(writable=writable)
        except damage.DamagedError as error:
            if not damage.was_journal(path):
                raise
            self._db = self._rebuilt(error, writable=writable)
        self.pins = Pins(self._db, path)
        self.log = Log(self._db, self.pins)
        self.slices = Slices(self._db, self.pins, path)
        self.lease = Lease(self._db, self.slices.lent_minutes)
        self.retries = Retries(self._db)
        self.quarantines = Quarantines(self._db)
        self.written_to = WrittenTo(self._db, self.pins)
        self.watermarks = Watermarks(self._db)

    @property
    def fresh(self) -> bool:
        """Whether no whole run of gpad_group has ended yet, so that the journal may not know what was provisioned.

        Nor do the runs count that it took over from a journal that could not be read whole.
        """
        row = self._db.execute(
            f"SELECT 1 FROM runs r WHERE module = 'gpad_group' AND {_WHOLE} "  # noqa: S608 - a constant
            "AND no > coalesce((SELECT CAST(value AS INTEGER) FROM settings WHERE name = ?), 0) LIMIT 1",
            (damage.DOUBTED_RUNS,),
        ).fetchone()
        return row is None

    @property
    def doubted(self) -> bool:
        """Whether it was made from a damaged one that could not be read whole, and no whole run has ended since."""
        return self.pins.get(damage.DOUBTED_RUNS) is not None and self.fresh

    def _open(self, *, writable: bool) -> damage.Connection:
        if self.missing and not writable:
            return self._empty()
        db = self._connect("ro")
        try:
            damage.check(db, self.path)
        except StoreError:
            db.close()
            raise
        if writable:
            # Not before it was checked: closing a damaged file that can be written changes it.
            db.close()
            db = self._connect("rw")
            # FULL and WAL: what was recorded survives a power cut (sqlite.org/pragma.html#pragma_synchronous).
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
        return db

    def _connect(self, mode: str) -> damage.Connection:
        name = f"{self.path.resolve().as_uri()}?mode={mode}"
        try:
            db = sqlite3.connect(name, uri=True, isolation_level=None, factory=damage.Connection)
        except sqlite3.Error as error:
            raise damage.problem(self.path, error) from None
        db.path = self.path
        return db

    def _empty(self) -> damage.Connection:
        db = sqlite3.connect(":memory:", isolation_level=None, factory=damage.Connection)
        db.path = self.path
        db.executescript(SCHEMA)
        return db

    def _rebuilt(self, error: damage.DamagedError, *, writable: bool) -> damage.Connection:
        """Take over what can be read of a damaged journal: into a new file, or for reading alone into memory."""
        if not writable:
            db = self._empty()
            salvaged = damage.read_into(self.path, db)
            self.damage = f"{error.message} {salvaged.sentence()}."
            return db
        with damage.holding(self.path):
            try:
                return self._open(writable=True)  # another process was faster
            except damage.DamagedError:
                aside, salvaged = damage.set_aside(self.path)
        self.damage = f"{error.message} It was renamed to {aside} and made anew: {salvaged.sentence()}."
        return self._open(writable=True)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the right to write to the directory; the kernel gives it back when the process dies.

        Raises:
            BlockedError: another process holds it.
            StoreError: the lock cannot be used.
        """
        with ExitStack() as stack:
            for tries_left in reversed(range(_LOCK_TRIES)):
                try:
                    stack.enter_context(damage.holding(self.path))
                    break
                except BlockedError:
                    if not tries_left:
                        raise lease.refusal(self.lease.holder(), str(self.path)) from None
                    time.sleep(_LOCK_PAUSE)
            yield

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write all of a block, or nothing when it ends with an error."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def is_locked(self) -> bool:
        """Return whether somebody holds the right to write to the directory."""
        try:
            lock = os.open(damage.lock_path(self.path), os.O_RDONLY)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise damage.unusable(self.path, f"its lock cannot be opened: {error.strerror}") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(lock)
        return False

    def stopped(self) -> str | None:
        """Return why runs are stopped, or None."""
        return self.pins.get("stopped")

    def over(self) -> str | None:
        """Return since when the slice of this journal may write no more, ISO 8601; None where it may.

        Raises:
            StoreError: the file of the slice was taken away.
        """
        return self.slices.over()

    def stop(self, why: str | None) -> None:
        """Stop runs, a running one before its next batch; None lets them run again."""
        self.pins.put("stopped", why)

    def known(self) -> dict[str, KnownGroup]:
        """Return what is remembered of each cloud group, by object id; while in doubt, none is accepted."""
        trusted = not self.doubted
        rows = self._db.execute("SELECT id, guid, accepted FROM groups")
        return {cloud_id: KnownGroup(guid, bool(accepted) and trusted) for cloud_id, guid, accepted in rows}

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

    def begin_run(
        self,
        run_id: str,
        module: str,
        plan_id: str,
        plan_created_at: str,
        now: str,
        summary: Mapping[str, Any] | None = None,
    ) -> None:
        """Open a run; what is recorded next belongs to it. A summary says what is known of it before it ends."""
        cursor = self._db.execute(
            "INSERT INTO runs (run_id, module, plan_id, plan_created_at, started_at, summary) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (run_id, module, plan_id, plan_created_at, now, None if summary is None else json.dumps(summary)),
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
        """Write down what became of a change; unless it says when that was, it took the time since the one before."""
        error = applied.error
        ended = time.monotonic()
        milliseconds, self._last = round((ended - self._last) * 1000), ended
        self._db.execute(
            "INSERT INTO outcomes (run_no, at, milliseconds, action, id, name, guid, dn, status, before, after, added, "
            "removed, reason, code, message, remedy) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._run_no,
                applied.at or moment_text(utc_now()),
                applied.milliseconds if applied.at else milliseconds,
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
        self.lease.beat()

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
        return [applied_of(row) for row in rows]

    def before(self, cloud_ids: Collection[str], attribute: str, marks: tuple[str, ...]) -> dict[str, Applied]:
        """Return the last change of each of these groups that put a mark in place of another value.

        Parameters:
            cloud_ids: object ids.
            attribute: the attribute that holds the mark.
            marks: how marks begin, in lower case.
        """

        def is_mark(values: tuple[str, ...]) -> bool:
            return any(value.lower().startswith(marks) for value in values)

        found: dict[str, Applied] = {}
        for cloud_id in cloud_ids:
            rows = self._db.execute(
                "SELECT action, name, guid, dn, status, before, after FROM outcomes "
                "WHERE id = ? AND status <> 'failed' AND guid IS NOT NULL ORDER BY no DESC",
                (cloud_id,),
            )
            for action, name, guid, place, status, before, after in rows:
                held, written = values_of(before), values_of(after)
                if is_mark(written.get(attribute, ())) and not is_mark(held.get(attribute, ())):
                    found[cloud_id] = Applied(action, cloud_id, name, guid, place, status, held, written)
                    break
        return found

    def remark(
        self, items: Iterable[Skip | Problem], *, members: bool, whole: bool, looked_at: Collection[str] | None = None
    ) -> None:
        """Write down what this run left alone, unless it is written down; see the module log."""
        self.log.remark(self._run_no, moment_text(utc_now()), items, members=members, whole=whole, looked_at=looked_at)

    def has_run(self, run: str) -> bool:
        """Return whether there was such a run, or a run of such a plan."""
        row = self._db.execute("SELECT 1 FROM runs WHERE run_id = ? OR plan_id = ?", (run, run)).fetchone()
        return row is not None

    def has_whole_run(self, module: str, plan_id: str) -> bool:
        """Return whether a module came to its end with this plan, and the plan was of all groups."""
        row = self._db.execute(
            f"SELECT 1 FROM runs r WHERE module = ? AND plan_id = ? AND {_WHOLE}",  # noqa: S608 - a constant
            (module, plan_id),
        ).fetchone()
        return row is not None

    def is_whole(self, run: str) -> bool:
        """Return whether all that a run, or the runs of a plan, did is known: no damage took any of it."""
        doubted = int(self.pins.get(damage.DOUBTED_OUTCOMES) or 0)
        row = self._db.execute(
            "SELECT 1 FROM runs WHERE (run_id = ? OR plan_id = ?) AND no <= ?", (run, run, doubted)
        ).fetchone()
        return row is None

    def is_ahead(self, now: str) -> bool:
        """Return whether a plan was applied that was made later than now."""
        return self._db.execute("SELECT 1 FROM runs WHERE plan_created_at > ?", (now,)).fetchone() is not None

    def set_back(self, now: str) -> None:
        """Take the plans that were made later than now for plans of now, so that those made from now on are newer."""
        self._db.execute("UPDATE runs SET plan_created_at = ? WHERE plan_created_at > ?", (now, now))

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
        """Return the groups whose latest outcome is a failure, with the tries of those that wait for another one.

        A failure that does not wait was in the last whole run, or later; in an older one it is settled.
        """
        rows = self._db.execute(
            "SELECT o.id, o.name, o.dn, o.action, o.code, o.message, o.remedy, t.tries, t.first_at, t.next_at FROM "  # noqa: S608 - a constant
            "(SELECT *, max(no) FROM outcomes GROUP BY id, action HAVING status <> 'done') o LEFT JOIN retries t "
            "ON t.id = o.id AND t.code = o.code AND t.part = iif(o.action = 'members', 'members', 'groups') "
            f"WHERE t.id IS NOT NULL OR o.run_no >= coalesce((SELECT max(r.no) FROM runs r WHERE {_WHOLE} AND r.module "
            "= (SELECT module FROM runs WHERE no = o.run_no)), 0) "
            "ORDER BY o.name, o.id LIMIT ?",
            (most,),
        )
        words = ("id", "name", "dn", "action", "code", "message", "remedy", "tries", "first_at", "next_at")
        return [dict(zip(words, row, strict=True)) for row in rows]
