# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A damaged journal: what can still be read of it, and how it is set aside and made anew."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import BlockedError, StoreError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import second_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.files import (
    create_private,
    replacing,
    require_folder,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal_schema import (
    APPLICATION_ID,
    FORMAT,
    SCHEMA,
)

# A setting of a journal made anew: the number of the last run that it took over from one that could not be read whole.
DOUBTED_RUNS = "doubted_runs"
# The same, where what those runs did may not be all there.
DOUBTED_OUTCOMES = "doubted_outcomes"
STOPPED = "stopped"

_MAGIC = b"SQLite format 3\x00"
_APPLICATION_ID_AT = slice(68, 72)  # sqlite.org/fileformat2.html#database_header
_BESIDE = ("-wal", "-shm")
_MOST_RUNS = 2**62

# The lease is of a run that has ended with the file that held it, and after a damage all groups are compared anew.
_SALVAGED = ("settings", "groups", "left", "undecided", "quarantines", "retries", "runs", "outcomes", "remarks")
TABLES = frozenset({*_SALVAGED, "lease", "unsettled", "watermark"})
# What tells of the changes of a run, and of earlier doubts about them.
_DONE = frozenset({"runs", "outcomes", "settings"})

# A run of which no more is known than what it did.
_LOST_RUNS = """
INSERT INTO runs
SELECT run_no, 'lost-' || run_no,
  CASE WHEN max(action = 'members') THEN 'gpad_membership' WHEN max(action) > '' THEN 'gpad_group' ELSE 'unknown' END,
  'lost-' || run_no, '', min(at), NULL, NULL, NULL
FROM (SELECT run_no, at, action FROM outcomes UNION ALL SELECT run_no, at, '' FROM remarks)
WHERE typeof(run_no) = 'integer' AND run_no NOT IN (SELECT no FROM runs) GROUP BY run_no
"""


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What could be read of a damaged journal.

    Parameters:
        rows: how many rows.
        lost: the tables that could not be read to their end.
    """

    rows: int
    lost: tuple[str, ...]

    def sentence(self) -> str:
        """Return what became of its contents."""
        lost = f"not whole: {', '.join(self.lost)}" if self.lost else "nothing was lost"
        return f"{self.rows} entries could be read, {lost}"


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether an error speaks of the contents of a file, and not of rights, locks or the disk.

    Of the classes of sqlite3, the base class itself stands for SQLITE_CORRUPT and SQLITE_NOTADB.
    """
    return error.__class__ in (sqlite3.DatabaseError,) or "unsupported file format" in str(error)


def was_journal(path: Path) -> bool:
    """Return whether a file shows that it was a journal, so that it may be set aside.

    The application id in its header shows it, and the lock that every run leaves beside its journal. A path that was
    mistyped leads to a file that shows neither.
    """
    with path.open("rb") as stream:
        header = stream.read(100)
    if header.startswith(_MAGIC):
        return header[_APPLICATION_ID_AT] == APPLICATION_ID.to_bytes(4, "big")
    return lock_path(path).exists()


def lock_path(path: Path) -> Path:
    """Return the path of a journal's lock."""
    whole = path.resolve()
    return whole.with_name(whole.name + ".lock")


@contextmanager
def holding(path: Path) -> Iterator[None]:
    """Hold the right to write to the directory; the kernel gives it back when the process dies.

    Parameters:
        path: the journal.

    Raises:
        BlockedError: another process holds it.
        StoreError: the lock cannot be used.
    """
    try:
        lock = os.open(lock_path(path), os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise unusable(path, f"its lock cannot be opened: {error.strerror}") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BlockedError(
                f"Another run holds the journal {path}.", "Wait until it has ended.", code="run_in_progress"
            ) from None
        yield
    finally:
        os.close(lock)


def unusable(path: Path, why: str) -> StoreError:
    """Return the error for a journal that is as it should be, but cannot be read or written now."""
    return StoreError(
        f"The journal {path} cannot be used: {' '.join(why.split())}.",
        "Look at the rights of the file and its folder, and at the disk.",
        code="journal_unusable",
    )


class DamagedError(StoreError):
    """A journal cannot be read; what is left of it may be taken over."""

    code = "journal_damaged"

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"The journal {path} is damaged: {' '.join(why.split())}.",
            "Restore it from a backup, or move it away: runs without it neither delete nor remove foreign members.",
        )


