# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the options on mappings to mappings."""

from __future__ import annotations

from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.regex_engine import choose_engine
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.mapping import (
    AttributeMapping,
    MappingKind,
    expression_text,
)


def attribute_mappings(given: list[dict[str, Any]]) -> list[AttributeMapping]:
    """Return the mappings that the option attribute_mappings describes.

    Raises:
        ConfigurationError: an expression is not text, or a mapping says nothing.
    """
    choose_engine()
    return [_mapping(entry) for entry in given]


def _mapping(entry: dict[str, Any]) -> AttributeMapping:
    kind, source = _source(entry)
    default = entry["default"]
    return AttributeMapping(
        entry["target"],
        kind,
        source,
        "" if default is None else scalar_text(default),
        entry["apply"] == "on_create",
        entry["clear_when_null"],
    )


def _source(entry: dict[str, Any]) -> tuple[MappingKind, str]:
    if entry["expression"] is not None:
        option = f"attribute_mappings: expression of {entry['target']}"
        return MappingKind.EXPRESSION, expression_text(option, entry["expression"])
    if entry["constant"] is not None:
        return MappingKind.CONSTANT, scalar_text(entry["constant"])
    if entry["source"] is not None:
        # The portal writes a property without brackets, people write it with them.
        return MappingKind.DIRECT, entry["source"].strip().removeprefix("[").removesuffix("]")
    if not entry["none"]:
        raise ConfigurationError(
            f"attribute_mappings: {entry['target']}: none: false says nothing.",
            "Give source, constant or expression, or leave the mapping out.",
            code="mapping_invalid",
        )
    return MappingKind.NONE, ""


def scalar_text(value: object) -> str:
    """Return a constant as the directory writes it: Booleans in capitals (RFC 4517, section 3.3.3)."""
    return ("TRUE" if value else "FALSE") if isinstance(value, bool) else str(value)
