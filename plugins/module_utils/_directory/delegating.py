# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access control lists of the objects on which the service account gets its rights."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import results
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.filters import (
    any_of,
    escaped_text,
    sid_term,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    DACL_CONTROL,
    OWNER_AND_DACL_CONTROL,
    SHOW_DELETED_CONTROL,
    Session,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity, rights
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.delegation import (
    Grant,
    Place,
    missing,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.descriptor_writing import (
    explicit,
    with_entries,
)
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

    The SID of another domain is taken as it is, since this domain does not know who is there.

    Raises:
        DirectoryError: nobody, or several, are named so.
    """
    if identity.is_sid(name):
        sid = name.upper()
        if identity.domain_of(sid) != _domain_sid(session, domain_dn):
            return sid
        # Numbers are given out in turn: rights for nobody would be those of some account to come.
        term = sid_term(sid)
    else:
        term = f"(|(sAMAccountName={escaped_text(name)})(distinguishedName={escaped_text(name)}))"
    found = [entry.first("objectSid") for entry in session.search(domain_dn, term, ("objectSid",))]
    sids = [identity.sid_from_bytes(raw) for raw in found if raw is not None]
    if len(sids) != 1:
        raise DirectoryError(
            f"account: {name} names {len(sids)} accounts of the domain.", "Give its SID.", code="account_not_found"
        )
    return sids[0]


def _domain_sid(session: Session, domain_dn: str) -> str:
    entry = next(session.search(domain_dn, "(objectClass=*)", ("objectSid",), scope="BASE"), None)
    raw = entry.first("objectSid") if entry is not None else None
    if raw is None:
        raise DirectoryError(
            "The SID of the domain cannot be read.", "Name the account by its sAMAccountName.", code="account_not_found"
        )
    return identity.sid_from_bytes(raw)


def refuse_system_groups(session: Session, containers: Sequence[str]) -> None:
    """Look for groups of the system in the containers, whose members the account could choose then.

    Raises:
        DirectoryError: there are some.
    """
    for container in containers:
        found = session.search(container, "(&(objectClass=group)(isCriticalSystemObject=TRUE))", ())
        entry = next(found, None)
        if entry is not None:
            raise DirectoryError(
                f"{container} holds groups of the system, such as {entry.dn}: the account could make itself a member.",
                "Name a container of its own for the managed groups.",
                code="system_groups_in_container",
            )


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
        held = _read(session, place, base)
        if held is not None:
            yield held
        elif place is not Place.DELETED:
            raise DirectoryError(
                f"{name} does not exist, or is hidden.",
                "Create it, or correct managed_containers.",
                code="managed_container_missing",
            )


def _read(session: Session, place: Place, base: str) -> Held | None:
    """Return an object with its list, or None where it is not there, or where that is the system's own.

    Raises:
        DirectoryError: its list cannot be read, or it has none.
    """
    controls = (OWNER_AND_DACL_CONTROL, SHOW_DELETED_CONTROL)
    entry = next(session.search(base, "(objectClass=*)", (_DESCRIPTOR,), scope="BASE", controls=controls), None)
    if entry is None:
        return None
    raw = entry.first(_DESCRIPTOR) or b""
    try:
        descriptor = rights.parse(raw)
    except ValueError:
        if place is Place.DELETED:
            return None
        raise DirectoryError(
            f"The access control list of {entry.dn} cannot be read.",
            "Log on with an account that may read and change it.",
            code="descriptor_unread",
        ) from None
    if descriptor.aces is None:
        raise DirectoryError(
            f"{entry.dn} has no access control list, so that everybody may do everything there.",
            "Give it one first: the first entry would take all rights from all others.",
            code="descriptor_unread",
        )
    return Held(place, entry.dn, raw, descriptor)


def changed_list(held: Held, added: Sequence[Ace]) -> bytes:
    """Return the descriptor of an object with further entries.

    Raises:
        ObjectError: it has no list, or that would be too long.
    """
    try:
        return with_entries(held.raw, added)
    except ValueError as error:
        raise ObjectError(f"The list of {held.dn}: {error}.", "Look at it.", code="descriptor_unread") from None


def write_entries(session: Session, held: Held, wanted: Sequence[Grant]) -> None:
    """Add what is missing to the list of an object; all that is there stays.

    Active Directory changes a list only as a whole. It is read again just before, so that what others changed since it
    was compared stays, and after that, so that a change by others in the same moment is told.

    Parameters:
        session: a bound connection.
        held: the object, as it was compared.
        wanted: its rights.

    Raises:
        ObjectError: the list cannot take them, the server refused, or the list is another one afterwards.
        DirectoryError: the connection broke off.
    """
    now = _again(session, held)
    added = [grant.ace for grant in missing(now.descriptor, wanted)]
    if not added:
        return
    changed = changed_list(now, added)
    controls = (DACL_CONTROL, SHOW_DELETED_CONTROL)
    result = session.modify(held.dn, {_DESCRIPTOR: [("MODIFY_REPLACE", [changed])]}, controls)
    if result["result"] != results.SUCCESS:
        raise results.refusal(f"Changing the access control list of {held.dn}", result)
    after = _again(session, held)
    if missing(after.descriptor, wanted) or not explicit(now.raw) <= explicit(after.raw):
        raise ObjectError(
            f"The access control list of {held.dn} is not what was written: others may have changed it.",
            "Look at it, and run again.",
            code="descriptor_changed",
        )


def _again(session: Session, held: Held) -> Held:
    now = _read(session, held.place, held.dn)
    if now is None:
        raise ObjectError(
            f"The access control list of {held.dn} can no longer be read.", "Look at it.", code="descriptor_unread"
        )
    return now
