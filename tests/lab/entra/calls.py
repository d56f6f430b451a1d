# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a request is, what an answer is, and the state that all handlers share."""

from __future__ import annotations

import datetime
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .cursors import Cursors
from .entities import ENTITIES
from .knobs import Knobs
from .model import Model
from .store import Directory


@dataclass(frozen=True, slots=True)
class Call:
    """One Graph request, alone or in a batch. ``path`` starts after the version; header names are lower case."""

    method: str
    base_url: str
    version: str
    path: str
    options: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    app_id: str
    roles: frozenset[str]
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def beta(self) -> bool:
        return self.version == "beta"

    @property
    def root(self) -> str:
        return f"{self.base_url}/{self.version}"

    @property
    def eventual(self) -> bool:
        return self.headers.get("consistencylevel", "").lower() == "eventual"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: ``body`` is JSON, or ``text`` plain text; ``is_delta`` answers tell no resource units."""

    status: int
    body: Any = None
    text: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_delta: bool = False


@dataclass(slots=True)
class Tenant:
    """The mutable heart: directory, knobs, page cursors and the one source of randomness."""

    directory: Directory
    model: Model
    default_domain: str
    knobs: Knobs = field(default_factory=Knobs)
    cursors: Cursors = field(default_factory=Cursors)
    random: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 - order of answers only
    epoch: int = 0
    delta_not_before: float = 0.0
    id: str = ""
    _replica: Directory | None = None
    _stale_reads: int = 0

    def changed(self, before: Directory | None) -> None:
        """Tell that a write happened; ``before`` is the directory as it was, kept while the index lags."""
        if before is None:
            return
        if self._replica is None:
            self._replica = before
        else:
            before.close()
        self._stale_reads = self.knobs.lag_reads

    def snapshot_for_lag(self) -> Directory | None:
        return self.directory.copy() if self.knobs.lag_reads else None

    def reader(self, call: Call) -> Directory:
        """The directory as this read sees it: an eventual read may get an older state for a number of reads."""
        lagging = call.eventual or self.knobs.lag_scope == "all"
        if self._replica is None or not lagging:
            return self.directory
        if self._stale_reads <= 0:
            self.forget_lag()
            return self.directory
        self._stale_reads -= 1
        return self._replica

    def forget_lag(self) -> None:
        if self._replica is not None:
            self._replica.close()
        self._replica = None
        self._stale_reads = 0


# What a group may hold; an app registration is represented by its service principal.
ALL_TYPES: Sequence[str] = tuple(name for name in ENTITIES if name != "application")


def now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
