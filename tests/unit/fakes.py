# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ports filled in memory: a small model of a directory, of a snapshot and of a journal.

The directory keeps what Active Directory keeps: GUID and SID of an object survive renames and moves, links follow the
object, a name is there once, a container must exist, and one modify is applied whole or not at all.
"""

from __future__ import annotations

import uuid
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity, scope_change
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import (
    ANCHOR,
    SAM,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.directory_facts import (
    GroupFacts,
    MemberFact,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    DirectoryError,
    GpadError,
    ObjectError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    Account,
    CloudGroup,
    CompleteReading,
    DeletedGroup,
    DirectoryGroup,
    DomainInfo,
    Fate,
    HeldLinks,
    IncompleteReading,
    Link,
    LinkFacts,
    Nesting,
    Principal,
    PrincipalKind,
    Reading,
    Values,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.naming import Occupied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import (
    Anchored,
    Applied,
    CapturedGroup,
    ChangedObjects,
    DirectoryWriter,
    KnownGroup,
    MemberResult,
    SnapshotHeader,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.rights import SecurityDescriptor
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.schema import AttributeSchema
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.scope import Scope, decide
from tests.unit import samples

_T = TypeVar("_T")

# A few attributes as Windows Server's schema defines them, and one of each kind that no mapping can write.
SCHEMA = {
    entry.name.lower(): entry
    for entry in (
        AttributeSchema("cn", "2.5.5.12", True, 1, 64),
        AttributeSchema("description", "2.5.5.12", False, 0, 1024),
        AttributeSchema("displayName", "2.5.5.12", True, 0, 256),
        AttributeSchema("info", "2.5.5.12", True, 1, 1024),
        AttributeSchema("mail", "2.5.5.12", True, 0, 256),
        AttributeSchema(SAM, "2.5.5.12", True, 0, 256),
        AttributeSchema("managedBy", "2.5.5.1", True),
        AttributeSchema("whenCreated", "2.5.5.11", True, writable=False),
        AttributeSchema("userCertificate", "2.5.5.10", False),
        AttributeSchema("givenName", "2.5.5.12", True, 1, 64, on_group=False),
    )
}
# What a tombstone keeps without the Recycle Bin (MS-ADTS 3.1.1.5.5.1.1).
_KEPT = (ANCHOR, SAM, "groupType")
_NAMESPACE = uuid.UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")


@dataclass(slots=True)
class Node:
    """One object of the directory."""

    guid: str
    sid: str | None
    dn: str
    object_class: str = "user"
    attributes: dict[str, Values] = field(default_factory=dict)
    members: set[str] = field(default_factory=set)
    sid_history: tuple[str, ...] = ()
    device_id: str | None = None
    consistency_guid: str | None = None
    primary_group: int | None = 513
    usn: int = 1
    owner: str | None = samples.OWN_SID

    def copy(self) -> Node:
        """Return the same object, to be changed on its own."""
        return replace(self, attributes=dict(self.attributes), members=set(self.members))


class FakeDirectory:
    """A directory that can be read and written; fills DirectoryReader and DirectoryWriter.

    `writes` holds the kind of each write that succeeded and the GUID it went to. After `writes_left` writes the
    connection is dead; members in `refused` cannot be linked; the links of groups in `cut` cannot be read to the end.
    Without `tells_sids` the SIDs of a group's links do not come beside them, so that all are compared one by one.
    Deleted objects keep their links only with the Recycle Bin. `places` holds the DN that each link was written by.
    """

    def __init__(self, nodes: Iterable[Node] = (), *, containers: Iterable[str] = ()) -> None:
        self.nodes = {node.guid: node for node in nodes}
        self.tombstones: dict[str, Node] = {}
        self.recycle_bin = False
        self.cut: set[str] = set()
        self.tells_sids = True
        self.descriptors: dict[str, SecurityDescriptor] = {}
        self.guarding: set[str] = set()
        self.info = samples.DOMAIN
        self.existing = [samples.MANAGED, samples.SUB, samples.OUTSIDE, *containers]
        self.schema_entries = dict(SCHEMA)
        self.managed: tuple[str, ...] = (samples.MANAGED,)
        self.writes: list[tuple[str, str]] = []
        self.writes_left: int | None = None
        self.refused: set[str] = set()
        self.reversed = False
        self.deleted_hidden = False
        self.questions: list[str] = []
        self.places: dict[str, str] = {}
        self.marks: dict[int, dict[str, Node]] = {}

    def __repr__(self) -> str:
        """Show the objects, for the examples that fail."""
        return f"FakeDirectory({list(self.nodes.values())}, deleted={list(self.tombstones)})"

    @property
    def domain(self) -> DomainInfo:
        """The domain of the samples."""
        return self.info

    def copy(self) -> FakeDirectory:
        """Return the same directory, to be changed on its own."""
        other = FakeDirectory(node.copy() for node in self.nodes.values())
        other.existing, other.managed = list(self.existing), self.managed
        other.tombstones = {guid: node.copy() for guid, node in self.tombstones.items()}
        other.refused, other.cut, other.guarding = set(self.refused), set(self.cut), set(self.guarding)
        other.descriptors, other.recycle_bin, other.info = dict(self.descriptors), self.recycle_bin, self.info
        other.schema_entries, other.deleted_hidden = dict(self.schema_entries), self.deleted_hidden
        return other

    def state(self) -> dict[str, tuple[object, ...]]:
        """Return everything that the directory holds, in a form that can be compared."""
        return {
            node.guid: (node.sid, node.dn, node.object_class, dict(node.attributes), frozenset(node.members))
            for node in self.nodes.values()
        }

    def add_group(self, group: DirectoryGroup, members: Iterable[str] = ()) -> Node:
        """Put a group there."""
        attributes = {name: values for name, values in group.attributes.items() if values}
        node = Node(group.guid, group.sid, group.dn, "group", attributes, set(members))
        self.nodes[node.guid] = node
        return node

    def add_user(self, number: int, security_identifier: str | None = "") -> Node:
        """Put the account of the sample user with this number there."""
        link = samples.link(number, security_identifier)
        node = Node(link.guid, link.sid, link.dn)
        self.nodes[node.guid] = node
        return node

    def _ordered(self) -> list[Node]:
        nodes = list(self.nodes.values())
        return nodes[::-1] if self.reversed else nodes

    def _managed_group(self, node: Node) -> bool:
        return node.object_class == "group" and any(dn.is_under(node.dn, outer) for outer in self.managed)

    @staticmethod
    def _as_group(node: Node) -> DirectoryGroup:
        return DirectoryGroup(node.guid, node.sid or "", node.dn, {**node.attributes, "uSNChanged": (str(node.usn),)})

    def mark(self) -> int:
        """Remember all objects under a new highest sequence number, and return it."""
        number = len(self.marks) + 1
        self.marks[number] = {guid: node.copy() for guid, node in self.nodes.items()}
        self.info = replace(self.info, highest_usn=number)
        return number

    def changed(self, since: int) -> ChangedObjects:
        """Return what changed since a mark; that a member vanished or came back does not change the group."""
        before = self.marks[since]

        def shown(nodes: Mapping[str, Node]) -> dict[str, tuple[object, ...]]:
            both = before.keys() & self.nodes.keys()
            return {
                node.guid: (node.dn, node.attributes, node.members & both, node.consistency_guid)
                for node in nodes.values()
            }

        old, new = shown(before), shown(self.nodes)
        guids = {guid for guid in {*old, *new} if old.get(guid) != new.get(guid)}
        # Of a deleted object GUID and SID are left; the marks on living ones are those of now.
        gone = [before[guid] for guid in guids - self.nodes.keys()]
        nodes = [node for node in self.nodes.values() if node.guid in guids]
        around = {node.guid for node in self.nodes.values() if node.members & guids & self.nodes.keys()}
        return ChangedObjects(
            frozenset(guids) | around | {node.consistency_guid for node in nodes if node.consistency_guid},
            frozenset(node.sid for node in (*nodes, *gone) if node.sid),
            frozenset(anchor for node in nodes for anchor in node.attributes.get(ANCHOR, ())),
            "hidden" if self.deleted_hidden else "",
        )

    def anchored(self) -> Anchored:
        """Return the objects with a group anchor."""
        hits = [node for node in self._ordered() if node.attributes.get(ANCHOR, ("",))[0].lower().startswith("group_")]
        groups = tuple(self._as_group(node) for node in hits if self._managed_group(node))
        elsewhere = tuple((node.dn, node.attributes[ANCHOR][0]) for node in hits if not self._managed_group(node))
        return Anchored(groups, elsewhere)

    def anchor_holders(self) -> Mapping[str, frozenset[str]]:
        """Return the DNs of the objects that carry each anchor, by the object id in it."""
        found: dict[str, set[str]] = {}
        for node in self._ordered():
            cloud_id = identity.cloud_id_of(next(iter(node.attributes.get(ANCHOR, ())), ""))
            if cloud_id:
                found.setdefault(cloud_id, set()).add(node.dn)
        return {cloud_id: frozenset(names) for cloud_id, names in found.items()}

    def groups(
        self, guids: Collection[str], sids: Collection[str], anchors: Collection[str] = ()
    ) -> tuple[DirectoryGroup, ...]:
        """Return the managed groups with one of these GUIDs, SIDs or anchors."""
        folded = {anchor.lower() for anchor in anchors}
        return tuple(
            self._as_group(node)
            for node in self._ordered()
            if self._managed_group(node)
            and (
                node.guid in guids
                or node.sid in sids
                or any(value.lower() in folded for value in node.attributes.get(ANCHOR, ()))
            )
        )

    def delete_by_hand(self, guid: str) -> None:
        """Delete an object as an administrator does; its links to and from others are gone unless recycled."""
        node = self.nodes.pop(guid)
        if not self.recycle_bin:
            for other in self.nodes.values():
                other.members.discard(guid)
            node.members = set()
            node.attributes = {name: node.attributes[name] for name in _KEPT if name in node.attributes}
        self.tombstones[guid] = node

    def deleted(
        self, anchors: Collection[str], sids: Collection[str] = (), guids: Collection[str] = ()
    ) -> tuple[DeletedGroup, ...] | None:
        """Return deleted groups, or None where the account may not see them."""
        if self.deleted_hidden:
            return None
        folded = {anchor.lower() for anchor in anchors}
        hits = (
            node
            for node in self.tombstones.values()
            if node.attributes.get(ANCHOR, ("",))[0].lower() in folded or node.sid in sids or node.guid in guids
        )
        return tuple(self._as_deleted(node) for node in hits)

    def _as_deleted(self, node: Node) -> DeletedGroup:
        name = dn.rdn_value(node.dn)
        place = f"CN={dn.escape(name)}\\0ADEL:{node.guid},CN=Deleted Objects,{samples.BASE}"
        links = tuple(self._link(self.nodes[guid]) for guid in sorted(node.members & self.nodes.keys()))
        return DeletedGroup(node.guid, node.sid or "", place, name, dn.parent(node.dn), dict(node.attributes), links)

    @staticmethod
    def _link(node: Node) -> Link:
        return Link(node.guid, node.sid, node.dn)

    def security(self, guids: Collection[str], *, deleted: bool = False) -> Mapping[str, SecurityDescriptor]:
        """Return owner and access control list; the owner alone may write what was given none."""
        self.questions.append("security")
        nodes = self.tombstones if deleted else self.nodes
        return {
            guid: self.descriptors.get(guid, SecurityDescriptor(nodes[guid].owner, ()))
            for guid in guids
            if guid in nodes
        }

    def account_sid(self) -> str | None:
        """Return the SID of the run's own account."""
        return samples.OWN_SID

    def protected(self, names: Collection[str]) -> frozenset[str]:
        """Return the groups that guard the domain, and what is inside them."""
        self.questions.append("protected")
        found = set(self.guarding)
        for node in self._ordered():
            held = {dn.folded(node.dn), (node.sid or "").lower(), node.attributes.get(SAM, ("",))[0].lower()}
            if node.object_class == "group" and held & set(names):
                found.add(node.guid)
        work = list(found)
        while work:
            guid = work.pop()
            held = self.nodes[guid].members & self.nodes.keys()
            inside = {g for g in held if self.nodes[g].object_class == "group"} - found
            found |= inside
            work += inside
        return frozenset(found)

    def nesting(self, guids: Collection[str]) -> Mapping[str, Nesting]:
        """Return the groups inside groups, and those that they are inside of."""
        groups = {node.guid: node for node in self._ordered() if node.object_class == "group"}
        kind = {guid: int(node.attributes.get("groupType", ("0",))[0]) for guid, node in groups.items()}
        return {
            guid: Nesting(
                tuple((groups[g].dn, kind[g]) for g in sorted(groups[guid].members & groups.keys())),
                tuple((node.dn, kind[g]) for g, node in groups.items() if guid in node.members),
            )
            for guid in guids
            if guid in groups
        }

    def containers(self, names: Collection[str]) -> frozenset[str]:
        """Return which containers exist."""
        return frozenset(name for name in names if any(dn.same(name, other) for other in self.existing))

    def schema(self, names: Collection[str]) -> Mapping[str, AttributeSchema]:
        """Return what the schema says of attributes."""
        self.questions.append("schema")
        wanted = {name.lower() for name in names}
        return {name: entry for name, entry in self.schema_entries.items() if name in wanted}

    def authority_facts(
        self, names: Collection[str], protected: frozenset[str] = frozenset()
    ) -> tuple[GroupFacts, ...]:
        """Return what decides on the source of authority of these groups."""
        wanted = {dn.folded(name) for name in names}
        found = [
            node
            for node in self._ordered()
            if node.object_class == "group" and node.sid and wanted & {dn.folded(node.sid), dn.folded(node.dn)}
        ]
        held = {links.guid: links.reading.items for links in self.links([node.guid for node in found])}
        return tuple(
            GroupFacts(
                node.sid or "",
                node.guid,
                node.dn,
                dn.rdn_value(node.dn),
                scope_change.scope_name(int(next(iter(node.attributes.get("groupType", ("0",)))))),
                managed=self._managed_group(node),
                admin_description=next(iter(node.attributes.get("adminDescription", ())), ""),
                members=tuple(MemberFact(link.sid, link.dn) for link in held[node.guid]),
            )
            for node in found
        )

    def taken(self, attribute: str, values: Collection[str]) -> frozenset[str]:
        """Return which values are held, as they are spelled there; their case does not count."""
        self.questions.append("taken")
        folded = {value.lower() for value in values}
        held = (value for node in self.nodes.values() for value in self._values(node, attribute))
        return frozenset(value for value in held if value.lower() in folded)

    @staticmethod
    def _values(node: Node, attribute: str) -> Values:
        if attribute.lower() == "cn":
            return (dn.parse(node.dn)[0].value,)
        return next((values for name, values in node.attributes.items() if name.lower() == attribute.lower()), ())

    def occupied(self, cns: Collection[str], sams: Collection[str]) -> Occupied:
        """Return who has one of these names; containers have names as well."""
        self.questions.append("occupied")
        folded = {cn.lower() for cn in cns}
        accounts = {sam.lower() for sam in sams}
        places = [(node.dn, node.guid) for node in self._ordered()]
        places += [(name, str(uuid.uuid5(_NAMESPACE, f"container {name}"))) for name in self.existing]
        holders = [(value, node.guid) for node in self._ordered() for value in node.attributes.get(SAM, ())]
        return Occupied(
            {dn.key(name): guid for name, guid in places if dn.parse(name)[0].value.lower() in folded},
            {value.casefold(): guid for value, guid in holders if value.lower() in accounts},
        )

    def links(self, guids: Collection[str]) -> Iterator[HeldLinks]:
        """Yield the links of groups."""
        self.questions.append("links")
        for node in self._ordered():
            if node.guid in guids and node.object_class == "group":
                links = tuple(self._link(other) for other in self._ordered() if other.guid in node.members)
                if node.guid in self.cut:
                    yield HeldLinks(node.guid, IncompleteReading(links[:1], "a range has gaps"), node.usn)
                else:
                    sids = frozenset(link.sid for link in links if link.sid)
                    are_all = self.tells_sids and len(sids) == len(links)
                    yield HeldLinks(node.guid, CompleteReading(links), node.usn, sids if are_all else None)

    def foresee_links(self) -> None:
        """Hear that many links will be read."""
        self.questions.append("foresee_links")

    def links_ahead(self, batches: Iterable[Sequence[str]]) -> Iterator[Sequence[HeldLinks]]:
        """Yield the links of the groups of each batch."""
        return (tuple(self.links(guids)) if guids else () for guids in batches)

    def resolve(self, sids: Collection[str]) -> Mapping[str, Account]:
        """Return accounts by SID."""
        self.questions.append("resolve")
        return {
            node.sid: self._account_of(node)
            for node in self._ordered()
            if node.sid in sids and node.sid is not None and node.object_class == "user"
        }

    def _account_of(self, node: Node) -> Account:
        name = node.attributes.get(SAM, (dn.rdn_value(node.dn),))[0]
        home = self.info.forest.get(identity.domain_of(node.sid or ""), "")
        return Account(self._link(node), name, home, node.primary_group)

    def anchored_accounts(self, guids: Collection[str]) -> Mapping[str, tuple[Account, ...]]:
        """Return accounts by their consistency GUID, else by objectGUID."""
        users = [node for node in self._ordered() if node.object_class == "user"]
        hits = {guid: [node for node in users if node.consistency_guid == guid] for guid in guids}
        hits = {guid: found or [node for node in users if node.guid == guid] for guid, found in hits.items()}
        return {guid: tuple(map(self._account_of, found)) for guid, found in hits.items() if found}

    def facts(self, guids: Collection[str]) -> Mapping[str, LinkFacts]:
        """Return what tells whose an object is; of other domains only with a global catalog."""
        self.questions.append("facts")
        return {
            node.guid: LinkFacts(
                node.object_class,
                node.sid_history,
                next(iter(node.attributes.get(ANCHOR, ())), None),
                node.device_id,
                node.dn,
                node.sid,
            )
            for node in self._ordered()
            if node.guid in guids and (self.info.catalog or not (node.sid or "").startswith(samples.SISTER_SID))
        }

    def _write(self, kind: str, guid: str) -> None:
        if self.writes_left is not None:
            if self.writes_left == 0:
                raise DirectoryError("The domain controller does not answer.", code="directory_unreachable")
            self.writes_left -= 1
        self.writes.append((kind, guid))

    def _place(self, name: str, mover: str | None = None) -> None:
        """Refuse a place that is taken or whose container is not there."""
        others = [node.dn for node in self.nodes.values() if node.guid != mover] + self.existing
        if any(dn.same(other, name) for other in others):
            raise ObjectError(f"{name} exists.", code="name_collision")
        if not self.containers([dn.parent(name)]):
            raise ObjectError(f"The container of {name} does not exist.", code="object_missing")

    def _account(self, attributes: Mapping[str, Values], holder: str | None = None) -> None:
        """Refuse an account name that another object has."""
        wanted = {value.lower() for value in attributes.get(SAM, ())}
        held = (value for node in self.nodes.values() if node.guid != holder for value in node.attributes.get(SAM, ()))
        if any(value.lower() in wanted for value in held):
            raise ObjectError("The account name exists.", code="name_collision")

    def _node(self, guid: str) -> Node:
        if guid not in self.nodes:
            raise ObjectError(f"{guid} does not exist.", code="object_missing")
        return self.nodes[guid]

    def begin(self, step: Callable[[DirectoryWriter], _T]) -> Callable[[], _T]:
        """Carry out a step before it is waited for, as may happen on a real server."""
        try:
            result = step(self)
        except GpadError as error:
            raised = error  # the name of an except clause ends with it

            def fail() -> _T:
                raise raised

            return fail
        return lambda: result

    def close(self) -> None:
        """Nothing is under way."""

    def create_container(self, name: str) -> None:
        """Create a container."""
        self._place(name)
        self._write("create_container", name)
        self.existing.append(name)

    def create(self, name: str, attributes: Mapping[str, Values]) -> DirectoryGroup:
        """Create a group whose GUID and SID follow from its name, so that two runs can be compared."""
        self._place(name)
        self._account(attributes)
        new_guid = str(uuid.uuid5(_NAMESPACE, name))
        self._write("create", new_guid)
        new_sid = samples.sid(1_000_000 + zlib.crc32(name.encode()) % 1_000_000_000)
        return self._as_group(self.add_group(DirectoryGroup(new_guid, new_sid, name, attributes)))

    def modify(self, guid: str, attributes: Mapping[str, Values]) -> None:
        """Replace values."""
        node = self._node(guid)
        self._account(attributes, guid)
        self._write("modify", guid)
        node.usn += 1
        node.attributes = {key: value for key, value in {**node.attributes, **attributes}.items() if value}

    def relocate(self, guid: str, new_dn: str) -> None:
        """Rename and move."""
        node = self._node(guid)
        self._place(new_dn, guid)
        self._write("relocate", guid)
        node.usn += 1
        node.dn = new_dn

    def restore(self, guid: str, new_dn: str, attributes: Mapping[str, Values]) -> None:
        """Bring a deleted object back."""
        if guid not in self.tombstones:
            raise ObjectError(f"{guid} does not exist.", code="object_missing")
        self._place(new_dn)
        self._write("restore", guid)
        node = self.tombstones.pop(guid)
        node.dn, node.usn = new_dn, node.usn + 1
        node.members &= self.nodes.keys()
        node.attributes = {key: value for key, value in {**node.attributes, **attributes}.items() if value}
        self.nodes[guid] = node

    def delete(self, guid: str) -> None:
        """Delete an object."""
        self._node(guid)
        self._write("delete", guid)
        self.delete_by_hand(guid)

    def change_members(self, guid: str, add: Mapping[str, str], remove: Mapping[str, str]) -> MemberResult:
        """Add and remove links; a link that is so already is neither done nor failed."""
        node = self._node(guid)
        self.places |= {**add, **remove}
        failed: dict[str, GpadError] = {
            member: ObjectError(
                f"{member} is refused.", code="permission_denied" if member in self.refused else "object_missing"
            )
            for member in add
            if member not in self.nodes or member in self.refused
        }
        added, removed = set(add) - node.members - failed.keys(), set(remove) & node.members
        if added or removed:
            self._write("members", guid)
            node.usn += 1
        node.members = (node.members | added) - removed
        return MemberResult(frozenset(added), frozenset(removed), failed)


