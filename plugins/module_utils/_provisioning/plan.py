# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What differs between what should be and what is, as ordered changes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity, scope_change
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ObjectError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.membership import Wanted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    DeletedGroup,
    DesiredGroup,
    DirectoryGroup,
    Link,
    Nesting,
    Values,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word

GROUP_TYPE = "groupType"
# Attributes whose values Active Directory compares without regard to case, and which are therefore the same to it.
_CASE_IGNORED = frozenset({"msDS-ExternalDirectoryObjectId", "adminDescription"})


class Action(Word):
    """What a change does to a directory group."""

    CREATE_CONTAINER = "create_container"
    CREATE = "create"
    RESTORE = "restore"
    ADOPT = "adopt"
    CONVERT = "convert"
    UPDATE = "update"
    STAMP = "stamp"
    RENAME = "rename"
    MOVE = "move"
    RENAME_AND_MOVE = "rename_and_move"
    DETACH = "detach"
    DELETE = "delete"
    MEMBERS = "members"


@dataclass(frozen=True, slots=True)
class GroupChange:
    """A change of a group object, members aside.

    Parameters:
        action: what is done.
        id: object id of the cloud group.
        name: its displayName.
        guid: objectGUID, None for a group to be created.
        dn: where the object is, or will be created.
        new_dn: where it will be after a rename or move, else None.
        before: the values that the attributes named in `after` hold now.
        after: the values they should hold.
        reason: one phrase for people.
        ignored: objectGUIDs of objects that carry the anchor of a group to be created and are not its object.
        retires: its cloud group left.
    """

    action: Action
    id: str
    name: str
    guid: str | None
    dn: str
    new_dn: str | None
    before: Mapping[str, Values]
    after: Mapping[str, Values]
    reason: str
    ignored: tuple[str, ...] = ()
    retires: bool = False

    @property
    def writes(self) -> bool:
        """Whether the directory is written; an adoption may only be remembered."""
        return self.action is not Action.ADOPT or bool(self.after)


@dataclass(frozen=True, slots=True)
class MemberChange:
    """A change of the links of one group.

    Parameters:
        id: object id of the cloud group.
        name: its displayName.
        guid: objectGUID, None when this plan creates the group.
        dn: where the object is, or will be created.
        add: links to add.
        remove: links to remove.
        before_count: how many links the group holds now.
        before_digest: digest of those links, by which apply sees that the group has moved on.
        before_usn: uSNChanged of the group when they were read; 0 where that tells nothing, since an earlier change
            of the same plan moves it.
        reason: one phrase for people, or an empty string where the members simply differ.
        retires: its cloud group left.
    """

    id: str
    name: str
    guid: str | None
    dn: str
    add: tuple[Wanted, ...]
    remove: tuple[Link, ...]
    before_count: int
    before_digest: str
    before_usn: int = 0
    reason: str = ""
    retires: bool = False

    @property
    def action(self) -> Action:
        """Always `members`."""
        return Action.MEMBERS


