# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mappings: the defaults, nulls, kinds, and what YAML makes of an unquoted expression."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import attributes, mapping
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    ObjectError,
    ObjectIgnoredError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.mapping import (
    AttributeMapping,
    MappingKind,
    Surroundings,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    DesiredGroup,
    GraphValue,
)
from tests.unit.samples import MANAGED, cloud_group, cloud_id, converted, sid

PLACE = AttributeMapping("parentDistinguishedName", MappingKind.CONSTANT, MANAGED)
NAME = AttributeMapping("cn", MappingKind.DIRECT, "displayName")


def test_the_names_of_what_the_default_mappings_write() -> None:
    targets = [entry.target for entry in mapping.DEFAULT_MAPPINGS]
    assert tuple(target for target in targets if target != attributes.CN) == attributes.MAPPED


def desired(
    group: CloudGroup, *more: AttributeMapping, defaults: bool = True, around: Surroundings | None = None
) -> DesiredGroup:
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
        "sAMAccountName": ("Sales EMEA_2b6d3f6f6b10",),
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


@pytest.mark.parametrize(
    ("display_name", "expected"),
    [
        ("Sales", "Sales_000000000001"),
        (" Sales, EMEA [1]/2 ", "Sales EMEA 12_000000000001"),
        ("x" * 256, "x" * 51 + "_000000000001"),
        ("a\tb", "ab_000000000001"),
        (",;:", "_000000000001"),
        ("ends.", "ends._000000000001"),
    ],
)
def test_the_default_account_name_leaves_out_what_it_must_not_hold(display_name: str, expected: str) -> None:
    """Like cn, since Active Directory would give a random one; on creation only."""
    clean = (PLACE, line("cn"), *(entry for entry in mapping.DEFAULT_MAPPINGS if entry.target != "cn"))
    mapper = mapping.compile_mappings(clean)
    group = cloud_group(1, displayName=display_name)
    assert mapping.desired_group(group, mapper, Surroundings()).attributes["sAMAccountName"] == (expected,)
    assert "sAMAccountName" not in mapping.desired_group(group, mapper, THERE).attributes


def test_a_converted_group_is_marked_as_taken_over() -> None:
    wanted = desired(converted(1, sid(2001)))
    assert wanted.attributes["adminDescription"] == (f"TakenOver_Group_{cloud_id(1)}",)
    assert wanted.attributes[ANCHOR] == (f"Group_{cloud_id(1)}",)


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


def line(target: str, source: str = "fixed", **more: Any) -> AttributeMapping:
    """Return a constant mapping, unless `kind` says otherwise."""
    return AttributeMapping(**{"target": target, "kind": MappingKind.CONSTANT, "source": source, **more})


def expression(target: str, source: str, **more: Any) -> AttributeMapping:
    return line(target, source, kind=MappingKind.EXPRESSION, **more)


THERE = Surroundings(exists=True)


def test_what_is_written_on_creation_only() -> None:
    once = line("info", on_create=True)
    assert desired(cloud_group(1), once).attributes["info"] == ("fixed",)
    assert "info" not in desired(cloud_group(1), once, around=THERE).attributes
    assert desired(cloud_group(1), line("info"), around=THERE).attributes["info"] == ("fixed",)


@pytest.mark.parametrize(
    ("mapping_line", "on_create"),
    [
        (line("info"), False),
        (line("info", on_create=True), True),
        (line("sAMAccountName"), True),
        (line("samaccountname"), True),
        (expression("info", "[displayName]"), False),
        (expression("info", "Guid()"), True),
        (expression("info", "RandomString(8,1,1,1,1)"), True),
        (expression("info", 'SelectUniqueValue([displayName],Append([displayName],"1"))'), True),
    ],
)
def test_what_would_differ_with_each_run_is_written_once(mapping_line: AttributeMapping, on_create: bool) -> None:
    (compiled,) = mapping.compile_mappings((mapping_line,)).lines
    assert compiled.on_create is on_create


@pytest.mark.parametrize(
    ("exists", "value", "expected"),
    [
        (False, None, ("default",)),
        (False, "x", ("x",)),
        (True, None, None),
        (True, "x", ("x",)),
    ],
)
def test_a_default_is_written_on_creation_only(
    exists: bool, value: str | None, expected: tuple[str, ...] | None
) -> None:
    given = line("info", "theme", kind=MappingKind.DIRECT, default="default")
    wanted = desired(cloud_group(1, theme=value), given, around=Surroundings(exists=exists))
    assert wanted.attributes.get("info") == expected


