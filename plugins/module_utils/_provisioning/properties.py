# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The properties of a group in Microsoft Graph that scope and mappings may name.

Names follow Graph, and beside them the portal of Cloud Sync, which has a few of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.filters import is_extension
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import CloudGroup, GraphValue

_EXTENSION_ATTRIBUTES = "onPremisesExtensionAttributes"
_WRITEBACK = "writebackConfiguration"


@dataclass(frozen=True, slots=True)
class Property:
    """One property.

    Parameters:
        select: what to name in `$select` to get it; an empty string for what is always there.
        multi: it holds several values, which filters cannot compare.
        beta: the v1.0 end point does not know it.
    """

    select: str
    multi: bool = False
    beta: bool = False


_PLAIN = (
    "classification",
    "createdDateTime",
    "description",
    "displayName",
    "expirationDateTime",
    "isAssignableToRole",
    "isManagementRestricted",
    "mail",
    "mailEnabled",
    "mailNickname",
    "membershipRule",
    "membershipRuleProcessingState",
    "onPremisesDomainName",
    "onPremisesLastSyncDateTime",
    "onPremisesNetBiosName",
    "onPremisesSamAccountName",
    "onPremisesSecurityIdentifier",
    "onPremisesSyncEnabled",
    "preferredDataLocation",
    "preferredLanguage",
    "renewedDateTime",
    "securityEnabled",
    "securityIdentifier",
    "theme",
    "uniqueName",
    "visibility",
)

GROUP_PROPERTIES: Mapping[str, Property] = {
    **{name: Property(name) for name in _PLAIN},
    "id": Property(""),
    "objectId": Property(""),
    "dirSyncEnabled": Property("onPremisesSyncEnabled"),
    "groupTypes": Property("groupTypes", multi=True),
    "proxyAddresses": Property("proxyAddresses", multi=True),
    **{f"extensionAttribute{n}": Property(_EXTENSION_ATTRIBUTES) for n in range(1, 16)},
    **{f"{_EXTENSION_ATTRIBUTES}.extensionAttribute{n}": Property(_EXTENSION_ATTRIBUTES) for n in range(1, 16)},
    "isWritebackEnabled": Property(_WRITEBACK, beta=True),
    f"{_WRITEBACK}.isEnabled": Property(_WRITEBACK, beta=True),
    f"{_WRITEBACK}.onPremisesGroupType": Property(_WRITEBACK, beta=True),
}

# The portal's names for what Graph keeps elsewhere.
_ALIASES: Mapping[str, str] = {
    "dirSyncEnabled": "onPremisesSyncEnabled",
    "isWritebackEnabled": f"{_WRITEBACK}.isEnabled",
    **{f"extensionAttribute{n}": f"{_EXTENSION_ATTRIBUTES}.extensionAttribute{n}" for n in range(1, 16)},
}
_BY_FOLDED_NAME: Mapping[str, str] = {name.lower(): name for name in GROUP_PROPERTIES}

# What filters can compare: one value each.
FILTERABLE = frozenset(name for name, entry in GROUP_PROPERTIES.items() if not entry.multi)


def canonical(name: str) -> str | None:
    """Return a property's name as Graph or the portal writes it, or None for one that groups do not have.

    Official expressions hold `[DisplayName]` and `[ObjectId]`, so case does not count; it does in extensions.
    """
    return name if is_extension(name) else _BY_FOLDED_NAME.get(name.lower())


def select(names: Iterable[str]) -> tuple[frozenset[str], bool]:
    """Return what to name in `$select` for these properties, and whether the beta end point is needed.

    Names that groups do not have are left out.
    """
    chosen: set[str] = set()
    beta = False
    for name in names:
        known = canonical(name)
        if known is None:
            continue
        entry = GROUP_PROPERTIES.get(known, Property(known))
        chosen.add(entry.select)
        beta = beta or entry.beta
    return frozenset(chosen - {""}), beta


def values(group: CloudGroup) -> dict[str, GraphValue]:
    """Return every property of a group under each name that scope and mappings may use; complex ones are flattened."""
    found: dict[str, GraphValue] = {"id": group.id, "objectId": group.id}
    for name, value in group.properties.items():
        if isinstance(value, dict):
            found.update({f"{name}.{key}": inner for key, inner in value.items()})
        else:
            found[name] = value
    found.update({alias: found[name] for alias, name in _ALIASES.items() if name in found})
    return found
