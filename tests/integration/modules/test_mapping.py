# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attribute mappings, containers and names on the lab; ldapsearch is the judge."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.modules.target import Target
from tests.lab.scenario import object_id

APP = "0123456789abcdef0123456789abcdef"


def test_every_kind_of_mapping_reaches_the_directory(target: Target) -> None:
    cloud_id = target.admin.create_group(
        "Mapped", mail=None, description="From the cloud", **{f"extension_{APP}_Cost": "4711"}
    )
    mappings: list[dict[str, Any]] = [
        {"target": "info", "source": "description"},
        {"target": "wWWHomePage", "constant": "https://example.com"},
        {"target": "sAMAccountName", "expression": 'Join("_", [displayName], Mid([objectId], 25, 12))'},
        {"target": "proxyAddresses", "expression": 'Split("smtp:a@example.com|smtp:b@example.com", "|")'},
        {"target": "mail", "expression": f'Append([extension_{APP}_Cost], "@example.com")'},
        {"target": "description", "none": True},
        {"target": "msDS-ObjectSoa", "constant": "Cloud"},
    ]
    target.provision(cloud_id, attribute_mappings=mappings)
    entry = target.entry(cloud_id)
    assert entry["info"] == ["From the cloud"]
    assert entry["wWWHomePage"] == ["https://example.com"]
    assert entry["sAMAccountName"] == [f"Mapped_{cloud_id[-12:]}"]
    assert set(entry["proxyAddresses"]) == {"smtp:a@example.com", "smtp:b@example.com"}
    assert entry["mail"] == ["4711@example.com"]
    assert "description" not in entry
    assert entry["msDS-ObjectSoa"] == ["Cloud"]
    before = target.usn()
    target.provision(cloud_id, attribute_mappings=mappings)
    assert target.usn() == before


def test_complex_properties_are_read_by_graphs_and_by_the_portals_names(target: Target) -> None:
    cloud_id = target.admin.create_group(
        "Complex",
        onPremisesExtensionAttributes={"extensionAttribute1": "one", "extensionAttribute2": "two"},
        writebackConfiguration={"isEnabled": True, "onPremisesGroupType": "universalSecurityGroup"},
    )
    mappings = [
        {"target": "info", "source": "extensionAttribute1"},
        {"target": "wWWHomePage", "expression": "[onPremisesExtensionAttributes.extensionAttribute2]"},
        {"target": "mail", "source": "writebackConfiguration.onPremisesGroupType"},
        {"target": "description", "expression": 'IIF([isWritebackEnabled] = "True", "written back", "not")'},
    ]
    target.provision(cloud_id, attribute_mappings=mappings)
    entry = target.entry(cloud_id)
    assert (entry["info"], entry["wWWHomePage"]) == (["one"], ["two"])
    assert entry["mail"] == ["universalSecurityGroup"]
    assert entry["description"] == ["written back"]


def test_defaults_and_creation_only_values_stay_as_they_were_born(target: Target) -> None:
    cloud_id = target.admin.create_group("Born")
    mappings = [
        {"target": "info", "source": "description", "default": "nothing said"},
        {"target": "wWWHomePage", "expression": "Guid()"},
        {"target": "mail", "source": "description", "apply": "on_create", "default": "first@example.com"},
    ]
    target.provision(cloud_id, attribute_mappings=mappings)
    born = target.entry(cloud_id)
    assert born["info"] == ["nothing said"] and len(born["wWWHomePage"][0]) == 36
    target.admin.patch_group(cloud_id, description="said later")
    target.provision(cloud_id, attribute_mappings=mappings)
    entry = target.entry(cloud_id)
    assert entry["info"] == ["said later"]
    assert entry["wWWHomePage"] == born["wWWHomePage"] and entry["mail"] == ["first@example.com"]


