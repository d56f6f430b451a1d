# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options as settings."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import settings_options
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import (
    DEFAULT_LIMITS,
    Kind,
    Limit,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.naming import NameCollision
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.removal import ForeignMembers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retire import (
    DEFAULT_RETIRE,
    Departure,
    Retire,
    RetireRules,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Moves
from tests.unit.samples import MANAGED, SUB, guid

PARAMS: dict[str, Any] = {
    "domain_server": "dc1",
    "domain_username": "svc",
    "domain_password": "x",
    "domain_port": None,
    "domain_tls_mode": "start_tls",
    "domain_ca_cert": "/ca.pem",
    "managed_containers": [MANAGED],
    "target_container": MANAGED,
    "container_default": None,
    "attribute_mappings": [],
    "mark_authority": False,
    "moves": "follow",
    "create_containers": True,
    "name_collision": "suffix",
    "foreign_members": "keep",
    "protected_groups": ["Sales"],
    "protected_members": ["S-1-5-21-1-2-3-4"],
    "max_members": 10,
    "limits": {"creations": {"count": 1, "percent": None, "floor": 0}, "moves": None},
    "global_catalog_server": None,
    "global_catalog_port": None,
    "convert_scope": True,
    "trusted_writers": ["S-1-5-21-1-2-3-5"],
    "adopt_objects": [guid(1)],
    "ignore_objects": [guid(2)],
    "retire": {"deleted": "empty", "out_of_scope": None, "grace_days": 7, "container": SUB},
}


def test_settings_of_options() -> None:
    settings = settings_options.settings_of(PARAMS)
    assert settings.foreign_members is ForeignMembers.KEEP
    assert settings.max_members == 10
    assert (settings.moves, settings.create_containers) == (Moves.FOLLOW, True)
    assert settings.name_collision is NameCollision.SUFFIX
    assert settings.protected_groups == {"sales"}
    assert settings.protected_members == {"s-1-5-21-1-2-3-4"}
    assert settings.limits.by_kind == {**DEFAULT_LIMITS, Kind.CREATIONS: Limit(1)}
    assert settings.convert_scope
    assert settings.trusted_writers == {"S-1-5-21-1-2-3-5"}
    assert settings.adopt_objects == {guid(1)}
    assert settings.ignore_objects == {guid(2)}
    assert settings.retire == RetireRules({**DEFAULT_RETIRE, Departure.DELETED: Retire.EMPTY}, 7, SUB)


@pytest.mark.parametrize("retire", [None, {}, dict.fromkeys([*map(str, Departure), "grace_days", "container"])])
def test_without_retire_rules_the_defaults_hold(retire: dict[str, Any] | None) -> None:
    assert settings_options.settings_of({**PARAMS, "retire": retire}).retire == RetireRules()


def test_no_grace_is_no_grace() -> None:
    assert settings_options.settings_of({**PARAMS, "retire": {"grace_days": 0}}).retire.grace_days == 0


def test_a_limit_that_is_given_replaces_its_default() -> None:
    limits = {"moves": {"count": None, "percent": None, "floor": 0}}
    assert settings_options.settings_of({**PARAMS, "limits": limits}).limits.by_kind[Kind.MOVES] == Limit()


@pytest.mark.parametrize("limits", [None, {}])
def test_without_limits_the_defaults_hold(limits: dict[str, Any] | None) -> None:
    assert settings_options.settings_of({**PARAMS, "limits": limits}).limits.by_kind == DEFAULT_LIMITS


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"max_members": 0}, "max_members: 0"),
        ({"limits": {"moves": {"count": 1, "percent": -1, "floor": 0}}}, "moves.percent is -1"),
        ({"managed_containers": []}, "managed_containers"),
        ({"retire": {"soft_deleted": "move"}}, "retire: container"),
        ({"trusted_writers": ["Help Desk"]}, "trusted_writers"),
        ({"target_container": None}, "target_container"),
    ],
)
def test_options_that_cannot_be_used(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        settings_options.settings_of({**PARAMS, **wrong})


def test_the_mark_is_a_mapping_that_nobody_else_may_have() -> None:
    assert "msDS-ObjectSoa" not in settings_options.settings_of(PARAMS).mapper.targets
    marking = {**PARAMS, "mark_authority": True}
    assert "msDS-ObjectSoa" in settings_options.settings_of(marking).mapper.targets
    own = {
        **dict.fromkeys(("source", "expression", "none", "default")),
        "target": "MSDS-objectsoa",
        "constant": "x",
        "apply": "always",
        "clear_when_null": False,
    }
    with pytest.raises(ConfigurationError, match="mark_authority"):
        settings_options.settings_of({**marking, "attribute_mappings": [own]})
