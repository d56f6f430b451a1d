# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The member part of a plan, some groups at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import (
    membership,
    nesting,
    plan,
    removal,
    texts,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.batches import group_batches
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    Account,
    CompleteReading,
    DomainInfo,
    HeldLinks,
    IncompleteReading,
    Link,
    Principal,
    PrincipalKind,
    Reading,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    MemberChange,
    Notice,
    PlanItem,
    Question,
    Skip,
    Subject,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import (
    CapturedGroup,
    CloudReader,
    DirectoryReader,
    KnownGroup,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.removal import Evidence
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.run_facts import (
    Compared,
    Provisioned,
    RunFacts,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Settings


@dataclass(frozen=True, slots=True)
class _Pending:
    """One group whose members are being planned.

    Parameters:
        captured: the cloud side.
        dn: where the object is, or will be.
        guid: objectGUID, None for a group to be created.
        sid: objectSid, None for a group to be created.
        held: what the directory holds.
        members: what the cloud lists.
        sorted: the listed members, sorted.
        candidates: links that no listed member answers for.
    """

    captured: CapturedGroup
    dn: str
    guid: str | None
    sid: str | None
    held: HeldLinks
    members: Reading[tuple[Principal, ...]]
    sorted: membership.Sorted
    candidates: tuple[Link, ...] = ()


@dataclass(slots=True)
class _Accounts:
    """The look-ups of a run, each SID and source anchor asked once."""

    directory: DirectoryReader
    by_sid: dict[str, Account] = field(default_factory=dict)
    by_anchor: dict[str, tuple[Account, ...]] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)

    def ask(self, members: Sequence[Principal]) -> None:
        """Look up what was not looked up before."""
        sids = {sid for member in members if (sid := member.on_premises_security_identifier)} - self.asked
        if sids:
            self.by_sid.update(self.directory.resolve(sids))
        without = (member for member in members if not member.on_premises_security_identifier)
        anchors = {anchor for member in without if (anchor := membership.source_anchor(member))} - self.asked
        if anchors:
            self.by_anchor.update(self.directory.anchored_accounts(anchors))
        self.asked |= sids | anchors


def plan_members(
    settings: Settings,
    cloud: CloudReader,
    directory: DirectoryReader,
    known: Mapping[str, KnownGroup],
    provisioned: Provisioned,
    tally: Tally,
    run: RunFacts,
) -> Iterator[PlanItem]:
    """Yield the changes of members, and who is skipped or kept, group by group.

    Parameters:
        settings: what the administrator decided.
        cloud: the snapshot.
        directory: the target domain.
        known: what the journal remembers.
        provisioned: the groups that this run matched or creates.
        tally: told what the directory holds.
        run: what comes from outside the two sides.

    Raises:
        GpadError: a reading of the directory did not reach its end.
    """
    accounts = _Accounts(directory)
    remembered = {cloud_id: entry.guid for cloud_id, entry in known.items()}
    matched = frozenset(guid for guid in provisioned.guids.values() if guid)
    nested: dict[str, set[str]] = {}
    done, total = 0, len(provisioned.groups)
    run.compared(done, total)
    batches = list(group_batches(provisioned.groups, lambda i: provisioned.groups[i][0].member_count))
    read_ahead = directory.links_ahead(
        [guid for i in ids if i not in provisioned.restored and (guid := provisioned.guids[i])] for ids in batches
    )
    for ids, found in zip(batches, read_ahead, strict=True):
        held = {links.guid: links for links in found}
        settled = {i for i in ids if _are_linked(provisioned, i, cloud, held, directory.domain)}
        tally.links += sum(provisioned.groups[cloud_id][0].member_count for cloud_id in settled)
        done += len(settled)
        if settled:
            run.compared(done, total)
        pending = [_sort(directory, provisioned, i, held, cloud.members(i)) for i in ids if i not in settled]
        accounts.ask([member for entry in pending for member in entry.sorted.unresolved])
        pending = [_resolve(entry, accounts, remembered) for entry in pending]
        evidence = _evidence(pending, cloud, directory, run)
        for entry in pending:
            _note_nesting(entry, nested)
            own = replace(
                evidence.shared, matched=matched, added=evidence.added.get(entry.captured.group.id, frozenset())
            )
            yield from _finish(settings, directory, known, provisioned, entry, own, tally)
            done += 1
            run.compared(done, total)
    for cycle in nesting.cycles(nested):
        names = [provisioned.groups[cloud_id][0].group.display_name for cloud_id in (*cycle, cycle[0])]
        yield Notice(cycle[0], names[0], "nesting_cycle", texts.CYCLE.format(names=" > ".join(names)))


def _note_nesting(entry: _Pending, nested: dict[str, set[str]]) -> None:
    inside = {want.id for want in entry.sorted.wanted if want.kind is PrincipalKind.GROUP}
    if inside:
        nested[entry.captured.group.id] = inside


@dataclass(frozen=True, slots=True)
class _Gathered:
    """What was read of the candidates of some groups.

    Parameters:
        shared: what is the same for all of them.
        added: by object id of the cloud group, what earlier runs added to it.
    """

    shared: Evidence
    added: Mapping[str, frozenset[str]]


def _evidence(pending: Sequence[_Pending], cloud: CloudReader, directory: DirectoryReader, run: RunFacts) -> _Gathered:
    candidates = [link for entry in pending for link in entry.candidates]
    if not candidates:
        return _Gathered(Evidence(), {})
    facts = directory.facts([link.guid for link in candidates])
    sids = cloud.known_sids({link.sid for link in candidates if link.sid})
    return _Gathered(Evidence(facts, sids), run.added([p.captured.group.id for p in pending if p.candidates]))


_NOTHING: CompleteReading[Sequence[Link]] = CompleteReading(())


def _are_linked(
    provisioned: Provisioned,
    cloud_id: str,
    cloud: CloudReader,
    found: Mapping[str, HeldLinks],
    domain: DomainInfo,
) -> bool:
    """Return whether there is nothing to do and nothing to say of a group's members."""
    held, captured = found.get(provisioned.guids[cloud_id] or ""), provisioned.groups[cloud_id][0]
    if (
        held is None
        or held.sids is None
        or len(held.sids) != captured.member_count
        or provisioned.trace is not None
        or captured.group.rule_being_evaluated
    ):
        return False
    listed = cloud.member_sids(cloud_id)
    return listed is not None and membership.are_linked(listed, held.sids, domain)


def _sort(
    directory: DirectoryReader,
    provisioned: Provisioned,
    cloud_id: str,
    found: Mapping[str, HeldLinks],
    members: Reading[tuple[Principal, ...]],
) -> _Pending:
    captured, name = provisioned.groups[cloud_id]
    guid = provisioned.guids[cloud_id]
    held = found.get(guid or "") or HeldLinks(guid or "", _NOTHING, 0)
    if cloud_id in provisioned.restored:
        held = HeldLinks(guid or "", CompleteReading(provisioned.restored[cloud_id]), 0)
    result = membership.sort_members(members.items, held.reading.items, provisioned.guids, cloud_id, directory.domain)
    return _Pending(captured, name, guid, provisioned.sids.get(cloud_id), held, members, result)


def _resolve(entry: _Pending, accounts: _Accounts, remembered: Mapping[str, str]) -> _Pending:
    result = membership.resolve_members(entry.sorted, accounts.by_sid, accounts.by_anchor, entry.sid)
    candidates: tuple[Link, ...] = ()
    if isinstance(entry.members, CompleteReading) and isinstance(entry.held.reading, CompleteReading):
        candidates = membership.unanswered(entry.members, entry.held.reading, result, remembered)
    return replace(entry, sorted=result, candidates=candidates)


def _finish(
    settings: Settings,
    directory: DirectoryReader,
    known: Mapping[str, KnownGroup],
    provisioned: Provisioned,
    entry: _Pending,
    evidence: Evidence,
    tally: Tally,
) -> Iterator[PlanItem]:
    group = entry.captured.group
    if provisioned.trace is not None:
        compared = Compared(entry.dn, entry.sorted, entry.held.reading.items)
        provisioned.trace.compared[group.id] = compared
    if isinstance(entry.held.reading, IncompleteReading):
        text = texts.LINKS_UNREAD.format(dn=entry.dn, why=entry.held.reading.why)
        yield Notice(group.id, group.display_name, "links_unread", text)
        return
    for skip in entry.sorted.skips:
        who = skip.principal
        name = who.display_name or who.id
        yield Skip(who.id, name, skip.reason.value, texts.SKIPPED[skip.reason], group.id, group.display_name)
    links = entry.held.reading.items
    add = membership.additions(entry.sorted.wanted, links)
    remove: tuple[Link, ...] = ()
    forbidden = removal.removals_allowed(entry.members, group.rule_being_evaluated)
    if forbidden:
        yield Notice(group.id, group.display_name, "removals_held", f"No member is removed: {forbidden}.")
    elif isinstance(entry.members, CompleteReading) and entry.candidates:
        accepted = group.id in known and known[group.id].accepted
        policy = removal.RemovalPolicy(settings.foreign_members, accepted, settings.protected_members)
        fate = removal.removals(entry.candidates, evidence, entry.members, policy, directory.domain)
        remove = fate.remove
        for link, why in fate.foreign:
            yield Notice(group.id, group.display_name, why, texts.FOREIGN[why].format(dn=link.dn))
        # Links to be removed are asked for, too: what is known of them must still be known if a limit stops this plan.
        foreign = [link for link, why in fate.foreign if why == "foreign_member"]
        for link in (*foreign, *(() if accepted else remove)):
            if link.sid:
                yield Question(Subject.SID, link.sid)
    tally.links += len(links)
    if add or remove:
        usn = 0 if group.id in provisioned.changing else entry.held.usn
        digest = plan.links_digest(links)
        yield MemberChange(group.id, group.display_name, entry.guid, entry.dn, add, remove, len(links), digest, usn)
