# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the proxy asks the domain controller on its own account, so that its rules can decide."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from . import names, wire
from .config import Domain
from .rules import Fact, Limits
from .upstream import BASE, EXTENDED_DN, SHOW_DELETED, SUBTREE, Upstream, UpstreamError, encoded_filter

_ATTRIBUTES = ("objectGUID", "objectSid", "objectClass", "groupType", "isCriticalSystemObject", "isDeleted")
_TERMS = 100
_IN_CHARACTERS = ("2.5.5.3", "2.5.5.4", "2.5.5.5", "2.5.5.12")
_IN_BYTES = ("2.5.5.10",)
_DELETED = (wire.Control(SHOW_DELETED, True),)


class Facts:
    """One domain as its administrator sees it."""

    def __init__(self, domain: Domain) -> None:
        self.domain = domain
        self._limits: dict[str, Limits | None] = {}
        # No account becomes a group, so that what is no group may be remembered.
        self._accounts: dict[str, Fact] = {}
        self._client: Upstream | None = None
        self._lock = asyncio.Lock()

    async def client(self) -> Upstream:
        """Return a connection of the administrator."""
        async with self._lock:
            if self._client is None or self._client.closed:
                self._client = Upstream(self.domain.directory)
                await self._client.open()
                await self._client.bind(self.domain.administrator, self.domain.administrator_password)
        return self._client

    async def resolve(self, texts: Iterable[str]) -> Mapping[str, Fact]:
        """Map each name that leads to an object of the domain to what is known of it."""
        wanted = dict.fromkeys(texts)
        found = {text: fact for text in wanted if (fact := self._accounts.get(text))}
        parsed = {text: names.name_of(text) for text in wanted if text not in found}
        by_dn = [text for text, name in parsed.items() if name.dn is not None]
        by_identifier = {name.filter(): text for text, name in parsed.items() if name.dn is None}
        filters = list(by_identifier)
        parts = [filters[start : start + _TERMS] for start in range(0, len(filters), _TERMS)]
        client = await self.client()
        searches = [client.search(self.domain.base_dn, f"(|{''.join(part)})", _ATTRIBUTES) for part in parts]
        for entries in await asyncio.gather(*searches):
            for fact in map(self._fact, entries):
                keys = (names.Name(guid=fact.guid), names.Name(sid=fact.sid) if fact.sid else None)
                found |= {text: fact for key in keys if key and (text := by_identifier.get(key.filter()))}
        for text, one in zip(by_dn, await asyncio.gather(*map(self.one, by_dn)), strict=True):
            if one is not None:
                found[text] = one
        self._accounts |= {text: fact for text, fact in found.items() if fact.group_type is None and text in parsed}
        return found

    async def one(self, text: str, *, deleted: bool = False) -> Fact | None:
        """Return what is known of an object of this domain."""
        client = await self.client()
        try:
            entries = await client.search(
                text, "(objectClass=*)", _ATTRIBUTES, BASE, controls=_DELETED if deleted else ()
            )
        except UpstreamError:
            # A name that is none: the controller refuses it in its own words.
            return None
        fact = self._fact(entries[0]) if entries else None
        return fact if fact and names.is_under(fact.dn, self.domain.base_dn) else None

    async def members_by_scope(self, group: Fact) -> Sequence[Fact]:
        """Return the groups and foreign principals that a group holds: the members that its scope may forbid."""
        classes = "(|(objectClass=group)(objectClass=foreignSecurityPrincipal))"
        return await self._related(f"(&{classes}(memberOf=<GUID={group.guid}>))")

    async def holders(self, group: Fact) -> Sequence[Fact]:
        """Return the groups that hold a group."""
        return await self._related(f"(&(objectClass=group)(member=<GUID={group.guid}>))")

    async def is_primary(self, group: Fact) -> bool:
        """Tell whether a group is somebody's primary group."""
        relative = (group.sid or "").rpartition("-")[2]
        client = await self.client()
        return bool(relative and await client.search(self.domain.base_dn, f"(primaryGroupID={relative})", ("1.1",)))

    async def member_guids(self, group: str) -> frozenset[str]:
        """Return the GUIDs of all members of a group."""
        client = await self.client()
        entries = await client.search(group, "(objectClass=*)", ("member",), BASE, controls=(EXTENDED_DN,))
        values = entries[0].values("member") if entries else ()
        return frozenset(name.guid for value in values if (name := names.name_of(value.decode())).guid)

    async def remove_members(self, group: str, amount: int) -> None:
        """Take the first members out of a group."""
        client = await self.client()
        entries = await client.search(group, "(objectClass=*)", (f"member;range=0-{amount - 1}",), BASE)
        values = tuple(value for _name, values in entries[0].attributes for value in values) if entries else ()
        if values:
            await client.modify(wire.Modify(group, (wire.Change(wire.DELETE, "member", values),)))

    async def limits(self, attribute: str) -> Limits | None:
        """Return the lengths that the schema allows for an attribute; None where it sets none."""
        key = attribute.partition(";")[0].lower()
        if key not in self._limits:
            client = await self.client()
            entries = await client.search(
                self.domain.schema_dn,
                f"(lDAPDisplayName={key})",
                ("rangeLower", "rangeUpper", "attributeSyntax"),
            )
            self._limits[key] = _limits(entries[0]) if entries else None
        return self._limits[key]

    async def partial_attributes(self) -> frozenset[str]:
        """Return the names, in lower case, of the attributes that a global catalog holds."""
        client = await self.client()
        entries = await client.search(
            self.domain.schema_dn, "(isMemberOfPartialAttributeSet=TRUE)", ("lDAPDisplayName",)
        )
        return frozenset((entry.text("lDAPDisplayName") or "").lower() for entry in entries)

    async def _related(self, text: str) -> Sequence[Fact]:
        client = await self.client()
        entries = await client.search(self.domain.base_dn, encoded_filter(text), _ATTRIBUTES, SUBTREE)
        return [self._fact(entry) for entry in entries]

    def _fact(self, entry: wire.Entry) -> Fact:
        sid, group_type = entry.values("objectSid"), entry.text("groupType")
        return Fact(
            dn=entry.dn,
            guid=names.guid_text(entry.values("objectGUID")[0]),
            sid=names.sid_text(sid[0]) if sid else None,
            object_class=entry.values("objectClass")[-1].decode(),
            group_type=int(group_type) & 0xFFFFFFFF if group_type else None,
            domain=self.domain.name,
            critical=entry.text("isCriticalSystemObject") == "TRUE",
            deleted=entry.text("isDeleted") == "TRUE",
        )


def _limits(entry: wire.Entry) -> Limits | None:
    syntax = entry.text("attributeSyntax")
    lower, upper = entry.text("rangeLower"), entry.text("rangeUpper")
    if upper is None or syntax not in (*_IN_CHARACTERS, *_IN_BYTES):
        return None
    return Limits(int(lower or 0), int(upper), syntax in _IN_CHARACTERS)
