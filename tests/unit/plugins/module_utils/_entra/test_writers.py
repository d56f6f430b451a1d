# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs of Cloud Sync that write cloud groups to Active Directory."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
import requests

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import writers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import OtherWriters
from tests.unit.plugins.module_utils._entra.scripted import BASE, Graph, answer

ROLES = frozenset({"Application.Read.All", "Synchronization.Read.All"})
TEMPLATE = "AAD2ADGroupProvisioning"


def job(
    number: int, status: Any = "Active", schedule: Any = "Active", template: str | None = TEMPLATE
) -> dict[str, Any]:
    """Return a job as Graph shows it."""
    return {
        "id": f"{template or TEMPLATE}.t.{number}",
        **({"templateId": template} if template else {}),
        "status": {"code": status, "quarantine": None},
        "schedule": {"state": schedule, "interval": "PT20M"},
    }


def found(patch: pytest.MonkeyPatch, *jobs: dict[str, Any]) -> OtherWriters:
    """Ask for the writers of a tenant with one configuration that has these jobs, in pages of one."""
    graph = Graph(patch, tenant({"p1": list(jobs)}), ROLES)
    return writers.other_writers(graph.client)


def tenant(principals: dict[str, list[dict[str, Any]]]) -> Any:
    def script(request: requests.PreparedRequest) -> bytes:
        url = unquote(str(request.url)).removeprefix(BASE)
        path, _question, options = url.partition("?")
        if path == "/v1.0/servicePrincipals":
            assert "applicationTemplateId eq 'fb81332f-3eca-4ecf-a939-4278e501d330'" in options
            return answer({"value": [{"id": name, "displayName": f"Config {name}"} for name in principals]})
        name = path.split("/")[3]
        assert path == f"/v1.0/servicePrincipals/{name}/synchronization/jobs"
        start = int(options.removeprefix("$skiptoken=") or 0)
        page: dict[str, Any] = {"value": principals[name][start : start + 1]}
        if start + 1 < len(principals[name]):
            page["@odata.nextLink"] = f"{BASE}{path}?$skiptoken={start + 1}"
        return answer(page)

    return script


def test_a_running_job_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch, job(1)).running == (f"Config p1, job {TEMPLATE}.t.1, Active",)


def test_jobs_of_all_configurations_and_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, tenant({"p2": [job(3)], "p1": [job(1, "Paused"), job(2)], "p3": []}), ROLES)
    running = writers.other_writers(graph.client).running
    assert [text.split(",")[0] + text[-10:] for text in running] == ["Config p1.2, Active", "Config p2.3, Active"]


@pytest.mark.parametrize(
    ("status", "schedule", "runs"),
    [
        ("Active", "Active", True),
        ("Quarantine", "Active", True),
        ("NotRun", "Active", True),
        ("NotRun", "Disabled", False),
        ("Active", "Paused", False),
        ("Active", "disabled", False),
        ("Paused", "Active", False),
        ("NotConfigured", "Active", False),
        # What a later version of the service says is taken as running.
        ("Sleeping", "Sometimes", True),
        (None, None, True),
    ],
)
def test_states(monkeypatch: pytest.MonkeyPatch, status: Any, schedule: Any, *, runs: bool) -> None:
    assert bool(found(monkeypatch, job(1, status, schedule)).running) is runs


@pytest.mark.parametrize(
    ("template", "counts"), [(TEMPLATE, True), (TEMPLATE.upper(), True), (None, True), ("AD2AADProvisioning", False)]
)
def test_templates(monkeypatch: pytest.MonkeyPatch, template: str | None, *, counts: bool) -> None:
    assert bool(found(monkeypatch, job(1, template=template)).running) is counts


def test_a_job_without_status_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert found(monkeypatch, {"id": f"{TEMPLATE}.t.1"}).running == (f"Config p1, job {TEMPLATE}.t.1, unknown",)


@pytest.mark.parametrize(
    ("roles", "lacking"),
    [
        ({"Application.Read.All"}, "the application lacks Synchronization.Read.All"),
        ({"Synchronization.ReadWrite.All"}, "the application lacks Application.Read.All"),
        (set[str](), "the application lacks Application.Read.All and Synchronization.Read.All"),
    ],
)
def test_without_the_permissions_nothing_is_asked(
    monkeypatch: pytest.MonkeyPatch, roles: set[str], lacking: str
) -> None:
    graph = Graph(monkeypatch, tenant({}), frozenset(roles))
    assert writers.other_writers(graph.client) == OtherWriters(unread=lacking)
    assert graph.adapter.asked == []


@pytest.mark.parametrize("refused", ["/servicePrincipals/p2/", "$skiptoken=1", "/servicePrincipals?"])
def test_what_was_read_counts_whatever_fails_after_it(monkeypatch: pytest.MonkeyPatch, refused: str) -> None:
    whole = tenant({"p1": [job(1), job(2)], "p2": [job(3)]})

    def script(request: requests.PreparedRequest) -> Any:
        if refused in unquote(str(request.url)):
            return answer({"error": {"code": "x", "message": "y"}}, 404)
        return whole(request)

    told = writers.other_writers(Graph(monkeypatch, script, ROLES).client)
    assert told.failed and "404" in told.unread
    assert len(told.running) == {"/servicePrincipals/p2/": 2, "$skiptoken=1": 2, "/servicePrincipals?": 0}[refused]
