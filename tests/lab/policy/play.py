# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Searches that a forest of several domains answers otherwise than a forest of one: links, referrals, partitions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from . import names, searches, wire
from .catalog import Catalog
from .facts import Facts
from .filters import rewritten
from .forest import ForestView
from .gathered import Answer
from .rules import refusal
from .searches import Page
from .upstream import BASE, LEVEL, SUBTREE, both, encoded_filter

_REFERRAL = 10
_CROSS_REFERENCE = "(&(objectClass=crossRef)(systemFlags:1.2.840.113556.1.4.803:=2))"


class ForestPlay:
    """What the domain controller of one domain answers in place of Samba.

    Parameters:
        own: the domain.
        forest: the forest as it sees it.
    """

    def __init__(self, own: Facts, forest: ForestView) -> None:
        self._own = own
        self._forest = forest
        self._catalog = Catalog(own, forest)

    async def answer(
        self,
        message: wire.Message,
        search: wire.Search,
        page: Page | None,
        controls: Sequence[wire.Control],
        *,
        catalog: bool,
    ) -> Answer | None:
        """Return the answer to a search that more than one domain has a part in; None when one domain has it all."""
        own = self._own.domain
        if catalog and (search.base or search.scope != BASE):
            gather = self._catalog.search
        elif self._forest.peer_of(search.base):
            return Answer(message.message_id, (), self._referral(search.base))
        elif search.base.lower() == own.partitions_dn.lower() and search.scope in (LEVEL, SUBTREE):
            gather = self._partitions
        else:
            return None
        if page is not None and page.cookie:
            return Answer(message.message_id, None)
        # Paging is done here: a cookie of one domain says nothing to another.
        kept = [control for control in controls if control.oid != searches.PAGED]
        return Answer(message.message_id, tuple(await gather(search, kept)))

    async def rewritten(self, search: wire.Search) -> wire.Search:
        """Return a search whose filter finds links to objects of other domains in the form that is stored."""
        if b"member" not in search.filter.lower():
            return search
        return replace(search, filter=await rewritten(search.filter, self._catalog.stored_link))

    def references(self, search: wire.Search, controls: Sequence[wire.Control]) -> tuple[str, ...]:
        """Return the continuation references to the domains below the base (MS-ADTS 3.1.1.3.1.3.2)."""
        if search.scope != SUBTREE or any(control.oid == searches.DOMAIN_SCOPE for control in controls):
            return ()
        return tuple(
            f"ldap://{peer.domain.name}/{peer.domain.base_dn}"
            for peer in self._forest.peers
            if search.base and names.is_under(peer.domain.base_dn, search.base)
        )

    def _referral(self, base: str) -> wire.Result:
        peer = self._forest.peer_of(base)
        host = peer.domain.name if peer else ""
        text = refusal(_REFERRAL, 0x202B, "0 (REFERRAL)", "RefErr")
        return replace(text, referrals=(f"ldap://{host}/{base}",))

    async def _partitions(self, search: wire.Search, controls: Sequence[wire.Control]) -> list[wire.Entry]:
        """Return the forest's naming contexts: those of the own domain, and the domain of each other."""
        client = await self._own.client()
        found = list(await client.search(search.base, search.filter, search.attributes, search.scope, controls))
        domains_only = both([search.filter, encoded_filter(_CROSS_REFERENCE)])
        for peer in self._forest.peers:
            there = await peer.client()
            base = peer.domain.partitions_dn
            entries = await there.search(base, domains_only, search.attributes, search.scope, controls)
            found += [replace(entry, dn=entry.dn.replace(base, self._own.domain.partitions_dn)) for entry in entries]
        return found
