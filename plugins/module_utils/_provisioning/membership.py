# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which members a directory group should have, which links may go, and why the rest stays as it is.

What is desired and what is removable are two sets: a member that cannot be written (a user of another forest, a group
that is not provisioned) is not desired, yet a link that already answers to it is not removable either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    Account,
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
        doubtful: objectGUIDs of accounts that may be those of skipped members, and therefore keep their links.
    """

    wanted: tuple[Wanted, ...]
    unresolved: tuple[Principal, ...]
    skips: tuple[MemberSkip, ...]
    doubtful: frozenset[str] = frozenset()


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
        elif sid is not None and sid in by_sid:
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
        return None if source_anchor(member) else Skipped.CLOUD_ONLY_USER
    issuer = identity.domain_of(sid)
    if issuer == domain.sid or (issuer in domain.forest and domain.catalog):
        return None
    return Skipped.OTHER_DOMAIN if issuer in domain.forest else Skipped.OTHER_FOREST


def _accept(member: Principal, found: Link, wanted: list[Wanted], skips: list[MemberSkip]) -> None:
    """Take a look-up's answer, unless SID and GUID of the member point at two objects."""
    guid = identity.source_anchor_guid(member.on_premises_object_identifier)
    if guid is not None and guid != found.guid:
        skips.append(MemberSkip(member, Skipped.IDENTITY_CONFLICT))
    else:
        wanted.append(Wanted(member.id, member.kind, member.display_name, found.guid, found.sid, found.dn))


def source_anchor(member: Principal) -> str | None:
    """Return the GUID inside onPremisesImmutableId, which is there only when the capture was asked for it."""
    return identity.source_anchor_guid(member.on_premises_immutable_id)


def resolve_members(
    sorted_members: Sorted,
    found: Mapping[str, Account],
    anchored: Mapping[str, tuple[Account, ...]],
    group_sid: str | None,
) -> Sorted:
    """Return the members with the look-ups' answers taken in; nothing is left unresolved.

    A user without a SID is taken by its source anchor only if logon name and domain agree, since an administrator of
    the cloud may set the anchor of any cloud user.

    Parameters:
        sorted_members: what sort_members gave.
        found: SID to the account that carries it; a SID without one is absent.
        anchored: source anchor to the accounts that carry it.
        group_sid: SID of the group, or None while unknown.
    """
    wanted, skips = list(sorted_members.wanted), list(sorted_members.skips)
    doubtful: set[str] = set()
    for member in sorted_members.unresolved:
        sid = member.on_premises_security_identifier
        account = found.get(sid) if sid else None
        if sid is None:
            candidates = anchored.get(source_anchor(member) or "", ())
            account = next((hit for hit in candidates if len(candidates) == 1 and _same_account(member, hit)), None)
            if candidates and account is None:
                doubtful |= {hit.link.guid for hit in candidates}
                skips.append(MemberSkip(member, Skipped.IDENTITY_CONFLICT))
                continue
        if account is None:
            skips.append(MemberSkip(member, Skipped.NOT_FOUND_IN_DIRECTORY))
        elif _is_primary(account, group_sid):
            skips.append(MemberSkip(member, Skipped.PRIMARY_GROUP))
        else:
            _accept(member, account.link, wanted, skips)
    return Sorted(tuple(wanted), (), tuple(skips), frozenset(doubtful))


def _same_account(member: Principal, account: Account) -> bool:
    named = (member.on_premises_sam_account_name or "", member.on_premises_domain_name or "")
    held = (account.sam_account_name, account.domain)
    return all(left and left.casefold() == right.casefold() for left, right in zip(named, held, strict=True))


def _is_primary(account: Account, group_sid: str | None) -> bool:
    """Return whether the group is the account's primary one, of which `member` never speaks (MS-ADTS 3.1.1.4.5)."""
    if account.primary_group is None or not group_sid or not account.link.sid:
        return False
    return f"{identity.domain_of(account.link.sid)}-{account.primary_group}" == group_sid


