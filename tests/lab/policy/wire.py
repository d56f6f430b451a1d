# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""LDAP messages (RFC 4511) on the wire.

What is only looked at is taken apart with ldap3's fast decoder, what is written anew is encoded by pyasn1 from ldap3's
specification of the protocol. Parts that stay as they were travel as the bytes that they came in.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ldap3.protocol import rfc4511
from ldap3.strategy.base import BaseStrategy
from ldap3.utils.asn1 import compute_ber_size, decode_integer, decode_sequence, encode
from pyasn1.type import namedtype, tag, univ

CHUNK = 1 << 18
REQUESTS = {
    0: "bind",
    2: "unbind",
    3: "search",
    6: "modify",
    8: "add",
    10: "delete",
    12: "modify_dn",
    14: "compare",
    16: "abandon",
    23: "extended",
}
ENTRY, DONE, REFERENCE, INTERMEDIATE = 4, 5, 19, 25
_RESPONSES = {
    "bind": ("bindResponse", rfc4511.BindResponse),
    "search": ("searchResDone", rfc4511.SearchResultDone),
    "modify": ("modifyResponse", rfc4511.ModifyResponse),
    "add": ("addResponse", rfc4511.AddResponse),
    "delete": ("delResponse", rfc4511.DelResponse),
    "modify_dn": ("modDNResponse", rfc4511.ModifyDNResponse),
    "compare": ("compareResponse", rfc4511.CompareResponse),
    "extended": ("extendedResp", rfc4511.ExtendedResponse),
}
ADD, DELETE, REPLACE = 0, 1, 2


class WireError(Exception):
    """Bytes that are no LDAP message."""


# LDAPMessage and SearchRequest, of which operation and filter are handed on as bytes.
_MESSAGE: Any = univ.Sequence(
    componentType=namedtype.NamedTypes(
        namedtype.NamedType("messageID", rfc4511.MessageID()),
        namedtype.NamedType("protocolOp", univ.Any()),
        namedtype.OptionalNamedType("controls", rfc4511.Controls().subtype(implicitTag=tag.Tag(128, 32, 0))),
    )
)
_SEARCH_REQUEST: Any = univ.Sequence(
    tagSet=rfc4511.SearchRequest.tagSet,
    componentType=namedtype.NamedTypes(
        namedtype.NamedType("baseObject", rfc4511.LDAPDN()),
        namedtype.NamedType("scope", univ.Enumerated()),
        namedtype.NamedType("derefAliases", univ.Enumerated()),
        namedtype.NamedType("sizeLimit", univ.Integer()),
        namedtype.NamedType("timeLimit", univ.Integer()),
        namedtype.NamedType("typesOnly", rfc4511.TypesOnly()),
        namedtype.NamedType("filter", univ.Any()),
        namedtype.NamedType("attributes", rfc4511.AttributeSelection()),
    ),
)


@dataclass(frozen=True, slots=True)
class Element:
    """Where one BER element lies in a frame: its header starts at ``start``, its content at ``content``."""

    tag: int
    start: int
    content: int
    stop: int


@dataclass(frozen=True, slots=True)
class Control:
    oid: str
    critical: bool
    value: bytes | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A frame and what it is: ``tag`` is the number of the operation."""

    frame: bytes
    message_id: int
    tag: int
    operation: Element

    @property
    def kind(self) -> str:
        """Name of a request."""
        return REQUESTS.get(self.tag, "unknown")

    def controls(self) -> tuple[Control, ...]:
        """Return the controls that came with the message."""
        if self.operation.stop >= len(self.frame):
            return ()
        (outer,) = elements(self.frame, self.operation.stop, len(self.frame))
        return tuple(self._control(item) for item in elements(self.frame, outer.content, outer.stop))

    def _control(self, item: Element) -> Control:
        oid, *rest = elements(self.frame, item.content, item.stop)
        critical = any(part.tag == 1 and self.frame[part.content] for part in rest)
        values = [self.frame[part.content : part.stop] for part in rest if part.tag == 4]
        return Control(self.frame[oid.content : oid.stop].decode(), critical, values[0] if values else None)


@dataclass(frozen=True, slots=True)
class Search:
    base: str
    scope: int
    dereference: int
    size_limit: int
    time_limit: int
    types_only: bool
    filter: bytes
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    operation: int
    attribute: str
    values: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Modify:
    dn: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Rename:
    dn: str
    new_rdn: str
    new_superior: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    dn: str
    attributes: tuple[tuple[str, tuple[bytes, ...]], ...]

    def values(self, name: str) -> tuple[bytes, ...]:
        """Return the values of an attribute, whatever its case."""
        return next((values for key, values in self.attributes if key.lower() == name.lower()), ())

    def text(self, name: str) -> str | None:
        """Return the first value of an attribute as text."""
        values = self.values(name)
        return values[0].decode() if values else None


@dataclass(frozen=True, slots=True)
class Result:
    code: int
    message: str = ""
    matched: str = ""
    referrals: tuple[str, ...] = ()


async def frames(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Yield the frames of a stream until it ends.

    Raises:
        WireError: the stream does not consist of BER sequences.
    """
    buffer = bytearray()
    while chunk := await reader.read(CHUNK):
        buffer += chunk
        position = 0
        while (size := BaseStrategy.compute_ldap_message_size(buffer[position : position + 10])) > 0:
            if buffer[position] != 0x30:
                raise WireError("this is not LDAP")
            if position + size > len(buffer):
                break
            yield bytes(buffer[position : position + size])
            position += size
        del buffer[:position]


