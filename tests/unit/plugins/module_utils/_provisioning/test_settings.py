# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a target domain, and what is wrong with them."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import DEFAULT_LIMITS
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.membership import ForeignMembers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import (
    compile_settings,
    managed_containers,
)
from tests.unit.samples import BASE, MANAGED, SUB


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
