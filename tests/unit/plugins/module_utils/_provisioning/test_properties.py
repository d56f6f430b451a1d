# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of properties, what to select for them, and the values under each name."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import properties
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import CloudGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.scope import FIXED_CLAUSE_PROPERTIES
from tests.unit.samples import cloud_id

EXTENSION = "extension_" + "0123456789abcdef" * 2 + "_costCenter"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("displayName", "displayName"),
        ("DisplayName", "displayName"),
        ("ObjectId", "objectId"),
        ("DIRSYNCENABLED", "dirSyncEnabled"),
        ("extensionattribute7", "extensionAttribute7"),
        ("onPremisesExtensionAttributes.extensionAttribute7", "onPremisesExtensionAttributes.extensionAttribute7"),
        (EXTENSION, EXTENSION),
        (EXTENSION.upper(), None),
        ("extensionAttribute16", None),
        ("department", None),
        ("", None),
    ],
)
def test_names_are_known_in_any_case_but_those_of_extensions(name: str, expected: str | None) -> None:
    assert properties.canonical(name) == expected


@pytest.mark.parametrize(
    ("names", "chosen", "beta"),
    [
        ([], set(), False),
        (["displayname", "objectId", "id"], {"displayName"}, False),
        (["dirSyncEnabled", "onPremisesSyncEnabled"], {"onPremisesSyncEnabled"}, False),
        (["extensionAttribute1", "extensionAttribute2"], {"onPremisesExtensionAttributes"}, False),
        ([EXTENSION], {EXTENSION}, False),
        (["isWritebackEnabled"], {"writebackConfiguration"}, True),
        (["writebackConfiguration.onPremisesGroupType", "mail"], {"writebackConfiguration", "mail"}, True),
        (["department"], set(), False),
    ],
)
def test_what_is_selected(names: list[str], chosen: set[str], beta: bool) -> None:
    assert properties.select(names) == (frozenset(chosen), beta)


def test_each_value_stands_under_every_name_of_it() -> None:
    group = CloudGroup(
        cloud_id(1),
        {
            "displayName": "Sales",
            "onPremisesSyncEnabled": None,
            "onPremisesExtensionAttributes": {"extensionAttribute1": "x", "extensionAttribute2": None},
            "writebackConfiguration": {"isEnabled": True, "onPremisesGroupType": "universalSecurityGroup"},
            EXTENSION: "4711",
        },
    )
    found = properties.values(group)
    assert found["id"] == found["objectId"] == cloud_id(1)
    assert found["displayName"] == "Sales"
    assert "dirSyncEnabled" in found
    assert found["dirSyncEnabled"] is None
    assert found["extensionAttribute1"] == found["onPremisesExtensionAttributes.extensionAttribute1"] == "x"
    assert found["extensionAttribute2"] is None
    assert "extensionAttribute3" not in found
    assert found["isWritebackEnabled"] is True
    assert found["writebackConfiguration.onPremisesGroupType"] == "universalSecurityGroup"
    assert found[EXTENSION] == "4711"
    assert "writebackConfiguration" not in found


def test_a_complex_property_that_is_null_gives_nothing() -> None:
    assert "extensionAttribute1" not in properties.values(CloudGroup("x", {"onPremisesExtensionAttributes": None}))


def test_what_the_fixed_clause_reads_is_known() -> None:
    assert [name for name in FIXED_CLAUSE_PROPERTIES if properties.canonical(name) != name] == []


def test_filters_compare_single_values() -> None:
    multi = {name for name, entry in properties.GROUP_PROPERTIES.items() if entry.multi}
    assert multi == {"groupTypes", "proxyAddresses"}
    assert properties.GROUP_PROPERTIES.keys() - properties.FILTERABLE == multi
