# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which members a directory group should have, which links may go, and why the rest stays as it is.

What is desired and what is removable are two sets: a member that cannot be written (a user of another forest, a group
that is not provisioned) is not desired, yet a link that already answers to it is not removable either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CompleteReading,
    DomainInfo,
    Link,
    LinkFacts,
    Principal,
    PrincipalKind,
    Reading,
    Skipped,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word


class ForeignMembers(Word):
    """What happens to links that answer to no member the cloud lists."""

    ACCEPTED = "accepted"
    REMOVE = "remove"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A link that should be there.

    Parameters:
        id: object id of the cloud principal.
        kind: user or group.
        name: displayName, for people.
        guid: objectGUID to write, or None for a group that this run is to create.
        sid: objectSid, or None while unknown.
        dn: distinguishedName where known.
    """

    id: str
    kind: PrincipalKind
    name: str
    guid: str | None
    sid: str | None = None
    dn: str = ""


@dataclass(frozen=True, slots=True)
class MemberSkip:
    """A listed member that is not written, with the reason."""

    principal: Principal
    reason: Skipped


@dataclass(frozen=True, slots=True)
class Sorted:
    """The members that the cloud lists, sorted before the directory is asked.

    Parameters:
        wanted: to be linked, GUID known.
        unresolved: users to look up by their SID.
        skips: not to be linked.
    """

    wanted: tuple[Wanted, ...]
    unresolved: tuple[Principal, ...]
    skips: tuple[MemberSkip, ...]


def sort_members(
    members: Iterable[Principal],
    links: Iterable[Link],
    provisioned: Mapping[str, str | None],
    own_id: str,
    domain: DomainInfo,
) -> Sorted:
    """Return which members are wanted, which must be looked up first, and which are skipped.

    A user who is linked already needs no look-up: the link shows SID and GUID.

    Parameters:
        members: the direct members that the cloud lists.
        links: the links that the directory holds.
        provisioned: object id of each cloud group that this run matched or creates, to its objectGUID (None until
            created).
        own_id: object id of the group itself.
        domain: the target domain.
    """
    by_sid = {link.sid: link for link in links if link.sid}
    wanted: list[Wanted] = []
    unresolved: list[Principal] = []
    skips: list[MemberSkip] = []
    for member in members:
        reason = _skip_reason(member, provisioned, own_id, domain)
        sid = member.on_premises_security_identifier
        if reason is not None:
            skips.append(MemberSkip(member, reason))
        elif member.kind is PrincipalKind.GROUP:
            wanted.append(Wanted(member.id, member.kind, member.display_name, provisioned[member.id], sid))
        elif sid in by_sid:
            _accept(member, by_sid[sid], wanted, skips)
        else:
            unresolved.append(member)
    return Sorted(tuple(wanted), tuple(unresolved), tuple(skips))


def _skip_reason(
    member: Principal, provisioned: Mapping[str, str | None], own_id: str, domain: DomainInfo
) -> Skipped | None:
    if member.kind is PrincipalKind.GROUP:
        if member.id == own_id:
            return Skipped.GROUP_ITSELF
        if member.id in provisioned:
            return None
        if not member.readable:
            return Skipped.UNREADABLE
        return Skipped.SYNCED_GROUP if member.on_premises_sync_enabled is True else Skipped.GROUP_NOT_PROVISIONED
    if member.kind is not PrincipalKind.USER:
        return Skipped.UNSUPPORTED_TYPE
    if not member.readable:
        return Skipped.UNREADABLE
    sid = member.on_premises_security_identifier
    if not sid:
        return Skipped.CLOUD_ONLY_USER
    issuer = identity.domain_of(sid)
    if issuer == domain.sid:
        return None
    return Skipped.OTHER_DOMAIN if issuer in domain.forest else Skipped.OTHER_FOREST


def _accept(member: Principal, found: Link, wanted: list[Wanted], skips: list[MemberSkip]) -> None:
    """Take a look-up's answer, unless SID and GUID of the member point at two objects."""
    guid = identity.source_anchor_guid(member.on_premises_object_identifier)
    if guid is not None and guid != found.guid:
        skips.append(MemberSkip(member, Skipped.IDENTITY_CONFLICT))
    else:
        wanted.append(Wanted(member.id, member.kind, member.display_name, found.guid, found.sid, found.dn))


def resolve_members(sorted_members: Sorted, found: Mapping[str, Link]) -> Sorted:
    """Return the members with the look-up's answers taken in; nothing is left unresolved.

    Parameters:
        sorted_members: what sort_members gave.
        found: SID to the directory object that carries it; a SID without one is absent.
    """
    wanted, skips = list(sorted_members.wanted), list(sorted_members.skips)
    for member in sorted_members.unresolved:
        hit = found.get(member.on_premises_security_identifier or "")
        if hit is None:
            skips.append(MemberSkip(member, Skipped.NOT_FOUND_IN_DIRECTORY))
        else:
            _accept(member, hit, wanted, skips)
    return Sorted(tuple(wanted), (), tuple(skips))


def additions(wanted: Iterable[Wanted], links: Iterable[Link]) -> tuple[Wanted, ...]:
    """Return what is wanted and not linked."""
    linked = {link.guid for link in links}
    return tuple(want for want in wanted if want.guid is None or want.guid not in linked)


