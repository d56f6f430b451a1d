# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carry out a plan, one object at a time, and write down what became of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity, ownership, plan
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.batches import (
    GROUPS_AT_ONCE,
    chunks,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import GpadError, ObjectError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.membership import Wanted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    DirectoryGroup,
    Link,
    Values,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    MemberChange,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import (
    Applied,
    DirectoryReader,
    DirectoryWriter,
    Journal,
    MemberResult,
    wanted_guids,
)


def apply_groups(
    changes: Iterable[GroupChange], directory: DirectoryReader, writer: DirectoryWriter, journal: Journal
) -> Iterator[Applied]:
    """Apply the group part of a plan, yielding what became of each change.

    Each object is compared with the before-state in its change first; one that has moved on is left alone.

    Raises:
        GpadError: the directory went away, so that nothing more can be done.
    """
    moved_here: dict[str, str] = {}
    refused: set[str] = set()
    for batch in chunks(changes, GROUPS_AT_ONCE):
        now = {group.guid: group for group in directory.groups({c.guid for c in batch if c.guid}, ())}
        taken = _anchors_in_use(batch, directory)
        for change in batch:
            expected_dn = moved_here.get(change.guid or "", change.dn)
            try:
                if change.id in refused:
                    raise ObjectError(
                        "An earlier step of this group failed.", "Look at that.", code="earlier_step_failed"
                    )
                stale = _stale(change, expected_dn, now, taken)
                if stale:
                    raise ObjectError(stale, "Plan again.", code="directory_moved_on")
                applied = _apply_group(change, writer, journal)
                if change.new_dn and change.guid:
                    moved_here[change.guid] = change.new_dn
            except ObjectError as error:
                applied = _failed(change, error)
                refused |= {change.id} - {""}
            journal.record(applied)
            yield applied


def _anchors_in_use(batch: Sequence[GroupChange], directory: DirectoryReader) -> frozenset[str]:
    """Return the ids among a batch's creations whose anchor some group carries by now."""
    ids = {change.id for change in batch if change.action is Action.CREATE}
    if not ids:
        return frozenset()
    found = directory.groups((), (), {identity.anchor_of(cloud_id) for cloud_id in ids})
    return frozenset(group.cloud_id for group in found if group.cloud_id)


def _stale(change: GroupChange, expected_dn: str, now: Mapping[str, DirectoryGroup], taken: frozenset[str]) -> str:
    if change.action is Action.CREATE_CONTAINER:
        return ""
    if change.action is Action.CREATE:
        return "A group with its anchor exists by now." if change.id in taken else ""
    found = now.get(change.guid or "")
    if found is None:
        return f"{change.dn} is not there any more."
    if change.new_dn and expected_dn == change.dn and found.dn.lower() != change.dn.lower():
        return f"It is at {found.dn} by now, the plan says {change.dn}."
    for name, values in change.before.items():
        if name != "cn" and set(found.attributes.get(name, ())) != set(values):
            return f"{name} of {found.dn} was changed since the plan was made."
    return ""


def _apply_group(change: GroupChange, writer: DirectoryWriter, journal: Journal) -> Applied:
    if change.action is Action.CREATE_CONTAINER:
        writer.create_container(change.dn)
        return _done(change, None, change.dn, {})
    if change.action is Action.CREATE:
        created = writer.create(change.dn, change.after)
        journal.remember(change.id, created.guid, accepted=True)
        return _done(change, created.guid, created.dn, {**change.after, "objectSid": (created.sid,)})
    guid = change.guid or ""
    if change.new_dn:
        writer.relocate(guid, change.new_dn)
    elif change.after:
        writer.modify(guid, change.after)
    if change.action is Action.ADOPT:
        journal.remember(change.id, guid, accepted=False)
    return _done(change, guid, change.new_dn or change.dn, change.after)


def _done(change: GroupChange, guid: str | None, name: str, after: Mapping[str, Values]) -> Applied:
    return Applied(change.action.value, change.id, change.name, guid, name, "done", change.before, after)


def _failed(change: GroupChange | MemberChange, error: GpadError) -> Applied:
    before = change.before if isinstance(change, GroupChange) else {}
    return Applied(
        change.action.value, change.id, change.name, change.guid, change.dn, "failed", before, {}, error=error
    )


def apply_members(
    changes: Iterable[MemberChange], directory: DirectoryReader, writer: DirectoryWriter, journal: Journal
) -> Iterator[Applied]:
    """Apply the member part of a plan, yielding what became of each group's links.

    Raises:
        GpadError: the directory went away, so that nothing more can be done.
    """
    known = journal.known()
    for batch in chunks(changes, GROUPS_AT_ONCE):
        guids = {c.id: c.guid or (known[c.id].guid if c.id in known else "") for c in batch}
        # Only what is a group inside the managed containers now, and may be written, is read and written.
        groups = directory.groups([guid for guid in guids.values() if guid], ())
        now = dict(directory.links([group.guid for group in groups if not ownership.untouchable(group, frozenset())]))
        for change in batch:
            guid = guids[change.id]
            try:
                links = _links_as_planned(change, guid, now)
                add = wanted_guids(change.add, known)
                remove = {link.guid for link in change.remove}
                result = writer.change_members(guid, add.keys() - {link.guid for link in links}, remove)
                applied = _member_outcome(change, guid, add, result)
            except ObjectError as error:
                applied = _failed(change, error)
            journal.record(applied)
            yield applied


def _links_as_planned(change: MemberChange, guid: str, now: Mapping[str, tuple[Link, ...]]) -> tuple[Link, ...]:
    if guid not in now:
        raise ObjectError(
            f"{change.dn} is not there, or not a group that may be written.",
            "Look at what its creation said, and plan again.",
            code="group_missing",
        )
    links = now[guid]
    if plan.links_digest(links) != change.before_digest:
        raise ObjectError(
            f"The members of {change.dn} were changed since the plan was made.",
            "Plan again.",
            code="directory_moved_on",
        )
    return links


def _member_outcome(change: MemberChange, guid: str, add: Mapping[str, Wanted], result: MemberResult) -> Applied:
    error: GpadError | None = None
    added, removed = result.added, result.removed
    there = {want.id for want in add.values()}
    failed = {want.id: _not_created(want) for want in change.add if want.id not in there} | dict(result.failed)
    if failed:
        member, first = next(iter(sorted(failed.items())))
        error = ObjectError(
            f"{len(failed)} of {len(change.add) + len(change.remove)} links were refused, the first of them {member}: "
            f"{first.message}",
            first.remedy,
            code=first.code,
        )
    status = "done" if not failed else "partial" if added or removed else "failed"
    return Applied(
        change.action.value,
        change.id,
        change.name,
        guid,
        change.dn,
        status,
        {},
        {},
        tuple(sorted(added)),
        tuple(sorted(removed)),
        error,
        frozenset(add[member].id for member in added),
    )


def _not_created(want: Wanted) -> GpadError:
    return ObjectError(f"The group {want.name} is not there.", "Look at what its creation said.", code="group_missing")
