# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One client's connection: what it asks goes to the domain controller and comes back as Windows would answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from . import rules, searches, wire, writes
from .forest import FOREIGN_CONTAINER
from .gathered import Gathered
from .knobs import Fault, Operation
from .rules import RefusedError
from .searches import Page, RunningSearch
from .site import Site
from .upstream import SHOW_DELETED, Upstream, UpstreamError
from .writes import WriteRules

PERMISSIVE = "1.2.840.113556.1.4.1413"
_WRITES = ("add", "modify", "delete", "modify_dn")
_REFUSALS: Mapping[str, Callable[[Fault], wire.Result]] = {
    "busy": lambda _fault: rules.busy(),
    "unavailable": lambda _fault: rules.unavailable(),
    "refuse": lambda fault: wire.Result(fault.code, fault.message),
}


class DroppedError(Exception):
    """A fault ended the connection."""


# What ends a connection without being a fault of the proxy.
_ENDS = (DroppedError, OSError, UpstreamError, wire.WireError)


class Relay:
    """Between one client and the domain controller."""

    def __init__(self, site: Site, writer: asyncio.StreamWriter, *, catalog: bool) -> None:
        self._site = site
        self._writer = writer
        self._catalog = catalog
        self._upstream = Upstream(site.domain.catalog if catalog else site.domain.directory, self._answer)
        self._running: dict[int, RunningSearch] = {}
        self._other: dict[int, Operation] = {}
        self._sets: searches.ResultSets[bytes] = searches.ResultSets()
        self._gathered = Gathered(writer)

    async def run(self, reader: asyncio.StreamReader) -> None:
        """Serve the client until one of the two sides ends the connection."""
        await self._upstream.open()
        serving = asyncio.create_task(self._serve(reader))
        ending = asyncio.create_task(self._upstream.wait_closed())
        try:
            await asyncio.wait((serving, ending), return_when=asyncio.FIRST_COMPLETED)
        finally:
            serving.cancel()
            ending.cancel()
            self._upstream.close()
        error = serving.exception() if serving.done() and not serving.cancelled() else None
        if error is not None and not isinstance(error, _ENDS):
            raise error

    async def _serve(self, reader: asyncio.StreamReader) -> None:
        async for frame in wire.frames(reader):
            message = wire.parse(frame)
            handler = self._handlers().get(message.kind, self._hand_on)
            await handler(message)
            await self._writer.drain()

    def _handlers(self) -> Mapping[str, Callable[[wire.Message], Awaitable[None]]]:
        return {"search": self._search, "bind": self._bind, **dict.fromkeys(_WRITES, self._write)}

    async def _hand_on(self, message: wire.Message) -> None:
        self._upstream.send(message.frame)

    async def _begin(self, message: wire.Message, record: Operation) -> Fault | None:
        """Record an operation and let a fault strike; return the fault when it strikes later.

        Raises:
            RefusedError: the fault answers for the server.
            DroppedError: it ends the connection.
        """
        self._site.operations.append(record)
        fault = self._site.faults.strike(record)
        if fault is None:
            return None
        record.fault = fault.action
        if refusal := _REFUSALS.get(fault.action):
            raise RefusedError(refusal(fault))
        if fault.action == "drop_before":
            raise DroppedError
        if fault.action == "delay":
            await asyncio.sleep(fault.seconds)
        if fault.action == "shrink":
            await self._site.facts.remove_members(record.base, fault.amount)
        return fault

    def _refuse(self, message: wire.Message, record: Operation, result: wire.Result) -> None:
        record.result = result.code
        self._writer.write(wire.result_frame(message.message_id, message.kind, result))

    async def _bind(self, message: wire.Message) -> None:
        record = Operation("bind", wire.bind_name_of(message), self._catalog)
        try:
            await self._begin(message, record)
        except RefusedError as refused:
            self._refuse(message, record, refused.result)
            return
        self._other[message.message_id] = record
        self._upstream.send(message.frame)

    async def _search(self, message: wire.Message) -> None:
        controls = message.controls()
        search, page = wire.search_of(message), searches.page_of(controls)
        continuing = searches.is_continuing(search, page)
        record = Operation(
            "search", search.base, self._catalog, len(search.filter), search.attributes, continuing=continuing
        )
        try:
            fault = await self._begin(message, record)
            running = RunningSearch(
                record,
                search.attributes,
                limit=self._site.policy.max_page_size,
                paged=page is not None,
                extended=searches.asks_extended(controls),
                beyond_first=searches.lowest_range(search) > 0,
                fault=fault if fault and fault.action in ("gap", "drop_after") else None,
            )
            if play := self._site.play:
                answer = await play.answer(message, search, page, controls, catalog=self._catalog)
                if answer is not None:
                    self._gathered.send(answer, page, running, self._site.policy)
                    return
                searched, running.references = await play.rewritten(search), play.references(search, controls)
                if searched != search:
                    search = searched
                    message = wire.parse(wire.search_frame(message.message_id, search, controls))
            frame = self._limited(message, search, page, controls)
        except RefusedError as refused:
            self._refuse(message, record, refused.result)
            return
        self._running[message.message_id] = running
        self._upstream.send(frame)

    def _limited(
        self, message: wire.Message, search: wire.Search, page: Page | None, controls: tuple[wire.Control, ...]
    ) -> bytes:
        """Return the frame of a search as the domain controller gets it."""
        policy = self._site.policy
        if page is not None:
            cookie = self._sets.taken(page.cookie) if page.cookie else b""
            if cookie is None:
                raise RefusedError(searches.lost_cookie())
            sent = Page(min(page.size, policy.max_page_size), cookie)
            controls = tuple(
                searches.page_control(sent, critical=control.critical) if control.oid == searches.PAGED else control
                for control in controls
            )
        attributes = searches.limited_ranges(search.attributes, policy.max_val_range)
        if attributes != search.attributes:
            return wire.search_frame(message.message_id, replace(search, attributes=attributes), controls)
        if page is not None:
            return wire.with_controls(message.message_id, wire.operation_bytes(message), controls)
        return message.frame

    async def _answer(self, message: wire.Message) -> None:
        """Hand an answer of the domain controller on to the client."""
        running = self._running.get(message.message_id)
        if running is None:
            if record := self._other.pop(message.message_id, None):
                record.result = wire.result_of(message).code
            self._writer.write(message.frame)
        elif message.tag == wire.ENTRY:
            await self._entry(message, running)
        elif message.tag == wire.DONE:
            del self._running[message.message_id]
            await self._done(message, running)
        elif not running.over:
            self._writer.write(message.frame)
        await self._writer.drain()

    async def _entry(self, message: wire.Message, running: RunningSearch) -> None:
        running.over = running.over or running.record.entries >= running.limit
        if running.over:
            return
        frame: bytes | None = message.frame
        foreign = self._site.play is not None and FOREIGN_CONTAINER in message.frame
        policy = self._site.policy
        if searches.is_disguised(running, policy):
            frame = wire.entry_frame(message.message_id, searches.disguised(wire.entry_of(message), policy))
        elif foreign or searches.needs_look(message, running, policy):
            entry = wire.entry_of(message)
            try:
                shown: wire.Entry | None = searches.limited_entry(entry, running, policy)
            except RefusedError as refused:
                running.refused, running.over = refused.result, True
                return
            if foreign and shown is not None:
                shown = await self._site.forest.shown(shown)
            if shown != entry:
                frame = wire.entry_frame(message.message_id, shown) if shown else None
        if frame is not None:
            running.record.entries += 1
            self._writer.write(frame)

    async def _done(self, message: wire.Message, running: RunningSearch) -> None:
        if running.fault and running.fault.action == "drop_after":
            self._upstream.close()
            return
        controls = message.controls()
        result = wire.result_of(message)
        if running.refused is not None:
            result, controls = running.refused, ()
        elif running.over:
            result = rules.refusal(searches.SIZE_LIMIT_EXCEEDED, 0x2023, "5007 (SIZE_LIMIT_EXCEEDED)")
        running.record.result = result.code
        page = searches.page_of(controls)
        if not result.code and not (page and page.cookie):
            for uri in running.references:
                self._writer.write(wire.reference_frame(message.message_id, uri))
        if page is not None:
            page = Page(page.size, self._sets.given(page.cookie, self._site.policy.max_result_sets))
            controls = (searches.page_control(page, critical=False),)
            self._writer.write(wire.with_controls(message.message_id, wire.operation_bytes(message), controls))
        elif running.refused is not None or running.over:
            self._writer.write(wire.result_frame(message.message_id, "search", result))
        else:
            self._writer.write(message.frame)

    async def _write(self, message: wire.Message) -> None:
        record = Operation(message.kind, "", self._catalog)
        try:
            write = _READERS[message.kind](message)
            record.base = write if isinstance(write, str) else write.dn
            if isinstance(write, wire.Modify):
                record.values = sum(len(change.values) for change in write.changes)
            fault = await self._begin(message, record)
            if self._catalog:
                raise RefusedError(rules.unwilling())
            answer = await self._carry_out(message, write)
            if worded := writes.worded(wire.result_of(answer)):
                raise RefusedError(worded)
        except RefusedError as refused:
            self._refuse(message, record, refused.result)
            return
        record.result = wire.result_of(answer).code
        if fault is not None and fault.action == "drop_after":
            raise DroppedError
        self._writer.write(answer.frame)

    async def _carry_out(self, message: wire.Message, write: wire.Modify | wire.Rename | str) -> wire.Message:
        check = WriteRules(self._site.facts, self._site.forest, self._site.policy)
        controls = message.controls()
        frame = message.frame
        sent: wire.Modify | None = None
        if isinstance(write, str):
            await check.delete(write)
        elif isinstance(write, wire.Rename):
            await check.rename(write)
        elif message.kind == "add":
            added = await check.add(write)
            frame = frame if added == write else wire.add_frame(message.message_id, added, controls)
        else:
            shown = any(control.oid == SHOW_DELETED for control in controls)
            sent = await check.modify(write, show_deleted=shown)
            frame = frame if sent == write else wire.modify_frame(message.message_id, sent, controls)
        (answer,) = await self._upstream.exchange(message.message_id, frame)
        permissive = self._site.policy.permissive_modify and any(control.oid == PERMISSIVE for control in controls)
        if sent is None or not permissive:
            return answer
        rest = await check.permitted(sent, wire.result_of(answer))
        if rest is None:
            return answer
        if not rest.changes:
            return wire.parse(wire.result_frame(message.message_id, "modify", wire.Result(0)))
        frame = wire.modify_frame(message.message_id, rest, controls)
        (answer,) = await self._upstream.exchange(message.message_id, frame)
        return answer


_READERS: Mapping[str, Callable[[wire.Message], wire.Modify | wire.Rename | str]] = {
    "add": wire.add_of,
    "modify": wire.modify_of,
    "delete": wire.delete_of,
    "modify_dn": wire.rename_of,
}