def unanswered(
    members: CompleteReading[tuple[Principal, ...]],
    links: CompleteReading[tuple[Link, ...]],
    sorted_members: Sorted,
    remembered: Mapping[str, str],
) -> tuple[Link, ...]:
    """Return the links that no listed member answers for by GUID or SID: the candidates for removal.

    Both readings must be complete, which the parameters' types say.

    Parameters:
        members: what the cloud lists.
        links: what the directory holds.
        sorted_members: the listed members, sorted.
        remembered: object id to the objectGUID that the journal holds: a member group that cannot be handled in this
            run keeps its link.
    """
    guids: set[str | None] = {want.guid for want in sorted_members.wanted}
    guids |= {remembered.get(member.id) for member in members.items}
    sids: set[str | None] = set()
    for member in members.items:
        sids.add(member.on_premises_security_identifier)
        guids.add(identity.source_anchor_guid(member.on_premises_object_identifier))
    sids.discard(None)
    guids.discard(None)
    return tuple(link for link in links.items if link.guid not in guids and link.sid not in sids)


@dataclass(frozen=True, slots=True)
class Removals:
    """What becomes of the candidates.

    Parameters:
        remove: links to take away.
        foreign: links kept although no listed member answers for them, each with the word that says why.
    """

    remove: tuple[Link, ...]
    foreign: tuple[tuple[Link, str], ...]


@dataclass(frozen=True, slots=True)
class RemovalPolicy:
    """What decides over candidates.

    Parameters:
        foreign_members: the option of that name.
        accepted: the journal knows this group as born here, or its foreign links were accepted.
        protected_members: who is never removed: SIDs in lower case and folded DNs.
    """

    foreign_members: ForeignMembers
    accepted: bool
    protected_members: frozenset[str] = frozenset()


# What an unreadable member of a kind may be in the directory: links of these classes stay while one is listed.
# An object of another domain is not found in this one, so its class is unknown; one of another forest is a placeholder.
_ELSEWHERE = frozenset({"", "foreignSecurityPrincipal"})
_CLASSES_OF = {
    PrincipalKind.USER: frozenset({"user", "inetOrgPerson"}) | _ELSEWHERE,
    PrincipalKind.GROUP: frozenset({"group"}) | _ELSEWHERE,
    PrincipalKind.DEVICE: frozenset({"computer"}),
    PrincipalKind.CONTACT: frozenset({"contact"}),
    PrincipalKind.SERVICE_PRINCIPAL: frozenset[str](),
}


def removals(
    candidates: Iterable[Link],
    facts: Mapping[str, LinkFacts],
    members: CompleteReading[tuple[Principal, ...]],
    known_principals: frozenset[str],
    matched: frozenset[str],
    policy: RemovalPolicy,
) -> Removals:
    """Return which candidates go.

    Parameters:
        candidates: what `unanswered` gave.
        facts: objectGUID to what the directory says of that object.
        members: the members that the cloud lists.
        known_principals: SIDs of readable Entra principals among the candidates; one that is not listed has left.
        matched: objectGUIDs of the groups that this run matched; one that is not listed has left.
        policy: what decides.
    """
    listed_ids = {member.id for member in members.items}
    listed_sids = {member.on_premises_security_identifier for member in members.items} - {None}
    held_classes = frozenset[str]().union(
        *(_CLASSES_OF.get(m.kind, frozenset()) for m in members.items if not m.readable)
    )
    held_all = any(not m.readable and m.kind is PrincipalKind.UNKNOWN for m in members.items)
    remove: list[Link] = []
    foreign: list[tuple[Link, str]] = []
    for link in candidates:
        fact = facts.get(link.guid, LinkFacts())
        if listed_sids & set(fact.sid_history):
            continue
        if {(link.sid or "").lower(), dn.folded(link.dn)} & policy.protected_members:
            foreign.append((link, "protected_member"))
        elif link.sid in known_principals or link.guid in matched:
            remove.append(link)
        elif _anchored_id(fact.anchor) in listed_ids:
            # Many may write this attribute on their own account, so it is told and weighs less than what Entra knows.
            foreign.append((link, "anchored_member"))
        elif held_all or fact.object_class in held_classes:
            foreign.append((link, "unreadable_member_listed"))
        elif policy.foreign_members is ForeignMembers.REMOVE or (
            policy.foreign_members is ForeignMembers.ACCEPTED and policy.accepted
        ):
            remove.append(link)
        else:
            foreign.append((link, "foreign_member"))
    return Removals(tuple(remove), tuple(foreign))


def _anchored_id(anchor: str | None) -> str | None:
    """Return the object id inside `User_<id>` or `Group_<id>`."""
    return identity.guid_text(anchor.partition("_")[2]) if anchor else None


def removals_allowed(members: Reading[tuple[Principal, ...]], rule_being_evaluated: bool) -> str:
    """Return why no link of a group may be removed now, or an empty string."""
    if not isinstance(members, CompleteReading):
        return f"its members could not be read to the end: {members.why}"
    return "its dynamic rule is being evaluated" if rule_being_evaluated else ""
