# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which cloud groups are in scope, and why the others are not."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import CloudGroup, Skipped
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word


class ScopeMode(Word):
    """How the groups of the tenant are chosen."""

    ALL = "all"
    SELECTED = "selected"


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
# until the sync client takes it over).
_FIXED: tuple[tuple[Skipped, str, Callable[[CloudGroup], bool]], ...] = (
    (Skipped.MICROSOFT_365, "groupTypes holds Unified", _is_microsoft_365),
    (Skipped.MAIL_ENABLED, "mailEnabled IS FALSE", _holds("mailEnabled", True)),
    (Skipped.NOT_SECURITY_ENABLED, "securityEnabled IS TRUE", lambda g: not _holds("securityEnabled", True)(g)),
    (Skipped.ON_PREMISES_SYNCED, "dirSyncEnabled IS FALSE", _holds("onPremisesSyncEnabled", True)),
    (
        Skipped.ROLLED_BACK,
        "isCloudManaged IS TRUE",
        lambda g: g.security_identifier is not None and g.is_cloud_managed is False,
    ),
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


def needs_authority(group: CloudGroup) -> bool:
    """Return whether the decision hangs on `isCloudManaged`, which is a call of its own."""
    return group.security_identifier is not None and decide(group, None).reason is Skipped.AUTHORITY_UNKNOWN


def decide(group: CloudGroup, selected: frozenset[str] | None) -> Decision:
    """Return whether a group is in scope and which clause decided.

    Parameters:
        group: the group as captured.
        selected: ids of the selected groups, or None when all are meant.
    """
    for reason, clause, is_out in _FIXED:
        if is_out(group):
            return Decision(reason, clause)
    if selected is not None:
        return Decision(None, "selected") if group.id in selected else Decision(Skipped.NOT_SELECTED, "selected")
    return Decision(None, "all")


def select(wanted: Iterable[str], groups: Iterable[CloudGroup]) -> frozenset[str]:
    """Return the ids of the groups that a list of object ids and displayNames names.

    Raises:
        ConfigurationError: an entry fits no group, or a name fits several.
    """
    ids_of: set[str] = set()
    by_name: dict[str, set[str]] = {}
    for group in groups:
        ids_of.add(group.id)
        by_name.setdefault(group.display_name, set()).add(group.id)
    chosen: set[str] = set()
    for entry in wanted:
        ids = {entry.lower()} & ids_of or by_name.get(entry, set())
        if len(ids) != 1:
            what = "no group" if not ids else f"{len(ids)} groups ({', '.join(sorted(ids))})"
            raise ConfigurationError(
                f"selected_groups: {entry!r} fits {what}.",
                "Name each group by its object id or by a displayName that only it has.",
                code="selected_group_not_unique" if ids else "selected_group_unknown",
            )
        chosen |= ids
    return frozenset(chosen)
