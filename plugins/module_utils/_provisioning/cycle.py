# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The use cases: read both sides, plan, apply. All in terms of the ports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import (
    dn,
    identity,
    mapping,
    membership,
    ownership,
    plan,
    texts,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ObjectError,
    ObjectIgnoredError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Kind, Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CompleteReading,
    DirectoryGroup,
    Link,
    LinkFacts,
    Principal,
    Reading,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    MemberChange,
    Notice,
    PlanItem,
    Problem,
    Skip,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import (
    CapturedGroup,
    CloudReader,
    DirectoryReader,
    KnownGroup,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Settings

# Groups whose links are read and whose members are resolved together: bounds both memory and the length of filters.
_GROUPS_AT_ONCE = 100

_T = TypeVar("_T")

_COUNTED_AS = {
    Action.CREATE: (Kind.CREATIONS,),
    Action.ADOPT: (Kind.ADOPTIONS,),
    Action.UPDATE: (Kind.UPDATES,),
    Action.RENAME: (Kind.RENAMES,),
    Action.MOVE: (Kind.MOVES,),
    Action.RENAME_AND_MOVE: (Kind.RENAMES, Kind.MOVES),
}


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A cloud group in scope with what the directory should hold of it."""

    captured: CapturedGroup
    desired: mapping.DesiredGroup


@dataclass(slots=True)
class _Provisioned:
    """The groups that this run matched or creates.

    Parameters:
        guids: object id to objectGUID, None for a group to be created.
        groups: object id to the captured group and its DN.
    """

    guids: dict[str, str | None] = field(default_factory=dict)
    groups: dict[str, tuple[CapturedGroup, str]] = field(default_factory=dict)


def chunks(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Yield lists of at most `size` items."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def build_plan(
    settings: Settings,
    cloud: CloudReader,
    directory: DirectoryReader,
    known: Mapping[str, KnownGroup],
    tally: Tally,
) -> Iterator[PlanItem]:
    """Yield everything that a run would do and leave, groups before members.

    Parameters:
        settings: what the administrator decided.
        cloud: the snapshot.
        directory: the target domain.
        known: what the journal remembers.
        tally: filled while the items are yielded; the limits are checked on it.

    Raises:
        GpadError: a reading of the directory did not reach its end.
    """
    candidates: list[_Candidate] = []
    for chosen in _choose(settings, cloud):
        if isinstance(chosen, _Candidate):
            candidates.append(chosen)
        else:
            yield chosen
    anchored = directory.anchored()
    tally.groups = len(anchored.groups)
    for name, anchor in anchored.elsewhere:
        yield Notice(identity.cloud_id_of(anchor) or "", name, "anchor_tampering", texts.TAMPERING.format(dn=name))
    provisioned = _Provisioned()
    for item in _plan_groups(settings, candidates, anchored.groups, directory, known, provisioned):
        if isinstance(item, GroupChange):
            for kind in _COUNTED_AS[item.action]:
                tally.counts[kind] += 1
        yield item
    yield from _left_behind(cloud, anchored.groups, provisioned)
    yield from _plan_members(settings, cloud, directory, known, provisioned, tally)


def _choose(settings: Settings, cloud: CloudReader) -> Iterator[_Candidate | Skip | Problem]:
    for captured in cloud.groups():
        group, reason = captured.group, captured.decision.reason
        if reason is not None:
            yield Skip(group.id, group.display_name, reason.value, texts.SKIPPED[reason])
        elif captured.member_count > settings.max_members:
            yield Problem(
                group.id,
                group.display_name,
                "too_many_members",
                f"It has {captured.member_count} members; max_members is {settings.max_members}.",
                "Split the group, or raise max_members.",
            )
        else:
            try:
                yield _Candidate(captured, mapping.desired_group(group, settings.mapper))
            except ObjectIgnoredError as error:
                yield Skip(group.id, group.display_name, error.code, error.message)
            except ObjectError as error:
                yield Problem(group.id, group.display_name, error.code, error.message, error.remedy)


def _plan_groups(
    settings: Settings,
    candidates: Sequence[_Candidate],
    anchored: Sequence[DirectoryGroup],
    directory: DirectoryReader,
    known: Mapping[str, KnownGroup],
    provisioned: _Provisioned,
) -> Iterator[PlanItem]:
    have = {group.guid for group in anchored}
    ids = {candidate.desired.id for candidate in candidates}
    guids = {entry.guid for cloud_id, entry in known.items() if cloud_id in ids} - have
    sids = {c.captured.group.security_identifier for c in candidates} - {group.sid for group in anchored} - {None}
    more = directory.groups(guids, {sid for sid in sids if sid}) if guids or sids else ()
    found = ownership.index([*anchored, *(group for group in more if group.guid not in have)])
    wanted = {candidate.desired.container for candidate in candidates}
    existing = directory.containers(
        {name for name in wanted if not ownership.container_problem(name, settings.managed_containers)}
    )
    matches = {
        c.desired.id: ownership.match(c.captured.group, found, _guid(known, c.desired.id), directory.domain.sid)
        for c in candidates
    }
    matches = ownership.refuse_shared(matches, {cloud_id: entry.guid for cloud_id, entry in known.items()})
    absent = [
        identity.anchor_of(cloud_id) for cloud_id, hit in matches.items() if hit.group is None and not hit.problem
    ]
    deleted = directory.deleted(absent) if absent else {}
    for candidate in candidates:
        desired, hit = candidate.desired, matches[candidate.desired.id]
        problem = _group_problem(settings, desired, hit, existing, deleted)
        if problem is not None:
            yield problem
            continue
        try:
            changes = plan.group_changes(desired, hit.group, by=hit.by, known=desired.id in known)
        except ObjectError as error:
            yield Problem(desired.id, desired.name, error.code, error.message, error.remedy)
            continue
        provisioned.guids[desired.id] = hit.group.guid if hit.group else None
        place = hit.group.dn if hit.group else dn.child("CN", desired.cn, desired.container)
        provisioned.groups[desired.id] = (candidate.captured, place)
        yield from changes


def _guid(known: Mapping[str, KnownGroup], cloud_id: str) -> str | None:
    entry = known.get(cloud_id)
    return entry.guid if entry else None


def _group_problem(
    settings: Settings,
    desired: mapping.DesiredGroup,
    hit: ownership.Match,
    existing: frozenset[str],
    deleted: Mapping[str, str],
) -> Problem | None:
    def problem(code: str, message: str) -> Problem:
        return Problem(desired.id, desired.name, code, message, texts.REMEDIES.get(code, ""))

    if hit.problem:
        return problem(hit.problem, hit.detail)
    if hit.by != "sid":  # a converted group stays where it is
        wrong = ownership.container_problem(desired.container, settings.managed_containers)
        if wrong:
            return problem("container_not_managed", f"Target container: {wrong}.")
        if desired.container not in existing:
            return problem("container_missing", f"The target container {desired.container} does not exist.")
    if hit.group is None:
        trash = deleted.get(identity.anchor_of(desired.id))
        return problem("deleted_object_exists", f"Its former object was deleted: {trash}.") if trash else None
    why = ownership.untouchable(hit.group, settings.protected_groups)
    return problem("protected_group", f"{hit.group.dn} is never written: {why}.") if why else None


def _left_behind(cloud: CloudReader, anchored: Sequence[DirectoryGroup], provisioned: _Provisioned) -> Iterator[Notice]:
    """Report anchored groups that no group in scope answers for. Retiring means keeping; nothing is written."""
    if cloud.header.narrowed:
        return
    reasons = {item.group.id: item.decision.reason for item in cloud.groups()}
    for group in anchored:
        cloud_id = group.cloud_id or ""
        if cloud_id in provisioned.guids:
            continue
        if cloud_id not in reasons:
            yield Notice(cloud_id, group.dn, "orphan", texts.ORPHAN.format(dn=group.dn))
        elif reasons[cloud_id] is not None:
            why = texts.SKIPPED[reasons[cloud_id]]
            yield Notice(cloud_id, group.dn, "retained_access", texts.RETAINED.format(dn=group.dn, why=why))


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


def _plan_members(
    settings: Settings,
    cloud: CloudReader,
    directory: DirectoryReader,
    known: Mapping[str, KnownGroup],
    provisioned: _Provisioned,
    tally: Tally,
) -> Iterator[PlanItem]:
    accounts = _Accounts(directory)
    for ids in chunks(provisioned.groups, _GROUPS_AT_ONCE):
        guids = [guid for guid in (provisioned.guids[i] for i in ids) if guid]
        links = dict(directory.links(guids)) if guids else {}
        pending = [_sort(cloud, directory, provisioned, i, links) for i in ids]
        accounts.ask({m.on_premises_security_identifier or "" for p in pending for m in p.sorted.unresolved})
        pending = [_resolve(entry, accounts.found) for entry in pending]
        candidates = [link for entry in pending for link in entry.candidates]
        facts = directory.facts([link.guid for link in candidates]) if candidates else {}
        left = cloud.known_sids({link.sid for link in candidates if link.sid}) if candidates else frozenset[str]()
        for entry in pending:
            yield from _finish(settings, known, entry, facts, left, tally)


def _sort(
    cloud: CloudReader,
    directory: DirectoryReader,
    provisioned: _Provisioned,
    cloud_id: str,
    links: Mapping[str, tuple[Link, ...]],
) -> _Pending:
    captured, name = provisioned.groups[cloud_id]
    guid = provisioned.guids[cloud_id]
    held = links.get(guid, ()) if guid else ()
    members = cloud.members(cloud_id)
    result = membership.sort_members(members.items, held, provisioned.guids, cloud_id, directory.domain)
    return _Pending(captured, name, guid, held, members, result)


def _resolve(entry: _Pending, found: Mapping[str, Link]) -> _Pending:
    result = membership.resolve_members(entry.sorted, found)
    candidates: tuple[Link, ...] = ()
    if isinstance(entry.members, CompleteReading):
        candidates = membership.unanswered(entry.members, CompleteReading(entry.links), result)
    return replace(entry, sorted=result, candidates=candidates)


def _finish(
    settings: Settings,
    known: Mapping[str, KnownGroup],
    entry: _Pending,
    facts: Mapping[str, LinkFacts],
    left: frozenset[str],
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
        fate = membership.removals(entry.candidates, facts, entry.members, left, policy)
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
