# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members in a whole plan: the rows of the documented tables, and what keeps a link."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    IncompleteReading,
    Principal,
    PrincipalKind,
    Reading,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    GroupChange,
    Notice,
    Question,
    Skip,
    Subject,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.removal import ForeignMembers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.run_facts import RunFacts
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.scope import Scope, ScopeMode
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
    SISTER_SID,
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


NESTED_KINDS: dict[str, dict[str, Any]] = {
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
        scope=Scope(frozenset({cloud_id(10)}), ScopeMode.SELECTED),
    )
    items = plan(cloud, FakeDirectory())
    assert actions(items) == ["create"]
    assert codes(items) == ["group_not_provisioned"]


def test_a_nested_group_with_a_problem_is_not_linked() -> None:
    directory = FakeDirectory()
    directory.add_group(anchored_group(11, adminCount=("1",)))
    cloud = FakeCloud([cloud_group(10), cloud_group(11)], {cloud_id(10): whole(group_member(11))})
    assert codes(plan(cloud, directory)) == ["protected_group", "group_not_provisioned"]


def managed_group_with(
    links: Iterable[int],
    *members: Principal,
    reading: Reading[tuple[Principal, ...]] | None = None,
    accepted: bool = True,
    **properties: Any,
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
    reading = IncompleteReading((user(2),), "page 2 was lost")
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


def test_the_links_of_a_group_that_cannot_be_read_stay_as_they_are() -> None:
    cloud, directory, journal = managed_group_with([1, 2], user(3))
    directory.cut = {guid(10)}
    items = plan(cloud, directory, journal)
    assert (codes(items), actions(items)) == (["links_unread"], [])


def test_what_earlier_runs_added_is_taken_away_although_foreign_members_are_kept() -> None:
    cloud, directory, journal = managed_group_with([1, 2], accepted=False)
    run = RunFacts(added=lambda ids: {number: frozenset({guid(1)}) for number in ids})
    items = plan(cloud, directory, journal, settings=samples.settings(foreign_members=ForeignMembers.KEEP), run=run)
    change = member_change(items, 10)
    assert change is not None
    assert [link.guid for link in change.remove] == [guid(1)]
    assert codes(items) == ["foreign_member"]


def test_losing_the_permission_to_read_members_takes_nobody_out() -> None:
    cloud, directory, journal = managed_group_with([1, 2], user(1, readable=False), user(2, readable=False))
    run = RunFacts(added=lambda ids: {number: frozenset({guid(1), guid(2)}) for number in ids})
    items = plan(cloud, directory, journal, run=run)
    assert actions(items) == []
    assert codes(items).count("unreadable_member_listed") == 2


@pytest.mark.parametrize(
    ("accepted", "setting", "asked"),
    [
        (False, ForeignMembers.ACCEPTED, {1, 2}),
        (True, ForeignMembers.KEEP, {1, 2}),
        (True, ForeignMembers.ACCEPTED, set()),
        (False, ForeignMembers.REMOVE, {1, 2}),
    ],
)
def test_whose_foreign_links_are_is_asked(accepted: bool, setting: ForeignMembers, asked: set[int]) -> None:
    """Entra ID may know the account although it is in no captured group; the next plan then knows that it has left."""
    world = managed_group_with([1, 2], user(3), accepted=accepted)
    items = plan(*world, settings=samples.settings(foreign_members=setting))
    found = {item.value for item in items if isinstance(item, Question)}
    assert found == {sid(5000 + number) for number in asked}
    assert all(item.about is Subject.SID for item in items if isinstance(item, Question))


def test_a_group_is_not_linked_to_those_whose_primary_group_it_is() -> None:
    cloud, directory, journal = managed_group_with([], user(1), user(2))
    directory.nodes[guid(1)].primary_group = 2010
    items = plan(cloud, directory, journal)
    change = member_change(items, 10)
    assert change is not None
    assert ([want.guid for want in change.add], codes(items)) == ([guid(2)], ["primary_group"])


@pytest.mark.parametrize("catalog", [False, True])
def test_members_of_other_domains(catalog: bool) -> None:
    sister = sid(7, SISTER_SID)
    cloud, directory, journal = managed_group_with([2], user(1, sister), accepted=True)
    directory.info = replace(directory.info, catalog=catalog)
    directory.nodes[guid(1)].sid = sister
    directory.nodes[guid(2)].sid = sid(8, SISTER_SID)
    items = plan(cloud, directory, journal)
    change = member_change(items, 10)
    if catalog:
        assert change is not None
        assert ([want.guid for want in change.add], [held.guid for held in change.remove]) == ([guid(1)], [guid(2)])
        assert change.add[0].dn == directory.nodes[guid(1)].dn
    else:
        assert change is None
        assert codes(items) == ["other_domain", "unread_domain"]


def test_a_user_without_a_sid_is_found_by_the_source_anchor() -> None:
    listed = replace(
        user(9, None),
        on_premises_immutable_id=guid(77),
        on_premises_sam_account_name="user 1",
        on_premises_domain_name="contoso.com",
    )
    cloud, directory, journal = managed_group_with([], listed)
    directory.nodes[guid(1)].consistency_guid = guid(77)
    change = member_change(plan(cloud, directory, journal), 10)
    assert change is not None
    assert [(want.id, want.guid) for want in change.add] == [(cloud_id(9), guid(1))]
    directory.nodes[guid(2)].consistency_guid = guid(77)
    assert codes(plan(cloud, directory, journal)) == ["identity_conflict"]


def test_an_account_that_is_renamed_before_the_cloud_hears_of_it_keeps_its_link() -> None:
    listed = replace(
        user(9, None),
        on_premises_immutable_id=guid(77),
        on_premises_sam_account_name="before",
        on_premises_domain_name="contoso.com",
    )
    cloud, directory, journal = managed_group_with([1], listed)
    directory.nodes[guid(1)].consistency_guid = guid(77)
    items = plan(cloud, directory, journal)
    assert (codes(items), actions(items)) == (["identity_conflict"], [])


def test_groups_that_hold_one_another_are_told_and_written() -> None:
    names = {10: 11, 11: 12, 12: 10, 13: 10}
    cloud = FakeCloud(
        [cloud_group(number) for number in names],
        {cloud_id(outer): whole(group_member(inner)) for outer, inner in names.items()},
    )
    items = plan(cloud, FakeDirectory())
    (notice,) = [item for item in items if isinstance(item, Notice)]
    assert notice.code == "nesting_cycle"
    assert all(f"Group {number}" in notice.message for number in (10, 11, 12))
    assert "Group 13" not in notice.message
    assert actions(items).count("members") == 4


def test_the_sequence_number_is_kept_where_nothing_else_moves_it() -> None:
    change = member_change(plan(*managed_group_with([], user(1))), 10)
    assert change is not None
    assert change.before_usn == 1
    change = member_change(plan(*managed_group_with([], user(1), displayName="New")), 10)
    assert change is not None
    assert change.before_usn == 0


def test_of_each_group_that_was_compared_is_told_whatever_became_of_it() -> None:
    cloud, directory, journal = managed_group_with([1, 2], user(3))
    directory.cut = {guid(10)}
    told: list[tuple[int, int]] = []
    plan(cloud, directory, journal, run=RunFacts(compared=lambda done, total: told.append((done, total))))
    assert told == [(0, 1), (1, 1)]
