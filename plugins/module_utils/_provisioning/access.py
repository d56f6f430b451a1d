# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an account may do something, worked out from an access control list (MS-ADTS 5.1.3.3)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import rights
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.rights import Ace, SecurityDescriptor

# schemaIDGUID of the class group (MS-ADSC).
GROUP_CLASS = "bf967a9c-0de6-11d0-a285-00aa003049e2"
# Control access right Reanimate-Tombstones (MS-ADTS 5.1.3.2.1).
REANIMATE_TOMBSTONES = "45ec5156-db7e-47bb-b53f-dbeb2d03c40f"


def may(
    descriptor: SecurityDescriptor, token: Collection[str], right: int, about: Collection[str] = frozenset()
) -> bool:
    """Return whether the first entry that speaks of the right to somebody in the token grants it.

    Entries that rights.parse did not understand grant nothing here, nor do those that allow under a condition: what is
    not understood is not promised. One that denies under a condition denies.

    Parameters:
        descriptor: of the object.
        token: SIDs of the account and of its groups.
        right: one bit of the access mask.
        about: GUIDs, in lower case, of the attribute and its property set, the class, or the control access right.
    """
    if descriptor.aces is None:
        return True
    for ace in descriptor.aces:
        if (
            ace.inherit_only
            or ace.trustee not in token
            or not _speaks_of(ace, right)
            or (ace.allow and ace.conditional)
        ):
            continue
        if ace.object_type is None or ace.object_type in about:
            return ace.allow
    return False


def _speaks_of(ace: Ace, right: int) -> bool:
    if ace.mask == rights.EVERYTHING:
        return False
    writing = right in (rights.WRITE_PROPERTY, rights.WRITE_SELF)
    return bool(ace.mask & (right | rights.GENERIC_ALL) or (writing and ace.mask & rights.GENERIC_WRITE))


def inherited(descriptor: SecurityDescriptor, of_class: str) -> SecurityDescriptor:
    """Return what a new object of a class would inherit from its container (MS-ADTS 5.1.3.4, MS-DTYP 2.5.3.4)."""
    if descriptor.aces is None:
        return descriptor
    kept = (ace for ace in descriptor.aces if ace.inherits and ace.inherited_type in (None, of_class))
    return SecurityDescriptor(None, tuple(replace(ace, inherit_only=False) for ace in kept))
