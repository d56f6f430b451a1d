# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of the links that no listed member answers for may go, and why the others stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CompleteReading,
    DomainInfo,
    Link,
    LinkFacts,
    Principal,
    PrincipalKind,
    Reading,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word


class ForeignMembers(Word):
    """What happens to links that answer to no member the cloud lists."""

    ACCEPTED = "accepted"
    REMOVE = "remove"
    KEEP = "keep"


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
        (is_protected(link, policy.protected_members), "protected_member"),
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


def is_protected(link: Link, protected_members: frozenset[str]) -> bool:
    """Return whether an administrator said that a member is never removed.

    Parameters:
        link: the link to it.
        protected_members: SIDs in lower case and folded DNs.
    """
    return bool({(link.sid or "").lower(), dn.folded(link.dn)} & protected_members)


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
