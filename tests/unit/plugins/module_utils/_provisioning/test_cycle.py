# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A whole plan from a snapshot and a directory."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.cycle import build_plan, chunks
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Kind, Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.membership import ForeignMembers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    CompleteReading,
    DirectoryGroup,
    GraphValue,
    IncompleteReading,
    Principal,
    PrincipalKind,
    Reading,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    MemberChange,
    Notice,
    PlanItem,
    Problem,
    Skip,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import SnapshotHeader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Settings
from tests.unit import samples
from tests.unit.fakes import FakeCloud, FakeDirectory, FakeJournal
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
    other_member,
    sid,
    user,
)

Members = Reading[tuple[Principal, ...]]


def whole(*members: Principal) -> Members:
    return CompleteReading(members)


def plan(
    cloud: FakeCloud,
    directory: FakeDirectory,
    journal: FakeJournal | None = None,
    *,
    settings: Settings | None = None,
    tally: Tally | None = None,
) -> list[PlanItem]:
    known = (journal or FakeJournal()).known()
    return list(build_plan(settings or samples.settings(), cloud, directory, known, tally or Tally()))


def codes(items: Iterable[PlanItem]) -> list[str]:
    return [item.code for item in items if isinstance(item, (Skip, Problem, Notice))]


def actions(items: Iterable[PlanItem]) -> list[str]:
    return [item.action.value for item in items if isinstance(item, (GroupChange, MemberChange))]


def member_change(items: Iterable[PlanItem], number: int = 1) -> MemberChange | None:
    """Return the change of the links of the group with this number."""
    found = [item for item in items if isinstance(item, MemberChange) and item.id == cloud_id(number)]
    assert len(found) <= 1
    return found[0] if found else None


