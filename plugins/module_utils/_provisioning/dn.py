# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Distinguished names (RFC 4514), as Active Directory writes and reads them.

Servers differ in how they escape, so names are compared parsed, never as text.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_TYPE = re.compile(r"(?:[A-Za-z][A-Za-z0-9-]*|\d+(?:\.\d+)*)\Z")
_UNUSUAL = re.compile('[\\\\+"<>;\ud800-\udfff]')
_HEX_PAIR = re.compile(r"[0-9A-Fa-f]{2}")
# The names of a few groups and of their containers, which are looked at again and again.
_MOST_KEPT = 4096
_SPECIAL = frozenset('",+;<>\\=')


class Rdn(NamedTuple):
    """One relative distinguished name. Multi-valued RDNs do not exist in Active Directory."""

    type: str
    value: str


Dn = tuple[Rdn, ...]


@lru_cache(_MOST_KEPT)
def parse(text: str) -> Dn:
    """Return the RDNs of a distinguished name, leftmost first; the empty text is the empty name.

    Raises:
        ValueError: the text is not a distinguished name; the message names the position (1-based) and what is wrong.
    """
    usual = None if _UNUSUAL.search(text) else _usual(text)
    if usual is not None:
        return usual
    rdns: list[Rdn] = []
    position = 0
    while position < len(text):
        rdn, position = _parse_rdn(text, position)
        rdns.append(rdn)
        if position < len(text):
            position += 1
            if not text[position:].strip():
                raise ValueError(f"position {position + 1}: a name is missing after the comma")
    return tuple(rdns)


def _usual(text: str) -> Dn | None:
    """Return the RDNs of a name without escapes, as almost all are; None where it takes a closer look."""
    rdns = []
    for piece in text.split(",") if text else ():
        kind, _equals, value = piece.partition("=")
        kind, value = kind.strip(), value.strip(" ")
        if not value or not _TYPE.match(kind):
            return None
        rdns.append(Rdn(kind.upper(), value))
    return tuple(rdns)


def _parse_rdn(text: str, start: int) -> tuple[Rdn, int]:
    equals = text.find("=", start)
    kind = text[start:equals].strip() if equals >= 0 else ""
    if not _TYPE.match(kind):
        raise ValueError(f"position {start + 1}: expected an attribute type such as OU followed by '='")
    position = equals + 1
    while position < len(text) and text[position] == " ":
        position += 1
    value = bytearray()
    kept = 0  # how much of value is not trailing unescaped blanks
    while position < len(text) and text[position] not in ",;":
        char = text[position]
        if char == "\\":
            chunk, position = _unescape(text, position)
            value += chunk
            kept = len(value)
            continue
        if char in '+"<>':
            raise ValueError(f"position {position + 1}: {char!r} must be written \\{char}")
        value += char.encode("utf-8", "surrogatepass")
        position += 1
        if char != " ":
            kept = len(value)
    if not kept:
        raise ValueError(f"position {start + 1}: {kind} has no value")
    try:
        return Rdn(kind.upper(), bytes(value[:kept]).decode("utf-8")), position
    except UnicodeDecodeError:
        raise ValueError(f"position {start + 1}: the value of {kind} is not UTF-8") from None


def _unescape(text: str, position: int) -> tuple[bytes, int]:
    pair = text[position + 1 : position + 3]
    if _HEX_PAIR.fullmatch(pair):
        return bytes.fromhex(pair), position + 3
    if not pair:
        raise ValueError(f"position {position + 1}: nothing follows the backslash")
    return pair[0].encode("utf-8", "surrogatepass"), position + 2


def is_dn(text: str) -> bool:
    """Return whether the text is a distinguished name of at least one RDN."""
    try:
        return bool(parse(text))
    except ValueError:
        return False


def escape(value: str) -> str:
    """Return a value as it stands inside a DN (RFC 4514, section 2.4)."""
    out = "".join(
        f"\\{c}" if c in _SPECIAL else f"\\{ord(c):02X}" if ord(c) < 32 or ord(c) == 127 else c for c in value
    )
    if out.startswith((" ", "#")):
        out = "\\" + out
    if out.endswith(" ") and len(value) > 1:
        out = out[:-1] + "\\ "
    return out


def text(dn: Dn) -> str:
    """Return the canonical text of a parsed name."""
    return ",".join(f"{rdn.type}={escape(rdn.value)}" for rdn in dn)


@lru_cache(_MOST_KEPT)
def key(name: str | Dn) -> Dn:
    """Return a form that is equal exactly for names that Active Directory takes for the same.

    Raises:
        ValueError: the text is not a distinguished name.
    """
    dn = parse(name) if isinstance(name, str) else name
    return tuple(Rdn(rdn.type, rdn.value.casefold()) for rdn in dn)


def folded(name: str) -> str:
    """Return a text that is equal exactly for names of the same object; what is no DN, in lower case."""
    try:
        return text(key(name)).lower()
    except ValueError:
        return name.lower()


def same(left: str, right: str) -> bool:
    """Return whether two texts name the same object."""
    return left == right or key(left) == key(right)


def parent(name: str) -> str:
    """Return the text of the container of an object."""
    return text(parse(name)[1:])


def rdn_value(name: str) -> str:
    """Return the unescaped value of the leftmost RDN."""
    return parse(name)[0].value


def child(kind: str, value: str, container: str) -> str:
    """Return the name of an object in a container."""
    return f"{kind}={escape(value)},{container}"


def is_under(name: str | Dn, container: str | Dn, *, itself: bool = False) -> bool:
    """Return whether an object lies below a container, or with `itself` is that container."""
    inner, outer = key(name), key(container)
    depth = len(inner) - len(outer)
    return (depth > 0 or (itself and depth == 0)) and inner[depth:] == outer


def domain_dns_name(name: str) -> str:
    """Return the DNS name that the DC components of a name spell, in lower case."""
    return ".".join(rdn.value for rdn in parse(name) if rdn.type == "DC").lower()
