# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back from a run, as a plan like any other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import (
    dn,
    ownership,
    plan,
    texts,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.membership import Wanted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CompleteReading,
    DirectoryGroup,
    HeldLinks,
    LinkFacts,
    PrincipalKind,
    Values,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    MemberChange,
    Notice,
    PlanItem,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied, DirectoryReader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Settings

_DN = "distinguishedName"
# Written by the directory itself, or never undone: whose object it is does not change by an undo.
_KEPT = frozenset({_DN, "cn", "objectSid", ANCHOR, "adminDescription"})
_ATTRIBUTES = frozenset({Action.UPDATE, Action.STAMP, Action.ADOPT, Action.CONVERT})
_PLACES = frozenset({Action.RENAME, Action.MOVE, Action.RENAME_AND_MOVE})


@dataclass(frozen=True, slots=True)
class _Present:
    """What the directory holds now of the objects that a run wrote.

    Parameters:
        groups: objectGUID to group.
        links: objectGUID to its links.
        members: objectGUID of a member that was taken away to what the directory says of it.
        guarded: objectGUIDs of groups that guard the domain, and of what is inside them.
    """

    groups: Mapping[str, DirectoryGroup]
    links: Mapping[str, HeldLinks]
    members: Mapping[str, LinkFacts]
    guarded: frozenset[str]


def plan_undo(
    settings: Settings, done: Sequence[Applied], directory: DirectoryReader, tally: Tally
) -> Iterator[PlanItem]:
    """Yield the changes that take back what a run did, the last of them first, and what stays as it is.

    Only what is still as the run left it is taken back: a later change by people or by another run stays.

    Parameters:
        settings: what the administrator decided.
        done: what the run did, in its order.
        directory: the target domain.
        tally: told what the directory holds.

    Raises:
        GpadError: a reading of the directory did not reach its end.
    """
    present = _read(settings, done, directory)
    tally.groups = len(present.groups)
    tally.links = sum(len(held.reading.items) for held in present.links.values())
    back = list(reversed(done))
    for item in back:
        if item.action != Action.MEMBERS.value:
            yield from _object_back(settings, item, present, directory)
    for item in back:
        if item.action == Action.MEMBERS.value:
            yield from _members_back(settings, item, present)


def _read(settings: Settings, done: Sequence[Applied], directory: DirectoryReader) -> _Present:
    guids = {item.guid for item in done if item.guid}
    groups = {group.guid: group for group in directory.groups(guids, ())} if guids else {}
    with_links = [item.guid for item in done if item.guid in groups and item.guid and (item.added or item.removed)]
    links = {held.guid: held for held in directory.links(sorted(set(with_links)))} if with_links else {}
    gone = {member for item in done for member in item.removed}
    members = directory.facts(gone) if gone else {}
    guarded = directory.protected(settings.protected_groups) if groups else frozenset[str]()
    return _Present(groups, links, members, guarded)


def _object_back(
    settings: Settings, item: Applied, present: _Present, directory: DirectoryReader
) -> Iterator[PlanItem]:
    action = Action(item.action)
    found = present.groups.get(item.guid or "")
    if action is Action.DELETE:
        yield from _restored(settings, item, directory)
    elif found is None or action not in _ATTRIBUTES | _PLACES:
        yield _left(item, texts.UNDO_KEEPS[action] if found is not None else "it is not there any more")
    elif why := _unwritable(settings, found, present):
        yield _left(item, why)
    elif action in _PLACES:
        yield _moved_back(item, found)
    else:
        yield from _values_back(item, found)


def _unwritable(settings: Settings, found: DirectoryGroup, present: _Present) -> str:
    if found.guid in present.guarded:
        return "it is a member, at some depth, of a group that guards the domain"
    return ownership.untouchable(found, settings.protected_groups)


def _left(item: Applied, why: str) -> Notice:
    return Notice(item.id, item.name, "undo_left", texts.UNDO_LEFT.format(action=item.action, dn=item.dn, why=why))


def _values_back(item: Applied, found: DirectoryGroup) -> Iterator[PlanItem]:
    # An anchor that a migration wrote was not there before; it told nothing but what adminDescription still tells.
    kept = _KEPT - {ANCHOR} if item.action == Action.STAMP.value else _KEPT
    written = {name: values for name, values in item.after.items() if name not in kept}
    now: dict[str, Values] = {name: found.attributes.get(name, ()) for name in written}
    same = {name for name, values in written.items() if set(now[name]) == set(values)}
    if len(same) < len(written):
        changed = ", ".join(sorted(written.keys() - same))
        yield _left(item, f"these were changed since: {changed}")
    after = {name: item.before.get(name, ()) for name in sorted(same)}
    if after:
        before = {name: now[name] for name in after}
        yield GroupChange(Action.UPDATE, item.id, item.name, found.guid, found.dn, None, before, after, "undone")


def _moved_back(item: Applied, found: DirectoryGroup) -> PlanItem:
    there = item.before.get(_DN, ("",))[0]
    if not there or dn.key(found.dn) != dn.key(item.dn):
        return _left(item, "it was moved or renamed since")
    before = {"cn": (dn.rdn_value(found.dn),)} if "cn" in item.before else {}
    after = {"cn": item.before["cn"]} if "cn" in item.before else {}
    return GroupChange(Action(item.action), item.id, item.name, found.guid, found.dn, there, before, after, "undone")


def _restored(settings: Settings, item: Applied, directory: DirectoryReader) -> Iterator[PlanItem]:
    lost = next(iter(directory.deleted((), (), {item.guid} if item.guid else ()) or ()), None)
    if lost is None or ownership.container_problem(dn.parent(item.dn), settings.managed_containers):
        yield _left(item, "it is not among the deleted objects that the account may see")
        return
    marks = {name: values for name, values in item.before.items() if values}
    yield GroupChange(Action.RESTORE, item.id, item.name, lost.guid, lost.dn, item.dn, {}, marks, "undone")


def _members_back(settings: Settings, item: Applied, present: _Present) -> Iterator[PlanItem]:
    found, held = present.groups.get(item.guid or ""), present.links.get(item.guid or "")
    if found is None or held is None or not isinstance(held.reading, CompleteReading):
        yield _left(item, "its members could not be read")
        return
    if why := _unwritable(settings, found, present):
        yield _left(item, why)
        return
    links = held.reading.items
    linked = {link.guid for link in links}
    remove = tuple(link for link in links if link.guid in item.added)
    add = tuple(
        Wanted(guid, PrincipalKind.UNKNOWN, fact.dn, guid, fact.sid, fact.dn)
        for guid in item.removed
        if guid not in linked and (fact := present.members.get(guid)) is not None
    )
    if add or remove:
        digest = plan.links_digest(links)
        yield MemberChange(item.id, item.name, found.guid, found.dn, add, remove, len(links), digest, 0, "undone")