def test_null_clears_only_where_the_mapping_says_so(target: Target) -> None:
    cloud_id = target.admin.create_group("Clearing", description="here")
    mappings = [
        {"target": "info", "source": "description", "clear_when_null": True},
        {"target": "description", "source": "description"},
    ]
    target.provision(cloud_id, attribute_mappings=mappings)
    target.admin.patch_group(cloud_id, description=None)
    target.provision(cloud_id, attribute_mappings=mappings)
    entry = target.entry(cloud_id)
    assert "info" not in entry and entry["description"] == ["here"]


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        ({"target": "member", "constant": "x"}, "mapping_invalid", "gpad_membership"),
        ({"target": "MSDS-ExternalDirectoryObjectId", "constant": "x"}, "mapping_invalid", "cannot be mapped"),
        ({"target": "groupType", "constant": "2"}, "mapping_invalid", "universal security group"),
        ({"target": "noSuchAttribute", "constant": "x"}, "target_not_writable", "no such attribute"),
        ({"target": "memberOf", "constant": "x"}, "target_not_writable", "the system alone"),
        ({"target": "userPrincipalName", "constant": "x"}, "target_not_writable", "cannot hold it"),
        ({"target": "groupMembershipSAM", "constant": "x"}, "target_not_writable", "binary"),
        ({"target": "info", "source": "nickname"}, "property_unknown", "'nickname'"),
        ({"target": "info", "expression": "Left([displayName]"}, "expression_invalid", "line 1"),
        ({"target": "info", "expression": ["displayName"]}, "expression_not_quoted", "single quotes"),
        (
            {"target": "info", "source": "mail", "clear_when_null": True, "default": "x"},
            "mapping_invalid",
            "contradicts",
        ),
    ],
)
def test_a_mapping_that_cannot_work_is_refused_before_any_write(
    target: Target, given: dict[str, Any], code: str, words: str
) -> None:
    target.snapshot_of(target.admin.create_group("Unmappable"))
    before = target.usn()
    result = target.plan(attribute_mappings=[given])
    assert result["fatal"] and result["errors"][0]["code"] == code, result["msg"]
    assert words in result["msg"]
    assert target.usn() == before


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"target": "mail", "expression": 'Replace("x", "x", , , "' + "m" * 300 + '", , )'}, "at most 256 fit"),
        ({"target": "info", "expression": 'Split("a,b", ",")'}, "one value, the mapping gives 2"),
        ({"target": "showInAddressBook", "constant": "somewhere"}, "distinguished name"),
        ({"target": "garbageCollPeriod", "constant": "high"}, "it is an integer"),
        ({"target": "isDeleted", "constant": "maybe"}, "system alone"),
    ],
)
def test_values_are_checked_against_the_schema(target: Target, mapping: dict[str, Any], words: str) -> None:
    target.snapshot_of(target.admin.create_group("Ill fitting"))
    result = target.plan(attribute_mappings=[mapping])
    assert result["outcome"] in ("partial", "fatal")
    assert words in result["errors"][0]["reason"] or words in result["msg"], result["msg"]


def test_unique_values_are_asked_of_the_directory_and_given_once(target: Target) -> None:
    first = target.admin.create_group("Unique 1")
    second = target.admin.create_group("Unique 2")
    third = target.admin.create_group("Unique 3")
    mappings = [
        {"target": "sAMAccountName", "expression": 'SelectUniqueValue("uniq", "uniq1", "uniq2", "uniq3")'},
    ]
    target.provision(first, attribute_mappings=mappings)
    assert target.entry(first)["sAMAccountName"] == ["uniq"]
    target.provision(first, second, third, attribute_mappings=mappings)
    names = {target.entry(group)["sAMAccountName"][0] for group in (first, second, third)}
    assert names == {"uniq", "uniq1", "uniq2"}
    assert target.entry(first)["sAMAccountName"] == ["uniq"]


@pytest.mark.parametrize("policy", ["fail", "suffix"])
def test_two_groups_that_want_one_name(target: Target, policy: str) -> None:
    ids = sorted(target.admin.create_group(f"Namesake {policy}") for _twin in range(2))
    mappings = [
        {"target": "cn", "source": "displayName"},
        {"target": "sAMAccountName", "source": "displayName"},
    ]
    target.snapshot_of(*ids)
    result = target.plan(attribute_mappings=mappings, name_collision=policy)
    if policy == "fail":
        assert [(error["id"], error["code"]) for error in result["errors"]] == [(ids[1], "name_collision")]
        return
    assert result["outcome"] == "ok"
    target.group()
    assert target.entry(ids[0])["cn"] == ["Namesake suffix"]
    assert target.entry(ids[1])["cn"] == [f"Namesake suffix_{ids[1][-12:]}"]
    assert target.entry(ids[1])["sAMAccountName"] == [f"Namesake suffix_{ids[1][-12:]}"]
    before = target.usn()
    target.snapshot_of(*ids)
    assert not target.apply_plan(attribute_mappings=mappings, name_collision=policy)["would_change"]
    assert target.usn() == before


def test_a_name_that_an_object_of_another_kind_holds_is_taken(target: Target) -> None:
    cloud_id = target.admin.create_group("Takes bsimon")
    target.snapshot_of(cloud_id)
    result = target.plan(attribute_mappings=[{"target": "sAMAccountName", "constant": "BSimon"}])
    assert [error["code"] for error in result["errors"]] == ["name_collision"]


def test_containers_are_created_on_request_outermost_first(target: Target) -> None:
    cloud_id = target.admin.create_group("Deep down")
    deep = f'Append("OU=Inner \\, with comma,OU=Outer,", "{target.forest.managed_containers[0]}")'
    target.snapshot_of(cloud_id)
    assert [error["code"] for error in target.plan(target_container=deep)["errors"]] == ["container_missing"]
    administrator = target.forest.administrator
    rights: dict[str, Any] = {"domain_username": administrator.dn, "domain_password": administrator.password}
    plan = target.plan(target_container=deep, create_containers=True)
    assert [change["action"] for change in plan["changes"]] == ["create_container", "create_container", "create"]
    assert target.group(**rights)["outcome"] == "ok"
    assert target.entry(cloud_id)["dn"][0].endswith(f"OU=Outer,{target.forest.managed_containers[0]}")
    before = target.usn()
    target.snapshot_of(cloud_id)
    assert not target.apply_plan(target_container=deep, create_containers=True)["would_change"]
    assert target.usn() == before


