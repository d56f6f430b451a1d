# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Planning a run: what both sides say, and what follows from it, groups before members."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity, scope, texts
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.focus import EVERYTHING, Focus
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.group_planning import plan_groups
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Kind, Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.member_planning import plan_members
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Notice,
    PlanItem,
    Problem,
    Skip,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import (
    Anchored,
    CapturedGroup,
    CloudReader,
    DirectoryReader,
    KnownGroup,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.replication import find_lag
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retire_planning import plan_left_behind
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retry import HeldBack, hold_back
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.run_facts import (
    Provisioned,
    RunFacts,
    Trace,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Settings


def build_plan(
    settings: Settings,
    cloud: CloudReader,
    directory: DirectoryReader,
    known: Mapping[str, KnownGroup],
    tally: Tally,
    run: RunFacts,
    *,
    with_members: bool = True,
    focus: Focus = EVERYTHING,
    trace: Trace | None = None,
) -> Iterator[PlanItem]:
    """Yield everything that a run would do and leave, groups before members.

    Parameters:
        settings: what the administrator decided.
        cloud: the snapshot.
        directory: the target domain.
        known: what the journal remembers.
        tally: told what the directory holds while the items are yielded; it counts them for itself.
        run: what comes from outside the two sides.
        with_members: whether the members of the captured groups are planned, too, for which they are all looked up.
        focus: the groups that are looked at; the others are taken to be as they should be.
        trace: takes down what is compared, or None.

    Raises:
        ConfigurationError: a mapping writes an attribute that the schema does not let it write.
        GpadError: a reading of the directory did not reach its end.
    """
    captured: list[CapturedGroup] = []
    settled: list[CapturedGroup] = []
    for chosen in _choose(settings, cloud):
        if isinstance(chosen, CapturedGroup):
            is_settled = focus.settled(chosen.group.id) and chosen.group.id in known
            (settled if is_settled else captured).append(chosen)
        else:
            yield chosen
    anchored = _anchored(directory, captured, known, focus)
    tally.groups = len(anchored.groups) if focus.mark is None else focus.mark.groups
    tally.links_before = 0 if focus.mark is None else focus.mark.links
    tally.members_planned = with_members
    for name, anchor in anchored.elsewhere:
        yield Notice(identity.cloud_id_of(anchor) or "", name, "anchor_tampering", texts.TAMPERING.format(dn=name))
    names = {item.group.id: item.group.display_name for item in (*captured, *settled)}
    seen = {group.guid for group in anchored.groups}
    # A run of a few named groups does not know of the others whether they are out of scope.
    others = () if cloud.header.narrowed else known.keys() - names.keys()
    left = [cloud_id for cloud_id in others if known[cloud_id].guid not in seen]
    provisioned = Provisioned(lag=find_lag(run.written, known, directory, left), trace=trace)
    provisioned.guids.update((item.group.id, known[item.group.id].guid) for item in settled)
    yield from provisioned.lag.problems(names)
    yield from provisioned.lag.notices(names)
    groups = plan_groups(settings, captured, anchored.groups, directory, known, provisioned, run)
    yield from _tried(groups, provisioned, run)
    tally.counts[Kind.MEMBER_ADDITIONS] += sum(map(len, provisioned.restored.values()))
    behind = plan_left_behind(settings, cloud, directory, known, anchored.groups, provisioned, tally, run)
    yield from _tried(behind, provisioned, run)
    if with_members:
        members = plan_members(settings, cloud, directory, known, provisioned, tally, run)
        yield from _tried(members, provisioned, run)


def _anchored(
    directory: DirectoryReader, captured: Sequence[CapturedGroup], known: Mapping[str, KnownGroup], focus: Focus
) -> Anchored:
    """Return the objects with a group anchor, or those of the groups that are looked at."""
    if focus.ids is None:
        return directory.anchored()
    ids = focus.ids | {item.group.id for item in captured}
    guids = [known[cloud_id].guid for cloud_id in ids if cloud_id in known]
    found = directory.groups(guids, (), {identity.anchor_of(cloud_id) for cloud_id in ids}) if ids else ()
    return Anchored(tuple(sorted((group for group in found if group.cloud_id), key=lambda group: group.dn)), ())


def _tried(items: Iterable[PlanItem], provisioned: Provisioned, run: RunFacts) -> Iterator[PlanItem]:
    """Yield the items of a plan, a problem in the place of the changes that wait for another try."""
    for item in hold_back(items, run.waiting):
        if isinstance(item, HeldBack):
            provisioned.without(item)
            yield item.problem
        else:
            yield item


def _choose(settings: Settings, cloud: CloudReader) -> Iterator[CapturedGroup | Skip | Problem]:
    for captured in cloud.groups():
        group, reason = captured.group, captured.decision.reason
        if reason in scope.UNASKED:
            continue
        if reason is not None:
            yield Skip(group.id, group.display_name, reason.value, texts.SKIPPED[reason])
        elif captured.member_count > settings.max_members:
            yield Problem(
                group.id,
                group.display_name,
                "too_many_members",
                f"It has {captured.member_count} members; max_members is {settings.max_members}.",
                "Split the group, or raise max_members.",
            )
        else:
            yield captured
