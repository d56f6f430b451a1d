# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the parts of a plan share: facts from outside the two sides, and what the part before found."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expressions import RandomSource
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.membership import Sorted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import Link
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import CapturedGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.replication import Lag, Written
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retry import HeldBack, Waiting


def _nothing_added(_cloud_ids: Collection[str]) -> Mapping[str, frozenset[str]]:
    return {}


def unheard(_done: int, _total: int) -> None:
    """Tell nobody how many are done of how many."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a plan takes from outside the two sides.

    Parameters:
        now: the time of the run.
        random: where random functions take their numbers from.
        last_container_rule: the rule for containers that was applied last, or None when none is remembered.
        journal_missing: there is no journal.
        undecided: object ids of groups whose adoption an earlier run asked about.
        left: since when cloud groups are out of scope, ISO 8601 by object id, as the journal remembers it.
        added: gives the objectGUIDs of the members that earlier runs added, by object id of the cloud group.
        waiting: the objects that failed and wait for another try.
        written: the domain controller that earlier runs wrote to, or None when none did.
        compared: is told of how many groups of how many the members were compared.
    """

    now: datetime | None = None
    random: RandomSource | None = None
    last_container_rule: str | None = None
    journal_missing: bool = False
    undecided: frozenset[str] = frozenset()
    left: Mapping[str, str] = field(default_factory=dict)
    added: Callable[[Collection[str]], Mapping[str, frozenset[str]]] = _nothing_added
    waiting: Waiting = field(default_factory=Waiting)
    written: Written | None = None
    compared: Callable[[int, int], None] = unheard


@dataclass(frozen=True, slots=True)
class Compared:
    """The members of one group on both sides.

    Parameters:
        dn: where the group is, or will be.
        sorted: the members that the cloud lists.
        links: the links that the directory holds.
    """

    dn: str
    sorted: Sorted
    links: Sequence[Link]


@dataclass(slots=True)
class Trace:
    """Takes down what was compared, for a run of a few groups that tells of everything.

    Parameters:
        compared: by object id of the cloud group.
    """

    compared: dict[str, Compared] = field(default_factory=dict)


@dataclass(slots=True)
class Provisioned:
    """The groups that this run matched or creates, and what else the parts of a plan hand on.

    Parameters:
        guids: object id to objectGUID, None for a group to be created.
        groups: object id to the captured group and its DN.
        sids: object id to objectSid, of the groups that exist.
        restored: object id to the links that come back with a restored object.
        changing: object ids of groups whose object the plan writes before their members.
        lag: what the domain controller lacks of what earlier runs wrote on another one.
        trace: takes down what is compared, or None.
    """

    guids: dict[str, str | None] = field(default_factory=dict)
    groups: dict[str, tuple[CapturedGroup, str]] = field(default_factory=dict)
    sids: dict[str, str] = field(default_factory=dict)
    restored: dict[str, tuple[Link, ...]] = field(default_factory=dict)
    changing: set[str] = field(default_factory=set)
    lag: Lag = field(default_factory=Lag)
    trace: Trace | None = None

    def without(self, held: HeldBack) -> None:
        """Take in that the changes of a group wait.

        The group that has no object can be nobody's member, and has no members, nor does one that is not adopted yet.
        """
        self.changing.discard(held.id)
        if held.no_members:
            self.groups.pop(held.id, None)
            self.restored.pop(held.id, None)
        if held.no_object:
            self.guids.pop(held.id, None)
            self.sids.pop(held.id, None)
