# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access control lists of the objects on which the service account gets its rights."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import results
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.filters import any_of, escaped_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    DACL_CONTROL,
    OWNER_AND_DACL_CONTROL,
    SHOW_DELETED_CONTROL,
    Session,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity, rights
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.delegation import Place
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.descriptor_writing import with_entries
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    DirectoryError,
    ObjectError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.rights import Ace, SecurityDescriptor

_DESCRIPTOR = "nTSecurityDescriptor"
# The well-known GUID of Deleted Objects (MS-ADTS 6.1.1.4).
_DELETED_OBJECTS = "18e2ea80684f11d2b9aa00c04f79f805"


@dataclass(frozen=True, slots=True)
class Held:
    """An object with its descriptor, as bytes and read."""

    place: Place
    dn: str
    raw: bytes
    descriptor: SecurityDescriptor


def resolve_account(session: Session, domain_dn: str, name: str) -> str:
    """Return the SID of an account that is named by SID, DN or sAMAccountName.

    Raises:
        DirectoryError: nobody, or several, are named so.
    """
    if identity.is_sid(name):
        return name.upper()
    term = f"(|(sAMAccountName={escaped_text(name)})(distinguishedName={escaped_text(name)}))"
    found = [entry.first("objectSid") for entry in session.search(domain_dn, term, ("objectSid",))]
    sids = [identity.sid_from_bytes(raw) for raw in found if raw is not None]
    if len(sids) != 1:
        raise DirectoryError(
            f"account: {name} names {len(sids)} accounts of the domain.", "Give its SID.", code="account_not_found"
        )
    return sids[0]


def schema_guids(session: Session, schema_dn: str, names: Collection[str]) -> dict[str, str]:
    """Return the schemaIDGUID of each attribute, in the order of the names.

    Raises:
        DirectoryError: the schema lacks one.
    """
    found: dict[str, str] = {}
    for part in any_of([f"(lDAPDisplayName={escaped_text(name)})" for name in names]):
        for entry in session.search(schema_dn, part, ("lDAPDisplayName", "schemaIDGUID"), scope="LEVEL"):
            raw = entry.first("schemaIDGUID")
            if raw is not None:
                found["".join(entry.texts("lDAPDisplayName")).lower()] = identity.guid_from_bytes(raw)
    lacking = [name for name in names if name.lower() not in found]
    if lacking:
        raise DirectoryError(
            f"The schema has no attribute {', '.join(lacking)}.", "Correct attributes.", code="attribute_unknown"
        )
    return {name: found[name.lower()] for name in names}


def read_objects(session: Session, domain_dn: str, containers: Sequence[str], *, restore: bool) -> Iterator[Held]:
    """Yield the objects with their descriptors.

    The container of deleted objects is left out where its list cannot be read: it belongs to the system, and by default
    not even administrators may.

    Raises:
        DirectoryError: one is not there, or its list cannot be read.
    """
    places = [(Place.CONTAINER, container, container) for container in containers]
    if restore:
        deleted = f"<WKGUID={_DELETED_OBJECTS},{domain_dn}>"
        places += [(Place.DOMAIN, domain_dn, domain_dn), (Place.DELETED, deleted, f"CN=Deleted Objects,{domain_dn}")]
    for place, base, name in places:
        controls = (OWNER_AND_DACL_CONTROL, SHOW_DELETED_CONTROL)
        entry = next(session.search(base, "(objectClass=*)", (_DESCRIPTOR,), scope="BASE", controls=controls), None)
        if entry is None:
            raise DirectoryError(
                f"{name} does not exist, or is hidden.",
                "Create it, or correct managed_containers.",
                code="managed_container_missing",
            )
        raw = entry.first(_DESCRIPTOR)
        try:
            descriptor = rights.parse(raw or b"")
        except ValueError:
            if place is Place.DELETED:
                continue
            raise DirectoryError(
                f"The access control list of {entry.dn} cannot be read.",
                "Log on with an account that may read and change it.",
                code="descriptor_unread",
            ) from None
        yield Held(place, entry.dn, raw or b"", descriptor)


def changed_list(held: Held, added: Sequence[Ace]) -> bytes:
    """Return the descriptor of an object with further entries.

    Raises:
        ObjectError: it has no list, or that would be too long.
    """
    try:
        return with_entries(held.raw, added)
    except ValueError as error:
        raise ObjectError(f"The list of {held.dn}: {error}.", "Look at it.", code="descriptor_unread") from None


def write_entries(session: Session, held: Held, added: Sequence[Ace]) -> None:
    """Add entries to the list of an object; all others stay.

    Raises:
        ObjectError: the list cannot take them, or the server refused.
        DirectoryError: the connection broke off.
    """
    changed = changed_list(held, added)
    controls = (DACL_CONTROL, SHOW_DELETED_CONTROL)
    result = session.modify(held.dn, {_DESCRIPTOR: [("MODIFY_REPLACE", [changed])]}, controls)
    if result["result"] != results.SUCCESS:
        raise results.refusal(f"Changing the access control list of {held.dn}", result)
