# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carry out a plan, one object at a time, and write down what became of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ahead import Begun, one_ahead
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.batches import (
    GROUPS_AT_ONCE,
    chunks,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    BlockedError,
    GpadError,
    ObjectError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    DirectoryGroup,
    IncompleteReading,
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
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.replication import (
    PENDING,
    WAITING,
    Database,
    database_of,
)

_DN = "distinguishedName"


def apply_groups(
    changes: Iterable[GroupChange],
    directory: DirectoryReader,
    writer: DirectoryWriter,
    journal: Journal,
    *,
    planned_on: Database | None = None,
    beside_others: bool = False,
) -> Iterator[Applied]:
    """Apply the group part of a plan, yielding what became of each change.

    Each object is compared with the before-state in its change first; one that has moved on is left alone. On another
    copy of the directory than the plan was read from, nothing is created, restored or deleted.

    Parameters:
        changes: the part of the plan.
        directory: the target domain.
        writer: the same, for writing.
        journal: the memory of the directory side.
        planned_on: the copy of the directory that the plan was read from; None for the one of this call.
        beside_others: other machines make the containers of this plan as well, at the same time.

    Raises:
        GpadError: the directory went away, so that nothing more can be done.
    """
    begun = _begin_groups(changes, directory, writer, journal, planned_on, beside_others=beside_others)
    return one_ahead(begun, partial(recorded, journal=journal))


def _begin_groups(
    changes: Iterable[GroupChange],
    directory: DirectoryReader,
    writer: DirectoryWriter,
    journal: Journal,
    planned_on: Database | None,
    *,
    beside_others: bool,
) -> Iterator[Begun | None]:
    """Yield each change when it is begun. A creation is independent of the one before; any other waits for it."""
    here = database_of(directory.domain)
    elsewhere = planned_on if planned_on is not None and not here.is_named(planned_on) else None
    moved_here: dict[str, str] = {}
    restored: set[str] = set()
    refused: set[str] = set()
    for batch in chunks(changes, GROUPS_AT_ONCE):
        now = {group.guid: group for group in directory.groups({c.guid for c in batch if c.guid}, ())}
        filled = _filled(batch, directory)
        taken = _anchors_in_use(batch, directory)
        for change in batch:
            if change.action is not Action.CREATE:
                yield None
            refuse_stopped(journal)
            expected_dn = moved_here.get(change.guid or "", change.dn)
            try:
                if change.id in refused:
                    raise ObjectError(
                        "An earlier step of this group failed.", "Look at that.", code="earlier_step_failed"
                    )
                if elsewhere is not None and change.action in WAITING:
                    raise _planned_elsewhere(elsewhere, here)
                # What this run restored just now is as the plan says.
                stale = "" if change.guid in restored else _stale(change, expected_dn, now, taken)
                if change.guid in filled:
                    stale = f"{change.dn} has members by now."
                if stale:
                    raise ObjectError(stale, "Plan again.", code="directory_moved_on")
                if change.action is Action.CREATE:
                    yield _noting(begin(writer, change, partial(_create_group, change)), refused)
                    continue
                applied = _apply_group(change, writer, directory if beside_others else None)
                if change.new_dn and change.guid:
                    moved_here[change.guid] = change.new_dn
                if change.action is Action.RESTORE and change.guid:
                    restored.add(change.guid)
            except ObjectError as error:
                applied = failed(change, error)
                refused |= {change.id} - {""}
            yield ended(applied)


def begin(
    writer: DirectoryWriter, change: GroupChange | MemberChange, step: Callable[[DirectoryWriter], Applied]
) -> Begun:
    """Begin a change."""
    wait = writer.begin(step)

    def outcome() -> Applied:
        try:
            return wait()
        except ObjectError as error:
            return failed(change, error)

    return Begun(outcome, partial(failed, change))


def _noting(begun: Begun, refused: set[str]) -> Begun:
    """Return the same change, whose id is put among the refused ones if it fails."""

    def outcome() -> Applied:
        applied = begun.wait()
        if applied.status == "failed":
            refused.add(applied.id)
        return applied

    return replace(begun, wait=outcome)


def ended(applied: Applied) -> Begun:
    """Return a change of which it is known already what became."""
    return Begun(lambda: applied, lambda _error: applied)


def recorded(applied: Applied, journal: Journal) -> Iterator[Applied]:
    """Write down what became of a change and yield it, also when it cannot be written down: it is done all the same.

    Parameters:
        applied: what became of it.
        journal: the memory of the directory side.

    Raises:
        GpadError: the journal cannot be written, so that nothing more may be done.
    """
    try:
        if applied.status != "failed":
            _remember(applied, journal)
        journal.record(applied)
    except GpadError:
        yield applied
        raise
    yield applied


def _remember(applied: Applied, journal: Journal) -> None:
    """Remember which object belongs to the cloud group from now on."""
    if applied.action in (Action.CREATE, Action.ADOPT, Action.RESTORE) and applied.guid:
        journal.remember(applied.id, applied.guid, accepted=applied.action == Action.CREATE)
    elif applied.action in (Action.DETACH, Action.DELETE):
        journal.forget(applied.id)


def _planned_elsewhere(there: Database, here: Database) -> ObjectError:
    copy = "the copy of the directory that it had then" if here.server.lower() == there.server.lower() else there.server
    return ObjectError(
        f"The plan was read from {copy}, not from what {here.server} holds now.", "Plan again.", code=PENDING
    )


def refuse_stopped(journal: Journal) -> None:
    """Go no further when the administrator stopped runs, or when the time is over that slices had.

    Raises:
        BlockedError: one of the two.
    """
    why = journal.stopped()
    if why is not None:
        raise BlockedError(
            f"Runs are stopped: {why}", "gpad_journal with stopped: false lets them run.", code="stopped"
        )
    over = journal.over()
    if over is not None:
        raise BlockedError(
            f"The time that slices had ended at {over}.",
            "Merge what was done, the next run does the rest; hand over with more minutes.",
            code="slice_time_over",
        )


def _filled(batch: Sequence[GroupChange], directory: DirectoryReader) -> frozenset[str]:
    """Return which groups to be deleted are not empty, or cannot be seen to be; they were planned as empty ones."""
    guids = {change.guid for change in batch if change.action is Action.DELETE and change.guid}
    held = directory.links(guids) if guids else ()
    return frozenset(
        links.guid for links in held if links.reading.items or isinstance(links.reading, IncompleteReading)
    )


def _anchors_in_use(batch: Sequence[GroupChange], directory: DirectoryReader) -> frozenset[str]:
    """Return the ids among a batch's creations whose anchor a group carries that the plan did not see."""
    ignored = {change.id: change.ignored for change in batch if change.action is Action.CREATE}
    if not ignored:
        return frozenset()
    found = directory.groups((), (), {identity.anchor_of(cloud_id) for cloud_id in ignored})
    return frozenset(
        group.cloud_id for group in found if group.cloud_id and group.guid not in ignored.get(group.cloud_id, ())
    )


def _stale(change: GroupChange, expected_dn: str, now: Mapping[str, DirectoryGroup], taken: frozenset[str]) -> str:
    if change.action is Action.CREATE_CONTAINER:
        return ""
    if change.action is Action.CREATE:
        return "A group with its anchor exists by now." if change.id in taken else ""
    found = now.get(change.guid or "")
    if change.action is Action.RESTORE:
        return f"{found.dn} was restored by now." if found else ""
    if found is None:
        return f"{change.dn} is not there any more."
    if change.new_dn and expected_dn == change.dn and found.dn.lower() != change.dn.lower():
        return f"It is at {found.dn} by now, the plan says {change.dn}."
    for name, values in change.before.items():
        if name != "cn" and set(found.attributes.get(name, ())) != set(values):
            return f"{name} of {found.dn} was changed since the plan was made."
    return ""


def _create_group(change: GroupChange, writer: DirectoryWriter) -> Applied:
    created = writer.create(change.dn, change.after)
    return _done(change, created.guid, created.dn, {**change.after, "objectSid": (created.sid,)})


def _apply_group(change: GroupChange, writer: DirectoryWriter, shared: DirectoryReader | None) -> Applied:
    if change.action is Action.CREATE_CONTAINER:
        _create_container(change.dn, writer, shared)
        return _done(change, None, change.dn, {})
    guid = change.guid or ""
    if change.action is Action.RESTORE:
        writer.restore(guid, change.new_dn or "", change.after)
    elif change.action is Action.DELETE:
        writer.delete(guid)
    elif change.new_dn:
        writer.relocate(guid, change.new_dn)
    elif change.after:
        writer.modify(guid, change.after)
    if change.new_dn:
        # Where it was is what an undo needs.
        before = {**change.before, _DN: (change.dn,)}
        return replace(_done(change, guid, change.new_dn, {**change.after, _DN: (change.new_dn,)}), before=before)
    return _done(change, guid, change.dn, change.after)


def _create_container(name: str, writer: DirectoryWriter, shared: DirectoryReader | None) -> None:
    """Create a container, or see that another machine was faster where the directory is shared."""
    try:
        writer.create_container(name)
    except ObjectError:
        if shared is None or not shared.containers({name}):
            raise


def _done(change: GroupChange, guid: str | None, name: str, after: Mapping[str, Values]) -> Applied:
    return Applied(
        change.action.value, change.id, change.name, guid, name, "done", change.before, after, reason=change.reason
    )


def failed(change: GroupChange | MemberChange, error: GpadError) -> Applied:
    """Return that a change was not made, and why."""
    before = change.before if isinstance(change, GroupChange) else {}
    return Applied(
        change.action.value,
        change.id,
        change.name,
        change.guid,
        change.dn,
        "failed",
        before,
        {},
        error=error,
        reason=change.reason,
    )
