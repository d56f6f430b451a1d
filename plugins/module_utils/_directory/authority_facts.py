# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the directory says of groups whose source of authority is to change."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.filters import (
    any_of,
    escaped_text,
    sid_term,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.links import LinkReader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.ranges import all_values
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import (
    dn,
    identity,
    ownership,
    scope_change,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.directory_facts import (
    GroupFacts,
    MemberFact,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    DirectoryGroup,
    HeldLinks,
    IncompleteReading,
)

_READ = ("groupType", "sAMAccountName", "isCriticalSystemObject", "adminCount", "adminDescription")


def read_authority_facts(
    session: Session,
    domain_dn: str,
    names: Collection[str],
    managed: Sequence[dn.Dn],
    guarded: Collection[str],
    protected: frozenset[str],
) -> tuple[GroupFacts, ...]:
    """Return the facts of the groups that exist, sorted by DN.

    Parameters:
        session: a bound connection.
        domain_dn: the domain.
        names: SIDs or DNs of the groups.
        managed: the managed containers.
        guarded: objectGUIDs of the groups that guard the domain or are protected, and of all inside them.
        protected: sAMAccountNames, SIDs or DNs that the administrator protects, folded.

    Raises:
        DirectoryError: a search did not reach its end.
        IncompleteReadError: the parents of a group could not be read to their end.
    """
    terms = [
        sid_term(name) if identity.is_sid(name) else f"(distinguishedName={escaped_text(name)})"
        for name in dict.fromkeys(names)
    ]
    wanted = ("objectGUID", "objectSid", "memberOf;range=0-*", *_READ)
    groups: dict[str, tuple[DirectoryGroup, tuple[str, ...]]] = {}
    for part in any_of(terms):
        for entry in session.search(domain_dn, f"(&(objectClass=group){part})", wanted):
            guid = identity.guid_from_bytes(entry.first("objectGUID") or b"")
            sid = identity.sid_from_bytes(entry.first("objectSid") or b"")
            above = all_values(session, guid, entry, "memberOf", ())
            group = DirectoryGroup(guid, sid, entry.dn, {name: entry.texts(name) for name in _READ})
            groups[guid] = group, tuple(sorted(value.decode("utf-8", "replace") for value in above))
    links = {held.guid: held for held in LinkReader(session, domain_dn).read(groups)}
    found = [
        _facts(group, above, links.get(guid), managed, guarded, protected) for guid, (group, above) in groups.items()
    ]
    return tuple(sorted(found, key=lambda facts: facts.dn))


def _facts(
    group: DirectoryGroup,
    above: tuple[str, ...],
    held: HeldLinks | None,
    managed: Sequence[dn.Dn],
    guarded: Collection[str],
    protected: frozenset[str],
) -> GroupFacts:
    why = ownership.untouchable(group, protected)
    if not why and group.guid in guarded:
        why = "it is a member, at some depth, of a group that guards the domain or is protected"
    if held is None:
        problem = "it went away meanwhile"
    else:
        problem = held.reading.why if isinstance(held.reading, IncompleteReading) else ""
    return GroupFacts(
        group.sid,
        group.guid,
        group.dn,
        dn.rdn_value(group.dn),
        scope_change.scope_name(int(group.first("groupType") or 0)),
        why,
        any(dn.is_under(group.dn, container) for container in managed),
        group.first("adminDescription") or "",
        tuple(MemberFact(link.sid, link.dn) for link in held.reading.items) if held else (),
        problem,
        above,
    )
