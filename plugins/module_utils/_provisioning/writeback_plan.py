# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The anchors of groups that writeback V2 wrote, as a plan like any other."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import (
    dn,
    identity,
    ownership,
    texts,
    writeback,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import DirectoryGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    PlanItem,
    Problem,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import DirectoryReader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Settings


def plan_stamp(
    settings: Settings, guids: Collection[str], directory: DirectoryReader, tally: Tally
) -> Iterator[PlanItem]:
    """Yield the changes that give groups the anchor which their adminDescription names.

    A group that has it already needs no change, so that a run can be repeated; one that has another is told, and so are
    several that want the same.

    Parameters:
        settings: what the administrator decided.
        guids: objectGUIDs of the groups, which are in the managed containers.
        directory: the target domain, with writeback.MAIL read.
        tally: told what the directory holds.

    Raises:
        GpadError: a reading of the directory did not reach its end.
    """
    wanted = tuple(dict.fromkeys(guids))
    groups = {group.guid: group for group in directory.groups(wanted, ())} if wanted else {}
    guarded = directory.protected(settings.protected_groups) if groups else frozenset[str]()
    tally.groups = len(groups)
    holders = _holders(directory, groups)
    for guid in wanted:
        group = groups.get(guid)
        if group is None:
            text = f"No group in the managed containers has the objectGUID {guid}."
            yield Problem(guid, guid, "container_not_managed", text, texts.REMEDIES["container_not_managed"])
            continue
        name, cloud_id = dn.rdn_value(group.dn), identity.cloud_id_of(group.first(writeback.MARK) or "")
        if why := _unwritable(settings, group, guarded):
            text = f"{group.dn} is never written: {why}."
            yield Problem(guid, name, "protected_group", text, texts.REMEDIES["protected_group"])
            continue
        code, text = writeback.mark_problem(group)
        if code or cloud_id is None:
            yield Problem(guid, name, code, text, texts.REMEDIES[code])
            continue
        others = holders.get(cloud_id, set()) - {group.dn}
        if others:
            text = f"Other objects claim the cloud group {cloud_id} as well: {'; '.join(sorted(others))}."
            yield Problem(guid, name, "duplicate_anchor", text, texts.REMEDIES["duplicate_anchor"])
        elif not group.first(ANCHOR):
            before = {ANCHOR: (), writeback.MARK: group.attributes.get(writeback.MARK, ())}
            after = {ANCHOR: (identity.anchor_of(cloud_id),)}
            reason = "writeback V2 wrote it"
            yield GroupChange(Action.STAMP, cloud_id, name, guid, group.dn, None, before, after, reason)


def _holders(directory: DirectoryReader, groups: Mapping[str, DirectoryGroup]) -> dict[str, set[str]]:
    """Return the DNs of all objects that carry or want an anchor, by object id."""
    found: dict[str, set[str]] = {}
    if groups:
        anchored = directory.anchored()
        places = [(group.cloud_id, group.dn) for group in anchored.groups]
        places += [(identity.cloud_id_of(anchor), name) for name, anchor in anchored.elsewhere]
        places += [(identity.cloud_id_of(g.first(writeback.MARK) or ""), g.dn) for g in groups.values()]
        for cloud_id, name in places:
            if cloud_id is not None:
                found.setdefault(cloud_id, set()).add(name)
    return found


def _unwritable(settings: Settings, group: DirectoryGroup, guarded: Collection[str]) -> str:
    if group.guid in guarded:
        return "it is a member, at some depth, of a group that guards the domain"
    return ownership.untouchable(group, settings.protected_groups)
