# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where groups are created, restored and moved to, and what keeps them where they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import (
    dn,
    ownership,
    plan,
    rights,
    texts,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.matching import (
    Candidate,
    revive,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    DesiredGroup,
    DirectoryGroup,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    Notice,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import DirectoryReader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.run_facts import RunFacts
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Moves, Settings


def home(candidate: Candidate, settings: Settings, existing: frozenset[dn.Dn]) -> str:
    """Return the container that a deleted object returns to: its own one if that is there and managed."""
    lost, desired = candidate.hit.deleted, candidate.desired
    own = lost.parent if lost else ""
    if own and not ownership.container_problem(own, settings.managed_containers) and dn.key(own) in existing:
        return own
    return desired.container if desired else ""


def undeletable(
    settings: Settings, wanted: Sequence[Candidate], directory: DirectoryReader, run: RunFacts
) -> frozenset[str]:
    """Return the objectGUIDs of the groups to be moved that a deny entry protects from it."""
    moving = [
        c.hit.group.guid
        for c in wanted
        if c.hit.group and c.desired and not c.hit.deleted and _moves(settings, c.desired, c.hit.group, run)
    ]
    security = directory.security(moving) if moving else {}
    return frozenset(guid for guid, descriptor in security.items() if rights.denies_deletion(descriptor))


def _moves(settings: Settings, desired: DesiredGroup, found: DirectoryGroup, run: RunFacts) -> bool:
    moved = plan.relocation(held(settings, desired, found, run)[0], found)
    return moved is not None and moved.action is not Action.RENAME


def containers(
    settings: Settings, wanted: Sequence[Candidate], directory: DirectoryReader, run: RunFacts
) -> tuple[list[GroupChange], frozenset[dn.Dn]]:
    """Return the containers to create, outermost first, and the keys of those that will exist."""
    homes = {lost.parent for c in wanted if (lost := c.hit.deleted) is not None and dn.is_dn(lost.parent)}
    there = frozenset(map(dn.key, directory.containers(homes))) if homes else frozenset[dn.Dn]()
    names = {container for c in wanted if (container := _wanted_container(settings, c, run, there))}
    inside = {name for name in names if not ownership.container_problem(name, settings.managed_containers)}
    if not settings.create_containers:
        return [], there | frozenset(map(dn.key, directory.containers(inside)))
    chains = {above for name in inside for above in _chain(name, settings.managed_containers)}
    existing = there | frozenset(map(dn.key, directory.containers(chains)))
    missing = {dn.key(name): name for name in chains if dn.key(name) not in existing}
    changes = [
        GroupChange(Action.CREATE_CONTAINER, "", name, None, name, None, {}, {}, "create_containers")
        for _key, name in sorted(missing.items(), key=lambda entry: (len(entry[0]), entry[1]))
    ]
    return changes, existing | missing.keys()


def _wanted_container(settings: Settings, candidate: Candidate, run: RunFacts, there: frozenset[dn.Dn]) -> str:
    """Return the container that a group is created, restored or moved to; an empty string for one that stays."""
    back = home(candidate, settings, there) if candidate.hit.deleted else ""
    if candidate.hit.by == "sid":  # a converted group stays where it is
        return back
    found = revive(candidate, back).hit.group
    if candidate.desired is None or found is None:
        return candidate.desired.container if candidate.desired else ""
    return held(settings, candidate.desired, found, run)[0].container


def _chain(name: str, managed: Sequence[str]) -> Iterator[str]:
    """Yield a container and those above it, up to a managed one."""
    parsed = dn.parse(name)
    while parsed and any(dn.is_under(parsed, outer, itself=True) for outer in managed):
        yield dn.text(parsed)
        parsed = parsed[1:]


def _rule_changed(settings: Settings, run: RunFacts) -> bool:
    """Return whether the administrator changed the rule for containers since it was applied last."""
    return run.last_container_rule is not None and run.last_container_rule != settings.mapper.container_rule


def held(
    settings: Settings, desired: DesiredGroup, found: DirectoryGroup, run: RunFacts
) -> tuple[DesiredGroup, Notice | None]:
    """Keep a group where it is when nothing but its data, or a move by hand, ask for another container."""
    if settings.moves is not Moves.HOLD or _rule_changed(settings, run):
        return desired, None
    relocation = plan.relocation(desired, found)
    if relocation is None or relocation.action is Action.RENAME:
        return desired, None
    if settings.retire.container and dn.is_under(found.dn, settings.retire.container):
        return desired, None  # it was retired and is back in scope
    text = texts.MOVE_HELD.format(dn=found.dn, container=desired.container)
    return replace(desired, container=""), Notice(desired.id, desired.name, "move_held", text)
