# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan does with directory groups whose cloud group left, and what it asks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timezone
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
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    DirectoryGroup,
    Fate,
    FateKind,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    MemberChange,
    Notice,
    PlanItem,
    Question,
    Subject,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import SnapshotHeader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retire import (
    DEFAULT_RETIRE,
    Departure,
    Retire,
    RetireRules,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.rights import (
    DELETE,
    EVERYONE,
    Ace,
    SecurityDescriptor,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.run_facts import RunFacts
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Moves, Settings
from tests.unit import samples
from tests.unit.fakes import FakeCloud, FakeDirectory, FakeJournal
from tests.unit.plugins.module_utils._provisioning.planning import actions, codes, member_change, plan, settled
from tests.unit.samples import (
    MANAGED,
    OWN_SID,
    SUB,
    anchored_group,
    cloud_group,
    cloud_id,
    converted,
    directory_group,
    guid,
    sid,
)

NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
RUN = RunFacts(now=NOW)
LONG_AGO, YESTERDAY, SEEN = "2026-01-01T00:00:00Z", "2026-05-31T00:00:00Z", "2026-06-01T00:00:00Z"
UNDELETABLE = SecurityDescriptor(OWN_SID, (Ace(False, DELETE, EVERYONE, None, False),))


def gone(since: str = LONG_AGO, kind: FateKind = FateKind.ABSENT, number: int = 1) -> Fate:
    return Fate(cloud_id(number), kind, "", since, SEEN)


def rules(**chosen: Retire) -> Settings:
    """Return settings that retire as given, by the names of the option."""
    by_departure = {**DEFAULT_RETIRE, **{Departure(name): value for name, value in chosen.items()}}
    return samples.settings(retire=RetireRules(by_departure, 30, SUB))


def world(
    members: Iterable[int] = (), group: DirectoryGroup | None = None, *, known: bool = True
) -> tuple[FakeDirectory, FakeJournal]:
    """Return a directory with one managed group that no cloud group answers for."""
    directory, journal = FakeDirectory(), FakeJournal()
    numbers = list(members)
    for number in numbers:
        directory.add_user(number)
    directory.add_group(group or settled(), map(guid, numbers))
    if known:
        journal.know(1)
    return directory, journal


def planned(*world_: Any, groups: Iterable[CloudGroup] = (), fates: Iterable[Fate] = (), **more: Any) -> list[PlanItem]:
    cloud = FakeCloud(groups, fates=fates, header=more.pop("header", None))
    return plan(cloud, *world_, **{"run": RUN, **more})


def changes(items: list[PlanItem]) -> list[GroupChange]:
    return [item for item in items if isinstance(item, GroupChange)]


def notice(items: list[PlanItem]) -> Notice:
    (found,) = [item for item in items if isinstance(item, Notice)]
    return found


def test_a_deleted_group_is_emptied_first_and_deleted_by_the_next_run() -> None:
    directory, journal = world([2, 3])
    tally = Tally()
    items = planned(directory, journal, fates=[gone()], tally=tally)
    change = member_change(items)
    assert change is not None
    assert (actions(items), {link.guid for link in change.remove}) == (["members"], {guid(2), guid(3)})
    assert change.reason.startswith("retired: ")
    counted = (Kind.MEMBER_REMOVALS, Kind.GROUPS_EMPTIED, Kind.RETIREMENTS, Kind.DELETIONS)
    assert [tally.counts[kind] for kind in counted] == [2, 1, 1, 0]
    list(member_applying.apply_members([change], directory, directory, journal))
    tally = Tally()
    items = planned(directory, journal, fates=[gone()], tally=tally)
    assert [(change.action, change.guid) for change in changes(items)] == [(Action.DELETE, guid(1))]
    assert [tally.counts[kind] for kind in counted] == [0, 0, 1, 1]
    list(apply.apply_groups(changes(items), directory, directory, journal))
    assert guid(1) not in directory.nodes
    assert journal.groups == {}
    assert actions(planned(directory, journal, fates=[gone()])) == []


def test_a_deleted_group_waits_empty_for_the_grace_to_end() -> None:
    items = planned(*world(), fates=[gone(YESTERDAY)])
    assert (codes(items), actions(items)) == (["retired"], [])
    assert "2026-06-30" in notice(items).message


@pytest.mark.parametrize(
    ("fates", "code"),
    [
        ([], "orphan"),
        ([replace(gone(), seen=LONG_AGO)], "orphan"),
        ([gone(kind=FateKind.SOFT_DELETED)], "retired"),
        ([gone(number=2)], "orphan"),
    ],
)
def test_deletion_needs_evidence(fates: list[Fate], code: str) -> None:
    items = planned(*world(), fates=fates)
    assert (codes(items), actions(items)) == ([code], [])


@pytest.mark.parametrize("chosen", [Retire.KEEP, Retire.EMPTY, Retire.DETACH, Retire.MOVE])
@pytest.mark.parametrize(
    ("departure", "group", "fate"),
    [
        ("out_of_scope", cloud_group(1, securityEnabled=False), []),
        ("mail_enabled", cloud_group(1, mailEnabled=True), []),
        ("soft_deleted", None, [gone(kind=FateKind.SOFT_DELETED)]),
        ("deleted", None, [gone()]),
    ],
)
def test_what_was_chosen_is_done(departure: str, group: CloudGroup | None, fate: list[Fate], chosen: Retire) -> None:
    directory, journal = world([2])
    items = planned(
        directory, journal, groups=[group] if group else [], fates=fate, settings=rules(**{departure: chosen})
    )
    expected = {
        Retire.KEEP: ([], "retained_access"),
        Retire.EMPTY: (["members"], "retired"),
        Retire.DETACH: (["detach"], "retired"),
        Retire.MOVE: (["move"], "retired"),
    }
    assert (actions(items), codes(items)[-1]) == expected[chosen]
    list(apply.apply_groups(changes(items), directory, directory, journal))
    members = [item for item in items if isinstance(item, MemberChange)]
    list(member_applying.apply_members(members, directory, directory, journal))
    node = directory.nodes[guid(1)]
    assert node.members == (set() if chosen is Retire.EMPTY else {guid(2)})
    assert dn.parent(node.dn) == (SUB if chosen is Retire.MOVE else MANAGED)
    assert (ANCHOR in node.attributes) is (chosen is not Retire.DETACH)
    assert (cloud_id(1) in journal.groups) is (chosen is not Retire.DETACH)
    again = planned(
        directory, journal, groups=[group] if group else [], fates=fate, settings=rules(**{departure: chosen})
    )
    assert actions(again) == []


def test_a_detached_group_loses_the_marks_and_nothing_else() -> None:
    items = planned(*world(), fates=[gone()], settings=rules(deleted=Retire.DETACH))
    (change,) = changes(items)
    mark = (identity.anchor_of(cloud_id(1)),)
    assert (change.before, change.after) == (
        {ANCHOR: mark, "adminDescription": mark},
        {ANCHOR: (), "adminDescription": ()},
    )


@pytest.mark.parametrize(
    "group",
    [
        cloud_group(1, onPremisesSyncEnabled=True),
        replace(converted(1, sid(2001)), is_cloud_managed=False),
        replace(converted(1, sid(2001)), is_cloud_managed=None),
    ],
)
def test_rolled_back_groups_are_kept_whatever_the_rules_say(group: CloudGroup) -> None:
    everything = samples.settings(retire=RetireRules(dict.fromkeys(Departure, Retire.DELETE), 0))
    items = planned(*world([2]), groups=[group], settings=everything)
    assert [action for action in actions(items) if action not in ("update",)] == []


@pytest.mark.parametrize(
    "more", [{"mailEnabled": True}, {"securityEnabled": False}, {"groupTypes": ["Unified"]}, {}], ids=str
)
@pytest.mark.parametrize("managed", [False, None])
def test_a_group_that_was_rolled_back_is_kept_whatever_else_it_is(more: dict[str, Any], managed: bool | None) -> None:
    everything = samples.settings(retire=RetireRules(dict.fromkeys(Departure, Retire.EMPTY), 0))
    group = cloud_group(1, managed=managed, onPremisesSecurityIdentifier=sid(2001), **more)
    items = planned(*world([2]), groups=[group], settings=everything)
    assert (actions(items), codes(items)[-1]) == ([], "retained_access")
    taken_back = cloud_group(1, managed=True, onPremisesSecurityIdentifier=sid(2001), **{**more, "mailEnabled": True})
    assert actions(planned(*world([2]), groups=[taken_back], settings=everything)) == ["members"]


def test_the_copy_of_a_group_on_premises_may_be_deleted() -> None:
    everything = samples.settings(retire=RetireRules(dict.fromkeys(Departure, Retire.DELETE), 0))
    items = planned(*world([2]), fates=[gone(kind=FateKind.SYNCED)], settings=everything)
    assert (actions(items), codes(items)) == ([], ["retained_access"])


DOUBT = SnapshotHeader(samples.TENANT, SEEN, "f", scope_doubt="a part of the scope could not be decided")


def test_a_scope_in_doubt_holds_what_is_only_out_of_scope() -> None:
    settings = rules(out_of_scope=Retire.EMPTY)
    group = cloud_group(1, securityEnabled=False)
    items = planned(*world([2]), groups=[group], settings=settings, header=DOUBT)
    assert (actions(items), codes(items)[-1]) == ([], "retained_access")
    assert DOUBT.scope_doubt in notice([item for item in items if isinstance(item, Notice)]).message


@pytest.mark.parametrize("kind", [FateKind.ABSENT, FateKind.SOFT_DELETED])
def test_a_scope_in_doubt_does_not_hold_what_is_deleted(kind: FateKind) -> None:
    """Whatever the scope is, a group that is not there is not in it."""
    directory, journal = world([2])
    items = planned(directory, journal, fates=[gone(kind=kind)], header=DOUBT)
    assert (actions(items), codes(items)) == (["members"], ["retired"])


@pytest.mark.parametrize("reason", ["unknown", "other object", "incomplete", "protected", "guarded"])
def test_what_may_not_be_written_is_kept_although_it_left(reason: str) -> None:
    held = settled()
    if reason == "protected":
        held = replace(held, attributes={**held.attributes, "adminCount": ("1",)})
    directory, journal = world([2], held, known=reason != "unknown")
    if reason == "other object":
        journal.know(1, guid=guid(50))
    if reason == "guarded":
        directory.guarding = {guid(1)}
    header = SnapshotHeader(samples.TENANT, SEEN, "f", incomplete="a page was lost" if reason == "incomplete" else "")
    items = planned(directory, journal, fates=[gone()], header=header)
    assert (actions(items), codes(items)) == ([], ["retained_access"])


def test_a_narrowed_capture_says_nothing_of_groups_that_it_does_not_hold() -> None:
    header = SnapshotHeader(samples.TENANT, SEEN, "f", narrowed=True)
    assert planned(*world([2]), fates=[gone()], header=header) == []


@pytest.mark.parametrize("anchor", [None, f"Group_{cloud_id(9)}", "Group_nonsense"])
def test_a_known_group_is_retired_whatever_its_anchor_says(anchor: str | None) -> None:
    """Whoever may write the anchor must not be able to keep the access of a deleted group."""
    directory, journal = world([2], directory_group(1, anchor=anchor))
    items = planned(directory, journal, fates=[gone()])
    assert [(item.id, item.guid) for item in items if isinstance(item, MemberChange)] == [(cloud_id(1), guid(1))]


def test_a_known_group_is_retired_when_its_anchor_names_a_group_in_scope() -> None:
    directory, journal = world([2], anchored_group(1, of=9))
    items = planned(directory, journal, groups=[cloud_group(9)], fates=[gone()])
    assert [(item.id, item.guid) for item in items if isinstance(item, MemberChange)] == [(cloud_id(1), guid(1))]


def test_an_object_of_a_group_in_scope_is_not_left_behind_when_its_anchor_was_changed() -> None:
    directory, journal = world([], anchored_group(1, of=9))
    items = planned(directory, journal, groups=[cloud_group(1)], fates=[gone(number=9)])
    assert codes(items) == ["anchor_tampering"]


@pytest.mark.parametrize("chosen", [Retire.MOVE, Retire.DELETE])
def test_protection_from_deletion_stops_moves_and_deletions(chosen: Retire) -> None:
    directory, journal = world()
    directory.descriptors[guid(1)] = UNDELETABLE
    items = planned(directory, journal, fates=[gone()], settings=rules(deleted=chosen))
    assert (codes(items), actions(items)) == (["retired", "deletion_denied"], [])


def test_protection_from_deletion_does_not_stop_emptying() -> None:
    directory, journal = world([2])
    directory.descriptors[guid(1)] = UNDELETABLE
    assert actions(planned(directory, journal, fates=[gone()])) == ["members"]


def test_protected_members_stay_and_so_does_the_group_that_holds_them() -> None:
    settings = replace(rules(), protected_members=frozenset({sid(5002).lower()}))
    directory, journal = world([2, 3])
    tally = Tally()
    items = planned(directory, journal, fates=[gone()], settings=settings, tally=tally)
    change = member_change(items)
    assert change is not None
    assert [link.guid for link in change.remove] == [guid(3)]
    assert tally.counts[Kind.GROUPS_EMPTIED] == 0
    list(member_applying.apply_members([change], directory, directory, journal))
    assert actions(planned(directory, journal, fates=[gone()], settings=settings)) == []


def test_links_that_cannot_be_read_are_left() -> None:
    directory, journal = world([2, 3])
    directory.cut = {guid(1)}
    items = planned(directory, journal, fates=[gone()])
    assert ("links_unread" in codes(items), actions(items)) == (True, [])


def test_every_group_that_was_left_is_asked_for_and_no_other() -> None:
    directory, journal = world()
    directory.add_group(settled(2))
    directory.add_group(settled(3))
    directory.add_group(directory_group(4, anchor="Group_nonsense"))
    items = planned(directory, journal, groups=[cloud_group(2), cloud_group(3, mailEnabled=True)])
    asked = {item.value for item in items if isinstance(item, Question) and item.about is Subject.GROUP}
    assert asked - {cloud_id(3)} == {cloud_id(1)}


def test_the_age_of_retained_access_comes_from_the_journal() -> None:
    run = replace(RUN, left={cloud_id(1): "2026-02-03T04:05:06Z"})
    group = cloud_group(1, mailEnabled=True)
    assert "since 2026-02-03T04:05:06Z" in notice(planned(*world(), groups=[group], run=run)).message
    assert "from this run on" in notice(planned(*world(), groups=[group])).message


def test_a_group_that_comes_back_is_filled_and_leaves_the_container_of_the_retired() -> None:
    place = f"OU=Retired,{MANAGED}"
    held = replace(settled(), dn=dn.child("CN", f"Group 1_{1:012x}", place))
    directory, journal = world([], held)
    directory.existing.append(place)
    settings = samples.settings(moves=Moves.HOLD, retire=RetireRules({Departure.DELETED: Retire.MOVE}, 30, place))
    items = planned(directory, journal, groups=[cloud_group(1)], settings=settings)
    assert [(change.action, change.new_dn) for change in changes(items)] == [(Action.MOVE, settled().dn)]


def test_a_retired_group_does_not_move_to_a_name_that_is_taken() -> None:
    directory, journal = world()
    directory.add_group(replace(directory_group(50), dn=dn.child("CN", f"Group 1_{1:012x}", SUB)))
    items = planned(directory, journal, fates=[gone()], settings=rules(deleted=Retire.MOVE))
    assert (codes(items), actions(items)) == (["retired", "name_collision"], [])


def test_two_retired_groups_do_not_move_to_one_name() -> None:
    inner = f"OU=Inner,{MANAGED}"
    directory, journal = world()
    directory.add_group(replace(settled(2), dn=dn.child("CN", f"Group 1_{1:012x}", inner)))
    journal.know(2)
    both = [gone(), gone(number=2)]
    items = planned(directory, journal, fates=both, settings=rules(deleted=Retire.MOVE))
    assert sorted(codes(items)) == ["name_collision", "retired", "retired"]
    assert actions(items) == ["move"]
