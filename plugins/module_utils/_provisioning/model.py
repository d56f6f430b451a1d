# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The things the rules speak about. All are immutable; none does anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeAlias, TypeVar

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word

# A value as Graph gives it for one property of a group.
GraphValue: TypeAlias = "str | int | bool | list[str] | dict[str, str | bool | None] | None"
# Values of LDAP attributes as text; an empty tuple is "no value".
Values = tuple[str, ...]

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class CompleteReading(Generic[T_co]):
    """A reading that reached its end. Only from one of these may anything be taken away."""

    items: T_co


@dataclass(frozen=True, slots=True)
class IncompleteReading(Generic[T_co]):
    """A reading that ended early: good for adding, never for removing.

    Parameters:
        items: what was read.
        why: a sentence that says what is missing.
    """

    items: T_co
    why: str


Reading: TypeAlias = "CompleteReading[T_co] | IncompleteReading[T_co]"


class PrincipalKind(Word):
    """The type of a directory object in Entra ID, by its `@odata.type`."""

    USER = "user"
    GROUP = "group"
    DEVICE = "device"
    SERVICE_PRINCIPAL = "servicePrincipal"
    CONTACT = "orgContact"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Principal:
    """A member as Entra ID lists it; the fields carry Graph's property names.

    Parameters:
        on_premises_object_identifier: objectGUID of the object on premises, as text or as base64 of its bytes; of a
            device its deviceId, which is the objectGUID of the computer where it has one.
        on_premises_immutable_id: the source anchor; read on request only.
        on_premises_sam_account_name: read with the source anchor.
        on_premises_domain_name: DNS name of the domain; read with the source anchor.
        readable: False when the service gave the id and withheld the rest (a permission is missing); a null then
            proves nothing.
    """

    id: str
    kind: PrincipalKind
    display_name: str = ""
    on_premises_sync_enabled: bool | None = None
    on_premises_security_identifier: str | None = None
    on_premises_object_identifier: str | None = None
    on_premises_immutable_id: str | None = None
    on_premises_sam_account_name: str | None = None
    on_premises_domain_name: str | None = None
    readable: bool = True


@dataclass(frozen=True, slots=True)
class CloudGroup:
    """A group as Entra ID gives it.

    Parameters:
        id: the object id.
        properties: every captured property under its Graph name; the mapping reads these.
        is_cloud_managed: what onPremisesSyncBehavior answered in this capture; None when it was not or could not
            be read.
    """

    id: str
    properties: Mapping[str, GraphValue] = field(default_factory=dict)
    is_cloud_managed: bool | None = None

    @property
    def display_name(self) -> str:
        """The displayName, or the id of a group that has none."""
        return str(self.properties.get("displayName") or self.id)

    @property
    def security_identifier(self) -> str | None:
        """The SID that the group has on premises, or None for a group born in the cloud."""
        value = self.properties.get("onPremisesSecurityIdentifier")
        return value if isinstance(value, str) and value else None

    @property
    def rule_being_evaluated(self) -> bool:
        """Whether the service is still working out the members of a dynamic group.

        `On` is the resting state of a rule that is processed; `Paused` keeps the members it has.
        """
        types = self.properties.get("groupTypes")
        dynamic = isinstance(types, list) and "DynamicMembership" in types
        state = self.properties.get("membershipRuleProcessingState")
        return dynamic and state not in ("On", "Paused")


@dataclass(frozen=True, slots=True)
class DirectoryGroup:
    """A group object in Active Directory, without its members.

    Parameters:
        guid: objectGUID as text.
        sid: objectSid as text.
        dn: distinguishedName as the server wrote it.
        attributes: the values of the attributes that were read, under their LDAP names.
    """

    guid: str
    sid: str
    dn: str
    attributes: Mapping[str, Values] = field(default_factory=dict)

    def first(self, name: str) -> str | None:
        """Return the first value of an attribute, or None."""
        values = self.attributes.get(name, ())
        return values[0] if values else None

    @property
    def cloud_id(self) -> str | None:
        """The object id inside the anchor, or None."""
        anchor = self.first("msDS-ExternalDirectoryObjectId")
        return identity.cloud_id_of(anchor) if anchor else None


@dataclass(frozen=True, slots=True)
class Link:
    """One value of `member`, as the extended-DN control shows it.

    Parameters:
        guid: objectGUID of the member object.
        sid: its objectSid, or None for objects that have none (contacts).
        dn: its distinguishedName.
    """

    guid: str
    sid: str | None
    dn: str


@dataclass(frozen=True, slots=True)
class LinkFacts:
    """What tells whose a linked object is, read only for links that are about to go.

    Parameters:
        dn: distinguishedName.
        sid: objectSid, or None for objects that have none.
        object_class: the most special objectClass.
        sid_history: SIDs the object had before.
        anchor: msDS-ExternalDirectoryObjectId.
        device_id: msDS-DeviceID of an object that device writeback made, as a GUID in text.
    """

    object_class: str = ""
    sid_history: tuple[str, ...] = ()
    anchor: str | None = None
    device_id: str | None = None
    dn: str = ""
    sid: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """What a look-up of a user found.

    Parameters:
        link: GUID, SID and distinguishedName.
        sam_account_name: its logon name.
        domain: DNS name of its domain.
        primary_group: primaryGroupID, the relative identifier of the group that is its primary one; None where the
            global catalog answered.
    """

    link: Link
    sam_account_name: str = ""
    domain: str = ""
    primary_group: int | None = None


