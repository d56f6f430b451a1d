# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the modules, as tables that the modules compose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import env_fallback

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError

Spec = dict[str, dict[str, Any]]

OPERATOR_NAMES = [
    "EQUALS",
    "NOT EQUALS",
    "GREATER_THAN",
    "GREATER_THAN_OR_EQUALS",
    "IS TRUE",
    "IS FALSE",
    "IS NULL",
    "IS NOT NULL",
    "PRESENT",
    "REGEX MATCH",
    "NOT REGEX MATCH",
    "INCLUDES",
    "STARTS_WITH",
    "ENDS_WITH",
    "IS_MEMBER_OF",
    "&",
    "!&",
]


def _env(*names: str) -> tuple[Any, list[str]]:
    return (env_fallback, list(names))


ENTRA: Spec = {
    "tenant_id": {"type": "str", "required": True, "fallback": _env("AZURE_TENANT_ID")},
    "client_id": {"type": "str", "fallback": _env("AZURE_CLIENT_ID")},
    "client_secret": {"type": "str", "no_log": True, "fallback": _env("AZURE_CLIENT_SECRET")},
    "client_certificate_path": {"type": "path", "fallback": _env("AZURE_CLIENT_CERTIFICATE_PATH")},
    "federated_token_file": {"type": "path", "fallback": _env("AZURE_FEDERATED_TOKEN_FILE")},
    "managed_identity": {"type": "bool", "default": False},
    "cloud": {"type": "str", "choices": ["global", "us_gov", "us_dod", "china"], "default": "global"},
    "login_url": {"type": "str"},
    "graph_url": {"type": "str"},
    "ca_cert": {"type": "path"},
}

DIRECTORY: Spec = {
    "domain_server": {"type": "str", "required": True},
    "domain_port": {"type": "int"},
    "domain_tls_mode": {"type": "str", "choices": ["ldaps", "start_tls"], "default": "ldaps"},
    "domain_username": {"type": "str", "required": True},
    "domain_password": {"type": "str", "required": True, "no_log": True},
    "domain_ca_cert": {"type": "path"},
    "global_catalog_server": {"type": "str"},
    "global_catalog_port": {"type": "int"},
    "managed_containers": {"type": "list", "elements": "str", "required": True},
}

_LIMIT: dict[str, Any] = {
    "type": "dict",
    "options": {
        "count": {"type": "int"},
        "percent": {"type": "int"},
        "floor": {"type": "int", "default": 0},
    },
}

# What decides over attributes, names and places; the cloud side reads it to know which properties to capture.
MAPPINGS: Spec = {
    "target_container": {"type": "raw"},
    "container_default": {"type": "str"},
    "attribute_mappings": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "target": {"type": "str", "required": True},
            "source": {"type": "str"},
            "constant": {"type": "raw"},
            "expression": {"type": "raw"},
            "none": {"type": "bool"},
            "default": {"type": "raw"},
            "apply": {"type": "str", "choices": ["always", "on_create"], "default": "always"},
            "clear_when_null": {"type": "bool", "default": False},
        },
        "mutually_exclusive": [("source", "constant", "expression", "none")],
        "required_one_of": [("source", "constant", "expression", "none")],
    },
}

# What may become of a directory group whose cloud group left.
_RETIRE = ["keep", "empty", "detach", "move"]

# What a snapshot that travels is signed with; both sides have it.
SNAPSHOT_KEY: Spec = {"snapshot_key": {"type": "str", "no_log": True}}

