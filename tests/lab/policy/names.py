# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms in which a client names an object (MS-ADTS 3.1.1.3.1.2.4), and identifiers as text, bytes and filters."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass

_GUID = re.compile(r"<GUID=([0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12})>", re.IGNORECASE)
_SID = re.compile(r"<SID=(S(?:-\d+)+|[0-9a-f]+)>", re.IGNORECASE)
_FIRST_CN = re.compile(r"CN=((?:\\.|[^,\\])*)", re.IGNORECASE | re.DOTALL)
_ESCAPES = re.compile(rb"\\([0-9a-f]{2}|.)", re.IGNORECASE | re.DOTALL)
_FOREIGN = re.compile(r"CN=(S-1-[0-9-]+),CN=ForeignSecurityPrincipals,", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Name:
    """Exactly one of GUID, SID and DN is set: the first that the client gave."""

    guid: str | None = None
    sid: str | None = None
    dn: str | None = None

    def filter(self) -> str:
        """Return the filter that finds the object, for a GUID or a SID."""
        if self.guid:
            return f"(objectGUID={escaped(guid_bytes(self.guid))})"
        return f"(objectSid={self.sid})"


def name_of(text: str) -> Name:
    """Read a DN in any of its forms."""
    if match := _GUID.match(text):
        digits = match[1]
        # Without dashes the bytes stand in the directory's order.
        guid = uuid.UUID(digits) if "-" in digits else uuid.UUID(bytes_le=bytes.fromhex(digits))
        return Name(guid=str(guid))
    if match := _SID.match(text):
        sid = match[1] if match[1].upper().startswith("S") else sid_text(bytes.fromhex(match[1]))
        return Name(sid=sid.upper())
    return Name(dn=text)


def escaped(value: bytes) -> str:
    """Return bytes as they stand in a filter."""
    return "".join(f"\\{byte:02x}" for byte in value)


def guid_text(raw: bytes) -> str:
    """Return an objectGUID as text."""
    return str(uuid.UUID(bytes_le=raw))


def guid_bytes(text: str) -> bytes:
    """Return an objectGUID as bytes."""
    return uuid.UUID(text).bytes_le


def sid_text(raw: bytes) -> str:
    """Return a SID as text (MS-DTYP 2.4.2)."""
    parts = [int.from_bytes(raw[offset : offset + 4], "little") for offset in range(8, len(raw), 4)]
    return "-".join(map(str, ("S", raw[0], int.from_bytes(raw[2:8], "big"), *parts)))


def sid_bytes(text: str) -> bytes:
    """Return a SID as bytes (MS-DTYP 2.4.2.2)."""
    revision, authority, *parts = map(int, text[2:].split("-"))
    head = bytes((revision, len(parts))) + authority.to_bytes(6, "big")
    return head + b"".join(part.to_bytes(4, "little") for part in parts)


def domain_sid(sid: str) -> str:
    """Return the SID of the domain that gave an account's SID out."""
    return sid.rpartition("-")[0]


def common_name(text: str) -> str | None:
    """Return the unescaped common name at the head of a DN or RDN; None when it begins otherwise."""
    match = _FIRST_CN.match(text)
    if match is None:
        return None
    return _ESCAPES.sub(_unescaped, match[1].encode()).decode("utf-8", "replace")


def _unescaped(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[1].decode()) if len(match[1]) == 2 else match[1]


def parent(text: str) -> str:
    """Return the DN without its first RDN."""
    return re.split(r"(?<!\\),", text, maxsplit=1)[-1].strip()


def is_under(text: str, base: str) -> bool:
    """Tell whether a DN is a base or lies below it; both as a server writes them."""
    return text.lower() == base.lower() or text.lower().endswith(f",{base.lower()}")


def foreign_sid(dn: str) -> str | None:
    """Return the SID that a foreign security principal stands for."""
    match = _FOREIGN.search(dn)
    return match[1] if match else None
