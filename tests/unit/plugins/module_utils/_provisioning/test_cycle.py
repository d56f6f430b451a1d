# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole plan from a snapshot and a directory."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.filters import Clause, Filter
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Kind, Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import CloudGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    MemberChange,
    Problem,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import SnapshotHeader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.scope import Scope, ScopeMode
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Moves
from tests.unit import samples
from tests.unit.fakes import FakeCloud, FakeDirectory, FakeJournal
from tests.unit.plugins.module_utils._provisioning.planning import (
    actions,
    codes,
    member_change,
    plan,
    settled,
    whole,
)
from tests.unit.samples import (
    FOREIGN_SID,
    MANAGED,
    OUTSIDE,
    SUB,
    anchored_group,
    cloud_group,
    cloud_id,
    converted,
    directory_group,
    group_member,
    guid,
    sid,
    user,
)


def test_nothing_gives_nothing() -> None:
    assert plan(FakeCloud(), FakeDirectory()) == []


def test_groups_come_before_members() -> None:
    directory = FakeDirectory()
    directory.add_user(1)
    cloud = FakeCloud([cloud_group(10), cloud_group(11)], {cloud_id(10): whole(user(1), group_member(11))})
    items = plan(cloud, directory)
    assert actions(items) == ["create", "create", "members"]
    change = member_change(items, 10)
    assert change is not None
    assert {(want.id, want.guid) for want in change.add} == {(cloud_id(1), guid(1)), (cloud_id(11), None)}
    assert (change.guid, change.before_count, change.remove) == (None, 0, ())


def test_a_plan_counts_what_it_holds() -> None:
    directory = FakeDirectory()
    for number in (10, 11):
        directory.add_group(settled(number), [guid(1), guid(2)])
    for number in (1, 2, 3):
        directory.add_user(number)
    directory.add_group(anchored_group(12, container=SUB))
    journal = FakeJournal()
    for number in (10, 11, 12):
        journal.know(number)
    cloud = FakeCloud(
        [cloud_group(10), cloud_group(11), cloud_group(12), cloud_group(13)], {cloud_id(10): whole(user(1), user(3))}
    )
    tally = Tally()
    plan(cloud, directory, journal, settings=samples.settings(moves=Moves.FOLLOW), tally=tally)
    assert (tally.groups, tally.links) == (3, 4)
    assert {kind.value: count for kind, count in tally.counts.items() if count} == {
        "creations": 1,
        "updates": 1,
        "renames": 1,
        "moves": 1,
        "member_additions": 1,
        "member_removals": 3,
        "groups_emptied": 1,
    }


def test_an_adoption_is_counted() -> None:
    tally = Tally()
    directory = FakeDirectory()
    directory.add_group(settled())
    assert actions(plan(FakeCloud([cloud_group(1)]), directory, tally=tally)) == ["adopt"]
    assert tally.counts[Kind.ADOPTIONS] == 1


@pytest.mark.parametrize(
    ("group", "code"),
    [
        (cloud_group(1, mailEnabled=True), "mail_enabled"),
        (cloud_group(1, onPremisesSyncEnabled=True), "on_premises_synced"),
        (cloud_group(1, onPremisesSecurityIdentifier=sid(2001)), "authority_unknown"),
        (cloud_group(1, managed=False, onPremisesSecurityIdentifier=sid(2001)), "rolled_back"),
    ],
)
def test_a_group_that_is_out_of_scope_is_kept_and_told(group: CloudGroup, code: str) -> None:
    directory = FakeDirectory()
    directory.add_group(settled(), [guid(2)])
    directory.add_user(2)
    journal = FakeJournal()
    journal.know(1)
    items = plan(FakeCloud([group]), directory, journal)
    assert codes(items) == [code, "retained_access"]
    assert actions(items) == []


@pytest.mark.parametrize(
    "scope",
    [
        Scope(frozenset(), ScopeMode.SELECTED),
        Scope(frozenset(), ScopeMode.ASSIGNED),
        Scope(filters=(Filter((Clause("displayName", "EQUALS", "Sales"),)),)),
    ],
)
def test_a_group_that_nobody_asked_for_is_kept_and_told_only_where_it_exists(scope: Scope) -> None:
    assert plan(FakeCloud([cloud_group(1)], scope=scope), FakeDirectory()) == []
    directory = FakeDirectory()
    directory.add_group(settled())
    cloud = FakeCloud([cloud_group(1)], scope=scope)
    assert codes(plan(cloud, directory)) == ["retained_access"]


def test_an_anchored_group_that_the_cloud_does_not_list_is_an_orphan() -> None:
    directory = FakeDirectory()
    directory.add_group(settled())
    assert codes(plan(FakeCloud(), directory)) == ["orphan"]
    narrowed = SnapshotHeader(samples.TENANT, "2026-01-01T00:00:00Z", "f", narrowed=True)
    assert plan(FakeCloud(header=narrowed), directory) == []


def test_a_group_whose_problem_was_told_is_no_orphan() -> None:
    directory = FakeDirectory()
    directory.add_group(anchored_group(1, adminCount=("1",)))
    assert codes(plan(FakeCloud([cloud_group(1)]), directory)) == ["protected_group"]


@pytest.mark.parametrize("object_class", ["user", "group"])
def test_an_anchor_elsewhere_is_reported_and_has_no_effect(object_class: str) -> None:
    directory = FakeDirectory()
    node = directory.add_group(anchored_group(1, container=OUTSIDE))
    node.object_class = object_class
    items = plan(FakeCloud([cloud_group(1)]), directory)
    assert codes(items) == ["anchor_tampering"]
    assert actions(items) == ["create"]


