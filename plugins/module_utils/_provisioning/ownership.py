# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which directory object is a cloud group's, and which objects are never touched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity, rights
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    DeletedGroup,
    DirectoryGroup,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.rights import SecurityDescriptor
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word

# MS-ADTS 3.1.1.1.12: accounts below this relative identifier are the system's own.
_FIRST_ORDINARY_RID = 1000
_GROUP_TYPE_SYSTEM = 0x1
_DNS_ADMINS = "DnsAdmins"
# The code of a group whose object an administrator must decide about.
UNDECIDED = "adoption_needs_approval"


@dataclass(frozen=True, slots=True)
class Index:
    """The directory groups found, by each name that may tie one to a cloud group.

    Parameters:
        by_anchor: object id inside the anchor, to the groups that carry it, inside the managed containers.
        by_guid: objectGUID to group.
        by_sid: objectSid to group.
    """

    by_anchor: Mapping[str, tuple[DirectoryGroup, ...]]
    by_guid: Mapping[str, DirectoryGroup]
    by_sid: Mapping[str, DirectoryGroup]


@dataclass(frozen=True, slots=True)
class Stranger:
    """An object that carries the anchor of a group and is not its object."""

    guid: str
    dn: str


@dataclass(frozen=True, slots=True)
class Match:
    """The directory object of a cloud group.

    Parameters:
        group: the object, or None when there is none yet.
        by: what tied it: `journal`, `anchor`, `sid`, or an empty string.
        problem: code of what forbids to write, or an empty string.
        detail: a sentence on the problem.
        strangers: objects that carry the group's anchor and are not its object; they have no effect.
        deleted: the object among the deleted ones, when it is to be restored.
    """

    group: DirectoryGroup | None = None
    by: str = ""
    problem: str = ""
    detail: str = ""
    strangers: tuple[Stranger, ...] = ()
    deleted: DeletedGroup | None = None


class Verdict(Word):
    """Whether an object that carries an anchor may be taken for the cloud group's own."""

    ADOPT = "adopt"
    ASK = "ask"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Trust:
    """What decides whether an anchor is believed.

    Parameters:
        trusted: SIDs of those who may write groups; nobody else may be able to give an adopted group away.
        guarded: GUIDs of the attributes and property sets that give a group away.
        adopt: objectGUIDs that an administrator vouches for.
        ignore: objectGUIDs that an administrator said are not the cloud group's.
        journal_missing: no journal remembers what was provisioned, so that an anchor may be all that is left of it.
        undecided: object ids whose objects an earlier run asked about, with or without a journal.
    """

    trusted: frozenset[str] = frozenset()
    guarded: frozenset[str] = frozenset()
    adopt: frozenset[str] = frozenset()
    ignore: frozenset[str] = frozenset()
    journal_missing: bool = False
    undecided: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Claims:
    """What the journal and the access control lists say of the objects that carry anchors.

    Parameters:
        owners: objectGUID to the object id whose object the journal says it is.
        security: objectGUID to owner and access control list, for objects that the journal does not know.
        trust: what decides.
    """

    owners: Mapping[str, str] = field(default_factory=dict)
    security: Mapping[str, SecurityDescriptor] = field(default_factory=dict)
    trust: Trust = field(default_factory=Trust)


def index(groups: Iterable[DirectoryGroup]) -> Index:
    """Return the groups by anchor, GUID and SID."""
    by_anchor: dict[str, list[DirectoryGroup]] = {}
    by_guid: dict[str, DirectoryGroup] = {}
    by_sid: dict[str, DirectoryGroup] = {}
    for group in groups:
        by_guid[group.guid] = group
        by_sid[group.sid] = group
        if group.cloud_id:
            by_anchor.setdefault(group.cloud_id, []).append(group)
    return Index({key: tuple(value) for key, value in by_anchor.items()}, by_guid, by_sid)


def untrusted(guid: str, claims: Claims) -> str:
    """Return who, beside the trusted, may give an object away; an empty string when nobody may.

    Parameters:
        guid: objectGUID.
        claims: with the security descriptor of the object.
    """
    descriptor = claims.security.get(guid)
    if descriptor is None:
        return "its access control list cannot be read"
    strangers = rights.controllers(descriptor, claims.trust.guarded) - claims.trust.trusted
    return ", ".join(sorted(strangers))


