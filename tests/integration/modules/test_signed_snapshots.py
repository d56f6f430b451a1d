# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A snapshot that travels to another host is signed, and refused when it is not what was captured."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.integration.modules.objects import unique
from tests.integration.modules.target import Target
from tests.lab.scenario import object_id

KEY: dict[str, Any] = {"snapshot_key": "one key that only the two hosts have"}
OTHER: dict[str, Any] = {"snapshot_key": "another key, of which nobody has heard"}


def code(result: dict[str, Any]) -> str:
    assert result["fatal"] and not result["changed"], result
    (error,) = result["errors"]
    return str(error["code"])


@pytest.fixture
def cloud_id(target: Target) -> str:
    """A group that is captured and signed."""
    made = target.admin.create_group(unique("Signed"), [object_id("Britta Simon")])
    assert target.scope(made, **KEY)["outcome"] == "ok"
    return made


def side_file(target: Target) -> Path:
    return target.snapshot.with_name(f"{target.snapshot.name}.sig")


def test_a_signed_snapshot_is_provisioned_on_another_host(target: Target, cloud_id: str, tmp_path: Path) -> None:
    here = tmp_path / "there"
    here.mkdir()
    for path in (target.snapshot, side_file(target)):
        shutil.move(path, here)
    target.snapshot = here / target.snapshot.name
    target.apply_plan(**KEY)
    assert target.members(cloud_id) == {target.person("Britta Simon")}
    assert KEY["snapshot_key"] not in target.plan_path.read_text()
    assert target.info("snapshot", **KEY)["info"]["snapshot"]["in_scope"] == 1


def test_whoever_adds_a_member_on_the_way_is_refused(target: Target, cloud_id: str) -> None:
    with closing(sqlite3.connect(target.snapshot)) as snapshot:
        changed = snapshot.execute("UPDATE groups SET name = 'Other' WHERE id = ?", (cloud_id,))
        assert changed.rowcount == 1
        snapshot.commit()
    given: dict[str, Any] = {"snapshot": str(target.snapshot), **KEY}
    results = (target.plan(**KEY), target.group(**given), target.membership(**given), target.info("snapshot", **KEY))
    assert [code(result) for result in results] == ["snapshot_forged"] * 4
    assert target.entries(cloud_id) == []


def test_a_snapshot_without_signature_or_with_another_key(target: Target, cloud_id: str) -> None:
    assert code(target.plan(**OTHER)) == "snapshot_forged"
    side_file(target).unlink()
    assert code(target.plan(**KEY)) == "snapshot_unsigned"
    assert target.plan()["outcome"] == "ok", "nobody has asked for a signature yet"
    assert "32" in target.plan(snapshot_key="?" * 31)["msg"]


def test_from_the_first_signed_run_on_the_key_is_required(target: Target, cloud_id: str) -> None:
    plan = target.plan(**KEY)
    assert plan["outcome"] == "ok"
    target.plan_path.rename(target.plan_path.with_name("signed"))
    assert target.plan()["outcome"] == "ok"
    unsigned = target.plan_path.with_name("unsigned")
    target.plan_path.rename(unsigned)
    target.plan_path = target.plan_path.with_name("signed")
    assert target.group()["outcome"] == "ok"
    assert code(target.membership(plan=str(unsigned))) == "snapshot_key_changed"
    assert target.membership()["outcome"] == "ok"
    assert code(target.plan()) == "snapshot_key_changed"
    assert target.scope(cloud_id, **OTHER)["outcome"] == "ok"
    assert code(target.plan(**OTHER)) == "snapshot_key_changed"
    given: dict[str, Any] = {"snapshot": str(target.snapshot)}
    assert code(target.group(**given)) == "snapshot_key_changed"
    # The way back from a run needs no snapshot.
    assert target.undo(plan["plan_id"])["outcome"] == "ok"
    assert target.group()["outcome"] == "ok"
    released = target.keep(released=["snapshot_key"])
    assert (released["changed"], released["released"]) == (True, ["snapshot_key"])
    assert not target.keep(released=["snapshot_key"])["changed"]
    assert target.scope(cloud_id, **OTHER)["outcome"] == "ok"
    target.apply_plan(**OTHER)
    assert target.scope(cloud_id, **KEY)["outcome"] == "ok"
    assert code(target.plan(**KEY)) == "snapshot_key_changed"


def test_a_snapshot_of_before_that_nobody_signed_says_nothing(target: Target, cloud_id: str) -> None:
    """What was absent before is evidence for a deletion; whoever could write it there could have a group deleted."""
    assert target.scope(cloud_id, **OTHER)["notices"][0]["code"] == "snapshot_forged"
    assert target.scope(cloud_id, **OTHER)["notices"] == []