def test_an_anchor_on_a_user_inside_the_managed_containers_has_no_effect() -> None:
    directory = FakeDirectory()
    directory.add_group(anchored_group(1)).object_class = "user"
    assert codes(plan(FakeCloud([cloud_group(1)]), directory)) == ["anchor_tampering"]


def test_a_group_with_too_many_members_is_refused() -> None:
    cloud = FakeCloud([cloud_group(10)], {cloud_id(10): whole(user(1), user(2))})
    assert codes(plan(cloud, FakeDirectory(), settings=samples.settings(max_members=1))) == ["too_many_members"]
    assert "too_many_members" not in codes(plan(cloud, FakeDirectory(), settings=samples.settings(max_members=2)))


@pytest.mark.parametrize(
    ("group", "container", "code"),
    [
        (cloud_group(1, displayName="a\nb"), MANAGED, "cn_invalid"),
        (cloud_group(1), OUTSIDE, "container_not_managed"),
        (cloud_group(1), f"OU=None,{MANAGED}", "container_missing"),
        (cloud_group(1), "[displayName]", "container_not_managed"),
        (converted(1, sid(2001)), MANAGED, "converted_group_missing"),
        (converted(1, sid(1, FOREIGN_SID)), MANAGED, "other_domain_group"),
    ],
)
def test_one_bad_group_does_not_stop_the_others(group: CloudGroup, container: str, code: str) -> None:
    place = f'IIF([displayName]="Group 2","{MANAGED}","{container}")' if container != "[displayName]" else container
    items = plan(FakeCloud([group, cloud_group(2)]), FakeDirectory(), settings=samples.settings(place))
    assert code in codes(items)
    if container != "[displayName]":
        assert actions(items) == ["create"]


def test_a_problem_says_what_to_do() -> None:
    journal = FakeJournal()
    journal.know(1)
    (item,) = plan(FakeCloud([cloud_group(1)]), FakeDirectory(), journal)
    assert isinstance(item, Problem)
    assert item.code == "directory_group_missing"
    assert guid(1) in item.message
    assert "SID" in item.remedy


def test_a_group_of_another_scope_is_a_problem() -> None:
    directory = FakeDirectory()
    directory.add_group(anchored_group(1, groupType=("-2147483646",)))
    assert codes(plan(FakeCloud([cloud_group(1)]), directory)) == ["not_universal"]


def test_a_known_group_whose_anchor_was_wiped_is_found_by_its_guid_and_stamped_again() -> None:
    directory = FakeDirectory()
    directory.add_group(directory_group(1))
    journal = FakeJournal()
    journal.know(1)
    change = plan(FakeCloud([cloud_group(1)]), directory, journal)[0]
    assert isinstance(change, GroupChange)
    assert (change.action, change.guid) == (Action.UPDATE, guid(1))
    assert "msDS-ExternalDirectoryObjectId" in change.after


def test_a_known_group_that_left_the_managed_containers_is_not_made_anew() -> None:
    directory = FakeDirectory()
    directory.add_group(directory_group(1, container=OUTSIDE))
    journal = FakeJournal()
    journal.know(1)
    items = plan(FakeCloud([cloud_group(1)]), directory, journal)
    assert codes(items) == ["directory_group_missing"]
    assert actions(items) == []


def test_a_converted_group_keeps_its_object_wherever_the_target_container_is() -> None:
    directory = FakeDirectory()
    directory.add_group(directory_group(1, container=SUB))
    items = plan(FakeCloud([converted(1, sid(2001))]), directory, settings=samples.settings(OUTSIDE))
    assert actions(items) == ["adopt"]
    change = items[0]
    assert isinstance(change, GroupChange)
    assert change.guid == guid(1)


def test_an_object_answers_for_one_cloud_group_only_when_its_anchor_was_changed() -> None:
    """The known group gets its anchor back; the one that the anchor names must not capture the object."""
    directory = FakeDirectory()
    directory.add_group(anchored_group(1, of=2), [guid(3)])
    directory.add_user(3)
    journal = FakeJournal()
    journal.know(1)
    items = plan(FakeCloud([cloud_group(1), cloud_group(2)]), directory, journal)
    assert codes(items).count("anchor_tampering") == 2
    changes = [item for item in items if isinstance(item, (GroupChange, MemberChange))]
    assert {item.id for item in changes if item.guid == guid(1)} == {cloud_id(1)}
    written = next(item for item in changes if isinstance(item, GroupChange) and item.guid == guid(1))
    assert written.after[ANCHOR] == (identity.anchor_of(cloud_id(1)),)
    assert [item.action for item in changes if item.id == cloud_id(2)] == [Action.CREATE]


@pytest.mark.parametrize("order", [1, -1])
def test_an_object_answers_for_one_cloud_group_only_when_it_is_claimed_by_sid_and_by_anchor(order: int) -> None:
    directory = FakeDirectory()
    directory.add_group(anchored_group(1, of=2))
    groups = [converted(1, sid(2001)), cloud_group(2)][::order]
    items = plan(FakeCloud(groups), directory)
    writers = {item.id for item in items if isinstance(item, GroupChange) and item.guid == guid(1)}
    assert len(writers) <= 1


def test_an_object_answers_for_one_cloud_group_only_when_two_have_its_sid() -> None:
    directory = FakeDirectory()
    directory.add_group(directory_group(1))
    items = plan(FakeCloud([converted(1, sid(2001)), converted(2, sid(2001))]), directory)
    writers = {item.id for item in items if isinstance(item, GroupChange) and item.guid == guid(1)}
    assert len(writers) <= 1
