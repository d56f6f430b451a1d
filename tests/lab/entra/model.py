# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The properties that this tenant knows: the fixed tables and its directory extensions."""

from __future__ import annotations

import struct
import uuid
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from .entities import ENTITIES
from .schema import EXTENSION_NAME, EntityType, Property, Returned, extension_property


class ModelError(ValueError):
    """An object that the tables do not allow; the message names the object and the property."""


class Model:
    """Property look-up per entity type; directory extensions become known by their first use in lab data."""

    def __init__(self) -> None:
        self._extensions: dict[str, dict[str, Property]] = {name: {} for name in ENTITIES}

    def stored(self, entity: EntityType) -> Mapping[str, Property]:
        """Every property that an object of this type may hold."""
        return {**entity.properties, **self._extensions[entity.name]}

    def find(self, entity: EntityType, name: str, *, beta: bool) -> Property | None:
        """Look a name up as a caller of one endpoint version may use it."""
        found = entity.properties.get(name) or self._extensions[entity.name].get(name)
        if found is None or found.returned is Returned.NEVER or (found.beta and not beta):
            return None
        return found

    def defaults(self, entity: EntityType, *, beta: bool) -> tuple[Property, ...]:
        return tuple(
            row for row in entity.properties.values() if row.returned is Returned.DEFAULT and (beta or not row.beta)
        )

    def extensions(self, entity: EntityType) -> tuple[Property, ...]:
        return tuple(self._extensions[entity.name].values())

    def register_extensions(self, entity: EntityType, properties: Mapping[str, Any]) -> None:
        for name, value in properties.items():
            if EXTENSION_NAME.fullmatch(name) and (value is not None or name not in self._extensions[entity.name]):
                self._extensions[entity.name][name] = extension_property(name, value)

    def define_extension(self, entity: EntityType, name: str, sample: object) -> None:
        """Make an extension known that an application declares, before any object has a value."""
        self._extensions[entity.name].setdefault(name, extension_property(name, sample))

    def check(self, entity: EntityType, properties: Mapping[str, Any]) -> None:
        """Refuse names that the table lacks and values of another type.

        Raises ModelError.
        """
        label = f"{entity.name} {properties.get('displayName') or properties.get('id')!r}"
        known = self.stored(entity)
        for name, value in properties.items():
            if name not in known:
                raise ModelError(f"{label} has the property {name!r}, which is not in the table of {entity.name}")
            if not known[name].kind.accepts(value):
                raise ModelError(f"{label}: {name} must be a {known[name].kind.value}, not {value!r}")


@lru_cache(1_000_000)
def security_identifier(object_id: str) -> str:
    """The SID that Entra derives from an object id: its bytes read as four little-endian numbers."""
    return "S-1-12-1-" + "-".join(map(str, struct.unpack("<4I", uuid.UUID(object_id).bytes_le)))
