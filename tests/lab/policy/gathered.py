# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers that the proxy puts together from several domains, within the limits of any other answer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from . import rules, searches, wire
from .knobs import Policy
from .searches import Page, RunningSearch


@dataclass(frozen=True, slots=True)
class Answer:
    """Entries, or the result of a search that has none; ``entries`` is None for a further page."""

    message_id: int
    entries: tuple[wire.Entry, ...] | None = ()
    result: wire.Result | None = None


class Gathered:
    """Sends such answers to one client, page by page."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._sets: searches.ResultSets[tuple[wire.Entry, ...]] = searches.ResultSets()

    def send(self, answer: Answer, page: Page | None, running: RunningSearch, policy: Policy) -> None:
        """Send an answer or its next page.

        Raises:
            rules.RefusedError: the cookie is none of this connection's, or a range begins behind the last value.
        """
        if answer.result is not None:
            raise rules.RefusedError(answer.result)
        entries = answer.entries
        if page is not None and page.cookie:
            entries = self._sets.taken(page.cookie)
        if entries is None:
            raise rules.RefusedError(searches.lost_cookie())
        size = min(page.size, policy.max_page_size) if page else policy.max_page_size
        for entry in entries[:size]:
            limited = searches.limited_entry(entry, running, policy)
            self._writer.write(wire.entry_frame(answer.message_id, limited))
            running.record.entries += 1
        rest = entries[size:]
        result, controls = wire.Result(0), []
        if page is not None:
            cookie = self._sets.given(rest, policy.max_result_sets)
            controls = [searches.page_control(Page(0, cookie), critical=False)]
        elif rest:
            result = rules.refusal(searches.SIZE_LIMIT_EXCEEDED, 0x2023, "5007 (SIZE_LIMIT_EXCEEDED)")
        running.record.result = result.code
        self._writer.write(wire.result_frame(answer.message_id, "search", result, controls))