@pytest.mark.parametrize("exists", [False, True])
def test_the_default_of_name_and_container_always_counts(exists: bool) -> None:
    lines = (
        line("cn", "theme", kind=MappingKind.DIRECT, default="Unnamed"),
        line("parentDistinguishedName", "theme", kind=MappingKind.DIRECT, default=MANAGED),
    )
    mapper = mapping.compile_mappings(lines)
    wanted = mapping.desired_group(cloud_group(1, theme=None), mapper, Surroundings(exists=exists))
    assert (wanted.cn, wanted.container) == ("Unnamed", MANAGED)


def test_without_a_value_an_object_that_is_there_keeps_name_and_container() -> None:
    lines = (
        line("cn", "theme", kind=MappingKind.DIRECT),
        line("parentDistinguishedName", "theme", kind=MappingKind.DIRECT),
    )
    wanted = mapping.desired_group(cloud_group(1, theme=None), mapping.compile_mappings(lines), THERE)
    assert (wanted.cn, wanted.container) == ("", "")


def test_an_expression_that_ignores_the_object_leaves_the_group_out() -> None:
    leaving = expression("info", 'IIF([displayName]="Group 1",IgnoreObjectFlow,"x")')
    with pytest.raises(ObjectIgnoredError, match="info"):
        desired(cloud_group(1), leaving)
    assert desired(cloud_group(2), leaving).attributes["info"] == ("x",)


@pytest.mark.parametrize("value", ["a[b", "ends.", "...", "x" * 257])
def test_an_account_name_that_cannot_be_one(value: str) -> None:
    given = (PLACE, NAME, line("sAMAccountName", "theme", kind=MappingKind.DIRECT))
    with pytest.raises(ObjectError, match="sAMAccountName") as caught:
        mapping.desired_group(cloud_group(1, theme=value), mapping.compile_mappings(given), Surroundings())
    assert caught.value.code == "samaccountname_invalid"


def test_an_evaluation_knows_the_time_the_variables_and_what_is_taken() -> None:
    around = Surroundings(
        now=datetime(2026, 11, 21, tzinfo=timezone.utc),
        random=lambda _bound: 0,
        taken={"info": frozenset({"Group 1"})},
        variables={"DomainFQDN": "contoso.com"},
    )
    lines = (
        expression("info", 'SelectUniqueValue([displayName],Append([displayName],"-2"))'),
        expression("description", 'Append([displayName],Append("@",%DomainFQDN%))'),
        expression("mail", 'FormatDateTime(Now(),,"M/d/yyyy h:mm:ss tt","yyyy")'),
    )
    wanted = desired(cloud_group(1), *lines, defaults=False, around=around)
    assert wanted.attributes["info"] == ("Group 1-2",)
    assert wanted.attributes["description"] == ("Group 1@contoso.com",)
    assert wanted.attributes["mail"] == ("2026",)


def test_all_choices_of_a_unique_value_are_told_beforehand() -> None:
    chosen = expression(
        "Info", 'SelectUniqueValue([displayName],Append([displayName],"-2"),Append([displayName],"-3"))'
    )
    mapper = mapping.compile_mappings((PLACE, NAME, chosen, line("mail")))
    assert mapping.candidates(cloud_group(1), mapper, Surroundings()) == {"info": ["Group 1", "Group 1-2", "Group 1-3"]}
    assert mapping.candidates(cloud_group(1, displayName=None), mapper, Surroundings())["info"] != ["Group 1"]
    assert mapping.candidates(cloud_group(1), mapping.compile_mappings((PLACE, NAME)), Surroundings()) == {}


def test_no_choice_left_fails_the_group_only() -> None:
    chosen = expression("info", 'SelectUniqueValue([displayName],"b")')
    with pytest.raises(ObjectError) as caught:
        desired(cloud_group(1), chosen, around=Surroundings(taken={"info": frozenset({"Group 1", "b"})}))
    assert caught.value.code == "expression_failed"


