# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Groups inside groups: what guards the domain, and what stands around a group."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.catalog import Catalog
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.filters import (
    any_of,
    escaped_text,
    guid_term,
    sid_term,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.ranges import (
    Searcher,
    all_values,
    extended,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    EXTENDED_DN_CONTROL,
    Entry,
    Session,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import IncompleteReadError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import DomainInfo, Nesting

# DNs are long and each is looked up in the table of links: fewer terms than of GUIDs.
_GROUPS_AT_ONCE = 100
# Windows gives out relative identifiers below 1000 from 498 on, and none above this (MS-ADTS 6.1.1.6).
_SYSTEM_RIDS = range(498, 600)
_GUARDS = (
    "(isCriticalSystemObject=TRUE)",
    "(adminCount=1)",
    "(groupType:1.2.840.113556.1.4.803:=1)",
    "(sAMAccountName=DnsAdmins)",
)


# Who is asked, and the base that holds all it has.
_Place: TypeAlias = "tuple[Searcher, str]"


def _guid(entry: Entry) -> str:
    return identity.guid_from_bytes(entry.first("objectGUID") or b"")


def _inside(searcher: Searcher, base: str, names: Sequence[str], wanted: Sequence[str]) -> Iterator[Entry]:
    """Yield the groups that are members of one of these."""
    terms = [f"(memberOf={escaped_text(name)})" for name in names]
    for part in any_of(terms, _GROUPS_AT_ONCE):
        yield from searcher.search(base, f"(&(objectClass=group){part})", wanted, controls=(EXTENDED_DN_CONTROL,))


class Groups:
    """Follows groups through groups.

    Parameters:
        session: a bound connection.
        info: its domain.
        catalog: the global catalog, or None. It tells of the universal groups of other domains, no others.
    """

    def __init__(self, session: Session, info: DomainInfo, catalog: Catalog | None) -> None:
        self._info = info
        self._here: _Place = (session, info.dn)
        self._forest: _Place | None = (catalog, "") if catalog is not None else None
        self._protected: dict[frozenset[str], frozenset[str]] = {}
        self._places: list[_Place] = [self._here] if self._forest is None else [self._here, self._forest]

    def protected(self, names: Collection[str]) -> frozenset[str]:
        """Return the objectGUIDs of the groups that guard the domain or have these names, and of all inside them.

        Breadth first, a search for each level and hundred parents; a group that was met is not followed again. Read
        once: what is asked again is answered from memory.

        Parameters:
            names: sAMAccountNames in the domain, SIDs or DNs, folded.
        """
        asked = frozenset(names)
        if asked in self._protected:
            return self._protected[asked]
        level = dict(self._roots(names))
        found = set(level)
        while level:
            level = {guid: name for guid, name in self._level(tuple(level.values())) if guid not in found}
            found.update(level)
        self._protected[asked] = frozenset(found)
        return self._protected[asked]

    def _roots(self, names: Collection[str]) -> Iterator[tuple[str, str]]:
        sids = [name.upper() for name in names if identity.is_sid(name)]
        dns = [name for name in names if dn.is_dn(name)]
        sams = [name for name in names if not identity.is_sid(name) and not dn.is_dn(name)]
        anywhere = [*_GUARDS, *map(sid_term, sids), *(f"(distinguishedName={escaped_text(name)})" for name in dns)]
        own = [*anywhere, *_system_accounts(self._info.sid), *(f"(sAMAccountName={escaped_text(sam)})" for sam in sams)]
        yield from self._named(self._here, own)
        if self._forest:
            others = [term for sid in self._info.forest if sid != self._info.sid for term in _system_accounts(sid)]
            yield from self._named(self._forest, [*anywhere, *others])

    @staticmethod
    def _named(place: _Place, terms: Sequence[str]) -> Iterator[tuple[str, str]]:
        searcher, base = place
        for part in any_of(terms):
            for entry in searcher.search(base, f"(&(objectClass=group){part})", ("objectGUID",)):
                yield _guid(entry), entry.dn

    def _level(self, parents: Sequence[str]) -> Iterator[tuple[str, str]]:
        own = self._info.forest[self._info.sid]
        for place in self._places:
            searcher, base = place
            known = [name for name in parents if place is not self._here or dn.domain_dns_name(name) == own]
            for entry in _inside(searcher, base, known, ("objectGUID",)):
                yield _guid(entry), _plain(entry.dn)

    def around(self, guids: Collection[str]) -> dict[str, Nesting]:
        """Return what stands around these groups.

        Raises:
            DirectoryError: a search did not reach its end.
            IncompleteReadError: the parents of a group could not be read to their end.
        """
        members: dict[str, dict[str, tuple[str, int]]] = {}
        parents: dict[str, dict[str, tuple[str, int]]] = {}
        for searcher, base in self._places:
            asked = {guid: (name, above) for guid, name, above in _groups(searcher, base, guids)}
            types = _types(searcher, base, {guid for _name, above in asked.values() for guid in above})
            for guid, (_name, above) in asked.items():
                members.setdefault(guid, {})
                held = {parent: types[parent] for parent in above if parent in types}
                parents.setdefault(guid, {}).update(held)
            names = [name for name, _above in asked.values()]
            for entry in _inside(searcher, base, names, ("objectGUID", "groupType", "memberOf;range=0-*")):
                for parent in _parents(searcher, entry):
                    if parent in asked:
                        members[parent][_guid(entry)] = (_plain(entry.dn), _type(entry))
        return {guid: Nesting(_sorted(members[guid].values()), _sorted(parents[guid].values())) for guid in members}


def _system_accounts(domain_sid: str) -> list[str]:
    return [sid_term(f"{domain_sid}-{rid}") for rid in _SYSTEM_RIDS]


def _plain(name: str) -> str:
    parts = extended(name)
    return parts[2] if parts else name


def _type(entry: Entry) -> int:
    return int(entry.first("groupType") or 0)


def _sorted(items: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(items))


def _groups(searcher: Searcher, base: str, guids: Collection[str]) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield GUID, DN and the GUIDs of the parents of these groups."""
    for part in any_of([guid_term(guid) for guid in dict.fromkeys(guids)]):
        wanted = ("objectGUID", "memberOf;range=0-*")
        for entry in searcher.search(base, f"(&(objectClass=group){part})", wanted, controls=(EXTENDED_DN_CONTROL,)):
            yield _guid(entry), _plain(entry.dn), _parents(searcher, entry)


def _parents(searcher: Searcher, entry: Entry) -> frozenset[str]:
    found = set()
    for value in all_values(searcher, _guid(entry), entry, "memberOf", (EXTENDED_DN_CONTROL,)):
        parts = extended(value.decode("utf-8", "replace"))
        if parts is None:
            raise IncompleteReadError("The server ignored the extended-DN control.", "Use another DC.")
        found.add(parts[0])
    return frozenset(found)


def _types(searcher: Searcher, base: str, guids: Collection[str]) -> Mapping[str, tuple[str, int]]:
    """Return DN and groupType of these groups."""
    found: dict[str, tuple[str, int]] = {}
    for part in any_of([guid_term(guid) for guid in sorted(guids)]):
        for entry in searcher.search(base, part, ("objectGUID", "groupType")):
            found[_guid(entry)] = (entry.dn, _type(entry))
    return found