class FakeCloud:
    """A snapshot; fills CloudReader. Groups not given members are read and empty."""

    def __init__(
        self,
        groups: Iterable[CloudGroup] = (),
        members: Mapping[str, Reading[tuple[Principal, ...]]] | None = None,
        *,
        header: SnapshotHeader | None = None,
        scope: Scope | None = None,
        principals: Iterable[Principal] = (),
        fates: Iterable[Fate] = (),
        readings: Mapping[int, str] | None = None,
        changed: Iterable[str] = (),
    ) -> None:
        self._readings = dict(readings or {})
        self._changed = frozenset(changed)
        self.header = header or SnapshotHeader(samples.TENANT, "2026-01-01T00:00:00Z", "fingerprint")
        self._groups = tuple(groups)
        self._members = dict(members or {})
        self._scope = scope or Scope()
        self._principals = tuple(principals)
        self._fates = {fate.id: fate for fate in fates}

    def fates(self) -> Mapping[str, Fate]:
        """Return what became of groups."""
        return self._fates

    def groups(self) -> Iterator[CapturedGroup]:
        """Yield the groups in the order given."""
        for group in self._groups:
            yield CapturedGroup(group, decide(group, self._scope), len(self.members(group.id).items))

    def members(self, group_id: str) -> Reading[tuple[Principal, ...]]:
        """Return the members of a group."""
        return self._members.get(group_id, CompleteReading(()))

    def reading(self, sequence: int) -> str | None:
        """Return the fingerprint of an earlier snapshot."""
        return self._readings.get(sequence)

    def changed_since(self, sequence: int) -> frozenset[str]:
        """Return what changed since the reading before, whatever its number."""
        return self._changed

    def groups_with(self, principals: Collection[str]) -> frozenset[str]:
        """Return the groups with one of these members."""
        return frozenset(
            group for group, reading in self._members.items() if any(one.id in principals for one in reading.items)
        )

    def accounts(self, changed: ChangedObjects) -> frozenset[str]:
        """Return the members with one of these accounts."""
        return frozenset(
            one.id
            for reading in self._members.values()
            for one in reading.items
            if one.on_premises_security_identifier in changed.sids
            or one.on_premises_object_identifier in changed.guids
            or identity.source_anchor_guid(one.on_premises_immutable_id) in changed.guids
        )

    def member_sids(self, group_id: str) -> frozenset[str] | None:
        """Return the SIDs of the members of a group, where they say everything."""
        return sids_alone(self.members(group_id))

    def known_sids(self, sids: Collection[str]) -> frozenset[str]:
        """Return which SIDs belong to a readable principal."""
        captured = [*self._principals, *(member for reading in self._members.values() for member in reading.items)]
        held = {p.on_premises_security_identifier for p in captured if p.readable}
        return frozenset(sid for sid in sids if sid in held)


