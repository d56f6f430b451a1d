# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which directory object is a cloud group's, and which objects are never touched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import CloudGroup, DirectoryGroup

# MS-ADTS 3.1.1.1.12: accounts below this relative identifier are the system's own.
_FIRST_ORDINARY_RID = 1000
_GROUP_TYPE_SYSTEM = 0x1
_DNS_ADMINS = "DnsAdmins"


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
class Match:
    """The directory object of a cloud group.

    Parameters:
        group: the object, or None when there is none yet.
        by: what tied it: `journal`, `anchor`, `sid`, or an empty string.
        problem: code of what forbids to write, or an empty string.
        detail: a sentence on the problem.
    """

    group: DirectoryGroup | None = None
    by: str = ""
    problem: str = ""
    detail: str = ""


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


def match(cloud: CloudGroup, found: Index, known_guid: str | None, domain_sid: str) -> Match:
    """Return the directory object of a cloud group.

    A converted group is found by its SID alone, since the object was there before the cloud group; a group born in the
    cloud by the objectGUID that the journal holds, else by the anchor. Names never match anything.

    Parameters:
        cloud: the group.
        found: the directory groups.
        known_guid: objectGUID that the journal holds for this id, or None.
        domain_sid: SID of the target domain.
    """
    hits = found.by_anchor.get(cloud.id, ())
    if cloud.security_identifier:
        return _match_converted(cloud.security_identifier, hits, found, domain_sid)
    if known_guid and known_guid in found.by_guid:
        known = found.by_guid[known_guid]
        strangers = [group for group in hits if group.guid != known_guid]
        if strangers:
            return Match(problem="duplicate_anchor", detail=_several([known, *strangers]))
        if known.cloud_id not in (None, cloud.id):
            return Match(problem="anchor_changed", detail=f"{known.dn} carries the anchor of {known.cloud_id} now.")
        return Match(known, "journal")
    if known_guid:
        return Match(
            problem="directory_group_missing",
            detail=f"The object {known_guid} that this group had is not in the managed containers any more."
            + (f" {hits[0].dn} carries its anchor." if hits else ""),
        )
    if len(hits) > 1:
        return Match(problem="duplicate_anchor", detail=_several(hits))
    return Match(hits[0], "anchor") if hits else Match()


def _match_converted(sid: str, hits: tuple[DirectoryGroup, ...], found: Index, domain_sid: str) -> Match:
    if identity.domain_of(sid) != domain_sid:
        return Match(problem="other_domain_group", detail=f"The SID {sid} belongs to another domain.")
    group = found.by_sid.get(sid)
    if group is None:
        return Match(
            problem="converted_group_missing", detail=f"No group with the SID {sid} is in the managed containers."
        )
    strangers = [other for other in hits if other.guid != group.guid]
    if strangers:
        return Match(problem="duplicate_anchor", detail=_several([group, *strangers]))
    return Match(group, "sid")


def _several(groups: Iterable[DirectoryGroup]) -> str:
    return "Several objects claim this group: " + "; ".join(sorted(group.dn for group in groups)) + "."


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
        if hit.group is not None:
            claims.setdefault(hit.group.guid, set()).add(cloud_id)
    return {cloud_id: _unshared(cloud_id, hit, claims) for cloud_id, hit in matches.items()}


def _unshared(cloud_id: str, hit: Match, claims: Mapping[str, set[str]]) -> Match:
    others = claims[hit.group.guid] - {cloud_id} if hit.group is not None else set()
    if hit.group is None or not others:
        return hit
    detail = f"{hit.group.dn} is claimed by other cloud groups, too: {', '.join(sorted(others))}."
    return Match(problem="object_shared", detail=detail)


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
