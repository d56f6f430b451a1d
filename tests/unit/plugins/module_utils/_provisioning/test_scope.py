# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixed clause, the states of authority, and the selection."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import scope
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.filters import Clause, Filter
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    Skipped,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.scope import (
    Scope,
    ScopeMode,
    Selection,
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
        # who is master comes first: it decides what may become of the group
        ({"onPremisesSyncEnabled": True, "mailEnabled": True}, Skipped.ON_PREMISES_SYNCED),
        ({"onPremisesSyncEnabled": True, "groupTypes": ["Unified"]}, Skipped.ON_PREMISES_SYNCED),
        ({"onPremisesSyncEnabled": True, "securityEnabled": False}, Skipped.ON_PREMISES_SYNCED),
    ],
)
def test_the_fixed_clause(properties: Properties, reason: Skipped | None) -> None:
    decision = scope.decide(cloud_group(1, **properties), Scope())
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
    assert scope.decide(group, Scope()).reason is reason, state


@pytest.mark.parametrize("more", [{}, {"mailEnabled": True}, {"securityEnabled": False}, {"groupTypes": ["Unified"]}])
def test_that_a_group_was_rolled_back_outweighs_what_else_keeps_it_out(more: Properties) -> None:
    group = cloud_group(1, managed=False, onPremisesSecurityIdentifier=SID, **more)
    assert scope.decide(group, Scope(chosen=frozenset())).reason is Skipped.ROLLED_BACK


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
    chosen = Scope(frozenset({cloud_id(1)}), ScopeMode.SELECTED)
    assert scope.decide(cloud_group(1), chosen) == scope.Decision(None, "selected")
    assert scope.decide(cloud_group(2), chosen).reason is Skipped.NOT_SELECTED
    assert scope.decide(cloud_group(1, mailEnabled=True), chosen).reason is Skipped.MAIL_ENABLED
    assert scope.decide(cloud_group(2, mailEnabled=True), chosen).reason is Skipped.MAIL_ENABLED


def test_groups_are_selected_by_id_and_by_name() -> None:
    groups = [cloud_group(1, displayName="Sales"), cloud_group(2, displayName="Twin"), cloud_group(10, displayName="X")]
    assert scope.select([cloud_id(10).upper(), "Sales"], groups) == Selection(
        frozenset({cloud_id(1), cloud_id(10)}), {}
    )
    assert scope.select(["Sales", cloud_id(1)], groups) == Selection(frozenset({cloud_id(1)}), {})
    assert scope.select([], groups) == Selection(frozenset(), {})


def test_a_group_without_a_name_is_selected_by_its_id() -> None:
    assert scope.select([cloud_id(3)], [cloud_group(3, displayName=None)]).ids == {cloud_id(3)}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("Nobody", "fits no group"),
        ("Twin", f"fits 2 groups: {cloud_id(2)}, {cloud_id(3)}"),
        ("sales", "fits no group"),
        (cloud_id(9), "fits no group"),
    ],
)
def test_an_entry_that_fits_none_or_several_is_told_and_stops_no_other(entry: str, words: str) -> None:
    groups = [
        cloud_group(1, displayName="Sales"),
        cloud_group(3, displayName="Twin"),
        cloud_group(2, displayName="Twin"),
    ]
    assert scope.select([entry, "Sales"], groups) == Selection(frozenset({cloud_id(1)}), {entry: words})


def test_the_id_of_one_group_beats_the_name_of_another() -> None:
    groups = [cloud_group(1), cloud_group(2, displayName=cloud_id(1))]
    assert scope.select([cloud_id(1)], groups) == Selection(frozenset({cloud_id(1)}), {})


@pytest.mark.parametrize(
    ("mode", "reason"),
    [(ScopeMode.SELECTED, Skipped.NOT_SELECTED), (ScopeMode.ASSIGNED, Skipped.NOT_ASSIGNED)],
)
def test_a_group_that_is_not_chosen_is_out_for_the_mode_s_own_reason(mode: ScopeMode, reason: Skipped) -> None:
    chosen = Scope(frozenset({cloud_id(1)}), mode)
    assert scope.decide(cloud_group(1), chosen) == scope.Decision(None, mode.value)
    assert scope.decide(cloud_group(2), chosen) == scope.Decision(reason, mode.value)
    assert reason in scope.UNASKED


SALES = Filter((Clause("displayName", "STARTS_WITH", "Sales"), Clause("description", "IS NOT NULL")), "sales")
HIDDEN = Filter((Clause("visibility", "EQUALS", "Private"),))


@pytest.mark.parametrize(
    ("properties", "reason", "clause"),
    [
        ({"displayName": "Sales EMEA", "description": "x"}, None, "sales"),
        ({"displayName": "Sales", "description": "x", "visibility": "Private"}, None, "sales"),
        ({"displayName": "Other", "visibility": "Private"}, None, "visibility EQUALS Private"),
        ({"displayName": "Sales"}, Skipped.FILTERED_OUT, "visibility EQUALS Private"),
        ({"displayName": "Sales", "description": "x", "mailEnabled": True}, Skipped.MAIL_ENABLED, "mailEnabled"),
    ],
)
def test_filters_are_asked_after_the_fixed_clause_and_one_of_them_is_enough(
    properties: Properties, reason: Skipped | None, clause: str
) -> None:
    decision = scope.decide(cloud_group(1, **properties), Scope(filters=(SALES, HIDDEN)))
    assert decision.reason is reason
    assert decision.clause.startswith(clause)


def test_filters_narrow_what_was_chosen_and_do_not_widen_it() -> None:
    chosen = Scope(frozenset({cloud_id(1), cloud_id(2)}), ScopeMode.SELECTED, (SALES,))
    assert scope.decide(cloud_group(1, displayName="Sales", description="x"), chosen).in_scope
    assert scope.decide(cloud_group(2), chosen).reason is Skipped.FILTERED_OUT
    assert scope.decide(cloud_group(3, displayName="Sales", description="x"), chosen).reason is Skipped.NOT_SELECTED


def test_members_of_another_group() -> None:
    parent = cloud_id(50)
    among = Scope(
        filters=(Filter((Clause("id", "IS_MEMBER_OF", parent),)),), member_of={parent: frozenset({cloud_id(1)})}
    )
    assert scope.decide(cloud_group(1), among).in_scope
    assert scope.decide(cloud_group(2), among).reason is Skipped.FILTERED_OUT


def test_authority_is_asked_whatever_the_filters_say() -> None:
    """The filters are decided with it; a group with a SID must not slip in by one."""
    assert scope.needs_authority(cloud_group(1, onPremisesSecurityIdentifier=SID))
    unread = cloud_group(1, displayName="Sales", description="x", onPremisesSecurityIdentifier=SID)
    assert scope.decide(unread, Scope(filters=(SALES,))).reason is Skipped.AUTHORITY_UNKNOWN
