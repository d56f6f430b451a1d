# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the scope of a directory group can be changed to universal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import Nesting

# groupType (MS-ADTS 2.2.12).
GLOBAL, DOMAIN_LOCAL, UNIVERSAL = 0x2, 0x4, 0x8
SECURITY = 0x80000000
_SCOPES = GLOBAL | DOMAIN_LOCAL | UNIVERSAL
_NAMES: Mapping[int, str] = {GLOBAL: "global", DOMAIN_LOCAL: "domain local", UNIVERSAL: "universal"}


def scope_of(group_type: int) -> int:
    """Return the scope bit of a groupType; 0 where it has none."""
    return group_type & _SCOPES


def scope_name(group_type: int) -> str:
    """Return the scope of a groupType in words."""
    return _NAMES.get(scope_of(group_type), "unknown")


def as_universal(group_type: int) -> int:
    """Return a groupType with universal scope, the rest of it as it is."""
    return group_type & ~_SCOPES | UNIVERSAL


def is_security(group_type: int) -> bool:
    """Return whether a groupType is that of a security group."""
    return bool(group_type & SECURITY)


@dataclass(frozen=True, slots=True)
class _Rule:
    """What forbids a change to universal.

    Parameters:
        around: which neighbours are looked at: `members` or `parents`.
        scope: the scope of a neighbour that forbids it.
        text: the sentence, with the neighbour's DN.
    """

    around: str
    scope: int
    text: str


# MS-ADTS 3.1.1.5.3.4 and "Group scope" in the Windows Server documentation: a universal group is never inside a global
# one, and never holds a domain local one.
_RULES: Mapping[int, tuple[_Rule, ...]] = {
    GLOBAL: (_Rule("parents", GLOBAL, "it is a member of the global group {dn}"),),
    DOMAIN_LOCAL: (_Rule("members", DOMAIN_LOCAL, "it holds the domain local group {dn}"),),
    UNIVERSAL: (),
}


def to_universal(group_type: int, around: Nesting) -> str:
    """Return what forbids to make a group universal, or an empty string.

    Parameters:
        group_type: its groupType.
        around: the groups that it holds, and those that hold it.
    """
    rules = _RULES.get(scope_of(group_type))
    if rules is None:
        return "its scope is unknown"
    neighbours = {"members": around.members, "parents": around.parents}
    hits = (rule.text.format(dn=name) for rule in rules for name, kind in neighbours[rule.around] if kind & rule.scope)
    return next(hits, "")
