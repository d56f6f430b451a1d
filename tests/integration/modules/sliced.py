# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines that carry out slices of a plan at the same time, each with files of its own."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from tests.integration.modules.target import Target

COUNT = 4
ALL = tuple(range(COUNT))


class Machines:
    """Four of them, for one target; the options are those of every call."""

    def __init__(self, target: Target, **options: Any) -> None:
        self.target, self.options = target, options
        self.copy = target.state / "copy.sqlite3"

    def call(self, module: str, **options: Any) -> dict[str, Any]:
        run = self.target.group if module == "group" else self.target.membership
        return run(**{**self.options, **options})

    def hand_over(self, module: str, **options: Any) -> dict[str, Any]:
        """Hand a part over, which must succeed."""
        told = self.call(module, hand_over={"slices": COUNT, "copy_to": str(self.copy)}, **options)
        assert (told["outcome"], told["changed"]) == ("ok", False), told
        return told

    def path(self, index: int) -> Path:
        return self.target.state / f"machine-{index}" / "journal.sqlite3"

    def carry_out(self, module: str, index: int, **options: Any) -> dict[str, Any]:
        """Carry out one slice, on a folder that holds nothing else."""
        shutil.rmtree(self.path(index).parent, ignore_errors=True)
        self.path(index).parent.mkdir()
        shutil.copy(self.copy, self.path(index))
        part = {"count": COUNT, "index": index}
        return self.call(module, journal=str(self.path(index)), partition=part, **options)

    def all_at_once(self, module: str, indices: Iterable[int] = ALL) -> list[dict[str, Any]]:
        """Let several machines carry out their slices at the same time."""
        with ThreadPoolExecutor(COUNT) as pool:
            return list(pool.map(partial(self.carry_out, module), indices))

    def merge(self, module: str, came_back: Iterable[int] = ALL, **options: Any) -> dict[str, Any]:
        return self.call(module, merged=[str(self.path(index)) for index in came_back], **options)

    def carried_out(self, module: str) -> dict[str, Any]:
        """Carry out a whole part, of which nothing may fail, and merge it."""
        self.hand_over(module)
        failed = [told for told in self.all_at_once(module) if told["outcome"] != "ok"]
        assert not failed, failed
        return self.merge(module)