def problem(path: Path, error: sqlite3.Error) -> StoreError:
    """Return what to tell people of an error of SQLite."""
    return DamagedError(path, str(error)) if is_damage(error) else unusable(path, str(error))


class Connection(sqlite3.Connection):
    """A connection to a journal; an error of the file is one that users can meet."""

    path: Path = Path()

    def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
        """Carry out a statement.

        Raises:
            StoreError: the file is damaged, or cannot be read or written, as when the disk is full.
        """
        try:
            return super().execute(sql, *rest)
        except sqlite3.Error as error:
            raise problem(self.path, error) from None

    def executemany(self, sql: str, rows: Any, /) -> sqlite3.Cursor:
        """Carry out a statement for each row.

        Raises:
            StoreError: the file is damaged, or cannot be read or written, as when the disk is full.
        """
        try:
            return super().executemany(sql, rows)
        except sqlite3.Error as error:
            raise problem(self.path, error) from None


def create(path: Path) -> None:
    """Create an empty journal, whole or not at all.

    Raises:
        BlockedError: another process is about it.
        StoreError: it cannot be created.
    """
    require_folder(path)
    with holding(path):
        if path.exists():
            return
        try:
            with replacing(path) as draft:
                remove_beside(path)  # of a journal that was moved away; they would be taken for this one's
                _fill(draft, lambda _db: None)
        except (OSError, sqlite3.Error) as error:
            raise unusable(path, f"it cannot be created: {error}") from None


def _fill(draft: Path, more: Callable[[sqlite3.Connection], None]) -> None:
    with closing(sqlite3.connect(draft, isolation_level=None)) as db:
        db.executescript(f"BEGIN;{SCHEMA}")
        more(db)
        db.execute("COMMIT")


def read_into(path: Path, db: sqlite3.Connection) -> Salvaged:
    """Take over what can still be read of a damaged journal.

    Parameters:
        path: the journal, which stays as it is.
        db: an empty journal; when nobody knows any more whether runs were stopped, it begins stopped.

    Raises:
        StoreError: the journal cannot be copied.
    """
    with _copy(path) as copy, closing(sqlite3.connect(copy)) as source:
        # Without it SQLite reads nothing of a file that is shorter than its header says.
        source.execute("PRAGMA writable_schema = ON")
        taken = {table: _take(source, db, table) for table in _SALVAGED}
    lost = tuple(table for table, (_rows, whole) in taken.items() if not whole)
    salvaged = Salvaged(sum(rows for rows, _whole in taken.values()), lost)
    _stand_in_for_runs(db)
    doubted = (DOUBTED_RUNS, DOUBTED_OUTCOMES) if _DONE.intersection(lost) else (DOUBTED_RUNS,) if lost else ()
    for name in doubted:
        db.execute("INSERT OR REPLACE INTO settings SELECT ?, coalesce(max(no), 0) FROM runs", (name,))
    if "groups" in lost:
        db.execute("UPDATE groups SET accepted = 0")
    if "settings" in lost:
        why = "The journal was damaged, and whether runs were stopped could not be read."
        db.execute("INSERT OR IGNORE INTO settings VALUES (?, ?)", (STOPPED, why))
    return salvaged


def _stand_in_for_runs(db: sqlite3.Connection) -> None:
    """Keep the number of each run that was lost from being given to a new one, to which its changes would then belong.

    Besides those whose changes could be read, the settings know of one: from which on deletions are counted.
    """
    db.execute(_LOST_RUNS)
    row = db.execute("SELECT value FROM settings WHERE name = 'written_to'").fetchone()
    try:
        before = int(json.loads(row[0])["first_run"]) - 1 if row else 0
    except (ValueError, TypeError, KeyError, OverflowError):
        return
    last = db.execute("SELECT coalesce(max(no), 0) FROM runs").fetchone()[0]
    if last < before < _MOST_RUNS:
        name = f"lost-{before}"
        db.execute("INSERT INTO runs VALUES (?, ?, 'unknown', ?, '', '', NULL, NULL, NULL)", (before, name, name))


@contextmanager
def _copy(path: Path) -> Iterator[Path]:
    """Give a copy, since opening one whose log waits to be followed changes it."""
    with tempfile.TemporaryDirectory(prefix="gpad-") as folder:
        copy = Path(folder) / "journal"
        try:
            shutil.copyfile(path, copy)
            log = _beside(path, "-wal")
            if log.exists():
                shutil.copyfile(log, _beside(copy, "-wal"))
        except OSError as error:
            raise unusable(path, f"it cannot be copied: {error.strerror}") from None
        yield copy


