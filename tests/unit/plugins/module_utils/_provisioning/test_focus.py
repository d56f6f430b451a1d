# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan that looks at what changed plans the same as one that looks at everything."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import apply, focus, member_applying
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.cycle import build_plan
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.focus import Focus, Watermark
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Kind, Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    CompleteReading,
    DirectoryGroup,
    Principal,
    Skipped,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    MemberChange,
    Notice,
    PlanItem,
    Problem,
    Question,
    Skip,
    Subject,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import (
    ChangedObjects,
    KnownGroup,
    SnapshotHeader,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.replication import Database
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.run_facts import RunFacts
from tests.unit import samples
from tests.unit.fakes import FakeCloud, FakeDirectory, FakeJournal
from tests.unit.samples import cloud_group, cloud_id, group_member, guid, sid, user

DATABASE = Database("dc1.contoso.com", guid(1))
MARK = Watermark("word", "f", 3, DATABASE, 100, "2026-01-01T00:00:00Z", 20, 400)
HEADER = SnapshotHeader(samples.TENANT, "2026-01-01T10:00:00Z", "later", sequence=5)
CLOUD = FakeCloud(header=HEADER, readings={3: "f", 5: "later"})
DOMAIN = replace(samples.DOMAIN, server=DATABASE.server, invocation_id=DATABASE.invocation_id, highest_usn=120)
USUAL: dict[str, Any] = {
    "mark": MARK,
    "cloud": CLOUD,
    "domain": DOMAIN,
    "word": "word",
    "now": datetime(2026, 1, 1, 23, tzinfo=timezone.utc),
    "hours": 24,
}


def test_what_changed_is_enough() -> None:
    assert focus.why_all(**USUAL) == ""


def _cloud(**more: Any) -> FakeCloud:
    return FakeCloud(header=replace(HEADER, **more), readings={3: "f"})


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"mark": None}, "no run"),
        ({"mark": replace(MARK, usn=0)}, "another"),
        ({"domain": replace(DOMAIN, highest_usn=0)}, "another"),
        ({"domain": replace(DOMAIN, invocation_id="")}, "another"),
        ({"domain": replace(DOMAIN, invocation_id=guid(2))}, "another"),
        ({"domain": replace(DOMAIN, server="dc2.contoso.com")}, "another"),
        ({"domain": replace(DOMAIN, highest_usn=99)}, "set back"),
        ({"cloud": FakeCloud(header=HEADER, readings={3: "of another line"})}, "does not go back"),
        ({"cloud": FakeCloud(header=HEADER)}, "does not go back"),
        ({"cloud": _cloud(incomplete="cut")}, "not whole"),
        ({"cloud": _cloud(scope_doubt="doubt")}, "not whole"),
        ({"cloud": _cloud(narrowed=True)}, "not whole"),
        ({"word": "other"}, "settings"),
        ({"hours": 23}, "2026-01-01"),
        ({"hours": 0}, "2026-01-01"),
        ({"now": datetime(2025, 12, 31, tzinfo=timezone.utc)}, "2026-01-01"),
    ],
)
def test_everything_is_compared(given: dict[str, Any], why: str) -> None:
    assert why in focus.why_all(**{**USUAL, **given})


def test_what_is_looked_at() -> None:
    members = {
        cloud_id(11): CompleteReading((user(1),)),
        cloud_id(12): CompleteReading((group_member(11), user(2))),
        cloud_id(13): CompleteReading((user(3),)),
    }
    cloud = FakeCloud(members=members, changed=[cloud_id(10)])
    known = {cloud_id(14): KnownGroup(guid(14), True), cloud_id(15): KnownGroup(guid(15), True)}
    changed = ChangedObjects(frozenset({guid(14)}), frozenset({sid(5001)}), frozenset({f"Group_{cloud_id(16)}"}))
    looked_at = focus.ids_to_look_at(cloud, MARK, changed, known, {cloud_id(17)})
    assert looked_at == {cloud_id(number) for number in (10, 11, 12, 14, 16, 17)}


@pytest.mark.parametrize(
    ("ids", "known", "are_most"), [(100, 100, False), (101, 101, True), (150, 300, False), (151, 300, True)]
)
def test_when_some_are_as_much_work_as_all(ids: int, known: int, are_most: bool) -> None:
    everyone = [cloud_id(number) for number in range(known)]
    assert focus.are_most(everyone[:ids], everyone) is are_most


