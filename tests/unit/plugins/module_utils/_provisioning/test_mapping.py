# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mappings: the defaults, nulls, kinds, and what YAML makes of an unquoted expression."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import mapping
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    ObjectError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.mapping import (
    AttributeMapping,
    MappingKind,
    Surroundings,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import CloudGroup, GraphValue
from tests.unit.samples import MANAGED, cloud_group, cloud_id, converted, sid

PLACE = AttributeMapping("parentDistinguishedName", MappingKind.CONSTANT, MANAGED)
NAME = AttributeMapping("cn", MappingKind.DIRECT, "displayName")


def desired(
    group: CloudGroup, *more: AttributeMapping, defaults: bool = True, around: Surroundings | None = None
) -> mapping.DesiredGroup:
    base = (PLACE, *mapping.DEFAULT_MAPPINGS) if defaults else (PLACE, NAME)
    return mapping.desired_group(group, mapping.compile_mappings((*base, *more)), around or Surroundings())


def test_the_default_mappings() -> None:
    group = CloudGroup(
        "5f2d3a51-0a62-4d0e-8a39-2b6d3f6f6b10",
        {"displayName": " Sales EMEA ", "description": " All of sales ", "securityEnabled": True},
    )
    wanted = desired(group)
    assert (wanted.id, wanted.name) == (group.id, " Sales EMEA ")
    assert (wanted.cn, wanted.container) == ("Sales EMEA_2b6d3f6f6b10", MANAGED)
    assert wanted.attributes == {
        "description": ("All of sales",),
        "displayName": (" Sales EMEA ",),
        "msDS-ExternalDirectoryObjectId": ("Group_5f2d3a51-0a62-4d0e-8a39-2b6d3f6f6b10",),
        "adminDescription": ("Group_5f2d3a51-0a62-4d0e-8a39-2b6d3f6f6b10",),
        "groupType": ("-2147483640",),
    }


def test_the_default_cn_fits_however_long_the_name_is() -> None:
    wanted = desired(cloud_group(1, displayName="x" * 256))
    assert wanted.cn == "x" * 51 + "_000000000001"
    assert len(wanted.cn) == 64


def test_a_description_is_cut() -> None:
    assert desired(cloud_group(1, description="y" * 1024)).attributes["description"] == ("y" * 448,)


@pytest.mark.parametrize("nothing", [None, "", "   "])
def test_a_null_description_leaves_the_attribute_alone(nothing: str | None) -> None:
    assert "description" not in desired(cloud_group(1, description=nothing)).attributes


def test_the_account_name_is_not_mapped_by_default() -> None:
    assert "sAMAccountName" not in desired(cloud_group(1)).attributes


def test_a_converted_group_is_marked_as_taken_over() -> None:
    wanted = desired(converted(1, sid(2001)))
    assert wanted.attributes["adminDescription"] == (f"TakenOver_Group_{cloud_id(1)}",)
    assert wanted.attributes[mapping.ANCHOR] == (f"Group_{cloud_id(1)}",)


@pytest.mark.parametrize(
    ("kind", "source", "value", "expected"),
    [
        (MappingKind.CONSTANT, "fixed", None, ("fixed",)),
        (MappingKind.DIRECT, "theme", "text", ("text",)),
        (MappingKind.DIRECT, "Theme", "text", ("text",)),
        (MappingKind.DIRECT, "theme", 7, ("7",)),
        (MappingKind.DIRECT, "theme", True, ("TRUE",)),
        (MappingKind.DIRECT, "theme", False, ("FALSE",)),
        (MappingKind.DIRECT, "theme", ["a", "", "b"], ("a", "b")),
        (MappingKind.DIRECT, "theme", None, None),
        (MappingKind.DIRECT, "theme", "", None),
        (MappingKind.DIRECT, "theme", [], None),
        (MappingKind.DIRECT, "objectId", None, (cloud_id(1),)),
        (MappingKind.NONE, "", "text", None),
        (MappingKind.EXPRESSION, 'Append([theme],"!")', "hey", ("hey!",)),
        (MappingKind.EXPRESSION, "IgnoreFlowIfNullOrEmpty([theme])", None, None),
        (MappingKind.EXPRESSION, "[objectId]", None, (cloud_id(1),)),
        (MappingKind.EXPRESSION, "[id]", None, (cloud_id(1),)),
    ],
)
def test_the_kinds_of_mappings(
    kind: MappingKind, source: str, value: GraphValue, expected: tuple[str, ...] | None
) -> None:
    wanted = desired(cloud_group(1, theme=value), AttributeMapping("info", kind, source), defaults=False)
    assert wanted.attributes.get("info") == expected


def test_a_null_clears_only_where_the_mapping_says_so() -> None:
    clearing = AttributeMapping("info", MappingKind.DIRECT, "theme", clear_when_null=True)
    assert desired(cloud_group(1, theme=None), clearing).attributes["info"] == ()
    assert desired(cloud_group(1, theme="x"), clearing).attributes["info"] == ("x",)


@pytest.mark.parametrize(
    ("group", "more", "code"),
    [
        (cloud_group(1, displayName=None), (), "mapping_not_single"),
        (cloud_group(1, displayName="x" * 65), (), "cn_invalid"),
        (cloud_group(1, displayName="a\nb"), (), "cn_invalid"),
        (
            cloud_group(1, theme=["a", "b"]),
            (AttributeMapping("cn", MappingKind.DIRECT, "theme"),),
            "mapping_not_single",
        ),
        (
            cloud_group(1, theme=["a", "b"]),
            (AttributeMapping("description", MappingKind.EXPRESSION, "Left([theme],3)"),),
            "expression_failed",
        ),
    ],
)
def test_a_mapping_that_gives_no_usable_value_fails_the_group_only(
    group: CloudGroup, more: tuple[AttributeMapping, ...], code: str
) -> None:
    with pytest.raises(ObjectError) as caught:
        desired(group, *more, defaults=False)
    assert caught.value.code == code


def test_a_display_name_of_blanks_gives_the_suffix_alone() -> None:
    assert desired(cloud_group(1, displayName="  ")).cn == "_000000000001"


def test_the_mapper_knows_which_properties_it_reads() -> None:
    lines = (*mapping.DEFAULT_MAPPINGS, AttributeMapping("info", MappingKind.CONSTANT, "x"))
    mapper = mapping.compile_mappings(lines)
    assert mapper.properties == {"displayName", "description", "objectId"}


def test_an_expression_that_cannot_be_read_names_its_option() -> None:
    bad = AttributeMapping("description", MappingKind.EXPRESSION, "Left([description]")
    with pytest.raises(ConfigurationError, match="mapping of description") as caught:
        mapping.compile_mappings((bad,))
    assert caught.value.code == "expression_invalid"
    with pytest.raises(ConfigurationError, match=r"^target_container: "):
        mapping.compile_mappings((mapping.container_mapping("Left("),))


@pytest.mark.parametrize(
    ("value", "kind", "source"),
    [
        (MANAGED, MappingKind.CONSTANT, MANAGED),
        (f" {MANAGED} ", MappingKind.CONSTANT, MANAGED),
        ('Append("OU=",[displayName])', MappingKind.EXPRESSION, 'Append("OU=",[displayName])'),
    ],
)
def test_the_target_container_is_a_dn_or_an_expression(value: str, kind: MappingKind, source: str) -> None:
    assert mapping.container_mapping(value) == AttributeMapping("parentDistinguishedName", kind, source)


@pytest.mark.parametrize(
    ("value", "code", "words"),
    [
        (["displayName"], "expression_not_quoted", "a list"),
        (True, "expression_not_quoted", "a Boolean"),
        (7, "expression_not_quoted", "a number"),
        (7.5, "expression_not_quoted", "a number"),
        ({"a": 1}, "expression_not_quoted", "a mapping"),
        (b"x", "expression_not_quoted", "data"),
        ("", "configuration_invalid", "empty"),
        ("  ", "configuration_invalid", "empty"),
        (None, "configuration_invalid", "empty"),
    ],
)
def test_what_yaml_made_something_else_of_is_refused(value: object, code: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        mapping.container_mapping(value)
    assert caught.value.code == code
    if code == "expression_not_quoted":
        assert "single quotes" in caught.value.remedy


def test_an_expression_gives_each_group_its_container() -> None:
    place = mapping.container_mapping(f'Append("OU=",Append([classification],",{MANAGED}"))')
    mapper = mapping.compile_mappings((place, NAME))
    wanted = mapping.desired_group(cloud_group(1, classification="Sales"), mapper, Surroundings())
    assert wanted.container == f"OU=Sales,{MANAGED}"
