# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users who moved between domains: the cloud still names the old SID, the link shows the new one."""

from __future__ import annotations

import pytest

from tests.integration.forest.sides import ForestTarget
from tests.integration.modules import objects
from tests.integration.modules.objects import unique
from tests.lab.policy.admin import PolicyAdmin
from tests.lab.scenario import object_id

BRITTA = "Britta Simon"


def _migrated(origin: ForestTarget, destination: ForestTarget) -> tuple[str, str, str]:
    """Make an account and the one that it becomes; return DN and SID of the first and DN of the second."""
    old = objects.add_user(origin, unique("Mona"))
    new = objects.add_user(destination, unique("Moved"))
    sid = origin.sid(old)
    destination.lab.add_sid_history(destination.domain, new, sid)
    assert objects.read(destination, new)["sIDHistory"]
    return old, sid, new


@pytest.mark.parametrize("into_own", [True, False], ids=["into the group's domain", "within the other domain"])
def test_a_moved_user_keeps_the_link_and_is_not_added_twice(
    corp: ForestTarget, emea: ForestTarget, corp_policy: PolicyAdmin, *, into_own: bool
) -> None:
    destination = corp if into_own else emea
    old, sid, new = _migrated(emea, destination)
    user = objects.synced_user(emea, old)
    cloud_id = corp.admin.create_group(unique("Of the moved"), [user, object_id(BRITTA)])
    corp.provision(cloud_id)
    assert corp.shown(cloud_id) == {old, corp.person(BRITTA)}
    # The move: the account is gone where it was, and the link leads to where it is.
    emea.lab.ldapmodify(emea.domain, f"dn: {old}\nchangetype: delete\n")
    corp_policy.add_alias(sid, shown_as=destination.sid(new))
    assert corp.shown(cloud_id) == {new, corp.person(BRITTA)}
    before = corp.usn()
    corp.snapshot_of(cloud_id)
    plan = corp.apply_plan()
    assert not plan["would_change"]
    assert objects.skipped(plan, cloud_id) == {(user, "not_found_in_directory")}
    assert corp.usn() == before
    # The cloud catches up.
    held = objects.read(destination, new)
    corp.admin.patch_user(user, onPremisesSecurityIdentifier=held["objectSid"][0])
    corp.snapshot_of(cloud_id)
    plan = corp.apply_plan()
    assert not plan["would_change"] and not objects.skipped(plan, cloud_id)
    assert corp.usn() == before
    # Who has left goes, under the new name.
    corp.admin.remove_member(cloud_id, user)
    corp.provision(cloud_id)
    assert corp.shown(cloud_id) == {corp.person(BRITTA)}


def test_a_listed_old_sid_keeps_the_link_of_its_successor_in_the_same_domain(
    corp: ForestTarget, emea: ForestTarget
) -> None:
    """Nobody adds by history: it is a reason to keep only."""
    old, _sid, new = _migrated(corp, corp)
    user = objects.synced_user(corp, old)
    corp.lab.ldapmodify(corp.domain, f"dn: {old}\nchangetype: delete\n")
    cloud_id = corp.admin.create_group(unique("Successor"), [user, object_id(BRITTA)])
    corp.provision(cloud_id)
    assert corp.shown(cloud_id) == {corp.person(BRITTA)}
    corp.link_by_hand(cloud_id, new)
    corp.provision(cloud_id)
    assert corp.shown(cloud_id) == {corp.person(BRITTA), new}
    corp.admin.remove_member(cloud_id, user)
    corp.provision(cloud_id)
    assert corp.shown(cloud_id) == {corp.person(BRITTA)}
