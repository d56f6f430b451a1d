# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A job of Microsoft's own that writes cloud groups to Active Directory, too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.integration.modules.objects import unique
from tests.integration.modules.target import Target
from tests.lab.scenario import object_id

TEMPLATE = "fb81332f-3eca-4ecf-a939-4278e501d330"


class Jobs:
    """Configurations of Cloud Sync with one job each."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._made: list[str] = []

    def __call__(
        self,
        status: str = "Active",
        schedule: str = "Active",
        *,
        job: str = "AAD2ADGroupProvisioning",
        template: str = TEMPLATE,
    ) -> str:
        """Make one and return its name."""
        name = unique("Cloud Sync")
        held = {"id": f"{job}.{name}", "templateId": job, "schedule": {"state": schedule}, "status": {"code": status}}
        properties = {"displayName": name, "applicationTemplateId": template, "synchronizationJobs": [held]}
        self._made.append(self._target.admin.create("servicePrincipal", properties))
        return name

    def stop(self) -> None:
        """Take all of them away."""
        while self._made:
            self._target.admin.purge(self._made.pop())


@pytest.fixture
def cloud_id(target: Target) -> str:
    return target.admin.create_group(unique("Written twice"), [object_id("Britta Simon")])


@pytest.fixture
def jobs(target: Target) -> Iterator[Jobs]:
    """They are taken away afterwards."""
    made = Jobs(target)
    yield made
    made.stop()


def codes(result: dict[str, Any]) -> list[str]:
    return [notice["code"] for notice in result["notices"]]


@pytest.mark.parametrize("status", ["Active", "Quarantine", "NotRun"])
def test_nothing_is_written_beside_a_running_job(target: Target, cloud_id: str, jobs: Jobs, status: str) -> None:
    name = jobs(status)
    captured = target.scope(cloud_id)
    assert (captured["outcome"], codes(captured)) == ("ok", ["other_writer"])
    assert f"{name}, job AAD2ADGroupProvisioning.{name}, {status}" in captured["notices"][0]["reason"]
    plan = target.plan()
    assert plan["outcome"] == "ok" and "other_writer" in codes(plan)
    assert plan["would_change"]
    stores: tuple[dict[str, Any], ...] = ({}, {"snapshot": str(target.snapshot)})
    for options in stores:
        for module in (target.group, target.membership):
            checked = module(check=True, **options)
            assert checked["outcome"] == "ok" and "other_writer" in codes(checked)
            refused = module(**options)
            assert (refused["outcome"], refused["changed"], refused["fatal"]) == ("blocked", False, True)
            assert refused["errors"][0]["code"] == "other_writer" and name in refused["msg"]
    assert target.group(approve=plan["checksum"])["errors"][0]["code"] == "other_writer"
    assert target.entries(cloud_id) == []
    assert name in target.info("snapshot")["info"]["snapshot"]["other_writers"][0]


@pytest.mark.parametrize(
    "idle",
    [
        {"status": "Paused"},
        {"status": "NotConfigured"},
        {"schedule": "Disabled"},
        {"schedule": "Paused", "status": "NotRun"},
        {"job": "AD2AADProvisioning"},
        {"template": "1a4721b3-e57f-4451-ae87-ef078703ec94", "job": "AD2AADPasswordHash"},
    ],
)
def test_a_job_that_does_not_write_groups_is_no_matter(
    target: Target, cloud_id: str, jobs: Jobs, idle: dict[str, str]
) -> None:
    jobs(**idle)
    assert codes(target.scope(cloud_id)) == []


def test_an_administrator_vouches_for_the_scopes(target: Target, cloud_id: str, jobs: Jobs) -> None:
    name = jobs()
    captured = target.scope(cloud_id, other_writers="disjoint")
    assert (captured["outcome"], codes(captured)) == ("ok", ["other_writer_disjoint"])
    assert name in captured["notices"][0]["reason"]
    target.apply_plan()
    assert target.members(cloud_id) == {target.person("Britta Simon")}


def test_once_the_job_is_stopped_the_next_capture_is_applied(target: Target, cloud_id: str, jobs: Jobs) -> None:
    jobs("Active")
    target.scope(cloud_id)
    target.plan()
    assert target.group()["outcome"] == "blocked"
    jobs.stop()
    target.provision(cloud_id)
    assert target.members(cloud_id) == {target.person("Britta Simon")}
