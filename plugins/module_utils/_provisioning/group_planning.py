# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The group part of a plan: whose object is whose, what it should be called, and what it should hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import (
    dn,
    mapping,
    naming,
    ownership,
    placing,
    plan,
    schema,
    scope_change,
    texts,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import CONTAINER
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    ObjectError,
    ObjectIgnoredError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.mapping import Surroundings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.matching import (
    Candidate,
    match_groups,
    revive,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    DeletedGroup,
    DesiredGroup,
    DirectoryGroup,
    Nesting,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Notice,
    PlanItem,
    Problem,
    Skip,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import (
    CapturedGroup,
    DirectoryReader,
    KnownGroup,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.run_facts import (
    Provisioned,
    RunFacts,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.schema import AttributeSchema
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Settings

# A restore tells so many of the links that come back; the plan's member changes name the rest.
_LINKS_SHOWN = 20


def plan_groups(
    settings: Settings,
    captured: Sequence[CapturedGroup],
    anchored: Sequence[DirectoryGroup],
    directory: DirectoryReader,
    known: Mapping[str, KnownGroup],
    provisioned: Provisioned,
    run: RunFacts,
) -> Iterator[PlanItem]:
    """Yield the changes of group objects, and the groups that cannot be handled.

    Parameters:
        settings: what the administrator decided.
        captured: the groups in scope.
        anchored: the groups inside the managed containers that carry an anchor.
        directory: the target domain.
        known: what the journal remembers.
        provisioned: filled with what was matched or is created.
        run: what comes from outside the two sides.

    Raises:
        ConfigurationError: a mapping writes an attribute that the schema does not let it write.
        GpadError: a reading of the directory did not reach its end.
    """
    attributes = _schema(settings, directory) if captured else {}
    candidates: list[Candidate] = []
    for matched in match_groups(settings, captured, anchored, directory, known, run):
        if isinstance(matched, Candidate):
            candidates.append(matched)
        elif not isinstance(matched, Problem) or matched.id not in provisioned.lag.missing:
            yield matched
    wanted: list[Candidate] = []
    # By id, so that of two groups that want one name or unique value the same one gets it in every run.
    candidates.sort(key=_id_of)
    for item in _evaluate(settings, candidates, directory, attributes, run):
        if not isinstance(item, Candidate):
            yield item
        elif not provisioned.lag.holds(item.id, item.hit.group):
            wanted.append(item)
        elif item.hit.group is None and item.id not in provisioned.lag.missing:
            yield provisioned.lag.problem(item.id, item.captured.group.display_name)
    missing, existing = placing.containers(settings, wanted, directory, run)
    lag = provisioned.lag
    yield from (lag.problem("", item.dn) for item in missing if item.dn not in lag.containers) if lag else missing
    wanted = [revive(candidate, placing.home(candidate, settings, existing)) for candidate in wanted]
    around = _Around(
        existing,
        _occupied(wanted, directory),
        _nesting(settings, wanted, directory),
        placing.undeletable(settings, wanted, directory, run),
        frozenset(dn.key(item.dn) for item in missing) if lag else frozenset(),
    )
    # What a restored object is called is not given to a group that is created or renamed in the same run.
    around.returning.update(dn.key(c.hit.group.dn) for c in wanted if c.hit.deleted and c.hit.group)
    around.claimed.update(around.returning)
    changes: dict[str, list[PlanItem]] = {}
    for candidate in wanted:
        items = _changes(settings, candidate, around, known, provisioned, run)
        changes[candidate.id] = list(items)
    place = {item.group.id: number for number, item in enumerate(captured)}
    for cloud_id in sorted(changes, key=place.__getitem__):
        yield from changes[cloud_id]


@dataclass(frozen=True, slots=True)
class _Around:
    """What stands around the groups of a plan.

    Parameters:
        existing: keys of the containers that exist or are created first.
        occupied: names that are taken.
        nesting: objectGUID to what stands around a group whose scope may be changed.
        undeletable: objectGUIDs of groups that a deny entry keeps from being moved.
        waiting: keys of the containers that are not created yet, because they may be on another domain controller.
        claimed: names given to groups of this plan.
        returning: keys of the names that restored objects have, with how many want each.
    """

    existing: frozenset[dn.Dn]
    occupied: naming.Occupied
    nesting: Mapping[str, Nesting]
    undeletable: frozenset[str]
    waiting: frozenset[dn.Dn]
    claimed: set[object] = field(default_factory=set)
    returning: Counter[dn.Dn] = field(default_factory=Counter)


def _id_of(candidate: Candidate) -> str:
    return candidate.id


def _nesting(settings: Settings, wanted: Sequence[Candidate], directory: DirectoryReader) -> Mapping[str, Nesting]:
    """Return what stands around the groups that are to be made universal."""
    if not settings.convert_scope:
        return {}
    found = [c.hit.group for c in wanted if c.hit.group is not None and c.hit.deleted is None]
    others = [
        group.guid
        for group in found
        if scope_change.scope_of(int(group.first(plan.GROUP_TYPE) or 0)) != scope_change.UNIVERSAL
    ]
    return directory.nesting(others) if others else {}


def _schema(settings: Settings, directory: DirectoryReader) -> Mapping[str, AttributeSchema]:
    # The default mappings fit any schema, and their sources are shorter than what their targets hold.
    targets = [line.mapping.target for line in settings.mapper.lines if line.mapping not in mapping.DEFAULT_MAPPINGS]
    targets = [target for target in targets if target != CONTAINER]
    found = directory.schema(targets) if targets else {}
    for target in targets:
        problem = schema.target_problem(found.get(target.lower()))
        if problem:
            raise ConfigurationError(
                f"attribute_mappings: {target}: {problem}.",
                "Correct the name, or leave the mapping out.",
                code="target_not_writable",
            )
    return found


def _evaluate(
    settings: Settings,
    candidates: Sequence[Candidate],
    directory: DirectoryReader,
    attributes: Mapping[str, AttributeSchema],
    run: RunFacts,
) -> Iterator[Candidate | Skip | Problem]:
    variables = {"DomainFQDN": dn.domain_dns_name(directory.domain.dn)}
    taken = _taken(settings, candidates, directory, Surroundings(False, run.now, run.random, {}, variables))
    for candidate in candidates:
        group = candidate.captured.group
        around = Surroundings(
            candidate.hit.group is not None or candidate.hit.deleted is not None,
            run.now,
            run.random,
            taken,
            variables,
        )
        try:
            desired = mapping.desired_group(group, settings.mapper, around)
        except ObjectIgnoredError as error:
            yield Skip(group.id, group.display_name, error.code, error.message)
            continue
        except ObjectError as error:
            yield candidate.problem(error.code, error.message, error.remedy)
            continue
        if desired.container and not dn.is_dn(desired.container):
            if candidate.hit.by != "sid":
                wrong = ownership.container_problem(desired.container, settings.managed_containers)
                yield candidate.problem("container_not_managed", f"Target container: {wrong}.")
                continue
            desired = replace(desired, container="")  # a converted group stays where it is
        wrong = _values_problem(desired, attributes)
        if wrong:
            yield candidate.problem("value_invalid", wrong)
            continue
        for name, values in desired.attributes.items():
            if name.lower() in taken:
                taken[name.lower()].update(values)
        yield replace(candidate, desired=desired)


def _taken(
    settings: Settings, candidates: Sequence[Candidate], directory: DirectoryReader, around: Surroundings
) -> dict[str, set[str]]:
    """Return the values that SelectUniqueValue must not choose, by attribute, all asked at once."""
    asked: dict[str, set[str]] = {}
    if any(line.expression is not None and line.expression.unique_values for line in settings.mapper.lines):
        for candidate in candidates:
            if candidate.hit.group is None and candidate.hit.deleted is None:
                for name, values in mapping.candidates(candidate.captured.group, settings.mapper, around).items():
                    asked.setdefault(name, set()).update(values)
    return {name: set(directory.taken(name, values)) for name, values in asked.items()}


def _values_problem(desired: DesiredGroup, attributes: Mapping[str, AttributeSchema]) -> str:
    for name, values in desired.attributes.items():
        known = attributes.get(name.lower())
        problem = schema.values_problem(known, values) if known else ""
        if problem:
            return f"The mapping of {name}: {problem}."
    return ""


def _occupied(wanted: Sequence[Candidate], directory: DirectoryReader) -> naming.Occupied:
    """Ask for the names that groups to be created, renamed or moved want, in one go."""
    asked = [(c.desired, c.hit.group) for c in wanted if c.desired and naming.wants_name(c.desired, c.hit.group)]
    back = {c.hit.deleted.name for c in wanted if c.hit.deleted}
    if not asked and not back:
        return naming.Occupied()
    # An object that moves without a new name needs the one that it has.
    kept = back | {dn.rdn_value(found.dn) for desired, found in asked if found is not None and not desired.cn}
    return directory.occupied(
        {name for desired, _found in asked for name in naming.cn_alternatives(desired)} | kept,
        {name for desired, _found in asked for name in naming.sam_alternatives(desired)},
    )


def _changes(
    settings: Settings,
    candidate: Candidate,
    around: _Around,
    known: Mapping[str, KnownGroup],
    provisioned: Provisioned,
    run: RunFacts,
) -> Iterator[PlanItem]:
    desired, hit, moves = candidate.desired, candidate.hit, False
    if desired is None:
        return
    group = hit.group
    if group is not None:
        desired, notice = placing.held(settings, desired, group, run)
        if notice is not None:
            yield notice
        if hit.by == "journal" and group.cloud_id not in (None, desired.id):
            text = texts.ANCHOR_CHANGED.format(dn=group.dn, other=group.cloud_id)
            yield candidate.notice("anchor_tampering", text)
        moves = bool(desired.container) and dn.key(desired.container) != dn.key(dn.parent(group.dn))
        if group.guid in around.undeletable:
            text = f"{group.dn} is protected from deletion, and so from a move."
            yield replace(candidate.problem("deletion_denied", text), moves=moves)
            desired = replace(desired, container="")
        if desired.container and dn.key(desired.container) in around.waiting:
            yield replace(provisioned.lag.problem(desired.id, desired.name), moves=True)
            desired = replace(desired, container="")
    problem = _place_problem(settings, candidate, desired, around)
    if problem is not None:
        yield replace(problem, moves=moves)
        return
    try:
        desired = naming.settle(desired, group, around.occupied, around.claimed, settings.name_collision)
        nesting = around.nesting.get(group.guid, Nesting()) if group and settings.convert_scope else None
        changes = plan.group_changes(
            desired,
            group,
            by=hit.by,
            known=desired.id in known,
            deleted=hit.deleted,
            nesting=nesting,
            ignored=tuple(stranger.guid for stranger in hit.strangers),
        )
    except ObjectError as error:
        yield replace(candidate.problem(error.code, error.message, error.remedy), moves=moves)
        return
    provisioned.guids[desired.id] = group.guid if group else None
    place = group.dn if group else dn.child("CN", desired.cn, desired.container)
    provisioned.groups[desired.id] = (candidate.captured, place)
    if group is not None:
        provisioned.sids[desired.id] = group.sid
    if changes:
        provisioned.changing.add(desired.id)
    if hit.deleted is not None:
        yield from _returning(candidate, hit.deleted, provisioned)
    yield from changes


def _returning(candidate: Candidate, lost: DeletedGroup, provisioned: Provisioned) -> Iterator[Notice]:
    """Tell what comes back with a deleted object, and let its members wait where its own memberships come back, too."""
    provisioned.restored[candidate.id] = lost.links
    if lost.links:
        names = "; ".join(link.dn for link in lost.links[:_LINKS_SHOWN])
        text = texts.LINKS_RETURN.format(dn=lost.dn, count=len(lost.links), names=names)
        yield candidate.notice("links_return", text)
    # The Recycle Bin keeps links and all attributes, a tombstone only a few. A converted group may have neither.
    if candidate.hit.by == "sid" or lost.links or lost.attributes.get("adminDescription"):
        del provisioned.groups[candidate.id]
        yield candidate.notice("members_wait", texts.MEMBERS_WAIT.format(dn=lost.dn))


def _place_problem(settings: Settings, candidate: Candidate, desired: DesiredGroup, around: _Around) -> Problem | None:
    """Return what forbids the place that a group is to be in."""
    group, lost = candidate.hit.group, candidate.hit.deleted
    if lost is not None and group is not None:
        taken = around.occupied.dns.get(dn.key(group.dn))
        if taken not in (None, group.guid) or around.returning[dn.key(group.dn)] > 1:
            return candidate.problem("name_collision", f"{lost.dn} cannot be restored: {group.dn} is taken.")
    converted = candidate.hit.by == "sid"
    if (converted and lost is None) or not (converted or desired.container):  # it stays where it is
        return None
    container = placing.home(candidate, settings, around.existing) if converted else desired.container
    wrong = ownership.container_problem(container, settings.managed_containers)
    if wrong:
        return candidate.problem("container_not_managed", f"Target container: {wrong}.")
    if dn.key(container) not in around.existing:
        return candidate.problem("container_missing", f"The target container {container} does not exist.")
    return None
