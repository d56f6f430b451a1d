# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Steps that take turns at one connection: one is made ready while the server works on the one before."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError

_T = TypeVar("_T")

_AT_ONCE = 2


class Turn:
    """The place of one step in the order.

    Parameters:
        turns: all of them.
        number: so many steps come before it.
    """

    def __init__(self, turns: Turns, number: int) -> None:
        self._turns = turns
        self._number = number

    def wait(self) -> None:
        """Wait for it. Once the directory went away, nothing more is sent, as if nothing had been begun.

        Raises:
            DirectoryError: it went away in a step before.
        """
        self._turns.wait_for(self._number)

    def pass_on(self) -> None:
        """Let the next step write: this one will not any more."""
        self._turns.pass_on(self._number)

    def lose(self, error: DirectoryError) -> None:
        """Let no step after this one write."""
        self._turns.lose(self._number, error)

    def end(self) -> None:
        """Let the next step write, in any case, but not before the steps that come before this one."""
        with suppress(DirectoryError):
            self.wait()
        self.pass_on()


class Turns:
    """Carries out steps in the order in which they were begun.

    All goes over one connection: two have gained nothing on Samba (tests/bench).

    Parameters:
        session: over a bound connection.
    """

    def __init__(self, session: Session) -> None:
        self._lost: tuple[int, DirectoryError] | None = None
        self._session = session
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._condition = threading.Condition()
        self._begun = 0
        self._turn = 0

    def begin(self, step: Callable[[Session, Turn], _T]) -> Callable[[], _T]:
        """Begin a step; return what waits for its end, which gives its result or raises what it raised.

        Parameters:
            step: takes a session, whose requests wait for the turn of the step, and the turn.
        """
        turn = Turn(self, self._begun)
        self._begun += 1
        return self._pool.submit(self._carry_out, step, turn).result

    def _carry_out(self, step: Callable[[Session, Turn], _T], turn: Turn) -> _T:
        try:
            return step(self._session.waiting(turn.wait), turn)
        except DirectoryError as error:
            turn.lose(error)
            raise
        finally:
            turn.end()

    def wait_for(self, number: int) -> None:
        """Wait until it is the turn of a step.

        Raises:
            DirectoryError: the directory went away in a step before.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._turn >= number)
            if self._lost is not None and self._lost[0] < number:
                raise self._lost[1]

    def lose(self, number: int, error: DirectoryError) -> None:
        """Let no step after one write."""
        with self._condition:
            if self._lost is None or number < self._lost[0]:
                self._lost = number, error

    def pass_on(self, number: int) -> None:
        """End the turn of a step, if it has not ended yet."""
        with self._condition:
            if self._turn == number:
                self._turn += 1
                self._condition.notify_all()

    def close(self) -> None:
        """Wait for what was begun."""
        self._pool.shutdown()
