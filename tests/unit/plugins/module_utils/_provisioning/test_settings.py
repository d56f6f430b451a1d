# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a target domain, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import DEFAULT_LIMITS
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ownership import managed_containers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.removal import ForeignMembers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retire import (
    Departure,
    Retire,
    RetireRules,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import compile_settings
from tests.unit.samples import BASE, MANAGED, OUTSIDE, SUB, guid


@pytest.mark.parametrize(
    ("containers", "words"),
    [
        ([], "empty"),
        (["Groups"], "'Groups' is not a distinguished name"),
        ([MANAGED, "OU=a,"], "position 6"),
        ([BASE], "whole domain"),
        ([""], "''"),
    ],
)
def test_managed_containers_that_cannot_be_used(containers: list[str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        managed_containers(containers)
    assert caught.value.message.startswith("managed_containers")
    assert caught.value.remedy


def test_managed_containers_keep_their_order() -> None:
    assert managed_containers(iter([SUB, MANAGED])) == (SUB, MANAGED)


def test_defaults() -> None:
    settings = compile_settings([MANAGED], MANAGED)
    assert settings.foreign_members is ForeignMembers.ACCEPTED
    assert settings.max_members == 50_000
    assert settings.limits.by_kind == DEFAULT_LIMITS
    assert settings.mapper.properties == {"displayName", "description", "objectId"}


def test_protected_names_are_compared_without_case() -> None:
    settings = compile_settings([MANAGED], MANAGED, protected_groups=["Sales"], protected_members=["CN=A,DC=b"])
    assert settings.protected_groups == {"sales"}
    assert settings.protected_members == {"cn=a,dc=b"}


def test_who_is_trusted_and_what_was_decided() -> None:
    settings = compile_settings(
        [MANAGED],
        MANAGED,
        trusted_writers=["s-1-5-21-1-2-3-1104"],
        adopt_objects=[guid(1).upper()],
        ignore_objects=[guid(2)],
        convert_scope=True,
    )
    assert settings.trusted_writers == {"S-1-5-21-1-2-3-1104"}
    assert settings.adopt_objects == {guid(1)}
    assert settings.ignore_objects == {guid(2)}
    assert settings.convert_scope
    assert settings.retire == RetireRules()


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("trusted_writers", ["Domain Admins"]),
        ("trusted_writers", [""]),
        ("adopt_objects", ["CN=Group"]),
        ("adopt_objects", [guid(1), "x"]),
        ("ignore_objects", [guid(1)[:-1]]),
        ("protected_members", ["Break Glass"]),
    ],
)
def test_lists_that_hold_something_else(option: str, values: list[str]) -> None:
    given: dict[str, Any] = {option: values}
    with pytest.raises(ConfigurationError, match=f"^{option}") as caught:
        compile_settings([MANAGED], MANAGED, **given)
    assert repr(values[-1]) in caught.value.message
    assert caught.value.remedy


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (RetireRules(grace_days=-1), "grace_days is -1"),
        (RetireRules({Departure.DELETED: Retire.MOVE}), "container is missing"),
        (RetireRules({Departure.DELETED: Retire.MOVE}, container=OUTSIDE), "outside managed_containers"),
        (RetireRules(container="nonsense"), "not a distinguished name"),
    ],
)
def test_retire_rules_that_cannot_be_used(rules: RetireRules, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        compile_settings([MANAGED], MANAGED, retire=rules)
    assert caught.value.message.startswith("retire: ")


def test_retired_groups_move_inside_the_managed_containers() -> None:
    rules = RetireRules({Departure.DELETED: Retire.MOVE}, 0, SUB)
    assert compile_settings([MANAGED], MANAGED, retire=rules).retire == rules
