# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixed clause, the states of authority, and the selection."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import scope
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    Skipped,
)
from tests.unit.samples import cloud_group, cloud_id, sid

Properties = dict[str, Any]
SID = sid(1104)


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({}, None),
        ({"onPremisesSyncEnabled": False}, None),
        ({"groupTypes": ["DynamicMembership"]}, None),
        ({"groupTypes": None}, None),
        ({"mailEnabled": None}, None),
        ({"onPremisesSecurityIdentifier": ""}, None),
        ({"securityEnabled": False}, Skipped.NOT_SECURITY_ENABLED),
        ({"securityEnabled": None}, Skipped.NOT_SECURITY_ENABLED),
        ({"mailEnabled": True}, Skipped.MAIL_ENABLED),
        ({"mailEnabled": True, "securityEnabled": False}, Skipped.MAIL_ENABLED),
        ({"groupTypes": ["Unified"], "mailEnabled": True}, Skipped.MICROSOFT_365),
        ({"groupTypes": ["Unified"]}, Skipped.MICROSOFT_365),
        ({"onPremisesSyncEnabled": True}, Skipped.ON_PREMISES_SYNCED),
    ],
)
def test_the_fixed_clause(properties: Properties, reason: Skipped | None) -> None:
    decision = scope.decide(cloud_group(1, **properties), None)
    assert decision.reason is reason
    assert decision.in_scope is (reason is None)
    assert decision.clause


# The table of states: synced, isCloudManaged, SID kept on premises.
@pytest.mark.parametrize(
    ("state", "synced", "managed", "security_identifier", "reason"),
    [
        ("synced from AD", True, False, SID, Skipped.ON_PREMISES_SYNCED),
        ("synced from AD, authority not read", True, None, SID, Skipped.ON_PREMISES_SYNCED),
        ("converted to cloud", None, True, SID, None),
        ("converted to cloud, sync answers false", False, True, SID, None),
        ("rolled back, sync not yet run", None, False, SID, Skipped.ROLLED_BACK),
        ("rolled back and taken over", True, False, SID, Skipped.ON_PREMISES_SYNCED),
        ("born in cloud", None, False, None, None),
        ("born in cloud, authority not read", None, None, None, None),
        ("authority could not be read", None, None, SID, Skipped.AUTHORITY_UNKNOWN),
    ],
)
def test_the_states_of_authority(
    state: str, synced: bool | None, managed: bool | None, security_identifier: str | None, reason: Skipped | None
) -> None:
    group = cloud_group(
        1, managed=managed, onPremisesSyncEnabled=synced, onPremisesSecurityIdentifier=security_identifier
    )
    assert scope.decide(group, None).reason is reason, state


@pytest.mark.parametrize(
    ("group", "needed"),
    [
        (cloud_group(1), False),
        (cloud_group(1, onPremisesSecurityIdentifier=SID), True),
        (cloud_group(1, onPremisesSecurityIdentifier=SID, onPremisesSyncEnabled=True), False),
        (cloud_group(1, onPremisesSecurityIdentifier=SID, mailEnabled=True), False),
        (cloud_group(1, onPremisesSecurityIdentifier=SID, securityEnabled=False), False),
        (cloud_group(1, managed=True, onPremisesSecurityIdentifier=SID), False),
    ],
)
def test_authority_is_asked_only_where_the_decision_hangs_on_it(group: CloudGroup, needed: bool) -> None:
    assert scope.needs_authority(group) is needed


def test_the_fixed_clause_comes_before_the_selection() -> None:
    chosen = frozenset({cloud_id(1)})
    assert scope.decide(cloud_group(1), chosen) == scope.Decision(None, "selected")
    assert scope.decide(cloud_group(2), chosen).reason is Skipped.NOT_SELECTED
    assert scope.decide(cloud_group(1, mailEnabled=True), chosen).reason is Skipped.MAIL_ENABLED
    assert scope.decide(cloud_group(2, mailEnabled=True), chosen).reason is Skipped.MAIL_ENABLED


def test_groups_are_selected_by_id_and_by_name() -> None:
    groups = [cloud_group(1, displayName="Sales"), cloud_group(2, displayName="Twin"), cloud_group(10, displayName="X")]
    assert scope.select([cloud_id(10).upper(), "Sales"], groups) == {cloud_id(1), cloud_id(10)}
    assert scope.select(["Sales", cloud_id(1)], groups) == {cloud_id(1)}
    assert scope.select([], groups) == frozenset()


def test_a_group_without_a_name_is_selected_by_its_id() -> None:
    assert scope.select([cloud_id(3)], [cloud_group(3, displayName=None)]) == {cloud_id(3)}


@pytest.mark.parametrize(
    ("entry", "code"),
    [("Nobody", "selected_group_unknown"), ("Twin", "selected_group_not_unique"), ("sales", "selected_group_unknown")],
)
def test_an_entry_that_fits_none_or_several_is_an_error(entry: str, code: str) -> None:
    groups = [
        cloud_group(1, displayName="Sales"),
        cloud_group(2, displayName="Twin"),
        cloud_group(3, displayName="Twin"),
    ]
    with pytest.raises(ConfigurationError, match=entry) as caught:
        scope.select([entry], groups)
    assert caught.value.code == code
    assert "object id" in caught.value.remedy


def test_the_id_of_one_group_beats_the_name_of_another() -> None:
    groups = [cloud_group(1), cloud_group(2, displayName=cloud_id(1))]
    assert scope.select([cloud_id(1)], groups) == {cloud_id(1)}
