# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading the policy of the enforcement of the source of authority, and who it is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.filters import any_of, sid_term
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.preflight_containers import descriptor_of
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    OWNER_AND_DACL_CONTROL,
    Entry,
    Session,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import access, dn, identity, rights
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.enforcement import (
    ALLOWED,
    MARK,
    POLICIES,
    Controller,
    Enforcement,
    Policy,
    policy_of,
)

# ADS_UF_SERVER_TRUST_ACCOUNT and ADS_UF_PARTIAL_SECRETS_ACCOUNT (MS-ADTS 2.2.16).
_CONTROLLERS = (
    "(|(userAccountControl:1.2.840.113556.1.4.803:=8192)(userAccountControl:1.2.840.113556.1.4.803:=67108864))"
)
_READ_ONLY = 0x4000000
# Nothing that somebody wrote to say the mode stands in these.
_NO_TEXT = frozenset({"distinguishedname", "objectclass", "objectcategory", "cn", "name", "ntsecuritydescriptor"})


def read_enforcement(
    session: Session, domain_dn: str, schema_dn: str, managed_containers: Sequence[str], token: Sequence[str]
) -> Enforcement:
    """Return how the enforcement stands.

    Parameters:
        session: a bound connection.
        domain_dn: the domain.
        schema_dn: its schema.
        managed_containers: DNs.
        token: SIDs of the account, its own first, and of its groups.

    Raises:
        DirectoryError: a search did not reach its end.
    """
    policies = tuple(_policies(session, domain_dn))
    hidden = not policies and not _would_be_seen(session, domain_dn, frozenset(token))
    mark = f"(lDAPDisplayName={MARK})"
    in_schema = next(session.search(schema_dn, mark, ("cn",), scope="LEVEL"), None) is not None
    marked = 0
    if in_schema:
        term = f"(&(objectClass=group)({MARK}=*))"
        marked = sum(1 for container in managed_containers for _one in session.search(container, term, ()))
    sids = {sid for policy in policies for sid in policy.allowed}
    return Enforcement(
        policies,
        in_schema,
        marked,
        frozenset(token),
        token[0] if token else "",
        _names(session, domain_dn, sids) if sids else {},
        tuple(_controllers(session, domain_dn)) if policies else (),
        hidden,
    )


def _policies(session: Session, domain_dn: str) -> Iterator[Policy]:
    container = f"{POLICIES},{domain_dn}"
    # A search below what is not there fails; asked by itself, it is merely not found.
    if next(session.search(container, "(objectClass=*)", (), scope="BASE"), None) is None:
        return
    for entry in session.search(container, "(objectClass=*)", ("*",), scope="LEVEL"):
        texts = [text for name in entry.attributes if name not in _NO_TEXT for text in entry.texts(name)]
        yield policy_of(entry.dn, entry.texts(ALLOWED), texts)


def _would_be_seen(session: Session, domain_dn: str, token: frozenset[str]) -> bool:
    """Return whether the account may list what would hold a policy: if so, what it does not see is not there.

    Who may list an object sees its children (MS-ADTS 3.1.1.4.5, 5.1.3.3.6).
    """
    policies = f"{POLICIES},{domain_dn}"
    for name in (policies, dn.parent(policies)):
        search = session.search(
            name, "(objectClass=*)", ("nTSecurityDescriptor",), scope="BASE", controls=(OWNER_AND_DACL_CONTROL,)
        )
        entry = next(search, None)
        if entry is not None:
            descriptor = descriptor_of(entry)
            return descriptor is not None and access.may(descriptor, token, rights.LIST_CONTENTS)
    return False


def _names(session: Session, domain_dn: str, sids: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in any_of([sid_term(sid) for sid in sorted(sids)]):
        for entry in session.search(domain_dn, part, ("objectSid", "sAMAccountName")):
            raw = entry.first("objectSid")
            if raw is not None:
                found[identity.sid_from_bytes(raw)] = "".join(entry.texts("sAMAccountName"))
    return found


def _controllers(session: Session, domain_dn: str) -> Iterator[Controller]:
    wanted = ("dNSHostName", "sAMAccountName", "operatingSystem", "operatingSystemVersion", "userAccountControl")
    for entry in session.search(domain_dn, _CONTROLLERS, wanted):
        name = _first(entry, "dNSHostName") or _first(entry, "sAMAccountName")
        read_only = bool(int(_first(entry, "userAccountControl") or 0) & _READ_ONLY)
        system, version = _first(entry, "operatingSystem"), _first(entry, "operatingSystemVersion")
        yield Controller(name, system, version, read_only)


def _first(entry: Entry, name: str) -> str:
    return next(iter(entry.texts(name)), "")
