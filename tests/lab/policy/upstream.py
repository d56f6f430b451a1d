# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connections to the domain controller behind the proxy, for its clients and for itself."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ldap3.operation.bind import bind_operation
from ldap3.operation.search import search_operation
from ldap3.utils.asn1 import encode
from pyasn1.type import namedtype, tag, univ

from . import wire

OWN_IDS = 1 << 30
"""Message ids from here on are the proxy's; clients count from one."""

BASE, LEVEL, SUBTREE = 0, 1, 2
SHOW_DELETED = "1.2.840.113556.1.4.417"
EXTENDED_DN = wire.Control("1.2.840.113556.1.4.529", True, bytes.fromhex("3003020101"))
NO_SUCH_OBJECT = 32
REFERRAL = 10


class UpstreamError(Exception):
    """The controller refused what the proxy itself asked, or went away."""

    def __init__(self, message: str, code: int = -1) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a controller listens; the certificate is verified against ``name``."""

    address: str
    port: int
    name: str
    ca_cert: str


@dataclass(slots=True)
class _Exchange:
    done: asyncio.Future[list[wire.Message]]
    messages: list[wire.Message] = field(default_factory=list)


class Upstream:
    """One connection. Frames that answer no request of the proxy go to ``relay``."""

    def __init__(self, endpoint: Endpoint, relay: Callable[[wire.Message], Awaitable[None]] | None = None) -> None:
        self._endpoint = endpoint
        self._relay = relay
        self._exchanges: dict[int, _Exchange] = {}
        self._next_id = OWN_IDS
        self._pump: asyncio.Task[None] | None = None
        self.closed = False

    async def open(self) -> None:
        """Connect."""
        context = ssl.create_default_context(cafile=self._endpoint.ca_cert)
        self._reader, self._writer = await asyncio.open_connection(
            self._endpoint.address, self._endpoint.port, ssl=context, server_hostname=self._endpoint.name
        )
        self._pump = asyncio.create_task(self._read())

    async def wait_closed(self) -> None:
        """Wait until the controller ends the connection."""
        if self._pump is not None:
            await asyncio.wait([self._pump])

    def close(self) -> None:
        """End the connection."""
        self.closed = True
        if self._pump is not None:
            self._pump.cancel()
            self._writer.close()

    async def _read(self) -> None:
        try:
            async for frame in wire.frames(self._reader):
                await self._accept(wire.parse(frame))
        except (OSError, wire.WireError):
            pass
        finally:
            self.closed = True
            for exchange in self._exchanges.values():
                if not exchange.done.done():
                    exchange.done.set_exception(UpstreamError("the controller closed the connection"))
            self._exchanges.clear()

    async def _accept(self, message: wire.Message) -> None:
        exchange = self._exchanges.get(message.message_id)
        if exchange is None:
            if self._relay is not None:
                await self._relay(message)
            return
        exchange.messages.append(message)
        if message.tag not in (wire.ENTRY, wire.REFERENCE, wire.INTERMEDIATE):
            del self._exchanges[message.message_id]
            if not exchange.done.done():
                exchange.done.set_result(exchange.messages)

    def send(self, frame: bytes) -> None:
        """Send a frame whose answer goes to ``relay``."""
        self._writer.write(frame)

    async def exchange(self, message_id: int, frame: bytes) -> list[wire.Message]:
        """Send a frame and return all messages that answer it, the result last.

        Raises:
            UpstreamError: the connection ended first.
        """
        if self.closed:
            raise UpstreamError("the connection to the controller is closed")
        exchange = _Exchange(asyncio.get_running_loop().create_future())
        self._exchanges[message_id] = exchange
        self._writer.write(frame)
        return await exchange.done

    def own_id(self) -> int:
        """Return a message id that no client uses."""
        self._next_id += 1
        return self._next_id

    async def bind(self, username: str, password: str) -> None:
        """Log on.

        Raises:
            UpstreamError: the controller refused.
        """
        message_id = self.own_id()
        operation = bind_operation(3, "SIMPLE", username, password)
        (answer,) = await self.exchange(message_id, wire.with_controls(message_id, encode(operation), ()))
        _require_success(wire.result_of(answer), f"binding as {username}")

    async def search(
        self,
        base: str,
        search_filter: str | bytes,
        attributes: Sequence[str],
        scope: int = SUBTREE,
        controls: Iterable[wire.Control] = (),
    ) -> list[wire.Entry]:
        """Return the entries of a search; a base that is not there has none.

        Raises:
            UpstreamError: the search failed.
        """
        encoded = encoded_filter(search_filter) if isinstance(search_filter, str) else search_filter
        request = wire.Search(base, scope, 0, 0, 0, False, encoded, tuple(attributes) or ("1.1",))
        message_id = self.own_id()
        answers = await self.exchange(message_id, wire.search_frame(message_id, request, controls))
        result = wire.result_of(answers[-1])
        if result.code in (NO_SUCH_OBJECT, REFERRAL):
            return []
        _require_success(result, f"searching {base}")
        return [wire.entry_of(answer) for answer in answers if answer.tag == wire.ENTRY]

    async def modify(self, modify: wire.Modify) -> None:
        """Modify an object.

        Raises:
            UpstreamError: the controller refused.
        """
        message_id = self.own_id()
        (answer,) = await self.exchange(message_id, wire.modify_frame(message_id, modify, ()))
        _require_success(wire.result_of(answer), f"modifying {modify.dn}")


def encoded_filter(text: str) -> bytes:
    """Encode a filter in text form (RFC 4515)."""
    request = search_operation("", text, SUBTREE, 0, ["1.1"], 0, 0, False, True, True)
    search: Any = wire.search_of(wire.parse(wire.with_controls(1, encode(request), ())))
    return bytes(search.filter)


def either(filters: Sequence[bytes]) -> bytes:
    """Join encoded filters by OR."""
    return bytes(encode(_choice(filters, 1)))


def both(filters: Sequence[bytes]) -> bytes:
    """Join encoded filters by AND."""
    return bytes(encode(_choice(filters, 0)))


def negated(data: bytes) -> bytes:
    """Negate an encoded filter."""
    outer: Any = univ.Sequence(componentType=namedtype.NamedTypes(namedtype.NamedType("inner", univ.Any())))
    outer = outer.subtype(implicitTag=tag.Tag(128, 32, 2))
    outer["inner"] = data
    return bytes(encode(outer))


def _choice(filters: Sequence[bytes], number: int) -> Any:
    empty: Any = univ.SetOf(componentType=univ.Any())
    joined = empty.subtype(implicitTag=tag.Tag(128, 32, number))
    joined.extend([univ.Any(item) for item in filters])
    return joined


def _require_success(result: wire.Result, what: str) -> None:
    if result.code:
        raise UpstreamError(f"{what}: {result.code} {result.message}", result.code)
