# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a preflight says of the managed containers and of the groups in them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import access, rights
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.access import GROUP_CLASS
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.preflight import (
    Row,
    Status,
    judged,
    listed,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.rights import SecurityDescriptor

# Cloud Sync is documented for so many groups, with an attribute filter (learn.microsoft.com/entra/identity/hybrid/
# cloud-sync, "Group provision to Active Directory").
_DOCUMENTED_GROUPS = 20_000
# What one restore writes beside the mapped attributes (MS-ADTS 3.1.1.5.3.7).
RESTORED = ("isDeleted", "distinguishedName", "adminDescription", "cn", "name")
RENAMED = ("cn", "name")


@dataclass(frozen=True, slots=True)
class HeldGroup:
    """A group in a managed container.

    Parameters:
        dn: where it is.
        descriptor: its owner and DACL, or None where they are hidden.
        parent: those of its container, or None.
    """

    dn: str
    descriptor: SecurityDescriptor | None
    parent: SecurityDescriptor | None


@dataclass(frozen=True, slots=True)
class ContainerFacts:
    """What was read of one managed container.

    Parameters:
        dn: its name.
        there: it exists, and may be read.
        creatable: classes of which the account may create objects, as the server computes them.
        descriptor: its owner and DACL, or None where they are hidden.
        sample: DN of a group below it, or an empty string.
        writable: attributes of that group that the account may write, as the server computes them, in lower case.
        groups: the groups that were looked at.
        guarded: those, of all, that AdminSDHolder guards.
        count: how many groups there are.
    """

    dn: str
    there: bool
    creatable: frozenset[str] = frozenset()
    descriptor: SecurityDescriptor | None = None
    sample: str = ""
    writable: frozenset[str] = frozenset()
    groups: tuple[HeldGroup, ...] = ()
    guarded: tuple[str, ...] = ()
    count: int = 0


@dataclass(frozen=True, slots=True)
class Rights:
    """What rights are judged by.

    Parameters:
        token: SIDs of the account and its groups.
        written: LDAP names of the attributes that provisioning writes.
        guids: attribute in lower case to the GUIDs of itself and of its property set.
        units: organizational units are to be created.
    """

    token: frozenset[str]
    written: Sequence[str]
    guids: Mapping[str, frozenset[str]]
    units: bool = False

    def unknown(self, attributes: Collection[str]) -> str:
        """Return why nothing can be said of writing these attributes, or an empty string."""
        if not self.token:
            return "the server does not tell the SIDs of the account's token"
        lacking = sorted(name for name in attributes if name.lower() not in self.guids)
        return f"the schema lacks or hides {', '.join(lacking)}" if lacking else ""


def container_rows(facts: ContainerFacts, held: Rights) -> Iterator[Row]:
    """Yield what is and is not as provisioning needs it in one container."""
    yield judged(
        f"container {facts.dn}",
        facts.there,
        "it is there" if facts.there else "it is not there, or hidden from the account",
        "Create it, or correct managed_containers.",
    )
    if not facts.there:
        return
    creates = "group" in facts.creatable
    yield judged(
        f"create groups in {facts.dn}",
        creates,
        "allowed" if creates else "not allowed",
        "Grant the account the right to create group objects there (role gpad_delegate).",
    )
    if held.units:
        units = "organizationalUnit" in facts.creatable
        yield judged(
            f"create organizational units in {facts.dn}",
            units,
            "allowed" if units else "not allowed",
            "Grant the account the right to create organizational units there (role gpad_delegate).",
        )
    yield _writing(facts, held)
    yield _deleting(facts, held)
    yield _restoring(facts, held)
    yield _guarded(facts)
    yield _protected(facts)
    yield judged(
        f"size of {facts.dn}",
        facts.count <= _DOCUMENTED_GROUPS,
        f"{facts.count} groups",
        f"Microsoft documents Cloud Sync for {_DOCUMENTED_GROUPS} groups at most; watch how long runs take.",
        Status.WARNING,
    )


def _lacking(descriptor: SecurityDescriptor, held: Rights, attributes: Collection[str]) -> list[str]:
    """Return the attributes that the account may not write on an object."""
    return sorted(
        name
        for name in attributes
        if not access.may(descriptor, held.token, rights.WRITE_PROPERTY, held.guids[name.lower()])
    )


def _writing(facts: ContainerFacts, held: Rights) -> Row:
    check = f"write groups in {facts.dn}"
    if facts.sample:
        lacking = sorted(name for name in held.written if name.lower() not in facts.writable)
        where = f"on {facts.sample}"
    elif facts.descriptor is None:
        return Row(check, Status.UNKNOWN, "no group there yet, and the DACL of the container is hidden")
    elif held.unknown(held.written):
        return Row(check, Status.UNKNOWN, held.unknown(held.written))
    else:
        lacking = _lacking(access.inherited(facts.descriptor, GROUP_CLASS), held, held.written)
        where = "on new groups, by what they inherit"
    found = f"not allowed {where}: {', '.join(lacking)}" if lacking else f"allowed {where}"
    remedy = "Grant the account the right to write these attributes of descendant group objects (role gpad_delegate)."
    return judged(check, not lacking, found, remedy)


def _may_leave(group: HeldGroup, held: Rights) -> bool:
    """Return whether the account may delete a group: by the right on itself, or on its container."""
    own = group.descriptor is not None and access.may(group.descriptor, held.token, rights.DELETE)
    return own or (
        group.parent is not None and access.may(group.parent, held.token, rights.DELETE_CHILD, {GROUP_CLASS})
    )


def _deleting(facts: ContainerFacts, held: Rights) -> Row:
    """Judge deletion and moves: both take the object from its container (MS-ADTS 3.1.1.5.4 and 3.1.1.5.5)."""
    check = f"delete and move groups in {facts.dn}"
    remedy = "Grant the account Delete on descendant group objects, and cn and name (role gpad_delegate)."
    why = held.unknown(RENAMED)
    if why:
        return Row(check, Status.UNKNOWN, why)
    seen = [group for group in facts.groups if group.descriptor is not None]
    if facts.groups:
        held_back = [
            group.dn
            for group in seen
            if not _may_leave(group, held) or (group.descriptor and _lacking(group.descriptor, held, RENAMED))
        ]
        found = f"not allowed for {len(held_back)} of {len(seen)} groups looked at: {listed(held_back)}"
        return (
            Row(check, Status.WARNING, found, remedy)
            if held_back
            else _of_all(facts, check, f"allowed for the {len(seen)} groups looked at")
        )
    if facts.descriptor is None:
        return Row(check, Status.UNKNOWN, "no DACL can be read there")
    new = HeldGroup("", access.inherited(facts.descriptor, GROUP_CLASS), facts.descriptor)
    fine = _may_leave(new, held) and not (new.descriptor and _lacking(new.descriptor, held, RENAMED))
    found = "allowed for new groups, by what they inherit" if fine else "not allowed for new groups"
    return judged(check, fine, found, remedy, Status.WARNING)


def _restoring(facts: ContainerFacts, held: Rights) -> Row:
    check = f"restore groups to {facts.dn}"
    if facts.descriptor is None:
        return Row(check, Status.UNKNOWN, "the DACL of the container is hidden")
    why = held.unknown(RESTORED)
    if why:
        return Row(check, Status.UNKNOWN, why)
    # A tombstone keeps the DACL that it had (MS-ADTS 3.1.1.5.5), which the container gave it.
    lacking = _lacking(access.inherited(facts.descriptor, GROUP_CLASS), held, RESTORED)
    if not access.may(facts.descriptor, held.token, rights.CREATE_CHILD, {GROUP_CLASS}):
        lacking.append("creating groups")
    found = f"not allowed: {', '.join(lacking)}" if lacking else "allowed for groups that the container gave its rights"
    remedy = "Grant the account these rights on descendant group objects (role gpad_delegate)."
    return judged(check, not lacking, found, remedy, Status.WARNING)


def _of_all(facts: ContainerFacts, check: str, found: str) -> Row:
    """Return the row of what was found fine: it is known only if each group was looked at, and none hidden."""
    hidden = sum(group.descriptor is None for group in facts.groups)
    left = [f"{len(facts.groups)} of {facts.count} groups were looked at"] if len(facts.groups) < facts.count else []
    left += [f"the DACL of {hidden} is hidden"] if hidden else []
    return Row(check, Status.UNKNOWN if left else Status.OK, "; ".join([found, *left]))


def _guarded(facts: ContainerFacts) -> Row:
    names = facts.guarded
    return judged(
        f"groups under AdminSDHolder in {facts.dn}",
        not names,
        f"{len(names)} with adminCount 1: {listed(names)}" if names else "none",
        "They are never written. Take them out of protected groups and clear adminCount, or out of the scope.",
        Status.WARNING,
    )


def _protected(facts: ContainerFacts) -> Row:
    names = [group.dn for group in facts.groups if _is_protected(group)]
    check = f"protected from deletion in {facts.dn}"
    if not names:
        return _of_all(facts, check, "none")
    remedy = "Moving and deleting them fails. Take the protection off those that may go, or set retire accordingly."
    return Row(check, Status.WARNING, f"{len(names)}: {listed(names)}", remedy)


def _is_protected(group: HeldGroup) -> bool:
    """Return whether the tick "Protect object from accidental deletion" is set: an entry that denies deletion."""
    return group.descriptor is not None and rights.denies_deletion(group.descriptor)
