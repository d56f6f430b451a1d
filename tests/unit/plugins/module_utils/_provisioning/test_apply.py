# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying a plan out: what moved on is left alone, one bad object does not stop the others."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import TypeVar

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import apply, member_applying, plan
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import (
    ANCHOR,
    UNIVERSAL_SECURITY,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.cycle import build_plan
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    BlockedError,
    DirectoryError,
    StoreError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.membership import Wanted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CompleteReading,
    Link,
    PrincipalKind,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    MemberChange,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import (
    Applied,
    DirectoryWriter,
    KnownGroup,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.replication import (
    Database,
    database_of,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.report import Report
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.run_facts import RunFacts
from tests.unit import samples
from tests.unit.fakes import FakeCloud, FakeDirectory, FakeJournal
from tests.unit.samples import (
    MANAGED,
    OUTSIDE,
    SUB,
    anchored_group,
    cloud_group,
    cloud_id,
    directory_group,
    group_member,
    guid,
    link,
    user,
)

_T = TypeVar("_T")
NAMES = {"groupType": (UNIVERSAL_SECURITY,), ANCHOR: (f"Group_{cloud_id(1)}",)}


def create(number: int = 1, container: str = MANAGED) -> GroupChange:
    after = {**NAMES, ANCHOR: (f"Group_{cloud_id(number)}",)}
    return GroupChange(
        Action.CREATE,
        cloud_id(number),
        f"Group {number}",
        None,
        f"CN=Group {number},{container}",
        None,
        {},
        after,
        "new",
    )


def update(number: int = 1, before: str = "old", after: str = "new") -> GroupChange:
    return GroupChange(
        Action.UPDATE,
        cloud_id(number),
        f"Group {number}",
        guid(number),
        f"CN=Group {number},{MANAGED}",
        None,
        {"displayName": (before,) if before else ()},
        {"displayName": (after,) if after else ()},
        "differs",
    )


def move(number: int = 1, to: str = f"CN=Group 1,{SUB}") -> GroupChange:
    here = f"CN=Group {number},{MANAGED}"
    return GroupChange(Action.MOVE, cloud_id(number), f"Group {number}", guid(number), here, to, {}, {}, "container")


def members(
    add: Iterable[Wanted] = (), remove: Iterable[Link] = (), held: Iterable[Link] = (), group: str | None = guid(1)
) -> MemberChange:
    now = list(held)
    digest = plan.links_digest(now)
    name = f"CN=Group 1,{MANAGED}"
    return MemberChange(cloud_id(1), "Group 1", group, name, tuple(add), tuple(remove), len(now), digest)


def want(number: int, found: str | None = "") -> Wanted:
    return Wanted(cloud_id(number), PrincipalKind.USER, f"User {number}", guid(number) if found == "" else found)


def groups(changes: Iterable[GroupChange], directory: FakeDirectory, journal: FakeJournal) -> list[Applied]:
    return list(apply.apply_groups(changes, directory, directory, journal))


def links(changes: Iterable[MemberChange], directory: FakeDirectory, journal: FakeJournal) -> list[Applied]:
    """Carry out a plan that was given, and read from the same domain controller."""
    planned_on = database_of(directory.domain)
    return list(member_applying.apply_members(changes, directory, directory, journal, planned_on=planned_on))


def code(applied: Applied) -> str:
    return applied.error.code if applied.error else ""


@pytest.fixture
def directory() -> FakeDirectory:
    """One group with the display name `old`, and five accounts."""
    result = FakeDirectory()
    result.add_group(anchored_group(1, displayName=("old",)))
    for number in range(2, 7):
        result.add_user(number)
    return result


@pytest.fixture
def journal() -> FakeJournal:
    """An empty journal."""
    return FakeJournal()


@pytest.fixture
def knowing() -> FakeJournal:
    """A journal that knows the group of the directory."""
    result = FakeJournal()
    result.know(1)
    return result


def test_a_group_is_created_and_remembered_as_born_here(journal: FakeJournal) -> None:
    directory = FakeDirectory()
    (applied,) = groups([create()], directory, journal)
    assert (applied.status, applied.error) == ("done", None)
    assert applied.guid is not None
    assert directory.nodes[applied.guid].dn == f"CN=Group 1,{MANAGED}"
    assert journal.groups == {cloud_id(1): KnownGroup(applied.guid, True)}
    assert journal.records == [applied]
    assert applied.after["objectSid"] == (directory.nodes[applied.guid].sid,)


def test_a_group_whose_anchor_exists_by_now_is_not_created_twice(
    directory: FakeDirectory, journal: FakeJournal
) -> None:
    (applied,) = groups([create(container=SUB)], directory, journal)
    assert code(applied) == "directory_moved_on"
    assert directory.writes == []
    assert journal.groups == {}


def test_a_name_that_is_taken_fails_that_group_only(journal: FakeJournal) -> None:
    directory = FakeDirectory()
    directory.add_group(directory_group(1))
    first, second = groups([create(1), create(2)], directory, journal)
    assert (first.status, code(first), first.guid) == ("failed", "name_collision", None)
    assert second.status == "done"
    assert journal.records == [first, second]
    assert set(journal.groups) == {cloud_id(2)}


def test_an_update_writes_what_differs(directory: FakeDirectory, journal: FakeJournal) -> None:
    (applied,) = groups([update()], directory, journal)
    assert (applied.status, applied.before, applied.after) == (
        "done",
        {"displayName": ("old",)},
        {"displayName": ("new",)},
    )
    assert directory.nodes[guid(1)].attributes["displayName"] == ("new",)
    assert directory.nodes[guid(1)].attributes[ANCHOR]


def test_an_update_clears(directory: FakeDirectory, journal: FakeJournal) -> None:
    groups([update(after="")], directory, journal)
    assert "displayName" not in directory.nodes[guid(1)].attributes


@pytest.mark.parametrize("change", [update(before="older"), update(before=""), update(9), move(9)])
def test_an_object_that_has_moved_on_is_left_alone(
    change: GroupChange, directory: FakeDirectory, journal: FakeJournal
) -> None:
    (applied,) = groups([change], directory, journal)
    assert (applied.status, code(applied)) == ("failed", "directory_moved_on")
    assert directory.writes == []
    assert journal.records == [applied]


def test_an_object_that_left_the_managed_containers_is_left_alone(
    directory: FakeDirectory, journal: FakeJournal
) -> None:
    directory.nodes[guid(1)].dn = f"CN=Group 1,{OUTSIDE}"
    (applied,) = groups([update()], directory, journal)
    assert code(applied) == "directory_moved_on"
    assert directory.writes == []


def test_an_object_that_was_moved_meanwhile_is_not_moved_again(directory: FakeDirectory, journal: FakeJournal) -> None:
    directory.nodes[guid(1)].dn = f"CN=Renamed,{MANAGED}"
    (applied,) = groups([move()], directory, journal)
    assert code(applied) == "directory_moved_on"
    assert directory.writes == []


def test_an_update_of_a_renamed_object_goes_to_its_guid(directory: FakeDirectory, journal: FakeJournal) -> None:
    directory.nodes[guid(1)].dn = f"CN=Renamed,{MANAGED}"
    assert groups([update()], directory, journal)[0].status == "done"


def test_the_steps_of_one_object_expect_each_other(directory: FakeDirectory, journal: FakeJournal) -> None:
    applied = groups([update(), move()], directory, journal)
    assert [item.status for item in applied] == ["done", "done"]
    assert applied[1].dn == f"CN=Group 1,{SUB}"
    node = directory.nodes[guid(1)]
    assert (node.dn, node.sid, node.attributes["displayName"]) == (f"CN=Group 1,{SUB}", samples.sid(2001), ("new",))


def test_an_adoption_remembers_and_writes_only_what_differs(directory: FakeDirectory, journal: FakeJournal) -> None:
    quiet = dataclasses.replace(update(), action=Action.ADOPT, before={}, after={})
    assert groups([quiet], directory, journal)[0].status == "done"
    assert directory.writes == []
    assert journal.groups == {cloud_id(1): KnownGroup(guid(1), False)}
    groups([dataclasses.replace(update(), action=Action.ADOPT)], directory, journal)
    assert directory.writes == [("modify", guid(1))]


def test_a_failed_adoption_is_not_remembered(directory: FakeDirectory, journal: FakeJournal) -> None:
    groups([dataclasses.replace(update(before="x"), action=Action.ADOPT)], directory, journal)
    assert journal.groups == {}


def test_more_changes_than_are_checked_at_once(journal: FakeJournal) -> None:
    directory = FakeDirectory()
    applied = groups([create(number) for number in range(120)], directory, journal)
    assert len([item for item in applied if item.status == "done"]) == 120
    assert len(directory.nodes) == 120


def test_a_dead_connection_ends_the_run(journal: FakeJournal) -> None:
    directory = FakeDirectory()
    directory.writes_left = 1
    with pytest.raises(DirectoryError):
        groups([create(1), create(2)], directory, journal)
    assert set(journal.groups) == {cloud_id(1)}
    assert len(journal.records) == 1


def test_links_are_added_and_removed(directory: FakeDirectory, knowing: FakeJournal) -> None:
    directory.nodes[guid(1)].members = {guid(2), guid(3)}
    change = members([want(4)], [link(2)], [link(2), link(3)])
    (applied,) = links([change], directory, knowing)
    assert (applied.status, applied.added, applied.removed) == ("done", (guid(4),), (guid(2),))
    assert directory.nodes[guid(1)].members == {guid(3), guid(4)}
    assert knowing.records == [applied]


@pytest.mark.parametrize("held", [set(), {guid(2)}, {guid(2), guid(3), guid(4)}])
def test_a_group_whose_links_have_moved_on_is_left_alone(
    held: set[str], directory: FakeDirectory, knowing: FakeJournal
) -> None:
    directory.nodes[guid(1)].members = held
    (applied,) = links([members([want(4)], [link(2)], [link(2), link(3)])], directory, knowing)
    assert (applied.status, code(applied)) == ("failed", "directory_moved_on")
    assert directory.writes == []


def test_a_group_that_is_not_there_fails(journal: FakeJournal) -> None:
    for group in (guid(1), None):
        (applied,) = links([members([want(2)], group=group)], FakeDirectory(), journal)
        assert (applied.status, code(applied)) == ("failed", "group_missing")


def test_the_guid_of_a_created_group_comes_from_the_journal(directory: FakeDirectory, journal: FakeJournal) -> None:
    journal.know(1)
    (applied,) = links([members([want(2)], group=None)], directory, journal)
    assert (applied.status, applied.guid) == ("done", guid(1))
    assert directory.nodes[guid(1)].members == {guid(2)}


def test_a_refused_link_does_not_stop_the_others(directory: FakeDirectory, knowing: FakeJournal) -> None:
    directory.refused = {guid(3)}
    (applied,) = links([members([want(2), want(3), want(4)])], directory, knowing)
    assert (applied.status, applied.added, code(applied)) == ("partial", (guid(2), guid(4)), "permission_denied")
    assert applied.error is not None
    assert guid(3) in applied.error.message
    assert "1 of 3" in applied.error.message


def test_a_refusal_that_the_next_plan_settles_is_told_before_one_that_stays(
    directory: FakeDirectory, knowing: FakeJournal
) -> None:
    """What nothing refused for good would otherwise wait for hours with what was."""
    directory.refused = {guid(4)}
    del directory.nodes[guid(3)]
    (applied,) = links([members([want(2), want(3), want(4)])], directory, knowing)
    assert (code(applied), applied.status) == ("object_missing", "partial")
    assert applied.error is not None and "2 of 3" in applied.error.message


def test_links_that_are_all_refused_are_a_failure(directory: FakeDirectory, knowing: FakeJournal) -> None:
    directory.refused = {guid(2)}
    (applied,) = links([members([want(2)])], directory, knowing)
    assert applied.status == "failed"


def test_a_dead_connection_ends_the_member_part(directory: FakeDirectory, knowing: FakeJournal) -> None:
    directory.writes_left = 0
    with pytest.raises(DirectoryError):
        links([members([want(2)])], directory, knowing)


def nested_world() -> tuple[FakeCloud, FakeDirectory]:
    """Return an outer group with a user and a group that is to be created."""
    directory = FakeDirectory()
    directory.add_user(1)
    cloud = FakeCloud([cloud_group(10), cloud_group(11)], {cloud_id(10): CompleteReading((user(1), group_member(11)))})
    return cloud, directory


def run(cloud: FakeCloud, directory: FakeDirectory, journal: FakeJournal) -> Report:
    """Plan and apply all, and return what the members' part tells."""
    items = list(build_plan(samples.settings(), cloud, directory, journal.known(), Tally(), RunFacts()))
    groups([item for item in items if isinstance(item, GroupChange)], directory, journal)
    changes = [item for item in items if isinstance(item, MemberChange)]
    report = Report(100)
    for change, applied in zip(changes, links(changes, directory, journal), strict=True):
        report.applied(change, applied)
    return report


def test_a_nested_group_that_could_not_be_created_is_not_told_as_added(journal: FakeJournal) -> None:
    cloud, directory = nested_world()
    directory.add_group(dataclasses.replace(directory_group(7), dn=f"CN=Group 11_{11:012x},{MANAGED}"))
    report = run(cloud, directory, journal)
    outer = next(node for node in directory.nodes.values() if node.dn.startswith("CN=Group 10"))
    assert outer.members == {guid(1)}
    assert report.summary["members_added"] == 1


def test_a_created_nested_group_is_told_when_another_link_was_refused(journal: FakeJournal) -> None:
    cloud, directory = nested_world()
    directory.refused = {guid(1)}
    report = run(cloud, directory, journal)
    assert report.summary["members_added"] == 1
    assert [entry["name"] for entry in report.changes[0]["add"]] == ["Group 11"]


def test_a_container_is_created_once_and_its_groups_after_it(journal: FakeJournal) -> None:
    directory = FakeDirectory()
    place = f"OU=New,{MANAGED}"
    container = GroupChange(Action.CREATE_CONTAINER, "", place, None, place, None, {}, {}, "create_containers")
    first, second = groups([container, create(container=place)], directory, journal)
    assert (first.status, first.dn, first.guid) == ("done", place, None)
    assert second.status == "done"
    assert [kind for kind, _name in directory.writes] == ["create_container", "create"]
    assert set(journal.groups) == {cloud_id(1)}
    (again,) = groups([container], directory, journal)
    assert (again.status, code(again)) == ("failed", "name_collision")


def test_an_anchor_that_some_group_carries_in_another_case_is_in_use(journal: FakeJournal) -> None:
    directory = FakeDirectory()
    directory.add_group(directory_group(9, anchor=f"GROUP_{cloud_id(1).upper()}"))
    (applied,) = groups([create(1)], directory, journal)
    assert code(applied) == "directory_moved_on"


def lost_group(directory: FakeDirectory, *held: int, recycle_bin: bool = True) -> None:
    """Delete the group by hand, with these members."""
    directory.recycle_bin = recycle_bin
    directory.nodes[guid(1)].members = set(map(guid, held))
    directory.delete_by_hand(guid(1))


def restore(after: str = "new") -> GroupChange:
    place = f"CN=Group 1,{MANAGED}"
    values = {"displayName": (after,)}
    return GroupChange(
        Action.RESTORE, cloud_id(1), "Group 1", guid(1), "CN=gone", place, {"displayName": ("old",)}, values, "back"
    )


def test_a_deleted_group_comes_back_with_its_sid(directory: FakeDirectory, journal: FakeJournal) -> None:
    lost_group(directory, 2)
    (applied,) = groups([restore()], directory, journal)
    node = directory.nodes[guid(1)]
    assert (applied.status, applied.dn) == ("done", f"CN=Group 1,{MANAGED}")
    assert (node.sid, node.members, node.attributes["displayName"]) == (samples.sid(2001), {guid(2)}, ("new",))
    assert journal.groups == {cloud_id(1): KnownGroup(guid(1), False)}


@pytest.mark.parametrize("accepted", [True, False])
def test_a_restored_group_stays_as_accepted_as_it_was(
    directory: FakeDirectory, journal: FakeJournal, accepted: bool
) -> None:
    journal.know(1, accepted=accepted)
    lost_group(directory)
    groups([restore()], directory, journal)
    assert journal.groups == {cloud_id(1): KnownGroup(guid(1), accepted)}


def test_a_restored_group_is_moved_and_converted_in_the_same_run(
    directory: FakeDirectory, journal: FakeJournal
) -> None:
    lost_group(directory, recycle_bin=False)
    kind = {"groupType": ("-2147483646",)}
    convert = dataclasses.replace(
        update(), action=Action.CONVERT, before=kind, after={"groupType": (UNIVERSAL_SECURITY,)}
    )
    applied = groups([restore(), convert, move()], directory, journal)
    assert [item.status for item in applied] == ["done"] * 3
    assert directory.nodes[guid(1)].dn == f"CN=Group 1,{SUB}"


def test_what_was_restored_by_hand_meanwhile_is_left_alone(directory: FakeDirectory, journal: FakeJournal) -> None:
    (applied,) = groups([restore()], directory, journal)
    assert (code(applied), directory.writes, journal.groups) == ("directory_moved_on", [], {})


def test_after_a_failed_restore_the_later_steps_are_not_made(directory: FakeDirectory, journal: FakeJournal) -> None:
    lost_group(directory)
    directory.add_group(directory_group(9, container=MANAGED)).dn = f"CN=Group 1,{MANAGED}"
    applied = groups([restore(), move(), update(9)], directory, journal)
    assert [code(item) for item in applied] == ["name_collision", "earlier_step_failed", "directory_moved_on"]
    assert directory.writes == []


def retired(action: Action, **values: tuple[str, ...]) -> GroupChange:
    before = {ANCHOR: (f"Group_{cloud_id(1)}",), **values}
    after: dict[str, tuple[str, ...]] = {ANCHOR: ()} if action is Action.DETACH else {}
    place = f"CN=Group 1,{MANAGED}"
    return GroupChange(action, cloud_id(1), "Group 1", guid(1), place, None, before, after, "retired")


@pytest.mark.parametrize(("action", "write"), [(Action.DETACH, "modify"), (Action.DELETE, "delete")])
def test_a_retired_group_is_forgotten(
    directory: FakeDirectory, journal: FakeJournal, action: Action, write: str
) -> None:
    journal.know(1)
    (applied,) = groups([retired(action)], directory, journal)
    assert (applied.status, journal.groups) == ("done", {})
    assert directory.writes == [(write, guid(1))]
    assert applied.before[ANCHOR] == (f"Group_{cloud_id(1)}",)


@pytest.mark.parametrize("action", [Action.DETACH, Action.DELETE])
def test_a_group_whose_marks_have_moved_on_is_not_retired(
    directory: FakeDirectory, journal: FakeJournal, action: Action
) -> None:
    journal.know(1)
    (applied,) = groups([retired(action, adminDescription=("x",))], directory, journal)
    assert (code(applied), directory.writes) == ("directory_moved_on", [])
    assert cloud_id(1) in journal.groups


def test_a_group_that_was_filled_since_the_plan_is_not_deleted(directory: FakeDirectory, journal: FakeJournal) -> None:
    """It was planned because it was empty; who put somebody in since then wants it to be there."""
    journal.know(1)
    directory.nodes[guid(1)].members = {guid(2)}
    (applied,) = groups([retired(Action.DELETE)], directory, journal)
    assert (code(applied), directory.writes) == ("directory_moved_on", [])


def at_usn(number: int, held: Iterable[Link] = ()) -> MemberChange:
    return dataclasses.replace(members([want(4)], [], held), before_usn=number)


@pytest.mark.parametrize(("planned", "now", "read_again"), [(7, 7, False), (7, 8, True), (0, 0, True), (0, 7, True)])
def test_links_are_read_again_unless_the_group_is_as_it_was(
    directory: FakeDirectory, knowing: FakeJournal, planned: int, now: int, read_again: bool
) -> None:
    directory.nodes[guid(1)].usn = now
    assert links([at_usn(planned)], directory, knowing)[0].status == "done"
    assert ("links" in directory.questions) is read_again


HERE = database_of(samples.DOMAIN)
ELSEWHERE = [
    Database("dc2.contoso.com", samples.guid(99)),
    # A backup that was restored is another copy under the same name.
    Database(HERE.server, samples.guid(99)),
    Database(HERE.server, ""),
    Database("dc2.contoso.com", HERE.invocation_id),
]


@pytest.mark.parametrize("planned_on", [None, *ELSEWHERE])
def test_a_sequence_number_of_another_copy_proves_nothing(
    directory: FakeDirectory, knowing: FakeJournal, planned_on: Database | None
) -> None:
    """Each copy of the directory counts for itself: the same number there says nothing of the links here."""
    directory.nodes[guid(1)].usn = 7
    change = dataclasses.replace(members([want(4)], [], [link(2)]), before_usn=7)
    (applied,) = member_applying.apply_members([change], directory, directory, knowing, planned_on=planned_on)
    assert (applied.status, code(applied), directory.writes) == ("failed", "directory_moved_on", [])


@pytest.mark.parametrize("planned_on", ELSEWHERE)
def test_a_plan_of_another_copy_neither_creates_nor_deletes(planned_on: Database) -> None:
    """What was written there since may not be here yet; attributes and places of what is here may change."""
    directory = FakeDirectory()
    directory.add_group(directory_group(1, displayName=("old",)))
    directory.add_group(directory_group(2, anchor=f"Group_{cloud_id(2)}"))
    directory.add_group(directory_group(3))
    directory.delete_by_hand(guid(3))
    gone, back = (
        dataclasses.replace(update(number), action=action, before={}, after={}, new_dn=place)
        for number, action, place in ((2, Action.DELETE, None), (3, Action.RESTORE, f"CN=Group 3,{MANAGED}"))
    )
    container = dataclasses.replace(create(5), action=Action.CREATE_CONTAINER, id="", dn=f"OU=New,{MANAGED}")
    changes = [container, create(4), gone, back, update(1)]
    journal = FakeJournal()
    done = list(apply.apply_groups(changes, directory, directory, journal, planned_on=planned_on))
    assert [code(applied) for applied in done] == ["replication_pending"] * 4 + [""]
    assert [kind for kind, _guid in directory.writes] == ["modify"]
    here = [dataclasses.replace(create(4), dn=f"CN=Group 4,{MANAGED}"), gone]
    again = list(apply.apply_groups(here, directory, directory, journal, planned_on=HERE))
    assert [applied.status for applied in again] == ["done", "done"]


@pytest.mark.parametrize("known_as", [None, 9])
def test_members_are_not_written_to_an_object_that_the_journal_does_not_tie_to_the_group(
    directory: FakeDirectory, journal: FakeJournal, known_as: int | None
) -> None:
    """Its adoption failed, or another object was taken meanwhile."""
    if known_as:
        journal.know(1, guid=guid(known_as))
    (applied,) = links([members([want(2)])], directory, journal)
    assert (applied.status, code(applied)) == ("failed", "earlier_step_failed")
    assert (directory.writes, directory.nodes[guid(1)].members) == ([], set())


def test_an_adoption_that_was_refused_gives_no_members(directory: FakeDirectory, journal: FakeJournal) -> None:
    """An administrator hands the object to another cloud group before the plan is applied."""
    mark = {ANCHOR: (f"Group_{cloud_id(1)}",)}
    adopt = dataclasses.replace(update(), action=Action.ADOPT, before=mark, after=mark)
    directory.nodes[guid(1)].attributes[ANCHOR] = (f"Group_{cloud_id(9)}",)
    (adopted,) = groups([adopt], directory, journal)
    assert (adopted.status, code(adopted)) == ("failed", "directory_moved_on")
    (linked,) = links([members([want(2)])], directory, journal)
    assert (code(linked), directory.writes) == ("earlier_step_failed", [])


@dataclasses.dataclass
class StoppingJournal(FakeJournal):
    """A journal in which runs are stopped once so many outcomes are written down."""

    most: int = 0

    def stopped(self) -> str | None:
        """Return why runs are stopped, or None."""
        return "Enough." if len(self.records) >= self.most else None


# What is under way when runs are stopped is ended and written down.
@pytest.mark.parametrize(("most", "done"), [(0, 0), (1, 2), (2, 3)])
def test_creations_are_stopped_before_the_next_one_begins(most: int, done: int) -> None:
    directory, stopping = FakeDirectory(), StoppingJournal(most=most)
    with pytest.raises(BlockedError, match=r"Enough\.") as caught:
        groups([create(number) for number in range(1, 5)], directory, stopping)
    assert (caught.value.code, len(stopping.records), len(directory.writes)) == ("stopped", done, done)


@pytest.mark.parametrize("done", [0, 1])
def test_other_changes_of_groups_are_stopped_before_the_next_one(directory: FakeDirectory, done: int) -> None:
    directory.add_group(dataclasses.replace(anchored_group(9), attributes={"displayName": ("old",)}))
    stopping = StoppingJournal(most=done)
    changes = [update(1), update(9)]
    with pytest.raises(BlockedError):
        groups(changes, directory, stopping)
    assert (len(stopping.records), len(directory.writes)) == (done, done)


@pytest.mark.parametrize("just_planned", [True, False])
@pytest.mark.parametrize(("most", "done"), [(0, 0), (1, 2)])
def test_members_are_stopped_before_the_next_group_begins(
    directory: FakeDirectory, most: int, done: int, just_planned: bool
) -> None:
    stopping = StoppingJournal(most=most)
    stopping.know(1)
    changes = [members([want(2)])]
    for number in (8, 9):
        directory.add_group(anchored_group(number))
        stopping.know(number)
        changes.append(dataclasses.replace(members([want(2)], group=guid(number)), id=cloud_id(number)))
    with pytest.raises(BlockedError) as caught:
        list(member_applying.apply_members(changes, directory, directory, stopping, just_planned=just_planned))
    assert (caught.value.code, len(stopping.records), len(directory.writes)) == ("stopped", done, done)


def test_a_run_that_is_not_stopped_goes_on(journal: FakeJournal) -> None:
    apply.refuse_stopped(journal)
    journal.why_stopped = ""
    with pytest.raises(BlockedError):
        apply.refuse_stopped(journal)


def test_a_plan_of_this_call_is_believed(directory: FakeDirectory, journal: FakeJournal) -> None:
    done = list(member_applying.apply_members([at_usn(0)], directory, directory, journal, just_planned=True))
    assert (done[0].status, directory.questions) == ("done", [])


def test_links_that_cannot_be_read_again_leave_the_group_alone(directory: FakeDirectory, knowing: FakeJournal) -> None:
    directory.cut = {guid(1)}
    directory.add_group(anchored_group(9))
    knowing.know(9)
    other = dataclasses.replace(members([want(2)], group=guid(9)), id=cloud_id(9))
    first, second = links([at_usn(0), other], directory, knowing)
    assert (first.status, code(first), second.status) == ("failed", "links_unread", "done")
    assert directory.nodes[guid(1)].members == set()


@pytest.mark.parametrize("change", [{"sid": "S-1-5-32-544"}, {"attributes": {"adminCount": ("1",)}}, {"dn": "CN=x"}])
def test_members_of_what_may_not_be_written_by_now_are_left_alone(
    directory: FakeDirectory, knowing: FakeJournal, change: dict[str, object]
) -> None:
    node = directory.nodes[guid(1)]
    directory.nodes[guid(1)] = dataclasses.replace(node, **{"usn": 7, **change})  # type: ignore[arg-type]
    (applied,) = links([at_usn(7)], directory, knowing)
    assert (code(applied), directory.writes) == ("group_missing", [])


def test_members_of_other_domains_are_written_by_name(directory: FakeDirectory, knowing: FakeJournal) -> None:
    directory.nodes[guid(2)].sid = directory.nodes[guid(3)].sid = samples.sid(7, samples.SISTER_SID)
    directory.nodes[guid(4)].sid = samples.sid(7, samples.FOREIGN_SID)
    held = [dataclasses.replace(link(number), sid=directory.nodes[guid(number)].sid) for number in (3, 4, 5)]
    directory.nodes[guid(1)].members = {entry.guid for entry in held}
    sister = dataclasses.replace(want(2), sid=samples.sid(7, samples.SISTER_SID), dn="CN=User 2,DC=emea,DC=contoso")
    home = dataclasses.replace(want(6), sid=samples.sid(5006), dn="CN=User 6")
    (applied,) = links([members([sister, home], held, held)], directory, knowing)
    assert applied.status == "done"
    expected = {guid(2): sister.dn, guid(6): "", guid(3): held[0].dn, guid(4): "", guid(5): ""}
    assert directory.places == expected


def test_a_decoy_that_the_plan_saw_does_not_stop_a_creation(directory: FakeDirectory, journal: FakeJournal) -> None:
    planned = dataclasses.replace(create(container=SUB), ignored=(guid(1),))
    assert groups([planned], directory, journal)[0].status == "done"
    directory.add_group(anchored_group(9, of=2))
    (applied,) = groups([dataclasses.replace(create(2), ignored=(guid(1),))], directory, journal)
    assert code(applied) == "directory_moved_on"


class FullDisk(FakeJournal):
    """A journal that can be written no more."""

    def remember(self, cloud_id: str, guid: str, *, accepted: bool) -> None:
        """Refuse."""
        raise StoreError("The disk is full.")


def test_what_was_done_is_told_also_when_it_cannot_be_written_down() -> None:
    directory, journal = FakeDirectory(), FullDisk()
    cloud = FakeCloud([cloud_group(1), cloud_group(2), cloud_group(3)])
    items = build_plan(samples.settings(), cloud, directory, {}, Tally(), RunFacts())
    changes = [item for item in items if isinstance(item, GroupChange)]
    work = apply.apply_groups(changes, directory, directory, journal)
    told = [next(work), next(work)]
    assert [(one.action, one.status, one.guid) for one in told] == [("create", "done", one) for one in directory.nodes]
    with pytest.raises(StoreError, match="The disk is full"):
        next(work)
    assert len(directory.nodes) == 2, "but for what was under way, nothing more is written"


def test_what_was_begun_before_the_directory_went_away_is_not_forgotten() -> None:
    class Losing(FakeDirectory):
        """Loses the connection of the first creation; the second one has another."""

        def begin(self, step: Callable[[DirectoryWriter], _T]) -> Callable[[], _T]:
            if not self.nodes and not self.writes:
                self.writes.append(("lost", ""))

                def fail() -> _T:
                    raise DirectoryError("The domain controller does not answer.", code="directory_unreachable")

                return fail
            return super().begin(step)

    directory, journal = Losing(), FakeJournal()
    done: list[Applied] = []
    with pytest.raises(DirectoryError):
        done.extend(apply.apply_groups([create(1), create(2), create(3)], directory, directory, journal))
    assert [(one.id, one.status) for one in journal.records] == [(cloud_id(1), "failed"), (cloud_id(2), "done")]
    assert list(journal.groups) == [cloud_id(2)] and len(directory.nodes) == 1