@dataclass(frozen=True, slots=True)
class Skip:
    """A group or member left alone.

    Parameters:
        id: object id of what is skipped.
        name: its displayName.
        code: why, one word.
        reason: why, a phrase.
        group_id: for a member, the object id of the group; else None.
        group_name: for a member, the displayName of the group; else None.
    """

    id: str
    name: str
    code: str
    reason: str
    group_id: str | None = None
    group_name: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A group that cannot be handled; the others go on.

    Parameters:
        id: object id of the cloud group.
        name: its displayName.
        code: why, one word.
        message: why, a sentence.
        remedy: what to do.
        part: the part of the plan that waits, `groups` or `members`, where the group waits for another try.
        moves: a move to another container is among what waits or cannot be done.
    """

    id: str
    name: str
    code: str
    message: str
    remedy: str = ""
    part: str = ""
    moves: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """Something people should know and that stops nothing."""

    id: str
    name: str
    code: str
    message: str


class Subject(Word):
    """What a question is about."""

    GROUP = "group"
    SID = "sid"


@dataclass(frozen=True, slots=True)
class Question:
    """What the next capture should ask Entra ID, since the directory holds it and the snapshot does not know it.

    Parameters:
        about: a group, by the object id inside its anchor, or a linked object, by its SID.
        value: the object id, or the SID.
    """

    about: Subject
    value: str


PlanItem: TypeAlias = "GroupChange | MemberChange | Skip | Problem | Notice | Question"


def links_digest(links: Iterable[Link]) -> str:
    """Return a digest of a set of links that does not depend on their order."""
    joined = ",".join(sorted(link.guid for link in links))
    return hashlib.sha256(joined.encode()).hexdigest()


def group_changes(
    desired: DesiredGroup,
    found: DirectoryGroup | None,
    *,
    by: str,
    known: bool,
    deleted: DeletedGroup | None = None,
    nesting: Nesting | None = None,
    ignored: tuple[str, ...] = (),
) -> tuple[GroupChange, ...]:
    """Return the changes that make a group object what it should be, in the order to apply them.

    Parameters:
        desired: what should be.
        found: what is, or None; of a deleted object, as it will be once restored.
        by: what tied the two: `journal`, `anchor` or `sid`.
        known: whether the journal knows this pair; if not, the object is adopted.
        deleted: the object among the deleted ones, when it is to be restored.
        nesting: what stands around a group that may be made universal; None where that is not allowed.
        ignored: objectGUIDs of objects that carry its anchor and are not its object.

    Raises:
        ObjectError: the object is not of universal scope, and may or can not be made so.
    """
    if found is None:
        target = dn.child("CN", desired.cn, desired.container)
        after = desired.attributes
        return (GroupChange(Action.CREATE, desired.id, desired.name, None, target, None, {}, after, "new", ignored),)
    group_type = int(found.first("groupType") or 0)
    wanted = desired.attributes if _follows_names(desired, found) else {**desired.attributes, **_taken_over(desired)}
    changes: list[GroupChange] = []
    conversion = None
    if scope_change.scope_of(group_type) != scope_change.UNIVERSAL:
        conversion = _conversion(desired, found, group_type, nesting)
        wanted = {name: values for name, values in wanted.items() if name != GROUP_TYPE}
    after = {name: values for name, values in wanted.items() if not _equal(name, values, found)}
    before = {name: found.attributes.get(name, ()) for name in after}
    action, reason = Action.UPDATE, "differs: " + ", ".join(sorted(after))
    if deleted is not None:
        action, reason = Action.RESTORE, f"it was deleted, tied by {by}"
    elif not known:
        action, reason = Action.ADOPT, f"tied by {by}"
        # The tie itself is part of the state that must still hold when the plan is applied.
        before = {ANCHOR: found.attributes.get(ANCHOR, ()), **before}
    if after or action is not Action.UPDATE:
        here, there = (deleted.dn, found.dn) if deleted is not None else (found.dn, None)
        changes.append(GroupChange(action, desired.id, desired.name, found.guid, here, there, before, after, reason))
    if conversion is not None:
        # Only what is there can be converted.
        changes.insert(0 if deleted is None else 1, conversion)
    moved = relocation(desired, found)
    return (*changes, moved) if moved else tuple(changes)


def _conversion(desired: DesiredGroup, found: DirectoryGroup, group_type: int, nesting: Nesting | None) -> GroupChange:
    scope = scope_change.scope_name(group_type)
    if nesting is None:
        raise ObjectError(
            f"{found.dn} is of {scope} scope, not universal.",
            "Set convert_scope: true, or make it a universal security group by hand.",
            code="not_universal",
        )
    wrong = scope_change.to_universal(group_type, nesting)
    if wrong:
        raise ObjectError(
            f"{found.dn} is of {scope} scope and cannot be made universal: {wrong}.",
            "Change that group first.",
            code="scope_not_convertible",
        )
    return GroupChange(
        Action.CONVERT,
        desired.id,
        desired.name,
        found.guid,
        found.dn,
        None,
        {GROUP_TYPE: found.attributes.get(GROUP_TYPE, ())},
        {GROUP_TYPE: desired.attributes[GROUP_TYPE]},
        f"it is of {scope} scope",
    )


def _equal(name: str, values: Values, found: DirectoryGroup) -> bool:
    held = found.attributes.get(name, ())
    if name in _CASE_IGNORED:
        return {value.lower() for value in held} == {value.lower() for value in values}
    return set(held) == set(values) and len(held) == len(values)


def _follows_names(desired: DesiredGroup, found: DirectoryGroup) -> bool:
    """Return whether the cloud names the object: only one that was born in the cloud, which its adminDescription says.

    A converted group keeps the name and the place it had on premises.
    """
    born_here = f"{identity.GROUP_ANCHOR_PREFIX}{desired.id}".lower()
    wanted = desired.attributes["adminDescription"][0].lower()
    return wanted == born_here and (found.first("adminDescription") or "").lower() in ("", born_here)


def _taken_over(desired: DesiredGroup) -> dict[str, Values]:
    """Return the mark of an object that was there before; the mark of one born here would move it in the next run."""
    return {"adminDescription": (f"{identity.TAKEN_OVER_PREFIX}{desired.id}",)}


def relocation(desired: DesiredGroup, found: DirectoryGroup) -> GroupChange | None:
    """Return the rename or move that gives an object its name and place, or None."""
    if not _follows_names(desired, found):
        return None
    here = dn.parse(found.dn)
    renamed = bool(desired.cn) and here[0].value != desired.cn
    moved = bool(desired.container) and dn.key(here[1:]) != dn.key(desired.container)
    action = {(True, True): Action.RENAME_AND_MOVE, (True, False): Action.RENAME, (False, True): Action.MOVE}.get(
        (renamed, moved)
    )
    if action is None:
        return None
    container = desired.container if moved else dn.text(here[1:])
    return GroupChange(
        action,
        desired.id,
        desired.name,
        found.guid,
        found.dn,
        dn.child("CN", desired.cn or here[0].value, container),
        {"cn": (here[0].value,)} if renamed else {},
        {"cn": (desired.cn,)} if renamed else {},
        {Action.RENAME: "name differs", Action.MOVE: "container differs"}.get(action, "name and container differ"),
    )
