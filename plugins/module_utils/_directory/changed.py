# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What changed on a domain controller since one of its sequence numbers."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.ranges import all_values, extended
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    EXTENDED_DN_CONTROL,
    SHOW_DELETED_CONTROL,
    Entry,
    Session,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import ChangedObjects

_CONSISTENCY_GUID = "mS-DS-ConsistencyGuid"
_GUID_SIZE = 16
_MEMBER_OF = "memberOf"
# What holds groups and may be renamed or moved, which changes the names of all inside and no uSNChanged of theirs.
_CONTAINERS = frozenset({"container", "country", "locality", "organization", "organizationalunit"})


def read_changed(session: Session, domain_dn: str, since: int) -> ChangedObjects:
    """Return what changed after a sequence number.

    Each write to an object, its deletion and its restoration move its uSNChanged (MS-ADTS 3.1.1.1.9). That a member was
    deleted or came back does not move that of the group, but it moves the member's; the link that came back may answer
    to no listed member any more.

    Parameters:
        session: a bound connection.
        domain_dn: where to look, deleted objects included.
        since: highestCommittedUSN at the time of the last look.

    Raises:
        DirectoryError: the search did not reach its end.
        IncompleteReadError: the groups of an object could not be read to their end.
    """
    guids: set[str] = set()
    sids: set[str] = set()
    anchors: set[str] = set()
    doubt = ""
    found = session.search(
        domain_dn,
        f"(uSNChanged>={since + 1})",
        ("objectClass", "objectGUID", "objectSid", _CONSISTENCY_GUID, ANCHOR, f"{_MEMBER_OF};range=0-*"),
        controls=(SHOW_DELETED_CONTROL, EXTENDED_DN_CONTROL),
    )
    for entry in found:
        raw = (entry.first("objectGUID"), entry.first(_CONSISTENCY_GUID))
        guids.update(identity.guid_from_bytes(value) for value in raw if value and len(value) == _GUID_SIZE)
        sid = entry.first("objectSid")
        if sid:
            sids.add(identity.sid_from_bytes(sid))
        anchors.update(entry.texts(ANCHOR))
        guids.update(_groups_of(session, entry))
        if {name.lower() for name in entry.texts("objectClass")[-1:]} & _CONTAINERS:
            doubt = "a container changed"
    return ChangedObjects(frozenset(guids), frozenset(sids), frozenset(anchors), doubt)


def _groups_of(session: Session, entry: Entry) -> Iterator[str]:
    """Yield the objectGUIDs of the groups that an object is a direct member of."""
    raw = entry.first("objectGUID")
    if raw is None or len(raw) != _GUID_SIZE:
        return
    guid = identity.guid_from_bytes(raw)
    for value in all_values(session, guid, entry, _MEMBER_OF, (SHOW_DELETED_CONTROL, EXTENDED_DN_CONTROL)):
        parts = extended(value.decode("utf-8", "replace"))
        if parts is not None:
            yield parts[0]
