# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The domain behind a session, and what about it must hold before anything else is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.ranges import extended
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    EXTENDED_DN_CONTROL,
    Entry,
    Session,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import DomainInfo

_ROOT = ("defaultNamingContext", "configurationNamingContext", "schemaNamingContext", "dnsHostName")
_MORE = ("dsServiceName", "supportedCapabilities", "highestCommittedUSN")
# LDAP_CAP_ACTIVE_DIRECTORY_PARTIAL_SECRETS_OID: a read-only domain controller (MS-ADTS 3.1.1.3.4.3.5).
_READ_ONLY = "1.2.840.113556.1.4.1920"
_GUID_SIZE = 16
# crossRef.systemFlags bit FLAG_CR_NTDS_DOMAIN (MS-ADTS 6.1.1.2.1.1).
_DOMAIN_PARTITIONS = "(&(objectClass=crossRef)(systemFlags:1.2.840.113556.1.4.803:=2))"


@dataclass(frozen=True, slots=True)
class Domain:
    """What is known of the domain.

    Parameters:
        info: what the plan needs.
        schema_dn: where its schema is.
        netbios_name: its short name, upper case.
    """

    info: DomainInfo
    schema_dn: str
    netbios_name: str


def read_domain(session: Session, managed_containers: Sequence[str], *, catalog: bool) -> Domain:
    """Return the domain that the session reaches.

    Parameters:
        session: a bound connection.
        managed_containers: DNs that must lie in it.
        catalog: whether a global catalog is at hand.

    Raises:
        DirectoryError: the server is no usable domain controller, a container is in another domain, or the schema
            lacks the anchor.
    """
    root = _root(session)
    base, configuration, schema_dn, server = (root.texts(name)[0] for name in _ROOT)
    if _READ_ONLY in root.texts("supportedCapabilities"):
        raise DirectoryError(
            f"{server} is a read-only domain controller.",
            "Give a writable one as domain_server, or the DNS name of the domain for its PDC emulator.",
            code="read_only_dc",
        )
    for container in managed_containers:
        if not dn.is_under(container, base):
            raise DirectoryError(
                f"managed_containers: {container} is not in {base}, the domain of {server}.",
                "Give the containers of the domain that domain_server serves.",
                code="managed_container_elsewhere",
            )
    domain = next(session.search(base, "(objectClass=*)", ("objectSid",), scope="BASE"), None)
    raw = domain.first("objectSid") if domain else None
    if raw is None:
        raise DirectoryError(f"The SID of {base} cannot be read.", "Check the account's rights.", code="not_a_dc")
    sid = identity.sid_from_bytes(raw)
    forest: dict[str, str] = {}
    netbios_name = ""
    for domain_sid, name, short in _partitions(session, configuration):
        forest[domain_sid] = name
        if domain_sid == sid:
            netbios_name = short.upper()
    forest[sid] = dn.domain_dns_name(base)
    guarded = _guarded(session, schema_dn)
    invocation_id = _invocation_id(session, "".join(session.stay(root.texts("dsServiceName"))))
    highest_usn = int(root.first("highestCommittedUSN") or 0)
    info = DomainInfo(base, sid, forest, server, catalog, guarded, invocation_id, highest_usn)
    return Domain(info, schema_dn, netbios_name)


def _root(session: Session) -> Entry:
    root = next(session.search("", "(objectClass=*)", (*_ROOT, *_MORE), scope="BASE"), None)
    if root is None or not all(root.texts(name) for name in _ROOT):
        raise DirectoryError(
            "The server is not an Active Directory domain controller.", "Check domain_server.", code="not_a_dc"
        )
    return root


def _invocation_id(session: Session, settings_dn: str) -> str:
    """Return the invocationId of a domain controller, or an empty string where it cannot be read.

    Parameters:
        session: a bound connection.
        settings_dn: DN of its nTDSDSA object.
    """
    if not settings_dn:
        return ""
    entry = next(session.search(settings_dn, "(objectClass=*)", ("invocationId",), scope="BASE"), None)
    raw = entry.first("invocationId") if entry else None
    return identity.guid_from_bytes(raw) if raw is not None and len(raw) == _GUID_SIZE else ""


def pdc_emulator(session: Session, domain_dn: str) -> str | None:
    """Return the dNSHostName of the domain's PDC emulator, or None where it cannot be told.

    The owner of the role is the nTDSDSA object below the server object of a domain controller (MS-ADTS 6.1.5.3).
    """
    head = next(session.search(domain_dn, "(objectClass=*)", ("fSMORoleOwner",), scope="BASE"), None)
    owner = next(iter(head.texts("fSMORoleOwner")), "") if head else ""
    if not dn.is_dn(owner):
        return None
    server = next(session.search(dn.parent(owner), "(objectClass=*)", ("dNSHostName",), scope="BASE"), None)
    return next(iter(server.texts("dNSHostName")), None) if server else None


def server_to_use(session: Session, given: str) -> str | None:
    """Return the name of the server to connect to in place of the one that a name led to, or None.

    The DNS name of the domain leads to any of its controllers; which one that is may change from run to run, so that
    the PDC emulator is used for all.

    Parameters:
        session: a connection to what the name led to.
        given: the name.

    Raises:
        DirectoryError: it is the name of the domain, and its PDC emulator cannot be found out.
    """
    base = _root(session).texts("defaultNamingContext")[0]
    if given.rstrip(".").lower() != dn.domain_dns_name(base).lower():
        return None
    name = pdc_emulator(session, base)
    if name is None:
        raise DirectoryError(
            f"The PDC emulator of {given} cannot be found out.",
            "Give the name of one domain controller as domain_server.",
            code="pdc_unknown",
        )
    return name


def _partitions(session: Session, configuration: str) -> Iterator[tuple[str, str, str]]:
    """Yield SID, DNS name and short name of each domain of the forest."""
    found = session.search(
        f"CN=Partitions,{configuration}",
        _DOMAIN_PARTITIONS,
        ("nCName", "nETBIOSName"),
        scope="LEVEL",
        controls=(EXTENDED_DN_CONTROL,),
    )
    for partition in found:
        for name in partition.texts("nCName"):
            parts = extended(name)
            if parts and parts[1]:
                yield parts[1], dn.domain_dns_name(parts[2]), "".join(partition.texts("nETBIOSName"))


def _guarded(session: Session, schema_dn: str) -> frozenset[str]:
    """Return the GUIDs by which an access control entry may name `member` or the anchor: the attribute or its set.

    The validated write Self-Membership has the GUID of `member` itself (MS-ADTS 5.1.3.2.2).
    """
    names = ("member", ANCHOR)
    either = "".join(f"(lDAPDisplayName={name})" for name in names)
    attributes = ("lDAPDisplayName", "schemaIDGUID", "attributeSecurityGUID")
    found = {
        "".join(entry.texts("lDAPDisplayName")): entry
        for entry in session.search(schema_dn, f"(|{either})", attributes, scope="LEVEL")
    }
    if ANCHOR not in found:
        raise DirectoryError(
            f"The schema has no attribute {ANCHOR}.",
            "Extend the schema to Windows Server 2016 or later (adprep /forestprep).",
            code="schema_too_old",
        )
    return frozenset(guid for entry in found.values() for guid in _schema_guids(entry))


def _schema_guids(entry: Entry) -> Iterator[str]:
    for name in ("schemaIDGUID", "attributeSecurityGUID"):
        raw = entry.first(name)
        if raw is not None:
            yield identity.guid_from_bytes(raw)