def remove_beside(path: Path) -> None:
    """Remove what SQLite keeps beside a file that is to be replaced."""
    for ending in _BESIDE:
        _beside(path, ending).unlink(missing_ok=True)


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)


def _take(source: sqlite3.Connection, db: sqlite3.Connection, table: str) -> tuple[int, bool]:
    """Copy the rows of a table up to the first that cannot be read; return how many, and whether it was whole."""
    columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
    marks = ", ".join("?" * len(columns))
    taken = 0
    try:
        for row in source.execute(f"SELECT {', '.join(columns)} FROM {table}"):  # noqa: S608 - names of the schema
            if not _is_sound(dict(zip(columns, row, strict=True))):
                return taken, False
            db.execute(f"INSERT INTO {table} VALUES ({marks})", row)  # noqa: S608 - names of the schema
            taken += 1
        whole = source.execute(f"PRAGMA quick_check({table})").fetchone()[0] == "ok"
    except (sqlite3.Error, StoreError):
        return taken, False
    return taken, whole


# What a column of JSON holds.
_JSON: Mapping[str, type] = {"before": dict, "after": dict, "added": list, "removed": list, "summary": dict}


def _is_sound(row: Mapping[str, Any]) -> bool:
    """Return whether a row has the form of one that was written; anything else shows damage that no check sees."""
    for name, value in row.items():
        if isinstance(value, bytes):
            return False
        kind = _JSON.get(name)
        try:
            if kind is not None and value is not None and not isinstance(json.loads(value), kind):
                return False
        except (ValueError, TypeError):
            return False
    return True


def set_aside(path: Path) -> tuple[Path, Salvaged]:
    """Rename a damaged journal and put one in its place that holds what could be read.

    At no moment is there no journal, or one that seems whole and is not: an empty file stands in for it, which the next
    run takes for damaged, too.

    Parameters:
        path: the journal, which the caller holds.

    Returns:
        The path of the damaged one, and what was taken over.

    Raises:
        StoreError: the folder cannot be written.
    """
    path = path.resolve()
    moment = second_text(utc_now()).replace(":", "")
    aside = path.with_name(f"{path.name}.damaged-{moment}")
    found: list[Salvaged] = []
    try:
        with replacing(path) as draft:
            _fill(draft, lambda db: found.append(read_into(path, db)))
            _keep(path, aside)
            nothing = _beside(aside, ".new")
            create_private(nothing)
            nothing.replace(path)
            for ending in _BESIDE:
                if _beside(path, ending).exists():
                    _beside(path, ending).replace(_beside(aside, ending))
    except OSError as error:
        raise unusable(path, f"it is damaged and cannot be set aside: {error.strerror}") from None
    except sqlite3.Error as error:
        raise unusable(path, f"it is damaged and cannot be made anew: {error}") from None
    return aside, found[0]


def _keep(path: Path, aside: Path) -> None:
    """Give a file a second name, or a copy where the file system knows no second names."""
    try:
        os.link(path, aside)
    except PermissionError:
        create_private(aside)
        shutil.copyfile(path, aside)


def check(db: sqlite3.Connection, path: Path) -> None:
    """Look at kind, format and contents of a file.

    Raises:
        DamagedError: its contents are broken.
        StoreError: it is no journal, or of another format.
    """
    application, version = (db.execute(f"PRAGMA {word}").fetchone()[0] for word in ("application_id", "user_version"))
    if application != APPLICATION_ID and path.stat().st_size == 0:
        raise DamagedError(path, "it is empty")
    if application != APPLICATION_ID:
        raise _other(path, "it is not a journal")
    if version != FORMAT:
        raise _other(path, f"it is of format {version}, this version reads {FORMAT}")
    names = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if missing := sorted(TABLES - names):
        raise DamagedError(path, f"it lacks the table {missing[0]}")
    verdict = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    if verdict != "ok":
        raise DamagedError(path, verdict)


def _other(path: Path, why: str) -> StoreError:
    return StoreError(
        f"The journal {path} cannot be used: {why}.",
        "Give the path of a journal, or one where there is no file.",
        code="journal_damaged",
    )
