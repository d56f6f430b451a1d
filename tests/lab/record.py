# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Strict reading of one YAML mapping: every key is asked for by type, every other key is refused."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from tests.lab.scenario import ScenarioError


class Record:
    """A mapping of the scenario file. Used as a context manager, it refuses the keys that nobody asked for."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise ScenarioError(f"{where}: expected a mapping, got {_kind(value)}")
        self._values: dict[Any, Any] = value
        self._asked: set[str] = set()
        self.where = where

    def __enter__(self) -> Record:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        unknown = [str(key) for key in self._values if key not in self._asked]
        if unknown and error is None:
            known = ", ".join(sorted(self._asked))
            raise ScenarioError(f"{self.where}: unknown key {', '.join(map(repr, unknown))}; known keys are {known}")

    def text(self, key: str) -> str:
        """Read a required, non-empty string."""
        value = self.optional_text(key)
        if not value:
            raise ScenarioError(f"{self.where}: '{key}' is missing")
        return value

    def optional_text(self, key: str) -> str | None:
        value: str | None = self._typed(key, str, "a string")
        return value

    def flag(self, key: str, default: bool) -> bool:
        value: bool | None = self._typed(key, bool, "true or false")
        return default if value is None else value

    def count(self, key: str, default: int | None = None) -> int:
        value: int | None = self._typed(key, int, "a whole number")
        if value is None and default is None:
            raise ScenarioError(f"{self.where}: '{key}' is missing")
        number = default if value is None else value
        if number is None or isinstance(number, bool) or number < 0:
            raise ScenarioError(f"{self.where}: '{key}' must be a whole number, zero or above")
        return number

    def choice(self, key: str, choices: tuple[str, ...], default: str) -> str:
        value = self.optional_text(key) or default
        if value not in choices:
            raise ScenarioError(f"{self.where}: '{key}' is {value!r}; it must be one of {', '.join(choices)}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        values: list[Any] = self._typed(key, list, "a list") or []
        for value in values:
            if not isinstance(value, str):
                raise ScenarioError(f"{self.where}: '{key}' holds {value!r}, which is not a string")
        return tuple(values)

    def records(self, key: str, name_key: str = "name") -> list[Record]:
        values: list[Any] = self._typed(key, list, "a list") or []
        return [
            Record(value, f"{self.where}.{key}[{value.get(name_key, index) if isinstance(value, dict) else index}]")
            for index, value in enumerate(values)
        ]

    def record(self, key: str) -> Record | None:
        value = self._typed(key, dict, "a mapping")
        return None if value is None else Record(value, f"{self.where}.{key}")

    def free(self, key: str) -> Mapping[str, Any]:
        """Read a mapping whose keys belong to somebody else's vocabulary."""
        return self._typed(key, dict, "a mapping") or {}

    def attributes(self, key: str) -> dict[str, list[str]]:
        """Read directory attributes, each one value or a list of values."""
        return {
            name: [str(item) for item in (value if isinstance(value, list) else [value])]
            for name, value in self.free(key).items()
        }

    def _typed(self, key: str, kind: type, expected: str) -> Any:
        self._asked.add(key)
        value = self._values.get(key)
        if value is not None and not isinstance(value, kind):
            raise ScenarioError(f"{self.where}: '{key}' must be {expected}, got {_kind(value)}")
        return value


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__