def verdict(cloud_id: str, guid: str, description: str | None, claims: Claims, *, deleted: bool = False) -> Verdict:
    """Return whether an anchored object that the journal does not know is the cloud group's.

    The anchor alone proves little: it is in the property set Personal-Information, which help desks may often write.
    Whoever could write the anchor could write `member`, too, or may be unable to write `adminDescription`, which every
    provisioning job writes in the same operation. Without a journal the second test is not made: the mark may have
    been cleared by hand, and a group created anew would have another SID. What was asked once is asked until an
    administrator decides, since the journal that the run makes does not know more.

    Parameters:
        cloud_id: object id inside the anchor.
        guid: objectGUID.
        description: its adminDescription.
        claims: what is known of it.
        deleted: it is among the deleted objects, where adminDescription is kept by the Recycle Bin alone. Its owner
            tells then whether it was made by somebody who is trusted.
    """
    trust = claims.trust
    if claims.owners.get(guid, cloud_id) != cloud_id:
        return Verdict.IGNORE
    if guid in trust.adopt:
        return Verdict.ADOPT
    if guid in trust.ignore:
        return Verdict.IGNORE
    if not untrusted(guid, claims):
        return Verdict.ADOPT
    marks = {f"{prefix}{cloud_id}".lower() for prefix in (identity.GROUP_ANCHOR_PREFIX, identity.TAKEN_OVER_PREFIX)}
    unremembered = trust.journal_missing or cloud_id in trust.undecided
    if unremembered or (description or "").lower() in marks:
        return Verdict.ASK
    descriptor = claims.security.get(guid)
    created_by_trusted = descriptor is None or descriptor.owner in trust.trusted
    return Verdict.ASK if deleted and created_by_trusted else Verdict.IGNORE


def match(cloud: CloudGroup, found: Index, known_guid: str | None, domain_sid: str, claims: Claims) -> Match:
    """Return the living directory object of a cloud group.

    A converted group is found by its SID alone, since the object was there before the cloud group; a group born in the
    cloud by the objectGUID that the journal holds, else by the anchor. Names never match anything. An anchor on any
    other object has no effect but to be reported, so that nobody can stop a group by stamping its anchor elsewhere.

    Parameters:
        cloud: the group.
        found: the directory groups.
        known_guid: objectGUID that the journal holds for this id, or None.
        domain_sid: SID of the target domain.
        claims: what is known of objects that carry anchors.
    """
    hits = found.by_anchor.get(cloud.id, ())
    if cloud.security_identifier:
        return _match_converted(cloud.security_identifier, hits, found, domain_sid)
    if known_guid:
        known = found.by_guid.get(known_guid)
        strangers = _strangers(hit for hit in hits if hit.guid != known_guid)
        return Match(known, "journal" if known else "", strangers=strangers)
    return _match_anchored(cloud.id, hits, claims)


def _match_anchored(cloud_id: str, hits: tuple[DirectoryGroup, ...], claims: Claims) -> Match:
    verdicts = {hit.guid: verdict(cloud_id, hit.guid, hit.first("adminDescription"), claims) for hit in hits}
    own = [hit for hit in hits if verdicts[hit.guid] is Verdict.ADOPT]
    strangers = _strangers(hit for hit in hits if hit not in own)
    if len(own) > 1:
        return Match(problem="duplicate_anchor", detail=_several(hit.dn for hit in own))
    if own:
        return Match(own[0], "anchor", strangers=strangers)
    doubtful = [hit for hit in hits if verdicts[hit.guid] is Verdict.ASK]
    if doubtful:
        return _doubt([(hit.guid, hit.dn) for hit in doubtful], claims)
    return Match(strangers=strangers)


def _strangers(objects: Iterable[DirectoryGroup | DeletedGroup]) -> tuple[Stranger, ...]:
    return tuple(sorted((Stranger(item.guid, item.dn) for item in objects), key=lambda stranger: stranger.dn))


def _doubt(objects: Iterable[tuple[str, str]], claims: Claims) -> Match:
    texts = [f"{name} (objectGUID {guid}): {untrusted(guid, claims)}" for guid, name in objects]
    return Match(problem=UNDECIDED, detail=f"Not only the trusted may write {'; '.join(sorted(texts))}.")


def _match_converted(sid: str, hits: tuple[DirectoryGroup, ...], found: Index, domain_sid: str) -> Match:
    if identity.domain_of(sid) != domain_sid:
        return Match(problem="other_domain_group", detail=f"The SID {sid} belongs to another domain.")
    group = found.by_sid.get(sid)
    strangers = _strangers(hit for hit in hits if group is None or hit.guid != group.guid)
    return Match(group, "sid" if group else "", strangers=strangers)


def match_deleted(
    cloud: CloudGroup, living: Match, deleted: Iterable[DeletedGroup], known_guid: str | None, claims: Claims
) -> Match:
    """Return the match of a group without a living object, completed by what lies among the deleted objects.

    Parameters:
        cloud: the group.
        living: what `match` gave.
        deleted: the deleted groups that carry its anchor, its SID, or the GUID that the journal holds.
        known_guid: objectGUID that the journal holds for this id, or None.
        claims: what is known of objects that carry anchors.
    """
    sid = cloud.security_identifier
    strangers = living.strangers
    if sid:
        own, by = [item for item in deleted if item.sid == sid], "sid"
        text = f"No group in the managed containers has the SID {sid}, and no deleted one."
        missing = Match(problem="converted_group_missing", detail=text)
    elif known_guid:
        own, by = [item for item in deleted if item.guid == known_guid], "journal"
        text = f"The object {known_guid} that this group had is not in the managed containers any more."
        missing = Match(problem="directory_group_missing", detail=text)
    else:
        found = tuple(deleted)
        verdicts = {item.guid: verdict(cloud.id, item.guid, _description(item), claims, deleted=True) for item in found}
        own, by = [item for item in found if verdicts[item.guid] is Verdict.ADOPT], "anchor"
        doubtful = [(item.guid, item.dn) for item in found if verdicts[item.guid] is Verdict.ASK]
        strangers += _strangers(item for item in found if verdicts[item.guid] is Verdict.IGNORE)
        missing = _doubt(doubtful, claims) if doubtful else Match(strangers=strangers)
    if len(own) > 1:
        return Match(problem="duplicate_anchor", detail=_several(item.dn for item in own))
    return Match(by=by, strangers=strangers, deleted=own[0]) if own else missing


