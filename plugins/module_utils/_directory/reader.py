# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Active Directory as the plan reads it; fills the port DirectoryReader."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import chain

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.accounts import Accounts
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.authority_facts import (
    read_authority_facts,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.catalog import Catalog
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.changed import read_changed
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.deleted import find_deleted, sees_deleted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.domain import read_domain
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.filters import (
    any_of,
    escaped_text,
    guid_term,
    sid_term,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.links import LinkReader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.nesting import Groups
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reading_ahead import ReadAhead
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.schema import read_schema
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.security import read_security
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Entry, Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.directory_facts import GroupFacts
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.enforcement import MARK
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    Account,
    DeletedGroup,
    DirectoryGroup,
    DomainInfo,
    HeldLinks,
    LinkFacts,
    Nesting,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.naming import Occupied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Anchored, ChangedObjects
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.rights import SecurityDescriptor
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.schema import AttributeSchema

# Batches of links that are read while one is looked at.
_BATCHES_AHEAD = 2

_OWN_ATTRIBUTES = (
    ANCHOR,
    "adminDescription",
    "groupType",
    "sAMAccountName",
    "isCriticalSystemObject",
    "adminCount",
    "uSNChanged",
    MARK,
)


class Reader:
    """Reads one domain through one session, and the rest of the forest through a global catalog where there is one.

    Parameters:
        session: a bound connection.
        managed_containers: DNs of the containers whose groups are managed.
        attributes: LDAP names of the attributes that the mappings write.
        catalog: opens a connection to a global catalog; called when something is asked of it first. Its operations
            are counted with those of the session.

    Raises:
        DirectoryError: the server is not a usable domain controller, or a container or the schema lacks something.
    """

    def __init__(
        self,
        session: Session,
        managed_containers: Sequence[str],
        attributes: Iterable[str],
        catalog: Callable[[], Session] | None = None,
    ) -> None:
        self._session = session
        self._ahead = ReadAhead(session)
        self._managed = tuple(dn.key(name) for name in managed_containers)
        self._attributes = tuple(dict.fromkeys((*_OWN_ATTRIBUTES, *attributes)))
        self._catalog = Catalog(catalog, session.operations) if catalog is not None else None
        self._domain = read_domain(session, managed_containers, catalog=catalog is not None)
        self._accounts = Accounts(session, self._domain, self._catalog, self._ahead)
        self._groups = Groups(session, self._domain.info, self._catalog)
        there = self.containers(managed_containers)
        missing = [name for name in managed_containers if name not in there]
        if missing:
            raise DirectoryError(
                f"managed_containers: {missing[0]} does not exist on {self.domain.server}.",
                "Create it, or correct the name.",
                code="managed_container_missing",
            )

    @property
    def domain(self) -> DomainInfo:
        """The domain that is written to."""
        return self._domain.info

    def close(self) -> None:
        """End what was opened here: the second connection, that to the global catalog. The session is not."""
        self._ahead.close()
        if self._catalog is not None:
            self._catalog.close()

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

    def changed(self, since: int) -> ChangedObjects:
        """Return what changed after a sequence number of this domain controller."""
        found = read_changed(self._session, self.domain.dn, since)
        return found if self._sees_deleted else replace(found, doubt="the account does not see deleted objects")

    def anchor_holders(self) -> Mapping[str, frozenset[str]]:
        """Return the DNs of the objects that carry each anchor, by the object id in it.

        They are those of the forest where a global catalog answers, else those of the domain.
        """
        term, found = f"({ANCHOR}={identity.GROUP_ANCHOR_PREFIX}*)", dict[str, set[str]]()
        places: list[Iterator[Entry]] = [self._session.search(self.domain.dn, term, (ANCHOR,))]
        if self._catalog is not None:
            places.append(self._catalog.search("", term, (ANCHOR,)))
        for entry in chain(*places):
            cloud_id = identity.cloud_id_of("".join(entry.texts(ANCHOR)))
            if cloud_id is not None:
                found.setdefault(cloud_id, set()).add(entry.dn)
        return {cloud_id: frozenset(names) for cloud_id, names in found.items()}

    def groups(
        self, guids: Collection[str], sids: Collection[str], anchors: Collection[str] = ()
    ) -> tuple[DirectoryGroup, ...]:
        """Return the groups inside the managed containers that have one of these GUIDs, SIDs or anchors."""
        parts = any_of(_identity_terms(guids, sids, anchors))
        entries = (entry for part in parts for entry in self._find(f"(&(objectClass=group){part})"))
        found = {group.guid: group for group in map(self._group, entries) if group is not None}
        return tuple(found.values())

    @cached_property
    def _sees_deleted(self) -> bool:
        return sees_deleted(self._session, self.domain.dn)

    def deleted(
        self, anchors: Collection[str], sids: Collection[str] = (), guids: Collection[str] = ()
    ) -> tuple[DeletedGroup, ...] | None:
        """Return the deleted groups that have one of these anchors, SIDs or GUIDs; None when they are hidden."""
        if not self._sees_deleted:
            return None
        terms = _identity_terms(guids, sids, anchors)
        return find_deleted(self._session, self.domain.dn, terms, self._attributes)

    def security(self, guids: Collection[str], *, deleted: bool = False) -> Mapping[str, SecurityDescriptor]:
        """Return owner and access control list of these objects; one that cannot be read is absent."""
        return read_security(self._session, self.domain.dn, guids, deleted=deleted)

    @cached_property
    def _account_sid(self) -> str | None:
        return self._accounts.logged_on()

    def account_sid(self) -> str | None:
        """Return the SID of the account that is logged on, or None where it cannot be told."""
        return self._account_sid

    def protected(self, names: Collection[str]) -> frozenset[str]:
        """Return the objectGUIDs of the groups that guard the domain, and of all groups inside them at any depth."""
        return self._groups.protected(names)

    def nesting(self, guids: Collection[str]) -> Mapping[str, Nesting]:
        """Return what stands around these groups."""
        return self._groups.around(guids)

    def containers(self, names: Collection[str]) -> frozenset[str]:
        """Return which of these containers exist."""
        return frozenset(
            name
            for name in names
            if any(True for _unused in self._session.search(name, "(objectClass=*)", (), scope="BASE"))
        )

    def schema(self, names: Collection[str]) -> Mapping[str, AttributeSchema]:
        """Return what the schema says of these attributes, by name in lower case; unknown ones are absent."""
        return read_schema(self._session, self._domain.schema_dn, names)

    def authority_facts(
        self, names: Collection[str], protected: frozenset[str] = frozenset()
    ) -> tuple[GroupFacts, ...]:
        """Return what decides on the source of authority of these groups, wherever in the domain they are.

        Parameters:
            names: SIDs or DNs.
            protected: sAMAccountNames, SIDs or DNs that the administrator protects, folded.
        """
        guarded = self.protected(protected)
        return read_authority_facts(self._session, self.domain.dn, names, self._managed, guarded, protected)

    def taken(self, attribute: str, values: Collection[str]) -> frozenset[str]:
        """Return which of these values some object of the domain has in an attribute."""
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

    def links(self, guids: Collection[str]) -> Iterator[HeldLinks]:
        """Yield the links of each of these groups that exists; a group that could not be read whole says so."""
        return LinkReader(self._session, self.domain.dn).read(guids)

    def foresee_links(self) -> None:
        """Prepare to read the links of many groups, with what goes on beside anything else."""
        self._ahead.foresee()

    def links_ahead(self, batches: Iterable[Sequence[str]]) -> Iterator[Sequence[HeldLinks]]:
        """Yield the links of the groups of each batch, the next two being read meanwhile over two connections."""
        base = self.domain.dn

        def begin(guids: Sequence[str]) -> Callable[[], Sequence[HeldLinks]]:
            if not guids:
                return tuple
            return self._ahead.begin(lambda session: tuple(LinkReader(session, base).read(guids)))

        waiting: deque[Callable[[], Sequence[HeldLinks]]] = deque()
        for guids in batches:
            waiting.append(begin(guids))
            if len(waiting) > _BATCHES_AHEAD:
                yield waiting.popleft()()
        while waiting:
            yield waiting.popleft()()

    def resolve(self, sids: Collection[str]) -> Mapping[str, Account]:
        """Return the accounts with these SIDs, those of other domains from the global catalog where there is one."""
        return self._accounts.resolve(sids)

    def anchored_accounts(self, guids: Collection[str]) -> Mapping[str, tuple[Account, ...]]:
        """Return the accounts whose mS-DS-ConsistencyGuid, or else objectGUID, is one of these source anchors."""
        return self._accounts.anchored(guids)

    def facts(self, guids: Collection[str]) -> Mapping[str, LinkFacts]:
        """Return what the directory says of these objects, the global catalog included; unknown ones are absent."""
        return self._accounts.facts(guids)


def _identity_terms(guids: Iterable[str], sids: Iterable[str], anchors: Iterable[str]) -> list[str]:
    terms = [guid_term(guid) for guid in guids] + [sid_term(sid) for sid in sids]
    return terms + [f"({ANCHOR}={escaped_text(anchor)})" for anchor in anchors]
