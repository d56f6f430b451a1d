# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of whole plans share."""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.cycle import build_plan
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CompleteReading,
    DirectoryGroup,
    Principal,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    GroupChange,
    MemberChange,
    Notice,
    PlanItem,
    Problem,
    Skip,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.run_facts import RunFacts
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Settings
from tests.unit import samples
from tests.unit.fakes import FakeCloud, FakeDirectory, FakeJournal
from tests.unit.samples import (
    MANAGED,
    cloud_id,
    guid,
    sid,
)

_Listed = tuple[Principal, ...]


def whole(*members: Principal) -> CompleteReading[_Listed]:
    """Return a complete reading."""
    return CompleteReading(members)


def plan(
    cloud: FakeCloud,
    directory: FakeDirectory,
    journal: FakeJournal | None = None,
    *,
    settings: Settings | None = None,
    tally: Tally | None = None,
    run: RunFacts | None = None,
) -> list[PlanItem]:
    """Plan with the sample settings, knowing nothing, unless something else is given."""
    known = (journal or FakeJournal()).known()
    run = run or RunFacts()
    tally = tally or Tally()
    return list(tally.counted(build_plan(settings or samples.settings(), cloud, directory, known, tally, run)))


def codes(items: Iterable[PlanItem]) -> list[str]:
    """Return the codes of skips, problems and notices."""
    return [item.code for item in items if isinstance(item, (Skip, Problem, Notice))]


def actions(items: Iterable[PlanItem]) -> list[str]:
    """Return the actions of the changes."""
    return [item.action.value for item in items if isinstance(item, (GroupChange, MemberChange))]


def member_change(items: Iterable[PlanItem], number: int = 1) -> MemberChange | None:
    """Return the change of the links of the group with this number."""
    found = [item for item in items if isinstance(item, MemberChange) and item.id == cloud_id(number)]
    assert len(found) <= 1
    return found[0] if found else None


def settled(number: int = 1) -> DirectoryGroup:
    """Return the group of the directory exactly as the default mappings want it."""
    anchor = identity.anchor_of(cloud_id(number))
    return DirectoryGroup(
        guid(number),
        sid(2000 + number),
        f"CN=Group {number}_{number:012x},{MANAGED}",
        {
            "groupType": ("-2147483640",),
            "displayName": (f"Group {number}",),
            "adminDescription": (anchor,),
            "msDS-ExternalDirectoryObjectId": (anchor,),
        },
    )
