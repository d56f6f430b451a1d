# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which members a directory group should have, which links may go, and why the rest stays as it is.

What is desired and what is removable are two sets: a member that cannot be written (a user of another forest, a group
that is not provisioned) is not desired, yet a link that already answers to it is not removable either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    Account,
    CompleteReading,
    DomainInfo,
    Link,
    Principal,
    PrincipalKind,
    Skipped,
)


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


def are_linked(listed: frozenset[str], linked: frozenset[str], domain: DomainInfo) -> bool:
    """Return whether the links of a group are those of its listed members, and nothing is to be said of any of them.

    It is the short way for the many groups that are as they should be, and answers no when in doubt: what the long one
    would find of a group for which this says yes is nothing.

    Parameters:
        listed: SIDs of all direct members that the cloud lists, all of them users of whom the SID says everything.
        linked: objectSid of every link that the directory holds.
        domain: the target domain.
    """
    return listed == linked and all(identity.domain_of(sid) == domain.sid for sid in linked)


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
    links: CompleteReading[Sequence[Link]],
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
