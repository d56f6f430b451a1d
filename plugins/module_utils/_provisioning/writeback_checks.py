# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The eleven checks before groups of writeback V2 are taken over, as one table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import (
    dn,
    identity,
    scope_change,
    texts,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import Skipped
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.naming import Occupied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.writeback import (
    NEVER_TOUCHED,
    Origin,
    WritebackGroup,
    origin,
)

_NAMED = 5
# What only a person can be in a directory that the sync client reads.
_PEOPLE = frozenset({"user", "inetOrgPerson"})
_DEVICES = frozenset({"computer", "msDS-Device"})


class Status(Word):
    """How a check ended. `blocked` keeps the group from being taken over until somebody repairs it or leaves it out."""

    OK = "ok"
    ATTENTION = "attention"
    LEFT = "left"
    BLOCKED = "blocked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CloudView:
    """What a capture says of a cloud group.

    Parameters:
        name: its displayName.
        reason: why it is out of scope, or None.
        cn: the relative name that the mappings give, or an empty string.
        container: the container that they give, or an empty string.
        problem: why they give none.
    """

    name: str
    reason: Skipped | None = None
    cn: str = ""
    container: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Right:
    """What the account may do: a line of the preflight."""

    what: str
    allowed: bool
    found: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """All that the checks look at.

    Parameters:
        groups: the groups of the writeback containers.
        cloud: object id to cloud group, or None where there is no capture.
        anchored: object id to the DNs of the objects that carry its anchor, in the forest where a catalog answers.
        forest: whether one answers.
        occupied: the names that are taken.
        untrusted: objectGUID to who may give the object away beside the trusted.
        rights: what the account may do.
        max_members: the most members of a group.
        leave: objectGUIDs of groups that an administrator leaves as they are.
    """

    groups: tuple[WritebackGroup, ...]
    cloud: Mapping[str, CloudView] | None = None
    anchored: Mapping[str, frozenset[str]] = field(default_factory=dict)
    forest: bool = False
    occupied: Occupied = field(default_factory=Occupied)
    untrusted: Mapping[str, str] = field(default_factory=dict)
    rights: tuple[Right, ...] = ()
    max_members: int = 50000
    leave: frozenset[str] = frozenset()

    def view(self, group: WritebackGroup) -> CloudView | None:
        """Return the cloud group that a group's adminDescription names, as far as it is known."""
        return (self.cloud or {}).get(group.cloud_id or "")

    def origin(self, group: WritebackGroup) -> Origin:
        """Return who wrote a group."""
        view = self.view(group)
        return origin(group, view.reason if view else None)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table.

    Parameters:
        check: the check.
        group: DN of the group, or an empty string for what is not about one.
        guid: its objectGUID, or an empty string.
        status: how it ended.
        found: what was found.
        remedy: what to do about it.
    """

    check: str
    group: str
    guid: str
    status: Status
    found: str
    remedy: str = ""


_Finding = tuple[Status, str, str]
_LEAVE = "or leave the group out (gpad_migrate_writeback_v2_leave)."


def _form(_found: Found, group: WritebackGroup, kind: Origin) -> Iterator[_Finding]:
    if kind is Origin.MALFORMED:
        text = f"adminDescription is {group.mark!r}, not Group_<object id>" if group.mark else "no adminDescription"
        yield Status.BLOCKED, text, f"Write Group_<object id of its cloud group> there, {_LEAVE}"
    elif kind is Origin.OTHER:
        yield Status.LEFT, f"adminDescription is {group.mark!r}: writeback V2 did not write it", ""


def _cloud(found: Found, group: WritebackGroup, kind: Origin) -> Iterator[_Finding]:
    if kind in (Origin.MICROSOFT_365, Origin.MAIL_ENABLED, Origin.DISTRIBUTION):
        yield Status.LEFT, f"it is a {texts.WRITEBACK_ORIGINS[kind]}", "It stays with the sync client."
    elif found.cloud is None and kind is Origin.WRITEBACK_V2:
        yield Status.UNKNOWN, "there is no capture", "Capture with gpad_scope and look again."
    elif kind is Origin.WRITEBACK_V2 and found.view(group) is None:
        text = f"Entra ID lists no group {group.cloud_id}"
        yield Status.BLOCKED, text, f"Restore it in Entra ID if it was deleted by mistake, {_LEAVE}"


def _universal(_found: Found, group: WritebackGroup) -> Iterator[_Finding]:
    if scope_change.scope_of(group.group_type) != scope_change.UNIVERSAL:
        yield Status.BLOCKED, f"it is of {group.scope} scope", f"Make it universal (gpad_convert_scope), {_LEAVE}"


def _count(found: Found, group: WritebackGroup) -> Iterator[_Finding]:
    if group.problem:
        yield Status.UNKNOWN, group.problem, "Look again."
    elif len(group.members) > found.max_members:
        text = f"{len(group.members)} members, max_members is {found.max_members}"
        yield Status.BLOCKED, text, f"Split the group, raise gpad_max_members, {_LEAVE}"


def _kinds(found: Found, group: WritebackGroup) -> Iterator[_Finding]:
    devices = [one.dn for one in group.members if one.object_class in _DEVICES]
    if devices:
        text = f"devices: {_some(devices)}"
        yield Status.ATTENTION, text, "They stay as foreign members until you accept these; then they go."
    ours = {one.guid for one in found.groups if found.origin(one) is Origin.WRITEBACK_V2}
    inner = [one.dn for one in group.members if one.object_class == "group" and one.guid not in ours]
    if inner:
        remedy = "They stay as foreign members unless provisioning has them in scope."
        yield Status.ATTENTION, f"groups that writeback V2 did not write: {_some(inner)}", remedy
    others = [one.dn for one in group.members if one.object_class not in _PEOPLE | _DEVICES | {"group"}]
    if others:
        yield Status.ATTENTION, f"neither users nor groups: {_some(others)}", "They stay as foreign members."
    if group.local_members:
        text = f"domain local groups inside it: {_some(group.local_members)}"
        yield (
            Status.BLOCKED,
            text,
            f"A universal group cannot hold them: take them out, {_LEAVE}",
        )


def _unique(found: Found, group: WritebackGroup) -> Iterator[_Finding]:
    cloud_id = group.cloud_id or ""
    same = {one.dn for one in found.groups if one.cloud_id == cloud_id}
    others = (same | found.anchored.get(cloud_id, frozenset())) - {group.dn}
    if others:
        text = f"other objects claim {cloud_id} as well: {_some(sorted(others))}"
        yield Status.BLOCKED, text, f"Find out whose it is, clear the others, {_LEAVE}"


def _free(_found: Found, group: WritebackGroup) -> Iterator[_Finding]:
    if group.anchor and identity.cloud_id_of(group.anchor) != group.cloud_id:
        text = f"msDS-ExternalDirectoryObjectId is {group.anchor!r} already"
        yield Status.BLOCKED, text, f"Find out which of the two is right and correct the other, {_LEAVE}"


def _names(found: Found, group: WritebackGroup) -> Iterator[_Finding]:
    view = found.view(group)
    if view is None or view.reason is not None:
        return
    if view.problem:
        yield Status.BLOCKED, view.problem, f"Change the mapping, {_LEAVE}"
        return
    here = dn.parent(group.dn)
    there = view.container or here
    wanted = dn.child("CN", view.cn or group.name, there)
    if dn.key(wanted) == dn.key(group.dn):
        return
    holder = found.occupied.dns.get(dn.key(wanted))
    rivals = Counter(dn.key(dn.child("CN", one.cn, one.container or here)) for one in _planned(found))
    if holder not in (None, group.guid) or rivals[dn.key(wanted)] > 1:
        remedy = f"Rename one of the two, make the mapping of cn unique, set gpad_name_collision: suffix, {_LEAVE}"
        yield Status.BLOCKED, f"it would become {wanted}, which is taken or wanted twice", remedy
    else:
        text = f"it would become {wanted}"
        yield Status.ATTENTION, text, "Decide on names and containers before the take-over (docs/migration.md)."


def _planned(found: Found) -> Iterator[CloudView]:
    for group in found.groups:
        view = found.view(group)
        if view is not None and view.reason is None and view.cn and found.origin(group) is Origin.WRITEBACK_V2:
            yield view


def _rights(found: Found, group: WritebackGroup) -> Iterator[_Finding]:
    if group.guarded:
        yield Status.BLOCKED, group.guarded, f"Take it out of the protected group, {_LEAVE}"
    elif group.guid in found.untrusted:
        text = f"not only the trusted may write it: {found.untrusted[group.guid]}"
        remedy = "Take the right from them, or name them in gpad_trusted_writers, as the account of the sync client."
        yield Status.ATTENTION, text, remedy


def _scope(found: Found, group: WritebackGroup) -> Iterator[_Finding]:
    view = found.view(group)
    if view is not None and view.reason is not None:
        text = f"its cloud group {view.name} is not in scope: {texts.SKIPPED[view.reason]}"
        yield Status.BLOCKED, text, f"Take it into the scope, {_LEAVE} Else it becomes an orphan."


# Number and name as in the table of the documentation; what looks at each group of writeback V2.
_PER_GROUP: tuple[tuple[str, Callable[[Found, WritebackGroup], Iterator[_Finding]]], ...] = (
    ("universal_scope", _universal),
    ("member_count", _count),
    ("member_kinds", _kinds),
    ("anchor_unique", _unique),
    ("anchor_free", _free),
    ("names", _names),
    ("rights", _rights),
    ("scope", _scope),
)
CHECKS = (
    "anchor_form",
    "cloud_group",
    "universal_scope",
    "member_count",
    "member_kinds",
    "anchor_unique",
    "anchor_free",
    "names",
    "rights",
    "microsoft_365",
    "scope",
)


def checks(found: Found) -> tuple[Row, ...]:
    """Return the table: each finding a row, and a row for each check without one."""
    rows: list[Row] = []
    kinds = {group.guid: found.origin(group) for group in found.groups}
    for group in found.groups:
        kind = kinds[group.guid]
        per_group = [("anchor_form", _form(found, group, kind)), ("cloud_group", _cloud(found, group, kind))]
        if kind is Origin.WRITEBACK_V2:
            per_group += [(name, look(found, group)) for name, look in _PER_GROUP]
        rows += [
            Row(name, group.dn, group.guid, _as_decided(found, group, status), text, remedy)
            for name, findings in per_group
            for status, text, remedy in findings
        ]
    rows += _about_all(found)
    rows += _left_in_scope(found)
    told = {row.check for row in rows}
    written = sum(kind is Origin.WRITEBACK_V2 for kind in kinds.values())
    rows += [Row(name, "", "", *_nothing(found, name, written)) for name in CHECKS if name not in told]
    return tuple(sorted(rows, key=lambda row: (CHECKS.index(row.check), row.group)))


def _as_decided(found: Found, group: WritebackGroup, status: Status) -> Status:
    return Status.LEFT if group.guid in found.leave and status is not Status.OK else status


def _about_all(found: Found) -> Iterator[Row]:
    for right in found.rights:
        if not right.allowed:
            yield Row("rights", "", "", Status.BLOCKED, f"{right.what}: {right.found}", right.remedy)
    mailed = sorted(view.name for view in (found.cloud or {}).values() if view.reason is Skipped.MICROSOFT_365)
    if mailed:
        text = f"{len(mailed)} Microsoft 365 groups, all of which version 1 writes once V2 is off: {_some(mailed)}"
        yield Row("microsoft_365", "", "", Status.ATTENTION, text, "It cannot be undone; see docs/migration.md.")


def _left_in_scope(found: Found) -> Iterator[Row]:
    """Yield what leaving a group out does not settle: provisioning would make a second group, with another SID."""
    for group in found.groups:
        view = found.view(group)
        if group.guid in found.leave and view is not None and view.reason is None:
            text = f"it is left out, and its cloud group {view.name} is in scope: it would get a second group"
            yield Row("scope", group.dn, group.guid, Status.BLOCKED, text, "Take the cloud group out of the scope.")


# What needs a capture, and says nothing without one.
_OF_THE_CLOUD = frozenset({"cloud_group", "names", "microsoft_365", "scope"})


def _nothing(found: Found, check: str, written: int) -> tuple[Status, str, str]:
    if check in _OF_THE_CLOUD and found.cloud is None:
        return Status.UNKNOWN, "there is no capture", "Capture with gpad_scope and look again."
    more = "" if check != "anchor_unique" or found.forest else ", in the target domain alone"
    return Status.OK, f"{written} groups of writeback V2 looked at{more}", ""


def ready(found: Found, rows: tuple[Row, ...]) -> tuple[str, ...]:
    """Return the objectGUIDs of the groups of writeback V2 that nothing blocks and nobody leaves out, sorted."""
    held = {row.guid for row in rows if row.status in (Status.BLOCKED, Status.UNKNOWN)} | found.leave
    groups = (group for group in found.groups if found.origin(group) not in (*NEVER_TOUCHED, Origin.MALFORMED))
    return tuple(sorted(group.guid for group in groups if group.guid not in held))


def _some(names: list[str] | tuple[str, ...]) -> str:
    more = f"; and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return "; ".join(names[:_NAMED]) + more
