# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Active Directory as the plan reads it; fills the port DirectoryReader."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.filters import (
    any_of,
    escaped_text,
    guid_term,
    sid_term,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.schema import read_schema
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    EXTENDED_DN_CONTROL,
    SHOW_DELETED_CONTROL,
    Entry,
    Session,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    DirectoryError,
    IncompleteReadError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.mapping import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    DirectoryGroup,
    DomainInfo,
    Link,
    LinkFacts,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.naming import Occupied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Anchored
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.schema import AttributeSchema

_READ_TRIES = 3
_OWN_ATTRIBUTES = (ANCHOR, "adminDescription", "groupType", "sAMAccountName", "isCriticalSystemObject", "adminCount")
_RANGE = re.compile(r"member;range=(\d+)-(\d+|\*)\Z")
_EXTENDED = re.compile(r"<GUID=([0-9a-fA-F-]{36})>;(?:<SID=(S-[0-9-]+)>;)?(.*)\Z", re.DOTALL)
# crossRef.systemFlags bit FLAG_CR_NTDS_DOMAIN (MS-ADTS 6.1.1.2.1.1).
_DOMAIN_PARTITIONS = "(&(objectClass=crossRef)(systemFlags:1.2.840.113556.1.4.803:=2))"


class Reader:
    """Reads one domain through one session.

    Parameters:
        session: a bound connection.
        managed_containers: DNs of the containers whose groups are managed.
        attributes: LDAP names of the attributes that the mappings write.

    Raises:
        DirectoryError: the server is not a usable domain controller, or a container or the schema lacks something.
    """

    def __init__(self, session: Session, managed_containers: Sequence[str], attributes: Iterable[str]) -> None:
        self._session = session
        self._managed = tuple(dn.key(name) for name in managed_containers)
        self._attributes = tuple(dict.fromkeys((*_OWN_ATTRIBUTES, *attributes)))
        self.domain = self._read_domain()
        self._check_schema()
        there = self.containers(managed_containers)
        missing = [name for name in managed_containers if name not in there]
        if missing:
            raise DirectoryError(
                f"managed_containers: {missing[0]} does not exist on {self.domain.server}.",
                "Create it, or correct the name.",
                code="managed_container_missing",
            )

    def _read_domain(self) -> DomainInfo:
        wanted = ("defaultNamingContext", "configurationNamingContext", "schemaNamingContext", "dnsHostName")
        root = next(self._session.search("", "(objectClass=*)", wanted, scope="BASE"), None)
        if root is None or not all(root.texts(name) for name in wanted):
            raise DirectoryError(
                "The server is not an Active Directory domain controller.", "Check domain_server.", code="not_a_dc"
            )
        base, configuration, self._schema, server = (root.texts(name)[0] for name in wanted)
        for container in self._managed:
            if not dn.is_under(container, base):
                raise DirectoryError(
                    f"managed_containers: {dn.text(container)} is not in {base}, the domain of {server}.",
                    "Give the containers of the domain that domain_server serves.",
                    code="managed_container_elsewhere",
                )
        domain = next(self._session.search(base, "(objectClass=*)", ("objectSid",), scope="BASE"), None)
        sid = domain.first("objectSid") if domain else None
        if sid is None:
            raise DirectoryError(f"The SID of {base} cannot be read.", "Check the account's rights.", code="not_a_dc")
        forest: dict[str, str] = {}
        partitions = self._session.search(
            f"CN=Partitions,{configuration}",
            _DOMAIN_PARTITIONS,
            ("nCName", "dnsRoot"),
            scope="LEVEL",
            controls=(EXTENDED_DN_CONTROL,),
        )
        for partition in partitions:
            for name in partition.texts("nCName"):
                match = _EXTENDED.match(name)
                if match and match[2]:
                    forest[match[2]] = dn.domain_dns_name(match[3])
        text_sid = identity.sid_from_bytes(sid)
        forest[text_sid] = dn.domain_dns_name(base)
        return DomainInfo(base, text_sid, forest, server)

    def _check_schema(self) -> None:
        found = self._session.search(self._schema, f"(lDAPDisplayName={ANCHOR})", (), scope="LEVEL")
        if next(found, None) is None:
            raise DirectoryError(
                f"The schema has no attribute {ANCHOR}.",
                "Extend the schema to Windows Server 2016 or later (adprep /forestprep).",
                code="schema_too_old",
            )

    def _is_managed(self, name: str) -> bool:
        return any(dn.is_under(name, container) for container in self._managed)

    def _group(self, entry: Entry) -> DirectoryGroup | None:
        """Return the group of an entry, or None for what is no group inside the managed containers."""
        guid, sid = entry.first("objectGUID"), entry.first("objectSid")
        if guid is None or sid is None or "group" not in entry.texts("objectClass") or not self._is_managed(entry.dn):
            return None
        values = {name: entry.texts(name) for name in self._attributes}
        return DirectoryGroup(identity.guid_from_bytes(guid), identity.sid_from_bytes(sid), entry.dn, values)

    def _find(self, ldap_filter: str) -> Iterator[Entry]:
        wanted = ("objectClass", "objectGUID", "objectSid", *self._attributes)
        return self._session.search(self.domain.dn, ldap_filter, wanted)

    def anchored(self) -> Anchored:
        """Return every object of the domain with a group anchor, sorted by DN."""
        groups: list[DirectoryGroup] = []
        elsewhere: list[tuple[str, str]] = []
        for entry in self._find(f"({ANCHOR}={identity.GROUP_ANCHOR_PREFIX}*)"):
            group = self._group(entry)
            if group is not None:
                groups.append(group)
            else:
                elsewhere.append((entry.dn, entry.texts(ANCHOR)[0]))
        return Anchored(tuple(sorted(groups, key=lambda group: group.dn)), tuple(sorted(elsewhere)))

    def groups(
        self, guids: Collection[str], sids: Collection[str], anchors: Collection[str] = ()
    ) -> tuple[DirectoryGroup, ...]:
        """Return the groups inside the managed containers that have one of these GUIDs, SIDs or anchors."""
        terms = [guid_term(guid) for guid in guids] + [sid_term(sid) for sid in sids]
        terms += [f"({ANCHOR}={escaped_text(anchor)})" for anchor in anchors]
        entries = (entry for part in any_of(terms) for entry in self._find(f"(&(objectClass=group){part})"))
        found = {group.guid: group for group in map(self._group, entries) if group is not None}
        return tuple(found.values())

    def deleted(self, anchors: Collection[str]) -> Mapping[str, str] | None:
        """Return the anchors that deleted objects carry, each with the DN of one of them; None when they are hidden."""
        if not sees_deleted(self._session, self.domain.dn):
            return None
        found: dict[str, str] = {}
        for part in any_of([f"({ANCHOR}={escaped_text(anchor)})" for anchor in anchors]):
            for entry in self._session.search(
                self.domain.dn,
                f"(&(isDeleted=TRUE)(objectClass=group){part})",
                (ANCHOR,),
                controls=(SHOW_DELETED_CONTROL,),
            ):
                for anchor in entry.texts(ANCHOR):
                    cloud_id = identity.cloud_id_of(anchor)
                    if cloud_id:
                        found[identity.anchor_of(cloud_id)] = entry.dn
        return found

    def containers(self, names: Collection[str]) -> frozenset[str]:
        """Return which of these containers exist."""
        return frozenset(
            name
            for name in names
            if any(True for _unused in self._session.search(name, "(objectClass=*)", (), scope="BASE"))
        )

    def schema(self, names: Collection[str]) -> Mapping[str, AttributeSchema]:
        """Return what the schema says of these attributes, by name in lower case; unknown ones are absent."""
        return read_schema(self._session, self._schema, names)

    def taken(self, attribute: str, values: Collection[str]) -> frozenset[str]:
        """Return which values, among these and their spellings, objects of the domain have in an attribute."""
        found: set[str] = set()
        for part in any_of([f"({attribute}={escaped_text(value)})" for value in sorted(values)]):
            for entry in self._session.search(self.domain.dn, part, (attribute,)):
                found.update(entry.texts(attribute))
        return frozenset(found)

    def occupied(self, cns: Collection[str], sams: Collection[str]) -> Occupied:
        """Return the DNs of objects with one of these relative names, and the accounts with one of these names."""
        dns: dict[dn.Dn, str] = {}
        accounts: dict[str, str] = {}
        terms = [f"(name={escaped_text(cn)})" for cn in sorted(cns)]
        terms += [f"(sAMAccountName={escaped_text(sam)})" for sam in sorted(sams)]
        for part in any_of(terms):
            for entry in self._session.search(self.domain.dn, part, ("objectGUID", "sAMAccountName")):
                guid = identity.guid_from_bytes(entry.first("objectGUID") or b"")
                dns[dn.key(entry.dn)] = guid
                for name in entry.texts("sAMAccountName"):
                    accounts[name.casefold()] = guid
        return Occupied(dns, accounts)

    def links(self, guids: Collection[str]) -> Iterator[tuple[str, tuple[Link, ...]]]:
        """Yield GUID and links of each of these groups that exists; the links of one are whole or an exception.

        Raises:
            IncompleteReadError: the links of a group could not be read to their end.
        """
        for part in any_of([guid_term(guid) for guid in guids]):
            for entry in self._session.search(
                self.domain.dn,
                f"(&(objectClass=group){part})",
                ("objectGUID", "uSNChanged", "member;range=0-*"),
                controls=(EXTENDED_DN_CONTROL,),
            ):
                guid = identity.guid_from_bytes(entry.first("objectGUID") or b"")
                values, last = _member_range(entry, 0)
                if last is not None:
                    values = self._read_on(guid)
                yield guid, tuple(map(_link, values))

    def _read_on(self, guid: str) -> list[bytes]:
        """Return all member values of a group that has more than one answer holds."""
        for _attempt in range(_READ_TRIES):
            values: list[bytes] = []
            low, usn = 0, None
            while True:
                search = self._session.search(
                    f"<GUID={guid}>",
                    "(objectClass=*)",
                    ("uSNChanged", f"member;range={low}-*"),
                    scope="BASE",
                    controls=(EXTENDED_DN_CONTROL,),
                )
                entry = next(search, None)
                if entry is None:
                    raise IncompleteReadError(f"The group {guid} went away while its members were read.", "Run again.")
                usn = usn or entry.first("uSNChanged")
                if entry.first("uSNChanged") != usn:
                    break
                chunk, last = _member_range(entry, low)
                values += chunk
                if last is None:
                    return values
                low = last + 1
        raise IncompleteReadError(
            f"The members of the group {guid} change faster than they can be read.", "Run again later."
        )

    def resolve(self, sids: Collection[str]) -> Mapping[str, Link]:
        """Return the accounts of the domain with these SIDs."""
        found: dict[str, Link] = {}
        for part in any_of([sid_term(sid) for sid in sorted(sids)]):
            for entry in self._session.search(
                self.domain.dn, f"(&(objectClass=user){part})", ("objectGUID", "objectSid")
            ):
                guid, raw = entry.first("objectGUID"), entry.first("objectSid")
                if guid is not None and raw is not None:
                    sid = identity.sid_from_bytes(raw)
                    found[sid] = Link(identity.guid_from_bytes(guid), sid, entry.dn)
        return found

    def facts(self, guids: Collection[str]) -> Mapping[str, LinkFacts]:
        """Return what the directory says of these objects."""
        found: dict[str, LinkFacts] = {}
        for part in any_of([guid_term(guid) for guid in sorted(set(guids))]):
            for entry in self._session.search(
                self.domain.dn, part, ("objectGUID", "objectClass", "sIDHistory", ANCHOR)
            ):
                guid = entry.first("objectGUID")
                if guid is not None:
                    history = entry.attributes.get("sidhistory", ())
                    found[identity.guid_from_bytes(guid)] = LinkFacts(
                        entry.texts("objectClass")[-1],
                        tuple(map(identity.sid_from_bytes, history)),
                        next(iter(entry.texts(ANCHOR)), None),
                    )
        return found


