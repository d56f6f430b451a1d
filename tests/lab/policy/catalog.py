# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The global catalog of a forest of several domains (MS-ADTS 3.1.1.1.9), asked of each domain's own controller."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from . import names, rules, searches, wire
from .facts import Facts
from .filters import NOTHING, defined, rewritten
from .forest import ForestView
from .upstream import SUBTREE, Upstream, both, either, encoded_filter

# Backlinks and the name itself stand in no schema flag, and are there.
_ALWAYS = frozenset({"memberof", "distinguishedname"})
_NEEDED = ("objectSid", "groupType")
_UNIVERSAL = "(groupType:1.2.840.113556.1.4.803:=8)"
_FOREIGN = "(objectClass=foreignSecurityPrincipal)"


class Catalog:
    """The catalog on the controller of one domain.

    Of groups of other domains it holds the members of universal ones only. What a reader account of each domain may
    read there is what a client sees.

    Parameters:
        own: the domain.
        forest: the forest as it sees it.
    """

    def __init__(self, own: Facts, forest: ForestView) -> None:
        self._own = own
        self._forest = forest
        self._partial: frozenset[str] = frozenset()
        self._readers: dict[str, Upstream] = {}

    async def search(self, search: wire.Search, controls: Sequence[wire.Control]) -> list[wire.Entry]:
        """Return the entries of a search in all domains that its base reaches."""
        self._partial = self._partial or await self._own.partial_attributes() | _ALWAYS
        found: list[wire.Entry] = []
        for facts in (self._own, *self._forest.peers):
            base = self._base_in(facts, search)
            if base is None:
                continue
            asked = defined(search.filter, self._partial)
            asked = await rewritten(asked, partial(self._term, facts))
            client = await self._reader(facts)
            wanted = self._wanted(search)
            for entry in await client.search(base, asked, wanted, search.scope, controls):
                shown = await self._shown(facts, search, entry, controls)
                if shown is not None:
                    found.append(shown)
        return found

    async def stored_link(self, attribute: str, value: bytes) -> bytes | None:
        """Return the term that finds a link to an object of another domain in the own one."""
        if attribute != "member":
            return None
        text = value.decode("utf-8", "replace")
        fact = (await self._forest.resolve([text])).get(text)
        if fact is None or fact.domain == self._own.domain.name or fact.sid is None:
            return None
        base = self._own.domain.base_dn
        return encoded_filter(f"(member=CN={fact.sid},CN=ForeignSecurityPrincipals,{base})")

    def _base_in(self, facts: Facts, search: wire.Search) -> str | None:
        """Return where in a domain a search begins."""
        base, root = search.base, facts.domain.base_dn
        if not base or (search.scope == SUBTREE and names.is_under(root, base)):
            return root
        if base.startswith("<"):
            return base
        inside = names.is_under(base, root) and self._forest.peer_of(base) is (None if facts is self._own else facts)
        return base if inside else None

    def _wanted(self, search: wire.Search) -> tuple[str, ...]:
        if "*" in search.attributes or not search.attributes:
            return ("*", *search.attributes)
        held = [name for name in search.attributes if name.partition(";")[0].lower() in self._partial]
        return (*held, *_NEEDED)

    async def _reader(self, facts: Facts) -> Upstream:
        domain = facts.domain
        client = self._readers.get(domain.name)
        if client is None or client.closed:
            client = Upstream(domain.directory)
            await client.open()
            await client.bind(domain.reader, domain.reader_password)
            self._readers[domain.name] = client
        return client

    async def _term(self, facts: Facts, attribute: str, value: bytes) -> bytes | None:
        """Return what a term on links means in one domain, where its value may be of another."""
        text = value.decode("utf-8", "replace")
        if facts is self._own:
            return await self.stored_link(attribute, value)
        if attribute == "member":
            stored = await Catalog(facts, self._forest.seen_by(facts)).stored_link(attribute, value)
            return both([stored or encoded_filter(f"(member={names.escaped(value)})"), encoded_filter(_UNIVERSAL)])
        if attribute != "memberof":
            return None
        group = await self._own.one(text)
        if group is None:
            there = await facts.one(text)
            universal = there is not None and rules.scope_of(there.group_type or 0) == rules.UNIVERSAL
            return None if universal else NOTHING
        # Links of the own domain's groups are all here, those to other domains as foreign principals.
        client = await self._own.client()
        inside = encoded_filter(f"(&{_FOREIGN}(memberOf=<GUID={group.guid}>))")
        entries = await client.search(self._own.domain.base_dn, inside, ("objectSid",))
        sids = [names.sid_text(entry.values("objectSid")[0]) for entry in entries]
        terms = [encoded_filter(f"(objectSid={sid})") for sid in sids]
        return either(terms) if terms else NOTHING

    async def _shown(
        self, facts: Facts, search: wire.Search, entry: wire.Entry, controls: Sequence[wire.Control]
    ) -> wire.Entry | None:
        sid, group_type = entry.values("objectSid"), entry.text("groupType")
        asked = {name.partition(";")[0].lower() for name in search.attributes}
        everything = "*" in asked or not asked
        universal = group_type is not None and rules.scope_of(int(group_type) & 0xFFFFFFFF) == rules.UNIVERSAL
        attributes = []
        for name, values in entry.attributes:
            plain = name.partition(";")[0].lower()
            if plain not in self._partial or not (everything or plain in asked):
                continue
            if plain == "member" and facts is not self._own and not universal:
                continue
            if plain == "memberof" and facts is not self._own:
                values = await self._universal_only(facts, values)
            if values:
                attributes.append((name, values))
        if facts is not self._own and "memberof" in asked and sid:
            attributes = await self._with_own_links(attributes, names.sid_text(sid[0]), controls)
        return await self._view_of(facts).shown(wire.Entry(entry.dn, tuple(attributes)))

    def _view_of(self, facts: Facts) -> ForestView:
        if facts is self._own:
            return self._forest
        return self._forest.seen_by(facts)

    async def _universal_only(self, facts: Facts, values: Sequence[bytes]) -> tuple[bytes, ...]:
        resolved = await facts.resolve(value.decode() for value in values)
        return tuple(
            value
            for value in values
            if (fact := resolved.get(value.decode())) and rules.scope_of(fact.group_type or 0) == rules.UNIVERSAL
        )

    async def _with_own_links(
        self, attributes: list[tuple[str, tuple[bytes, ...]]], sid: str, controls: Sequence[wire.Control]
    ) -> list[tuple[str, tuple[bytes, ...]]]:
        """Add the groups of the own domain that hold an object of another one."""
        client = await self._own.client()
        stand_in = encoded_filter(f"(&{_FOREIGN}(objectSid={sid}))")
        kept = [control for control in controls if control.oid != searches.PAGED]
        entries = await client.search(self._own.domain.base_dn, stand_in, ("memberOf",), controls=kept)
        values = entries[0].values("memberOf") if entries else ()
        if not values:
            return attributes
        if not any(name.lower().startswith("memberof") for name, _held in attributes):
            return [*attributes, ("memberOf", values)]
        return [(name, (*held, *values) if name.lower().startswith("memberof") else held) for name, held in attributes]