def _description(group: DeletedGroup) -> str | None:
    return next(iter(group.attributes.get("adminDescription", ())), None)


def _several(names: Iterable[str]) -> str:
    return "Several objects claim this group: " + "; ".join(sorted(names)) + "."


def refuse_shared(matches: Mapping[str, Match], known: Mapping[str, str]) -> dict[str, Match]:
    """Return the matches without those that tie one object to several cloud groups.

    Parameters:
        matches: object id to match.
        known: object id to the objectGUID that the journal holds for it, for every group it knows.
    """
    claims: dict[str, set[str]] = {}
    for cloud_id, guid in known.items():
        claims.setdefault(guid, set()).add(cloud_id)
    for cloud_id, hit in matches.items():
        if _object(hit):
            claims.setdefault(_object(hit), set()).add(cloud_id)
    return {cloud_id: _unshared(cloud_id, hit, claims) for cloud_id, hit in matches.items()}


def _object(hit: Match) -> str:
    """Return the objectGUID of a match, or an empty string."""
    found = hit.group or hit.deleted
    return found.guid if found else ""


def _unshared(cloud_id: str, hit: Match, claims: Mapping[str, set[str]]) -> Match:
    found = hit.group or hit.deleted
    others = claims[found.guid] - {cloud_id} if found else set()
    if found is None or not others:
        return hit
    detail = f"{found.dn} is claimed by other cloud groups, too: {', '.join(sorted(others))}."
    return Match(problem="object_shared", detail=detail)


def protected_names(given: Iterable[str]) -> frozenset[str]:
    """Return the option protected_groups as groups are compared with it: folded.

    Parameters:
        given: sAMAccountNames, SIDs or DNs.
    """
    return frozenset(map(dn.folded, given))


def untouchable(group: DirectoryGroup, protected_groups: frozenset[str]) -> str:
    """Return why a directory group is never written, or an empty string.

    Parameters:
        group: the object, with groupType, isCriticalSystemObject and adminCount read.
        protected_groups: sAMAccountNames, SIDs or DNs that the administrator protects, folded.
    """
    group_type = int(group.first("groupType") or 0)
    sam = group.first("sAMAccountName") or ""
    checks = (
        (not group.sid.startswith("S-1-5-21-"), "it is a built-in group"),
        (identity.rid_of(group.sid) < _FIRST_ORDINARY_RID, "its relative identifier is below 1000"),
        (bool(group_type & _GROUP_TYPE_SYSTEM), "it is a system group"),
        (group.first("isCriticalSystemObject") == "TRUE", "isCriticalSystemObject is TRUE"),
        (group.first("adminCount") == "1", "adminCount is 1: AdminSDHolder guards it"),
        (sam.lower() == _DNS_ADMINS.lower(), "it is DnsAdmins"),
        (
            bool({dn.folded(sam), dn.folded(group.sid), dn.folded(group.dn)} & protected_groups),
            "protected_groups names it",
        ),
    )
    return next((why for holds, why in checks if holds), "")


def container_problem(container: str, managed: Iterable[str]) -> str:
    """Return what is wrong with a target container, or an empty string."""
    try:
        inside = any(dn.is_under(container, outer, itself=True) for outer in managed)
    except ValueError as error:
        return f"{container!r} is not a distinguished name ({error})"
    return "" if inside else f"{container} lies outside managed_containers"


def managed_containers(values: Iterable[str]) -> tuple[str, ...]:
    """Return the managed containers, checked.

    Raises:
        ConfigurationError: there is none, or one is no DN, or one is a whole naming context.
    """
    containers = tuple(values)
    if not containers:
        raise ConfigurationError("managed_containers is empty.", "Name the OUs whose groups this run may write.")
    for value in containers:
        try:
            parsed = dn.parse(value)
        except ValueError as error:
            raise ConfigurationError(
                f"managed_containers: {value!r} is not a distinguished name ({error}).",
                "Write it like OU=Groups,DC=contoso,DC=com.",
            ) from None
        if all(rdn.type == "DC" for rdn in parsed):
            raise ConfigurationError(
                f"managed_containers: {value!r} is a whole domain.", "Name OUs or containers inside it."
            )
    return containers
