# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups whose source of authority is to change, with as little to say as each test needs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.authority import Candidate
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.directory_facts import (
    GroupFacts,
    MemberFact,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    CompleteReading,
    Principal,
)
from tests.unit.samples import MANAGED, cloud_group, group_member, guid, sid


def facts(number: int, members: Iterable[str | None] = (), **more: Any) -> GroupFacts:
    """Return what the directory says of a universal group."""
    held = tuple(MemberFact(one, f"CN={one},{MANAGED}") for one in members)
    usual = GroupFacts(sid(2000 + number), guid(number), f"CN=Group {number},{MANAGED}", f"Group {number}", "universal")
    return replace(usual, members=held, **more)


def synced(number: int, **properties: Any) -> CloudGroup:
    """Return a group that is mastered on premises."""
    held = {"onPremisesSyncEnabled": True, "onPremisesSecurityIdentifier": sid(2000 + number), **properties}
    return cloud_group(number, managed=False, **held)


def converted(number: int, **properties: Any) -> CloudGroup:
    """Return a group that is mastered in the cloud now."""
    return cloud_group(number, managed=True, onPremisesSecurityIdentifier=sid(2000 + number), **properties)


def inner(number: int, *, is_synced: bool | None = True) -> Principal:
    """Return a group as a member of another."""
    member = group_member(number, synced=is_synced)
    return replace(member, on_premises_security_identifier=sid(2000 + number))


def candidate(group: CloudGroup, *members: Principal, known: GroupFacts | None = None, **more: Any) -> Candidate:
    """Return a group with members on which both sides agree, unless other facts are given."""
    number = int(group.id[-4:], 16)
    held = known or facts(number, [member.on_premises_security_identifier for member in members], **more)
    return Candidate(group, CompleteReading(members), held)
