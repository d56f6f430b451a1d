# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a domain controller must hold before it may be written: what earlier runs wrote on another one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import texts
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import DirectoryGroup, DomainInfo
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    PlanItem,
    Problem,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import (
    DirectoryReader,
    KnownGroup,
)

PENDING = "replication_pending"
# What would be done a second time, or to the wrong object, by a controller that does not know what was done before.
WAITING = frozenset({Action.CREATE_CONTAINER, Action.CREATE, Action.RESTORE, Action.DELETE})


@dataclass(frozen=True, slots=True)
class Database:
    """The copy of the directory that a domain controller holds.

    Parameters:
        server: dnsHostName of the domain controller.
        invocation_id: what tells its copy from every other; a restored backup has a new one (MS-ADTS 3.1.1.1.9). Empty
            where it cannot be read.
    """

    server: str
    invocation_id: str

    def is_surely(self, other: Database) -> bool:
        """Return whether both are one copy; one that cannot be told apart is another."""
        return bool(self.invocation_id) and self.invocation_id == other.invocation_id and self.is_named(other)

    def is_named(self, other: Database) -> bool:
        """Return whether both are of one name and nothing says that they are two copies."""
        same = self.server.lower() == other.server.lower()
        return same and self.invocation_id == other.invocation_id


def database_of(domain: DomainInfo) -> Database:
    """Return the copy of the directory that a domain was read from."""
    return Database(domain.server, domain.invocation_id)


@dataclass(frozen=True, slots=True)
class Written:
    """What the journal remembers of the domain controller that runs wrote to.

    Parameters:
        database: its copy of the directory.
        deleted: objectGUID of each object that runs deleted there, to object id and name of its cloud group.
    """

    database: Database
    deleted: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lag:
    """What a domain controller lacks of what was written on another one.

    Parameters:
        missing: object ids of the groups that the journal knows and that have no object here, living or deleted.
        undead: objectGUID of each object that was deleted there and lives here, to id and name of its cloud group.
        there: the server that was written to.
        here: this one.
    """

    missing: frozenset[str] = frozenset()
    undead: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    there: str = ""
    here: str = ""

    def __bool__(self) -> bool:
        """Return whether anything is lacking."""
        return bool(self.missing or self.undead)

    def holds(self, cloud_id: str, group: DirectoryGroup | None) -> bool:
        """Return whether a group with this living object, or with none, has to wait."""
        return bool(self) and (group is None or cloud_id in self.missing or group.guid in self.undead)

    def problem(self, cloud_id: str, name: str) -> Problem:
        """Return why a change of a group waits."""
        text = texts.PENDING_CHANGE.format(here=self.here, there=self.there)
        return Problem(cloud_id, name, PENDING, text, texts.REMEDIES[PENDING].format(there=self.there))

    def problems(self, names: Mapping[str, str]) -> Iterator[Problem]:
        """Yield what is lacking.

        Parameters:
            names: object id to displayName, as far as they are known.
        """
        remedy = texts.REMEDIES[PENDING].format(there=self.there)
        for cloud_id in sorted(self.missing):
            text = texts.PENDING_MISSING.format(here=self.here, there=self.there)
            yield Problem(cloud_id, names.get(cloud_id, cloud_id), PENDING, text, remedy)
        for guid, (cloud_id, name) in sorted(self.undead.items()):
            text = texts.PENDING_DELETION.format(guid=guid, here=self.here, there=self.there)
            yield Problem(cloud_id, name, PENDING, text, remedy)


def find_lag(written: Written | None, known: Mapping[str, KnownGroup], directory: DirectoryReader) -> Lag:
    """Return what this domain controller lacks; nothing is looked up on the one that was written to last.

    Parameters:
        written: where earlier runs wrote, or None when none did.
        known: what the journal remembers.
        directory: the target domain.

    Raises:
        GpadError: a reading of the directory did not reach its end.
    """
    here = database_of(directory.domain)
    if written is None or here.is_surely(written.database):
        return Lag()
    owners = {entry.guid: cloud_id for cloud_id, entry in known.items()}
    deletions = {guid: whose for guid, whose in written.deleted.items() if guid not in owners}
    wanted = owners.keys() | deletions.keys()
    living = {group.guid for group in directory.groups(wanted, ())} if wanted else set[str]()
    absent = owners.keys() - living
    if absent:
        absent -= {group.guid for group in directory.deleted((), (), absent) or ()}
    if absent:
        # Outside the managed containers, or no group any more: that is no matter of replication.
        absent -= directory.security(absent).keys()
    return Lag(
        frozenset(owners[guid] for guid in absent),
        {guid: whose for guid, whose in deletions.items() if guid in living},
        written.database.server,
        here.server,
    )


def waiting(items: Iterable[PlanItem], lag: Lag) -> Iterator[PlanItem]:
    """Yield the items of a plan, with a problem in the place of each change that has to wait."""
    for item in items:
        if lag and isinstance(item, GroupChange) and item.action in WAITING:
            yield lag.problem(item.id, item.name)
        else:
            yield item
