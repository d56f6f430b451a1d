# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The member part of a plan: what each matched group's links should become."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import membership, plan, texts
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.batches import GROUPS_AT_ONCE, chunks
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.group_planning import Provisioned
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Kind, Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CompleteReading,
    Link,
    LinkFacts,
    Principal,
    Reading,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    MemberChange,
    Notice,
    PlanItem,
    Skip,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import (
    CapturedGroup,
    CloudReader,
    DirectoryReader,
    KnownGroup,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Settings


@dataclass(frozen=True, slots=True)
class _Pending:
    """One group whose members are being planned.

    Parameters:
        captured: the cloud side.
        dn: where the object is, or will be.
        guid: objectGUID, None for a group to be created.
        links: what the directory holds.
        members: what the cloud lists.
        sorted: the listed members, sorted.
        candidates: links that no listed member answers for.
    """

    captured: CapturedGroup
    dn: str
    guid: str | None
    links: tuple[Link, ...]
    members: Reading[tuple[Principal, ...]]
    sorted: membership.Sorted
    candidates: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class _Evidence:
    """What is known of the objects behind candidates for removal.

    Parameters:
        facts: objectGUID to what the directory says.
        sids: SIDs of those that are readable Entra principals.
        guids: objectGUIDs of the groups that this run matched.
    """

    facts: Mapping[str, LinkFacts]
    sids: frozenset[str]
    guids: frozenset[str]


@dataclass(slots=True)
class _Accounts:
    """The look-ups of a run, each SID asked once."""

    directory: DirectoryReader
    found: dict[str, Link] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)

    def ask(self, sids: set[str]) -> None:
        """Look up what was not looked up before."""
        asked = sids - self.found.keys() - self.missing
        if asked:
            found = self.directory.resolve(asked)
            self.found.update(found)
            self.missing |= asked - found.keys()


def plan_members(
    settings: Settings,
    cloud: CloudReader,
    directory: DirectoryReader,
    known: Mapping[str, KnownGroup],
    provisioned: Provisioned,
    tally: Tally,
) -> Iterator[PlanItem]:
    """Yield the changes of members, and who is skipped or kept, group by group.

    Parameters:
        settings: what the administrator decided.
        cloud: the snapshot.
        directory: the target domain.
        known: what the journal remembers.
        provisioned: the groups that this run matched or creates.
        tally: counts on.

    Raises:
        GpadError: a reading of the directory did not reach its end.
    """
    accounts = _Accounts(directory)
    remembered = {cloud_id: entry.guid for cloud_id, entry in known.items()}
    matched = frozenset(guid for guid in provisioned.guids.values() if guid)
    for ids in chunks(provisioned.groups, GROUPS_AT_ONCE):
        guids = [guid for guid in (provisioned.guids[i] for i in ids) if guid]
        links = dict(directory.links(guids)) if guids else {}
        pending = [_sort(cloud, directory, provisioned, i, links) for i in ids]
        accounts.ask({m.on_premises_security_identifier or "" for p in pending for m in p.sorted.unresolved})
        pending = [_resolve(entry, accounts.found, remembered) for entry in pending]
        candidates = [link for entry in pending for link in entry.candidates]
        facts = directory.facts([link.guid for link in candidates]) if candidates else {}
        left = cloud.known_sids({link.sid for link in candidates if link.sid}) if candidates else frozenset[str]()
        for entry in pending:
            yield from _finish(settings, known, entry, _Evidence(facts, left, matched), tally)


def _sort(
    cloud: CloudReader,
    directory: DirectoryReader,
    provisioned: Provisioned,
    cloud_id: str,
    links: Mapping[str, tuple[Link, ...]],
) -> _Pending:
    captured, name = provisioned.groups[cloud_id]
    guid = provisioned.guids[cloud_id]
    held = links.get(guid, ()) if guid else ()
    members = cloud.members(cloud_id)
    result = membership.sort_members(members.items, held, provisioned.guids, cloud_id, directory.domain)
    return _Pending(captured, name, guid, held, members, result)


def _resolve(entry: _Pending, found: Mapping[str, Link], remembered: Mapping[str, str]) -> _Pending:
    result = membership.resolve_members(entry.sorted, found)
    candidates: tuple[Link, ...] = ()
    if isinstance(entry.members, CompleteReading):
        candidates = membership.unanswered(entry.members, CompleteReading(entry.links), result, remembered)
    return replace(entry, sorted=result, candidates=candidates)


def _finish(
    settings: Settings,
    known: Mapping[str, KnownGroup],
    entry: _Pending,
    evidence: _Evidence,
    tally: Tally,
) -> Iterator[PlanItem]:
    group = entry.captured.group
    for skip in entry.sorted.skips:
        who = skip.principal
        name = who.display_name or who.id
        yield Skip(who.id, name, skip.reason.value, texts.SKIPPED[skip.reason], group.id, group.display_name)
    add = membership.additions(entry.sorted.wanted, entry.links)
    remove: tuple[Link, ...] = ()
    forbidden = membership.removals_allowed(entry.members, group.rule_being_evaluated)
    if forbidden:
        yield Notice(group.id, group.display_name, "removals_held", f"No member is removed: {forbidden}.")
    elif isinstance(entry.members, CompleteReading) and entry.candidates:
        accepted = group.id in known and known[group.id].accepted
        policy = membership.RemovalPolicy(settings.foreign_members, accepted, settings.protected_members)
        fate = membership.removals(
            entry.candidates, evidence.facts, entry.members, evidence.sids, evidence.guids, policy
        )
        remove = fate.remove
        for link, why in fate.foreign:
            yield Notice(group.id, group.display_name, why, texts.FOREIGN[why].format(dn=link.dn))
    tally.links += len(entry.links)
    tally.counts[Kind.MEMBER_ADDITIONS] += len(add)
    tally.counts[Kind.MEMBER_REMOVALS] += len(remove)
    if remove and len(remove) == len(entry.links) and not add:
        tally.counts[Kind.GROUPS_EMPTIED] += 1
    if add or remove:
        digest = plan.links_digest(entry.links)
        yield MemberChange(group.id, group.display_name, entry.guid, entry.dn, add, remove, len(entry.links), digest)
