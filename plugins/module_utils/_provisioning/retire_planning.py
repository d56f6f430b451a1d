# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of a plan about directory groups that no group in scope answers for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import (
    dn,
    enforcement,
    identity,
    ownership,
    plan,
    removal,
    retire,
    rights,
    texts,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.batches import (
    GROUPS_AT_ONCE,
    chunks,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    DirectoryGroup,
    HeldLinks,
    IncompleteReading,
    Link,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.naming import Occupied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    MemberChange,
    Notice,
    PlanItem,
    Problem,
    Question,
    Subject,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import (
    CloudReader,
    DirectoryReader,
    KnownGroup,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.replication import (
    WAITING,
    Lag,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retire import (
    Evidence,
    Retire,
    Steps,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.run_facts import (
    Provisioned,
    RunFacts,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Settings


@dataclass(frozen=True, slots=True)
class _Left:
    """A directory group whose cloud group left.

    Parameters:
        id: object id of the cloud group.
        group: the object.
        shown: how it left, and what shows that.
        steps: what is done.
        unwritable: why nothing may be done, or an empty string.
        listed: the snapshot holds the cloud group.
    """

    id: str
    group: DirectoryGroup
    shown: Evidence
    steps: Steps
    unwritable: str
    listed: bool

    @property
    def name(self) -> str:
        """The displayName that the object has, or its DN."""
        return self.group.first("displayName") or self.group.dn


def plan_left_behind(
    settings: Settings,
    cloud: CloudReader,
    directory: DirectoryReader,
    known: Mapping[str, KnownGroup],
    anchored: Sequence[DirectoryGroup],
    provisioned: Provisioned,
    tally: Tally,
    run: RunFacts,
) -> Iterator[PlanItem]:
    """Yield what is done with the groups whose cloud group left, what is kept and why, and what to ask next time.

    Parameters:
        settings: what the administrator decided.
        cloud: the snapshot.
        directory: the target domain.
        known: what the journal remembers.
        anchored: the groups inside the managed containers that carry an anchor.
        provisioned: the groups that this run matched or creates.
        tally: told what the directory holds.
        run: what comes from outside the two sides.

    Raises:
        GpadError: a reading of the directory did not reach its end.
    """
    if cloud.header.narrowed:
        return
    left = _left(settings, cloud, directory, known, anchored, provisioned, run)
    obstacles = _obstacles(left, directory, provisioned.lag)
    for batch in chunks(left, GROUPS_AT_ONCE):
        held = {links.guid: links for links in directory.links([item.group.guid for item in batch])}
        for item in batch:
            if item.id:
                yield Question(Subject.GROUP, item.id)
            links = held.get(item.group.guid)
            if links is None:
                continue  # it went away
            if isinstance(links.reading, IncompleteReading):
                yield _told(item, links.reading.items, run)
                text = texts.LINKS_UNREAD.format(dn=item.group.dn, why=links.reading.why)
                yield Notice(item.id, item.name, "links_unread", text)
                continue
            tally.links += len(links.reading.items)
            yield _told(item, links.reading.items, run)
            yield from _written(settings, item, links, links.reading.items, obstacles)


@dataclass(frozen=True, slots=True)
class _Obstacles:
    """What keeps objects where they are.

    Parameters:
        undeletable: objectGUIDs of groups that a deny entry protects.
        occupied: names that are taken.
        lag: what the domain controller lacks of what earlier runs wrote on another one.
        claimed: keys of the names that groups of this plan move to.
    """

    undeletable: frozenset[str]
    occupied: Occupied
    lag: Lag
    claimed: set[dn.Dn] = field(default_factory=set)

    def to(self, change: GroupChange) -> Problem | None:
        """Return what forbids a move or deletion, or None."""
        if self.lag and change.action in WAITING:
            return self.lag.problem(change.id, change.name)
        found = self._to(change) if change.action in (Action.MOVE, Action.DELETE) else None
        return Problem(change.id, change.name, *found, texts.REMEDIES[found[0]]) if found else None

    def _to(self, change: GroupChange) -> tuple[str, str] | None:
        if change.guid in self.undeletable:
            return "deletion_denied", f"{change.dn} is protected from deletion, and so from a move."
        if change.new_dn:
            there = dn.key(change.new_dn)
            if there in self.occupied.dns or there in self.claimed:
                return "name_collision", f"{change.dn} cannot be moved: {change.new_dn} is taken."
            self.claimed.add(there)
        return None


def _obstacles(left: Sequence[_Left], directory: DirectoryReader, lag: Lag) -> _Obstacles:
    going = [item for item in left if item.steps.action in (Retire.MOVE, Retire.DELETE)]
    security = directory.security([item.group.guid for item in going]) if going else {}
    names = {dn.rdn_value(item.group.dn) for item in going if item.steps.action is Retire.MOVE}
    return _Obstacles(
        frozenset(guid for guid, descriptor in security.items() if rights.denies_deletion(descriptor)),
        directory.occupied(names, ()) if names else Occupied(),
        lag,
    )


def _left(
    settings: Settings,
    cloud: CloudReader,
    directory: DirectoryReader,
    known: Mapping[str, KnownGroup],
    anchored: Sequence[DirectoryGroup],
    provisioned: Provisioned,
    run: RunFacts,
) -> list[_Left]:
    captured = {item.group.id: item for item in cloud.groups()}
    reasons = {cloud_id: item.decision.reason for cloud_id, item in captured.items()}
    in_scope = provisioned.guids.keys() | {cloud_id for cloud_id, reason in reasons.items() if reason is None}
    # An object whose anchor was changed or taken away is still the journal's.
    owners = {entry.guid: cloud_id for cloud_id, entry in known.items()}
    tied = ((owners.get(group.guid) or group.cloud_id or "", group) for group in anchored)
    groups = [(cloud_id, group) for cloud_id, group in tied if cloud_id not in in_scope]
    unseen = {guid for guid, cloud_id in owners.items() if cloud_id not in in_scope}
    unseen -= {group.guid for group in anchored}
    groups += [(owners[group.guid], group) for group in directory.groups(unseen, ())] if unseen else []
    guarded = directory.protected(settings.protected_groups) if groups else frozenset[str]()
    fates = cloud.fates() if groups else {}
    left: list[_Left] = []
    for cloud_id, group in sorted(groups, key=lambda pair: pair[1].dn):
        reason = reasons.get(cloud_id)
        held = captured.get(cloud_id)
        shown = retire.evidence(held.group if held else None, reason, fates.get(cloud_id), texts.SKIPPED[reason])
        unwritable = _unwritable(settings, cloud, cloud_id, group, known, guarded)
        if reason is not None and cloud.header.scope_doubt:
            unwritable = unwritable or cloud.header.scope_doubt
        steps = Steps() if unwritable else retire.steps(settings.retire, shown, run.now)
        left.append(_Left(cloud_id, group, shown, steps, unwritable, reason is not None))
    return left


def _unwritable(
    settings: Settings,
    cloud: CloudReader,
    cloud_id: str,
    group: DirectoryGroup,
    known: Mapping[str, KnownGroup],
    guarded: frozenset[str],
) -> str:
    """Return why a group that left is not touched whatever the rules say, or an empty string."""
    entry = known.get(cloud_id)
    if entry is None or entry.guid != group.guid:
        return "the journal does not know it"
    if cloud.header.incomplete:
        return "the capture is not complete"
    if group.guid in guarded:
        return "it is a member, at some depth, of a group that guards the domain"
    return ownership.untouchable(group, settings.protected_groups)


def _told(item: _Left, links: Sequence[Link], run: RunFacts) -> Notice:
    since = run.left.get(item.id)
    age = f"since {since}" if since else "from this run on"
    if item.steps.empty or item.steps.action is not Retire.KEEP:
        waits = f"; {item.steps.text}" if item.steps.text else ""
        text = texts.RETIRED.format(dn=item.group.dn, why=item.shown.text, waits=waits)
        return Notice(item.id, item.name, "retired", text)
    why = item.shown.text + (f"; {item.unwritable}" if item.unwritable else "")
    if item.listed or item.shown.departure:
        text = texts.RETAINED.format(dn=item.group.dn, why=why, count=len(links), age=age)
        return Notice(item.id, item.name, "retained_access", text)
    text = texts.ORPHAN.format(dn=item.group.dn, why=why, count=len(links), age=age)
    return Notice(item.id, item.name, "orphan", text)


def _written(
    settings: Settings,
    item: _Left,
    held: HeldLinks,
    links: Sequence[Link],
    obstacles: _Obstacles,
) -> Iterator[PlanItem]:
    group = item.group
    kept = [link for link in links if item.steps.empty and removal.is_protected(link, settings.protected_members)]
    for link in kept:
        text = texts.FOREIGN["protected_member"].format(dn=link.dn)
        yield Notice(item.id, item.name, "protected_member", text)
    remove = tuple(link for link in links if link not in kept) if item.steps.empty else ()
    change = None if remove else _object_change(settings, item)
    if change is not None and change.action is Action.DELETE and links:
        return  # protected_members are still in it
    obstacle = obstacles.to(change) if change is not None else None
    if obstacle is not None:
        yield obstacle
        return
    if remove:
        digest, reason = plan.links_digest(links), f"retired: {item.shown.text}"
        yield MemberChange(
            item.id, item.name, group.guid, group.dn, (), remove, len(links), digest, held.usn, reason, retires=True
        )
    if change is not None:
        yield replace(change, retires=True)


def _object_change(settings: Settings, item: _Left) -> GroupChange | None:
    """Return the change of the object itself; it is deleted only once it is empty, so that its members can be seen."""
    group, reason = item.group, f"retired: {item.shown.text}"
    marks = {name: group.attributes.get(name, ()) for name in (ANCHOR, "adminDescription")} | enforcement.marked(group)
    if item.steps.action is Retire.DELETE:
        return GroupChange(Action.DELETE, item.id, item.name, group.guid, group.dn, None, marks, {}, reason)
    if item.steps.action is Retire.DETACH:
        cleared: dict[str, tuple[str, ...]] = {name: () for name, values in marks.items() if values}
        before = {name: marks[name] for name in cleared}
        return GroupChange(Action.DETACH, item.id, item.name, group.guid, group.dn, None, before, cleared, reason)
    # A converted group has no rule that would bring it back to its place.
    taken_over = (group.first("adminDescription") or "").startswith(identity.TAKEN_OVER_PREFIX)
    if item.steps.action is Retire.MOVE and not taken_over and not dn.is_under(group.dn, settings.retire.container):
        there = dn.child("CN", dn.rdn_value(group.dn), settings.retire.container)
        return GroupChange(Action.MOVE, item.id, item.name, group.guid, group.dn, there, {}, {}, reason)
    return None
