# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the options on scope to filters, selections and queries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import (
    ALWAYS_READ,
    MemberQuery,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.questions import MOST_ALTERNATIVES
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import scope_options
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.filters import Clause, Filter
from tests.unit.plugins.module_utils._module.test_mapping_options import ENTRY
from tests.unit.samples import MANAGED, cloud_id

PARAMS: dict[str, Any] = {
    "scope_mode": "all",
    "selected_groups": [],
    "selected_groups_file": None,
    "service_principals": [],
    "properties": [],
    "target_container": None,
    "attribute_mappings": [],
}


def clause(attribute: str, operator: str, value: object = None) -> dict[str, Any]:
    return {"attribute": attribute, "operator": operator, "value": value}


def test_filters() -> None:
    given = [
        {"name": "sales", "clauses": [clause("DISPLAYNAME", "EQUALS", "Sales"), clause("mail", "IS NULL")]},
        {"name": "", "clauses": [clause("extensionAttribute1", "EQUALS", 7), clause("mailEnabled", "EQUALS", True)]},
    ]
    assert scope_options.filters(given) == (
        Filter((Clause("displayName", "EQUALS", "Sales"), Clause("mail", "IS NULL", "")), "sales"),
        Filter((Clause("extensionAttribute1", "EQUALS", "7"), Clause("mailEnabled", "EQUALS", "True")), ""),
    )
    assert scope_options.filters([]) == ()


def test_a_filter_that_cannot_be_evaluated() -> None:
    with pytest.raises(ConfigurationError, match="department") as caught:
        scope_options.filters([{"name": "", "clauses": [clause("department", "EQUALS", "x")]}])
    assert caught.value.code == "filter_invalid"


def query(rules: tuple[Filter, ...] = (), **more: Any) -> Any:
    return scope_options.group_query({**PARAMS, **more}, rules)


SALES = Filter((Clause("displayName", "STARTS_WITH", "Sales"),))


@pytest.mark.parametrize(
    ("rules", "more", "added", "beta"),
    [
        ((), {}, set(), False),
        ((SALES,), {}, set(), False),
        ((Filter((Clause("theme", "PRESENT"),)),), {}, {"theme"}, False),
        ((), {"properties": ["THEME", "extensionAttribute2"]}, {"theme", "onPremisesExtensionAttributes"}, False),
        ((), {"properties": ["isWritebackEnabled"]}, {"writebackConfiguration"}, True),
        ((), {"attribute_mappings": [{**ENTRY, "source": "classification"}]}, {"classification"}, False),
        ((), {"attribute_mappings": [{**ENTRY, "expression": "Trim([uniqueName])"}]}, {"uniqueName"}, False),
        ((), {"target_container": "[preferredLanguage]"}, {"preferredLanguage"}, False),
        ((), {"target_container": MANAGED}, set(), False),
    ],
)
def test_what_is_read_of_groups(rules: tuple[Filter, ...], more: dict[str, Any], added: set[str], beta: bool) -> None:
    found = query(rules, **more)
    assert found.select == ALWAYS_READ | added
    assert found.beta is beta


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"properties": ["department"]}, "property_unknown"),
        ({"target_container": "[department]"}, "property_unknown"),
        ({"attribute_mappings": [{**ENTRY, "source": "department"}]}, "property_unknown"),
        ({"attribute_mappings": [{**ENTRY, "target": "member", "source": "mail"}]}, "mapping_invalid"),
        ({"target_container": ["displayName"]}, "expression_not_quoted"),
    ],
)
def test_what_cannot_be_read(more: dict[str, Any], code: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        query(**more)
    assert caught.value.code == code


@pytest.mark.parametrize(("mode", "narrowed"), [("all", True), ("selected", False), ("assigned", False)])
def test_the_service_leaves_groups_out_only_where_all_are_in_question(mode: str, narrowed: bool) -> None:
    assert bool(query((SALES,), scope_mode=mode).service_filter) is narrowed


def test_the_selection_of_option_and_file(tmp_path: Path) -> None:
    path = tmp_path / "groups"
    path.write_text(f"# comment\n\n  {cloud_id(1)}  \n  # more\nS\u00e4les # EMEA\n", encoding="utf-8")
    params = {**PARAMS, "scope_mode": "selected", "selected_groups": ["First"], "selected_groups_file": str(path)}
    assert scope_options.selected(params) == ["First", cloud_id(1), "S\u00e4les # EMEA"]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"scope_mode": "selected"}, "No group is selected"),
        ({"scope_mode": "assigned"}, "service_principals is empty"),
        ({"selected_groups_file": "/none/such"}, "selected_groups_file: /none/such"),
        ({"selected_groups_file": "/"}, "selected_groups_file"),
    ],
)
def test_a_selection_that_is_none(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        scope_options.selected({**PARAMS, **more})


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "groups").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="selected_groups_file"):
        scope_options.selected({**PARAMS, "selected_groups_file": str(tmp_path / "groups")})


@pytest.mark.parametrize("more", [{}, {"scope_mode": "assigned", "service_principals": [cloud_id(1)]}])
def test_the_other_modes_need_no_selection(more: dict[str, Any]) -> None:
    assert scope_options.selected({**PARAMS, **more}) == []


def test_a_filter_of_more_alternatives_than_the_service_takes_stays_here() -> None:
    rules = tuple(
        Filter((Clause("displayName", "EQUALS", f"Group {number}"),)) for number in range(MOST_ALTERNATIVES + 1)
    )
    assert query(rules[:-1]).service_filter.count(" or ") == MOST_ALTERNATIVES - 1
    assert query(rules).service_filter == ""


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ([], MemberQuery()),
        (["security_identifier"], MemberQuery()),
        (["security_identifier", "object_identifier"], MemberQuery(object_identifier=True)),
        (["immutable_id"], MemberQuery(immutable_id=True)),
    ],
)
def test_what_is_read_of_members(keys: list[str], expected: MemberQuery) -> None:
    assert scope_options.member_query({"match_users_by": keys}) == expected
