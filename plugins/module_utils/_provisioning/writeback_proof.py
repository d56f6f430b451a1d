# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became different since the groups of writeback V2 were exported, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Action
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.writeback import (
    WritebackGroup,
    WritebackMember,
)

_MOVES = frozenset({Action.RENAME.value, Action.MOVE.value, Action.RENAME_AND_MOVE.value})


@dataclass(frozen=True, slots=True)
class Done:
    """What the journal says was done to a group since the export.

    Parameters:
        moved: it was renamed or moved.
        converted: its scope was changed.
        added: objectGUIDs of members that were added.
        removed: objectGUIDs of members that were taken away.
    """

    moved: bool = False
    converted: bool = False
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that is not as in the export.

    Parameters:
        group: DN of the group in the export.
        guid: its objectGUID.
        what: `missing`, `sid`, `dn`, `scope`, `mark`, `anchor`, `member_lost`, `member_new`, `parent_lost`,
            `parent_new`, or `unread`.
        before: as in the export.
        after: as it is.
        expected: the journal explains it.
        reason: why, a phrase.
    """

    group: str
    guid: str
    what: str
    before: str
    after: str
    expected: bool
    reason: str


@dataclass(frozen=True, slots=True)
class _Names:
    """Who a DN belongs to, so that a new name of a group is no other group.

    Parameters:
        by_dn: key of a DN, old or new, to objectGUID.
    """

    by_dn: Mapping[dn.Dn, str] = field(default_factory=dict)

    def of(self, names: Collection[str]) -> dict[object, str]:
        """Return DNs by what they name."""
        return {self.by_dn.get(dn.key(name), dn.key(name)): name for name in names}


def done_since(applied: Collection[Applied]) -> dict[str, Done]:
    """Return what was done, by objectGUID of the group."""
    result: dict[str, Done] = {}
    for one in applied:
        if one.guid:
            old = result.get(one.guid, Done())
            result[one.guid] = Done(
                old.moved or one.action in _MOVES,
                old.converted or one.action == Action.CONVERT.value,
                (old.added | frozenset(one.added)) - frozenset(one.removed),
                (old.removed | frozenset(one.removed)) - frozenset(one.added),
            )
    return result


def differences(
    before: Collection[WritebackGroup], after: Collection[WritebackGroup], done: Mapping[str, Done]
) -> tuple[Difference, ...]:
    """Return what is not as it was, by group.

    Parameters:
        before: the groups of the export.
        after: the same objects as they are.
        done: what was done since, by objectGUID.
    """
    now = {group.guid: group for group in after}
    names = _Names({dn.key(group.dn): group.guid for group in (*before, *after)})
    found: list[Difference] = []
    for group in before:
        found += _of_group(group, now.get(group.guid), done, names)
    return tuple(sorted(found, key=lambda one: (one.group, one.what, one.before, one.after)))


def _of_group(
    old: WritebackGroup, new: WritebackGroup | None, all_done: Mapping[str, Done], names: _Names
) -> Iterator[Difference]:
    done = all_done.get(old.guid, Done())
    if new is None:
        yield Difference(old.dn, old.guid, "missing", old.sid, "", False, "no object has this objectGUID any more")
        return
    fields = (
        ("sid", old.sid, new.sid, False, "the SID decides on access"),
        ("dn", old.dn, new.dn, done.moved, "renamed or moved by provisioning"),
        ("scope", old.scope, new.scope, done.converted, "made universal by provisioning"),
        ("mark", old.mark.lower(), new.mark.lower(), False, "adminDescription is never changed by a migration"),
        ("anchor", old.anchor, new.anchor, _stamped(old, new), "the anchor was stamped"),
    )
    for what, was, is_now, explained, why in fields:
        if was != is_now:
            yield Difference(old.dn, old.guid, what, was, is_now, explained, why if explained else _UNEXPLAINED)
    yield from _members(old, new, done)
    was_in, is_in = names.of(old.parents), names.of(new.parents)
    for key in was_in.keys() - is_in.keys():
        explained = isinstance(key, str) and old.guid in all_done.get(key, Done()).removed
        why = "the cloud group of the parent does not list it" if explained else _UNEXPLAINED
        yield Difference(old.dn, old.guid, "parent_lost", was_in[key], "", explained, why)
    for key in is_in.keys() - was_in.keys():
        yield Difference(old.dn, old.guid, "parent_new", "", is_in[key], True, "somebody nested it")


_UNEXPLAINED = "the journal does not know why"
_LOST = {
    "computer": "a device; provisioning has no place for devices",
    "msDS-Device": "a device; provisioning has no place for devices",
}


def _members(old: WritebackGroup, new: WritebackGroup, done: Done) -> Iterator[Difference]:
    if old.problem or new.problem:
        yield Difference(old.dn, old.guid, "unread", old.problem, new.problem, False, "the members are not whole")
        return
    was = {member.guid: member for member in old.members}
    is_now = {member.guid: member for member in new.members}
    for guid in was.keys() - is_now.keys():
        explained = guid in done.removed
        why = _LOST.get(was[guid].object_class, "the cloud group does not list it") if explained else _UNEXPLAINED
        yield Difference(old.dn, old.guid, "member_lost", _text(was[guid]), "", explained, why)
    for guid in is_now.keys() - was.keys():
        explained = guid in done.added
        why = "the cloud group lists it" if explained else _UNEXPLAINED
        yield Difference(old.dn, old.guid, "member_new", "", _text(is_now[guid]), explained, why)
    for guid in was.keys() & is_now.keys():
        if was[guid].sid != is_now[guid].sid:
            yield Difference(old.dn, old.guid, "member_sid", _text(was[guid]), _text(is_now[guid]), False, _UNEXPLAINED)


def _stamped(old: WritebackGroup, new: WritebackGroup) -> bool:
    return not old.anchor and new.cloud_id is not None and identity.cloud_id_of(new.anchor) == new.cloud_id


def _text(member: WritebackMember) -> str:
    return f"{member.dn} ({member.sid or 'no SID'})"