def settled(number: int = 1) -> DirectoryGroup:
    """Return the group of the directory exactly as the default mappings want it."""
    anchor = identity.anchor_of(cloud_id(number))
    return DirectoryGroup(
        guid(number),
        sid(2000 + number),
        f"CN=Group {number}_{number:012x},{MANAGED}",
        {
            "groupType": ("-2147483640",),
            "displayName": (f"Group {number}",),
            "adminDescription": (anchor,),
            "msDS-ExternalDirectoryObjectId": (anchor,),
        },
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
    plan(cloud, directory, journal, tally=tally)
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


def test_a_group_that_is_not_selected_is_kept_and_told() -> None:
    directory = FakeDirectory()
    directory.add_group(settled())
    cloud = FakeCloud([cloud_group(1)], selected=frozenset())
    assert codes(plan(cloud, directory)) == ["not_selected", "retained_access"]


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
    directory = FakeDirectory()
    directory.tombstones[identity.anchor_of(cloud_id(1))] = "CN=Group 1\\0ADEL:1,CN=Deleted Objects,DC=contoso,DC=com"
    (item,) = plan(FakeCloud([cloud_group(1)]), directory)
    assert isinstance(item, Problem)
    assert item.code == "deleted_object_exists"
    assert "Deleted Objects" in item.message
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
    """The remedy of anchor_changed says that nothing is written to either; another group must not capture it."""
    directory = FakeDirectory()
    directory.add_group(anchored_group(1, of=2), [guid(3)])
    directory.add_user(3)
    journal = FakeJournal()
    journal.know(1)
    items = plan(FakeCloud([cloud_group(1), cloud_group(2)]), directory, journal)
    assert "anchor_changed" in codes(items)
    assert [item for item in items if isinstance(item, (GroupChange, MemberChange)) and item.guid == guid(1)] == []


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


# "User members", one row each: the parent is a cloud group unless it says otherwise.
@pytest.mark.parametrize(
    ("row", "synced_parent", "members", "added", "skipped"),
    [
        ("on-premises members", False, (user(1), user(2)), {1, 2}, []),
        ("cloud members", False, (user(1, None), user(2, None)), set(), ["cloud_only_user"] * 2),
        ("mixed members", False, (user(1), user(2, None)), {1}, ["cloud_only_user"]),
        ("no members", False, (), set(), []),
        ("on-premises parent", True, (user(1), user(2)), None, ["on_premises_synced"]),
    ],
)
def test_user_members(
    row: str, synced_parent: bool, members: tuple[Principal, ...], added: set[int] | None, skipped: list[str]
) -> None:
    directory = FakeDirectory()
    directory.add_user(1)
    directory.add_user(2)
    cloud = FakeCloud([cloud_group(10, onPremisesSyncEnabled=synced_parent)], {cloud_id(10): whole(*members)})
    items = plan(cloud, directory)
    assert codes(items) == skipped, row
    assert actions(items)[:1] == ([] if added is None else ["create"]), row
    change = member_change(items, 10)
    written = {want.guid for want in change.add} if change else set()
    assert written == {guid(number) for number in added or ()}, row


NESTED_KINDS: dict[str, dict[str, GraphValue]] = {
    "entra": {},
    "synced": {"onPremisesSyncEnabled": True, "onPremisesSecurityIdentifier": sid(2011)},
    "converted": {"onPremisesSecurityIdentifier": sid(2011)},
}


# "Nested groups", one row each.
@pytest.mark.parametrize(
    ("parent", "member", "written"),
    [
        ("entra", "entra", True),
        ("entra", "synced", False),
        ("entra", "converted", True),
        ("converted", "entra", True),
        ("converted", "synced", False),
        ("converted", "converted", True),
    ],
)
def test_nested_groups(parent: str, member: str, written: bool) -> None:
    directory = FakeDirectory()
    directory.add_group(directory_group(10))
    directory.add_group(directory_group(11))
    outer = cloud_group(10) if parent == "entra" else converted(10, sid(2010))
    inner = cloud_group(11, managed=member == "converted", **NESTED_KINDS[member])
    nested = Principal(cloud_id(11), PrincipalKind.GROUP, "Group 11", member == "synced", None)
    items = plan(FakeCloud([outer, inner], {cloud_id(10): whole(nested)}), directory)
    change = member_change(items, 10)
    assert (change is not None) is written
    assert ("synced_group" in codes(items)) is (member == "synced")
    if change:
        assert [want.guid for want in change.add] == [guid(11) if member == "converted" else None]
    assert any(isinstance(item, GroupChange) and item.id == cloud_id(10) for item in items)


def test_scope_is_never_widened_through_nesting() -> None:
    cloud = FakeCloud(
        [cloud_group(10), cloud_group(11)],
        {cloud_id(10): whole(group_member(11)), cloud_id(11): whole(user(1))},
        selected=frozenset({cloud_id(10)}),
    )
    items = plan(cloud, FakeDirectory())
    assert actions(items) == ["create"]
    assert sorted(codes(items)) == ["group_not_provisioned", "not_selected"]


def test_a_nested_group_with_a_problem_is_not_linked() -> None:
    directory = FakeDirectory()
    directory.add_group(anchored_group(11, adminCount=("1",)))
    cloud = FakeCloud([cloud_group(10), cloud_group(11)], {cloud_id(10): whole(group_member(11))})
    assert codes(plan(cloud, directory)) == ["protected_group", "group_not_provisioned"]


def managed_group_with(
    links: Iterable[int],
    *members: Principal,
    reading: Members | None = None,
    accepted: bool = True,
    **properties: GraphValue,
) -> tuple[FakeCloud, FakeDirectory, FakeJournal]:
    """Return a group that is as it should be, with these links and these listed members."""
    directory = FakeDirectory()
    directory.add_group(settled(10), [guid(number) for number in links])
    for number in range(1, 6):
        directory.add_user(number)
    journal = FakeJournal()
    journal.know(10, accepted=accepted)
    cloud = FakeCloud([cloud_group(10, **properties)], {cloud_id(10): reading or whole(*members)})
    return cloud, directory, journal


def test_links_are_made_what_the_cloud_lists() -> None:
    items = plan(*managed_group_with([1, 2], user(2), user(3)))
    change = member_change(items, 10)
    assert change is not None
    assert ([want.guid for want in change.add], [link.guid for link in change.remove]) == ([guid(3)], [guid(1)])
    assert change.before_count == 2


def test_skipped_members_keep_their_links() -> None:
    listed = user(1, sid(1, FOREIGN_SID))
    cloud, directory, journal = managed_group_with([1], listed)
    directory.nodes[guid(1)].sid = sid(1, FOREIGN_SID)
    items = plan(cloud, directory, journal)
    assert codes(items) == ["other_forest"]
    assert actions(items) == []


def test_an_unreadable_member_keeps_foreign_links_of_its_class() -> None:
    items = plan(*managed_group_with([1], user(9, readable=False)))
    assert sorted(codes(items)) == ["unreadable", "unreadable_member_listed"]
    assert actions(items) == []


def test_foreign_members_of_a_group_that_was_there_before_are_listed_and_kept() -> None:
    items = plan(*managed_group_with([1], accepted=False))
    assert codes(items) == ["foreign_member"]
    assert actions(items) == []
    items = plan(
        *managed_group_with([1], accepted=False), settings=samples.settings(foreign_members=ForeignMembers.REMOVE)
    )
    assert actions(items) == ["members"]


def test_protected_members_are_kept() -> None:
    items = plan(*managed_group_with([1]), settings=samples.settings(protected_members=(sid(5001),)))
    assert codes(items) == ["protected_member"]
    assert actions(items) == []


def test_an_incomplete_reading_adds_and_removes_nothing() -> None:
    reading: Members = IncompleteReading((user(2),), "page 2 was lost")
    items = plan(*managed_group_with([1], reading=reading))
    assert codes(items) == ["removals_held"]
    change = member_change(items, 10)
    assert change is not None
    assert ([want.guid for want in change.add], change.remove) == ([guid(2)], ())


def test_nothing_is_removed_while_a_rule_is_being_evaluated() -> None:
    world = managed_group_with([1], groupTypes=["DynamicMembership"], membershipRuleProcessingState="Evaluating")
    items = plan(*world)
    assert codes(items) == ["removals_held"]
    assert actions(items) == []


def test_a_member_without_a_name_is_called_by_its_id() -> None:
    cloud = FakeCloud([cloud_group(10)], {cloud_id(10): whole(other_member(1, PrincipalKind.DEVICE, readable=False))})
    skip = next(item for item in plan(cloud, FakeDirectory()) if isinstance(item, Skip))
    assert (skip.name, skip.group_id, skip.group_name) == (cloud_id(1), cloud_id(10), "Group 10")


def test_each_account_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    directory = FakeDirectory()
    asked: list[str] = []
    resolve = directory.resolve

    def counting(sids: Iterable[str]) -> object:
        asked.extend(sids)
        return resolve(list(sids))

    monkeypatch.setattr(directory, "resolve", counting)
    groups = [cloud_group(number) for number in range(100, 350)]
    members = {group.id: whole(user(1), user(2)) for group in groups}
    directory.add_user(1)
    plan(FakeCloud(groups, members), directory)
    assert sorted(asked) == [sid(5001), sid(5002)]


def test_chunks() -> None:
    assert list(chunks(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(chunks([], 2)) == []
