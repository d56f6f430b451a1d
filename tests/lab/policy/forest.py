# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Domains that are played as one forest.

A link to an object of another domain is stored as a foreign security principal, which Samba makes of a SID, and shown
as what Windows shows: GUID, SID and DN of the object itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from . import names, rules, wire
from .facts import Facts
from .rules import Fact, RefusedError

FOREIGN_CONTAINER = b"CN=ForeignSecurityPrincipals"
_HEX_GUID = re.compile(rb"<GUID=[0-9a-f]{32}>", re.IGNORECASE)


class ForestView:
    """The forest as one of its domains sees it.

    Parameters:
        own: the domain.
        peers: the other domains.
        aliases: SID to the SID of the object that it is shown as.
    """

    def __init__(self, own: Facts, peers: Sequence[Facts], aliases: Mapping[str, str]) -> None:
        self._own = own
        self.peers = tuple(peers)
        self._aliases = aliases

    def seen_by(self, peer: Facts) -> ForestView:
        """Return the forest as another of its domains sees it."""
        others = [facts for facts in (self._own, *self.peers) if facts is not peer]
        return ForestView(peer, others, self._aliases)

    def knows_domain(self, sid: str) -> bool:
        """Tell whether a SID is that of a domain of the forest."""
        return sid in {facts.domain.sid for facts in (self._own, *self.peers)}

    def peer_of(self, dn: str) -> Facts | None:
        """Return the other domain that a DN lies in."""
        bases = [*self.peers, self._own]
        inside = [facts for facts in bases if names.is_under(dn, facts.domain.base_dn)]
        # Of two domains, one below the other, the longer base is the nearer.
        nearest = max(inside, key=lambda facts: len(facts.domain.base_dn), default=None)
        return None if nearest is self._own else nearest

    async def resolve(self, texts: Iterable[str]) -> dict[str, Fact]:
        """Map each name that leads to an object of the forest to what is known of it."""
        wanted = list(dict.fromkeys(texts))
        found = dict(await self._own.resolve(wanted))
        if not self.peers:
            return found
        whole = await self.facts_of(list(found.values()))
        found = dict(zip(found, whole, strict=True))
        for peer in self.peers:
            rest = [text for text in wanted if text not in found]
            found |= await peer.resolve(rest)
        return found

    async def facts_of(self, facts: Sequence[Fact]) -> list[Fact]:
        """Replace the principals that stand for an object of another domain by that object."""
        foreign = [fact.sid for fact in facts if fact.object_class == rules.FOREIGN and fact.sid]
        by_sid = await self.by_sid(foreign)
        return [by_sid.get(fact.sid or "", fact) if fact.object_class == rules.FOREIGN else fact for fact in facts]

    async def by_sid(self, sids: Iterable[str]) -> dict[str, Fact]:
        """Map the SIDs of foreign principals to the objects of the forest that they stand for."""
        targets = {sid: self._aliases.get(sid, sid) for sid in sids}
        found: dict[str, Fact] = {}
        for facts in (*self.peers, self._own):
            inside = {sid: target for sid, target in targets.items() if names.domain_sid(target) == facts.domain.sid}
            resolved = await facts.resolve(f"<SID={target}>" for target in inside.values())
            found |= {sid: fact for sid, target in inside.items() if (fact := resolved.get(f"<SID={target}>"))}
        return found

    def stored(self, modify: wire.Modify, resolved: Mapping[str, Fact]) -> wire.Modify:
        """Put members of other domains into the form that is stored.

        Raises:
            RefusedError: a member of another domain has no SID; that is not played.
        """
        changes = []
        for change in modify.changes:
            if change.attribute.lower() == "member":
                change = replace(change, values=tuple(self._stored(value, resolved) for value in change.values))
            changes.append(change)
        return wire.Modify(modify.dn, tuple(changes))

    def _stored(self, value: bytes, resolved: Mapping[str, Fact]) -> bytes:
        fact = resolved.get(value.decode())
        if fact is None:
            return value
        reverse = {target: sid for sid, target in self._aliases.items()}
        moved_from = reverse.get(fact.sid or "")
        if fact.domain == self._own.domain.name and moved_from is None:
            return value
        if fact.sid is None:
            raise RefusedError(rules.unwilling())
        return f"<SID={moved_from or fact.sid}>".encode()

    async def shown(self, entry: wire.Entry) -> wire.Entry | None:
        """Return an entry as Windows shows it; None for a principal that only stands for an object of the forest."""
        own_sid = names.foreign_sid(entry.dn)
        if own_sid and self.knows_domain(names.domain_sid(own_sid)):
            return None
        sids = {
            value: sid
            for _name, values in entry.attributes
            for value in values
            if FOREIGN_CONTAINER in value and (sid := names.foreign_sid(value.decode("utf-8", "replace")))
        }
        facts = await self.by_sid(sid for sid in sids.values() if self.knows_domain(names.domain_sid(sid)))
        if not facts:
            return entry
        attributes = tuple(
            (name, tuple(_shown(value, facts.get(sids.get(value, ""))) for value in values))
            for name, values in entry.attributes
        )
        return wire.Entry(entry.dn, attributes)


def _shown(value: bytes, fact: Fact | None) -> bytes:
    if fact is None:
        return value
    if not value.startswith(b"<GUID="):
        return fact.dn.encode()
    return extended_name(fact, in_hex=bool(_HEX_GUID.match(value))).encode()


def extended_name(fact: Fact, *, in_hex: bool) -> str:
    """Return a DN with GUID and SID in front (MS-ADTS 3.1.1.3.4.1.5)."""
    sid = f"<SID={names.sid_bytes(fact.sid).hex() if in_hex else fact.sid}>;" if fact.sid else ""
    return f"<GUID={names.guid_bytes(fact.guid).hex() if in_hex else fact.guid}>;{sid}{fact.dn}"
