# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of a benchmark: what took how long, against what, and what was counted meanwhile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

RATIO, SECONDS = "ratio", "seconds"


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured.

    Parameters:
        name: what was done.
        seconds: how long that took; 0 where no time was measured.
        peer: what it is compared with; an empty string if with nothing.
        peer_seconds: how long that took, in the same run.
        goal: the greatest value that is wanted; 0 if none is.
        counts: requests, operations, values, megabytes and other figures that were measured or counted meanwhile.
        judged: what the goal is for: the ratio of the two times, the seconds, or one of the counts.
        peer_stopped: whether the peer's time was up before it was done, so that it would have taken longer.
    """

    name: str
    seconds: float = 0.0
    peer: str = ""
    peer_seconds: float = 0.0
    goal: float = 0.0
    counts: Mapping[str, float] = field(default_factory=dict)
    judged: str = RATIO
    peer_stopped: bool = False

    @property
    def ratio(self) -> float:
        """How many times the peer's time it took; 0 without a peer."""
        return self.seconds / self.peer_seconds if self.peer_seconds else 0.0

    @property
    def verdict(self) -> str:
        """Whether the goal was met, in a word; an empty string without a goal."""
        values = {RATIO: self.ratio, SECONDS: self.seconds, **self.counts}
        return "" if not self.goal else "met" if values[self.judged] <= self.goal else "missed"

    def row(self) -> str:
        """Return the figure as a line of the table."""
        seconds = f"{self.seconds:.2f} s" if self.seconds else ""
        theirs = f"{'>' if self.peer_stopped else ''}{self.peer_seconds:.2f} s"
        against = f"{theirs:>11} {self.peer:22}" if self.peer else " " * 34
        ratio = f"{'<' if self.peer_stopped else ''}{self.ratio:.2f}" if self.peer else ""
        goal = f"{self.judged} <= {self.goal:g} {self.verdict}" if self.goal else ""
        counts = ", ".join(f"{name} {value:.6g}" for name, value in self.counts.items())
        return f"{self.name:44}{seconds:>11} {against}{ratio:>8} {goal:22} {counts}".rstrip()


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
        more = {"ratio": round(figure.ratio, 3), "verdict": figure.verdict}
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**asdict(figure), **more}) + "\n")
        print(figure.row(), flush=True)
