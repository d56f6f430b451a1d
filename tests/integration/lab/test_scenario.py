# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenario files: what they become, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.integration.lab.conftest import SCENARIOS
from tests.lab.scenario import ScenarioError, object_id
from tests.lab.scenario_file import load_scenario, parse_scenario

FOREST = """
forests:
  - domain: contoso.com
    organizational_units: [OU=Groups]
    managed_containers: [OU=Groups]
    users: [{name: Britta}]
    groups: [{name: Admins, members: [Britta]}]
"""


def parse(text: str) -> None:
    parse_scenario(yaml.safe_load(text))


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.yml")), ids=lambda path: path.name)
def test_bundled_scenarios_are_valid(path: Path) -> None:
    assert load_scenario(path).forests


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("forests: [{domain: contoso.com, colour: red}]", r"forests\[contoso.com\]: unknown key 'colour'"),
        ("tenant: {users: [{name: A, age: 3}]}", r"tenant.users\[A\]: unknown key 'age'"),
        ("tenants: {}", "unknown key 'tenants'; known keys are domains_of_one_forest, forests, tenant"),
        ("{}", "nothing to start"),
        ("[]", "expected a mapping, got list"),
        ("forests: [{domain: contoso}]", "needs at least two labels"),
        ("forests: [{}]", "'domain' is missing"),
        ("forests: [{domain: a.b, address: 10.0.0.1}]", "10.0.0.1 is not in 127.0.0.0/8"),
        ("forests: [{domain: a.b, address: here}]", "'here' is no IPv4 address"),
        ("forests: [{domain: a.b}, {domain: A.B}]", "forest 'a.b' is used more than once"),
        ("forests: [{domain: a.b, users: [{name: U, ou: OU=X}]}]", "container 'OU=X' is not among"),
        ("forests: [{domain: a.b, managed_containers: [OU=X]}]", "container 'OU=X' is not among"),
        ("forests: [{domain: a.b, users: [{name: svc-gpad}]}]", "sam_account_name 'svc-gpad' is used more than once"),
        ("forests: [{domain: a.b, groups: [{name: A+B}]}]", "forbidden character"),
        ("forests: [{domain: a.b, groups: [{name: G, members: [Ghost]}]}]", "'G' has a member 'Ghost'"),
        ("forests: [{domain: a.b, groups: [{name: G, scope: wide}]}]", "'scope' is 'wide'; it must be one of"),
        ("forests: [{domain: a.b, groups: [{name: G, anchor: Ghost}]}]", "anchor 'Ghost' is neither"),
        ("forests: [{domain: a.b, generate: {count: -1}}]", "whole number"),
        ("tenant: {users: [{name: A, synced_from: a.b}]}", "synced_from names 'a.b', which is none of the forests"),
        (FOREST + "tenant: {users: [{name: Ghost, synced_from: contoso.com}]}", "has no user called 'Ghost'"),
        (FOREST + "tenant: {groups: [{name: Britta, synced_from: contoso.com}]}", "has no group called 'Britta'"),
        ("tenant: {groups: [{name: G, members: [Ghost]}]}", "'G' has a member 'Ghost' that is not declared"),
        ("tenant: {groups: [{name: G, source_of_authority: converted}]}", "converted needs synced_from"),
        ("tenant: {users: [{name: A}], groups: [{name: A}]}", "name 'a' is used more than once"),
        ("tenant: {service_principals: [{name: S, assigned: [Ghost]}]}", "'S' has a member 'Ghost'"),
        ("tenant: {devices: [{name: D, assigned: [D]}]}", "unknown key 'assigned'"),
        ("tenant: {generate: {users: 2, groups: 1, members_per_group: 3}}", "more users or members are asked for"),
    ],
)
def test_a_fault_is_named(text: str, message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        parse(text)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.yml"
    with pytest.raises(ScenarioError, match=r"broken.yml: cannot be read"):
        load_scenario(path)
    path.write_text("forests: [", encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"broken.yml: not valid YAML"):
        load_scenario(path)


def test_an_anchor_may_name_a_cloud_group() -> None:
    text = FOREST.replace("members: [Britta]", "anchor: Sales") + "tenant: {groups: [{name: Sales}]}"
    group = parse_scenario(yaml.safe_load(text)).forests[0].groups[0]
    assert group.attributes == {"msDS-ExternalDirectoryObjectId": [f"Group_{object_id('Sales')}"]}


def test_generated_load_is_spread_over_groups() -> None:
    text = """
    forests: [{domain: contoso.com, users: [{name: Britta}], generate: {count: 4, prefix: u}}]
    tenant: {generate: {users: 4, synced_from: contoso.com, groups: 3, members_per_group: 3}}
    """
    tenant = parse_scenario(yaml.safe_load(text)).tenant
    assert tenant is not None
    assert [user.name for user in tenant.users] == ["u00001", "u00002", "u00003", "u00004"]
    assert [group.members for group in tenant.groups] == [
        ("u00001", "u00002", "u00003"),
        ("u00004", "u00001", "u00002"),
        ("u00003", "u00004", "u00001"),
    ]
