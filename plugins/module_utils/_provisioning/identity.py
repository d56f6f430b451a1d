# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Anchors, SIDs and GUIDs: the names by which an object stays the same object."""

from __future__ import annotations

import base64
import binascii
import re
import uuid

GROUP_ANCHOR_PREFIX = "Group_"
TAKEN_OVER_PREFIX = "TakenOver_Group_"

# MS-DTYP 2.4.2: revision, sub-authority count, 48-bit big-endian authority, 32-bit little-endian sub-authorities.
_SID_HEADER = 8
_SID_MAX_SUB_AUTHORITIES = 15
# Of the SIDs that are met; each number is below its bound without being read.
_USUAL_SID = re.compile(r"S-1-[0-9]{1,10}(?:-(?:[0-9]{1,9}|[1-3][0-9]{9})){0,15}\Z")


def anchor_of(cloud_id: str) -> str:
    """Return the value of msDS-ExternalDirectoryObjectId for the cloud group with this object id."""
    return f"{GROUP_ANCHOR_PREFIX}{cloud_id.lower()}"


def cloud_id_of(anchor: str) -> str | None:
    """Return the object id inside a group anchor, or None when the text is not one.

    The attribute's syntax ignores case, so the prefix is compared without it.
    """
    head, tail = anchor[: len(GROUP_ANCHOR_PREFIX)], anchor[len(GROUP_ANCHOR_PREFIX) :]
    return guid_text(tail) if head.lower() == GROUP_ANCHOR_PREFIX.lower() else None


def guid_text(value: str) -> str | None:
    """Return the canonical lower-case text of a dashed GUID, or None when the text is not one."""
    try:
        parsed = str(uuid.UUID(value))
    except ValueError:
        return None
    return parsed if parsed == value.lower() else None


def guid_from_bytes(value: bytes) -> str:
    """Return the text of an objectGUID (MS-DTYP 2.3.4: the first three fields are little-endian).

    Raises:
        ValueError: the value is not 16 bytes long.
    """
    return str(uuid.UUID(bytes_le=value))


def guid_to_bytes(value: str) -> bytes:
    """Return the 16 bytes of an objectGUID from its text.

    Raises:
        ValueError: the text is no GUID.
    """
    return uuid.UUID(value).bytes_le


def sid_from_bytes(value: bytes) -> str:
    """Return the text `S-1-…` of a binary SID (MS-DTYP 2.4.2).

    Raises:
        ValueError: the bytes are not one whole SID.
    """
    if len(value) < _SID_HEADER or len(value) != _SID_HEADER + 4 * value[1]:
        raise ValueError(f"{len(value)} bytes are not a SID")
    authority = int.from_bytes(value[2:8], "big")
    parts = [int.from_bytes(value[i : i + 4], "little") for i in range(_SID_HEADER, len(value), 4)]
    return "-".join(["S", str(value[0]), str(authority), *map(str, parts)])


def sid_to_bytes(value: str) -> bytes:
    """Return the binary form of a SID text.

    Raises:
        ValueError: the text is no SID.
    """
    pieces = value.split("-")
    if (
        len(pieces) < 3
        or pieces[0].upper() != "S"
        or not all(piece.isascii() and piece.isdigit() for piece in pieces[1:])
    ):
        raise ValueError(f"{value!r} is not a SID")
    revision, authority, *parts = map(int, pieces[1:])
    if (
        len(parts) > _SID_MAX_SUB_AUTHORITIES
        or revision > 255
        or authority >= 1 << 48
        or any(p >= 1 << 32 for p in parts)
    ):
        raise ValueError(f"{value!r} is not a SID")
    return (
        bytes([revision, len(parts)])
        + authority.to_bytes(6, "big")
        + b"".join(part.to_bytes(4, "little") for part in parts)
    )


def is_sid(value: str) -> bool:
    """Return whether the text is a SID."""
    if _USUAL_SID.match(value):
        return True
    try:
        sid_to_bytes(value)
    except ValueError:
        return False
    return True


def domain_of(sid: str) -> str:
    """Return the SID of the domain that issued this account SID: all but its last part."""
    return sid.rpartition("-")[0]


def rid_of(sid: str) -> int:
    """Return the relative identifier, the last part of a SID."""
    return int(sid.rpartition("-")[2])


def source_anchor_guid(value: str | None) -> str | None:
    """Return the GUID inside an onPremisesImmutableId or onPremisesObjectIdentifier, or None.

    Both base64 of the 16 little-endian bytes and GUID text are met in the field; a custom source anchor is no GUID
    and therefore no match, not an error.
    """
    if not value:
        return None
    text = guid_text(value)
    if text:
        return text
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return guid_from_bytes(raw) if len(raw) == 16 else None