def additions(wanted: Iterable[Wanted], links: Iterable[Link]) -> tuple[Wanted, ...]:
    """Return what is wanted and not linked."""
    seen: set[str | None] = {link.guid for link in links}
    added: list[Wanted] = []
    for want in wanted:
        if want.guid is None or want.guid not in seen:
            added.append(want)
            seen |= {want.guid} - {None}
    return tuple(added)


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
    guids |= {remembered.get(member.id) for member in members.items} | sorted_members.doubtful
    sids: set[str | None] = set()
    for member in members.items:
        sids.add(member.on_premises_security_identifier)
        guids.add(identity.source_anchor_guid(member.on_premises_object_identifier))
        guids.add(source_anchor(member))
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


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the objects behind candidates for removal.

    Parameters:
        facts: objectGUID to what the directory says of that object.
        sids: SIDs of those that are readable Entra principals; one that is not listed has left.
        matched: objectGUIDs of the groups that this run matched; one that is not listed has left.
        added: objectGUIDs of the links that earlier runs added to this group; one that is not listed has left.
    """

    facts: Mapping[str, LinkFacts] = field(default_factory=dict)
    sids: frozenset[str] = frozenset()
    matched: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()


# What an unreadable member of a kind may be in the directory: links of these classes stay while one is listed.
# An object of another domain is not found in this one, so its class is unknown; one of another forest is a placeholder.
_ELSEWHERE = frozenset({"", "foreignSecurityPrincipal"})
_CLASSES_OF = {
    PrincipalKind.USER: frozenset({"user", "inetOrgPerson"}) | _ELSEWHERE,
    PrincipalKind.GROUP: frozenset({"group"}) | _ELSEWHERE,
    PrincipalKind.DEVICE: frozenset({"computer", "msDS-Device"}),
    PrincipalKind.CONTACT: frozenset({"contact"}),
    PrincipalKind.SERVICE_PRINCIPAL: frozenset[str](),
}


@dataclass(frozen=True, slots=True)
class _Listed:
    """The listed members, as far as a link may be theirs in a way that SID and GUID do not show.

    Parameters:
        ids: object ids.
        sids: SIDs, for objects that had one of them before.
        devices: deviceIds.
        held_classes: objectClasses of which a listed member cannot be read.
        held_all: a listed member could be of any class.
    """

    ids: frozenset[str]
    sids: frozenset[str]
    devices: frozenset[str]
    held_classes: frozenset[str]
    held_all: bool


def _listed(members: tuple[Principal, ...]) -> _Listed:
    unreadable = [member for member in members if not member.readable]
    devices = {
        identity.source_anchor_guid(member.on_premises_object_identifier)
        for member in members
        if member.kind is PrincipalKind.DEVICE
    }
    return _Listed(
        frozenset(member.id for member in members),
        frozenset(sid for member in members if (sid := member.on_premises_security_identifier)),
        frozenset(device for device in devices if device),
        frozenset[str]().union(*(_CLASSES_OF.get(member.kind, frozenset()) for member in unreadable)),
        any(member.kind is PrincipalKind.UNKNOWN for member in unreadable),
    )


def removals(
    candidates: Iterable[Link],
    evidence: Evidence,
    members: CompleteReading[tuple[Principal, ...]],
    policy: RemovalPolicy,
    domain: DomainInfo,
) -> Removals:
    """Return which candidates go.

    Parameters:
        candidates: what `unanswered` gave.
        evidence: what is known of the objects behind them.
        members: the members that the cloud lists.
        policy: what decides.
        domain: the target domain.
    """
    listed = _listed(members.items)
    remove: list[Link] = []
    foreign: list[tuple[Link, str]] = []
    for link in candidates:
        fact = evidence.facts.get(link.guid)
        if fact and (listed.sids & set(fact.sid_history) or fact.device_id in listed.devices):
            continue
        why = _why_kept(link, fact, listed, evidence, policy, domain)
        if why:
            foreign.append((link, why))
        else:
            remove.append(link)
    return Removals(tuple(remove), tuple(foreign))


def _why_kept(
    link: Link,
    fact: LinkFacts | None,
    listed: _Listed,
    evidence: Evidence,
    policy: RemovalPolicy,
    domain: DomainInfo,
) -> str:
    """Return the word that says why a link stays, or an empty string for one that goes; the first that holds wins."""
    object_class = fact.object_class if fact else ""
    has_left = link.sid in evidence.sids or link.guid in evidence.matched
    authoritative = policy.foreign_members is ForeignMembers.REMOVE or (
        policy.foreign_members is ForeignMembers.ACCEPTED and policy.accepted
    )
    unread = fact is None and _elsewhere(link, domain)
    rules = (
        (bool({(link.sid or "").lower(), dn.folded(link.dn)} & policy.protected_members), "protected_member"),
        (has_left, ""),
        (listed.held_all or object_class in listed.held_classes, "unreadable_member_listed"),
        # Whether a listed member was moved there, its history alone could tell, and nobody could read it.
        (unread, "unread_domain"),
        # The listed member that it was added for may be one that cannot be read now, so this weighs less than those.
        (link.guid in evidence.added, ""),
        # Many may write this attribute on their own account, so it is told and weighs less than what is known.
        (_anchored_id(fact.anchor if fact else None) in listed.ids, "anchored_member"),
        (authoritative, ""),
    )
    return next((why for holds, why in rules if holds), "foreign_member")


def _elsewhere(link: Link, domain: DomainInfo) -> bool:
    """Return whether a linked object is in another domain of the forest."""
    issuer = identity.domain_of(link.sid) if link.sid else ""
    return issuer != domain.sid and issuer in domain.forest


def _anchored_id(anchor: str | None) -> str | None:
    """Return the object id inside `User_<id>` or `Group_<id>`."""
    return identity.guid_text(anchor.partition("_")[2]) if anchor else None


def removals_allowed(members: Reading[tuple[Principal, ...]], rule_being_evaluated: bool) -> str:
    """Return why no link of a group may be removed now, or an empty string."""
    if not isinstance(members, CompleteReading):
        return f"its members could not be read to the end: {members.why}"
    return "its dynamic rule is being evaluated" if rule_being_evaluated else ""
