# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another domain controller, or another copy of the directory on the same one, must hold what runs wrote before."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime, timezone

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity, replication, undo
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import Fate, FateKind
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    Notice,
    PlanItem,
    Problem,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import (
    Applied,
    KnownGroup,
    SnapshotHeader,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.replication import (
    PENDING,
    Database,
    Written,
    database_of,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.run_facts import RunFacts
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Moves
from tests.unit import samples
from tests.unit.fakes import FakeCloud, FakeDirectory, FakeJournal
from tests.unit.plugins.module_utils._provisioning.planning import actions, codes, plan, settled, whole
from tests.unit.samples import MANAGED, OUTSIDE, cloud_group, cloud_id, converted, group_member, guid, user

NOW = datetime(2026, 3, 1, tzinfo=timezone.utc)
HERE = database_of(samples.DOMAIN)
THERE = Database("dc2.contoso.com", guid(900))
# The same name with another copy behind it, as after a restore from a backup, and one that nothing is known of.
OTHERS = [THERE, Database(HERE.server, guid(900)), Database(HERE.server, "")]


def facts(there: Database = THERE, deleted: Mapping[str, tuple[str, str]] | None = None) -> RunFacts:
    return RunFacts(now=NOW, written=Written(there, deleted or {}))


def waiting(items: list[PlanItem]) -> list[str]:
    """Return the ids of what waits, once for each time that it is told."""
    return [item.id for item in items if isinstance(item, Problem) and item.code == PENDING]


@pytest.fixture
def journal() -> FakeJournal:
    return FakeJournal({cloud_id(1): KnownGroup(guid(1), accepted=True)})


@pytest.fixture
def cloud() -> FakeCloud:
    """A group that the journal knows and one that is new."""
    return FakeCloud([cloud_group(1), cloud_group(2)], {cloud_id(1): whole(user(11))})


@pytest.mark.parametrize(
    ("left", "right", "surely", "named"),
    [
        (HERE, HERE, True, True),
        (HERE, Database(HERE.server.upper(), HERE.invocation_id), True, True),
        (HERE, Database("dc2.contoso.com", HERE.invocation_id), False, False),
        (HERE, Database(HERE.server, guid(900)), False, False),
        (Database("dc1", ""), Database("dc1", ""), False, True),
        (HERE, Database(HERE.server, ""), False, False),
    ],
)
def test_two_copies(left: Database, right: Database, *, surely: bool, named: bool) -> None:
    assert (left.is_surely(right), right.is_surely(left)) == (surely, surely)
    assert (left.is_named(right), right.is_named(left)) == (named, named)


@pytest.mark.parametrize("there", OTHERS)
def test_a_known_group_that_is_not_here_yet_holds_back_every_creation(
    cloud: FakeCloud, journal: FakeJournal, there: Database
) -> None:
    items = plan(cloud, FakeDirectory(), journal, run=facts(there))
    assert (actions(items), waiting(items)) == ([], [cloud_id(1), cloud_id(2)])
    lacking, held = (item for item in items if isinstance(item, Problem))
    assert there.server in lacking.message and HERE.server in lacking.message and there.server in held.message
    assert "gpad_journal" in lacking.remedy


def test_on_the_same_copy_nothing_is_asked_for(cloud: FakeCloud, journal: FakeJournal) -> None:
    """There a known group without an object is lost, and the others go on."""
    items = plan(cloud, FakeDirectory(), journal, run=facts(HERE))
    assert "directory_group_missing" in codes(items) and PENDING not in codes(items)
    assert actions(items) == ["create"]


def test_before_the_first_run_nothing_is_asked_for(cloud: FakeCloud) -> None:
    assert actions(plan(cloud, FakeDirectory(), run=RunFacts(now=NOW))).count("create") == 2


def test_where_all_has_arrived_the_plan_goes_on(cloud: FakeCloud, journal: FakeJournal) -> None:
    directory = FakeDirectory()
    directory.add_user(11)
    directory.add_group(settled(1))
    items = plan(cloud, directory, journal, run=facts())
    assert (waiting(items), actions(items)) == ([], ["create", "members"])


def test_members_and_attributes_of_what_is_here_go_on(cloud: FakeCloud, journal: FakeJournal) -> None:
    directory = FakeDirectory()
    directory.add_user(11)
    group = settled(1)
    directory.add_group(dataclasses.replace(group, attributes={**group.attributes, "displayName": ("Old",)}))
    journal.remember(cloud_id(3), guid(3), accepted=True)
    items = plan(cloud, directory, journal, run=facts())
    assert actions(items) == ["update", "members"]
    # The third is out of scope; nobody else would say what the second waits for.
    assert waiting(items) == [cloud_id(3), cloud_id(2)]


def test_a_deleted_object_is_here_and_is_restored(journal: FakeJournal, cloud: FakeCloud) -> None:
    directory = FakeDirectory()
    directory.add_group(settled(1))
    directory.delete_by_hand(guid(1))
    items = plan(cloud, directory, journal, run=facts())
    assert waiting(items) == []
    assert sorted(actions(items)) == ["create", "restore"]


def test_a_restore_waits_while_another_group_is_missing(journal: FakeJournal, cloud: FakeCloud) -> None:
    directory = FakeDirectory()
    directory.add_group(settled(1))
    directory.delete_by_hand(guid(1))
    journal.remember(cloud_id(3), guid(3), accepted=True)
    items = plan(cloud, directory, journal, run=facts())
    assert (actions(items), set(waiting(items))) == ([], {cloud_id(1), cloud_id(2), cloud_id(3)})


def test_an_object_outside_the_managed_containers_has_arrived(journal: FakeJournal, cloud: FakeCloud) -> None:
    directory = FakeDirectory()
    directory.add_group(dataclasses.replace(settled(1), dn=f"CN=Moved,{OUTSIDE}"))
    items = plan(cloud, directory, journal, run=facts())
    assert waiting(items) == []
    assert "directory_group_missing" in codes(items)


def test_a_converted_group_waits_as_well(journal: FakeJournal) -> None:
    cloud = FakeCloud([converted(1, samples.sid(2001))])
    items = plan(cloud, FakeDirectory(), journal, run=facts())
    assert (waiting(items), codes(items)) == ([cloud_id(1)], [PENDING])


def test_a_parent_goes_on_without_the_group_that_waits(journal: FakeJournal) -> None:
    cloud = FakeCloud([cloud_group(1), cloud_group(2)], {cloud_id(1): whole(user(11), group_member(2))})
    directory = FakeDirectory()
    directory.add_user(11)
    directory.add_group(settled(1))
    journal.remember(cloud_id(3), guid(3), accepted=True)
    items = plan(cloud, directory, journal, run=facts())
    assert actions(items) == ["members"]
    assert "group_not_provisioned" in codes(items)


DELETED = {guid(7): (cloud_id(7), "Group 7")}


def test_what_was_deleted_there_and_lives_here_holds_back_creations(journal: FakeJournal, cloud: FakeCloud) -> None:
    directory = FakeDirectory()
    directory.add_group(settled(1))
    directory.add_group(settled(7))
    items = plan(cloud, directory, journal, run=facts(deleted=DELETED))
    assert waiting(items) == [cloud_id(7), cloud_id(2)]
    assert "create" not in actions(items)
    assert guid(7) in next(item.message for item in items if isinstance(item, Problem))


def test_what_was_deleted_there_is_not_adopted_here() -> None:
    cloud = FakeCloud([cloud_group(7)])
    directory = FakeDirectory()
    directory.add_group(settled(7))
    assert actions(plan(cloud, directory, run=RunFacts(now=NOW))) == ["adopt"]
    items = plan(cloud, directory, run=facts(deleted=DELETED))
    assert (actions(items), waiting(items)) == ([], [cloud_id(7)])


def test_a_deletion_waits() -> None:
    absent = [Fate(cloud_id(1), FateKind.ABSENT, "", "2026-01-01T00:00:00Z", "2026-02-28T00:00:00Z")]
    directory = FakeDirectory()
    directory.add_group(settled(1))
    known = {cloud_id(number): KnownGroup(guid(number), accepted=True) for number in (1, 3)}
    cloud = FakeCloud(fates=absent)
    assert actions(plan(cloud, directory, FakeJournal(known), run=facts(HERE))) == ["delete"]
    items = plan(cloud, directory, FakeJournal(known), run=facts())
    assert (actions(items), waiting(items)) == ([], [cloud_id(3), cloud_id(1)])


def test_an_undo_waits_as_well(journal: FakeJournal) -> None:
    """It restores what a run deleted; on a controller that lacks something, that waits."""
    directory = FakeDirectory()
    directory.add_group(settled(5))
    directory.delete_by_hand(guid(5))
    name = settled(5).dn
    marks = {"adminDescription": (identity.anchor_of(cloud_id(5)),)}
    done = [Applied("delete", cloud_id(5), "Group 5", guid(5), name, "done", marks, {})]
    lag = replication.find_lag(Written(THERE), journal.known(), directory)
    back = list(undo.plan_undo(samples.settings(), done, directory, Tally()))
    assert actions(back) == [Action.RESTORE]
    assert waiting(list(replication.waiting(back, lag))) == [cloud_id(5)]
    assert list(replication.waiting(back, replication.Lag())) == back


NEW = f"OU=New,{MANAGED}"
FOLLOWING = samples.settings(NEW, create_containers=True, moves=Moves.FOLLOW)


def test_a_container_waits_and_with_it_the_moves_into_it(journal: FakeJournal, cloud: FakeCloud) -> None:
    """What is created twice is two containers once they are replicated. The rest of a group goes on."""
    directory = FakeDirectory()
    directory.add_user(11)
    group = settled(1)
    directory.add_group(dataclasses.replace(group, attributes={**group.attributes, "displayName": ("Old",)}))
    assert "create_container" in actions(plan(cloud, directory, journal, settings=FOLLOWING, run=facts()))
    journal.remember(cloud_id(3), guid(3), accepted=True)
    items = plan(cloud, directory, journal, settings=FOLLOWING, run=facts())
    assert actions(items) == ["update", "members"]
    assert waiting(items) == [cloud_id(3), cloud_id(2), "", cloud_id(1)]
    held = [item for item in items if isinstance(item, Problem)]
    assert [item.name for item in held if item.id == ""] == [NEW]
    # Otherwise the next run would hold what was not moved, as if it had been there before.
    assert [item.moves for item in held if item.id == cloud_id(1)] == [True]


def test_a_container_that_only_the_other_one_has_is_not_created_again(journal: FakeJournal, cloud: FakeCloud) -> None:
    directory = FakeDirectory()
    directory.add_user(11)
    directory.add_group(settled(1))
    there = RunFacts(now=NOW, written=Written(THERE, containers=frozenset({NEW})))
    items = plan(cloud, directory, journal, settings=FOLLOWING, run=there)
    assert actions(items) == ["members"]
    assert waiting(items) == ["", cloud_id(2), cloud_id(1)]
    directory.existing.append(NEW)
    assert waiting(plan(cloud, directory, journal, settings=FOLLOWING, run=there)) == []


def test_on_the_same_copy_a_container_is_created_again(journal: FakeJournal, cloud: FakeCloud) -> None:
    directory = FakeDirectory()
    directory.add_group(settled(1))
    here = RunFacts(now=NOW, written=Written(HERE, containers=frozenset({NEW})))
    assert "create_container" in actions(plan(cloud, directory, journal, settings=FOLLOWING, run=here))


def test_what_was_restored_there_is_not_restored_again_here(journal: FakeJournal, cloud: FakeCloud) -> None:
    directory = FakeDirectory()
    directory.add_group(settled(1))
    directory.delete_by_hand(guid(1))
    there = RunFacts(now=NOW, written=Written(THERE, restored=frozenset({guid(1)})))
    items = plan(cloud, directory, journal, run=there)
    assert (actions(items), waiting(items)) == ([], [cloud_id(1), cloud_id(2)])
    assert "restored" in next(item.message for item in items if isinstance(item, Problem))
    here = RunFacts(now=NOW, written=Written(HERE, restored=frozenset({guid(1)})))
    assert sorted(actions(plan(cloud, directory, journal, run=here))) == ["create", "restore"]


GONE = "directory_group_gone"


def gone(items: list[PlanItem]) -> list[str]:
    return [item.id for item in items if isinstance(item, Notice) and item.code == GONE]


def test_what_was_deleted_by_hand_and_is_out_of_scope_is_told(journal: FakeJournal, cloud: FakeCloud) -> None:
    """On the copy that was written to that is certain; the third is deleted, the fourth was moved away."""
    directory = FakeDirectory()
    directory.add_group(settled(1))
    directory.add_group(settled(3))
    directory.delete_by_hand(guid(3))
    directory.add_group(dataclasses.replace(settled(4), dn=f"CN=Moved,{OUTSIDE}"))
    for number in (3, 4, 5):
        journal.remember(cloud_id(number), guid(number), accepted=True)
    items = plan(cloud, directory, journal, run=facts(HERE))
    assert gone(items) == [cloud_id(5)]
    assert guid(5) in next(item.message for item in items if isinstance(item, Notice) and item.code == GONE)
    assert "create" in actions(items)


def test_what_is_gone_is_not_waited_for(journal: FakeJournal, cloud: FakeCloud) -> None:
    directory = FakeDirectory()
    directory.add_group(settled(1))
    journal.remember(cloud_id(5), guid(5), accepted=True)
    journal.remember(cloud_id(6), guid(6), accepted=True)
    there = RunFacts(now=NOW, written=Written(THERE, gone=frozenset({guid(5)})))
    items = plan(cloud, directory, journal, run=there)
    assert (gone(items), waiting(items)) == ([cloud_id(5)], [cloud_id(6), cloud_id(2)])
    journal.forget(cloud_id(6))
    items = plan(cloud, directory, journal, run=there)
    assert (gone(items), waiting(items), actions(items)[0]) == ([cloud_id(5)], [], "create")


def test_a_run_of_a_few_groups_does_not_look_for_the_others(journal: FakeJournal) -> None:
    header = SnapshotHeader(samples.TENANT, "2026-01-01T00:00:00Z", "f", narrowed=True)
    journal.remember(cloud_id(5), guid(5), accepted=True)
    assert gone(plan(FakeCloud(header=header), FakeDirectory(), journal, run=facts(HERE))) == []
    assert gone(plan(FakeCloud(), FakeDirectory(), journal, run=facts(HERE))) == [cloud_id(1), cloud_id(5)]
