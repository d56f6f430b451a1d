# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The provisioning log in the journal: what became of each change, and what was left alone from when to when."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import Values
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Problem, Skip
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.provisioning_log import (
    PLAN,
    SKIP,
    LogEntry,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.pins import Pins


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which entries to read; an empty text lets all pass.

    Parameters:
        id: object id of the cloud object, or of the group of a member that was left alone.
        name: a part of its displayName, whatever the case.
        status: `done`, `partial`, `failed` or `skipped`.
        action: the change's action, `skip` or `plan`.
        code: the word for what went wrong.
        run: a run_id or plan_id.
        since: ISO 8601, UTC; entries from then on.
        until: ISO 8601, UTC; entries before then.
    """

    id: str = ""
    name: str = ""
    status: str = ""
    action: str = ""
    code: str = ""
    run: str = ""
    since: str = ""
    until: str = ""


_CONDITIONS: Mapping[str, str] = {
    "id": "(e.id = :id OR e.group_id = :id)",
    "name": "(instr(lower(e.name), lower(:name)) OR instr(lower(e.group_name), lower(:name)))",
    "status": "e.status = :status",
    "action": "e.action = :action",
    "code": "e.code = :code",
    "run": "(r.run_id = :run OR r.plan_id = :run)",
    "since": "e.at >= :since",
    "until": "e.at < :until",
}

_OUTCOMES = """
SELECT 'o' AS kind, no, run_no, at, milliseconds, action, status, id, name, guid, dn, reason, '' AS group_id,
  '' AS group_name, before, after, added, removed, coalesce(code, '') AS code, coalesce(message, '') AS message,
  coalesce(remedy, '') AS remedy
FROM outcomes
"""
_REMARKS = f"""
SELECT 'r', no, run_no, at, 0, CASE status WHEN 'skipped' THEN '{SKIP}' ELSE '{PLAN}' END, status, id, name, NULL, '',
  CASE status WHEN 'skipped' THEN reason ELSE '' END, group_id, group_name, '{{}}', '{{}}', '[]', '[]', code,
  CASE status WHEN 'skipped' THEN '' ELSE reason END, remedy
FROM remarks
"""  # noqa: S608 - two constants of this package
_ENTRY = """
SELECT r.run_id || '.' || e.kind || e.no, e.at, e.milliseconds, r.module, r.run_id, r.plan_id, e.action, e.status, e.id,
  e.name, e.guid, e.dn, e.reason, e.group_id, e.group_name, e.before, e.after, e.added, e.removed, e.code, e.message,
  e.remedy
"""
_ENTRIES = f"{_ENTRY} FROM ({_OUTCOMES} UNION ALL {_REMARKS}) e JOIN runs r ON r.no = e.run_no"
_AFTER = (
    f"{_ENTRY} FROM ({_OUTCOMES} WHERE no > :outcomes UNION ALL {_REMARKS} WHERE no > :remarks) e "
    "JOIN runs r ON r.no = e.run_no ORDER BY e.at, e.kind, e.no"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the log.

    Parameters:
        outcomes: number of the last outcome before it.
        remarks: number of the last remark before it.
    """

    outcomes: int
    remarks: int


class Log:
    """The outcomes and remarks of a journal.

    Parameters:
        db: the open journal.
        pins: its settings.
    """

    def __init__(self, db: sqlite3.Connection, pins: Pins) -> None:
        self._db = db
        self._pins = pins

    def remark(
        self,
        run_no: int,
        now: str,
        items: Iterable[Skip | Problem],
        *,
        members: bool,
        whole: bool,
        looked_at: Collection[str] | None = None,
    ) -> None:
        """Write down what a run left alone; what an earlier run wrote down already is not repeated.

        Parameters:
            run_no: the run.
            now: ISO 8601, UTC.
            items: what was left alone, members of groups or groups, as `members` says.
            members: which of the two.
            whole: whether what is not among them is left alone no more.
            looked_at: object ids of the groups of whose members that holds; None for all.
        """
        self._db.execute("SAVEPOINT remarks")  # a transaction, or a part of the one that is open
        try:
            self._remark(run_no, now, items)
            if whole:
                self._end_remarks(now, members=members, looked_at=looked_at)
        except BaseException:
            self._db.execute("ROLLBACK TO remarks")
            self._db.execute("RELEASE remarks")
            raise
        self._db.execute("RELEASE remarks")

    def _remark(self, run_no: int, now: str, items: Iterable[Skip | Problem]) -> None:
        self._db.execute("CREATE TEMP TABLE IF NOT EXISTS seen (id TEXT, group_id TEXT, code TEXT)")
        self._db.execute("CREATE INDEX IF NOT EXISTS temp.seen_by_id ON seen (id, group_id, code)")
        self._db.execute("DELETE FROM temp.seen")
        for item in items:
            key = (item.id, getattr(item, "group_id", None) or "", item.code)
            status, remedy = ("failed", item.remedy) if isinstance(item, Problem) else ("skipped", "")
            reason = item.message if isinstance(item, Problem) else item.reason
            self._db.execute("INSERT INTO temp.seen VALUES (?, ?, ?)", key)
            self._db.execute(
                "INSERT INTO remarks (run_no, at, id, group_id, code, name, group_name, status, reason, remedy) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id, group_id, code) WHERE until IS NULL "
                "DO UPDATE SET reason = excluded.reason, remedy = excluded.remedy",
                (run_no, now, *key, item.name, getattr(item, "group_name", None) or "", status, reason, remedy),
            )

    def _end_remarks(self, now: str, *, members: bool, looked_at: Collection[str] | None) -> None:
        self._db.execute(
            "UPDATE remarks SET until = :now WHERE until IS NULL AND (group_id <> '') = :members "
            "AND (:all OR group_id IN (SELECT value FROM json_each(:ids))) AND NOT EXISTS "
            "(SELECT 1 FROM temp.seen s WHERE s.id = remarks.id AND s.group_id = remarks.group_id "
            "AND s.code = remarks.code)",
            {
                "now": now,
                "members": members,
                "all": not members or looked_at is None,
                "ids": json.dumps(sorted(looked_at or ())),
            },
        )

    def entries(self, chosen: LogFilter, most: int) -> Iterator[LogEntry]:
        """Yield the entries that a filter lets pass, newest first."""
        given = {name: value for name in _CONDITIONS if (value := getattr(chosen, name))}
        where = " AND ".join(_CONDITIONS[name] for name in given) or "1"
        query = f"{_ENTRIES} WHERE {where} ORDER BY e.at DESC, e.kind DESC, e.no DESC LIMIT :most"
        yield from self._read(query, {**given, "most": most})

    def after(self, mark: Mark) -> Iterator[LogEntry]:
        """Yield the entries that came after a mark, oldest first."""
        yield from self._read(_AFTER, {"outcomes": mark.outcomes, "remarks": mark.remarks})

    def mark(self) -> Mark:
        """Return the end of the log."""
        row = self._db.execute(
            "SELECT (SELECT coalesce(max(no), 0) FROM outcomes), (SELECT coalesce(max(no), 0) FROM remarks)"
        ).fetchone()
        return Mark(*row)

    def _read(self, query: str, values: Mapping[str, object]) -> Iterator[LogEntry]:
        tenant, domain = self._pins.get("tenant_id") or "", self._pins.get("domain") or ""
        for row in self._db.execute(query, values):
            key, at, milliseconds, module, run_id, plan_id, action, status, cloud_id, name, guid, place = row[:12]
            reason, group_id, group_name, before, after, added, removed, code, message, remedy = row[12:]
            yield LogEntry(
                key,
                at,
                milliseconds,
                module,
                run_id,
                plan_id,
                tenant,
                domain,
                action,
                status,
                cloud_id,
                name,
                guid,
                place,
                reason,
                group_id,
                group_name,
                values_of(before),
                values_of(after),
                tuple(json.loads(added)),
                tuple(json.loads(removed)),
                code,
                message,
                remedy,
            )


def values_of(text: str) -> dict[str, Values]:
    """Return values by attribute name, as outcomes hold them."""
    return {name: tuple(values) for name, values in json.loads(text).items()}


def applied_of(row: Sequence[Any]) -> Applied:
    """Return what became of a change, as outcomes hold it.

    Parameters:
        row: action, id, name, guid, dn, status, before, after, added and removed.
    """
    action, cloud_id, name, guid, place, status, before, after, added, removed = row
    return Applied(
        action,
        cloud_id,
        name,
        guid,
        place,
        status,
        values_of(before),
        values_of(after),
        tuple(json.loads(added)),
        tuple(json.loads(removed)),
    )
