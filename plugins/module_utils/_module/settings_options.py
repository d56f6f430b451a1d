# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that decide over plans, as settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.mapping_options import attribute_mappings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.enforcement import MARK, MARKED_CLOUD
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import (
    DEFAULT_LIMITS,
    Kind,
    Limit,
    Limits,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.mapping import (
    AttributeMapping,
    MappingKind,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.naming import NameCollision
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.removal import ForeignMembers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retire import (
    DEFAULT_RETIRE,
    Departure,
    Retire,
    RetireRules,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import (
    Moves,
    Settings,
    compile_settings,
)


def settings_of(params: dict[str, Any]) -> Settings:
    """Return the settings that the options describe.

    Raises:
        ConfigurationError: a value cannot be used.
    """
    by_kind = dict(DEFAULT_LIMITS)
    for kind, given in (params["limits"] or {}).items():
        if given is not None:
            by_kind[Kind(kind)] = _limit(kind, given)
    if params["max_members"] < 1:
        raise ConfigurationError(f"max_members: {params['max_members']} is less than 1.", "Give a positive number.")
    return compile_settings(
        params["managed_containers"],
        params["target_container"],
        container_default=params["container_default"] or "",
        attribute_mappings=_mappings(params),
        foreign_members=ForeignMembers(params["foreign_members"]),
        protected_groups=params["protected_groups"],
        protected_members=params["protected_members"],
        max_members=params["max_members"],
        limits=Limits(by_kind),
        moves=Moves(params["moves"]),
        create_containers=params["create_containers"],
        name_collision=NameCollision(params["name_collision"]),
        convert_scope=params["convert_scope"],
        trusted_writers=params["trusted_writers"],
        adopt_objects=params["adopt_objects"],
        ignore_objects=params["ignore_objects"],
        retire=_retire(params["retire"] or {}),
    )


def _mappings(params: dict[str, Any]) -> list[AttributeMapping]:
    """Return the mappings, with that of the mark where it is asked for.

    Raises:
        ConfigurationError: a mapping cannot be used, or the mark has one of its own.
    """
    given = attribute_mappings(params["attribute_mappings"])
    if not params["mark_authority"]:
        return given
    if any(mapping.target.lower() == MARK.lower() for mapping in given):
        raise ConfigurationError(
            f"mark_authority: attribute_mappings has a mapping for {MARK} as well.", "Leave one of them out."
        )
    return [*given, AttributeMapping(MARK, MappingKind.CONSTANT, MARKED_CLOUD)]


def _retire(given: dict[str, Any]) -> RetireRules:
    chosen = {departure: Retire(given[departure.value]) for departure in Departure if given.get(departure.value)}
    days = given.get("grace_days")
    rules = RetireRules({**DEFAULT_RETIRE, **chosen}, container=given.get("container") or "")
    return rules if days is None else replace(rules, grace_days=days)


def _limit(kind: str, given: dict[str, Any]) -> Limit:
    for name, value in given.items():
        if value is not None and value < 0:
            raise ConfigurationError(f"limits: {kind}.{name} is {value}.", "Give zero or more.")
    return Limit(given["count"], given["percent"], given["floor"])