def elements(frame: bytes, start: int, stop: int) -> list[Element]:
    """List the elements that lie side by side in a part of a frame."""
    found = []
    while start < stop:
        size, offset = compute_ber_size(frame[start : start + 10])
        found.append(Element(frame[start], start, start + offset, start + offset + size))
        start += offset + size
    return found


def parse(frame: bytes) -> Message:
    """Look at the head of a frame."""
    _size, head = compute_ber_size(frame[:10])
    size, offset = compute_ber_size(frame[head : head + 10])
    message_id = decode_integer(frame, head + offset, head + offset + size)
    start = head + offset + size
    size, offset = compute_ber_size(frame[start : start + 10])
    operation = Element(frame[start], start, start + offset, start + offset + size)
    return Message(frame, message_id, frame[start] & 0x1F, operation)


def _parts(message: Message) -> list[bytes]:
    frame, operation = message.frame, message.operation
    return [frame[part.content : part.stop] for part in elements(frame, operation.content, operation.stop)]


def search_of(message: Message) -> Search:
    """Read a search request."""
    frame, operation = message.frame, message.operation
    fields = elements(frame, operation.content, operation.stop)
    base, scope, dereference, size, time, types = (frame[field.content : field.stop] for field in fields[:6])
    attributes = elements(frame, fields[7].content, fields[7].stop)
    return Search(
        base.decode(),
        int.from_bytes(scope, "big"),
        int.from_bytes(dereference, "big"),
        int.from_bytes(size, "big"),
        int.from_bytes(time, "big"),
        any(types),
        frame[fields[6].start : fields[6].stop],
        tuple(frame[item.content : item.stop].decode() for item in attributes),
    )


def modify_of(message: Message) -> Modify:
    """Read a modify request."""
    dn, changes = decode_sequence(message.frame, message.operation.content, message.operation.stop)
    return Modify(
        dn[3].decode(),
        tuple(
            Change(change[0][3], change[1][3][0][3].decode(), tuple(value[3] for value in change[1][3][1][3]))
            for change in (item[3] for item in changes[3])
        ),
    )


def add_of(message: Message) -> Modify:
    """Read an add request as the change that adds all its attributes."""
    dn, attributes = decode_sequence(message.frame, message.operation.content, message.operation.stop)
    return Modify(
        dn[3].decode(),
        tuple(
            Change(ADD, item[3][0][3].decode(), tuple(value[3] for value in item[3][1][3])) for item in attributes[3]
        ),
    )


def delete_of(message: Message) -> str:
    """Return the DN of a delete request."""
    return message.frame[message.operation.content : message.operation.stop].decode()


def rename_of(message: Message) -> Rename:
    """Read a modifyDN request."""
    dn, new_rdn, _delete_old, *superior = _parts(message)
    return Rename(dn.decode(), new_rdn.decode(), superior[0].decode() if superior else None)


def bind_name_of(message: Message) -> str:
    """Return the name of a bind request."""
    return _parts(message)[1].decode(errors="replace")


def entry_of(message: Message) -> Entry:
    """Read a search result entry."""
    dn, attributes = decode_sequence(message.frame, message.operation.content, message.operation.stop)
    return Entry(
        dn[3].decode(),
        tuple((item[3][0][3].decode(), tuple(value[3] for value in item[3][1][3])) for item in attributes[3]),
    )


