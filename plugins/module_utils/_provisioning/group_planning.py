# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The group part of a plan: whose object is whose, what it should be called, and what it should hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import (
    dn,
    identity,
    mapping,
    naming,
    ownership,
    plan,
    schema,
    texts,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    ObjectError,
    ObjectIgnoredError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expressions import RandomSource
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.mapping import (
    DesiredGroup,
    Surroundings,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import DirectoryGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
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
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.schema import AttributeSchema
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Moves, Settings


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What a plan takes from outside the two sides.

    Parameters:
        now: the time of the run.
        random: where random functions take their numbers from.
        last_container_rule: the rule for containers that was applied last, or None when none is remembered.
    """

    now: datetime | None = None
    random: RandomSource | None = None
    last_container_rule: str | None = None


@dataclass(slots=True)
class Provisioned:
    """The groups that this run matched or creates.

    Parameters:
        guids: object id to objectGUID, None for a group to be created.
        groups: object id to the captured group and its DN.
    """

    guids: dict[str, str | None] = field(default_factory=dict)
    groups: dict[str, tuple[CapturedGroup, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A cloud group whose object may be written.

    Parameters:
        captured: the cloud side.
        hit: its object, or none yet.
        desired: what the object should hold; None until the mappings were evaluated.
    """

    captured: CapturedGroup
    hit: ownership.Match
    desired: DesiredGroup | None = None

    def problem(self, code: str, message: str, remedy: str = "") -> Problem:
        """Return a problem of this group."""
        group = self.captured.group
        return Problem(group.id, group.display_name, code, message, remedy or texts.REMEDIES.get(code, ""))


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
    candidates: list[_Candidate] = []
    for matched in _match(settings, captured, anchored, directory, known):
        if isinstance(matched, _Candidate):
            candidates.append(matched)
        else:
            yield matched
    wanted: list[_Candidate] = []
    # By id, so that of two groups that want one name or unique value the same one gets it in every run.
    candidates.sort(key=_id)
    for item in _evaluate(settings, candidates, directory, attributes, run):
        if isinstance(item, _Candidate):
            wanted.append(item)
        else:
            yield item
    missing, existing = _containers(settings, wanted, directory, run)
    yield from missing
    occupied = _occupied(wanted, directory)
    claimed: set[object] = set()
    changes: dict[str, list[PlanItem]] = {}
    for candidate in wanted:
        items = _changes(settings, candidate, existing, occupied, claimed, known, provisioned, run)
        changes[_id(candidate)] = list(items)
    place = {item.group.id: number for number, item in enumerate(captured)}
    for cloud_id in sorted(changes, key=place.__getitem__):
        yield from changes[cloud_id]


def _id(candidate: _Candidate) -> str:
    return candidate.captured.group.id


def _schema(settings: Settings, directory: DirectoryReader) -> Mapping[str, AttributeSchema]:
    # The default mappings fit any schema, and their sources are shorter than what their targets hold.
    targets = [line.mapping.target for line in settings.mapper.lines if line.mapping not in mapping.DEFAULT_MAPPINGS]
    targets = [target for target in targets if target != mapping.CONTAINER]
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


def _match(
    settings: Settings,
    captured: Sequence[CapturedGroup],
    anchored: Sequence[DirectoryGroup],
    directory: DirectoryReader,
    known: Mapping[str, KnownGroup],
) -> Iterator[_Candidate | Problem | Notice]:
    have = {group.guid for group in anchored}
    guids = {known[item.group.id].guid for item in captured if item.group.id in known} - have
    sids = {sid for item in captured if (sid := item.group.security_identifier) and identity.is_sid(sid)}
    sids -= {group.sid for group in anchored}
    more = directory.groups(guids, sids) if guids or sids else ()
    found = ownership.index([*anchored, *(group for group in more if group.guid not in have)])
    matches = ownership.refuse_shared(
        {
            item.group.id: ownership.match(item.group, found, _guid(known, item.group.id), directory.domain.sid)
            for item in captured
        },
        {cloud_id: entry.guid for cloud_id, entry in known.items()},
    )
    candidates = [_Candidate(item, matches[item.group.id]) for item in captured]
    absent = [identity.anchor_of(c.captured.group.id) for c in candidates if not c.hit.group and not c.hit.problem]
    deleted = directory.deleted(absent) if absent else {}
    if deleted is None:
        yield Notice("", directory.domain.dn, "deleted_objects_hidden", texts.DELETED_HIDDEN.format(count=len(absent)))
    for candidate in candidates:
        yield _match_problem(settings, candidate, deleted or {}) or candidate


def _guid(known: Mapping[str, KnownGroup], cloud_id: str) -> str | None:
    entry = known.get(cloud_id)
    return entry.guid if entry else None


def _match_problem(settings: Settings, candidate: _Candidate, deleted: Mapping[str, str]) -> Problem | None:
    hit = candidate.hit
    if hit.problem:
        return candidate.problem(hit.problem, hit.detail)
    if hit.group is None:
        trash = deleted.get(identity.anchor_of(candidate.captured.group.id))
        return candidate.problem("deleted_object_exists", f"Its former object was deleted: {trash}.") if trash else None
    why = ownership.untouchable(hit.group, settings.protected_groups)
    return candidate.problem("protected_group", f"{hit.group.dn} is never written: {why}.") if why else None


def _evaluate(
    settings: Settings,
    candidates: Sequence[_Candidate],
    directory: DirectoryReader,
    attributes: Mapping[str, AttributeSchema],
    run: RunFacts,
) -> Iterator[_Candidate | Skip | Problem]:
    variables = {"DomainFQDN": dn.domain_dns_name(directory.domain.dn)}
    taken = _taken(settings, candidates, directory, Surroundings(False, run.now, run.random, {}, variables))
    for candidate in candidates:
        group = candidate.captured.group
        around = Surroundings(
            candidate.hit.group is not None,
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
        wrong = _values_problem(desired, attributes)
        if wrong:
            yield candidate.problem("value_invalid", wrong)
            continue
        for name, values in desired.attributes.items():
            if name.lower() in taken:
                taken[name.lower()].update(values)
        yield replace(candidate, desired=desired)


def _taken(
    settings: Settings, candidates: Sequence[_Candidate], directory: DirectoryReader, around: Surroundings
) -> dict[str, set[str]]:
    """Return the values that SelectUniqueValue must not choose, by attribute, all asked at once."""
    asked: dict[str, set[str]] = {}
    if any(line.expression is not None and line.expression.unique_values for line in settings.mapper.lines):
        for candidate in candidates:
            if candidate.hit.group is None:
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


def _containers(
    settings: Settings, wanted: Sequence[_Candidate], directory: DirectoryReader, run: RunFacts
) -> tuple[list[GroupChange], frozenset[dn.Dn]]:
    """Return the containers to create, outermost first, and the keys of those that will exist."""
    names = {container for c in wanted if (container := _wanted_container(settings, c, run))}
    inside = {name for name in names if not ownership.container_problem(name, settings.managed_containers)}
    if not settings.create_containers:
        return [], frozenset(map(dn.key, directory.containers(inside)))
    chains = {above for name in inside for above in _chain(name, settings.managed_containers)}
    existing = frozenset(map(dn.key, directory.containers(chains)))
    missing = {dn.key(name): name for name in chains if dn.key(name) not in existing}
    changes = [
        GroupChange(Action.CREATE_CONTAINER, "", name, None, name, None, {}, {}, "create_containers")
        for _key, name in sorted(missing.items(), key=lambda entry: (len(entry[0]), entry[1]))
    ]
    return changes, existing | missing.keys()


def _wanted_container(settings: Settings, candidate: _Candidate, run: RunFacts) -> str:
    """Return the container that a group is created in or moved to; an empty string for one that stays."""
    desired, found = candidate.desired, candidate.hit.group
    if desired is None or candidate.hit.by == "sid":  # a converted group stays where it is
        return ""
    return desired.container if found is None else _held(settings, desired, found, run)[0].container


def _chain(name: str, managed: Sequence[str]) -> Iterator[str]:
    """Yield a container and those above it, up to a managed one."""
    parsed = dn.parse(name)
    while parsed and any(dn.is_under(parsed, outer, itself=True) for outer in managed):
        yield dn.text(parsed)
        parsed = parsed[1:]


def _occupied(wanted: Sequence[_Candidate], directory: DirectoryReader) -> naming.Occupied:
    """Ask for the names that groups to be created, renamed or moved want, in one go."""
    asked = [(c.desired, c.hit.group) for c in wanted if c.desired and naming.wants_name(c.desired, c.hit.group)]
    if not asked:
        return naming.Occupied()
    # An object that moves without a new name needs the one that it has.
    kept = {dn.rdn_value(found.dn) for desired, found in asked if found is not None and not desired.cn}
    return directory.occupied(
        {name for desired, _found in asked for name in naming.cn_alternatives(desired)} | kept,
        {name for desired, _found in asked for name in naming.sam_alternatives(desired)},
    )


def _changes(
    settings: Settings,
    candidate: _Candidate,
    existing: frozenset[dn.Dn],
    occupied: naming.Occupied,
    claimed: set[object],
    known: Mapping[str, KnownGroup],
    provisioned: Provisioned,
    run: RunFacts,
) -> Iterator[PlanItem]:
    desired, hit = candidate.desired, candidate.hit
    if desired is None:
        return
    group = hit.group
    if group is not None:
        desired, notice = _held(settings, desired, group, run)
        if notice is not None:
            yield notice
    if desired.container and hit.by != "sid":  # a converted group stays where it is
        wrong = ownership.container_problem(desired.container, settings.managed_containers)
        if wrong:
            yield candidate.problem("container_not_managed", f"Target container: {wrong}.")
            return
        if dn.key(desired.container) not in existing:
            yield candidate.problem("container_missing", f"The target container {desired.container} does not exist.")
            return
    try:
        desired = naming.settle(desired, group, occupied, claimed, settings.name_collision)
        changes = plan.group_changes(desired, group, by=hit.by, known=desired.id in known)
    except ObjectError as error:
        yield candidate.problem(error.code, error.message, error.remedy)
        return
    provisioned.guids[desired.id] = group.guid if group else None
    place = group.dn if group else dn.child("CN", desired.cn, desired.container)
    provisioned.groups[desired.id] = (candidate.captured, place)
    yield from changes


def _rule_changed(settings: Settings, run: RunFacts) -> bool:
    """Return whether the administrator changed the rule for containers since it was applied last."""
    return run.last_container_rule is not None and run.last_container_rule != settings.mapper.container_rule


def _held(
    settings: Settings, desired: DesiredGroup, found: DirectoryGroup, run: RunFacts
) -> tuple[DesiredGroup, Notice | None]:
    """Keep a group where it is when nothing but its data, or a move by hand, ask for another container."""
    if settings.moves is not Moves.HOLD or _rule_changed(settings, run):
        return desired, None
    relocation = plan.relocation(desired, found)
    if relocation is None or relocation.action is Action.RENAME:
        return desired, None
    text = texts.MOVE_HELD.format(dn=found.dn, container=desired.container)
    return replace(desired, container=""), Notice(desired.id, desired.name, "move_held", text)
