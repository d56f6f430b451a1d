# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading what a preflight judges of a managed container: effective rights, access control lists, groups."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    OWNER_AND_DACL_CONTROL,
    Entry,
    Session,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, rights
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.preflight_containers import (
    ContainerFacts,
    HeldGroup,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.rights import SecurityDescriptor

# Access control lists are kilobytes each: beyond so many groups they are counted and not looked at.
MOST_LOOKED_AT = 1000
_INNER = "(|(objectClass=organizationalUnit)(objectClass=container))"


def descriptor_of(entry: Entry | None) -> SecurityDescriptor | None:
    """Return owner and DACL of an entry, or None where they are hidden or make no sense."""
    raw = entry.first("nTSecurityDescriptor") if entry else None
    if raw is None:
        return None
    try:
        return rights.parse(raw)
    except ValueError:
        return None


def read_container(session: Session, container: str) -> ContainerFacts:
    """Return what is known of a managed container. A hidden one is as if it were not there.

    The rights are those that the server computes for the account (allowedChildClassesEffective and
    allowedAttributesEffective, MS-ADTS 3.1.1.4.5).

    Raises:
        DirectoryError: a search did not reach its end.
    """
    wanted = ("allowedChildClassesEffective", "nTSecurityDescriptor", "objectClass")
    found = session.search(container, "(objectClass=*)", wanted, scope="BASE", controls=(OWNER_AND_DACL_CONTROL,))
    entry = next(found, None)
    if entry is None:
        return ContainerFacts(container, there=False)
    inner = {
        dn.folded(one.dn): descriptor_of(one)
        for one in session.search(container, _INNER, ("nTSecurityDescriptor",), controls=(OWNER_AND_DACL_CONTROL,))
    }
    inner[dn.folded(container)] = descriptor_of(entry)
    names = [one.dn for one in session.search(container, "(objectClass=group)", ())]
    looked: list[HeldGroup] = []
    for one in _groups(session, container) if names else ():
        above = inner.get(dn.folded(dn.parent(one.dn)))
        looked.append(HeldGroup(one.dn, descriptor_of(one), above))
        if len(looked) == MOST_LOOKED_AT:
            break
    guarded = tuple(one.dn for one in session.search(container, "(&(objectClass=group)(adminCount=1))", ()))
    sample = next((group.dn for group in looked if group.dn not in guarded), "")
    return ContainerFacts(
        container,
        there=True,
        creatable=frozenset(entry.texts("allowedChildClassesEffective")),
        descriptor=descriptor_of(entry),
        sample=sample,
        writable=_writable(session, sample) if sample else frozenset(),
        groups=tuple(looked),
        guarded=guarded,
        count=len(names),
    )


def _groups(session: Session, container: str) -> Iterator[Entry]:
    wanted = ("nTSecurityDescriptor",)
    return session.search(container, "(objectClass=group)", wanted, controls=(OWNER_AND_DACL_CONTROL,))


def _writable(session: Session, group: str) -> frozenset[str]:
    entry = next(session.search(group, "(objectClass=*)", ("allowedAttributesEffective",), scope="BASE"), None)
    return frozenset(name.lower() for name in entry.texts("allowedAttributesEffective")) if entry else frozenset()
