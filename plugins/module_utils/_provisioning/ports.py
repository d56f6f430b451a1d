# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the rules ask of the outside world; the adapters fill these."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import GpadError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.membership import Wanted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    DirectoryGroup,
    DomainInfo,
    Link,
    LinkFacts,
    Principal,
    Reading,
    Values,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.naming import Occupied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.schema import AttributeSchema
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.scope import Decision


@dataclass(frozen=True, slots=True)
class SnapshotHeader:
    """What a snapshot says of itself.

    Parameters:
        tenant_id: the tenant it was captured from.
        captured_at: ISO 8601, UTC.
        fingerprint: changes with every capture.
        incomplete: why the capture is not whole, or an empty string.
        check_mode: captured in check mode.
        narrowed: captured for a few named groups only.
    """

    tenant_id: str
    captured_at: str
    fingerprint: str
    incomplete: str = ""
    check_mode: bool = False
    narrowed: bool = False


@dataclass(frozen=True, slots=True)
class CapturedGroup:
    """A group of the snapshot with the decision on it and the number of its direct members."""

    group: CloudGroup
    decision: Decision
    member_count: int


class CloudReader(Protocol):
    """The snapshot, as the plan reads it."""

    @property
    def header(self) -> SnapshotHeader:
        """What the snapshot says of itself."""

    def groups(self) -> Iterator[CapturedGroup]:
        """Yield every captured group, in a stable order."""

    def members(self, group_id: str) -> Reading[tuple[Principal, ...]]:
        """Return the direct members of a group."""

    def known_sids(self, sids: Collection[str]) -> frozenset[str]:
        """Return which of these on-premises SIDs belong to a readable Entra principal."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """Every object of the domain that carries a group anchor.

    Parameters:
        groups: group objects inside the managed containers.
        elsewhere: DN and anchor of all others; an anchor there has no effect.
    """

    groups: tuple[DirectoryGroup, ...]
    elsewhere: tuple[tuple[str, str], ...]


class DirectoryReader(Protocol):
    """Active Directory, as the plan reads it. Every reading is complete or an exception."""

    @property
    def domain(self) -> DomainInfo:
        """The domain that is written to."""

    def anchored(self) -> Anchored:
        """Return the objects with a group anchor."""

    def groups(
        self, guids: Collection[str], sids: Collection[str], anchors: Collection[str] = ()
    ) -> tuple[DirectoryGroup, ...]:
        """Return the groups inside the managed containers that have one of these GUIDs, SIDs or anchors."""

    def deleted(self, anchors: Collection[str]) -> Mapping[str, str] | None:
        """Return the anchors that deleted objects carry, with the DN of one such object each.

        None when the account may not see deleted objects, so that nothing is known of them.
        """

    def containers(self, names: Collection[str]) -> frozenset[str]:
        """Return which of these containers exist."""

    def schema(self, names: Collection[str]) -> Mapping[str, AttributeSchema]:
        """Return what the schema says of these attributes, by name in lower case; unknown ones are absent."""

    def taken(self, attribute: str, values: Collection[str]) -> frozenset[str]:
        """Return which of these values some object of the domain has in an attribute."""

    def occupied(self, cns: Collection[str], sams: Collection[str]) -> Occupied:
        """Return the DNs of objects with one of these relative names, and the accounts with one of these names."""

    def links(self, guids: Collection[str]) -> Iterator[tuple[str, tuple[Link, ...]]]:
        """Yield GUID and links of each of these groups that exists."""

    def resolve(self, sids: Collection[str]) -> Mapping[str, Link]:
        """Return the objects of the domain with these SIDs."""

    def facts(self, guids: Collection[str]) -> Mapping[str, LinkFacts]:
        """Return what the directory says of these objects."""


@dataclass(frozen=True, slots=True)
class MemberResult:
    """What became of one group's links.

    Parameters:
        added: objectGUIDs of the links that were added.
        removed: objectGUIDs of the links that were removed.
        failed: objectGUID of each link that was refused, with the error.
    """

    added: frozenset[str]
    removed: frozenset[str]
    failed: Mapping[str, GpadError]


class DirectoryWriter(Protocol):
    """Active Directory, as apply writes it. A refused write raises ObjectError; a dead connection DirectoryError."""

    def create_container(self, name: str) -> None:
        """Create an organizational unit or container."""

    def create(self, name: str, attributes: Mapping[str, Values]) -> DirectoryGroup:
        """Create a group and return it with its GUID and SID."""

    def modify(self, guid: str, attributes: Mapping[str, Values]) -> None:
        """Replace the values of attributes; an empty tuple clears one."""

    def relocate(self, guid: str, new_dn: str) -> None:
        """Rename and move an object in one operation, keeping its SID."""

    def change_members(self, guid: str, add: Collection[str], remove: Collection[str]) -> MemberResult:
        """Add and remove links by the objectGUIDs of the members."""


@dataclass(frozen=True, slots=True)
class KnownGroup:
    """What the journal remembers of a cloud group.

    Parameters:
        guid: objectGUID of its directory object.
        accepted: the object was born here, or its foreign links were accepted.
    """

    guid: str
    accepted: bool


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of one change.

    Parameters:
        action: the change's action.
        id: object id of the cloud group.
        name: its displayName.
        guid: objectGUID, None when creation failed.
        dn: where the object is.
        status: `done`, `partial` or `failed`.
        before: values before.
        after: values after.
        added: GUIDs added to `member`.
        removed: GUIDs removed from it.
        error: why it failed, or None.
        added_ids: object ids of the cloud principals behind `added`.
    """

    action: str
    id: str
    name: str
    guid: str | None
    dn: str
    status: str
    before: Mapping[str, Values]
    after: Mapping[str, Values]
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    error: GpadError | None = None
    added_ids: frozenset[str] = frozenset()


class Journal(Protocol):
    """The memory of the directory side."""

    def known(self) -> Mapping[str, KnownGroup]:
        """Return what is remembered of each cloud group, by object id."""

    def remember(self, cloud_id: str, guid: str, *, accepted: bool) -> None:
        """Remember the directory object of a cloud group."""

    def record(self, applied: Applied) -> None:
        """Write down what became of a change."""


def wanted_guids(wanted: Iterable[Wanted], created: Mapping[str, KnownGroup]) -> dict[str, Wanted]:
    """Return the wanted links by objectGUID, taking the GUIDs of groups created meanwhile from the journal.

    A group whose creation failed has none and is left out.
    """
    result: dict[str, Wanted] = {}
    for want in wanted:
        guid = want.guid or (created[want.id].guid if want.id in created else None)
        if guid:
            result[guid] = want
    return result
