# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells the action plugin on the controller how far a run is, where it asked for that."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import TypeVar

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.progress import (
    PATH_VARIABLE,
    Progress,
    Stage,
)

_T = TypeVar("_T")
# Seconds between two writes of a stage.
_PAUSE = 1.0


class ProgressFile:
    """Writes how far a run is into a small file, at each new stage and at most once a second within one.

    What goes wrong with the file ends the telling, never the run.

    Parameters:
        path: the file; None or an empty string tells nobody.
        clock: seconds, never going back.
    """

    def __init__(self, path: str | None, clock: Callable[[], float] = monotonic) -> None:
        self._path = Path(path) if path else None
        self._clock = clock
        self._stage: Stage | None = None
        self._next = 0.0

    @classmethod
    def of_environment(cls) -> ProgressFile:
        """Return the one that the action plugin asked for."""
        return cls(os.environ.get(PATH_VARIABLE))

    def tell(self, stage: Stage, done: int = 0, total: int | None = None) -> None:
        """Tell how many are done of how many, where that is known."""
        if self._path is None:
            return
        now = self._clock()
        if stage is self._stage and now < self._next:
            return
        self._stage, self._next = stage, now + _PAUSE
        self._write(self._path, Progress(stage, done, total).line())

    def counted(self, items: Iterable[_T], stage: Stage, total: Callable[[], int]) -> Iterator[_T]:
        """Return the items, telling of each one when the next is asked for; they are counted only for that."""
        return iter(items) if self._path is None else self._counted(items, stage, total())

    def _counted(self, items: Iterable[_T], stage: Stage, total: int) -> Iterator[_T]:
        self.tell(stage, 0, total)
        for done, item in enumerate(items, 1):
            yield item
            self.tell(stage, done, total)

    def _write(self, path: Path, line: str) -> None:
        # A new file put in place is never read half, and never follows a link that somebody left there.
        draft = path.with_name(f"{path.name}.new")
        try:
            with draft.open("x", encoding="ascii") as stream:
                stream.write(line)
            draft.replace(path)
        except OSError:
            self._path = None
            with suppress(OSError):
                draft.unlink(missing_ok=True)
