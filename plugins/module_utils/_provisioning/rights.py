# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may give a directory object away: security descriptors, read and judged.

The layout is that of MS-DTYP 2.4.6 (SECURITY_DESCRIPTOR), 2.4.5 (ACL) and 2.4.4 (ACE); what the rights mean on a
directory object is MS-ADTS 5.1.3.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity

EVERYONE = "S-1-1-0"

# Access mask (MS-ADTS 5.1.3.2).
CREATE_CHILD = 0x1
DELETE_CHILD = 0x2
LIST_CONTENTS = 0x4
WRITE_SELF = 0x8  # RIGHT_DS_WRITE_PROPERTY_EXTENDED: validated writes
WRITE_PROPERTY = 0x20
DELETE_TREE = 0x40
CONTROL_ACCESS = 0x100
DELETE = 0x10000
WRITE_DAC = 0x40000
WRITE_OWNER = 0x80000
GENERIC_ALL = 0x10000000
GENERIC_WRITE = 0x40000000
EVERYTHING = 0xFFFFFFFF  # stands for an entry that is not understood

_TAKES_OVER = GENERIC_ALL | GENERIC_WRITE | WRITE_DAC | WRITE_OWNER
_WRITES = WRITE_PROPERTY | WRITE_SELF
_DELETES = DELETE | DELETE_TREE | GENERIC_ALL

_DACL_PRESENT = 0x4
_SELF_RELATIVE = 0x8000
_CONTAINER_INHERIT = 0x2
_NO_PROPAGATE = 0x4
_INHERIT_ONLY = 0x8
_OBJECT_TYPE_PRESENT = 0x1
_INHERITED_TYPE_PRESENT = 0x2

_DESCRIPTOR = struct.Struct("<BBHIIII")
_ACL = struct.Struct("<BBHHH")
_ACE = struct.Struct("<BBH")
_SID_HEADER = 8

# Type of an ACE (MS-DTYP 2.4.4.1) to whether it allows; those with a GUID inside apart.
_PLAIN = {0x0: True, 0x1: False, 0x9: True, 0xA: False}
_OBJECT = {0x5: True, 0x6: False, 0xB: True, 0xC: False}
_CONDITIONAL = frozenset({0x9, 0xA, 0xB, 0xC})
# Audit, alarm, label, resource attribute, policy and trust label: they grant nothing.
_GRANTING_NOTHING = frozenset({0x2, 0x3, 0x7, 0x8, 0xD, 0xE, 0xF, 0x10, 0x11, 0x12, 0x13, 0x14})

_WELL_KNOWN_TRUSTED = (
    "S-1-5-9",  # Enterprise Domain Controllers
    "S-1-5-18",  # SYSTEM
    "S-1-5-32-544",  # BUILTIN\Administrators
    "S-1-5-32-548",  # Account Operators: the default DACL of the class group names it (MS-ADSC, class group)
)
_DOMAIN_ADMINS = 512
_ENTERPRISE_ADMINS = 519


@dataclass(frozen=True, slots=True)
class Ace:
    """One access control entry.

    Parameters:
        allow: whether it grants or denies.
        mask: the rights.
        trustee: SID as text.
        object_type: GUID, in lower case, of the attribute, property set or right that it is about; None for all.
        inherit_only: it says nothing of the object itself.
        inherited_type: GUID, in lower case, of the class whose objects inherit it; None for all.
        inherits: containers below inherit it, which all directory objects are.
        conditional: it holds only where a condition does, which is not evaluated.
        one_level: what inherits it does not hand it on.
    """

    allow: bool
    mask: int
    trustee: str
    object_type: str | None
    inherit_only: bool
    inherited_type: str | None = None
    inherits: bool = False
    conditional: bool = False
    one_level: bool = False


@dataclass(frozen=True, slots=True)
class SecurityDescriptor:
    """Owner and access control list; None for the list lets everybody do everything."""

    owner: str | None
    aces: tuple[Ace, ...] | None


def parse(raw: bytes) -> SecurityDescriptor:
    """Return the owner and the DACL of a self-relative security descriptor (MS-DTYP 2.4.6).

    An entry of an unknown type counts as one that allows everybody everything, so that nothing is trusted because it
    is not understood.

    Raises:
        ValueError: the bytes are no self-relative security descriptor.
    """
    revision, _sbz, control, owner, _group, _sacl, dacl = _unpack(_DESCRIPTOR, raw, 0, len(raw))
    if revision != 1 or not control & _SELF_RELATIVE:
        raise ValueError("no self-relative security descriptor of revision 1")
    aces = tuple(_aces(raw, dacl)) if control & _DACL_PRESENT and dacl else None
    return SecurityDescriptor(_sid(raw, owner, len(raw)) if owner else None, aces)


def _unpack(layout: struct.Struct, raw: bytes, start: int, end: int) -> tuple[int, ...]:
    if start < 0 or start + layout.size > end:
        raise ValueError(f"it ends before the {layout.size} bytes at {start}")
    return layout.unpack_from(raw, start)


