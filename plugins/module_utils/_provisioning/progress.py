# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far a run is, in a sentence: what a module tells its action plugin, and what that makes of it."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word

# Names the file through which a module tells how far it is.
PATH_VARIABLE = "GPAD_PROGRESS_PATH"
# The rate that the time left is taken from is that of so many last seconds.
_WINDOW = 30.0


class Stage(Word):
    """What a run is doing."""

    GROUPS_READ = "reading groups"
    MEMBERS_READ = "reading members"
    DIRECTORY_READ = "reading the directory"
    MEMBERS_COMPARED = "comparing members"
    GROUPS_WRITTEN = "writing groups"
    MEMBERS_WRITTEN = "writing members"


_UNITS: Mapping[Stage, str] = {Stage.GROUPS_WRITTEN: "changes"}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is.

    Parameters:
        stage: what it is doing.
        done: how many are done.
        total: of how many; None where that is not known.
    """

    stage: Stage
    done: int = 0
    total: int | None = None

    def line(self) -> str:
        """Return it as a line of JSON."""
        return json.dumps([self.stage.value, self.done, self.total])


def progress_of(line: str) -> Progress | None:
    """Return what a line of JSON tells, or None where it tells nothing that can be understood."""
    try:
        stage, done, total = json.loads(line)
        return Progress(Stage(stage), int(done), None if total is None else int(total))
    except (TypeError, ValueError):
        return None


@dataclass(slots=True)
class Pace:
    """Observes a run and estimates when its stage ends.

    Parameters:
        since: when the observation, or the stage, began.
        last: how far the run is; None where that was not told.
        samples: moments of the last half minute, and how many were done.
    """

    since: float
    last: Progress | None = None
    samples: deque[tuple[float, int]] = field(default_factory=deque)

    def note(self, progress: Progress | None, now: float) -> None:
        """Take in how far the run is at a moment, in seconds; None leaves it where it was."""
        if progress is None:
            progress = self.last
        if progress is None:
            return
        if self.last is None or progress.stage is not self.last.stage or progress.done < self.last.done:
            self.samples.clear()
            self.since = now
        self.last = progress
        self.samples.append((now, progress.done))
        while len(self.samples) > 1 and self.samples[1][0] <= now - _WINDOW:
            self.samples.popleft()

    def seconds_left(self) -> float | None:
        """Return how long the stage will last at the rate of the last half minute; None where nothing moved."""
        if self.last is None or self.last.total is None or not self.samples:
            return None
        (start, before), (end, done) = self.samples[0], self.samples[-1]
        if self.last.total <= done:
            return 0.0
        return (self.last.total - done) * (end - start) / (done - before) if done > before else None

    def sentence(self, now: float) -> str:
        """Return what is being done, how many of how many, and the time left."""
        if self.last is None:
            return f"running for {now - self.since:.0f} s"
        if self.last.total is None:
            return f"{self.last.stage} for {now - self.since:.0f} s"
        unit = _UNITS.get(self.last.stage, "groups")
        counts = f"{self.last.done:,} of {self.last.total:,} {unit}"
        return f"{self.last.stage}, {counts}, {time_left(self.seconds_left())}"


def time_left(seconds: float | None) -> str:
    """Return a time as people say it; no more precise than an estimate is."""
    if seconds is None:
        return "time left unknown"
    if seconds < 55:
        return f"about {max(5, ceil(seconds / 5) * 5)} s left"
    minutes = round(seconds / 60) or 1
    hours, rest = divmod(minutes, 60)
    return f"about {hours} h {rest} min left" if hours else f"about {minutes} min left"
