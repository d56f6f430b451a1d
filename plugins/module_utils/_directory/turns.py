# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Steps that take turns at one connection: one is made ready while the server works on the one before."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError

_T = TypeVar("_T")

_AT_ONCE = 2


class Turns:
    """Carries out steps in the order in which they were begun.

    All goes over one connection: two have gained nothing on Samba (tests/bench).

    Parameters:
        session: over a bound connection.
    """

    def __init__(self, session: Session) -> None:
        self._lost: DirectoryError | None = None
        self._session = session
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._condition = threading.Condition()
        self._begun = 0
        self._turn = 0

    def begin(self, step: Callable[[Session], _T]) -> Callable[[], _T]:
        """Begin a step; return what waits for its end, which gives its result or raises what it raised.

        Once the directory went away, no step after that sends anything, as if it had not been begun.

        Parameters:
            step: takes a session, whose requests wait for the turn of the step.
        """
        number = self._begun
        self._begun += 1
        return self._pool.submit(self._carry_out, step, number).result

    def _carry_out(self, step: Callable[[Session], _T], number: int) -> _T:
        lost: DirectoryError | None = None
        try:
            return step(self._session.waiting(partial(self._wait_for, number)))
        except DirectoryError as error:
            lost = error
            raise
        finally:
            self._end(number, lost)

    def _wait_for(self, number: int) -> None:
        """Wait until it is the turn of a step.

        Raises:
            DirectoryError: the directory went away in a step before.
        """
        with self._condition:
            self._condition.wait_for(lambda: self._turn == number)
            if self._lost is not None:
                raise self._lost

    def _end(self, number: int, lost: DirectoryError | None) -> None:
        """End the turn of a step, in which the directory may have been lost."""
        with self._condition:
            self._condition.wait_for(lambda: self._turn == number)
            self._lost = self._lost or lost
            self._turn += 1
            self._condition.notify_all()

    def close(self) -> None:
        """Wait for what was begun."""
        self._pool.shutdown()
