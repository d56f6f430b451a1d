# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Groups among the deleted objects.

The control that shows deleted objects hides those that are recycled, which cannot come back (MS-ADTS 3.1.1.3.4.1.14).
The attribute isRecycled does not tell them apart: without the Recycle Bin every tombstone may carry it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.filters import any_of
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.links import LinkReader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    SHOW_DEACTIVATED_LINKS_CONTROL,
    SHOW_DELETED_CONTROL,
    Entry,
    Session,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import IncompleteReadError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    DeletedGroup,
    IncompleteReading,
    Link,
)

_DELETED_GROUP = "(isDeleted=TRUE)(objectClass=group)"
# What stands behind the name of a deleted object, in front of its objectGUID (MS-ADTS 3.1.1.5.5).
_DELETED_MARK = "\nDEL:"


def sees_deleted(session: Session, domain_dn: str) -> bool:
    """Return whether the account may look into the container of deleted objects, which by default few may."""
    # The well-known GUID of Deleted Objects (MS-ADTS 6.1.1.4).
    base = f"<WKGUID=18e2ea80684f11d2b9aa00c04f79f805,{domain_dn}>"
    search = session.search(base, "(objectClass=*)", ("objectClass",), scope="BASE", controls=(SHOW_DELETED_CONTROL,))
    entry = next(search, None)
    # Without the right to read, Samba still shows that the container is there.
    return entry is not None and bool(entry.texts("objectClass"))


def find_deleted(
    session: Session, domain_dn: str, terms: Sequence[str], attributes: Sequence[str]
) -> tuple[DeletedGroup, ...]:
    """Return the deleted groups that answer to one of the filter terms, with the links that a restore brings back.

    Raises:
        DirectoryError: the search did not reach its end.
        IncompleteReadError: the links of a group could not be read to their end.
    """
    wanted = ("objectGUID", "objectSid", "lastKnownParent", "msDS-LastKnownRDN", *attributes)
    found: dict[str, Entry] = {}
    for part in any_of(terms):
        for entry in session.search(domain_dn, f"(&{_DELETED_GROUP}{part})", wanted, controls=(SHOW_DELETED_CONTROL,)):
            guid = entry.first("objectGUID")
            if guid is not None and entry.first("objectSid") is not None:
                found[identity.guid_from_bytes(guid)] = entry
    links = _links(session, domain_dn, found)
    return tuple(_group(guid, entry, attributes, links.get(guid, ())) for guid, entry in found.items())


def _links(session: Session, domain_dn: str, found: Mapping[str, Entry]) -> dict[str, tuple[Link, ...]]:
    reader = LinkReader(session, domain_dn, _DELETED_GROUP, (SHOW_DELETED_CONTROL, SHOW_DEACTIVATED_LINKS_CONTROL))
    links: dict[str, tuple[Link, ...]] = {}
    for held in reader.read(found):
        if isinstance(held.reading, IncompleteReading):
            raise IncompleteReadError(f"The links of {found[held.guid].dn}: {held.reading.why}")
        # A link to an object that is itself deleted comes back with that object.
        links[held.guid] = tuple(link for link in held.reading.items if _DELETED_MARK not in dn.rdn_value(link.dn))
    return links


def _group(guid: str, entry: Entry, attributes: Sequence[str], links: tuple[Link, ...]) -> DeletedGroup:
    name = next(iter(entry.texts("msDS-LastKnownRDN")), None)
    if name is None:
        name = dn.rdn_value(entry.dn).partition(_DELETED_MARK)[0]
    return DeletedGroup(
        guid,
        identity.sid_from_bytes(entry.first("objectSid") or b""),
        entry.dn,
        name,
        next(iter(entry.texts("lastKnownParent")), ""),
        {attribute: entry.texts(attribute) for attribute in attributes},
        links,
    )
