# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of a benchmark: what took how long, against what, and what was counted meanwhile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured.

    Parameters:
        name: what was done.
        seconds: how long the collection took.
        peer: what it is compared with; an empty string if with nothing.
        peer_seconds: how long that took, in the same run.
        goal: the greatest ratio of the two that is wanted; 0 if none is.
        counts: requests, operations, values, megabytes and other figures that were counted meanwhile.
    """

    name: str
    seconds: float
    peer: str = ""
    peer_seconds: float = 0.0
    goal: float = 0.0
    counts: Mapping[str, float] = field(default_factory=dict)

    @property
    def ratio(self) -> float:
        """How many times the peer's time it took; 0 without a peer."""
        return self.seconds / self.peer_seconds if self.peer_seconds else 0.0

    def row(self) -> str:
        """Return the figure as a line of the table."""
        against = f"{self.peer_seconds:9.2f} s {self.peer:28}" if self.peer else f"{'':11} {'':28}"
        ratio = f"{self.ratio:6.2f}" if self.peer else " " * 6
        goal = f"<= {self.goal:.2f}" if self.goal else ""
        counts = ", ".join(f"{name} {value:g}" for name, value in self.counts.items())
        return f"{self.name:44}{self.seconds:9.2f} s {against}{ratio} {goal:8} {counts}"


class Record:
    """Writes figures as JSON lines and prints each at once.

    Parameters:
        path: the file, which is begun anew.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.figures: list[Figure] = []
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("", encoding="utf-8")

    def add(self, figure: Figure) -> None:
        """Keep a figure."""
        self.figures.append(figure)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**asdict(figure), "ratio": round(figure.ratio, 3)}) + "\n")
        print(figure.row(), flush=True)
