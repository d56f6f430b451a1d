# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a domain controller must hold before it may be written: what earlier runs wrote on another one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, texts
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import DirectoryGroup, DomainInfo
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    Notice,
    PlanItem,
    Problem,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import (
    DirectoryReader,
    KnownGroup,
)

PENDING = "replication_pending"
# The notices that tell of a group whose object is nowhere; the journal remembers them.
GONE_CODES = frozenset({"directory_group_gone"})
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
        restored: objectGUIDs of the objects that runs restored there.
        containers: DNs of the containers that runs created there.
        gone: objectGUIDs of known groups out of scope that had no object there any more, which no run deleted.
    """

    database: Database
    deleted: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    restored: frozenset[str] = frozenset()
    containers: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Lag:
    """What a domain controller lacks of what was written on another one.

    Parameters:
        missing: object ids of the groups that the journal knows and that have no object here, living or deleted, or a
            deleted one that was restored there.
        undead: objectGUID of each object that was deleted there and lives here, to id and name of its cloud group.
        there: the server that was written to.
        here: this one.
        unrestored: object ids of those among the missing whose object is deleted here.
        containers: DNs of the containers that were created there and are not here.
        gone: object id to objectGUID of the groups that nothing waits for, since their object is nowhere any more.
    """

    missing: frozenset[str] = frozenset()
    undead: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    there: str = ""
    here: str = ""
    unrestored: frozenset[str] = frozenset()
    containers: frozenset[str] = frozenset()
    gone: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Return whether anything is lacking."""
        return bool(self.missing or self.undead or self.containers)

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
            text = texts.PENDING_RESTORE if cloud_id in self.unrestored else texts.PENDING_MISSING
            text = text.format(here=self.here, there=self.there)
            yield Problem(cloud_id, names.get(cloud_id, cloud_id), PENDING, text, remedy)
        for guid, (cloud_id, name) in sorted(self.undead.items()):
            text = texts.PENDING_DELETION.format(guid=guid, here=self.here, there=self.there)
            yield Problem(cloud_id, name, PENDING, text, remedy)
        for name in sorted(self.containers):
            text = texts.PENDING_CONTAINER.format(dn=name, here=self.here, there=self.there)
            yield Problem("", name, PENDING, text, remedy)

    def notices(self, names: Mapping[str, str]) -> Iterator[Notice]:
        """Yield what the journal knows and nobody has any more.

        Parameters:
            names: object id to displayName, as far as they are known.
        """
        for cloud_id, guid in sorted(self.gone.items()):
            text = texts.GONE.format(guid=guid, here=self.here)
            yield Notice(cloud_id, names.get(cloud_id, cloud_id), "directory_group_gone", text)


def find_lag(
    written: Written | None,
    known: Mapping[str, KnownGroup],
    directory: DirectoryReader,
    left: Collection[str] = (),
) -> Lag:
    """Return what this domain controller lacks; the one that was written to last lacks nothing.

    Parameters:
        written: where earlier runs wrote, or None when none did.
        known: what the journal remembers.
        directory: the target domain.
        left: object ids of known groups that nobody else looks for. Those whose object is gone are found on the one
            that was written to last, and not waited for on another one.

    Raises:
        GpadError: a reading of the directory did not reach its end.
    """
    here = database_of(directory.domain)
    if written is None:
        return Lag()
    if here.is_surely(written.database):
        mine = {known[cloud_id].guid: cloud_id for cloud_id in left}
        _living, _deleted, absent = _look(mine.keys(), mine.keys(), directory)
        return Lag(here=here.server, gone={mine[guid]: guid for guid in absent})
    owners = {entry.guid: cloud_id for cloud_id, entry in known.items()}
    deletions = {guid: whose for guid, whose in written.deleted.items() if guid not in owners}
    living, deleted, absent = _look(owners.keys(), owners.keys() | deletions.keys(), directory)
    unrestored = deleted & written.restored
    there = {dn.key(name) for name in directory.containers(written.containers)} if written.containers else set()
    return Lag(
        frozenset(owners[guid] for guid in (absent - written.gone) | unrestored),
        {guid: whose for guid, whose in deletions.items() if guid in living},
        written.database.server,
        here.server,
        frozenset(owners[guid] for guid in unrestored),
        frozenset(name for name in written.containers if dn.key(name) not in there),
        {owners[guid]: guid for guid in absent & written.gone},
    )


def _look(
    expected: Collection[str], wanted: Collection[str], directory: DirectoryReader
) -> tuple[set[str], set[str], set[str]]:
    """Return the objectGUIDs of the wanted objects that live, and of the expected ones that are deleted or nowhere."""
    living = {group.guid for group in directory.groups(wanted, ())} if wanted else set[str]()
    absent = set(expected) - living
    deleted = {group.guid for group in directory.deleted((), (), absent) or ()} if absent else set[str]()
    absent -= deleted
    # Outside the managed containers, or no group any more: that is no matter of replication.
    return living, deleted, absent - directory.security(absent).keys() if absent else absent


def waiting(items: Iterable[PlanItem], lag: Lag) -> Iterator[PlanItem]:
    """Yield the items of a plan, with a problem in the place of each change that has to wait."""
    for item in items:
        if lag and isinstance(item, GroupChange) and item.action in WAITING:
            yield lag.problem(item.id, item.name)
        else:
            yield item
