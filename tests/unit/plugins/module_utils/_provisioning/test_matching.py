# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose object each cloud group has in a plan: decoys, approval, deleted objects, and what guards the domain."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import (
    apply,
    dn,
    identity,
    member_applying,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Kind, Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.mapping import (
    AttributeMapping,
    MappingKind,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import CloudGroup, DirectoryGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    MemberChange,
    Notice,
    PlanItem,
    Problem,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.removal import ForeignMembers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.rights import (
    WRITE_PROPERTY,
    Ace,
    SecurityDescriptor,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.run_facts import RunFacts
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
    MANAGED,
    OUTSIDE,
    STRANGER_SID,
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

NAME = f"CN=Group 1_{1:012x},{MANAGED}"


def changes(items: list[PlanItem]) -> list[GroupChange]:
    return [item for item in items if isinstance(item, GroupChange)]


def with_decoy(*, mark: bool, own: bool = False, known: bool = False) -> tuple[FakeDirectory, FakeJournal]:
    """Return a directory where an untrusted writer stamped the first group's anchor on another object."""
    directory, journal = FakeDirectory(), FakeJournal()
    mark_values = (identity.anchor_of(cloud_id(1)),) if mark else ()
    directory.add_group(anchored_group(7, of=1, adminDescription=mark_values)).owner = STRANGER_SID
    if own:
        directory.add_group(settled())
    if known:
        journal.know(1)
    return directory, journal


@pytest.mark.parametrize("mark", [False, True])
@pytest.mark.parametrize("known", [False, True])
def test_a_decoy_beside_the_own_object_is_told_and_never_written(mark: bool, known: bool) -> None:
    items = plan(FakeCloud([cloud_group(1)]), *with_decoy(mark=mark, own=True, known=known))
    assert codes(items) == ["anchor_tampering"]
    assert actions(items) == ([] if known else ["adopt"])
    assert {change.guid for change in changes(items)} <= {guid(1)}


def test_a_decoy_alone_is_told_and_the_group_is_created() -> None:
    items = plan(FakeCloud([cloud_group(1)]), *with_decoy(mark=False))
    assert (codes(items), actions(items)) == (["anchor_tampering"], ["create"])
    assert changes(items)[0].ignored == (guid(7),)


@pytest.mark.parametrize(("mark", "journal_missing"), [(True, False), (False, True)])
def test_what_may_be_the_own_object_waits_for_approval(mark: bool, journal_missing: bool) -> None:
    directory, journal = with_decoy(mark=mark)
    run = RunFacts(journal_missing=journal_missing)
    items = plan(FakeCloud([cloud_group(1), cloud_group(2)]), directory, journal, run=run)
    (problem,) = [item for item in items if isinstance(item, Problem)]
    assert (problem.id, problem.code) == (cloud_id(1), "adoption_needs_approval")
    assert all(text in problem.message for text in (guid(7), STRANGER_SID))
    assert "adopt_objects" in problem.remedy
    assert [change.id for change in changes(items)] == [cloud_id(2)]


@pytest.mark.parametrize(
    ("decision", "told", "done"),
    [
        ({"adopt_objects": (guid(7),)}, [], ["adopt", "rename"]),
        ({"trusted_writers": (STRANGER_SID.lower(),)}, [], ["adopt", "rename"]),
        ({"ignore_objects": (guid(7).upper(),)}, ["anchor_tampering"], ["create"]),
    ],
)
def test_the_administrator_decides(decision: dict[str, Any], told: list[str], done: list[str]) -> None:
    directory, journal = with_decoy(mark=True)
    items = plan(FakeCloud([cloud_group(1)]), directory, journal, settings=samples.settings(**decision))
    assert (codes(items), actions(items)) == (told, done)


def test_access_control_lists_are_read_only_of_what_the_journal_does_not_know() -> None:
    directory, journal = FakeDirectory(), FakeJournal()
    directory.add_group(settled())
    journal.know(1)
    plan(FakeCloud([cloud_group(1), cloud_group(2)]), directory, journal)
    assert "security" not in directory.questions
    plan(FakeCloud([cloud_group(1)]), directory)
    assert directory.questions.count("security") == 1


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_what_is_inside_a_group_that_guards_the_domain_is_never_written(depth: int) -> None:
    directory, journal = FakeDirectory(), FakeJournal()
    directory.add_group(settled())
    journal.know(1)
    inner = guid(1)
    for number in range(50, 50 + depth):
        directory.add_group(directory_group(number, container=OUTSIDE), [inner])
        inner = guid(number)
    directory.guarding = {inner}
    items = plan(FakeCloud([cloud_group(1, displayName="New")], {cloud_id(1): whole(user(1))}), directory, journal)
    assert (codes(items), actions(items)) == (["protected_group"], [])


def test_a_group_inside_a_protected_one_is_never_written() -> None:
    directory = FakeDirectory()
    directory.add_group(settled())
    directory.add_group(directory_group(50, container=OUTSIDE, sAMAccountName=("Tier 0",)), [guid(1)])
    cloud = FakeCloud([cloud_group(1)])
    assert codes(plan(cloud, directory, settings=samples.settings(protected_groups=("tier 0",)))) == ["protected_group"]
    assert actions(plan(cloud, directory)) == ["adopt"]


def test_what_guards_the_domain_is_not_asked_for_groups_to_be_created() -> None:
    directory = FakeDirectory()
    plan(FakeCloud([cloud_group(1)]), directory)
    assert "protected" not in directory.questions


def lost(
    group: DirectoryGroup, *members: int, recycle_bin: bool = False, owner: str = samples.OWN_SID
) -> FakeDirectory:
    """Return a directory where a group with members was deleted by hand."""
    directory = FakeDirectory()
    directory.recycle_bin = recycle_bin
    for number in members:
        directory.add_user(number)
    directory.add_group(group, map(guid, members)).owner = owner
    directory.delete_by_hand(group.guid)
    return directory


TAKEN_OVER = directory_group(1, adminDescription=(f"TakenOver_Group_{cloud_id(1)}",))
CASES: dict[str, tuple[CloudGroup, DirectoryGroup, bool]] = {
    "born, known": (cloud_group(1), settled(), True),
    "born, by its anchor": (cloud_group(1), settled(), False),
    "converted": (converted(1, sid(2001)), TAKEN_OVER, False),
    "converted, known": (converted(1, sid(2001)), TAKEN_OVER, True),
}


@pytest.mark.parametrize("recycle_bin", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_a_deleted_object_is_restored_with_its_links(case: str, recycle_bin: bool) -> None:
    """From the Recycle Bin its own memberships come back, too, perhaps in groups that guard the domain."""
    group, held, is_known = CASES[case]
    directory, journal = lost(held, 2, 3, recycle_bin=recycle_bin), FakeJournal()
    if is_known:
        journal.know(1)
    tally = Tally()
    keep = samples.settings(foreign_members=ForeignMembers.KEEP)
    cloud = FakeCloud([group], {cloud_id(1): whole(user(2), user(4))})
    items = plan(cloud, directory, journal, settings=keep, tally=tally)
    (restore,) = changes(items)
    assert (restore.action, restore.guid, restore.new_dn) == (Action.RESTORE, guid(1), held.dn)
    assert "Deleted Objects" in restore.dn
    waiting = ["members_wait"] if recycle_bin or group.security_identifier else ["not_found_in_directory"]
    assert codes(items) == [*(["links_return"] if recycle_bin else []), *waiting]
    assert tally.counts[Kind.RESTORES] == 1
    change = member_change(items)
    added = [want.guid for want in change.add] if change else []
    assert added == ([guid(2)] if waiting == ["not_found_in_directory"] else [])
    assert tally.counts[Kind.MEMBER_ADDITIONS] == (2 if recycle_bin else len(added))


def applied(items: list[PlanItem], directory: FakeDirectory, journal: FakeJournal) -> list[PlanItem]:
    """Carry a plan out."""
    list(apply.apply_groups(changes(items), directory, directory, journal))
    members = [item for item in items if isinstance(item, MemberChange)]
    list(member_applying.apply_members(members, directory, directory, journal, just_planned=True))
    return items


def test_links_that_return_and_are_not_listed_are_judged_in_the_next_run() -> None:
    directory, journal = lost(settled(), 2, 3, recycle_bin=True), FakeJournal()
    journal.know(1, accepted=True)
    cloud = FakeCloud([cloud_group(1)], {cloud_id(1): whole(user(2))})
    items = applied(plan(cloud, directory, journal), directory, journal)
    assert member_change(items) is None
    told = [item for item in items if isinstance(item, Notice)]
    assert [item.code for item in told] == ["links_return", "members_wait"]
    assert all(f"CN=User {number}" in told[0].message for number in (2, 3))
    change = member_change(applied(plan(cloud, directory, journal), directory, journal))
    assert change is not None
    assert ([link.guid for link in change.remove], change.before_count) == ([guid(3)], 2)
    assert directory.nodes[guid(1)].members == {guid(2)}
    assert plan(cloud, directory, journal) == []


@pytest.mark.parametrize(
    ("group", "held"), [(cloud_group(1), settled()), (converted(1, sid(2001)), directory_group(1))]
)
def test_a_group_that_is_restored_into_a_protected_one_gets_no_members(group: CloudGroup, held: DirectoryGroup) -> None:
    """While it was deleted nobody could see that it was inside; the next run does."""
    directory, journal = FakeDirectory(), FakeJournal()
    directory.recycle_bin = True
    directory.add_user(2)
    directory.add_group(held)
    journal.know(1)
    boss = directory.add_group(directory_group(7, container=OUTSIDE, sAMAccountName=("Tier 0",)), [guid(1)])
    directory.delete_by_hand(guid(1))
    cloud = FakeCloud([group], {cloud_id(1): whole(user(2))})
    settings = samples.settings(protected_groups=("tier 0",))
    first = applied(plan(cloud, directory, journal, settings=settings), directory, journal)
    assert (set(actions(first)) <= {"restore", "rename"}, guid(1) in boss.members) == (True, True)
    second = applied(plan(cloud, directory, journal, settings=settings), directory, journal)
    assert (codes(second), actions(second)) == (["protected_group"], [])
    assert directory.nodes[guid(1)].members == set()


@pytest.mark.parametrize(
    ("parent", "container", "moves", "expected"),
    [
        (SUB, MANAGED, Moves.HOLD, [("restore", SUB)]),
        (SUB, MANAGED, Moves.FOLLOW, [("restore", SUB), ("move", MANAGED)]),
        (OUTSIDE, MANAGED, Moves.HOLD, [("restore", MANAGED)]),
        (f"OU=Gone,{MANAGED}", MANAGED, Moves.HOLD, [("restore", MANAGED)]),
        (f"OU=Gone,{MANAGED}", SUB, Moves.HOLD, [("restore", SUB)]),
    ],
)
def test_a_restored_group_returns_to_its_container_if_that_is_there_and_managed(
    parent: str, container: str, moves: Moves, expected: list[tuple[str, str]]
) -> None:
    group = replace(settled(), dn=dn.child("CN", f"Group 1_{1:012x}", parent))
    journal = FakeJournal()
    journal.know(1)
    settings = samples.settings(container, moves=moves)
    items = plan(FakeCloud([cloud_group(1)]), lost(group), journal, settings=settings)
    told = [(change.action.value, dn.parent(change.new_dn or "")) for change in changes(items)]
    assert told == expected
    assert set(codes(items)) <= {"move_held"}


def test_a_restored_group_is_renamed_like_any_other() -> None:
    journal = FakeJournal()
    journal.know(1)
    items = plan(FakeCloud([cloud_group(1, displayName="New")]), lost(settled()), journal)
    assert [(change.action, change.new_dn) for change in changes(items)] == [
        (Action.RESTORE, NAME),
        (Action.RENAME, f"CN=New_{1:012x},{MANAGED}"),
    ]


def test_a_restored_converted_group_needs_no_target_container() -> None:
    settings = samples.settings(f"OU=None,{MANAGED}")
    items = plan(FakeCloud([converted(1, sid(2001))]), lost(directory_group(1, container=SUB)), settings=settings)
    assert (codes(items), actions(items)) == (["members_wait"], ["restore"])


def test_no_container_is_created_for_a_group_that_returns_to_its_own() -> None:
    settings = samples.settings(f"OU=None,{MANAGED}", create_containers=True)
    items = plan(FakeCloud([converted(1, sid(2001))]), lost(directory_group(1, container=SUB)), settings=settings)
    assert actions(items) == ["restore"]


def test_a_restored_group_whose_name_is_taken_waits() -> None:
    directory, journal = lost(settled()), FakeJournal()
    journal.know(1)
    directory.add_group(replace(directory_group(50), dn=NAME))
    items = plan(FakeCloud([cloud_group(1)]), directory, journal)
    assert (codes(items), actions(items)) == (["name_collision"], [])


def test_the_name_of_a_restored_group_is_not_given_to_another() -> None:
    plain = AttributeMapping("cn", MappingKind.DIRECT, "displayName")
    journal = FakeJournal()
    journal.know(1)
    directory = lost(replace(settled(), dn=f"CN=Twin,{MANAGED}"))
    groups = [cloud_group(1, displayName="New"), cloud_group(2, displayName="Twin")]
    settings = samples.settings(attribute_mappings=(plain,))
    items = plan(FakeCloud(groups), directory, journal, settings=settings)
    taken = [change.new_dn or change.dn for change in changes(items)]
    assert taken.count(f"CN=Twin,{MANAGED}") == 1


def test_what_is_never_written_is_never_restored() -> None:
    directory = lost(replace(settled(), attributes={**settled().attributes, "adminCount": ("1",)}), recycle_bin=True)
    items = plan(FakeCloud([cloud_group(1)]), directory)
    assert (codes(items), actions(items)) == (["protected_group"], [])


@pytest.mark.parametrize("recycle_bin", [False, True])
def test_a_deleted_group_of_another_scope_is_made_universal_once_it_is_back(recycle_bin: bool) -> None:
    held = settled()
    held = replace(held, attributes={**held.attributes, "groupType": ("-2147483646",)})
    journal = FakeJournal()
    journal.know(1)
    directory = lost(held, recycle_bin=recycle_bin)
    assert codes(plan(FakeCloud([cloud_group(1)]), directory, journal)) == ["not_universal"]
    settings = samples.settings(convert_scope=True)
    items = plan(FakeCloud([cloud_group(1)]), directory, journal, settings=settings)
    assert actions(items) == ["restore", "convert"]
    assert all("groupType" not in change.after for change in changes(items)[:1])


@pytest.mark.parametrize("recycle_bin", [False, True])
def test_a_deleted_object_that_others_may_write_waits_when_its_owner_is_trusted(recycle_bin: bool) -> None:
    """Without the Recycle Bin its mark is lost, and a group created anew would have another SID."""
    directory = FakeDirectory()
    directory.recycle_bin = recycle_bin
    directory.add_group(settled())
    help_desk = Ace(True, WRITE_PROPERTY, STRANGER_SID, None, False)
    directory.descriptors[guid(1)] = SecurityDescriptor(samples.OWN_SID, (help_desk,))
    cloud = FakeCloud([cloud_group(1)])
    for _state in ("living", "deleted"):
        items = plan(cloud, directory)
        assert (codes(items), actions(items)) == (["adoption_needs_approval"], [])
        if guid(1) in directory.nodes:
            directory.delete_by_hand(guid(1))
    assert actions(plan(cloud, directory, settings=samples.settings(ignore_objects=(guid(1),)))) == ["create"]


def test_an_administrator_who_vouches_for_an_object_does_not_take_it_from_its_group() -> None:
    """Whoever stamps the anchor of a second group on it must not stop both by that."""
    directory, journal = FakeDirectory(), FakeJournal()
    directory.add_group(settled())
    journal.know(1)
    directory.nodes[guid(1)].attributes[ANCHOR] = (identity.anchor_of(cloud_id(2)),)
    settings = samples.settings(adopt_objects=(guid(1),))
    items = plan(FakeCloud([cloud_group(1), cloud_group(2)]), directory, journal, settings=settings)
    assert {change.id: change.action for change in changes(items)} == {
        cloud_id(1): Action.UPDATE,
        cloud_id(2): Action.CREATE,
    }
    assert set(codes(items)) == {"anchor_tampering"}


def test_the_deleted_object_of_an_untrusted_writer_is_not_restored() -> None:
    cloud = FakeCloud([cloud_group(1)])
    assert actions(plan(cloud, lost(settled(), owner=STRANGER_SID))) == ["create"]
    marked = lost(settled(), owner=STRANGER_SID, recycle_bin=True)
    assert codes(plan(cloud, marked)) == ["adoption_needs_approval"]
    approved = samples.settings(adopt_objects=(guid(1),))
    assert actions(plan(cloud, marked, settings=approved)) == ["restore"]


def test_a_deleted_object_whose_anchor_is_not_believed_is_told() -> None:
    items = plan(FakeCloud([cloud_group(1)]), lost(settled(), owner=STRANGER_SID))
    assert codes(items) == ["anchor_tampering"]


def test_a_living_object_that_waits_is_not_replaced_by_a_deleted_one() -> None:
    directory = lost(settled())
    mark = (identity.anchor_of(cloud_id(1)),)
    directory.add_group(anchored_group(7, of=1, adminDescription=mark)).owner = STRANGER_SID
    items = plan(FakeCloud([cloud_group(1)]), directory)
    assert (codes(items), actions(items)) == (["adoption_needs_approval"], [])


@pytest.mark.parametrize(
    ("group", "known", "code"),
    [
        (cloud_group(1), True, "directory_group_missing"),
        (converted(1, sid(2001)), False, "converted_group_missing"),
    ],
)
def test_what_is_neither_living_nor_deleted_is_missing(group: CloudGroup, known: bool, code: str) -> None:
    journal = FakeJournal()
    if known:
        journal.know(1)
    assert codes(plan(FakeCloud([group]), FakeDirectory(), journal)) == [code]
    hidden = FakeDirectory()
    hidden.deleted_hidden = True
    assert code in codes(plan(FakeCloud([group]), hidden, journal))


def test_only_groups_that_are_created_are_told_when_deleted_objects_are_hidden() -> None:
    hidden = FakeDirectory()
    hidden.deleted_hidden = True
    items = plan(FakeCloud([cloud_group(1), converted(2, sid(2002))]), hidden)
    (notice,) = [item for item in items if isinstance(item, Notice)]
    assert notice.code == "deleted_objects_hidden"
    assert notice.message.startswith("1 group")


def test_a_nested_group_that_is_restored_is_linked() -> None:
    directory, journal = lost(settled()), FakeJournal()
    directory.add_group(settled(10))
    journal.know(1)
    journal.know(10)
    cloud = FakeCloud([cloud_group(1), cloud_group(10)], {cloud_id(10): whole(group_member(1))})
    change = member_change(plan(cloud, directory, journal), 10)
    assert change is not None
    assert [want.guid for want in change.add] == [guid(1)]


def test_an_anchor_that_was_overwritten_is_written_back_and_told() -> None:
    directory, journal = FakeDirectory(), FakeJournal()
    directory.add_group(replace(settled(), attributes={**settled().attributes, ANCHOR: (f"Group_{cloud_id(9)}",)}))
    journal.know(1)
    items = plan(FakeCloud([cloud_group(1)]), directory, journal)
    assert codes(items) == ["anchor_tampering"]
    (change,) = changes(items)
    assert (change.action, change.after) == (Action.UPDATE, {ANCHOR: (identity.anchor_of(cloud_id(1)),)})


@pytest.mark.parametrize("state", ["absent", "living", "deleted"])
def test_a_target_container_that_is_no_name_stops_its_group_only(state: str) -> None:
    directory, journal = lost(settled()) if state == "deleted" else FakeDirectory(), FakeJournal()
    if state == "living":
        directory.add_group(settled())
    if state != "absent":
        journal.know(1)
    place = f'IIF([displayName]="Group 1","nonsense","{MANAGED}")'
    settings = samples.settings(place, moves=Moves.FOLLOW)
    items = plan(FakeCloud([cloud_group(1), cloud_group(2)]), directory, journal, settings=settings)
    assert [(item.id, item.code) for item in items if isinstance(item, Problem)] == [
        (cloud_id(1), "container_not_managed")
    ]
    assert [change.id for change in changes(items)] == [cloud_id(2)]
