# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The group part of a plan: the schema, containers, moves and names."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import SAM
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Kind, Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.mapping import (
    AttributeMapping,
    MappingKind,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import CloudGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.naming import NameCollision
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    Notice,
    PlanItem,
    Problem,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.run_facts import RunFacts
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Moves
from tests.unit import samples
from tests.unit.fakes import FakeCloud, FakeDirectory, FakeJournal
from tests.unit.plugins.module_utils._provisioning.planning import actions, codes, plan, settled
from tests.unit.samples import MANAGED, OUTSIDE, SUB, cloud_group, cloud_id, converted, directory_group, guid, sid

DIRECT, EXPRESSION = MappingKind.DIRECT, MappingKind.EXPRESSION
PLAIN_NAME = AttributeMapping("cn", DIRECT, "displayName")
BY_CLASS = f'IIF(IsNullOrEmpty([classification]),"{MANAGED}",Append(Append("OU=",[classification]),",{MANAGED}"))'


def constant(target: str, value: str = "x") -> AttributeMapping:
    return AttributeMapping(target, MappingKind.CONSTANT, value)


def planned(
    *groups: CloudGroup, directory: FakeDirectory | None = None, place: str = MANAGED, **more: Any
) -> list[PlanItem]:
    """Plan some groups with settings."""
    run, journal, tally = more.pop("run", None), more.pop("journal", None), more.pop("tally", None)
    settings = samples.settings(place, **more)
    return plan(FakeCloud(groups), directory or FakeDirectory(), journal, settings=settings, tally=tally, run=run)


def changes(items: list[PlanItem]) -> list[GroupChange]:
    return [item for item in items if isinstance(item, GroupChange)]


def problems(items: list[PlanItem]) -> list[tuple[str, str]]:
    return [(item.id, item.code) for item in items if isinstance(item, Problem)]


def one_there() -> tuple[FakeDirectory, FakeJournal]:
    """Return a directory with the first group, settled, and a journal that knows it."""
    directory, journal = FakeDirectory(), FakeJournal()
    directory.add_group(settled())
    journal.know(1)
    return directory, journal


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("noSuchAttribute", "no such attribute"),
        ("whenCreated", "the system alone"),
        ("userCertificate", "binary"),
        ("givenName", "class group"),
    ],
)
def test_an_attribute_that_cannot_be_written_stops_the_plan(target: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        planned(cloud_group(1), attribute_mappings=(constant(target),))
    assert caught.value.code == "target_not_writable"
    assert target in caught.value.message


def test_the_schema_is_asked_only_for_what_is_no_default() -> None:
    directory = FakeDirectory()
    planned(cloud_group(1), directory=directory)
    assert "schema" not in directory.questions
    planned(directory=directory, attribute_mappings=(constant("noSuchAttribute"),))
    assert "schema" not in directory.questions
    planned(cloud_group(1), directory=directory, attribute_mappings=(constant("INFO"),))
    assert directory.questions.count("schema") == 1


def test_a_value_that_does_not_fit_fails_its_group_only() -> None:
    given = (AttributeMapping("managedBy", DIRECT, "theme"),)
    items = planned(
        cloud_group(1, theme="Robin"), cloud_group(2, theme="CN=Robin,DC=contoso,DC=com"), attribute_mappings=given
    )
    assert problems(items) == [(cloud_id(1), "value_invalid")]
    assert [change.id for change in changes(items)] == [cloud_id(2)]


def test_several_values_for_an_attribute_that_holds_one() -> None:
    given = (AttributeMapping("info", DIRECT, "proxyAddresses"),)
    items = planned(cloud_group(1, proxyAddresses=["a", "b"]), attribute_mappings=given)
    assert problems(items) == [(cloud_id(1), "value_invalid")]


def test_a_mapping_that_leaves_a_group_out_is_a_skip() -> None:
    given = (AttributeMapping("info", EXPRESSION, 'IIF([displayName]="Group 1",IgnoreObjectFlow,"x")'),)
    items = planned(cloud_group(1), cloud_group(2), attribute_mappings=given)
    assert codes(items) == ["ignored_by_mapping"]
    assert [change.id for change in changes(items)] == [cloud_id(2)]


def test_expressions_know_the_run_and_the_domain() -> None:
    given = (
        AttributeMapping("info", EXPRESSION, 'FormatDateTime(Now(),,"M/d/yyyy h:mm:ss tt","yyyy")'),
        AttributeMapping("mail", EXPRESSION, 'Append("a@",%DomainFQDN%)'),
    )
    run = RunFacts(datetime(2026, 11, 21, tzinfo=timezone.utc))
    (change,) = changes(planned(cloud_group(1), attribute_mappings=given, run=run))
    assert (change.after["info"], change.after["mail"]) == (("2026",), ("a@contoso.com",))


def unique_info(*choices: str) -> tuple[AttributeMapping, ...]:
    return (AttributeMapping("info", EXPRESSION, f"SelectUniqueValue({','.join(choices)})"),)


def test_a_unique_value_is_unique_in_the_domain_and_in_the_run() -> None:
    directory = FakeDirectory()
    directory.add_group(directory_group(50, container=OUTSIDE, info=("Twin",)))
    groups = [cloud_group(number, displayName="Twin") for number in (1, 2, 3)]
    given = unique_info("[displayName]", 'Append([displayName],"-2")', 'Append([displayName],"-3")')
    items = planned(*groups, directory=directory, attribute_mappings=given)
    assert sorted(change.after["info"][0] for change in changes(items)) == ["Twin-2", "Twin-3"]
    assert [code for _id, code in problems(items)] == ["expression_failed"]
    assert directory.questions.count("taken") == 1


def test_a_unique_value_is_not_asked_for_groups_that_are_there() -> None:
    directory, journal = one_there()
    items = planned(cloud_group(1), directory=directory, journal=journal, attribute_mappings=unique_info('"a"', '"b"'))
    assert "taken" not in directory.questions
    assert [change for change in changes(items) if "info" in change.after] == []


def test_missing_containers_are_created_from_the_outside_in() -> None:
    tally = Tally()
    deep = f"OU=C,OU=B,OU=A,{MANAGED}"
    items = planned(cloud_group(1), cloud_group(2), place=deep, create_containers=True, tally=tally)
    assert actions(items) == ["create_container"] * 3 + ["create"] * 2
    made = [change.dn for change in changes(items)[:3]]
    assert made == [f"OU=A,{MANAGED}", f"OU=B,OU=A,{MANAGED}", deep]
    assert tally.counts[Kind.CONTAINERS] == 3
    assert [change.id for change in changes(items)[:3]] == [""] * 3


def test_containers_that_exist_are_not_created() -> None:
    items = planned(cloud_group(1), place=f"OU=New,{SUB.lower()}", create_containers=True)
    assert [change.dn.lower() for change in changes(items)][:1] == [f"ou=new,{SUB.lower()}"]
    assert actions(items) == ["create_container", "create"]


def test_a_container_that_is_missing_fails_the_group_where_none_are_created() -> None:
    items = planned(cloud_group(1), place=f"OU=New,{MANAGED}")
    assert (problems(items), actions(items)) == ([(cloud_id(1), "container_missing")], [])


@pytest.mark.parametrize(("place", "moves"), [(f"OU=New,{MANAGED}", True), (MANAGED, False)])
def test_a_move_that_cannot_be_made_is_said_to_be_one(place: str, moves: bool) -> None:
    """Else the new rule would be remembered as if it had been applied, and its moves held ever after."""
    directory, journal = one_there()
    found = planned(cloud_group(1), directory=directory, journal=journal, place=place, moves=Moves.FOLLOW)
    assert [item.moves for item in found if isinstance(item, Problem)] == ([True] if moves else [])


def test_containers_are_created_inside_the_managed_ones_only() -> None:
    items = planned(cloud_group(1), place=f"OU=New,{OUTSIDE}", create_containers=True)
    assert (problems(items), actions(items)) == ([(cloud_id(1), "container_not_managed")], [])


def test_a_converted_group_needs_no_container() -> None:
    directory = FakeDirectory()
    directory.add_group(directory_group(1))
    items = planned(converted(1, sid(2001)), directory=directory, place=f"OU=New,{MANAGED}", create_containers=True)
    assert actions(items) == ["adopt"]


def moving(moves: Moves, **more: Any) -> list[PlanItem]:
    """Plan the first group, whose data in the cloud ask for another container now."""
    directory, journal = one_there()
    group = cloud_group(1, classification="Sales", **more.pop("properties", {}))
    return planned(group, directory=directory, journal=journal, place=BY_CLASS, moves=moves, **more)


RULE = samples.settings(BY_CLASS).mapper.container_rule


def test_changed_data_move_a_group_where_moves_follow() -> None:
    items = moving(Moves.FOLLOW)
    assert actions(items) == ["move"]
    assert changes(items)[0].new_dn == f"CN=Group 1_000000000001,{SUB}"


@pytest.mark.parametrize("last_rule", [None, RULE])
def test_changed_data_do_not_move_a_group_where_moves_are_held(last_rule: str | None) -> None:
    items = moving(Moves.HOLD, run=RunFacts(last_container_rule=last_rule))
    assert (codes(items), actions(items)) == (["move_held"], [])


def test_a_changed_rule_moves_groups_although_moves_are_held() -> None:
    assert actions(moving(Moves.HOLD, run=RunFacts(last_container_rule="another"))) == ["move"]


def test_a_move_that_is_held_does_not_hold_the_rename() -> None:
    items = moving(Moves.HOLD, properties={"displayName": "New"})
    assert codes(items) == ["move_held"]
    assert actions(items) == ["update", "rename"]
    assert changes(items)[1].new_dn == f"CN=New_000000000001,{MANAGED}"


def test_a_rename_alone_is_never_held() -> None:
    directory, journal = one_there()
    items = planned(cloud_group(1, displayName="New"), directory=directory, journal=journal)
    assert (codes(items), actions(items)) == ([], ["update", "rename"])


def test_no_container_is_created_for_a_move_that_is_held() -> None:
    directory, journal = one_there()
    group = cloud_group(1, classification="New")
    items = planned(group, directory=directory, journal=journal, place=BY_CLASS, create_containers=True)
    assert (codes(items), actions(items)) == (["move_held"], [])


def test_of_two_groups_that_want_one_name_the_first_by_id_gets_it() -> None:
    twins = [cloud_group(2, displayName="Twin"), cloud_group(1, displayName="Twin")]
    for order in (1, -1):
        items = planned(*twins[::order], attribute_mappings=(PLAIN_NAME,))
        assert problems(items) == [(cloud_id(2), "name_collision")]
        assert [change.id for change in changes(items)] == [cloud_id(1)]


def test_a_suffix_makes_room_for_both() -> None:
    twins = [cloud_group(number, displayName="Twin") for number in (1, 2)]
    items = planned(*twins, attribute_mappings=(PLAIN_NAME,), name_collision=NameCollision.SUFFIX)
    assert [change.dn for change in changes(items)] == [f"CN=Twin,{MANAGED}", f"CN=Twin_{2:012x},{MANAGED}"]


def test_the_name_of_a_stranger_is_taken() -> None:
    directory = FakeDirectory()
    directory.add_group(directory_group(1))
    items = planned(cloud_group(1), directory=directory, attribute_mappings=(PLAIN_NAME,))
    assert problems(items) == [(cloud_id(1), "name_collision")]
    assert directory.questions.count("occupied") == 1


def test_an_account_name_anywhere_in_the_domain_is_taken() -> None:
    directory = FakeDirectory()
    directory.add_group(directory_group(50, container=OUTSIDE, sAMAccountName=("TEAM",)))
    given = (AttributeMapping(SAM, MappingKind.CONSTANT, "team"),)
    assert codes(planned(cloud_group(1), directory=directory, attribute_mappings=given)) == ["name_collision"]
    items = planned(cloud_group(1), directory=directory, attribute_mappings=given, name_collision=NameCollision.SUFFIX)
    assert changes(items)[0].after[SAM] == (f"team_{1:012x}",)


def test_names_are_not_asked_where_nobody_wants_one() -> None:
    directory, journal = one_there()
    assert planned(cloud_group(1), directory=directory, journal=journal) == []
    assert "occupied" not in directory.questions


def test_an_object_that_moves_with_its_own_name_finds_it_taken_there() -> None:
    """The mapping of cn gives nothing for it, so that it keeps the name that it has."""
    directory, journal = one_there()
    own_name = "Group 1_000000000001"
    stranger = dataclasses.replace(directory_group(50, container=SUB), dn=f"CN={own_name},{SUB}")
    directory.add_group(stranger)
    nameless = (AttributeMapping("cn", EXPRESSION, "IgnoreFlowIfNullOrEmpty([theme])"),)
    group = cloud_group(1, theme=None)
    items = planned(
        group, directory=directory, journal=journal, place=SUB, attribute_mappings=nameless, moves=Moves.FOLLOW
    )
    assert problems(items) == [(cloud_id(1), "name_collision")]


def test_names_are_asked_once_for_all() -> None:
    directory, journal = one_there()
    change = changes(planned(cloud_group(1, displayName="New"), directory=directory, journal=journal))[0]
    assert (change.action, change.guid) == (Action.UPDATE, guid(1))
    assert directory.questions.count("occupied") == 1
    assert not {"schema", "taken", "security"} & set(directory.questions)


def test_deleted_objects_that_are_hidden_are_told_once_and_stop_nothing() -> None:
    directory, journal = one_there()
    directory.deleted_hidden = True
    items = planned(cloud_group(1), cloud_group(2), cloud_group(3), directory=directory, journal=journal)
    assert codes(items) == ["deleted_objects_hidden"]
    assert actions(items) == ["create", "create"]
    (notice,) = [item for item in items if isinstance(item, Notice)]
    assert "2 groups" in notice.message
    assert planned(cloud_group(1), directory=directory, journal=journal) == []
