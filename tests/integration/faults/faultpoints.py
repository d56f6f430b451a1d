# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens inside the process of a struck module: it counts what it does, and may end itself at one of these.

The module is the real one. Only its surroundings are: every step that leaves a trace outside the process is a fault
point, and the process kills itself there with a signal that nothing can catch. Waits are shortened, never left out.
"""

from __future__ import annotations

import functools
import math
import os
import resource
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import connection
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.connection import BoundConnection
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import http
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import GraphClient
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.damage import Connection
from tests.integration.modules import call_module

P = ParamSpec("P")
R = TypeVar("R")

BEFORE, AFTER = "before", "after"
# They leave nothing behind: dying after one is dying after the step before it.
_TRACELESS = frozenset({"ldap search", "graph request"})
_COMMITS = ("INSERT", "UPDATE", "DELETE")


@dataclass(frozen=True, slots=True)
class Strike:
    """What befalls one module process.

    Parameters:
        point: the fault point at which it dies, counted from 1; 0 for none.
        moment: whether it dies `before` or `after` the step.
        traces: count only the steps that leave a trace.
        pace: what every wait is multiplied by.
        answer_seconds: how long it waits for an answer of either side; 0 for the product's own time.
        file_bytes: how large a file may grow; 0 for no limit.
        user: the user id that it runs as; 0 for the present one.
    """

    point: int = 0
    moment: str = AFTER
    traces: bool = False
    pace: float = 0.02
    answer_seconds: float = 0.0
    file_bytes: int = 0
    user: int = 0


def leaves_a_trace(step: str) -> bool:
    """Return whether a step changes anything outside the process."""
    return step not in _TRACELESS


def _patch(owner: object, name: str, value: object) -> None:
    """Put something in the place of an attribute, in this process."""
    setattr(owner, name, value)


class _Steps:
    """Counts steps, writes them down, and ends the process at one of them."""

    def __init__(self, strike: Strike, trace: Path) -> None:
        self._strike = strike
        self._lock = threading.Lock()
        self._count = 0
        self._trace = os.open(trace, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)

    def _pass(self, what: str, moment: str) -> None:
        if moment != self._strike.moment:
            return
        with self._lock:
            self._count += leaves_a_trace(what) or not self._strike.traces
            os.write(self._trace, f"{what}\n".encode())
            if self._strike.point and self._count == self._strike.point:
                os.kill(os.getpid(), signal.SIGKILL)

    def slept(self, seconds: float) -> None:
        """Write down a wait."""
        os.write(self._trace, f"wait {seconds:.3f}\n".encode())

    def around(self, what: str, step: Callable[P, R]) -> Callable[P, R]:
        """Return a step that is counted."""

        @functools.wraps(step)
        def counted(*arguments: P.args, **options: P.kwargs) -> R:
            self._pass(what, BEFORE)
            try:
                return step(*arguments, **options)
            finally:
                self._pass(what, AFTER)

        return counted

    def call(self, what: str, step: Callable[[], R]) -> R:
        """Take a step that is counted."""
        return self.around(what, step)()


def _watch_directory(steps: _Steps) -> None:
    run = BoundConnection.run

    def counted(self: BoundConnection, kind: str, *arguments: Any, **options: Any) -> Any:
        return steps.call(f"ldap {kind}", lambda: run(self, kind, *arguments, **options))

    _patch(BoundConnection, "run", counted)


def _watch_cloud(steps: _Steps) -> None:
    _patch(GraphClient, "_send", steps.around("graph request", GraphClient._send))


def _watch_files(steps: _Steps) -> None:
    _patch(Path, "replace", steps.around("file replace", Path.replace))


def _watch_stores(steps: _Steps) -> None:
    """A statement of the journal outside a transaction is a commit; a snapshot is one transaction."""
    execute, executemany = Connection.execute, Connection.executemany

    def counted(self: Connection, sql: str, *rest: Any) -> sqlite3.Cursor:
        statement = functools.partial(execute, self, sql, *rest)
        if self.in_transaction or not sql.startswith(_COMMITS):
            return statement()
        return steps.call(f"store {' '.join(sql.split()[:3]).lower()}", statement)

    def one_by_one(self: Connection, sql: str, rows: Iterable[Any], /) -> sqlite3.Cursor:
        if self.in_transaction:
            return executemany(self, sql, rows)
        cursor = self.cursor()
        for row in rows:
            cursor = counted(self, sql, row)
        return cursor

    class Watched(sqlite3.Connection):
        """A connection whose commits are steps."""

        def commit(self) -> None:
            steps.call("store commit", super().commit)

    _patch(Connection, "execute", counted)
    _patch(Connection, "executemany", one_by_one)
    _patch(sqlite3, "connect", functools.partial(sqlite3.connect, factory=Watched))


def _shorten(strike: Strike, steps: _Steps) -> None:
    sleep = time.sleep

    def short(seconds: float) -> None:
        steps.slept(seconds)
        sleep(seconds * strike.pace)

    _patch(time, "sleep", short)
    if strike.answer_seconds:
        _patch(http, "ANSWER_SECONDS", strike.answer_seconds)
        # ldap3 takes whole seconds only.
        _patch(connection, "_ANSWER_SECONDS", math.ceil(strike.answer_seconds))


def perform(order: dict[str, Any]) -> None:
    """Run the module of an order in this process, which was forked for it.

    Parameters:
        order: the `module`, the `arguments` that Ansible hands it, a `folder`, which gets the file `trace`, and the
            `strike` that befalls it.
    """
    strike = Strike(**order["strike"])
    steps = _Steps(strike, Path(order["folder"]) / "trace")
    for watch in (_watch_directory, _watch_cloud, _watch_files, _watch_stores):
        watch(steps)
    _shorten(strike, steps)
    if strike.file_bytes:
        # Python ignores SIGXFSZ, so that a write beyond it fails with EFBIG, as one to a full disk fails with ENOSPC.
        resource.setrlimit(resource.RLIMIT_FSIZE, (strike.file_bytes, strike.file_bytes))
    if strike.user:
        os.setresuid(strike.user, strike.user, strike.user)
    call_module.perform(order)
