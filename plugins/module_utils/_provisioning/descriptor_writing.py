# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Adding entries to an access control list, byte by byte: all that is there stays as it is.

The layout is that of MS-DTYP 2.4.6 (SECURITY_DESCRIPTOR), 2.4.5 (ACL) and 2.4.4.3 (ACCESS_ALLOWED_OBJECT_ACE).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.rights import Ace

_DESCRIPTOR = struct.Struct("<BBHIIII")
_ACL = struct.Struct("<BBHHH")
_ACE = struct.Struct("<BBH")
_ALLOWED, _ALLOWED_OBJECT = 0x0, 0x5
_CONTAINER_INHERIT, _NO_PROPAGATE, _INHERIT_ONLY, _INHERITED = 0x2, 0x4, 0x8, 0x10
_OBJECT_TYPE, _INHERITED_TYPE = 0x1, 0x2
_DACL_PRESENT, _SELF_RELATIVE = 0x4, 0x8000
# SE_DACL_AUTO_INHERITED and SE_DACL_PROTECTED say how the list inherits, and must outlive a change.
_KEPT = 0x400 | 0x1000
# ACL_REVISION_DS, which object entries need.
_REVISION = 4
_LONGEST = 0xFFFF


def to_bytes(ace: Ace) -> bytes:
    """Return an entry that allows as it stands in a list.

    Raises:
        ValueError: it denies, it has a condition, or a GUID or the SID is none.
    """
    if not ace.allow:
        raise ValueError("entries that deny are not written")
    if ace.conditional:
        raise ValueError("entries with a condition are not written")
    flags = (
        (_CONTAINER_INHERIT if ace.inherits else 0)
        | (_INHERIT_ONLY if ace.inherit_only else 0)
        | (_NO_PROPAGATE if ace.one_level else 0)
    )
    kind, body = _ALLOWED, struct.pack("<I", ace.mask)
    if ace.object_type is not None or ace.inherited_type is not None:
        kind = _ALLOWED_OBJECT
        present = (_OBJECT_TYPE if ace.object_type else 0) | (_INHERITED_TYPE if ace.inherited_type else 0)
        guids = (guid for guid in (ace.object_type, ace.inherited_type) if guid)
        body += struct.pack("<I", present) + b"".join(map(identity.guid_to_bytes, guids))
    body += identity.sid_to_bytes(ace.trustee)
    return _ACE.pack(kind, flags, _ACE.size + len(body)) + body


def with_entries(raw: bytes, added: Sequence[Ace]) -> bytes:
    """Return a descriptor of nothing but the DACL, with entries added behind the last one that was not inherited.

    That is the canonical order (MS-DTYP 2.4.5): what denies explicitly, what allows explicitly, what is inherited. In
    a list that is in no such order, too, nothing new outweighs an explicit entry that was there.

    Parameters:
        raw: the descriptor as it is.
        added: entries that allow.

    Raises:
        ValueError: it is no self-relative descriptor with a DACL, or the list would be too long.
    """
    control, start = _place(raw)
    entries = entries_of(raw)
    place = 1 + max((index for index, entry in enumerate(entries) if not entry[1] & _INHERITED), default=-1)
    together = [*entries[:place], *map(to_bytes, added), *entries[place:]]
    body = b"".join(together)
    size = _ACL.size + len(body)
    if size > _LONGEST:
        raise ValueError(f"the list would have {size} bytes, {_LONGEST} at most fit")
    header = _DESCRIPTOR.pack(1, 0, _SELF_RELATIVE | _DACL_PRESENT | control & _KEPT, 0, 0, 0, _DESCRIPTOR.size)
    return header + _ACL.pack(max(raw[start], _REVISION), 0, size, len(together), 0) + body


def explicit(raw: bytes) -> frozenset[bytes]:
    """Return the entries of a descriptor that stand on the object itself.

    Raises:
        ValueError: it is no self-relative descriptor with a DACL.
    """
    return frozenset(entry for entry in entries_of(raw) if not entry[1] & _INHERITED)


def _place(raw: bytes) -> tuple[int, int]:
    """Return the control bits of a descriptor, and where its DACL begins."""
    if len(raw) < _DESCRIPTOR.size:
        raise ValueError("no security descriptor")
    revision, _sbz, control, _owner, _group, _sacl, start = _DESCRIPTOR.unpack_from(raw)
    # A list that is absent lets everybody do everything (MS-DTYP 2.4.6): adding one would take that away.
    if revision != 1 or not control & _SELF_RELATIVE or not control & _DACL_PRESENT or not start:
        raise ValueError("no self-relative security descriptor with a DACL")
    return control, start


def entries_of(raw: bytes) -> list[bytes]:
    """Return the entries of the DACL as they stand.

    Raises:
        ValueError: it is no self-relative descriptor with a DACL.
    """
    _control, start = _place(raw)
    if start + _ACL.size > len(raw):
        raise ValueError("the access control list is cut off")
    _revision, _sbz, size, count, _sbz2 = _ACL.unpack_from(raw, start)
    end, position, found = start + size, start + _ACL.size, []
    if end > len(raw):
        raise ValueError("the access control list is cut off")
    for _unused in range(count):
        if position + _ACE.size > end:
            raise ValueError("an entry is cut off")
        length = _ACE.unpack_from(raw, position)[2]
        if length < _ACE.size or position + length > end:
            raise ValueError("an entry does not fit into its list")
        found.append(raw[position : position + length])
        position += length
    return found
