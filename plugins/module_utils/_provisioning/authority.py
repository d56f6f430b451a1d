# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is master of a group, and what is looked at before that changes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.directory_facts import GroupFacts
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    Principal,
    PrincipalKind,
    Reading,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Problem
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word


class Master(Word):
    """Where a group is changed."""

    CLOUD = "cloud"
    ON_PREMISES = "on_premises"


class State(Word):
    """A row of the table of states ("Source of authority" in the documents of Entra Connect).

    | state | isCloudManaged | onPremisesSyncEnabled | onPremisesSecurityIdentifier |
    | synced | false | true | set |
    | converted | true | null | set |
    | rolled_back (the sync client has not taken over) | false | null | set |
    | cloud_native | false | null | null |
    """

    SYNCED = "synced"
    CONVERTED = "converted"
    ROLLED_BACK = "rolled_back"
    CLOUD_NATIVE = "cloud_native"
    UNKNOWN = "unknown"


_MASTERS: Mapping[State, Master] = {
    State.SYNCED: Master.ON_PREMISES,
    State.ROLLED_BACK: Master.ON_PREMISES,
    State.CONVERTED: Master.CLOUD,
    State.CLOUD_NATIVE: Master.CLOUD,
}


@dataclass(frozen=True, slots=True)
class Authority:
    """What Entra ID says of the master of a group.

    Parameters:
        cloud_managed: isCloudManaged, or None where it could not be read.
        sync_enabled: onPremisesSyncEnabled.
        sid: onPremisesSecurityIdentifier.
    """

    cloud_managed: bool | None
    sync_enabled: bool | None
    sid: str | None

    @property
    def state(self) -> State:
        """The row of the table."""
        if self.cloud_managed is None:
            return State.UNKNOWN
        if self.cloud_managed:
            return State.CONVERTED
        if self.sync_enabled:
            return State.SYNCED
        return State.ROLLED_BACK if self.sid else State.CLOUD_NATIVE

    @property
    def is_pending(self) -> bool:
        """Whether the sync client has not acted yet on the last change."""
        return self.state is State.ROLLED_BACK or (self.state is State.CONVERTED and bool(self.sync_enabled))

    @property
    def master(self) -> Master | None:
        """Where the group is changed, or None where that could not be read."""
        return _MASTERS.get(self.state)

    def moved(self, wanted: Master) -> Authority:
        """Return what the service says once it was told, before the sync client acts."""
        return Authority(wanted is Master.CLOUD, None, self.sid)


def authority_of(group: CloudGroup) -> Authority:
    """Return what was read of a group."""
    synced = group.properties.get("onPremisesSyncEnabled")
    return Authority(group.is_cloud_managed, synced if isinstance(synced, bool) else None, group.security_identifier)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A group that was named, with all that decides.

    Parameters:
        group: the cloud group, its source of authority read where it could be.
        members: its direct members in Entra ID; None where they were not asked for.
        facts: what the directory says of it; None where nothing is known.
    """

    group: CloudGroup
    members: Reading[tuple[Principal, ...]] | None = None
    facts: GroupFacts | None = None

    @property
    def authority(self) -> Authority:
        """Who is its master."""
        return authority_of(self.group)

    @property
    def listed(self) -> tuple[Principal, ...]:
        """The members that were read."""
        return self.members.items if self.members is not None else ()

    def problem(self, code: str, message: str, remedy: str) -> Problem:
        """Return what stands in the way of this group."""
        return Problem(self.group.id, self.group.display_name, code, message, remedy)

    @property
    def nested(self) -> frozenset[str]:
        """Object ids of the groups among the members, itself aside."""
        groups = (member.id for member in self.listed if member.kind is PrincipalKind.GROUP)
        return frozenset(cloud_id for cloud_id in groups if cloud_id != self.group.id)

    @property
    def only_in_directory(self) -> frozenset[str]:
        """SIDs of the members that the directory has and Entra ID does not list."""
        held = {member.sid for member in self.facts.members if member.sid} if self.facts else set[str]()
        return frozenset(held - {member.on_premises_security_identifier for member in self.listed})


@dataclass(frozen=True, slots=True)
class Rules:
    """What decides beside the groups.

    Parameters:
        wanted: who is to be the master.
        known: what Entra ID knows of those that only the directory lists, by SID.
        left_behind: SIDs of members that Entra ID need not know, since an administrator said so.
    """

    wanted: Master
    known: Mapping[str, Principal] = field(default_factory=dict)
    left_behind: frozenset[str] = frozenset()


def checksum(wanted: Master, ids: Iterable[str]) -> str:
    """Return the checksum by which a person approves these very changes."""
    return hashlib.sha256(json.dumps([wanted.value, sorted(ids)]).encode()).hexdigest()
