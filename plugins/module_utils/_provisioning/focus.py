# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which groups a plan has to look at, when an earlier plan found the others as they should be.

A group is settled when a plan compared both sides and had nothing to change or to say. It stays so until the cloud
group or one of its members changes, its object or the account of a member does, or what it is compared by.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.batches import GROUPS_AT_ONCE
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.full_reading import is_due
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import DomainInfo, Skipped
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    PlanItem,
    Question,
    Skip,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import (
    ChangedObjects,
    CloudReader,
    KnownGroup,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.replication import (
    Database,
    database_of,
)

_UNSETTLING = frozenset({Skipped.NOT_FOUND_IN_DIRECTORY.value, Skipped.IDENTITY_CONFLICT.value})


@dataclass(frozen=True, slots=True)
class Watermark:
    """Up to where both sides were compared.

    Parameters:
        word: stands for the settings by which they were.
        reading: fingerprint of the snapshot.
        sequence: how many readings of changes it was behind the full one.
        database: the copy of the directory that was read.
        usn: its highestCommittedUSN before it was read.
        full_at: when all groups were compared last, ISO 8601, UTC.
        groups: managed groups that the directory held then.
        links: their links.
    """

    word: str
    reading: str
    sequence: int
    database: Database
    usn: int
    full_at: str
    groups: int = 0
    links: int = 0


@dataclass(frozen=True, slots=True)
class Focus:
    """The groups that a plan looks at.

    Parameters:
        ids: object ids of the groups; None for all.
        why: why all are looked at; an empty string where some are.
        mark: up to where the sides were compared before; None where all are looked at.
    """

    ids: frozenset[str] | None = None
    why: str = ""
    mark: Watermark | None = None

    def settled(self, cloud_id: str) -> bool:
        """Return whether a group is as it should be, so that the plan does not look at it."""
        return self.ids is not None and cloud_id not in self.ids


EVERYTHING = Focus()


def why_all(
    mark: Watermark | None,
    cloud: CloudReader,
    domain: DomainInfo,
    word: str,
    now: datetime,
    hours: int,
) -> str:
    """Return why all groups have to be looked at, or an empty string.

    Parameters:
        mark: up to where both sides were compared, as far as the journal remembers.
        cloud: the snapshot.
        domain: the target domain.
        word: stands for the settings.
        now: the time.
        hours: after how many of them all groups are looked at anyway.
    """
    if mark is None:
        return "no run has compared all groups yet"
    if not mark.usn or not domain.highest_usn or not database_of(domain).is_surely(mark.database):
        return "another domain controller, or another copy of the directory, was read before"
    if domain.highest_usn < mark.usn:
        return "the sequence numbers of the domain controller were set back"
    if cloud.reading(mark.sequence) != mark.reading:
        return "Entra ID was read to its end, or the snapshot does not go back to the one that was compared"
    if not cloud.header.is_whole:
        return "the reading of Entra ID is not whole"
    if word != mark.word:
        return "the settings are others"
    if is_due(mark.full_at, now, hours):
        return f"all groups were compared at {mark.full_at}"
    return ""


def ids_to_look_at(
    cloud: CloudReader,
    mark: Watermark,
    changed: ChangedObjects,
    known: Mapping[str, KnownGroup],
    unsettled: Collection[str],
) -> frozenset[str]:
    """Return the object ids of the groups that are not settled.

    Parameters:
        cloud: the snapshot.
        mark: up to where both sides were compared.
        changed: what changed in the directory since.
        known: what the journal remembers.
        unsettled: object ids of the groups that a plan before had something to change or to say of.
    """
    owned = {cloud_id for cloud_id, entry in known.items() if entry.guid in changed.guids}
    anchored = {cloud_id for anchor in changed.anchors if (cloud_id := identity.cloud_id_of(anchor))}
    ids = cloud.changed_since(mark.sequence) | frozenset(unsettled) | owned | anchored
    ids |= cloud.groups_with(cloud.accounts(changed))
    # A group that is created, found or lost is, or is not any more, a member of the groups around it.
    return ids | cloud.groups_with(ids)


def are_most(ids: Collection[str], known: Collection[str]) -> bool:
    """Return whether so many groups have to be looked at that to look at all of them costs less.

    The objects of all are found in one search, and each of some is a term of a filter, about three times as much.

    Parameters:
        ids: object ids of the groups that are not settled.
        known: object ids of all that the journal remembers.
    """
    return len(ids) > max(GROUPS_AT_ONCE, len(known) // 2)


def unsettled_by(items: Iterable[PlanItem], ids: set[str]) -> Iterator[PlanItem]:
    """Yield the items of a plan, and collect the ids of the groups that it has something to change or to say of.

    Members that were left alone are not among them: as long as nothing changes they are left alone again. But of
    members that the directory does not know, or knows as two objects, what changes may be in another domain, or have
    been taken away from an object.
    """
    for item in items:
        group_id = getattr(item, "group_id", None)
        if group_id is None and not isinstance(item, Question):
            ids.add(item.id)
        elif isinstance(item, Skip) and group_id is not None and item.code in _UNSETTLING:
            ids.add(group_id)
        yield item
