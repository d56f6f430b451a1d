# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading the members of many groups from Microsoft Graph, however many pages each has."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import capture
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.batches import Answered, in_growing_batches
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import MemberQuery
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import Call, GraphClient, object_of
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import EntraError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CompleteReading,
    IncompleteReading,
    Principal,
    PrincipalKind,
    Reading,
)

# Principals of which the answers are kept: some 40 MB.
_MOST_MADE = 50_000
# Members of groups that are not read to their end; above, no further group is begun.
_MOST_HELD = 100_000


def read_members(
    client: GraphClient, ids: Sequence[str], query: MemberQuery
) -> Iterator[tuple[str, Reading[tuple[Principal, ...]]]]:
    """Yield the direct members of each group, as soon as they are read to their end.

    The advanced mode is used because the plain one leaves service principals out, and because it counts the members,
    which shows a page that was lost.

    Raises:
        EntraError: a batch of first pages failed as a whole. One of further pages makes its groups incomplete.
    """
    made, queue = _Made(client), _Queue(ids, query)
    with closing(in_growing_batches(client, queue.take)) as batches:
        for answered in batches:
            yield from _ended(client, made, queue, answered)


def _ended(
    client: GraphClient, made: _Made, queue: _Queue, answered: Answered[_Listing]
) -> Iterator[tuple[str, Reading[tuple[Principal, ...]]]]:
    """Yield the groups of a batch of which nothing more is to be read; the others go on.

    Raises:
        EntraError: a batch of first pages failed as a whole.
    """
    if answered.problem is not None and all(listing.asked for listing, _call in answered.calls):
        for listing, _call in answered.calls:
            yield listing.cloud_id, queue.ended(listing, answered.problem)
        return
    for listing, call, status, body in answered.each():
        try:
            following = listing.add(client, call, status, body, made)
        except EntraError as error:
            yield listing.cloud_id, queue.ended(listing, error)
            continue
        if following is None:
            yield listing.cloud_id, queue.ended(listing)
        else:
            queue.go_on(listing, following)


class _Made:
    """The principals of the answers so far: who is a member of several groups comes in the answer for each.

    Parameters:
        client: whom the answers came to.
    """

    def __init__(self, client: GraphClient) -> None:
        self._client = client
        self._made: dict[str, tuple[Mapping[str, Any], Principal]] = {}
        self._users = 0

    def principal(self, item: Mapping[str, Any]) -> Principal:
        """Return the principal of an answer."""
        before = self._made.get(item["id"])
        if before is not None and before[0] == item:
            return before[1]
        kind = capture.KINDS.get(str(item.get("@odata.type")), PrincipalKind.UNKNOWN)
        principal = capture.read_principal(self._client, item, kind)
        if len(self._made) < _MOST_MADE:
            self._made[item["id"]] = (item, principal)
            self._users += principal.kind is PrincipalKind.USER and before is None
            self._client.quota.saw_users(self._users)
        return principal


@dataclass(slots=True)
class _Listing:
    """The members of one group, as far as they are read.

    Parameters:
        number: its place among the groups.
        cloud_id: object id of the group.
        found: the members by object id.
        read: how many came.
        count: how many the service counted, in the first page.
        asked: paths of the pages that were read.
    """

    number: int
    cloud_id: str
    found: dict[str, Principal] = field(default_factory=dict)
    read: int = 0
    count: object = None
    asked: set[str] = field(default_factory=set)

    def add(self, client: GraphClient, call: Call, status: int, body: Any, made: _Made) -> Call | None:
        """Add a page; return the call for the next one, or None at the end.

        Raises:
            EntraError: the page is none, or not as many came as the service counted.
        """
        if status != 200:
            raise client.refusal(call, status, body)
        page = object_of(body, call.path)
        if not self.asked:
            self.count = page.get("@odata.count")
        self.asked.add(call.path)
        for item in capture.items(page, call.path):
            self.read += 1
            member = made.principal(item)
            self.found[member.id] = member
        following = client.following(call, page, self.asked)
        if following is None and self.count != self.read:
            raise EntraError(
                f"{self.read} members were read, the service counts {self.count}.", code="entra_count_differs"
            )
        return following


class _Queue:
    """What is asked next: the next pages of groups, the first ones first, and else groups that were not begun.

    A batch is of one of the two, so that one of further pages, should it fail, leaves the others alone.

    Parameters:
        ids: object ids of the groups.
        query: what is read of members.
    """

    def __init__(self, ids: Sequence[str], query: MemberQuery) -> None:
        self._fresh = ((_Listing(number, i), query.call(i)) for number, i in enumerate(ids))
        self._further: list[tuple[int, _Listing, Call]] = []
        self._open: dict[int, int] = {}

    def take(self, most: int) -> list[tuple[_Listing, Call]]:
        """Return at most so many calls that are to be made next."""
        is_full = sum(self._open.values()) > _MOST_HELD
        if self._further:
            # One group after the other is read to its end when many are held.
            count = 1 if is_full else min(most, len(self._further))
            return [heapq.heappop(self._further)[1:] for _one in range(count)]
        return [] if is_full else list(islice(self._fresh, most))

    def go_on(self, listing: _Listing, call: Call) -> None:
        """Put the call for the next page of a group in."""
        self._open[listing.number] = len(listing.found)
        heapq.heappush(self._further, (listing.number, listing, call))

    def ended(self, listing: _Listing, problem: EntraError | None = None) -> Reading[tuple[Principal, ...]]:
        """Return what was read of a group, of which nothing more is."""
        self._open.pop(listing.number, None)
        members, listing.found = tuple(listing.found.values()), {}
        if problem is not None:
            return IncompleteReading(members, capture.storable_text(str(problem)))
        return CompleteReading(members)
