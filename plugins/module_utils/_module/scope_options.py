# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the options of gpad_scope ask for: filters, selections and queries."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import capture
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.auth import EntraSettings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import (
    GroupQuery,
    MemberQuery,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.questions import MOST_ALTERNATIVES
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import few_groups
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.arguments import SCOPE, Spec, check_hours
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.mapping_options import attribute_mappings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.regex_engine import choose_engine
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import filters as filter_rules
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import properties
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.filters import Clause, Filter
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.mapping import (
    compile_mappings,
    container_mapping,
    merge_mappings,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.scope import ScopeMode
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.files import require_folder
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.signature import SnapshotKey, key_of

OPTIONS: Spec = {
    **SCOPE,
    "groups": {"type": "list", "elements": "str"},
    "plan": {"type": "path"},
    "validate_only": {"type": "bool", "default": False},
    "preflight": {"type": "bool", "default": False},
    "match_users_by": {
        "type": "list",
        "elements": "str",
        "choices": ["security_identifier", "object_identifier", "immutable_id"],
        "default": ["security_identifier"],
    },
}


@dataclass(frozen=True, slots=True)
class ScopeOptions:
    """What the options of gpad_scope ask for, checked before anything is asked of the service.

    Parameters:
        settings: the connection.
        rules: the attribute filters.
        query: what to read of groups.
        selected: entries of selected_groups.
        named: entries of groups, or None where all are captured.
        path: where the snapshot is.
        key: what it is signed with, or None.
        plan: the plan before, whose questions are answered, or None.
    """

    settings: EntraSettings
    rules: tuple[Filter, ...]
    query: GroupQuery
    selected: list[str]
    named: tuple[str, ...] | None
    path: Path
    key: SnapshotKey | None
    plan: Path | None

    @classmethod
    def of(cls, params: dict[str, Any], settings: EntraSettings) -> ScopeOptions:
        """Return what the options ask for.

        Raises:
            GpadError: one cannot be used.
        """
        rules = filters(params["filters"])
        options = cls(
            settings,
            rules,
            group_query(params, rules),
            selected(params),
            few_groups.entries(params),
            Path(params["snapshot"]),
            key_of(params["snapshot_key"]),
            Path(params["plan"]) if params["plan"] else None,
        )
        require_folder(options.path)
        check_hours(params)
        return options


def member_query(params: dict[str, Any]) -> MemberQuery:
    """Return what to read of members; the SID is read in any case."""
    keys = frozenset(params["match_users_by"])
    return MemberQuery("object_identifier" in keys, "immutable_id" in keys)


def filters(given: list[dict[str, Any]]) -> tuple[Filter, ...]:
    """Return the checked attribute filters.

    Raises:
        ConfigurationError: one cannot be evaluated.
    """
    choose_engine()
    rules = tuple(
        Filter(
            tuple(
                Clause(
                    properties.canonical(clause["attribute"]) or clause["attribute"],
                    clause["operator"],
                    "" if clause["value"] is None else str(clause["value"]),
                )
                for clause in entry["clauses"]
            ),
            entry["name"],
        )
        for entry in given
    )
    filter_rules.check_filters(rules, properties.FILTERABLE)
    return rules


def group_query(params: dict[str, Any], rules: tuple[Filter, ...]) -> GroupQuery:
    """Return what to read of groups: what is always read, what filters and mappings name, and what is asked for.

    Raises:
        ConfigurationError: a mapping cannot be parsed, or a property does not exist.
    """
    names = {clause.attribute for entry in rules for clause in entry.clauses}
    for name in params["properties"]:
        if properties.canonical(name) is None:
            raise ConfigurationError(
                f"properties: groups have no property {name!r}.", "Correct the name.", code="property_unknown"
            )
        names.add(name)
    if params["target_container"] is not None or params["attribute_mappings"]:
        given = attribute_mappings(params["attribute_mappings"])
        container = [] if params["target_container"] is None else [container_mapping(params["target_container"])]
        names |= compile_mappings((*container, *merge_mappings(given))).properties
    more, beta = properties.select(names)
    # Only with all groups in question may the service leave some out: a selected one must be found to be explained.
    few = params["scope_mode"] == ScopeMode.ALL.value and len(rules) <= MOST_ALTERNATIVES
    narrowed = filter_rules.service_filter(rules) if few else ""
    return GroupQuery(capture.ALWAYS_READ | more, beta, narrowed)


def selected(params: dict[str, Any]) -> list[str]:
    """Return the selected groups of option and file.

    Raises:
        ConfigurationError: the file cannot be read, or there are none.
    """
    wanted = list(params["selected_groups"])
    path = params["selected_groups_file"]
    if path:
        try:
            lines = Path(path).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError):
            raise ConfigurationError(f"selected_groups_file: {path} cannot be read.", "Give a text file.") from None
        wanted += [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if params["scope_mode"] == ScopeMode.SELECTED.value and not wanted:
        raise ConfigurationError("No group is selected.", "Give selected_groups or selected_groups_file.")
    if params["scope_mode"] == ScopeMode.ASSIGNED.value and not params["service_principals"]:
        raise ConfigurationError(
            "service_principals is empty.", "Give the object ids of the provisioning jobs' service principals."
        )
    return wanted