SETTINGS: Spec = {
    **MAPPINGS,
    **SNAPSHOT_KEY,
    "mark_authority": {"type": "bool", "default": False},
    "moves": {"type": "str", "choices": ["hold", "follow"], "default": "hold"},
    "create_containers": {"type": "bool", "default": False},
    "name_collision": {"type": "str", "choices": ["fail", "suffix"], "default": "fail"},
    "foreign_members": {"type": "str", "choices": ["accepted", "remove", "keep"], "default": "accepted"},
    "protected_groups": {"type": "list", "elements": "str", "default": []},
    "protected_members": {"type": "list", "elements": "str", "default": []},
    "max_members": {"type": "int", "default": 50000},
    "limits": {
        "type": "dict",
        "default": {},
        "options": dict.fromkeys(
            (
                "containers",
                "creations",
                "restores",
                "adoptions",
                "conversions",
                "updates",
                "renames",
                "moves",
                "member_additions",
                "member_removals",
                "group_additions",
                "group_removals",
                "groups_emptied",
                "retirements",
                "deletions",
                "scope_losses",
                "membership_losses",
            ),
            _LIMIT,
        ),
    },
    "max_snapshot_age": {"type": "int", "default": 24},
    "retry_hours": {"type": "list", "elements": "int", "default": [6, 12, 24]},
    "retry_days": {"type": "int", "default": 28},
    "retry_now": {"type": "bool", "default": False},
    "convert_scope": {"type": "bool", "default": False},
    "trusted_writers": {"type": "list", "elements": "str", "default": []},
    "adopt_objects": {"type": "list", "elements": "str", "default": []},
    "ignore_objects": {"type": "list", "elements": "str", "default": []},
    "retire": {
        "type": "dict",
        "default": {},
        "options": {
            "deleted": {"type": "str", "choices": [*_RETIRE, "delete"], "default": "delete"},
            "soft_deleted": {"type": "str", "choices": _RETIRE, "default": "empty"},
            "out_of_scope": {"type": "str", "choices": _RETIRE, "default": "keep"},
            "mail_enabled": {"type": "str", "choices": _RETIRE, "default": "keep"},
            "grace_days": {"type": "int", "default": 30},
            "container": {"type": "str"},
        },
    },
}

QUARANTINE: Spec = {
    "quarantine": {
        "type": "dict",
        "default": {},
        "options": {
            "failures": {"type": "int", "default": 1000},
            "percent": {"type": "int", "default": 40},
            "floor": {"type": "int", "default": 20},
            "hours": {"type": "list", "elements": "int", "default": [1, 2, 4, 8, 24]},
        },
    },
}

RESULTS: Spec = {
    "max_results": {"type": "int", "default": 1000},
    "report_path": {"type": "path"},
}

# The administrator vouches that no other job has a group of this scope.
DISJOINT = "disjoint"

# As long as Entra ID remembers changes.
_LONGEST_HOURS = 7 * 24
FULL_READING: Spec = {"full_after_hours": {"type": "int", "default": 24}}

SCOPE: Spec = {
    "snapshot": {"type": "path", "required": True},
    "scope_mode": {"type": "str", "choices": ["all", "selected", "assigned"], "default": "selected"},
    "selected_groups": {"type": "list", "elements": "str", "default": []},
    "selected_groups_file": {"type": "path"},
    "service_principals": {"type": "list", "elements": "str", "default": []},
    "app_role_ids": {"type": "list", "elements": "str", "default": []},
    "filters": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "default": ""},
            "clauses": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "attribute": {"type": "str", "default": "id"},
                    "operator": {"type": "str", "required": True, "choices": OPERATOR_NAMES},
                    "value": {"type": "raw"},
                },
            },
        },
    },
    "properties": {"type": "list", "elements": "str", "default": []},
    "other_writers": {"type": "str", "choices": ["refuse", DISJOINT], "default": "refuse"},
    **FULL_READING,
}


def check_hours(params: Mapping[str, Any]) -> None:
    """Refuse a full_after_hours that cannot be.

    Raises:
        ConfigurationError: it is out of range.
    """
    hours = params["full_after_hours"]
    if not 0 <= hours <= _LONGEST_HOURS:
        raise ConfigurationError(
            f"full_after_hours: {hours} is not between 0 and {_LONGEST_HOURS}.",
            "Entra ID remembers changes for seven days; 0 reads and compares everything each time.",
        )