def test_whose_a_plan_speaks() -> None:
    items: list[PlanItem] = [
        GroupChange(Action.UPDATE, cloud_id(1), "", guid(1), "CN=1", None, {}, {}, ""),
        MemberChange(cloud_id(2), "", guid(2), "CN=2", (), (), 0, "", 0),
        Problem(cloud_id(3), "", "code", ""),
        Notice(cloud_id(4), "", "code", ""),
        Skip(cloud_id(5), "", "code", ""),
        Skip(cloud_id(6), "", "code", "", cloud_id(7), "its group"),
        Question(Subject.GROUP, cloud_id(8)),
        Skip(cloud_id(6), "", Skipped.NOT_FOUND_IN_DIRECTORY.value, "", cloud_id(9), "its group"),
        Skip(cloud_id(6), "", Skipped.IDENTITY_CONFLICT.value, "", cloud_id(10), "its group"),
    ]
    ids: set[str] = set()
    assert list(focus.unsettled_by(items, ids)) == items
    assert ids == {cloud_id(number) for number in (*range(1, 6), 9, 10)}


def test_settled() -> None:
    assert not focus.EVERYTHING.settled(cloud_id(1))
    assert [Focus(frozenset({cloud_id(1)})).settled(cloud_id(number)) for number in (1, 2)] == [False, True]


def test_limits_are_shares_of_all_groups() -> None:
    tally, where = Tally(), Focus(frozenset(), "", MARK)
    list(build_plan(samples.settings(), FakeCloud(), FakeDirectory(), {}, tally, RunFacts(), focus=where))
    assert (tally.base(Kind.CREATIONS), tally.base(Kind.MEMBER_REMOVALS)) == (20, 400)


def _changes(items: list[PlanItem]) -> list[str]:
    kept = [item for item in items if isinstance(item, (GroupChange, MemberChange, Problem))]
    return sorted(map(repr, kept))


@pytest.mark.parametrize("who", [1, 9])
def test_a_link_that_comes_back_with_a_restored_account(who: int) -> None:
    """It was inactive when its member left, or when nobody listed it, and so nothing of the group changes."""
    directory, journal = FakeDirectory(), FakeJournal()
    directory.recycle_bin = True
    directory.add_user(1)
    directory.add_user(9)
    members = {cloud_id(100): CompleteReading((user(1), user(9)))}
    one = cloud_group(100)
    _run(FakeCloud([one], members), directory, journal)
    directory.delete_by_hand(samples.link(who).guid)
    left = FakeCloud([one], {cloud_id(100): CompleteReading(tuple(u for u in (user(1), user(9)) if u != user(who)))})
    _run(left, directory, journal)
    usn, unsettled = directory.mark(), set[str]()
    list(focus.unsettled_by(_plan(left, directory, journal), unsettled))
    node = directory.tombstones.pop(samples.link(who).guid)
    directory.nodes[node.guid] = node
    everything = _changes(_plan(left, directory, journal))
    assert everything
    ids = focus.ids_to_look_at(left, MARK, directory.changed(usn), journal.known(), unsettled)
    assert _changes(_plan(left, directory, journal, Focus(ids, "", MARK))) == everything


_GROUPS, _USERS = range(100, 107), range(1, 8)
NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
_SETTINGS = samples.settings()


def _plan(
    cloud: FakeCloud, directory: FakeDirectory, journal: FakeJournal, where: Focus = focus.EVERYTHING
) -> list[PlanItem]:
    run = RunFacts(now=NOW, left=journal.left(), added=journal.added)
    return list(build_plan(_SETTINGS, cloud, directory, journal.known(), Tally(), run, focus=where))


def _run(cloud: FakeCloud, directory: FakeDirectory, journal: FakeJournal) -> None:
    items = _plan(cloud, directory, journal)
    list(apply.apply_groups((i for i in items if isinstance(i, GroupChange)), directory, directory, journal))
    list(
        member_applying.apply_members((i for i in items if isinstance(i, MemberChange)), directory, directory, journal)
    )


_LISTED = st.one_of(
    st.sampled_from(_USERS).map(user),
    st.sampled_from(_USERS).map(lambda number: user(number, object_identifier=guid(number))),
    st.sampled_from(_GROUPS).map(group_member),
    st.just(user(9, None)),
)


