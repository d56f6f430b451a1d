# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""gpad_info from its options to its result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import applying, inspecting, planning
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from tests.unit.plugins.module_utils._module.running import run
from tests.unit.plugins.module_utils._module.world import World
from tests.unit.samples import MANAGED, OUTSIDE, TENANT, anchored_group, cloud_id, guid, sid

Info = Callable[..., dict[str, Any]]


@pytest.fixture
def info(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Info:
    """Gather subsets with these files."""

    def running(gather: list[str] | None, *stores: str, **more: Any) -> dict[str, Any]:
        options = world.options(*stores, **more)
        given = {"gather": gather} if gather is not None else {}
        return run(monkeypatch, capsys, inspecting.run, {**options, **given})

    return running


def test_managed_groups_and_anchors_elsewhere(world: World, info: Info) -> None:
    world.directory.add_group(anchored_group(10))
    world.directory.add_group(anchored_group(11))
    world.directory.add_group(anchored_group(12, container=OUTSIDE))
    journal = JournalFile(world.folder / "journal", writable=True)
    journal.remember(cloud_id(10), guid(10), accepted=True)
    journal.close()
    result = info(None, "journal")
    assert (result["_rc"], result["changed"], result["outcome"]) == (0, False, "ok")
    assert [(entry["id"], entry["known"]) for entry in result["info"]["groups"]] == [
        (cloud_id(10), True),
        (cloud_id(11), False),
    ]
    assert result["info"]["groups"][0]["object_guid"] == guid(10)
    assert [entry["dn"] for entry in result["info"]["anchors_elsewhere"]] == [f"CN=Group 12,{OUTSIDE}"]
    assert result["info"]["runs"] == []
    assert "orphans" not in result["info"]


def test_orphans(world: World, info: Info) -> None:
    world.capture()
    world.directory.add_group(anchored_group(10))
    world.directory.add_group(anchored_group(11))
    result = info(["orphans"], "snapshot")
    assert [entry["id"] for entry in result["info"]["orphans"]] == [cloud_id(11)]


def test_the_snapshot_needs_no_directory(world: World, info: Info) -> None:
    world.capture()
    world.reached = False
    found = info(["snapshot"], "snapshot")["info"]["snapshot"]
    assert (found["tenant_id"], found["in_scope"], found["memberships"]) == (TENANT, 1, 2)


def test_drift_is_what_a_run_would_do(world: World, info: Info) -> None:
    world.capture()
    result = info(["drift"], "snapshot", "journal")
    assert [change["action"] for change in result["changes"]] == ["create", "members"]
    assert result["changed"] is False
    assert world.directory.writes == []
    assert sorted(path.name for path in world.folder.iterdir()) == ["snapshot"]


def test_runs_and_failing_objects(
    world: World, info: Info, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.capture()
    world.directory.refused = {guid(1)}
    run(monkeypatch, capsys, planning.run, world.options("snapshot", "journal", "plan"))
    for module in (applying.run_groups, applying.run_members):
        run(monkeypatch, capsys, module, world.options("journal", "plan"))
    world.reached = False
    found = info(["runs", "failing"], "journal")["info"]
    assert [entry["module"] for entry in found["runs"]] == ["gpad_membership", "gpad_group"]
    assert [(entry["id"], entry["action"]) for entry in found["failing"]] == [(cloud_id(10), "members")]
    assert len(info(["runs"], "journal", max_results=1)["info"]["runs"]) == 1
    held = JournalFile(world.folder / "journal", writable=True)
    with held.locked():
        assert info(["runs"], "journal")["info"]["locked"]
    held.close()
    assert not info(["runs"], "journal")["info"]["locked"]


def test_the_log_is_shown_as_graph_shows_its_own(
    world: World, info: Info, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.capture()
    world.directory.refused = {guid(1)}
    run(monkeypatch, capsys, planning.run, world.options("snapshot", "journal", "plan"))
    for module in (applying.run_groups, applying.run_members):
        run(monkeypatch, capsys, module, world.options("journal", "plan"))
    world.reached = False
    members, group = info(["log"], "journal")["info"]["log"]
    assert (group["provisioningAction"], members["provisioningAction"]) == ("create", "update")
    assert members["provisioningStatusInfo"]["status"] == "warning"
    assert (members["tenantId"], members["sourceIdentity"]["id"]) == (TENANT, cloud_id(10))
    chosen = info(["log"], "journal", log={"status": "partial", "since": "2026-01-01", "id": cloud_id(10).upper()})
    assert chosen["info"]["log"] == [members]
    assert info(["log"], "journal", log={"until": "2026-01-01T00:00:00+02:00"})["info"]["log"] == []


@pytest.mark.parametrize("name", ["since", "until"])
def test_a_time_that_is_none_is_told(info: Info, name: str) -> None:
    told = info(["log"], "journal", log={name: "yesterday"})
    assert told["errors"][0]["code"] == "configuration_invalid"
    assert f"log: {name} is 'yesterday'" in told["msg"]


@pytest.mark.parametrize(
    ("gather", "stores", "missing"),
    [
        (["snapshot"], (), "snapshot"),
        (["runs"], (), "journal"),
        (["orphans"], ("journal",), "snapshot"),
        (["drift"], ("snapshot",), "journal"),
    ],
)
def test_what_a_subset_needs_is_named(
    world: World, info: Info, gather: list[str], stores: tuple[str, ...], missing: str
) -> None:
    world.capture()
    result = info(gather, *stores)
    assert result["errors"][0]["code"] == "configuration_invalid"
    assert f"gather: {gather[0]} needs {missing}" in result["msg"]


def test_a_subset_of_the_directory_needs_the_connection(world: World, info: Info) -> None:
    world.capture()
    result = info(["orphans"], "snapshot", domain_server=None)
    assert "gather: orphans needs domain_server" in result["msg"]


def test_what_waits_is_shown_as_drift_where_that_is_asked(
    world: World, info: Info, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    world.directory.refused = {guid(2)}
    world.capture()
    for runner in (applying.run_groups, applying.run_members):
        run(monkeypatch, capsys, runner, world.options("snapshot", "journal"))
    waiting, now = info(["drift"], "snapshot", "journal"), info(["drift"], "snapshot", "journal", retry_now=True)
    assert ([error["code"] for error in waiting["errors"]], waiting["changes"]) == (["waiting_for_retry"], [])
    assert (now["errors"], len(now["changes"])) == ([], 1)


def test_a_schedule_that_cannot_be_is_refused(info: Info) -> None:
    assert "retry_hours" in info(["runs"], "journal", retry_hours=[])["msg"]


def test_facts_for_a_change_of_authority(world: World, info: Info) -> None:
    world.directory.add_group(anchored_group(10, adminDescription=("mine",)), [guid(1)])
    wanted = [sid(2010), f"cn=Group 10, {MANAGED}", sid(2011)]
    result = info(["soa"], soa_groups=wanted)
    (found,) = result["info"]["soa"]
    assert (found["sid"], found["scope"], found["admin_description"]) == (sid(2010), "universal", "mine")
    assert [member["sid"] for member in found["members"]] == [sid(5001)]
    assert result["info"]["soa_missing"] == [sid(2011)]
    assert info(["soa"], soa_groups=["Group 10"])["errors"][0]["code"] == "configuration_invalid"
