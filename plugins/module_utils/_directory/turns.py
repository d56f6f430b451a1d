# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two connections that take turns: one makes its next request while the server works on the other's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError

_T = TypeVar("_T")

# Of writes; a run of a few changes needs no second connection.
_FEW = 8


class Turns:
    """Carries out steps in the order in which they were begun.

    Parameters:
        session: a bound connection; the second one is opened when there is enough to do.
        few: so many steps go over one connection before another one is worth its log-on.
        in_turn: never two steps write at once; the next one goes on when one has written all, or has ended.
    """

    def __init__(self, session: Session, *, few: int = _FEW, in_turn: bool = True) -> None:
        self._few = few
        self._in_turn = in_turn
        self._sessions = [session]
        self._pools = [ThreadPoolExecutor(1)]
        self._condition = threading.Condition()
        self._begun = 0
        self._turn = 0
        self._lost: DirectoryError | None = None

    def begin(self, step: Callable[[Session], _T]) -> Callable[[], _T]:
        """Begin a step; return what waits for its end, which gives its result or raises what it raised."""
        if self._begun == self._few:
            self._open_another()
        number, self._begun = self._begun, self._begun + 1
        place = number % len(self._sessions)
        return self._pools[place].submit(self._carry_out, step, self._sessions[place], number).result

    def _open_another(self) -> None:
        """Open the second connection; without one that leads to the same server, all goes over the first."""
        try:
            another = self._sessions[0].another()
        except DirectoryError:
            return
        if another is not None:
            self._sessions.append(another)
            self._pools.append(ThreadPoolExecutor(1))

    def _carry_out(self, step: Callable[[Session], _T], session: Session, number: int) -> _T:
        if not self._in_turn:
            return step(session)
        try:
            with session.sending_after(partial(self._ask, number), partial(self._pass_on, number)):
                return step(session)
        except DirectoryError as error:
            self._lost = error
            raise
        finally:
            self._wait_for(number)
            self._pass_on(number)

    def _pass_on(self, number: int) -> None:
        """End the turn of a step, if it has not ended yet."""
        with self._condition:
            if self._turn == number:
                self._turn += 1
                self._condition.notify_all()

    def _ask(self, number: int) -> None:
        """Wait for a turn. Once the directory went away, nothing more is sent, as if nothing had been begun.

        Raises:
            DirectoryError: it went away in a step before.
        """
        self._wait_for(number)
        if self._lost is not None:
            raise self._lost

    def _wait_for(self, number: int) -> None:
        with self._condition:
            self._condition.wait_for(lambda: self._turn >= number)

    def close(self) -> None:
        """Wait for what was begun, and end the second connection; its operations are counted with the first one's."""
        for pool in self._pools:
            pool.shutdown()
        for another in self._sessions[1:]:
            another.close()
            self._sessions[0].operations.update(another.operations)