def _sid(raw: bytes, start: int, end: int) -> str:
    if start + _SID_HEADER > end:
        raise ValueError(f"it ends before the SID at {start}")
    size = _SID_HEADER + 4 * raw[start + 1]
    if start + size > end or raw[start] != 1 or raw[start + 1] > 15:
        raise ValueError(f"no SID at {start}")
    return identity.sid_from_bytes(raw[start : start + size])


def _aces(raw: bytes, start: int) -> Iterator[Ace]:
    _revision, _sbz, size, count, _sbz2 = _unpack(_ACL, raw, start, len(raw))
    end = start + size
    if end > len(raw):
        raise ValueError("the access control list is longer than the descriptor")
    position = start + _ACL.size
    for _unused in range(count):
        kind, flags, length = _unpack(_ACE, raw, position, end)
        if length < _ACE.size or position + length > end:
            raise ValueError(f"the entry at {position} does not fit into its list")
        ace = _ace(raw, position + _ACE.size, position + length, kind, flags)
        if ace is not None:
            yield ace
        position += length


def _ace(raw: bytes, start: int, end: int, kind: int, flags: int) -> Ace | None:
    inherit_only, inherits = bool(flags & _INHERIT_ONLY), bool(flags & _CONTAINER_INHERIT)
    if kind in _GRANTING_NOTHING:
        return None
    if kind not in _PLAIN and kind not in _OBJECT:
        return Ace(True, EVERYTHING, EVERYONE, None, inherit_only, None, inherits)
    if start + 4 > end:
        raise ValueError(f"the entry at {start} has no access mask")
    mask = int.from_bytes(raw[start : start + 4], "little")
    start += 4
    object_type = inherited_type = None
    if kind in _OBJECT:
        if start + 4 > end:
            raise ValueError(f"the entry at {start} has no flags")
        present = int.from_bytes(raw[start : start + 4], "little")
        start += 4
        if present & _OBJECT_TYPE_PRESENT:
            object_type = _guid(raw, start, end)
            start += 16
        if present & _INHERITED_TYPE_PRESENT:
            inherited_type = _guid(raw, start, end)
            start += 16
    allow = _PLAIN[kind] if kind in _PLAIN else _OBJECT[kind]
    return Ace(
        allow,
        mask,
        _sid(raw, start, end),
        object_type,
        inherit_only,
        inherited_type,
        inherits,
        conditional=kind in _CONDITIONAL,
        one_level=bool(flags & _NO_PROPAGATE),
    )


def _guid(raw: bytes, start: int, end: int) -> str:
    if start + 16 > end:
        raise ValueError(f"it ends before the GUID at {start}")
    return identity.guid_from_bytes(raw[start : start + 16])


def controllers(descriptor: SecurityDescriptor, guarded: frozenset[str]) -> frozenset[str]:
    """Return who may give the object away, as SIDs: the owner, and who may write the guarded, the DACL or the owner.

    Entries that deny are not subtracted: whether one takes effect depends on its place and on the groups of whoever
    comes, and a descriptor that needs one to be safe is not to be trusted. SELF and CREATOR OWNER stand as they are.
    An object without a DACL gives everyone everything.

    Parameters:
        descriptor: owner and DACL.
        guarded: GUIDs, in lower case, of the attributes, property sets and validated writes that matter.
    """
    found = {ace.trustee for ace in descriptor.aces or () if _controls(ace, guarded)}
    if descriptor.aces is None:
        found.add(EVERYONE)
    if descriptor.owner:
        found.add(descriptor.owner)
    return frozenset(found)


def _controls(ace: Ace, guarded: frozenset[str]) -> bool:
    if not ace.allow or ace.inherit_only:
        return False
    concerned = ace.object_type is None or ace.object_type in guarded
    return bool(ace.mask & _TAKES_OVER) or (concerned and bool(ace.mask & _WRITES))


def default_trusted(domain_sid: str, forest: Iterable[str]) -> frozenset[str]:
    """Return the SIDs that control a group by the defaults of Active Directory.

    They stand in the default security descriptor of the class group (MS-ADSC) or are inherited from the head of the
    domain (MS-ADTS 6.1.1.3). Enterprise Admins belongs to the root of the forest; since nobody says which domain that
    is, the one of each domain counts: a domain that is not the root has no such group.

    Parameters:
        domain_sid: SID of the object's domain.
        forest: SIDs of all domains of the forest.
    """
    enterprise = (f"{sid}-{_ENTERPRISE_ADMINS}" for sid in (domain_sid, *forest))
    return frozenset((*_WELL_KNOWN_TRUSTED, f"{domain_sid}-{_DOMAIN_ADMINS}", *enterprise))


def denies_deletion(descriptor: SecurityDescriptor) -> bool:
    """Return whether an entry denies deletion, as the protection from accidental deletion does (MS-ADTS 5.1.3.2)."""
    return any(not ace.allow and not ace.inherit_only and ace.mask & _DELETES for ace in descriptor.aces or ())
