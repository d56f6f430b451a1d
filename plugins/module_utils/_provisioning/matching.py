# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first step of a plan: the directory object of each cloud group, living or deleted, in few readings."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import (
    dn,
    identity,
    ownership,
    rights,
    texts,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    DeletedGroup,
    DesiredGroup,
    DirectoryGroup,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ownership import Claims, Match, Trust
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Notice, Problem
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import (
    CapturedGroup,
    DirectoryReader,
    KnownGroup,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.run_facts import RunFacts
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Settings


@dataclass(frozen=True, slots=True)
class Candidate:
    """A cloud group whose object may be written.

    Parameters:
        captured: the cloud side.
        hit: its object, or none yet.
        desired: what the object should hold; None until the mappings were evaluated.
    """

    captured: CapturedGroup
    hit: Match
    desired: DesiredGroup | None = None

    @property
    def id(self) -> str:
        """Object id of the cloud group."""
        return self.captured.group.id

    def problem(self, code: str, message: str, remedy: str = "") -> Problem:
        """Return a problem of this group."""
        group = self.captured.group
        return Problem(group.id, group.display_name, code, message, remedy or texts.REMEDIES.get(code, ""))

    def notice(self, code: str, message: str) -> Notice:
        """Return a notice on this group."""
        return Notice(self.id, self.captured.group.display_name, code, message)


def match_groups(
    settings: Settings,
    captured: Sequence[CapturedGroup],
    anchored: Sequence[DirectoryGroup],
    directory: DirectoryReader,
    known: Mapping[str, KnownGroup],
    run: RunFacts,
) -> Iterator[Candidate | Problem | Notice]:
    """Yield each cloud group with its object, or what forbids to write it.

    Parameters:
        settings: what the administrator decided.
        captured: the groups in scope.
        anchored: the groups inside the managed containers that carry an anchor.
        directory: the target domain.
        known: what the journal remembers.
        run: what comes from outside the two sides.

    Raises:
        GpadError: a reading of the directory did not reach its end.
    """
    found = _living(captured, anchored, directory, known)
    claims = _claims(settings, captured, found, directory, known, run)
    domain_sid = directory.domain.sid
    matches = {
        item.group.id: ownership.match(item.group, found, _guid(known, item.group.id), domain_sid, claims)
        for item in captured
    }
    absent = [item for item in captured if not matches[item.group.id].group and not matches[item.group.id].problem]
    deleted = _deleted(absent, directory, known) if absent else ()
    fresh = [item for item in absent if not item.group.security_identifier and item.group.id not in known]
    if deleted is None and fresh:
        yield Notice("", directory.domain.dn, "deleted_objects_hidden", texts.DELETED_HIDDEN.format(count=len(fresh)))
    claims = _claims_of_deleted(claims, deleted or (), directory, known)
    lost = _by_tie(deleted or ())
    for item in absent:
        living, guid = matches[item.group.id], _guid(known, item.group.id)
        own = lost.get(_tie(item, guid), ())
        matches[item.group.id] = ownership.match_deleted(item.group, living, own, guid, claims)
    matches = ownership.refuse_shared(matches, {cloud_id: entry.guid for cloud_id, entry in known.items()})
    any_living = any(hit.group for hit in matches.values())
    guarded = directory.protected(settings.protected_groups) if any_living else frozenset[str]()
    for item in captured:
        candidate = Candidate(item, matches[item.group.id])
        for stranger in candidate.hit.strangers:
            yield candidate.notice("anchor_tampering", texts.STRANGER.format(dn=stranger.dn))
        yield _problem(settings, candidate, guarded) or candidate


def _guid(known: Mapping[str, KnownGroup], cloud_id: str) -> str | None:
    entry = known.get(cloud_id)
    return entry.guid if entry else None


def _living(
    captured: Sequence[CapturedGroup],
    anchored: Sequence[DirectoryGroup],
    directory: DirectoryReader,
    known: Mapping[str, KnownGroup],
) -> ownership.Index:
    have = {group.guid for group in anchored}
    guids = {known[item.group.id].guid for item in captured if item.group.id in known} - have
    sids = {sid for item in captured if (sid := item.group.security_identifier) and identity.is_sid(sid)}
    sids -= {group.sid for group in anchored}
    more = directory.groups(guids, sids) if guids or sids else ()
    return ownership.index([*anchored, *(group for group in more if group.guid not in have)])


def _claims(
    settings: Settings,
    captured: Sequence[CapturedGroup],
    found: ownership.Index,
    directory: DirectoryReader,
    known: Mapping[str, KnownGroup],
    run: RunFacts,
) -> Claims:
    """Return what is known of anchored objects; the access control lists of those that the journal does not know."""
    owners = {entry.guid: cloud_id for cloud_id, entry in known.items()}
    born = [item.group.id for item in captured if not item.group.security_identifier and item.group.id not in known]
    unknown = {hit.guid for cloud_id in born for hit in found.by_anchor.get(cloud_id, ()) if hit.guid not in owners}
    trust = Trust(
        settings.trusted_writers,
        directory.domain.guarded,
        settings.adopt_objects,
        settings.ignore_objects,
        run.journal_missing,
        run.undecided,
    )
    return _with_security(Claims(owners, {}, trust), unknown, directory, deleted=False)


def _with_security(claims: Claims, guids: set[str], directory: DirectoryReader, *, deleted: bool) -> Claims:
    """Add the access control lists of objects, and who is trusted with them, read only when there are any."""
    if not guids:
        return claims
    domain = directory.domain
    own = directory.account_sid()
    trusted = claims.trust.trusted | rights.default_trusted(domain.sid, domain.forest) | ({own} if own else set())
    security = {**claims.security, **directory.security(guids, deleted=deleted)}
    return replace(claims, security=security, trust=replace(claims.trust, trusted=frozenset(trusted)))


def _deleted(
    absent: Sequence[CapturedGroup], directory: DirectoryReader, known: Mapping[str, KnownGroup]
) -> tuple[DeletedGroup, ...] | None:
    born = [item.group.id for item in absent if not item.group.security_identifier]
    anchors = {identity.anchor_of(cloud_id) for cloud_id in born if cloud_id not in known}
    sids = {sid for item in absent if (sid := item.group.security_identifier) and identity.is_sid(sid)}
    return directory.deleted(anchors, sids, {known[cloud_id].guid for cloud_id in born if cloud_id in known})


def _claims_of_deleted(
    claims: Claims, deleted: Sequence[DeletedGroup], directory: DirectoryReader, known: Mapping[str, KnownGroup]
) -> Claims:
    unknown = {item.guid for item in deleted if item.cloud_id and item.cloud_id not in known}
    return _with_security(claims, unknown - claims.owners.keys(), directory, deleted=True)


def _by_tie(deleted: Sequence[DeletedGroup]) -> dict[str, list[DeletedGroup]]:
    """Return the deleted objects by each of the words that may tie one to a cloud group."""
    ties: dict[str, list[DeletedGroup]] = {}
    for item in deleted:
        anchor = identity.anchor_of(item.cloud_id) if item.cloud_id else ""
        for word in (item.sid, item.guid, anchor):
            ties.setdefault(word, []).append(item)
    return ties


def _tie(item: CapturedGroup, known_guid: str | None) -> str:
    return item.group.security_identifier or known_guid or identity.anchor_of(item.group.id)


def _problem(settings: Settings, candidate: Candidate, guarded: Collection[str]) -> Problem | None:
    hit = candidate.hit
    if hit.problem:
        return candidate.problem(hit.problem, hit.detail)
    if hit.deleted is not None:
        why = ownership.untouchable(_revived(hit.deleted, ""), settings.protected_groups)
        return candidate.problem("protected_group", f"{hit.deleted.dn} is never restored: {why}.") if why else None
    if hit.group is None:
        return None
    why = ownership.untouchable(hit.group, settings.protected_groups)
    if not why and hit.group.guid in guarded:
        why = "it is a member, at some depth, of a group that guards the domain"
    return candidate.problem("protected_group", f"{hit.group.dn} is never written: {why}.") if why else None


def _revived(lost: DeletedGroup, container: str) -> DirectoryGroup:
    """Return a deleted object as it will be in a container."""
    name = dn.child("CN", lost.name, container) if container else lost.dn
    return DirectoryGroup(lost.guid, lost.sid, name, lost.attributes)


def revive(candidate: Candidate, container: str) -> Candidate:
    """Return the candidate with its deleted object as it will be once restored into a container."""
    lost = candidate.hit.deleted
    if lost is None:
        return candidate
    return replace(candidate, hit=replace(candidate.hit, group=_revived(lost, container)))