def test_given_mappings_stand_in_the_place_of_the_default_ones_or_behind() -> None:
    assert mapping.merge_mappings(()) == mapping.DEFAULT_MAPPINGS
    other, more = line("DISPLAYNAME"), line("info")
    merged = mapping.merge_mappings((more, other))
    assert [entry.target.lower() for entry in merged] == [
        *(entry.target.lower() for entry in mapping.DEFAULT_MAPPINGS),
        "info",
    ]
    assert [entry.source for entry in merged if entry.target.lower() == "displayname"] == ["fixed"]
    assert merged[-1] == more


def test_a_default_mapping_can_be_switched_off() -> None:
    merged = mapping.merge_mappings((line("description", "", kind=MappingKind.NONE),))
    mapper = mapping.compile_mappings((PLACE, *merged))
    wanted = mapping.desired_group(cloud_group(1, description="x"), mapper, Surroundings())
    assert "description" not in wanted.attributes


@pytest.mark.parametrize(
    "target",
    [
        "msDS-ExternalDirectoryObjectId",
        "msds-externaldirectoryobjectid",
        "adminDescription",
        "member",
        "groupType",
        "isSecurityGroup",
        "UniversalScope",
        "objectSid",
        "objectGUID",
        "objectClass",
        "distinguishedName",
        "name",
        "parentDistinguishedName",
        "nTSecurityDescriptor",
        "sIDHistory",
    ],
)
def test_what_no_mapping_may_write(target: str) -> None:
    with pytest.raises(ConfigurationError, match=target) as caught:
        mapping.merge_mappings((line(target),))
    assert caught.value.code == "mapping_invalid"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ((line("info"), line("INFO")), "mapped twice"),
        ((line("info", clear_when_null=True, default="x"),), "clear_when_null contradicts"),
        ((line("info", clear_when_null=True, on_create=True),), "clear_when_null contradicts"),
        ((line("cn", "", kind=MappingKind.NONE),), "needs a name"),
        ((line("CN", "", kind=MappingKind.NONE),), "needs a name"),
        ((line("cn", clear_when_null=True),), "cannot be cleared"),
    ],
)
def test_mappings_that_contradict_each_other(given: tuple[AttributeMapping, ...], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        mapping.merge_mappings(given)
    assert caught.value.code == "mapping_invalid"


@pytest.mark.parametrize(
    "given", [line("info", "department", kind=MappingKind.DIRECT), expression("info", "Trim([department])")]
)
def test_a_property_that_groups_do_not_have(given: AttributeMapping) -> None:
    with pytest.raises(ConfigurationError, match="mapping of info: groups have no property 'department'") as caught:
        mapping.compile_mappings((given,))
    assert caught.value.code == "property_unknown"


def test_a_container_s_expression_that_reads_what_groups_do_not_have_names_its_option() -> None:
    with pytest.raises(ConfigurationError, match=r"^target_container: groups have no property"):
        mapping.compile_mappings((mapping.container_mapping("[department]"),))


def test_properties_are_named_as_graph_names_them() -> None:
    lines = (line("info", "DISPLAYNAME", kind=MappingKind.DIRECT), expression("mail", "[ObjectId]"))
    assert mapping.compile_mappings(lines).properties == {"displayName", "objectId"}


def test_the_mapper_knows_what_it_writes_and_what_decides_over_containers() -> None:
    place = dataclasses.replace(mapping.container_mapping("[theme]"), default=MANAGED)
    mapper = mapping.compile_mappings((place, NAME, line("info")))
    assert mapper.targets == ("info",)
    other = mapping.compile_mappings((mapping.container_mapping("[theme]"), NAME))
    assert mapper.container_rule
    assert mapper.container_rule != other.container_rule


@pytest.mark.parametrize("target", ["CN", "Cn"])
def test_the_name_of_an_attribute_is_the_same_in_any_case(target: str) -> None:
    """LDAP attribute names are (RFC 4512, section 2.5); the name must not be lost by it."""
    merged = mapping.merge_mappings((line(target, "displayName", kind=MappingKind.DIRECT),))
    wanted = mapping.desired_group(cloud_group(1), mapping.compile_mappings((PLACE, *merged)), Surroundings())
    assert wanted.cn == "Group 1"
    assert target not in wanted.attributes


def test_an_account_name_is_checked_in_whatever_case_its_attribute_is_written() -> None:
    merged = mapping.merge_mappings((line("samaccountname", "a[b"),))
    with pytest.raises(ObjectError) as caught:
        mapping.desired_group(cloud_group(1), mapping.compile_mappings((PLACE, *merged)), Surroundings())
    assert caught.value.code == "samaccountname_invalid"
