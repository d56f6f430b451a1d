# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The groups that writeback V2 wrote, as they are."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.filters import any_of, guid_term
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reader import Reader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Entry, Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import (
    identity,
    ownership,
    scope_change,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    DirectoryGroup,
    IncompleteReading,
    Link,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.writeback import (
    MAIL,
    MARK,
    WritebackGroup,
    WritebackMember,
)

_READ = (ANCHOR, MARK, "groupType", "sAMAccountName", "isCriticalSystemObject", "adminCount", *MAIL)


def read_writeback(
    session: Session,
    reader: Reader,
    containers: Collection[str],
    protected: Collection[str],
    guids: Collection[str] = (),
) -> tuple[WritebackGroup, ...]:
    """Return the groups of some containers, and others by objectGUID wherever in the domain they are, sorted by DN.

    Parameters:
        session: a bound connection.
        reader: the target domain.
        containers: DNs.
        protected: what protected_groups names, folded.
        guids: objectGUIDs.

    Raises:
        DirectoryError: a search did not reach its end.
        IncompleteReadError: the parents of a group could not be read to their end.
    """
    groups: dict[str, DirectoryGroup] = {}
    for entry in _entries(session, reader.domain.dn, containers, guids):
        guid = identity.guid_from_bytes(entry.first("objectGUID") or b"")
        sid = identity.sid_from_bytes(entry.first("objectSid") or b"")
        groups[guid] = DirectoryGroup(guid, sid, entry.dn, {name: entry.texts(name) for name in _READ})
    held = {links.guid: links.reading for links in reader.links(groups)}
    around = reader.nesting(groups)
    guarded = reader.protected(protected)
    # Each member once, also where many groups have it.
    kinds = reader.facts({link.guid for reading in held.values() for link in reading.items})
    found: list[WritebackGroup] = []
    for guid, group in groups.items():
        reading = held.get(guid)
        why = reading.why if isinstance(reading, IncompleteReading) else "" if reading else "it went away meanwhile"
        nesting = around.get(guid)

        def member(link: Link) -> WritebackMember:
            fact = kinds.get(link.guid)
            return WritebackMember(link.guid, link.sid, link.dn, fact.object_class if fact else "")

        found.append(
            WritebackGroup(
                guid,
                group.sid,
                group.dn,
                int(group.first("groupType") or 0),
                group.first(MARK) or "",
                group.first(ANCHOR) or "",
                any(group.attributes[name] for name in MAIL),
                _guarded(group, guarded, frozenset(protected)),
                tuple(sorted(map(member, reading.items if reading else ()), key=lambda one: one.dn)),
                why,
                tuple(name for name, _kind in nesting.parents) if nesting else (),
                tuple(
                    name
                    for name, kind in (nesting.members if nesting else ())
                    if scope_change.scope_of(kind) == scope_change.DOMAIN_LOCAL
                ),
            )
        )
    return tuple(sorted(found, key=lambda one: one.dn))


def _entries(session: Session, domain_dn: str, containers: Collection[str], guids: Collection[str]) -> Iterator[Entry]:
    wanted = ("objectGUID", "objectSid", *_READ)
    for container in containers:
        yield from session.search(container, "(objectClass=group)", wanted)
    for part in any_of([guid_term(guid) for guid in sorted(guids)]):
        yield from session.search(domain_dn, f"(&(objectClass=group){part})", wanted)


def _guarded(group: DirectoryGroup, guarded: Collection[str], protected: frozenset[str]) -> str:
    if group.guid in guarded:
        return "it is a member, at some depth, of a group that guards the domain"
    return ownership.untouchable(group, protected)
