# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which cloud groups are in scope, and why the others are not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import filters, properties
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.filters import Filter
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import CloudGroup, Skipped
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word


class ScopeMode(Word):
    """How the groups of the tenant are chosen."""

    ALL = "all"
    SELECTED = "selected"
    ASSIGNED = "assigned"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a group is in scope.

    Parameters:
        reason: None for a group that is in; else why it is out.
        clause: the clause that decided, in the words of the portal.
    """

    reason: Skipped | None
    clause: str

    @property
    def in_scope(self) -> bool:
        """Whether the group is provisioned."""
        return self.reason is None


def _is_microsoft_365(group: CloudGroup) -> bool:
    types = group.properties.get("groupTypes")
    return isinstance(types, list) and "Unified" in types


def _holds(name: str, value: bool) -> Callable[[CloudGroup], bool]:
    return lambda group: group.properties.get(name) is value


# The fixed clause of Group Provisioning to AD, evaluated before anything else: "securityEnabled IS TRUE AND
# dirSyncEnabled IS FALSE AND mailEnabled IS FALSE". A null counts as FALSE here, since groups born in the cloud and
# converted groups have no dirSyncEnabled. A group with an on-premises SID was born on premises: only a read
# `isCloudManaged = true` says that the cloud is its master now (a group just rolled back looks the same otherwise,
# until the sync client takes it over). Who is master comes first: it decides what may become of the group.
_FIXED: tuple[tuple[Skipped, str, Callable[[CloudGroup], bool]], ...] = (
    (Skipped.ON_PREMISES_SYNCED, "dirSyncEnabled IS FALSE", _holds("onPremisesSyncEnabled", True)),
    (
        Skipped.ROLLED_BACK,
        "isCloudManaged IS TRUE",
        lambda g: g.security_identifier is not None and g.is_cloud_managed is False,
    ),
    (Skipped.MICROSOFT_365, "groupTypes holds Unified", _is_microsoft_365),
    (Skipped.MAIL_ENABLED, "mailEnabled IS FALSE", _holds("mailEnabled", True)),
    (Skipped.NOT_SECURITY_ENABLED, "securityEnabled IS TRUE", lambda g: not _holds("securityEnabled", True)(g)),
    (
        Skipped.AUTHORITY_UNKNOWN,
        "isCloudManaged IS TRUE",
        lambda g: g.security_identifier is not None and g.is_cloud_managed is None,
    ),
)

FIXED_CLAUSE_PROPERTIES = (
    "groupTypes",
    "mailEnabled",
    "securityEnabled",
    "onPremisesSyncEnabled",
    "onPremisesSecurityIdentifier",
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What the administrator chose.

    Parameters:
        chosen: ids of the selected or assigned groups, or None when all are meant.
        mode: the word for where `chosen` comes from.
        filters: attribute filters, of which one must let a group in; none let every group in.
        member_of: object id of each group that an IS_MEMBER_OF clause names, to the ids of its members.
    """

    chosen: frozenset[str] | None = None
    mode: ScopeMode = ScopeMode.ALL
    filters: tuple[Filter, ...] = ()
    member_of: Mapping[str, frozenset[str]] = field(default_factory=dict)


_NOT_CHOSEN = {ScopeMode.SELECTED: Skipped.NOT_SELECTED, ScopeMode.ASSIGNED: Skipped.NOT_ASSIGNED}

# Groups that nobody asked for: counted, not listed one by one.
UNASKED = frozenset({Skipped.NOT_SELECTED, Skipped.NOT_ASSIGNED, Skipped.FILTERED_OUT})


def decide(group: CloudGroup, scope: Scope) -> Decision:
    """Return whether a group is in scope and which clause decided: fixed clause, then mode, then filters.

    Raises:
        ObjectError: a filter could not be evaluated for this group.
    """
    for reason, clause, is_out in _FIXED:
        if is_out(group):
            return Decision(reason, clause)
    if scope.chosen is not None and group.id not in scope.chosen:
        return Decision(_NOT_CHOSEN[scope.mode], scope.mode.value)
    if not scope.filters:
        return Decision(None, scope.mode.value)
    passed, failed = filters.first_match(scope.filters, group.id, properties.values(group), scope.member_of)
    return Decision(None, str(passed)) if passed else Decision(Skipped.FILTERED_OUT, str(failed))


@dataclass(frozen=True, slots=True)
class Selection:
    """The groups that a list of object ids and displayNames names.

    Parameters:
        ids: the groups.
        problems: entry to what is wrong with it, for entries that name no group or several.
    """

    ids: frozenset[str]
    problems: Mapping[str, str]


def select(wanted: Iterable[str], groups: Iterable[CloudGroup]) -> Selection:
    """Return the groups that a list of object ids and displayNames names.

    An entry that fits no group or several is left out and told; the others are not held up by it, since anybody who may
    create a group could otherwise stop every run by giving it a name that is taken.
    """
    known: set[str] = set()
    by_name: dict[str, set[str]] = {}
    for group in groups:
        known.add(group.id)
        by_name.setdefault(group.display_name, set()).add(group.id)
    ids: set[str] = set()
    problems: dict[str, str] = {}
    for entry in wanted:
        found = {entry.lower()} & known or by_name.get(entry, set())
        if len(found) == 1:
            ids |= found
        else:
            problems[entry] = f"fits {len(found)} groups: {', '.join(sorted(found))}" if found else "fits no group"
    return Selection(frozenset(ids), problems)


def needs_authority(group: CloudGroup) -> bool:
    """Return whether the decision hangs on `isCloudManaged`, which is a call of its own."""
    return group.security_identifier is not None and decide(group, Scope()).reason is Skipped.AUTHORITY_UNKNOWN
