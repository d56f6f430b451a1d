# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading what a preflight judges: the domain controller, the domain and the account's token. Nothing is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import preflight_containers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.deleted import sees_deleted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.domain import pdc_emulator
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.enforcement import read_enforcement
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.filters import any_of, escaped_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    EXTENDED_DN,
    OWNER_AND_DACL_CONTROL,
    PAGED_RESULTS,
    SHOW_DELETED,
    Entry,
    Session,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.token_sizes import read_token_sizes
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import access, identity, rights
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.enforcement import (
    Enforcement,
    enforcement_rows,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import GpadError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.preflight import (
    Row,
    Status,
    judged,
    of_error,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.preflight_containers import (
    RESTORED,
    Rights,
    container_rows,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.preflight_server import (
    ServerFacts,
    server_rows,
)

# What provisioning writes on groups whatever the mappings say. The server does not count name, which comes with cn, as
# writable, since it is systemOnly: the rows on moves and restores judge that.
ALWAYS_WRITTEN = (ANCHOR, "adminDescription", "member", "cn", "groupType")
_ROOT = (
    "defaultNamingContext",
    "configurationNamingContext",
    "schemaNamingContext",
    "dnsHostName",
    "currentTime",
    "supportedControl",
    "supportedCapabilities",
    "domainFunctionality",
    "forestFunctionality",
    # SIDs of the account that is logged on and of its groups (MS-ADTS 3.1.1.3.2).
    "tokenGroups",
)
# LDAP_CAP_ACTIVE_DIRECTORY_PARTIAL_SECRETS_OID: a read-only domain controller (MS-ADTS 3.1.1.3.4.3.5).
_READ_ONLY = "1.2.840.113556.1.4.1920"
_RECYCLE_BIN = "CN=Recycle Bin Feature,"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a preflight is to look at.

    Parameters:
        managed_containers: DNs.
        mapped: LDAP names of the attributes that the mappings write.
        catalog: opens a connection to the global catalog, or None where none is given.
        marks: groups are to be marked for the enforcement.
        units: organizational units are to be created.
    """

    managed_containers: Sequence[str]
    mapped: Sequence[str]
    catalog: Callable[[], Session] | None = None
    marks: bool = False
    units: bool = False


@dataclass(frozen=True, slots=True)
class Root:
    """What the root of a domain controller says.

    Parameters:
        entry: its attributes.
        base: DN of the domain.
        configuration: DN of the configuration.
        schema: DN of the schema.
        token: SIDs of the account and of its groups, the account's own first; empty where they are hidden.
    """

    entry: Entry
    base: str
    configuration: str
    schema: str
    token: tuple[str, ...]


def read_root(session: Session) -> Root | None:
    """Return what the root says, or None where that is no domain controller's."""
    entry = next(session.search("", "(objectClass=*)", _ROOT, scope="BASE"), None)
    if entry is None or not all(entry.texts(name) for name in _ROOT[:3]):
        return None
    token = tuple(identity.sid_from_bytes(raw) for raw in entry.attributes.get("tokengroups", ()))
    base, configuration, schema = (entry.texts(name)[0] for name in _ROOT[:3])
    return Root(entry, base, configuration, schema, token)


def rows(session: Session, wanted: Wanted) -> Iterator[Row]:
    """Yield the table; what cannot be read is told in its row, and the rest goes on.

    Parameters:
        session: a bound connection.
        wanted: what to look at.
    """
    root = read_root(session)
    if root is None:
        yield Row(
            "domain controller",
            Status.FAILED,
            "the server is not an Active Directory domain controller",
            "Check domain_server.",
        )
        return
    yield from _guard("domain controller", lambda: server_rows(_server(session, root)))
    yield from _guard("global catalog", lambda: _catalog_rows(session, root, wanted))
    yield from _guard("account", lambda: _account_rows(root))
    yield from _all_container_rows(session, root, wanted)
    yield from _guard("enforcement policy", partial(_enforcement_rows, session, root, wanted))
    yield from _guard("group SIDs in users' tokens", lambda: [read_token_sizes(session, root.base)])


def right_rows(session: Session, wanted: Wanted) -> Iterator[Row]:
    """Yield the rows on what the account may do in the containers; none where the server is no domain controller.

    Parameters:
        session: a bound connection.
        wanted: what to look at.
    """
    root = read_root(session)
    if root is not None:
        yield from _all_container_rows(session, root, wanted)


def _all_container_rows(session: Session, root: Root, wanted: Wanted) -> Iterator[Row]:
    held = Rights(frozenset(root.token), (*ALWAYS_WRITTEN, *wanted.mapped), _guids(session, root, wanted), wanted.units)
    for container in wanted.managed_containers:
        yield from _guard(f"container {container}", partial(_container_rows, session, container, held))


def _guids(session: Session, root: Root, wanted: Wanted) -> dict[str, frozenset[str]]:
    try:
        return attribute_guids(session, root.schema, (*ALWAYS_WRITTEN, *wanted.mapped, *RESTORED))
    except GpadError:
        # What needs them is unknown then.
        return {}


def _guard(check: str, read: Callable[[], Iterable[Row]]) -> Iterator[Row]:
    try:
        yield from read()
    except GpadError as error:
        yield of_error(check, error)


def enforcement_of(session: Session, root: Root, managed_containers: Sequence[str]) -> Enforcement:
    """Return how the enforcement of the source of authority stands.

    Raises:
        DirectoryError: a search did not reach its end.
    """
    return read_enforcement(session, root.base, root.schema, managed_containers, root.token)


def _enforcement_rows(session: Session, root: Root, wanted: Wanted) -> Iterator[Row]:
    return enforcement_rows(enforcement_of(session, root, wanted.managed_containers), marks=wanted.marks)


def _container_rows(session: Session, container: str, held: Rights) -> Iterator[Row]:
    return container_rows(preflight_containers.read_container(session, container), held)


def _server(session: Session, root: Root) -> ServerFacts:
    entry = root.entry
    head = _base(session, root.base, ("nTMixedDomain", "nTSecurityDescriptor"), OWNER_AND_DACL_CONTROL)
    schema = _base(session, root.schema, ("objectVersion",))
    partitions = _base(session, f"CN=Partitions,{root.configuration}", ("msDS-EnabledFeature", "cn"))
    mixed = _first(head, "nTMixedDomain")
    descriptor = preflight_containers.descriptor_of(head)
    reanimate = None
    if descriptor is not None and root.token:
        about = {access.REANIMATE_TOMBSTONES}
        reanimate = access.may(descriptor, root.token, rights.CONTROL_ACCESS, about)
    version = _first(schema, "objectVersion")
    capabilities = entry.texts("supportedCapabilities")
    features = partitions.texts("msDS-EnabledFeature") if partitions else None
    return ServerFacts(
        _first(entry, "dnsHostName"),
        pdc_emulator(session, root.base),
        _READ_ONLY in capabilities if capabilities else None,
        _skew(entry),
        tuple(sorted({PAGED_RESULTS, EXTENDED_DN, SHOW_DELETED} - set(entry.texts("supportedControl")))),
        _first(entry, "domainFunctionality"),
        _first(entry, "forestFunctionality"),
        int(version) if version.isdecimal() else None,
        ANCHOR.lower() in attribute_guids(session, root.schema, (ANCHOR,)),
        mixed != "0" if mixed else None,
        None if features is None else any(_RECYCLE_BIN in feature for feature in features),
        sees_deleted(session, root.base),
        reanimate,
    )


def _base(
    session: Session, name: str, attributes: Sequence[str], *controls: tuple[str, bool, bytes | None]
) -> Entry | None:
    return next(session.search(name, "(objectClass=*)", attributes, scope="BASE", controls=controls), None)


def _first(entry: Entry | None, name: str) -> str:
    return next(iter(entry.texts(name)), "") if entry else ""


def _skew(root: Entry) -> float | None:
    """Return how many seconds the clock of the server is from this host's."""
    text = _first(root, "currentTime")[:14]
    if not text:
        return None
    there = datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=timezone.utc)
    return abs((datetime.now(timezone.utc) - there).total_seconds())


def attribute_guids(session: Session, schema_dn: str, names: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return, by attribute in lower case, the GUIDs by which an entry may name it: its own and its property set's.

    Raises:
        DirectoryError: the schema could not be read.
    """
    found: dict[str, frozenset[str]] = {}
    terms = [f"(lDAPDisplayName={escaped_text(name)})" for name in dict.fromkeys(names)]
    for part in any_of(terms):
        wanted = ("lDAPDisplayName", "schemaIDGUID", "attributeSecurityGUID")
        for entry in session.search(schema_dn, part, wanted, scope="LEVEL"):
            raw = (entry.first("schemaIDGUID"), entry.first("attributeSecurityGUID"))
            guids = frozenset(identity.guid_from_bytes(value) for value in raw if value is not None)
            found[_first(entry, "lDAPDisplayName").lower()] = guids
    return found


def _account_rows(root: Root) -> Iterator[Row]:
    """Tell whose rights are judged; an account of more than ordinary rights is a risk of its own."""
    if not root.token:
        yield Row("account", Status.UNKNOWN, "the server does not tell the SIDs of the account's token")
        return
    domain_admins = ("-512", "-519", "-518")
    high = [
        sid
        for sid in root.token
        if sid == "S-1-5-32-544" or (sid.startswith("S-1-5-21-") and sid.endswith(domain_admins))
    ]
    found = f"{root.token[0]}, {len(root.token) - 1} further SIDs in its token"
    yield judged(
        "account",
        not high,
        f"{found}; it is an administrator: {', '.join(high)}" if high else found,
        "Use an account that has rights on the managed containers only (role gpad_delegate).",
        Status.WARNING,
    )


def _catalog_rows(session: Session, root: Root, wanted: Wanted) -> Iterator[Row]:
    domains = sum(
        1
        for _entry in session.search(
            f"CN=Partitions,{root.configuration}",
            # crossRef.systemFlags bit FLAG_CR_NTDS_DOMAIN (MS-ADTS 6.1.1.2.1.1).
            "(&(objectClass=crossRef)(systemFlags:1.2.840.113556.1.4.803:=2))",
            ("cn",),
            scope="LEVEL",
        )
    )
    if wanted.catalog is None and not domains:
        yield Row("global catalog", Status.UNKNOWN, "none is given; the domains of the forest cannot be seen")
        return
    if wanted.catalog is None:
        text = f"none is given; the forest has {domains} domain{'s' if domains != 1 else ''}"
        remedy = "Give global_catalog_server: without it, members in other domains are skipped."
        yield judged("global catalog", domains <= 1, text, remedy, Status.WARNING)
        return
    try:
        catalog = wanted.catalog()
    except GpadError as error:
        yield of_error("global catalog", error, Status.FAILED)
        return
    try:
        found = _base(catalog, "", ("isGlobalCatalogReady", "dnsHostName"))
    finally:
        catalog.close()
    ready = _first(found, "isGlobalCatalogReady") == "TRUE"
    text = f"{_first(found, 'dnsHostName')}, {'ready' if ready else 'not ready'}"
    yield judged("global catalog", ready, text, "Name another global catalog, or wait until it is ready.")
