# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs on demand: a plan is narrowed to chosen members, and tells of each group and member what it went through.

The four steps are those of provisioning on demand in the portal: import, scope, match, action.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity, texts
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.membership import MemberSkip, Wanted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    PrincipalKind,
    Skipped,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    MemberChange,
    PlanItem,
    Problem,
    Skip,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import CapturedGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.run_facts import Compared, Trace
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word


@dataclass(frozen=True, slots=True)
class Chosen:
    """The members that a run may change.

    Parameters:
        ids: object ids of cloud principals.
        sids: objectSids.
        names: distinguished names, folded.
    """

    ids: frozenset[str]
    sids: frozenset[str]
    names: frozenset[str]

    def takes(self, cloud_id: str, sid: str | None, name: str) -> bool:
        """Return whether a member is one of them; what is not known of it is empty."""
        return cloud_id in self.ids or (sid or "") in self.sids or (bool(name) and dn.folded(name) in self.names)


def chosen_members(entries: Iterable[str]) -> Chosen:
    """Return the members that some entries choose.

    Parameters:
        entries: object ids, SIDs and distinguished names.

    Raises:
        ConfigurationError: one is none of these, or there is none.
    """
    ids: set[str] = set()
    sids: set[str] = set()
    names: set[str] = set()
    for entry in (one.strip() for one in entries):
        cloud_id = identity.guid_text(entry)
        if cloud_id is not None:
            ids.add(cloud_id)
        elif identity.is_sid(entry):
            sids.add(entry)
        elif dn.is_dn(entry):
            names.add(dn.folded(entry))
        else:
            raise ConfigurationError(
                f"members: {entry!r} is no object id, no SID and no distinguished name.",
                "Choose listed members by object id; former ones by the SID or the DN of their account.",
            )
    if not ids | sids | names:
        raise ConfigurationError("members: nobody is chosen.", "Choose somebody, or leave the option out.")
    return Chosen(frozenset(ids), frozenset(sids), frozenset(names))


def narrow(items: Iterable[PlanItem], chosen: Chosen) -> Iterator[PlanItem]:
    """Yield the items of a plan, those on members cut down to the chosen ones."""
    for item in items:
        if isinstance(item, MemberChange):
            add = tuple(want for want in item.add if chosen.takes(want.id, want.sid, want.dn))
            remove = tuple(link for link in item.remove if chosen.takes("", link.sid, link.dn))
            if add or remove:
                yield replace(item, add=add, remove=remove)
        elif not isinstance(item, Skip) or item.group_id is None or item.id in chosen.ids:
            yield item


class Result(Word):
    """What becomes of a group or member."""

    PLANNED = "planned"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Steps:
    """What a group, or a member of it, went through, a phrase for each step.

    Parameters:
        id: object id, or an empty string for a member that the cloud does not list.
        name: displayName, or DN.
        imported: what the cloud says.
        scope: whether it is in scope, and why.
        match: the object in the directory.
        action: what is done.
        result: the same in one word.
        group_id: for a member, the object id of the group; else an empty string.
        group_name: for a member, the displayName of the group; else an empty string.
    """

    id: str
    name: str
    imported: str
    scope: str
    match: str
    action: str
    result: Result
    group_id: str = ""
    group_name: str = ""


NONE = "none"
_UNLISTED = ("Entra ID does not list it as a direct member", "not a member in the cloud")
# Import, scope, match, action.
_Phrases: TypeAlias = "tuple[str, str, str, str]"
# Reasons that are found when the account is looked for, after the member was taken for one that can be written.
_UNMATCHED = frozenset({Skipped.NOT_FOUND_IN_DIRECTORY, Skipped.IDENTITY_CONFLICT, Skipped.PRIMARY_GROUP})
_NOT_NAMED = "the member group is not among the named groups of this run"


@dataclass(slots=True)
class _Found:
    """The items of a plan that concern one group."""

    changes: list[GroupChange] = field(default_factory=list)
    members: MemberChange | None = None
    problem: Problem | None = None
    skip: Skip | None = None


def steps(
    groups: Iterable[CapturedGroup], items: Iterable[PlanItem], trace: Trace, chosen: Chosen | None = None
) -> Iterator[Steps]:
    """Yield the steps of each captured group and, after it, of its members, of the chosen ones alone where some are.

    Parameters:
        groups: the captured groups.
        items: the plan that was made from them.
        trace: what was compared meanwhile.
        chosen: the members that the plan was narrowed to, or None.
    """
    found = _by_group(items)
    for captured in groups:
        own = found.get(captured.group.id, _Found())
        yield _group_steps(captured, own, trace.compared.get(captured.group.id))
        compared = trace.compared.get(captured.group.id)
        if compared is not None:
            yield from sorted(_member_steps(captured, own, compared, chosen), key=lambda one: (one.name, one.id))


