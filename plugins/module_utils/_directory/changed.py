# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What changed on a domain controller since one of its sequence numbers."""

from __future__ import annotations

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    SHOW_DELETED_CONTROL,
    Session,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.mapping import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import ChangedObjects

_CONSISTENCY_GUID = "mS-DS-ConsistencyGuid"
_GUID_SIZE = 16


def read_changed(session: Session, domain_dn: str, since: int) -> ChangedObjects:
    """Return what changed after a sequence number.

    Each write to an object, its deletion and its restoration move its uSNChanged (MS-ADTS 3.1.1.1.9). That a member was
    deleted does not move that of the group, but it moves the member's.

    Parameters:
        session: a bound connection.
        domain_dn: where to look, deleted objects included.
        since: highestCommittedUSN at the time of the last look.

    Raises:
        DirectoryError: the search did not reach its end.
    """
    guids: set[str] = set()
    sids: set[str] = set()
    anchors: set[str] = set()
    found = session.search(
        domain_dn,
        f"(uSNChanged>={since + 1})",
        ("objectGUID", "objectSid", _CONSISTENCY_GUID, ANCHOR),
        controls=(SHOW_DELETED_CONTROL,),
    )
    for entry in found:
        raw = (entry.first("objectGUID"), entry.first(_CONSISTENCY_GUID))
        guids.update(identity.guid_from_bytes(value) for value in raw if value and len(value) == _GUID_SIZE)
        sid = entry.first("objectSid")
        if sid:
            sids.add(identity.sid_from_bytes(sid))
        anchors.update(entry.texts(ANCHOR))
    return ChangedObjects(frozenset(guids), frozenset(sids), frozenset(anchors))