@dataclass(frozen=True, slots=True)
class DeletedGroup:
    """A group among the deleted objects.

    Parameters:
        guid: objectGUID as text.
        sid: objectSid as text.
        dn: distinguishedName among the deleted objects.
        name: its relative name before it was deleted.
        parent: lastKnownParent, or an empty string.
        attributes: the values that were kept, under their LDAP names.
        links: the links that a restore brings back; none without the Recycle Bin.
    """

    guid: str
    sid: str
    dn: str
    name: str
    parent: str = ""
    attributes: Mapping[str, Values] = field(default_factory=dict)
    links: tuple[Link, ...] = ()

    @property
    def cloud_id(self) -> str | None:
        """The object id inside the anchor, or None."""
        anchor = next(iter(self.attributes.get("msDS-ExternalDirectoryObjectId", ())), None)
        return identity.cloud_id_of(anchor) if anchor else None


@dataclass(frozen=True, slots=True)
class DesiredGroup:
    """What the directory should hold of a cloud group, members aside.

    Parameters:
        id: object id.
        name: displayName, for people.
        cn: the relative name, not escaped; empty to leave it alone.
        container: DN of the container; empty to leave it alone.
        attributes: LDAP attribute to its values; an empty tuple clears, an absent name leaves the attribute alone.
    """

    id: str
    name: str
    cn: str
    container: str
    attributes: Mapping[str, Values]


@dataclass(frozen=True, slots=True)
class HeldLinks:
    """The links of one group.

    Parameters:
        guid: objectGUID of the group.
        reading: the links, or as many as could be read with the reason why not all.
        usn: uSNChanged of the group when they were read.
        sids: objectSid of every link; None where a link has none, or they were not all read.
    """

    guid: str
    reading: Reading[Sequence[Link]]
    usn: int
    sids: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Nesting:
    """What stands around a group, as far as its scope depends on it.

    Parameters:
        members: DN and groupType of each group that it holds.
        parents: DN and groupType of each group that holds it.
    """

    members: tuple[tuple[str, int], ...] = ()
    parents: tuple[tuple[str, int], ...] = ()


class FateKind(Word):
    """What became of a cloud group that a directory group is anchored to."""

    ABSENT = "absent"
    SOFT_DELETED = "soft_deleted"
    SYNCED = "synced"


@dataclass(frozen=True, slots=True)
class Fate:
    """What Entra ID said of a group by its id, asked because a directory group is anchored to it.

    Parameters:
        id: the object id.
        kind: absent from groups and deleted items, or among the deleted items; `synced` if it was mastered on premises
            when it was deleted.
        name: displayName where it is still known.
        since: ISO 8601, UTC: when it was deleted, or when a capture first found it absent.
        seen: ISO 8601, UTC: when a capture last found it so.
    """

    id: str
    kind: FateKind
    name: str
    since: str
    seen: str


@dataclass(frozen=True, slots=True)
class OtherWriters:
    """Who else writes cloud groups to Active Directory.

    Parameters:
        running: name and id of each job that does.
        unread: why that may not be all of them, or an empty string.
        failed: they could have been read, and were not.
    """

    running: tuple[str, ...] = ()
    unread: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class DomainInfo:
    """The domain that one run writes to.

    Parameters:
        dn: its naming context.
        sid: its SID.
        forest: SID of each domain of the forest, to its DNS name.
        server: dnsHostName of the domain controller that answered.
        catalog: whether a global catalog answers for the other domains of the forest.
        guarded: the GUIDs that an access control entry may name to give away a group: those of the attributes
            `member` and of the anchor, and of the property sets they are in.
        invocation_id: what tells this domain controller's copy of the directory from every other; empty where it
            cannot be read.
        highest_usn: highestCommittedUSN of this domain controller before anything was read; 0 where it says none.
    """

    dn: str
    sid: str
    forest: Mapping[str, str]
    server: str
    catalog: bool = False
    guarded: frozenset[str] = frozenset()
    invocation_id: str = ""
    highest_usn: int = 0


class Skipped(Word):
    """Why an object was left alone. Shown with every skip."""

    # groups: not in scope
    NOT_SECURITY_ENABLED = "not_security_enabled"
    MAIL_ENABLED = "mail_enabled"
    MICROSOFT_365 = "microsoft_365"
    ON_PREMISES_SYNCED = "on_premises_synced"
    ROLLED_BACK = "rolled_back"
    AUTHORITY_UNKNOWN = "authority_unknown"
    NOT_SELECTED = "not_selected"
    NOT_ASSIGNED = "not_assigned"
    FILTERED_OUT = "filtered_out"
    # groups: in scope, but not to be written
    OTHER_DOMAIN_GROUP = "other_domain_group"
    IGNORED_BY_MAPPING = "ignored_by_mapping"
    # members
    CLOUD_ONLY_USER = "cloud_only_user"
    OTHER_DOMAIN = "other_domain"
    OTHER_FOREST = "other_forest"
    SYNCED_GROUP = "synced_group"
    GROUP_NOT_PROVISIONED = "group_not_provisioned"
    GROUP_ITSELF = "group_itself"
    UNSUPPORTED_TYPE = "unsupported_type"
    NOT_FOUND_IN_DIRECTORY = "not_found_in_directory"
    IDENTITY_CONFLICT = "identity_conflict"
    PRIMARY_GROUP = "primary_group"
    UNREADABLE = "unreadable"
