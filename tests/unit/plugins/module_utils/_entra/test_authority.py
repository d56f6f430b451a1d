# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding groups by id and name, changing their master, and what the audit log says."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import authority
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.authority import Master
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import EntraError
from tests.unit.plugins.module_utils._entra.scripted import BASE, Graph, answer, batched, in_turn
from tests.unit.samples import cloud_id

GONE = {"status": 404, "body": {"error": {"code": "Request_ResourceNotFound", "message": "no"}}}
SELECT = ("displayName",)


def group(number: int, name: str) -> dict[str, Any]:
    return {"id": cloud_id(number), "displayName": name}


def tenant(item: dict[str, Any]) -> dict[str, Any]:
    """Answer for group 1, the twins 2 and 3 of one name, and the deleted group 4."""
    url = unquote(item["url"])
    if "onPremisesSyncBehavior" in url:
        if cloud_id(5) in url:
            return {"status": 503, "body": {}}
        return {"status": 200, "body": {"id": "x", "isCloudManaged": True}}
    if "displayName eq" in url:
        hits = [group(2, "Twin"), group(3, "Twin")] if "'Twin'" in url else []
        hits = [group(1, "O'Neill"), group(6, "o'neill")] if "'O''Neill'" in url else hits
        return {"status": 200, "body": {"value": hits}}
    if "deletedItems" in url and cloud_id(4) in url:
        body = {**group(4, "Gone"), "@odata.type": "#microsoft.graph.group", "deletedDateTime": "2026-01-01T00:00:00Z"}
        return {"status": 200, "body": body}
    for number in (1, 5):
        if url.startswith(f"/groups/{cloud_id(number)}?"):
            return {"status": 200, "body": group(number, f"Group {number}")}
    return GONE


def test_groups_are_found_by_id_and_by_a_name_that_only_they_have(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, batched(tenant))
    wanted = [cloud_id(1).upper(), "O'Neill", "Twin", "Nobody", cloud_id(4), cloud_id(9)]
    found = authority.find(graph.client, wanted, SELECT)
    assert [(one.id, one.is_cloud_managed) for one in found.groups] == [(cloud_id(1), True)]
    assert found.ambiguous == {"Twin": [cloud_id(2), cloud_id(3)]}
    assert found.missing == {
        "Nobody": "fits no group",
        cloud_id(4): "is among the deleted groups",
        cloud_id(9): "fits no group",
    }
    assert found.problem is None


def test_a_state_that_cannot_be_read_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    found = authority.find(Graph(monkeypatch, batched(tenant)).client, [cloud_id(5)], SELECT)
    assert [one.is_cloud_managed for one in found.groups] == [None]
    assert found.problem is not None and found.problem.code == "entra_503"


def test_names_that_cannot_be_looked_up_end_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, batched(lambda _item: {"status": 403, "body": {}}))
    with pytest.raises(EntraError) as caught:
        authority.find(graph.client, ["Sales"], SELECT)
    assert caught.value.code == "permission_missing"


@pytest.mark.parametrize(("wanted", "managed"), [(Master.CLOUD, True), (Master.ON_PREMISES, False)])
def test_the_service_is_told_who_is_the_master(monkeypatch: pytest.MonkeyPatch, wanted: Master, managed: bool) -> None:
    graph = Graph(monkeypatch, lambda _request: answer(b"", 204))
    authority.move(graph.client, cloud_id(1), wanted)
    (request,) = graph.adapter.asked
    assert (request.method, graph.adapter.urls) == ("PATCH", [f"/v1.0/groups/{cloud_id(1)}/onPremisesSyncBehavior"])
    assert json.loads(request.body or b"") == {"isCloudManaged": managed}


def test_the_audit_log_is_read_to_its_end_for_both_activities(monkeypatch: pytest.MonkeyPatch) -> None:
    def row(number: int, at: str, target: object) -> dict[str, Any]:
        return {"id": str(number), "activityDateTime": at, "targetResources": target, "activityDisplayName": "x"}

    mine, other = [{"id": cloud_id(1).upper(), "displayName": "One"}], [{"id": cloud_id(2)}]
    onward = f"{BASE}/v1.0/auditLogs/directoryAudits?$skiptoken=2"
    script = in_turn(
        answer({"value": [row(1, "2026-01-01T00:00:00Z", mine)], "@odata.nextLink": onward}),
        answer({"value": [row(2, "2026-01-02T00:00:00Z", other), row(3, "2026-01-03T00:00:00Z", None)]}),
        answer({"value": [row(4, "2026-01-04T00:00:00Z", mine)]}),
    )
    graph = Graph(monkeypatch, script)
    found = authority.audit_entries(graph.client, {cloud_id(1)})
    assert [(one["id"], one["at"][:10]) for one in found] == [(cloud_id(1), "2026-01-04"), (cloud_id(1), "2026-01-01")]
    first = unquote(graph.adapter.urls[0])
    assert first.endswith("$filter=startswith(activityDisplayName,'Change Source of Authority from AD')")
    assert "Undo changes" in unquote(graph.adapter.urls[2])
