# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two forests under one tenant, served from one capture: each gets the members that it holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.forest.conftest import Started
from tests.integration.modules import objects
from tests.integration.modules.target import Target
from tests.lab.scenario import object_id

JOINT, BRITTA, CORA = "Joint Project", "Britta Simon", "Cora Cloud"
FABIAN, BEA = "Fabian Reyes", "Bea Simon"


@pytest.fixture
def targets(two_forests: Started, tmp_path: Path) -> tuple[Target, Target]:
    """Both forests: state directories of their own, one snapshot."""
    made = []
    for domain in ("contoso.com", "fabrikam.test"):
        state = tmp_path / domain
        state.mkdir()
        target = Target(*two_forests, state, domain)
        target.snapshot = tmp_path / "snapshot.sqlite3"
        made.append(target)
    contoso, fabrikam = made
    return contoso, fabrikam


def test_each_forest_gets_its_own_members_from_one_capture(targets: tuple[Target, Target]) -> None:
    contoso, fabrikam = targets
    cloud_id = object_id(JOINT)
    contoso.snapshot_of(cloud_id)
    captured = contoso.snapshot.read_bytes()
    own = {contoso.domain: {BRITTA}, fabrikam.domain: {FABIAN, BEA}}
    everybody = {BRITTA, FABIAN, BEA}
    for target in targets:
        plan = target.apply_plan()
        others = {(object_id(name), "other_forest") for name in everybody - own[target.domain]}
        assert objects.skipped(plan, cloud_id) == others | {(object_id(CORA), "cloud_only_user")}
        assert target.members(cloud_id) == {target.person(name) for name in own[target.domain]}
    # Two objects of one cloud group, each with an identity of its forest.
    sids = {target.entry(cloud_id)["objectSid"][0] for target in targets}
    assert len(sids) == 2
    assert contoso.snapshot.read_bytes() == captured
    for target in targets:
        before = target.usn()
        assert not target.apply_plan()["would_change"]
        assert target.usn() == before


def test_who_leaves_one_forest_leaves_it_alone(targets: tuple[Target, Target]) -> None:
    contoso, fabrikam = targets
    members = [object_id(name) for name in (BRITTA, FABIAN, BEA)]
    cloud_id = contoso.admin.create_group(objects.unique("Leaving"), members)
    contoso.snapshot_of(cloud_id)
    for target in targets:
        target.apply_plan()
    contoso.admin.remove_member(cloud_id, object_id(BEA))
    contoso.snapshot_of(cloud_id)
    before = contoso.usn()
    for target in targets:
        target.apply_plan()
    assert contoso.usn() == before
    assert fabrikam.members(cloud_id) == {fabrikam.person(FABIAN)}


def test_a_plan_of_one_forest_is_not_applied_to_the_other(targets: tuple[Target, Target]) -> None:
    contoso, fabrikam = targets
    cloud_id = contoso.admin.create_group(objects.unique("Astray"), [object_id(BRITTA)])
    contoso.snapshot_of(cloud_id)
    assert contoso.plan()["outcome"] == "ok"
    before = fabrikam.usn()
    result = fabrikam.group(plan=str(contoso.plan_path))
    assert result["failed"] and not result["changed"]
    assert fabrikam.usn() == before and fabrikam.entries(cloud_id) == []
