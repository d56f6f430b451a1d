# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the administrator decided about the directory side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity, ownership
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Limits
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.mapping import (
    AttributeMapping,
    Mapper,
    compile_mappings,
    container_mapping,
    merge_mappings,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.naming import NameCollision
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ownership import managed_containers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.removal import ForeignMembers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retire import Retire, RetireRules
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word


class Moves(Word):
    """Whether changed data in the cloud may move a group; a changed rule always does."""

    FOLLOW = "follow"
    HOLD = "hold"


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one target domain.

    Parameters:
        managed_containers: DNs; nothing outside them is ever written.
        mapper: the attribute mappings, compiled.
        foreign_members: what happens to links that the cloud does not list.
        protected_groups: sAMAccountNames, SIDs or DNs never written, folded.
        protected_members: SIDs or DNs never removed from a group, folded.
        max_members: a group with more members is refused.
        limits: how much one run may change.
        moves: whether changed data may move a group.
        create_containers: create target containers that are missing.
        name_collision: what happens when a name is taken.
        convert_scope: make groups universal that are not.
        trusted_writers: SIDs of those who may write groups beside the domain's own administrators.
        adopt_objects: objectGUIDs that are adopted whoever may write them.
        ignore_objects: objectGUIDs whose anchor is not believed.
        retire: what becomes of groups that left.
    """

    managed_containers: tuple[str, ...]
    mapper: Mapper
    foreign_members: ForeignMembers = ForeignMembers.ACCEPTED
    protected_groups: frozenset[str] = frozenset()
    protected_members: frozenset[str] = frozenset()
    max_members: int = 50_000
    limits: Limits = field(default_factory=Limits)
    moves: Moves = Moves.HOLD
    create_containers: bool = False
    name_collision: NameCollision = NameCollision.FAIL
    convert_scope: bool = False
    trusted_writers: frozenset[str] = frozenset()
    adopt_objects: frozenset[str] = frozenset()
    ignore_objects: frozenset[str] = frozenset()
    retire: RetireRules = field(default_factory=RetireRules)


def _protected_members(values: Sequence[str]) -> frozenset[str]:
    for value in values:
        if not identity.is_sid(value) and not dn.is_dn(value):
            raise ConfigurationError(
                f"protected_members: {value!r} is neither a SID nor a distinguished name.",
                "Write it like S-1-5-21-… or CN=Break Glass,OU=Admins,DC=contoso,DC=com.",
            )
    return frozenset(map(dn.folded, values))


def _sids(option: str, values: Iterable[str]) -> frozenset[str]:
    texts = tuple(values)
    for value in texts:
        if not identity.is_sid(value):
            raise ConfigurationError(
                f"{option}: {value!r} is not a SID.", "Write it like S-1-5-21-1004336348-1177238915-682003330-1104."
            )
    return frozenset(value.upper() for value in texts)


def _guids(option: str, values: Iterable[str]) -> frozenset[str]:
    guids = {value: identity.guid_text(value) for value in values}
    for value, guid in guids.items():
        if guid is None:
            raise ConfigurationError(f"{option}: {value!r} is not an objectGUID.", "Take it from the run's message.")
    return frozenset(guid for guid in guids.values() if guid)


def _retire(rules: RetireRules, managed: tuple[str, ...]) -> RetireRules:
    """Check that groups which are to be moved have a place to go."""
    if rules.grace_days < 0:
        raise ConfigurationError(f"retire: grace_days is {rules.grace_days}.", "Give zero or more days.")
    if not rules.container:
        if Retire.MOVE in rules.by_departure.values():
            raise ConfigurationError("retire: container is missing.", "Say where groups that left are moved to.")
        return rules
    wrong = ownership.container_problem(rules.container, managed)
    if wrong:
        raise ConfigurationError(f"retire: container: {wrong}.", "Name a container inside managed_containers.")
    return rules


def compile_settings(
    containers: Iterable[str],
    target_container: object,
    *,
    container_default: str = "",
    attribute_mappings: Iterable[AttributeMapping] = (),
    foreign_members: ForeignMembers = ForeignMembers.ACCEPTED,
    protected_groups: Iterable[str] = (),
    protected_members: Iterable[str] = (),
    max_members: int = 50_000,
    limits: Limits | None = None,
    moves: Moves = Moves.HOLD,
    create_containers: bool = False,
    name_collision: NameCollision = NameCollision.FAIL,
    convert_scope: bool = False,
    trusted_writers: Iterable[str] = (),
    adopt_objects: Iterable[str] = (),
    ignore_objects: Iterable[str] = (),
    retire: RetireRules | None = None,
) -> Settings:
    """Return the settings from the values of options of the same names.

    Raises:
        ConfigurationError: a value cannot be used; the message names the option.
    """
    container = replace(container_mapping(target_container), default=container_default)
    mappings = (container, *merge_mappings(attribute_mappings))
    managed = managed_containers(containers)
    return Settings(
        managed,
        compile_mappings(mappings),
        foreign_members,
        ownership.protected_names(protected_groups),
        _protected_members(tuple(protected_members)),
        max_members,
        limits or Limits(),
        moves,
        create_containers,
        name_collision,
        convert_scope,
        _sids("trusted_writers", trusted_writers),
        _guids("adopt_objects", adopt_objects),
        _guids("ignore_objects", ignore_objects),
        _retire(retire or RetireRules(), managed),
    )
