# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a journal knows of slices: which part of a plan was handed over, and what one of them did in its copy."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    GpadError,
    ObjectError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.slices import HandOver, Slice
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store import damage
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.files import replacing
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.log import applied_of
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.pins import Pins

_HANDED_OVER = "handed_over"
# Of a copy for slices alone.
_COPY = "copy_for_slices"
_SILENT = "slices_silent"


@dataclass(frozen=True, slots=True)
class SliceRun:
    """The run of a slice, in its copy of the journal.

    Parameters:
        no: its number there.
        slice: which slice.
        ended: why it ended early, a sentence; empty where it did not, or where nobody wrote it down.
    """

    no: int
    slice: Slice
    ended: str


class Slices:
    """Two settings of a journal, and the runs that were of slices.

    Parameters:
        db: the open journal.
        pins: its settings.
        path: its file.
    """

    def __init__(self, db: sqlite3.Connection, pins: Pins, path: Path) -> None:
        self._db = db
        self._pins = pins
        self._path = path
        self._until = self._copy_until()
        self._file = self._file_there() if self.is_copy else None

    def handed_over(self) -> HandOver | None:
        """Return the part of a plan that slices carry out, or None."""
        text = self._pins.get(_HANDED_OVER)
        return None if text is None else HandOver(**json.loads(text))

    def hand_over(self, given: HandOver | None) -> None:
        """Remember that slices carry a part of a plan out; None when they have."""
        self._pins.put(_HANDED_OVER, None if given is None else json.dumps(asdict(given)))

    def note_silent(self, plan_id: str) -> None:
        """Remember that a slice of a plan may still be writing when what came back was merged."""
        self._pins.put(_SILENT, plan_id)

    def is_silent(self, plan_id: str) -> bool:
        """Return whether a slice of a plan may still be writing."""
        return self._pins.get(_SILENT) == plan_id

    def lent_minutes(self, plan_id: str) -> int:
        """Return for how long the slices of a plan may write; 0 where it has none."""
        given = self.handed_over()
        return given.minutes if given is not None and given.plan_id == plan_id else 0

    @property
    def is_copy(self) -> bool:
        """Whether this is a copy of a journal, for a slice."""
        return self._until is not None

    def _copy_until(self) -> str | None:
        given = self.handed_over()
        return given.until if given is not None and self._pins.get(_COPY) is not None else None

    def over(self) -> str | None:
        """Return since when the slice of this copy may write no more, ISO 8601; None where it may.

        Raises:
            StoreError: the file is not there any more: its machine was given up, and used again. Nobody would know what
                the slice goes on to do.
        """
        if self._file is not None and self._file_there() != self._file:
            raise damage.unusable(self._path, "it was taken away while a slice worked on it")
        return self._until if self._until is not None and self._until <= moment_text(utc_now()) else None

    def _file_there(self) -> tuple[int, int] | None:
        """Return what tells the file at the path from any other; None where there is none."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def copy_to(self, path: Path, *, for_slices: bool = False) -> None:
        """Copy the journal as it is at one moment, into one file, also while others write it.

        Parameters:
            path: where to; what is there is replaced.
            for_slices: the copy is one that a slice works on, and nothing else.

        Raises:
            ConfigurationError: the path is that of the journal itself.
            StoreError: the copy cannot be written.
        """
        if path.resolve() == self._path.resolve():
            raise ConfigurationError(f"copy_to: {path} is the journal itself.", "Give another path.")
        try:
            with replacing(path) as draft:
                damage.remove_beside(path)  # of a copy that was there before; they would be taken for this one's
                with closing(sqlite3.connect(draft, isolation_level=None)) as copy:
                    self._db.backup(copy)
                    # One file alone, which can be carried.
                    copy.execute("PRAGMA journal_mode = DELETE")
                    if for_slices:
                        copy.execute("INSERT OR REPLACE INTO settings VALUES (?, '')", (_COPY,))
        except (OSError, sqlite3.Error) as error:
            raise damage.unusable(path, f"the copy cannot be written: {error}") from None

    def runs_of(self, plan_id: str, module: str) -> list[SliceRun]:
        """Return the runs of slices that carried out a part of a plan, in this copy."""
        rows = self._db.execute(
            "SELECT no, summary FROM runs WHERE plan_id = ? AND module = ? ORDER BY no", (plan_id, module)
        )
        told = [(no, json.loads(summary or "{}")) for no, summary in rows]
        return [
            SliceRun(no, Slice(summary["slices"], summary["slice"]), summary.get("ended", ""))
            for no, summary in told
            if "slice" in summary
        ]

    def outcomes(self, run: SliceRun) -> Iterator[Applied]:
        """Yield what became of each change of a run, failed ones too, in their order."""
        rows = self._db.execute(
            "SELECT code, message, remedy, reason, at, milliseconds, "
            "action, id, name, guid, dn, status, before, after, added, removed "
            "FROM outcomes WHERE run_no = ? ORDER BY no",
            (run.no,),
        )
        for code, message, remedy, reason, at, took, *row in rows:
            error = _error(code, message, remedy)
            yield replace(applied_of(row), error=error, reason=reason, at=at, milliseconds=took)


def summary_of(one: Slice, ended: GpadError | None = None) -> dict[str, int | str]:
    """Return what the run of a slice says of itself in its summary.

    Parameters:
        one: the slice.
        ended: what ended it early, or None.
    """
    return {"slice": one.index, "slices": one.count, **({"ended": str(ended)} if ended is not None else {})}


def _error(code: str | None, message: str | None, remedy: str | None) -> GpadError | None:
    return None if code is None else ObjectError(message or "", remedy or "", code=code)
