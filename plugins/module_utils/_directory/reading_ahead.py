# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading over two connections at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError

_T = TypeVar("_T")


class ReadAhead:
    """Reads one thing while another one is read.

    Parameters:
        session: over a bound connection; a second one is opened for the second thing, or when it is foreseen.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._another: Session | None = None
        self._pools = [ThreadPoolExecutor(1), ThreadPoolExecutor(1)]
        self._begun = 0
        self._is_opening = False

    def foresee(self) -> None:
        """Open the second connection in the background."""
        if not self._is_opening:
            self._is_opening = True
            self._pools[1].submit(self._open)

    def begin(self, step: Callable[[Session], _T]) -> Callable[[], _T]:
        """Begin to read; return what waits for the end, which gives what was read or raises what was raised."""
        place = self._begun % len(self._pools)
        self._begun += 1
        if place:
            self.foresee()
        return self._pools[place].submit(self._carry_out, step, is_second=place > 0).result

    def _open(self) -> None:
        """Open the second connection; without one that leads to the same server, all goes over the first."""
        try:
            self._another = self._session.another()
        except DirectoryError:
            return

    def _carry_out(self, step: Callable[[Session], _T], *, is_second: bool) -> _T:
        another = self._another if is_second else None
        return step(another or self._session)

    def close(self) -> None:
        """Wait for what was begun, and end the second connection; its operations are counted with the first one's."""
        for pool in self._pools:
            pool.shutdown()
        if self._another is not None:
            self._another.close()
            self._session.operations.update(self._another.operations)