def sees_deleted(session: Session, domain_dn: str) -> bool:
    """Return whether the account may look into the container of deleted objects, which by default few may."""
    # The well-known GUID of Deleted Objects (MS-ADTS 6.1.1.4).
    base = f"<WKGUID=18e2ea80684f11d2b9aa00c04f79f805,{domain_dn}>"
    search = session.search(base, "(objectClass=*)", ("objectClass",), scope="BASE", controls=(SHOW_DELETED_CONTROL,))
    entry = next(search, None)
    # Without the right to read, Samba still shows that the container is there.
    return entry is not None and bool(entry.texts("objectClass"))


def _member_range(entry: Entry, low: int) -> tuple[list[bytes], int | None]:
    """Return the member values of one answer and the last index it holds, None when it holds the end.

    Asked with a range option, an honest server answers with one range that starts where it was asked to, or with no
    value at all; anything else is a short reading in disguise.

    Raises:
        IncompleteReadError: the answer is not such a range.
    """
    hits = [(name, match) for name in entry.attributes if (match := _RANGE.match(name))]
    if not hits and not entry.attributes.get("member") and low == 0:
        return [], None
    name, match = hits[0] if len(hits) == 1 else ("", None)
    values = list(entry.attributes.get(name, ()))
    if match is None or int(match[1]) != low or not values:
        raise IncompleteReadError(
            f"The members of {entry.dn} came in an answer that is not a whole range.", "Run again."
        )
    if match[2] == "*":
        return values, None
    last = int(match[2])
    if last - low + 1 != len(values):
        raise IncompleteReadError(f"A range of members of {entry.dn} has gaps.", "Run again.")
    return values, last


def _link(value: bytes) -> Link:
    text = value.decode("utf-8", "replace")
    match = _EXTENDED.match(text)
    if match is None:
        raise IncompleteReadError(f"The server ignored the extended-DN control: {text!r}.", "Use another DC.")
    return Link(match[1].lower(), match[2], match[3])
