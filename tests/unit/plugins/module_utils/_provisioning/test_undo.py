# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way back from a run takes back what is still as the run left it, and says what it leaves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.apply import apply_groups
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Kind, Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.member_applying import apply_members
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    GroupChange,
    MemberChange,
    PlanItem,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Moves, Settings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.undo import plan_undo
from tests.unit import samples
from tests.unit.fakes import FakeCloud, FakeDirectory, FakeJournal
from tests.unit.plugins.module_utils._provisioning.planning import actions, codes, plan, settled, whole
from tests.unit.samples import SUB, cloud_group, cloud_id, guid, user


def world(*linked: int) -> tuple[FakeDirectory, FakeJournal]:
    """Return a directory with accounts 1 to 4 and the settled group 1, whose members are these accounts."""
    directory, journal = FakeDirectory(), FakeJournal()
    for number in range(1, 5):
        directory.add_user(number + 10)
    directory.add_group(settled(), [guid(number + 10) for number in linked])
    journal.know(1)
    return directory, journal


def carry_out(items: list[PlanItem], directory: FakeDirectory, journal: FakeJournal) -> None:
    """Apply a plan."""
    list(apply_groups((i for i in items if isinstance(i, GroupChange)), directory, directory, journal))
    list(apply_members((i for i in items if isinstance(i, MemberChange)), directory, directory, journal))


def run(directory: FakeDirectory, journal: FakeJournal, cloud: FakeCloud, settings: Settings | None = None) -> None:
    """Plan and apply, the journal holding this run alone afterwards."""
    journal.records.clear()
    carry_out(plan(cloud, directory, journal, settings=settings), directory, journal)


def way_back(
    directory: FakeDirectory, journal: FakeJournal, settings: Settings | None = None, tally: Tally | None = None
) -> list[PlanItem]:
    """Plan the undo of what the journal holds."""
    done = [record for record in journal.records if record.status != "failed"]
    tally = tally or Tally()
    return list(tally.counted(plan_undo(settings or samples.settings(), done, directory, tally)))


def test_everything_that_a_run_changed_is_as_it_was() -> None:
    directory, journal = world(1, 2)
    before = directory.state()
    cloud = FakeCloud([cloud_group(1, displayName="Other")], {cloud_id(1): whole(user(12), user(13))})
    settings = samples.settings(SUB, moves=Moves.FOLLOW)
    run(directory, journal, cloud, settings)
    assert directory.state() != before
    items = way_back(directory, journal, settings)
    assert actions(items) == ["rename_and_move", "update", "members"]
    carry_out(items, directory, journal)
    assert directory.state() == before


def test_undoing_twice_finds_nothing_to_do() -> None:
    directory, journal = world(1)
    run(directory, journal, FakeCloud([cloud_group(1)], {cloud_id(1): whole(user(12))}))
    done = list(journal.records)
    carry_out(way_back(directory, journal), directory, journal)
    assert actions(plan_undo(samples.settings(), done, directory, Tally())) == []


def test_a_group_that_was_created_stays_without_the_members_it_was_given() -> None:
    directory, journal = world()
    cloud = FakeCloud([cloud_group(1), cloud_group(2)], {cloud_id(2): whole(user(11))})
    run(directory, journal, cloud)
    items = way_back(directory, journal)
    assert (codes(items), actions(items)) == (["undo_left"], ["members"])


def test_links_that_changed_since_stay() -> None:
    directory, journal = world(1, 2)
    run(directory, journal, FakeCloud([cloud_group(1)], {cloud_id(1): whole(user(12), user(13))}))
    node = directory.nodes[guid(1)]
    node.members = {guid(14), guid(11)}
    carry_out(way_back(directory, journal), directory, journal)
    assert node.members == {guid(14), guid(11)}


@pytest.mark.parametrize("moved", [False, True])
def test_values_and_places_that_changed_since_stay_and_are_told(moved: bool) -> None:
    directory, journal = world()
    run(directory, journal, FakeCloud([cloud_group(1, displayName="Other")]))
    node = directory.nodes[guid(1)]
    if moved:
        node.dn = f"CN=By hand,{SUB}"
    else:
        node.attributes["displayName"] = ("By hand",)
    items = way_back(directory, journal)
    assert codes(items) == ["undo_left"]
    assert actions(items) == (["update"] if moved else ["rename"])


def test_a_group_that_guards_the_domain_by_now_is_left() -> None:
    directory, journal = world(1)
    run(directory, journal, FakeCloud([cloud_group(1, displayName="Other")], {cloud_id(1): whole(user(12))}))
    directory.guarding.add(guid(1))
    items = way_back(directory, journal)
    assert (set(codes(items)), actions(items)) == ({"undo_left"}, [])


def test_a_group_that_is_gone_is_told() -> None:
    directory, journal = world(1)
    run(directory, journal, FakeCloud([cloud_group(1)], {cloud_id(1): whole(user(12))}))
    directory.delete_by_hand(guid(1))
    items = way_back(directory, journal)
    assert (codes(items), actions(items)) == (["undo_left"], [])


def test_what_is_taken_back_is_counted() -> None:
    directory, journal = world(1, 2)
    run(directory, journal, FakeCloud([cloud_group(1)], {cloud_id(1): whole(user(13))}))
    tally = Tally()
    way_back(directory, journal, tally=tally)
    assert (tally.counts[Kind.MEMBER_ADDITIONS], tally.counts[Kind.MEMBER_REMOVALS]) == (2, 1)
    assert (tally.groups, tally.links) == (1, 1)


def test_a_member_that_is_deleted_by_now_is_not_added() -> None:
    directory, journal = world(1, 2)
    run(directory, journal, FakeCloud([cloud_group(1)], {cloud_id(1): whole(user(13))}))
    directory.delete_by_hand(guid(11))
    (change,) = [item for item in way_back(directory, journal) if isinstance(item, MemberChange)]
    assert [want.guid for want in change.add] == [guid(12)]


def test_a_deleted_group_is_restored_only_where_groups_are_managed() -> None:
    directory, journal = world()
    journal.records.append(
        replace(
            _deletion(directory),
            dn=f"CN=Group 1,{samples.OUTSIDE}",
        )
    )
    assert codes(way_back(directory, journal)) == ["undo_left"]
    journal.records[:] = [_deletion(directory)]
    assert actions(way_back(directory, journal)) == ["restore"]


def _deletion(directory: FakeDirectory) -> Applied:
    """Delete the group 1, if it is there, and return what the journal says of that."""
    if guid(1) in directory.nodes:
        directory.delete_by_hand(guid(1))
    group = settled()
    return Applied("delete", cloud_id(1), "Group 1", group.guid, group.dn, "done", {}, {})
