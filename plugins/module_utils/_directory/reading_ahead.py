# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading over two connections at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError

_T = TypeVar("_T")

# So many things waiting to be read are worth the log-on of a second connection.
_MANY = 4


class ReadAhead:
    """Reads one thing while another one is read.

    Parameters:
        session: over a bound connection; a second one is opened where much is to be read.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._another: Session | None = None
        self._pools = (ThreadPoolExecutor(1), ThreadPoolExecutor(1))
        self._under_way: tuple[list[Future[Any]], list[Future[Any]]] = ([], [])
        self._is_foreseen = False

    def foresee(self) -> None:
        """Open the second connection in the background: there will be much to read."""
        if not self._is_foreseen:
            self._is_foreseen = True
            self._under_way[1].append(self._pools[1].submit(self._open))

    def _open(self) -> None:
        """Open the second connection; without one that leads to the same server, all goes over the first."""
        try:
            self._another = self._session.another()
        except DirectoryError:
            return

    def begin(self, step: Callable[[Session], _T]) -> Callable[[], _T]:
        """Begin to read; return what waits for the end, which gives what was read or raises what was raised.

        Parameters:
            step: reads over a session that other threads read over as well.
        """
        for futures in self._under_way:
            futures[:] = [future for future in futures if not future.done()]
        first, second = map(len, self._under_way)
        if first >= _MANY:
            self.foresee()
        is_second = self._is_foreseen and second < first
        future = self._pools[is_second].submit(self._read, step, is_second=is_second)
        self._under_way[is_second].append(future)
        return future.result

    def _read(self, step: Callable[[Session], _T], *, is_second: bool) -> _T:
        another = self._another if is_second else None
        if another is not None:
            try:
                return step(another)
            except DirectoryError:
                # It may be this connection alone that broke; the first one says for sure.
                self._another = None
                another.close()
        return step(self._session)

    def close(self) -> None:
        """End the second connection, after what is being read; what was not begun yet is not read any more."""
        for pool in self._pools:
            pool.shutdown(cancel_futures=True)
        if self._another is not None:
            self._another.close()
