# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carry out the member part of a plan: the links of one group after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity, ownership, plan
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ahead import Begun, one_ahead
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.apply import (
    begin,
    ended,
    failed,
    recorded,
    refuse_stopped,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.batches import group_batches
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    GpadError,
    ObjectError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.membership import Wanted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    DirectoryGroup,
    DomainInfo,
    HeldLinks,
    IncompleteReading,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import MemberChange
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import (
    Applied,
    DirectoryReader,
    DirectoryWriter,
    Journal,
    KnownGroup,
    MemberResult,
    wanted_guids,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.replication import (
    Database,
    database_of,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retry import PLAN_AGAIN


def apply_members(
    changes: Iterable[MemberChange],
    directory: DirectoryReader,
    writer: DirectoryWriter,
    journal: Journal,
    *,
    planned_on: Database | None = None,
    just_planned: bool = False,
) -> Iterator[Applied]:
    """Apply the member part of a plan, yielding what became of each group's links.

    A plan that this call made from what it read itself is believed. Of any other, a group whose uSNChanged is still the
    one that was read with its links has the same links; of the rest the links are read again. The sequence number
    belongs to one domain controller's copy of the directory, so that another one has them read again, too.

    Parameters:
        changes: the part of the plan.
        directory: the target domain.
        writer: the same, for writing.
        journal: the memory of the directory side.
        planned_on: the copy of the directory that the plan was read from.
        just_planned: whether this call made the plan.

    Raises:
        GpadError: the directory went away, so that nothing more can be done.
    """
    begun = _begin_members(changes, directory, writer, journal, planned_on, just_planned=just_planned)
    return one_ahead(begun, partial(recorded, journal=journal))


def _begin_members(
    changes: Iterable[MemberChange],
    directory: DirectoryReader,
    writer: DirectoryWriter,
    journal: Journal,
    planned_on: Database | None,
    *,
    just_planned: bool,
) -> Iterator[Begun]:
    """Yield the change of each group's links when it is begun; they do not depend on each other."""
    known = journal.known()
    for batch in group_batches(changes, lambda change: len(change.add) + len(change.remove)):
        guids = {c.id: c.guid or (known[c.id].guid if c.id in known else "") for c in batch}
        same_copy = planned_on is not None and database_of(directory.domain).is_surely(planned_on)
        unseen = {} if just_planned else _unlike_planned(batch, guids, directory, known, same_copy=same_copy)
        for change in batch:
            refuse_stopped(journal)
            guid = guids[change.id]
            if not guid or guid in unseen:
                yield ended(failed(change, unseen.get(guid) or _missing(change)))
            else:
                step = partial(_apply_members, change, guid, wanted_guids(change.add, known), directory.domain)
                yield begin(writer, change, step)


def _apply_members(
    change: MemberChange, guid: str, add: Mapping[str, Wanted], domain: DomainInfo, writer: DirectoryWriter
) -> Applied:
    result = writer.change_members(
        guid,
        {member: _place(want.sid, want.dn, domain) for member, want in add.items()},
        {link.guid: _place(link.sid, link.dn, domain) for link in change.remove},
    )
    return _member_outcome(change, guid, add, result)


def _unlike_planned(
    batch: Sequence[MemberChange],
    guids: Mapping[str, str],
    directory: DirectoryReader,
    known: Mapping[str, KnownGroup],
    *,
    same_copy: bool,
) -> dict[str, ObjectError]:
    """Return, by objectGUID, what forbids to write the members of a group now."""
    # Only what is a group inside the managed containers now, and may be written, is read and written.
    groups = directory.groups([guid for guid in guids.values() if guid], ())
    there = {group.guid: group for group in groups if not ownership.untouchable(group, frozenset())}
    again = [
        guids[c.id] for c in batch if guids[c.id] in there and not (same_copy and _is_as_read(c, there[guids[c.id]]))
    ]
    held = {links.guid: links for links in directory.links(again)} if again else {}
    wrong: dict[str, ObjectError] = {}
    for change in batch:
        guid = guids[change.id]
        if guid not in there or (guid in again and guid not in held):
            wrong[guid] = _missing(change)
        elif change.id not in known or known[change.id].guid != guid:
            wrong[guid] = ObjectError(
                f"The journal does not know {change.dn} as the object of this group.",
                "Look at what its adoption said, and plan again.",
                code="earlier_step_failed",
            )
        elif guid in held and (problem := _links_problem(change, held[guid])):
            wrong[guid] = problem
    return wrong


def _missing(change: MemberChange) -> ObjectError:
    return ObjectError(
        f"{change.dn} is not there, or not a group that may be written.",
        "Look at what its creation said, and plan again.",
        code="group_missing",
    )


def _links_problem(change: MemberChange, held: HeldLinks) -> ObjectError | None:
    if isinstance(held.reading, IncompleteReading):
        return ObjectError(held.reading.why, "Run again.", code="links_unread")
    if plan.links_digest(held.reading.items) != change.before_digest:
        return ObjectError(
            f"The members of {change.dn} were changed since the plan was made.",
            "Plan again.",
            code="directory_moved_on",
        )
    return None


def _is_as_read(change: MemberChange, found: DirectoryGroup) -> bool:
    return change.before_usn > 0 and found.first("uSNChanged") == str(change.before_usn)


def _place(sid: str | None, name: str, domain: DomainInfo) -> str:
    """Return the DN by which a member of another domain of the forest is written; empty for one of this domain."""
    issuer = identity.domain_of(sid) if sid else domain.sid
    return name if issuer != domain.sid and issuer in domain.forest else ""


def _member_outcome(change: MemberChange, guid: str, add: Mapping[str, Wanted], result: MemberResult) -> Applied:
    error: GpadError | None = None
    added, removed = result.added, result.removed
    there = {want.id for want in add.values()}
    failed = {want.id: _not_created(want) for want in change.add if want.id not in there} | dict(result.failed)
    if failed:
        # What nothing refused for good, such as a removal, must not wait together with what was.
        member, first = min(failed.items(), key=lambda item: (item[1].code not in PLAN_AGAIN, item[0]))
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
        change.reason,
    )


def _not_created(want: Wanted) -> GpadError:
    return ObjectError(f"The group {want.name} is not there.", "Look at what its creation said.", code="group_missing")
