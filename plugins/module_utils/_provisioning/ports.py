# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the rules ask of the outside world; the adapters fill these."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import GpadError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.membership import Wanted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    Account,
    CloudGroup,
    DeletedGroup,
    DirectoryGroup,
    DomainInfo,
    Fate,
    HeldLinks,
    LinkFacts,
    Nesting,
    Principal,
    Reading,
    Values,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.naming import Occupied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.rights import SecurityDescriptor
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.schema import AttributeSchema
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.scope import Decision
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word

_T = TypeVar("_T")


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
        scope_doubt: why it is not sure which groups are out of scope, or an empty string.
        other_writers: name and id of each job that writes cloud groups to Active Directory as well.
        sequence: how many readings of changes there were since the full one that it goes back to.
        full_at: when that full reading was, ISO 8601, UTC.
    """

    tenant_id: str
    captured_at: str
    fingerprint: str
    incomplete: str = ""
    check_mode: bool = False
    narrowed: bool = False
    scope_doubt: str = ""
    other_writers: tuple[str, ...] = ()
    sequence: int = 0
    full_at: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether all groups were captured, with all that was asked of them."""
        return not (self.incomplete or self.scope_doubt or self.narrowed)


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

    def member_sids(self, group_id: str) -> frozenset[str] | None:
        """Return the SIDs of all direct members of a group; None unless they say all that there is to say of them.

        They do where all members were read, and each is a readable user with a SID that no other member has, and
        without onPremisesObjectIdentifier.
        """

    def known_sids(self, sids: Collection[str]) -> frozenset[str]:
        """Return which of these on-premises SIDs belong to a readable Entra principal."""

    def reading(self, sequence: int) -> str | None:
        """Return the fingerprint of the snapshot that this one goes back to, so many readings behind the full one."""

    def changed_since(self, sequence: int) -> frozenset[str]:
        """Return the ids of the groups that changed, themselves or in their members, after a reading of changes."""

    def groups_with(self, principals: Collection[str]) -> frozenset[str]:
        """Return the ids of the groups that list one of these as a direct member."""

    def accounts(self, changed: ChangedObjects) -> frozenset[str]:
        """Return the ids of the listed members whose accounts on premises are among the changed objects."""

    def fates(self) -> Mapping[str, Fate]:
        """Return what became of the groups that were asked for by id and are no living groups, by object id."""


@dataclass(frozen=True, slots=True)
class Anchored:
    """Every object of the domain that carries a group anchor.

    Parameters:
        groups: group objects inside the managed containers.
        elsewhere: DN and anchor of all others; an anchor there has no effect.
    """

    groups: tuple[DirectoryGroup, ...]
    elsewhere: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ChangedObjects:
    """What changed in the domain since a moment, deleted and restored objects included.

    Parameters:
        guids: the objectGUIDs, source anchors that accounts keep in mS-DS-ConsistencyGuid, and the objectGUIDs of the
            groups that have one of these as a member.
        sids: the objectSids.
        anchors: the group anchors on them.
        doubt: why more may have changed than is told, or an empty string.
    """

    guids: frozenset[str] = frozenset()
    sids: frozenset[str] = frozenset()
    anchors: frozenset[str] = frozenset()
    doubt: str = ""


class DirectoryReader(Protocol):
    """Active Directory, as the plan reads it. Every reading is complete or an exception."""

    @property
    def domain(self) -> DomainInfo:
        """The domain that is written to."""

    def anchored(self) -> Anchored:
        """Return the objects with a group anchor."""

    def changed(self, since: int) -> ChangedObjects:
        """Return what changed after a sequence number of this domain controller."""

    def groups(
        self, guids: Collection[str], sids: Collection[str], anchors: Collection[str] = ()
    ) -> tuple[DirectoryGroup, ...]:
        """Return the groups inside the managed containers that have one of these GUIDs, SIDs or anchors."""

    def deleted(
        self, anchors: Collection[str], sids: Collection[str] = (), guids: Collection[str] = ()
    ) -> tuple[DeletedGroup, ...] | None:
        """Return the deleted groups that have one of these anchors, SIDs or GUIDs, wherever they were.

        None when the account may not see deleted objects, so that nothing is known of them.
        """

    def security(self, guids: Collection[str], *, deleted: bool = False) -> Mapping[str, SecurityDescriptor]:
        """Return owner and access control list of these objects; one that cannot be read is absent."""

    def account_sid(self) -> str | None:
        """Return the SID of the account that is logged on, or None where it cannot be told."""

    def protected(self, names: Collection[str]) -> frozenset[str]:
        """Return the objectGUIDs of the groups that guard the domain, and of all groups inside them at any depth.

        Parameters:
            names: sAMAccountNames, SIDs or DNs of further such groups, folded.
        """

    def nesting(self, guids: Collection[str]) -> Mapping[str, Nesting]:
        """Return what stands around these groups."""

    def containers(self, names: Collection[str]) -> frozenset[str]:
        """Return which of these containers exist."""

    def schema(self, names: Collection[str]) -> Mapping[str, AttributeSchema]:
        """Return what the schema says of these attributes, by name in lower case; unknown ones are absent."""

    def taken(self, attribute: str, values: Collection[str]) -> frozenset[str]:
        """Return which of these values some object of the domain has in an attribute."""

    def occupied(self, cns: Collection[str], sams: Collection[str]) -> Occupied:
        """Return the DNs of objects with one of these relative names, and the accounts with one of these names."""

    def links(self, guids: Collection[str]) -> Iterator[HeldLinks]:
        """Yield the links of each of these groups that exists."""

    def links_ahead(self, batches: Iterable[Sequence[str]]) -> Iterator[Sequence[HeldLinks]]:
        """Yield the links of the groups of each batch; the next ones may be read while one is looked at."""

    def resolve(self, sids: Collection[str]) -> Mapping[str, Account]:
        """Return the accounts with these SIDs, those of other domains from the global catalog where there is one."""

    def anchored_accounts(self, guids: Collection[str]) -> Mapping[str, tuple[Account, ...]]:
        """Return the accounts whose mS-DS-ConsistencyGuid, or else objectGUID, is one of these source anchors."""

    def facts(self, guids: Collection[str]) -> Mapping[str, LinkFacts]:
        """Return what the directory says of these objects, the global catalog included; unknown ones are absent."""


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


