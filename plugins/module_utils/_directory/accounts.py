# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Accounts and other linked objects, looked up in the domain and, beyond it, in the global catalog."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.catalog import Catalog
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.domain import Domain
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.filters import (
    any_of,
    escaped_text,
    guid_term,
    sid_term,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.ranges import Searcher
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reading_ahead import ReadAhead
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Entry, Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import Account, Link, LinkFacts

_CONSISTENCY_GUID = "mS-DS-ConsistencyGuid"
_ACCOUNT = ("objectGUID", "objectSid", "sAMAccountName", "primaryGroupID")
_FACTS = ("objectGUID", "objectSid", "objectClass", "sIDHistory", ANCHOR, "msDS-DeviceID", "cn")
_DEVICE = "msDS-Device"


class Accounts:
    """Looks up accounts.

    Parameters:
        session: a bound connection.
        domain: its domain.
        catalog: the global catalog, or None.
        ahead: reads the domain over the session, and over another one where there is much to look up.
    """

    def __init__(self, session: Session, domain: Domain, catalog: Catalog | None, ahead: ReadAhead) -> None:
        self._session = session
        self._domain = domain
        self._ahead = ahead
        self._catalog = catalog
        self._places: list[tuple[Searcher, str]] = [(session, domain.info.dn)]
        if catalog is not None:
            self._places.append((catalog, ""))

    def _search(self, place: int, condition: str, terms: Sequence[str], wanted: Sequence[str]) -> Iterator[Entry]:
        searcher, base = self._places[place]
        filters = [f"(&{condition}{part})" if condition else part for part in any_of(terms)]
        if place > 0:
            for one in filters:
                yield from searcher.search(base, one, wanted)
            return
        for wait in [self._ahead.begin(partial(_found, base, one, wanted)) for one in filters]:
            yield from wait()

    def resolve(self, sids: Collection[str]) -> dict[str, Account]:
        """Return the accounts with these SIDs, those of other domains of the forest from the global catalog."""
        info = self._domain.info
        found: dict[str, Account] = {}
        for place in range(len(self._places)):
            here = [
                sid
                for sid in sorted(sids)
                if (identity.domain_of(sid) == info.sid) is (place == 0) and identity.domain_of(sid) in info.forest
            ]
            for entry in self._search(place, "(objectClass=user)", [sid_term(sid) for sid in here], _ACCOUNT):
                account = _account(entry, from_catalog=place > 0)
                if account is not None and account.link.sid is not None:
                    found[account.link.sid] = account
        return found

    def anchored(self, guids: Collection[str]) -> dict[str, tuple[Account, ...]]:
        """Return the accounts whose mS-DS-ConsistencyGuid is one of these, else those whose objectGUID is.

        A copy that a migration left behind may have the same value, so that there may be several. The global catalog
        of Windows does not hold mS-DS-ConsistencyGuid unless the schema was changed: accounts of other domains are
        then found by objectGUID alone.
        """
        wanted = dict.fromkeys(guid.lower() for guid in guids)
        found = self._by_guid(_CONSISTENCY_GUID, wanted)
        found |= self._by_guid("objectGUID", [guid for guid in wanted if guid not in found])
        return {guid: tuple(accounts.values()) for guid, accounts in found.items()}

    def _by_guid(self, attribute: str, guids: Collection[str]) -> dict[str, dict[str, Account]]:
        terms = [guid_term(guid, attribute) for guid in guids]
        found: dict[str, dict[str, Account]] = {}
        for place in range(len(self._places)):
            for entry in self._search(
                place, "(objectCategory=person)(objectClass=user)", terms, (*_ACCOUNT, _CONSISTENCY_GUID)
            ):
                account, raw = _account(entry, from_catalog=place > 0), entry.first(attribute)
                if account is not None and raw is not None and len(raw) == 16:
                    found.setdefault(identity.guid_from_bytes(raw), {}).setdefault(account.link.guid, account)
        return found

    def facts(self, guids: Collection[str]) -> dict[str, LinkFacts]:
        """Return what the directory says of these objects; what the domain does not hold, the catalog is asked for."""
        found: dict[str, LinkFacts] = {}
        for place in range(len(self._places)):
            terms = [guid_term(guid) for guid in sorted(set(guids) - found.keys())]
            for entry in self._search(place, "", terms, _FACTS):
                guid = entry.first("objectGUID")
                if guid is not None:
                    found[identity.guid_from_bytes(guid)] = _facts(entry)
        return found

    def logged_on(self) -> str | None:
        """Return the SID of the session's own account, or None where the name does not tell for sure which one it is.

        It may be given as DN, as user principal name or as DOMAIN\\name (MS-ADTS 5.1.1.1.1).
        """
        name = self._session.username
        base = self._domain.info.dn
        if dn.is_dn(name):
            return _only_sid(self._session.search(name, "(objectClass=*)", ("objectSid",), scope="BASE"))
        domain, _separator, sam = name.rpartition("\\")
        if sam != name:
            same = domain.upper() == self._domain.netbios_name
            return self._sid_of(f"(sAMAccountName={escaped_text(sam)})") if same else None
        found = self._sid_of(f"(userPrincipalName={escaped_text(name)})")
        sam, _at, suffix = name.rpartition("@")
        if found is None and suffix.lower() == dn.domain_dns_name(base):
            # Each account has this name, too, whatever its userPrincipalName is.
            return self._sid_of(f"(sAMAccountName={escaped_text(sam)})")
        return found

    def _sid_of(self, term: str) -> str | None:
        wanted = ("objectSid",)
        return _only_sid(self._session.search(self._domain.info.dn, f"(&(objectClass=user){term})", wanted))


def _found(base: str, ldap_filter: str, wanted: Sequence[str], session: Session) -> list[Entry]:
    return list(session.search(base, ldap_filter, wanted))


def _only_sid(entries: Iterator[Entry]) -> str | None:
    sids = [raw for entry in entries if (raw := entry.first("objectSid")) is not None]
    return identity.sid_from_bytes(sids[0]) if len(sids) == 1 else None


def _account(entry: Entry, *, from_catalog: bool) -> Account | None:
    guid, sid = entry.first("objectGUID"), entry.first("objectSid")
    if guid is None or sid is None:
        return None
    primary = entry.texts("primaryGroupID")
    return Account(
        Link(identity.guid_from_bytes(guid), identity.sid_from_bytes(sid), entry.dn),
        "".join(entry.texts("sAMAccountName")),
        dn.domain_dns_name(entry.dn),
        int(primary[0]) if primary and not from_catalog else None,
    )


def _facts(entry: Entry) -> LinkFacts:
    object_class = next(iter(entry.texts("objectClass")[-1:]), "")
    sid = entry.first("objectSid")
    return LinkFacts(
        object_class,
        tuple(map(identity.sid_from_bytes, entry.attributes.get("sidhistory", ()))),
        next(iter(entry.texts(ANCHOR)), None),
        _device_id(entry) if object_class == _DEVICE else None,
        entry.dn,
        identity.sid_from_bytes(sid) if sid is not None else None,
    )


def _device_id(entry: Entry) -> str | None:
    raw = entry.first("msDS-DeviceID")
    if raw is not None and len(raw) == 16:
        return identity.guid_from_bytes(raw)
    return identity.guid_text("".join(entry.texts("cn")))
