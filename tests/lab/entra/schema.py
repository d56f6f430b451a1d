# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a property of a directory object is: type, visibility, and what may be asked of it in a query."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

EXTENSION_NAME = re.compile(r"extension_[0-9a-f]{32}_\w+")


class Kind(Enum):
    STRING = "string"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    DATETIME = "dateTime"
    STRINGS = "collection of strings"
    COMPLEX = "object"
    COMPLEXES = "collection of objects"

    @property
    def is_collection(self) -> bool:
        return self in (Kind.STRINGS, Kind.COMPLEXES)

    @property
    def empty(self) -> Any:
        """What an unset property of this kind reads as."""
        return [] if self.is_collection else None

    def accepts(self, value: object) -> bool:
        """Say whether a JSON value may be stored in a property of this kind; null may unless it is a collection."""
        if value is None:
            return not self.is_collection
        if isinstance(value, bool):
            return self is Kind.BOOLEAN
        if self.is_collection:
            inner = str if self is Kind.STRINGS else dict
            return isinstance(value, list) and all(isinstance(item, inner) for item in value)
        expected = {Kind.INTEGER: int, Kind.COMPLEX: dict}.get(self, str)
        return self is not Kind.BOOLEAN and isinstance(value, expected)


class Returned(Enum):
    DEFAULT = "in every answer"
    SELECT = "only when selected"
    SINGLE = "only when selected on a single object"
    NEVER = "kept by the lab, unknown to Graph"


@dataclass(frozen=True, slots=True)
class Property:
    """One row of an entity's table.

    ``default`` and ``advanced`` are the filter operators of the default index and those that the advanced mode adds;
    ``null`` stands for a comparison with null, ``not`` for negation.
    """

    name: str
    kind: Kind
    returned: Returned
    default: frozenset[str] = frozenset()
    advanced: frozenset[str] = frozenset()
    order: str = ""
    search: bool = False
    beta: bool = False
    write: bool = False


@dataclass(frozen=True, slots=True)
class EntityType:
    """``name`` as in ``#microsoft.graph.<name>``, ``resource`` as in error messages, ``collection`` as in URLs."""

    name: str
    resource: str
    collection: str
    properties: Mapping[str, Property]
    navigation: frozenset[str]

    @property
    def odata_type(self) -> str:
        return f"#microsoft.graph.{self.name}"


def rows(kind: Kind, returned: Returned, *lines: str) -> Iterable[Property]:
    """Read table rows ``name | default operators | advanced operators | flags`` that share kind and visibility.

    Flags: ``order`` and ``order-advanced``, ``search``, ``beta``, ``write``.
    """
    for line in lines:
        name, default, advanced, flags, *_unused = [cell.strip() for cell in line.split("|")] + ["", "", ""]
        marks = frozenset(flags.split())
        yield Property(
            name=name,
            kind=kind,
            returned=returned,
            default=frozenset(default.split()),
            advanced=frozenset(advanced.split()),
            order="default" if "order" in marks else "advanced" if "order-advanced" in marks else "",
            search="search" in marks,
            beta="beta" in marks,
            write="write" in marks,
        )


def table(*parts: Iterable[Property]) -> Mapping[str, Property]:
    return {row.name: row for part in parts for row in part}


def extension_property(name: str, value: object) -> Property:
    """Describe a directory extension by a sample of its value."""
    kind = Kind.BOOLEAN if isinstance(value, bool) else Kind.INTEGER if isinstance(value, int) else Kind.STRING
    return Property(
        name=name,
        kind=kind,
        returned=Returned.SELECT,
        default=frozenset({"eq", "in", "startsWith"} if kind is Kind.STRING else {"eq", "in"}),
        advanced=frozenset({"ne", "not", "null"}),
        write=True,
    )