def _by_group(items: Iterable[PlanItem]) -> Mapping[str, _Found]:
    found: dict[str, _Found] = {}
    for item in items:
        if isinstance(item, GroupChange):
            found.setdefault(item.id, _Found()).changes.append(item)
        elif isinstance(item, MemberChange):
            found.setdefault(item.id, _Found()).members = item
        elif isinstance(item, Problem):
            found.setdefault(item.id, _Found()).problem = item
        elif isinstance(item, Skip) and item.group_id is None:
            found.setdefault(item.id, _Found()).skip = item
    return found


def _group_steps(captured: CapturedGroup, own: _Found, compared: Compared | None) -> Steps:
    group, decision = captured.group, captured.decision
    imported = f"Entra ID has it, with {captured.member_count} direct members"
    if decision.reason is not None:
        why = f"out of scope: {texts.SKIPPED[decision.reason]} ({decision.clause})"
        return Steps(group.id, group.display_name, "Entra ID has it", why, "not looked for", NONE, Result.SKIPPED)
    inside = f"in scope ({decision.clause})"
    match = compared.dn if compared is not None else "no object that can be written"
    action, result = NONE, Result.UNCHANGED
    if own.changes:
        first = own.changes[0]
        match = "no object yet" if first.action is Action.CREATE else first.dn
        action = "; ".join(f"{change.action} ({change.reason})" for change in own.changes)
        result = Result.PLANNED
    if own.skip is not None:
        action, result = f"left alone: {own.skip.reason}", Result.SKIPPED
    if own.problem is not None:
        action, result = f"failed: {own.problem.message}", Result.FAILED
    return Steps(group.id, group.display_name, imported, inside, match, action, result)


def _member_steps(captured: CapturedGroup, own: _Found, compared: Compared, chosen: Chosen | None) -> Iterator[Steps]:
    group = captured.group
    linked = {link.guid for link in compared.links}
    going = {link.guid for link in own.members.remove} if own.members is not None else set[str]()
    answered: set[str] = set()

    def entry(cloud_id: str, name: str, phrases: _Phrases, result: Result) -> Steps:
        imported, inside, match, action = phrases
        return Steps(cloud_id, name, imported, inside, match, action, result, group.id, group.display_name)

    for want in compared.sorted.wanted:
        answered |= {want.guid} if want.guid else set()
        if chosen is None or chosen.takes(want.id, want.sid, want.dn):
            there = want.guid in linked
            phrases = _wanted(want, there=there)
            yield entry(want.id, want.name, phrases, Result.UNCHANGED if there else Result.PLANNED)
    for skip in compared.sorted.skips:
        who = skip.principal
        if chosen is None or chosen.takes(who.id, who.on_premises_security_identifier, ""):
            yield entry(who.id, who.display_name or who.id, _skipped(skip), Result.SKIPPED)
    for link in compared.links:
        if link.guid in answered or not (link.guid in going or (chosen and chosen.takes("", link.sid, link.dn))):
            continue
        gone = link.guid in going
        action = "remove" if gone else "kept: what speaks against its removal stands in the report"
        yield entry("", link.dn, (*_UNLISTED, link.dn, action), Result.PLANNED if gone else Result.SKIPPED)
    for name in _absent(compared, chosen) if chosen is not None else ():
        yield entry("", name, (*_UNLISTED, "no link to it", NONE), Result.SKIPPED)


def _wanted(want: Wanted, *, there: bool) -> _Phrases:
    match = want.dn or want.sid or ("the object of that group" if want.guid else "the group that this run creates")
    return _listed(want.kind), "can be written", match, NONE if there else "add"


def _listed(kind: PrincipalKind) -> str:
    return f"Entra ID lists it as a direct member ({kind.value})"


def _skipped(skip: MemberSkip) -> _Phrases:
    reason = _NOT_NAMED if skip.reason is Skipped.GROUP_NOT_PROVISIONED else texts.SKIPPED[skip.reason]
    inside, match = ("can be written", reason) if skip.reason in _UNMATCHED else (reason, "not looked for")
    return _listed(skip.principal.kind), inside, match, NONE


def _absent(compared: Compared, chosen: Chosen) -> Iterator[str]:
    """Yield the chosen members that neither side knows as members of the group."""
    wanted, skipped = compared.sorted.wanted, [skip.principal for skip in compared.sorted.skips]
    ids = {want.id for want in wanted} | {who.id for who in skipped}
    sids = {link.sid for link in compared.links} | {want.sid for want in wanted}
    sids |= {who.on_premises_security_identifier for who in skipped}
    held = [*(link.dn for link in compared.links), *(want.dn for want in wanted)]
    names = {dn.folded(name) for name in held if name}
    yield from (*sorted(chosen.ids - ids), *sorted(chosen.sids - sids), *sorted(chosen.names - names))