@st.composite
def _members(draw: st.DrawFn) -> CompleteReading[tuple[Principal, ...]]:
    return CompleteReading(tuple(draw(st.lists(_LISTED, unique_by=lambda one: one.id, max_size=4))))


@st.composite
def _group(draw: st.DrawFn, number: int) -> CloudGroup:
    ways = ["as before", "as before", "renamed", "mail", "converted"]
    return {
        "as before": cloud_group(number),
        "renamed": cloud_group(number, displayName=f"Renamed {number}"),
        "mail": cloud_group(number, mailEnabled=True),
        "converted": samples.converted(number, sid(2000 + number)),
    }[draw(st.sampled_from(ways))]


def _meddle(data: st.DataObject, directory: FakeDirectory) -> None:
    """Change the directory by hand, in ways that move a group's sequence number and in ways that do not."""
    nodes = sorted(directory.nodes)
    chosen = directory.nodes[data.draw(st.sampled_from(nodes))]
    ways = ["delete", "restore", "new user"]
    if chosen.object_class == "group":
        ways += ["link", "unlink", "describe", "wipe", "guard", "copy the anchor"]
    way = data.draw(st.sampled_from(ways))
    event(f"by hand: {way}")
    if way == "delete":
        directory.delete_by_hand(chosen.guid)
    elif way == "restore" and directory.tombstones:
        node = directory.tombstones.pop(sorted(directory.tombstones)[0])
        directory.nodes[node.guid] = node
    elif way == "new user":
        directory.add_user(_USERS[-1])
    elif way == "link":
        chosen.members.add(data.draw(st.sampled_from(nodes)))
    elif way == "unlink" and chosen.members:
        chosen.members.discard(sorted(chosen.members)[0])
    elif way == "describe":
        chosen.attributes["displayName"] = ("by hand",)
    elif way == "wipe":
        chosen.attributes.pop(ANCHOR, None)
    elif way == "guard":
        chosen.attributes["adminCount"] = ("1",)
    elif way == "copy the anchor" and ANCHOR in chosen.attributes:
        twin = DirectoryGroup(guid(900), sid(9000), f"CN=Twin,{samples.MANAGED}", {ANCHOR: chosen.attributes[ANCHOR]})
        directory.add_group(twin)


@trying(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_a_plan_of_what_changed_holds_all_changes(data: st.DataObject) -> None:
    directory, journal = FakeDirectory(), FakeJournal()
    directory.recycle_bin = data.draw(st.booleans())
    for number in _USERS[:-1]:
        directory.add_user(number)
    groups = {cloud_id(number): cloud_group(number) for number in _GROUPS}
    members = {one: data.draw(_members()) for one in groups}
    principals = [user(number) for number in _USERS]
    before = FakeCloud(groups.values(), members, principals=principals)
    for _unused in range(3):
        _run(before, directory, journal)
    for _unused in range(data.draw(st.integers(0, 2), label="by hand before the mark")):
        _meddle(data, directory)
    usn, unsettled = directory.mark(), set[str]()
    list(focus.unsettled_by(_plan(before, directory, journal), unsettled))
    if data.draw(st.booleans(), label="applied"):
        _run(before, directory, journal)
    changed: set[str] = set()
    for number in data.draw(st.frozensets(st.sampled_from(_GROUPS), max_size=2), label="changed in the cloud"):
        one = cloud_id(number)
        changed.add(one)
        groups[one], members[one] = data.draw(_group(number)), data.draw(_members())
        if data.draw(st.integers(0, 3)) == 0:
            del groups[one], members[one]
    for _unused in range(data.draw(st.integers(0, 3), label="by hand")):
        _meddle(data, directory)
    cloud = FakeCloud(groups.values(), members, principals=principals, changed=changed & groups.keys())
    looked_at = focus.ids_to_look_at(cloud, MARK, directory.changed(usn), journal.known(), unsettled)
    left_out = len(groups.keys() - looked_at)
    event(f"groups left out: {left_out}")
    everything = _changes(_plan(cloud, directory, journal))
    event(f"changes: {min(len(everything), 4)}")
    assert _changes(_plan(cloud, directory, journal, Focus(looked_at, "", MARK))) == everything