def result_of(message: Message) -> Result:
    """Read the result of an operation."""
    code, matched, text = _parts(message)[:3]
    return Result(int.from_bytes(code, "big"), text.decode(errors="replace"), matched.decode(errors="replace"))


def search_frame(message_id: int, search: Search, controls: Iterable[Control]) -> bytes:
    """Encode a search request."""
    request = _SEARCH_REQUEST.clone()
    request["baseObject"] = search.base
    request["scope"] = search.scope
    request["derefAliases"] = search.dereference
    request["sizeLimit"] = search.size_limit
    request["timeLimit"] = search.time_limit
    request["typesOnly"] = search.types_only
    request["filter"] = search.filter
    request["attributes"].extend([rfc4511.Selector(name) for name in search.attributes])
    return with_controls(message_id, encode(request), controls)


def modify_frame(message_id: int, modify: Modify, controls: Iterable[Control]) -> bytes:
    """Encode a modify request."""
    request = rfc4511.ModifyRequest()
    request["object"] = rfc4511.LDAPDN(modify.dn)
    request["changes"] = rfc4511.Changes()
    for index, change in enumerate(modify.changes):
        item = rfc4511.Change()
        item["operation"] = rfc4511.Operation(change.operation)
        item["modification"] = rfc4511.PartialAttribute()
        item["modification"]["type"] = rfc4511.AttributeDescription(change.attribute)
        item["modification"]["vals"] = _values(change.values)
        request["changes"][index] = item
    return with_controls(message_id, encode(request), controls)


def add_frame(message_id: int, add: Modify, controls: Iterable[Control]) -> bytes:
    """Encode an add request."""
    request = rfc4511.AddRequest()
    request["entry"] = rfc4511.LDAPDN(add.dn)
    request["attributes"] = rfc4511.AttributeList()
    for index, change in enumerate(add.changes):
        item = rfc4511.Attribute()
        item["type"] = rfc4511.AttributeDescription(change.attribute)
        item["vals"] = _values(change.values)
        request["attributes"][index] = item
    return with_controls(message_id, encode(request), controls)


def _values(values: Sequence[bytes]) -> Any:
    encoded = rfc4511.Vals()
    encoded.clear()
    for index, value in enumerate(values):
        encoded[index] = rfc4511.AttributeValue(value)
    return encoded


def with_controls(message_id: int, operation: bytes, controls: Iterable[Control]) -> bytes:
    """Wrap an encoded operation into a message."""
    message = _MESSAGE.clone()
    message["messageID"] = message_id
    message["protocolOp"] = operation
    for index, control in enumerate(controls):
        item = rfc4511.Control()
        item["controlType"] = rfc4511.LDAPOID(control.oid)
        item["criticality"] = rfc4511.Criticality(control.critical)
        if control.value is not None:
            item["controlValue"] = rfc4511.ControlValue(control.value)
        message["controls"][index] = item
    return bytes(encode(message))


def operation_bytes(message: Message) -> bytes:
    """Return the encoded operation of a message."""
    return message.frame[message.operation.start : message.operation.stop]


def result_frame(message_id: int, kind: str, result: Result, controls: Iterable[Control] = ()) -> bytes:
    """Encode the result of a request of some kind."""
    response = _RESPONSES[kind][1]()
    response["resultCode"] = rfc4511.ResultCode(result.code)
    response["matchedDN"] = rfc4511.LDAPDN(result.matched)
    response["diagnosticMessage"] = rfc4511.LDAPString(result.message)
    for index, uri in enumerate(result.referrals):
        response["referral"][index] = rfc4511.URI(uri)
    return with_controls(message_id, encode(response), controls)


def entry_frame(message_id: int, entry: Entry) -> bytes:
    """Encode a search result entry."""
    response = rfc4511.SearchResultEntry()
    response["object"] = rfc4511.LDAPDN(entry.dn)
    attributes = rfc4511.PartialAttributeList()
    attributes.clear()
    for index, (name, values) in enumerate(entry.attributes):
        item = rfc4511.PartialAttribute()
        item["type"] = rfc4511.AttributeDescription(name)
        item["vals"] = _values(values)
        attributes[index] = item
    response["attributes"] = attributes
    return with_controls(message_id, encode(response), ())


def reference_frame(message_id: int, uri: str) -> bytes:
    """Encode a continuation reference."""
    response = rfc4511.SearchResultReference()
    response[0] = rfc4511.URI(uri)
    return with_controls(message_id, encode(response), ())