@dataclass
class FakeJournal:
    """A journal; fills Journal."""

    groups: dict[str, KnownGroup] = field(default_factory=dict)
    records: list[Applied] = field(default_factory=list)
    since: dict[str, str] = field(default_factory=dict)
    why_stopped: str | None = None
    over_since: str | None = None
    asked: frozenset[str] = frozenset()

    def known(self) -> Mapping[str, KnownGroup]:
        """Return what is remembered, as of now."""
        return dict(self.groups)

    def remember(self, cloud_id: str, guid: str, *, accepted: bool) -> None:
        """Remember a pair; what was accepted stays accepted."""
        before = self.groups.get(cloud_id)
        self.groups[cloud_id] = KnownGroup(guid, before.accepted if before else accepted)

    def added(self, cloud_ids: Collection[str]) -> Mapping[str, frozenset[str]]:
        """Return what was added by the outcomes written down."""
        return {
            cloud_id: frozenset(guid for record in self.records if record.id == cloud_id for guid in record.added)
            for cloud_id in cloud_ids
        }

    def stopped(self) -> str | None:
        """Return why runs are stopped, or None."""
        return self.why_stopped

    def over(self) -> str | None:
        """Return since when a slice may write no more, or None."""
        return self.over_since

    def forget(self, cloud_id: str) -> None:
        """Forget a pair."""
        self.groups.pop(cloud_id, None)

    def remember_left(self, cloud_ids: Collection[str], now: str) -> None:
        """Remember since when groups are out of scope."""
        self.since = {cloud_id: self.since.get(cloud_id, now) for cloud_id in cloud_ids}

    def left(self) -> Mapping[str, str]:
        """Return since when groups are out of scope."""
        return self.since

    def undecided(self) -> frozenset[str]:
        """Return which groups wait for a decision."""
        return self.asked

    def remember_undecided(self, cloud_ids: Collection[str]) -> None:
        """Remember which groups wait for a decision."""
        self.asked = frozenset(cloud_ids)

    def record(self, applied: Applied) -> None:
        """Write down an outcome."""
        self.records.append(applied)

    def know(self, number: int, *, accepted: bool = True, guid: str | None = None) -> None:
        """Remember the sample group with this number."""
        self.groups[samples.cloud_id(number)] = KnownGroup(guid or samples.guid(number), accepted)


def sids_alone(members: Reading[tuple[Principal, ...]]) -> frozenset[str] | None:
    """Return the SIDs of members; None unless all were read, and each is a readable user told by its SID alone."""
    sids = frozenset(
        member.on_premises_security_identifier
        for member in members.items
        if member.kind is PrincipalKind.USER
        and member.readable
        and member.on_premises_security_identifier
        and member.on_premises_object_identifier is None
    )
    return sids if isinstance(members, CompleteReading) and len(sids) == len(members.items) else None


def anchored_by(node: Node) -> str | None:
    """Return the cloud id in an object's anchor."""
    values = node.attributes.get(ANCHOR, ())
    return identity.cloud_id_of(values[0]) if values else None
