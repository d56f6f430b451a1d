# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two parts of a plan, and the module that carries out each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.arguments import Spec
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import GroupChange, MemberChange
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.slices import Slice
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.planfile import PlanFile

Change: TypeAlias = "GroupChange | MemberChange"
CHANGES = (GroupChange, MemberChange)


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a plan that a module carries out.

    Parameters:
        module: the module's name.
        kind: the class of its changes.
        options: the options that this module alone has.
    """

    module: str
    kind: type[GroupChange] | type[MemberChange]
    options: Spec


_ORDER: Spec = {
    "write_order": {
        "type": "str",
        "choices": ["additions_first", "removals_first"],
        "default": "additions_first",
    }
}
GROUPS = Part("gpad_group", GroupChange, {})
MEMBERS = Part("gpad_membership", MemberChange, _ORDER)


def changes(plan: PlanFile, part: Part, one: Slice | None = None) -> Iterator[Change]:
    """Return the changes of a part of a plan, or of one slice of it."""
    return (item for item in plan.items_of(part.kind) if isinstance(item, part.kind) and _is_of(item, one))


def group_changes(plan: PlanFile, one: Slice | None = None) -> Iterator[GroupChange]:
    """Return the changes of groups, or those of one slice."""
    return (item for item in plan.items_of(GroupChange) if isinstance(item, GroupChange) and _is_of(item, one))


def member_changes(plan: PlanFile, one: Slice | None = None) -> Iterator[MemberChange]:
    """Return the changes of members, or those of one slice."""
    return (item for item in plan.items_of(MemberChange) if isinstance(item, MemberChange) and _is_of(item, one))


def _is_of(change: Change, one: Slice | None) -> bool:
    return one is None or one.has(change.id)