def test_renaming_a_group_in_the_cloud_does_not_move_it_unless_it_may(target: Target) -> None:
    groups, sales = target.forest.managed_containers[:2]
    rule = f'Switch([displayName], "{groups}", "Sales leads", "{sales}")'
    cloud_id = target.admin.create_group("Ordinary")
    target.provision(cloud_id, target_container=rule)
    target.admin.patch_group(cloud_id, displayName="Sales leads")
    target.snapshot_of(cloud_id)
    plan = target.apply_plan(target_container=rule)
    assert [(notice["id"], notice["code"]) for notice in plan["notices"] if notice["id"] == cloud_id] == [
        (cloud_id, "move_held")
    ]
    assert target.entry(cloud_id)["dn"][0].endswith(groups)
    target.snapshot_of(cloud_id)
    target.apply_plan(target_container=rule, moves="follow")
    assert target.entry(cloud_id)["dn"][0].endswith(sales)


ODD_NAMES = {
    "comma": "Doe, Jane",
    "plus": "R+D",
    "quote": 'The "A" team',
    "backslash": "back\\slash",
    "hash": "#leading",
    "blanks": "  padded  ",
    "angles": "<admins>",
    "emoji": "Party 🎉🎉",
    "right to left": "קבוצה של מכירות",
    "long": "x" * 256,
    "spaces": "     ",
    "equals": "a=b;c",
}


def test_oddly_named_groups_land_survive_a_rename_and_a_move_with_their_sid(target: Target) -> None:
    ids = {key: target.admin.create_group(name, [object_id("Britta Simon")]) for key, name in ODD_NAMES.items()}
    ids["twin"] = target.admin.create_group("Doe, Jane", [object_id("Britta Simon")])
    target.provision(*ids.values())
    born = {key: target.entry(cloud_id) for key, cloud_id in ids.items()}
    for key, entry in born.items():
        name = ODD_NAMES.get(key, "Doe, Jane")
        cut = name.strip()[:51]
        assert entry["cn"] == [f"{cut}_{ids[key][-12:]}"], key
        assert entry["member"] == [target.person("Britta Simon")]
    for key, cloud_id in ids.items():
        target.admin.patch_group(cloud_id, displayName=f"{ODD_NAMES.get(key, 'twin').strip()[:40]} + renamed, too")
    # All groups at once is more than one run may rename and move by default.
    limits = {"renames": {"count": 100}, "moves": {"count": 100}}
    target.provision(*ids.values(), limits=limits)
    renamed = {key: target.entry(cloud_id) for key, cloud_id in ids.items()}
    assert all(renamed[key]["cn"] != born[key]["cn"] for key in ids)
    target.provision(*ids.values(), target_container=target.forest.managed_containers[1], limits=limits)
    moved = {key: target.entry(cloud_id) for key, cloud_id in ids.items()}
    for key in ids:
        assert moved[key]["objectSid"] == renamed[key]["objectSid"] == born[key]["objectSid"], key
        assert moved[key]["dn"][0].endswith(target.forest.managed_containers[1]), key
        assert moved[key]["member"] == born[key]["member"]
    before = target.usn()
    target.provision(*ids.values(), target_container=target.forest.managed_containers[1])
    assert target.usn() == before


def test_the_original_container_of_a_converted_group_comes_from_its_extension(target: Target) -> None:
    """Microsoft's published expressions for GroupDN, as printed."""
    extension = f"extension_{APP}_GroupDN"
    sales = target.forest.managed_containers[1]
    cloud_id = target.admin.create_group("Was elsewhere", **{extension: f"CN=Old Name,{sales}"})
    default = target.forest.managed_containers[0]
    ou = (
        f'IIF(IsPresent([{extension}]), Replace(Mid(Mid(Replace([{extension}], "\\,", , , "\\2C", , ), '
        f'Instr(Replace([{extension}], "\\,", , , "\\2C", , ), ",", , ), 9999), 2, 9999), '
        f'"\\2C", , , ",", , ), "{default}")'
    )
    cn = (
        f'IIF(IsPresent([{extension}]), Replace(Replace(Replace(Word(Replace([{extension}], "\\,", , , "\\2C", , ), 1, '
        '","), "CN=", , , "", , ), "cn=", , , "", , ), "\\2C", , , ",", , ), '
        'Append(Append(Left(Trim([displayName]), 51), "_"), Mid([objectId], 25, 12)))'
    )
    target.provision(cloud_id, target_container=ou, attribute_mappings=[{"target": "cn", "expression": cn}])
    assert target.entry(cloud_id)["dn"] == [f"CN=Old Name,{sales}"]
