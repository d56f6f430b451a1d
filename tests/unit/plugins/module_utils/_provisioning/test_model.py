# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the things of the rules say of themselves."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import GraphValue, Skipped
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.texts import FOREIGN, SKIPPED
from tests.unit.samples import anchored_group, cloud_group, cloud_id, directory_group


@pytest.mark.parametrize(
    ("types", "state", "evaluated"),
    [
        (["DynamicMembership"], "On", False),
        (["DynamicMembership"], "Paused", False),
        (["DynamicMembership"], "Evaluating", True),
        (["DynamicMembership"], None, True),
        ([], "Evaluating", False),
        (None, None, False),
    ],
)
def test_whether_a_dynamic_rule_is_being_evaluated(types: list[str] | None, state: GraphValue, evaluated: bool) -> None:
    group = cloud_group(1, groupTypes=types, membershipRuleProcessingState=state)
    assert group.rule_being_evaluated is evaluated


def test_a_group_without_a_name_is_called_by_its_id() -> None:
    assert cloud_group(1, displayName=None).display_name == cloud_id(1)
    assert cloud_group(1, displayName="").display_name == cloud_id(1)


def test_the_cloud_id_of_a_directory_group() -> None:
    assert anchored_group(1).cloud_id == cloud_id(1)
    assert directory_group(1).cloud_id is None
    assert directory_group(1, anchor="User_x").cloud_id is None


def test_the_first_value_of_an_attribute() -> None:
    group = directory_group(1, description=("a", "b"))
    assert group.first("description") == "a"
    assert group.first("displayName") is None


def test_every_reason_has_its_sentence() -> None:
    assert set(SKIPPED) == {None, *Skipped}
    kept = {"anchored_member", "foreign_member", "protected_member", "unreadable_member_listed", "unread_domain"}
    assert set(FOREIGN) == kept
