# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON batching."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.lab.entra.admin import EntraAdmin

from .tenant import EVENTUAL, Emulator, code_and_message, oid


def _get(item_id: str, url: str, **rest: Any) -> dict[str, Any]:
    return {"id": item_id, "method": "GET", "url": url, **rest}


def _by_id(answer: Any) -> dict[str, dict[str, Any]]:
    return {item["id"]: item for item in answer.json()["responses"]}


def test_items_answer_each_for_itself_in_any_order(emulator: Emulator, admin: EntraAdmin) -> None:
    admin.shuffle_seed(1)
    items = [_get(str(number), f"/users/{oid(f'u{number}')}?$select=displayName") for number in range(20)]
    answer = emulator.batch(*items)
    assert [item["id"] for item in answer.json()["responses"]] != [item["id"] for item in items]
    assert {number: item["body"]["displayName"] for number, item in _by_id(answer).items()} == {
        str(number): f"u{number}" for number in range(20)
    }


def test_statuses_headers_and_bodies_of_items(emulator: Emulator) -> None:
    answer = emulator.batch(
        _get("list", f"groups/{oid('large')}/members?$select=id&$top=10&$count=true", headers=EVENTUAL),
        _get("missing", f"/groups/{oid('nobody')}"),
        _get("count", "/groups/$count", headers=EVENTUAL),
        {
            "id": "add",
            "method": "POST",
            "url": f"/groups/{oid('empty')}/members/$ref",
            "headers": {"Content-Type": "application/json"},
            "body": {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{oid('u0')}"},
        },
    )
    found = _by_id(answer)
    assert {name: item["status"] for name, item in found.items()} == {
        "list": 200,
        "missing": 404,
        "count": 200,
        "add": 204,
    }
    assert found["list"]["body"]["@odata.count"] == 30
    assert found["list"]["headers"]["x-ms-resource-unit"] == "1"
    following = emulator.get(found["list"]["body"]["@odata.nextLink"], headers=EVENTUAL)
    assert len(following.json()["value"]) == 10
    assert base64.b64decode(found["count"]["body"]) == b"11"
    assert emulator.admin.members(oid("empty")) == [oid("u0")]


def test_a_failed_item_fails_those_that_depend_on_it(emulator: Emulator) -> None:
    answer = emulator.batch(
        _get("1", f"/groups/{oid('nobody')}"),
        _get("2", "/groups", dependsOn=["1"]),
        _get("3", "/groups", dependsOn=["2"]),
    )
    assert {name: item["status"] for name, item in _by_id(answer).items()} == {"1": 404, "2": 424, "3": 424}


@pytest.mark.parametrize(
    "items",
    [
        [],
        [_get(str(number), "/groups") for number in range(21)],
        [_get("a", "/groups"), _get("A", "/groups")],
        [{"method": "GET", "url": "/groups"}],
        [{"id": 1, "method": "GET", "url": "/groups"}],
        [_get("1", "https://graph.microsoft.com/v1.0/groups")],
        [{"id": "1", "method": "POST", "url": "/$batch", "headers": {"Content-Type": "application/json"}, "body": {}}],
        [{"id": "1", "method": "PATCH", "url": f"/groups/{oid('sales')}", "body": {"description": "x"}}],
        [{"id": "1", "method": "POST", "url": f"/directory/deletedItems/{oid('sales')}/restore"}],
        [_get("1", "/groups"), _get("2", "/groups", dependsOn=["3"])],
        [_get("1", "/groups", dependsOn=["2"]), _get("2", "/groups", dependsOn=["1"])],
        [_get("1", "/groups"), _get("2", "/groups"), _get("3", "/groups", dependsOn=["1", "2"])],
        [_get("1", "/groups", surprise=1)],
    ],
)
def test_a_malformed_batch_is_refused_as_a_whole(emulator: Emulator, items: list[dict[str, Any]]) -> None:
    assert code_and_message(emulator.batch(*items))[:2] == (400, "Request_BadRequest")


def test_a_common_parent_and_a_chain_out_of_order_are_allowed(emulator: Emulator) -> None:
    common = [_get("1", "/groups"), _get("2", "/groups", dependsOn=["1"]), _get("3", "/groups", dependsOn=["1"])]
    chain = [_get("3", "/groups", dependsOn=["2"]), _get("2", "/groups", dependsOn=["1"]), _get("1", "/groups")]
    for items in (common, chain):
        assert {item["status"] for item in _by_id(emulator.batch(*items)).values()} == {200}


def test_an_item_needs_its_own_permission_and_units(emulator: Emulator, admin: EntraAdmin) -> None:
    items = [_get("1", "/users"), _get("2", "/groups")]
    answer = emulator.call("POST", "/$batch", application="members", json={"requests": items})
    assert {name: item["status"] for name, item in _by_id(answer).items()} == {"1": 403, "2": 200}
    admin.knobs(read_units=6, read_seconds=600)
    members = [_get(str(number), f"/groups/{oid('sales')}/members?$select=id") for number in range(5)]
    found = _by_id(emulator.batch(*members))
    assert sorted(item["status"] for item in found.values()) == [200, 200, 200, 429, 429]
    assert all(int(item["headers"]["Retry-After"]) > 0 for item in found.values() if item["status"] == 429)


def test_faults_strike_single_items(emulator: Emulator, admin: EntraAdmin) -> None:
    admin.fault("status", path=oid("sales"), status=503, headers={"Retry-After": "1"})
    found = _by_id(emulator.batch(_get("1", f"/groups/{oid('sales')}"), _get("2", f"/groups/{oid('field')}")))
    assert {name: item["status"] for name, item in found.items()} == {"1": 503, "2": 200}
    assert found["1"]["headers"]["Retry-After"] == "1"


def test_items_are_recorded_as_children_of_their_batch(emulator: Emulator, admin: EntraAdmin) -> None:
    emulator.batch(_get("1", "/groups?$top=1"), _get("2", "/nonsense"))
    record = admin.requests()
    parent = next(entry for entry in record if entry["path"] == "/v1.0/$batch")
    children = [entry for entry in record if entry["batch"] == parent["id"]]
    assert [(entry["path"], entry["status"], entry["implemented"]) for entry in children] == [
        ("/v1.0/groups?$top=1", 200, True),
        ("/v1.0/nonsense", 400, False),
    ]
