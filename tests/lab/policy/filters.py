# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Search filters on the wire, rewritten term by term."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection

from . import wire
from .upstream import both, either, encoded_filter, negated

_AND, _OR, _NOT, _EQUALITY, _EXTENSIBLE, _PRESENT = 0xA0, 0xA1, 0xA2, 0xA3, 0xA9, 0x87
_TYPE_OF_EXTENSIBLE = 0x82
NOTHING = encoded_filter("(objectClass=nothing-at-all)")

Replacement = Callable[[str, bytes], Awaitable["bytes | None"]]
"""Takes attribute and value of an equality term, and returns the filter that stands for it, or None to keep it."""


def _children(data: bytes) -> list[bytes]:
    (outer,) = wire.elements(data, 0, len(data))
    return [data[part.start : part.stop] for part in wire.elements(data, outer.content, outer.stop)]


def _content(data: bytes) -> bytes:
    (outer,) = wire.elements(data, 0, len(data))
    return data[outer.content : outer.stop]


async def rewritten(data: bytes, replacement: Replacement) -> bytes:
    """Return a filter with its equality terms replaced."""
    kind = data[0]
    if kind in (_AND, _OR):
        parts = [await rewritten(part, replacement) for part in _children(data)]
        return both(parts) if kind == _AND else either(parts)
    if kind == _NOT:
        (inner,) = _children(data)
        return negated(await rewritten(inner, replacement))
    if kind == _EQUALITY:
        attribute, value = map(_content, _children(data))
        return await replacement(attribute.decode().lower(), value) or data
    return data


def attributes(data: bytes) -> set[str]:
    """Return the names, in lower case, of the attributes that a filter looks at."""
    kind = data[0]
    if kind in (_AND, _OR, _NOT):
        return {name for part in _children(data) for name in attributes(part)}
    if kind == _PRESENT:
        return {_content(data).decode().lower()}
    named = [part for part in _children(data) if kind != _EXTENSIBLE or part[0] == _TYPE_OF_EXTENSIBLE]
    return {_content(named[0]).decode().lower()} if named else set()


def defined(data: bytes, known: Collection[str]) -> bytes:
    """Return a filter whose terms on unknown attributes find nothing, negated or not (RFC 4511, section 4.5.1.7)."""
    kind = data[0]
    if kind in (_AND, _OR):
        parts = [defined(part, known) for part in _children(data)]
        return both(parts) if kind == _AND else either(parts)
    return data if attributes(data) <= set(known) else NOTHING
