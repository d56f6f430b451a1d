# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the directory needs before the source of authority of a group changes, as plans like any other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import (
    dn,
    enforcement,
    identity,
    ownership,
    scope_change,
    texts,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    DirectoryGroup,
    Nesting,
    Values,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    GROUP_TYPE,
    Action,
    GroupChange,
    PlanItem,
    Problem,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import DirectoryReader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Settings

# What provisioning writes there tells whose object it is.
MARK = "adminDescription"


@dataclass(frozen=True, slots=True)
class Earlier:
    """What the journal remembers of a group that provisioning took over.

    Parameters:
        guid: its objectGUID.
        name: its displayName.
        values: adminDescription before the mark was written.
    """

    guid: str
    name: str
    values: Values


def plan_universal(
    settings: Settings, sids: Collection[str], directory: DirectoryReader, tally: Tally
) -> Iterator[PlanItem]:
    """Yield the changes that make groups universal, in an order in which the directory takes them.

    A global group must leave global groups first, a domain local one must hold no domain local one: each change may
    make room for the next.

    Parameters:
        settings: what the administrator decided.
        sids: the groups, which are in the managed containers.
        directory: the target domain.
        tally: told what the directory holds.

    Raises:
        GpadError: a reading of the directory did not reach its end.
    """
    groups = {group.sid: group for group in directory.groups((), sids)}
    guarded = directory.protected(settings.protected_groups)
    tally.groups = len(groups)
    waiting: dict[str, DirectoryGroup] = {}
    for sid in dict.fromkeys(sids):
        group = groups.get(sid)
        if group is None:
            text = f"No group in the managed containers has the SID {sid}."
            yield Problem(sid, sid, "container_not_managed", text, texts.REMEDIES["container_not_managed"])
        elif why := _unwritable(settings, group, guarded):
            text = f"{group.dn} is never written: {why}."
            yield Problem(sid, _name(group), "protected_group", text, texts.REMEDIES["protected_group"])
        elif _scope(group) != scope_change.UNIVERSAL:
            waiting[group.guid] = group
    around = dict(directory.nesting(waiting.keys())) if waiting else {}
    while free := [group for group in waiting.values() if not _obstacle(group, around)]:
        for group in free:
            yield _universal(group)
            del waiting[group.guid]
            around = {guid: _with_universal(nesting, group.dn) for guid, nesting in around.items()}
    for group in waiting.values():
        text = f"{group.dn} cannot be made universal: {_obstacle(group, around)}."
        yield Problem(group.sid, _name(group), "scope_not_convertible", text, "Change that group first.")


def _unwritable(settings: Settings, group: DirectoryGroup, guarded: Collection[str]) -> str:
    if group.guid in guarded:
        return "it is a member, at some depth, of a group that guards the domain"
    return ownership.untouchable(group, settings.protected_groups)


def _name(group: DirectoryGroup) -> str:
    return dn.rdn_value(group.dn)


def _type(group: DirectoryGroup) -> int:
    return int(group.first(GROUP_TYPE) or 0)


def _scope(group: DirectoryGroup) -> int:
    return scope_change.scope_of(_type(group))


def _obstacle(group: DirectoryGroup, around: Mapping[str, Nesting]) -> str:
    return scope_change.to_universal(_type(group), around.get(group.guid, Nesting()))


def _with_universal(nesting: Nesting, name: str) -> Nesting:
    """Return what stands around a group once another one is universal."""

    def changed(neighbours: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
        return tuple((other, scope_change.UNIVERSAL if other == name else kind) for other, kind in neighbours)

    return replace(nesting, members=changed(nesting.members), parents=changed(nesting.parents))


def _universal(group: DirectoryGroup) -> GroupChange:
    before = {GROUP_TYPE: group.attributes.get(GROUP_TYPE, ())}
    after = {GROUP_TYPE: (str(scope_change.as_universal(_type(group))),)}
    reason = f"it is of {scope_change.scope_name(_type(group))} scope, and its source of authority is to be the cloud"
    return GroupChange(Action.CONVERT, group.sid, _name(group), group.guid, group.dn, None, before, after, reason)


def plan_hand_back(
    settings: Settings,
    ids: Collection[str],
    earlier: Mapping[str, Earlier],
    directory: DirectoryReader,
    tally: Tally,
) -> Iterator[PlanItem]:
    """Yield the changes that give adminDescription of converted groups the value it had before they were taken over.

    Parameters:
        settings: what the administrator decided.
        ids: object ids of the cloud groups.
        earlier: what the journal remembers of them.
        directory: the target domain.
        tally: told what the directory holds.

    Raises:
        GpadError: a reading of the directory did not reach its end.
    """
    anchors = {identity.anchor_of(cloud_id) for cloud_id in ids}
    found = directory.groups({one.guid for one in earlier.values()}, (), anchors) if ids else ()
    guarded = directory.protected(settings.protected_groups)
    by_guid = {group.guid: group for group in found}
    by_anchor = {group.cloud_id: group for group in found if group.cloud_id}
    tally.groups = len(found)
    for cloud_id in dict.fromkeys(ids):
        known = earlier.get(cloud_id)
        group = by_guid.get(known.guid) if known else by_anchor.get(cloud_id)
        mark = (group.first(MARK) or "").lower() if group else ""
        if group is None or not mark.startswith(_marks(cloud_id)):
            continue  # there is nothing to give back
        if why := _unwritable(settings, group, guarded):
            text = f"{group.dn} is never written: {why}."
            yield Problem(cloud_id, _name(group), "protected_group", text, texts.REMEDIES["protected_group"])
        elif mark == identity.anchor_of(cloud_id).lower():
            yield Problem(cloud_id, _name(group), "born_in_cloud", texts.SOA_NATIVE, "Take it off the list.")
        elif known is None:
            text = f"The journal does not know which adminDescription {group.dn} had before it was taken over."
            yield Problem(cloud_id, _name(group), "earlier_value_unknown", text, texts.SOA_EARLIER_REMEDY)
        else:
            name = known.name or _name(group)
            # Controllers that enforce would keep the sync client from a group that is still marked as the cloud's.
            enforced = enforcement.marked(group)
            before = {MARK: group.attributes.get(MARK, ()), **enforced}
            after: dict[str, tuple[str, ...]] = {MARK: known.values, **dict.fromkeys(enforced, ())}
            reason = "its source of authority is to be rolled back"
            yield GroupChange(Action.UPDATE, cloud_id, name, group.guid, group.dn, None, before, after, reason)


def _marks(cloud_id: str) -> tuple[str, str]:
    return identity.anchor_of(cloud_id).lower(), f"{identity.TAKEN_OVER_PREFIX}{cloud_id}".lower()
