# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the administrator decided about the directory side."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Limits
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.mapping import (
    DEFAULT_MAPPINGS,
    Mapper,
    compile_mappings,
    container_mapping,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.membership import ForeignMembers


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one target domain.

    Parameters:
        managed_containers: DNs; nothing outside them is ever written.
        mapper: the attribute mappings, compiled.
        foreign_members: what happens to links that the cloud does not list.
        protected_groups: sAMAccountNames, SIDs or DNs never written, in lower case.
        protected_members: SIDs or DNs never removed from a group, in lower case.
        max_members: a group with more members is refused.
        limits: how much one run may change.
    """

    managed_containers: tuple[str, ...]
    mapper: Mapper
    foreign_members: ForeignMembers = ForeignMembers.ACCEPTED
    protected_groups: frozenset[str] = frozenset()
    protected_members: frozenset[str] = frozenset()
    max_members: int = 50_000
    limits: Limits = field(default_factory=Limits)


def managed_containers(values: Iterable[str]) -> tuple[str, ...]:
    """Return the managed containers, checked.

    Raises:
        ConfigurationError: there is none, or one is no DN, or one is a whole naming context.
    """
    containers = tuple(values)
    if not containers:
        raise ConfigurationError("managed_containers is empty.", "Name the OUs whose groups this run may write.")
    for value in containers:
        try:
            parsed = dn.parse(value)
        except ValueError as error:
            raise ConfigurationError(
                f"managed_containers: {value!r} is not a distinguished name ({error}).",
                "Write it like OU=Groups,DC=contoso,DC=com.",
            ) from None
        if all(rdn.type == "DC" for rdn in parsed):
            raise ConfigurationError(
                f"managed_containers: {value!r} is a whole domain.", "Name OUs or containers inside it."
            )
    return containers


def compile_settings(
    containers: Iterable[str],
    target_container: object,
    *,
    foreign_members: ForeignMembers = ForeignMembers.ACCEPTED,
    protected_groups: Iterable[str] = (),
    protected_members: Iterable[str] = (),
    max_members: int = 50_000,
    limits: Limits | None = None,
) -> Settings:
    """Return the settings from the values of options of the same names.

    Raises:
        ConfigurationError: a value cannot be used; the message names the option.
    """
    mappings = (container_mapping(target_container), *DEFAULT_MAPPINGS)
    return Settings(
        managed_containers(containers),
        compile_mappings(mappings),
        foreign_members,
        frozenset(value.lower() for value in protected_groups),
        frozenset(value.lower() for value in protected_members),
        max_members,
        limits or Limits(),
    )