class WriteOrder(Word):
    """Which links of a group are written first, so that a run that breaks off leaves too much or too little access."""

    ADDITIONS_FIRST = "additions_first"
    REMOVALS_FIRST = "removals_first"


class DirectoryWriter(Protocol):
    """Active Directory, as apply writes it. A refused write raises ObjectError; a dead connection DirectoryError."""

    def begin(self, step: Callable[[DirectoryWriter], _T]) -> Callable[[], _T]:
        """Begin a step in the background; return what waits for its end and gives its result or raises its error.

        Steps are carried out in the order in which they are begun, one after the other; none of the other methods may
        be called while one is under way.
        """

    def create_container(self, name: str) -> None:
        """Create an organizational unit or container."""

    def create(self, name: str, attributes: Mapping[str, Values]) -> DirectoryGroup:
        """Create a group and return it with its GUID and SID."""

    def modify(self, guid: str, attributes: Mapping[str, Values]) -> None:
        """Replace the values of attributes; an empty tuple clears one."""

    def relocate(self, guid: str, new_dn: str) -> None:
        """Rename and move an object in one operation, keeping its SID."""

    def restore(self, guid: str, new_dn: str, attributes: Mapping[str, Values]) -> None:
        """Bring a deleted object back under a name, with these values, in one operation, keeping its SID."""

    def delete(self, guid: str) -> None:
        """Delete an object."""

    def change_members(self, guid: str, add: Mapping[str, str], remove: Mapping[str, str]) -> MemberResult:
        """Add and remove links.

        Parameters:
            guid: objectGUID of the group.
            add: objectGUID of each member to add, to its DN where it is in another domain, else an empty string.
            remove: the same of each member to remove.
        """


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
        reason: why the change was planned, one phrase.
        at: when, ISO 8601, where another journal wrote it down first; else empty.
        milliseconds: how long it took, in that case.
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
    reason: str = ""
    at: str = ""
    milliseconds: int = 0


class Journal(Protocol):
    """The memory of the directory side."""

    def known(self) -> Mapping[str, KnownGroup]:
        """Return what is remembered of each cloud group, by object id."""

    def stopped(self) -> str | None:
        """Return why runs are stopped, or None."""

    def over(self) -> str | None:
        """Return since when the slice of this journal may write no more, ISO 8601; None where it may."""

    def added(self, cloud_ids: Collection[str]) -> Mapping[str, frozenset[str]]:
        """Return the objectGUIDs of the members that earlier runs added to the objects of these cloud groups."""

    def remember(self, cloud_id: str, guid: str, *, accepted: bool) -> None:
        """Remember the directory object of a cloud group."""

    def forget(self, cloud_id: str) -> None:
        """Forget the directory object of a cloud group."""

    def undecided(self) -> frozenset[str]:
        """Return the object ids of groups whose adoption the last run asked about."""

    def remember_undecided(self, cloud_ids: Collection[str]) -> None:
        """Remember of which groups, and no others, the adoption waits for a decision."""

    def remember_left(self, cloud_ids: Collection[str], now: str) -> None:
        """Remember since when these cloud groups, and no others, are out of scope."""

    def left(self) -> Mapping[str, str]:
        """Return since when cloud groups with a directory object are out of scope, ISO 8601 by object id."""

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
