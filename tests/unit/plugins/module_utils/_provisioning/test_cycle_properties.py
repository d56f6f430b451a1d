# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for any tenant and any directory: plans settle, keep to what is managed, and may stop anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from itertools import islice
from random import Random

from hypothesis import event, given
from hypothesis import settings as trying
from hypothesis import strategies as st

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import (
    apply,
    dn,
    member_applying,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import (
    ANCHOR,
    UNIVERSAL_SECURITY,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.cycle import build_plan
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.mapping import (
    DEFAULT_MAPPINGS,
    AttributeMapping,
    MappingKind,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    CompleteReading,
    DirectoryGroup,
    Fate,
    FateKind,
    IncompleteReading,
    Principal,
    PrincipalKind,
    Reading,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.naming import NameCollision
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    MemberChange,
    PlanItem,
    Problem,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied, KnownGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.removal import ForeignMembers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retire import (
    DEFAULT_RETIRE,
    INDEX_LAG,
    Departure,
    Retire,
    RetireRules,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.run_facts import RunFacts
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Moves, Settings
from tests.unit import samples
from tests.unit.fakes import FakeCloud, FakeDirectory, FakeJournal, Node, anchored_by
from tests.unit.samples import FOREIGN_SID, MANAGED, OUTSIDE, SUB, cloud_group, cloud_id, guid, other_member, sid, user

# A world has many parts, so that the usual number of examples meets few of their combinations.
many = trying(max_examples=100)
_USERS = range(1, 7)
DEFAULT_CN = next(entry for entry in DEFAULT_MAPPINGS if entry.target == "cn")
BY_CLASS = f'IIF(IsNullOrEmpty([classification]),"{MANAGED}",Append(Append("OU=",[classification]),",{MANAGED}"))'
# What the administrator may map, beside the default; the names are those that nobody else has, or not.
_MAPPINGS = {
    "cn": [DEFAULT_CN, DEFAULT_CN, AttributeMapping("cn", MappingKind.DIRECT, "displayName")],
    "info": [
        AttributeMapping("info", MappingKind.NONE),
        AttributeMapping("info", MappingKind.DIRECT, "theme", clear_when_null=True),
        AttributeMapping("info", MappingKind.DIRECT, "theme", default="none", on_create=True),
        AttributeMapping("info", MappingKind.EXPRESSION, 'SelectUniqueValue("a","b","c","d","e")'),
    ],
    "mail": [
        AttributeMapping("mail", MappingKind.CONSTANT, "a@b"),
        AttributeMapping("mail", MappingKind.EXPRESSION, 'IIF(IsPresent([theme]),"x",IgnoreObjectFlow)'),
    ],
}
_GROUPS = range(100, 105)
_TWIN = 100  # a second object that claims a group has its number and this
NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)
_RETIRE = [entry for entry in Retire if entry is not Retire.DELETE]
_STRANGER = 90
_PROTECTED = 91


@dataclass(frozen=True)
class World:
    """A tenant, a directory, what is remembered, and what the administrator decided."""

    groups: tuple[CloudGroup, ...]
    members: dict[str, Reading[tuple[Principal, ...]]]
    directory: FakeDirectory
    known: dict[str, KnownGroup]
    fates: tuple[Fate, ...]
    journal_missing: bool
    settings: Settings = field(repr=False)

    @property
    def cloud(self) -> FakeCloud:
        """The snapshot."""
        principals = [user(number) for number in _USERS]
        return FakeCloud(self.groups, self.members, principals=principals, fates=self.fates)

    def fresh(self) -> tuple[FakeDirectory, FakeJournal]:
        """Return directory and journal as they are at first, to be changed."""
        return self.directory.copy(), FakeJournal(dict(self.known))


def _principals() -> st.SearchStrategy[Principal]:
    users = st.sampled_from(_USERS)
    return st.one_of(
        users.map(user),
        users.map(lambda number: user(number, object_identifier=guid(number % 3 + 1))),
        users.map(lambda number: user(number, sid(number, FOREIGN_SID))),
        users.map(lambda number: user(number, None)),
        users.map(lambda number: user(number, readable=False)),
        st.sampled_from(_GROUPS).map(samples.group_member),
        st.sampled_from(_GROUPS).map(lambda number: samples.group_member(number, synced=True)),
        st.just(other_member(80, PrincipalKind.DEVICE)),
    )


@st.composite
def _readings(draw: st.DrawFn) -> Reading[tuple[Principal, ...]]:
    members = tuple(draw(st.lists(_principals(), unique_by=lambda member: member.id, max_size=6)))
    return IncompleteReading(members, "a page was lost") if draw(st.integers(0, 4)) == 0 else CompleteReading(members)


@st.composite
def _cloud_groups(draw: st.DrawFn, number: int) -> CloudGroup:
    kind = draw(st.sampled_from(["born", "born", "converted", "mail", "synced", "rolled back", "evaluating"]))
    on_premises = sid(2000 + number)
    name = draw(st.sampled_from([f"Group {number}", "a,b+c", " #x ", "\U0001f680", "bad\nname"]))
    return {
        "born": cloud_group(
            number,
            displayName=name,
            description=draw(st.sampled_from([None, "text"])),
            theme=draw(st.sampled_from([None, "Blue"])),
            classification=draw(st.sampled_from([None, "Sales", "New"])),
        ),
        "converted": samples.converted(number, on_premises),
        "mail": cloud_group(number, mailEnabled=True),
        "synced": cloud_group(number, onPremisesSyncEnabled=True, onPremisesSecurityIdentifier=on_premises),
        "rolled back": cloud_group(number, managed=False, onPremisesSecurityIdentifier=on_premises),
        "evaluating": cloud_group(number, groupTypes=["DynamicMembership"], membershipRuleProcessingState="Evaluating"),
    }[kind]


@st.composite
def _directory_sides(draw: st.DrawFn, number: int, directory: FakeDirectory, gone: set[int]) -> KnownGroup | None:
    """Put what the directory may hold of a cloud group there, and return what the journal knows of it."""
    states = ["absent", "anchored", "known", "wiped", "guarded", "elsewhere", "deleted", "known, deleted"]
    state = draw(st.sampled_from(["absent", *states]))
    anchor = f"Group_{cloud_id(number)}"
    if state == "absent":
        return None
    container = OUTSIDE if state == "elsewhere" else draw(st.sampled_from([MANAGED, SUB]))
    attributes = {
        "groupType": (draw(st.sampled_from([UNIVERSAL_SECURITY] * 4 + ["-2147483646"])),),
        "displayName": (draw(st.sampled_from([f"Group {number}", "Old"])),),
        "adminDescription": (draw(st.sampled_from(["", anchor, f"TakenOver_{anchor}"])),),
    }
    attributes = {name: values for name, values in attributes.items() if values[0]}
    if state != "wiped":
        attributes[ANCHOR] = (anchor,)
    if state == "guarded":
        attributes["adminCount"] = ("1",)
    cn = draw(st.sampled_from([f"Group {number}_{number:012x}", f"Old {number}", f"Group {number + 1}", "a,b+c"]))
    if any(dn.same(node.dn, dn.child("CN", cn, container)) for node in directory.nodes.values()):
        cn = f"Old {number}"
    links = draw(st.frozensets(st.sampled_from([guid(n) for n in (*_USERS, _STRANGER)]), max_size=5))
    owners = st.sampled_from([samples.OWN_SID, samples.OWN_SID, samples.STRANGER_SID])
    node = directory.add_group(
        DirectoryGroup(guid(number), sid(2000 + number), dn.child("CN", cn, container), attributes), links
    )
    node.owner = draw(owners)
    if state.endswith("deleted"):
        gone.add(number)
    if draw(st.integers(0, 4)) == 0:  # a second object claims the same cloud group
        twin = DirectoryGroup(
            guid(number + _TWIN),
            sid(3000 + number),
            f"CN=Twin {number},{MANAGED}",
            {**attributes, ANCHOR: (anchor,)},
        )
        directory.add_group(twin, links).owner = draw(owners)
    return KnownGroup(guid(number), draw(st.booleans())) if state in ("known", "wiped", "known, deleted") else None


@st.composite
def _departures(draw: st.DrawFn, number: int) -> Fate | None:
    """Return what Entra ID says of a group that is not listed any more."""
    since = draw(st.sampled_from(["2026-01-01T00:00:00Z", "2026-05-31T23:50:00Z", "2026-05-20T00:00:00Z"]))
    kind = draw(st.sampled_from([None, *FateKind, FateKind.ABSENT]))
    return Fate(cloud_id(number), kind, "", since, "2026-06-01T00:00:00Z") if kind else None


@st.composite
def _retire_rules(draw: st.DrawFn) -> RetireRules:
    chosen: dict[Departure, Retire] = {}
    for departure in [entry for entry in Departure if entry is not Departure.ROLLED_BACK]:
        more = [Retire.DELETE] * 3 if departure is Departure.DELETED else []
        chosen[departure] = draw(st.sampled_from([*_RETIRE, *more]))
    return RetireRules({**DEFAULT_RETIRE, **chosen}, draw(st.sampled_from([0, 30])), SUB)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw a whole world."""
    directory = FakeDirectory()
    for number in draw(st.frozensets(st.sampled_from(_USERS))):
        directory.add_user(number)
    directory.nodes[guid(_STRANGER)] = Node(guid(_STRANGER), None, f"CN=Contact,{OUTSIDE}", "contact")
    # A group that nothing ties to the cloud, in the middle of those that are managed, and one that guards itself.
    directory.add_group(samples.directory_group(_PROTECTED), [guid(_STRANGER)])
    directory.recycle_bin = draw(st.booleans())
    gone: set[int] = set()
    groups, members, known, fates = [], {}, {}, []
    for number in draw(st.frozensets(st.sampled_from(_GROUPS), min_size=2)):
        if draw(st.integers(0, 3)):
            groups.append(draw(_cloud_groups(number)))
            members[cloud_id(number)] = draw(_readings())
        elif (fate := draw(_departures(number))) is not None:
            fates.append(fate)
        entry = draw(_directory_sides(number, directory, gone))
        if entry is not None:
            known[cloud_id(number)] = entry
    for node in directory.nodes.values():
        node.members &= directory.nodes.keys()
    for number in sorted(gone):
        directory.delete_by_hand(guid(number))
    approved = draw(st.frozensets(st.sampled_from([guid(number + _TWIN) for number in _GROUPS]), max_size=2))
    settings = samples.settings(
        draw(st.sampled_from([MANAGED, SUB, BY_CLASS])),
        attribute_mappings=tuple(draw(st.sampled_from(_MAPPINGS[name])) for name in sorted(_MAPPINGS)),
        moves=draw(st.sampled_from(list(Moves))),
        create_containers=draw(st.booleans()),
        name_collision=draw(st.sampled_from(list(NameCollision))),
        foreign_members=draw(st.sampled_from(list(ForeignMembers))),
        protected_members=draw(st.sampled_from([(), (sid(5001),)])),
        convert_scope=draw(st.booleans()),
        adopt_objects=tuple(sorted(approved)),
        retire=draw(_retire_rules()),
    )
    journal_missing = not known and draw(st.booleans())
    return World(tuple(groups), members, directory, known, tuple(fates), journal_missing, settings)


def _plan(world: World, directory: FakeDirectory, journal: FakeJournal) -> list[PlanItem]:
    run = RunFacts(now=NOW, journal_missing=world.journal_missing, left=journal.left(), added=journal.added)
    return list(build_plan(world.settings, world.cloud, directory, journal.known(), Tally(), run))


def _changes(items: list[PlanItem]) -> list[GroupChange | MemberChange]:
    return [item for item in items if isinstance(item, (GroupChange, MemberChange))]


def _applying(items: list[PlanItem], directory: FakeDirectory, journal: FakeJournal) -> Iterator[Applied]:
    """Carry a plan out step by step."""
    groups = (item for item in items if isinstance(item, GroupChange))
    yield from apply.apply_groups(groups, directory, directory, journal)
    members = (item for item in items if isinstance(item, MemberChange))
    yield from member_applying.apply_members(members, directory, directory, journal)


def _apply(world: World, directory: FakeDirectory, journal: FakeJournal) -> list[Applied]:
    return list(_applying(_plan(world, directory, journal), directory, journal))


def _names_are_contended(world: World) -> bool:
    """Return whether two groups, or a group and a stranger, have or want one name.

    A name is free for another only after the run that took it from its holder, so such worlds need more runs.
    """
    owners = {entry.guid: cloud for cloud, entry in world.known.items()}
    holders: dict[str, set[str]] = {}
    if not any(line.mapping == DEFAULT_CN for line in world.settings.mapper.lines):
        for group in world.groups:
            holders.setdefault(group.display_name.casefold(), set()).add(group.id)
    elif not world.directory.tombstones:
        return False
    for node in (*world.directory.nodes.values(), *world.directory.tombstones.values()):
        owner = owners.get(node.guid) or anchored_by(node) or node.guid
        holders.setdefault(dn.rdn_value(node.dn).casefold(), set()).add(owner)
    return any(len(found) > 1 for found in holders.values())


def _steps_follow(items: list[PlanItem]) -> bool:
    """Return whether a plan leaves a step to the next run: a group is emptied before it is deleted, and a restored
    one may come back as a member of groups that do not list it.
    """
    actions = {item.action for item in _changes(items)}
    retired = any(isinstance(item, MemberChange) and item.reason for item in items)
    return retired or bool(actions & {Action.RESTORE, Action.DELETE})


def _settle(world: World, directory: FakeDirectory, journal: FakeJournal) -> None:
    """Run until nothing is left to do: each run frees a name at least, if any is to be freed."""
    for _run in range(2 * len(world.groups) + 3):
        if not _changes(_plan(world, directory, journal)):
            return
        assert [item for item in _apply(world, directory, journal) if item.error] == []
    raise AssertionError("the plans do not settle")


@many
@given(worlds())
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(world: World) -> None:
    directory, journal = world.fresh()
    planned = _plan(world, directory, journal)
    applied = list(_applying(planned, directory, journal))
    event(f"changes: {min(len(applied), 5)}")
    for action in sorted({item.action for item in applied}):
        event(f"action: {action}")
    assert [item for item in applied if item.error] == []
    if _names_are_contended(world) or _steps_follow(planned):
        event("needs more runs")
        _settle(world, directory, journal)
    assert _changes(_plan(world, directory, journal)) == []


@many
@given(worlds(), st.booleans(), st.sets(st.sampled_from(_GROUPS)))
def test_the_short_way_over_groups_that_are_settled_finds_what_the_long_one_finds(
    world: World, is_applied: bool, only_users: set[int]
) -> None:
    members = {**world.members, **{cloud_id(n): CompleteReading((user(1), user(2))) for n in only_users}}
    world = replace(world, members=members)
    directory, journal = world.fresh()
    if is_applied:
        _apply(world, directory, journal)
    found: list[tuple[list[PlanItem], Tally]] = []
    for directory.tells_sids in (True, False):
        tally = Tally()
        run = RunFacts(now=NOW, journal_missing=world.journal_missing, left=journal.left(), added=journal.added)
        found.append((list(build_plan(world.settings, world.cloud, directory, journal.known(), tally, run)), tally))
    assert found[0] == found[1]


@many
@given(worlds())
def test_planning_writes_nothing(world: World) -> None:
    directory, journal = world.fresh()
    _plan(world, directory, journal)
    assert directory.writes == []
    assert directory.state() == world.directory.state()
    assert (journal.groups, journal.records) == (world.known, [])


def _claimants(world: World, node: Node) -> set[str]:
    """Return the cloud groups in scope that the rules of ownership tie to an object, told without asking them."""
    in_scope = {item.group.id: item.group for item in world.cloud.groups() if item.decision.in_scope}
    owners = {entry.guid: cloud for cloud, entry in world.known.items()}
    believed = node.owner == samples.OWN_SID or node.guid in world.settings.adopt_objects
    return {
        cloud
        for cloud, group in in_scope.items()
        if (owners.get(node.guid) == cloud)
        or (anchored_by(node) == cloud and believed and cloud not in world.known)
        or group.security_identifier == node.sid
    }


def _is_left(world: World, node: Node) -> bool:
    """Return whether the journal knows an object as that of a group out of scope."""
    in_scope = {item.group.id for item in world.cloud.groups() if item.decision.in_scope}
    return node.guid in {entry.guid for cloud, entry in world.known.items() if cloud not in in_scope}


def _may_be_written(world: World, node: Node) -> bool:
    """Return whether the rules of ownership let a run write an object at all."""
    universal = node.attributes["groupType"] == (UNIVERSAL_SECURITY,) if node.object_class == "group" else False
    return (
        node.object_class == "group"
        and dn.is_under(node.dn, MANAGED)
        and "adminCount" not in node.attributes
        and ((bool(_claimants(world, node)) and (universal or world.settings.convert_scope)) or _is_left(world, node))
    )


@many
@given(worlds())
def test_nothing_unmanaged_or_protected_is_written(world: World) -> None:
    directory, journal = world.fresh()
    _apply(world, directory, journal)
    before, after = world.directory.state(), directory.state()
    for node in world.directory.nodes.values():
        if not _may_be_written(world, node):
            held = (*after[node.guid][:-1], directory.nodes[node.guid].members - world.directory.tombstones.keys())
            assert held == before[node.guid]
        assert node.guid in directory.tombstones or after[node.guid][0] == node.sid
    for kind, written in directory.writes:
        if kind != "delete":
            assert dn.is_under(written if kind == "create_container" else directory.nodes[written].dn, MANAGED)
    if not world.settings.create_containers:
        assert directory.existing == world.directory.existing
    deleted = {guid for kind, guid in directory.writes if kind == "delete"}
    assert world.directory.nodes.keys() - directory.nodes.keys() == deleted


@many
@given(worlds())
def test_nothing_is_written_to_what_the_untrusted_can_give_away(world: World) -> None:
    directory, journal = world.fresh()
    known = {entry.guid for entry in world.known.values()}
    converted = {group.security_identifier for group in world.groups} - {None}
    untrusted = {
        node.guid
        for node in (*directory.nodes.values(), *directory.tombstones.values())
        if node.owner == samples.STRANGER_SID
        and node.guid not in known | world.settings.adopt_objects
        and node.sid not in converted
    }
    event(f"untrusted objects: {min(len(untrusted), 2)}")
    planned = _changes(_plan(world, directory, journal))
    assert not untrusted & {item.guid for item in planned}
    assert not untrusted & {want.guid for item in planned if isinstance(item, MemberChange) for want in item.add}
    list(_applying(list(planned), directory, journal))
    assert not untrusted & {written for _kind, written in directory.writes}


@many
@given(worlds())
def test_only_what_the_journal_knows_and_evidence_shows_is_retired(world: World) -> None:
    directory, journal = world.fresh()
    fates = {fate.id: fate for fate in world.fates}
    listed = {group.id for group in world.groups}
    in_scope = {item.group.id for item in world.cloud.groups() if item.decision.in_scope}
    for _run in range(2):
        items = _plan(world, directory, journal)
        for item in _changes(items):
            taken_out = isinstance(item, MemberChange) and item.reason
            if not taken_out and item.action not in (Action.DETACH, Action.DELETE):
                continue
            event(f"retired: {item.action}")
            assert world.known[item.id].guid == item.guid
            assert item.id not in in_scope
            assert item.id in listed or item.id in fates
            if item.action is Action.DELETE:
                assert directory.nodes[item.guid or ""].members & directory.nodes.keys() == set()
                fate = fates[item.id]
                since, seen = (datetime.fromisoformat(text.replace("Z", "+00:00")) for text in (fate.since, fate.seen))
                assert fate.kind is FateKind.ABSENT
                assert seen - since >= INDEX_LAG
                assert (NOW - since).days >= world.settings.retire.grace_days
        list(_applying(items, directory, journal))


def _essence(items: list[PlanItem], in_scope: set[str]) -> list[tuple[object, ...]]:
    """Return what a plan writes for groups in scope, and what it refuses, whatever the journal calls it."""
    found: list[tuple[object, ...]] = []
    for item in items:
        if isinstance(item, GroupChange) and item.id in in_scope and item.writes:
            action = Action.UPDATE if item.action is Action.ADOPT else item.action
            found.append((action.value, item.id, item.guid, item.dn, item.new_dn, sorted(item.after.items())))
        elif isinstance(item, MemberChange) and item.id in in_scope:
            found.append(
                ("members", item.id, sorted((want.id, want.guid or "") for want in item.add), len(item.remove))
            )
        elif isinstance(item, Problem):
            found.append((item.code, item.id))
    return sorted(found, key=repr)


@many
@given(worlds())
def test_without_a_journal_the_same_is_planned(world: World) -> None:
    """Deletions and foreign links apart, for which the journal's memory is needed."""
    directory = world.directory.copy()
    for number in _GROUPS:
        directory.nodes.pop(guid(number + _TWIN), None)
    directory.tombstones.clear()
    for node in directory.nodes.values():
        node.owner, node.members = samples.OWN_SID, node.members & directory.nodes.keys()
    in_scope = {item.group.id: item.group for item in world.cloud.groups() if item.decision.in_scope}
    known = {
        cloud: KnownGroup(node.guid, False)
        for node in directory.nodes.values()
        if (cloud := anchored_by(node)) in in_scope and cloud and dn.is_under(node.dn, MANAGED)
    }
    event(f"known groups: {min(len(known), 3)}")
    settings = replace(world.settings, foreign_members=ForeignMembers.KEEP)
    warm = replace(world, directory=directory, known=known, journal_missing=False, settings=settings)
    cold = replace(warm, known={}, journal_missing=True)
    assert _essence(_plan(cold, *cold.fresh()), set(in_scope)) == _essence(_plan(warm, *warm.fresh()), set(in_scope))


def _object_of(world: World, cloud: str) -> str | None:
    """Return the GUID of the one object that may be a cloud group's."""
    if cloud in world.known:
        return world.known[cloud].guid
    hits = [node for node in world.directory.nodes.values() if anchored_by(node) == cloud]
    believed = [node.guid for node in hits if cloud in _claimants(world, node)]
    return believed[0] if len(believed) == 1 else None


@many
@given(worlds())
def test_no_link_of_a_listed_member_is_removed(world: World) -> None:
    directory, journal = world.fresh()
    by_id = {group.id: group for group in world.groups}
    for item in _plan(world, directory, journal):
        if not isinstance(item, MemberChange) or item.reason:
            continue
        listed = world.members[item.id].items
        sids = {member.on_premises_security_identifier for member in listed}
        groups = {_object_of(world, member.id) for member in listed if member.id in by_id}
        assert not [link for link in item.remove if link.sid in sids - {None} or link.guid in groups - {None}]


@many
@given(worlds())
def test_an_incomplete_reading_removes_nothing(world: World) -> None:
    shortened = {
        cloud: IncompleteReading(reading.items[:1], "cut") if number % 2 else reading
        for number, (cloud, reading) in enumerate(sorted(world.members.items()))
    }
    cut = replace(world, members=dict(shortened))
    directory, journal = cut.fresh()
    for item in _plan(cut, directory, journal):
        if (
            isinstance(item, MemberChange)
            and isinstance(cut.members.get(item.id), IncompleteReading)
            and not item.reason
        ):
            assert item.remove == ()


@many
@given(worlds(), st.integers(0, 30))
def test_a_run_may_stop_after_any_step(world: World, steps: int) -> None:
    whole, journal = world.fresh()
    _apply(world, whole, journal)
    part, part_journal = world.fresh()
    done = list(islice(_applying(_plan(world, part, part_journal), part, part_journal), steps))
    event(f"stopped after {min(len(done), 5)}")
    start = {**world.directory.nodes, **(world.directory.tombstones if world.directory.recycle_bin else {})}
    for group in part.nodes.values():
        if group.guid in whole.nodes:
            before = start[group.guid].members if group.guid in start else set()
            after = whole.nodes[group.guid].members
            assert before & after <= group.members <= before | after
    if _names_are_contended(world):  # who gets a name that two want may hang on when the run stopped
        _settle(world, part, part_journal)
        return
    _settle(world, part, part_journal)
    _settle(world, whole, journal)
    assert part.state() == whole.state()
    assert part_journal.groups == journal.groups


def _comparable(items: list[PlanItem]) -> list[str]:
    """Return a plan without the order of its parts."""
    return sorted(
        repr(
            replace(item, add=tuple(sorted(item.add, key=repr)), remove=tuple(sorted(item.remove, key=repr)))
            if isinstance(item, MemberChange)
            else item
        )
        for item in items
    )


@many
@given(worlds(), st.randoms(use_true_random=False))
def test_the_order_of_what_is_read_does_not_matter(world: World, order: Random) -> None:
    groups = list(world.groups)
    order.shuffle(groups)
    members: dict[str, Reading[tuple[Principal, ...]]] = {}
    for cloud, reading in world.members.items():
        mixed = list(reading.items)
        order.shuffle(mixed)
        members[cloud] = replace(reading, items=tuple(mixed))
    other = replace(world, groups=tuple(groups), members=members)
    directory, journal = other.fresh()
    directory.reversed = True
    first = _plan(world, *world.fresh())
    second = _plan(other, directory, journal)
    assert _comparable(first) == _comparable(second)
