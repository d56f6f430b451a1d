# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading groups, members and authority: whole, or marked as not whole."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import capture
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import (
    GroupQuery,
    MemberQuery,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import EntraError
from tests.unit.plugins.module_utils._entra.scripted import BASE, Graph, answer, batched, in_turn, listing, principal
from tests.unit.samples import cloud_id

SIDS = MemberQuery()
QUERY = GroupQuery(frozenset({"displayName", "groupTypes", "securityEnabled"}))


def test_groups_are_read_with_their_properties(monkeypatch: pytest.MonkeyPatch) -> None:
    first = {"id": cloud_id(1).upper(), "displayName": "Sales", "groupTypes": [], "securityEnabled": True, "extra": 1}
    graph = Graph(
        monkeypatch,
        in_turn(
            answer({"value": [first, {"id": cloud_id(2)}], "@odata.nextLink": f"{BASE}/v1.0/groups?$skiptoken=1"}),
            answer({"value": [{"id": cloud_id(2)}]}),
        ),
    )
    found = list(capture.groups(graph.client, QUERY))
    assert [group.id for group in found] == [cloud_id(1), cloud_id(2)]
    assert found[0].properties["displayName"] == "Sales"
    assert "extra" not in found[0].properties
    assert set(found[1].properties) == QUERY.select
    assert "$top=999" in graph.adapter.urls[0]


@pytest.mark.parametrize("value", [None, {}, ["x"], [{"id": 7}], [{}]])
def test_a_page_of_another_shape_fails_the_list(monkeypatch: pytest.MonkeyPatch, value: object) -> None:
    graph = Graph(monkeypatch, lambda _request: answer({"value": value}))
    with pytest.raises(EntraError) as caught:
        list(capture.groups(graph.client, QUERY))
    assert caught.value.code == "entra_answer_broken"


def test_authority(monkeypatch: pytest.MonkeyPatch) -> None:
    def give(item: dict[str, Any]) -> dict[str, Any]:
        assert item["url"].endswith("/onPremisesSyncBehavior?$select=isCloudManaged")
        return {"status": 200, "body": {"isCloudManaged": cloud_id(1) in item["url"]}}

    graph = Graph(monkeypatch, batched(give))
    assert capture.authority(graph.client, [cloud_id(1), cloud_id(2)]) == (
        {cloud_id(1): True, cloud_id(2): False},
        None,
    )


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ({"status": 403, "body": {"error": {"code": "Authorization_RequestDenied"}}}, "permission_missing"),
        ({"status": 404, "body": {}}, "entra_404"),
        ({"status": 200, "body": {"isCloudManaged": "true"}}, "entra_200"),
        ({"status": 200, "body": {"value": {"isCloudManaged": True}}}, "entra_200"),
        ({"status": 200, "body": None}, "entra_200"),
    ],
)
def test_an_authority_that_cannot_be_read_is_left_out(
    monkeypatch: pytest.MonkeyPatch, found: dict[str, Any], code: str
) -> None:
    def give(item: dict[str, Any]) -> dict[str, Any]:
        return found if cloud_id(1) in item["url"] else {"status": 200, "body": {"isCloudManaged": True}}

    states, problem = capture.authority(Graph(monkeypatch, batched(give)).client, [cloud_id(1), cloud_id(2)])
    assert states == {cloud_id(2): True}
    assert problem is not None
    assert problem.code == code


def test_nothing_to_read_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, in_turn())
    assert capture.authority(graph.client, []) == ({}, None)
    assert graph.adapter.asked == []


def test_the_service_is_asked_for_less_where_it_may_leave_groups_out(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, lambda _request: answer({"value": []}))
    assert list(capture.groups(graph.client, GroupQuery(QUERY.select, True, "(displayName eq 'a b')"))) == []
    (url,) = graph.adapter.urls
    assert url.startswith("/beta/groups?$select=displayName,groupTypes,id,securityEnabled&")
    assert url.endswith("$filter=%28displayName%20eq%20%27a%20b%27%29")


def test_the_ids_of_members(monkeypatch: pytest.MonkeyPatch) -> None:
    link = f"{BASE}/v1.0/groups/x/members?$skiptoken=1"
    first = listing(principal(1), count=2, link=link)
    pages = in_turn(answer(first), answer({"value": [{"id": cloud_id(2).upper()}]}))
    assert capture.member_ids(Graph(monkeypatch, pages).client, cloud_id(9)) == {cloud_id(1), cloud_id(2)}


@pytest.mark.parametrize("body", [listing(count=3), listing(principal(1), count=2), {"value": [{"id": cloud_id(1)}]}])
def test_a_list_of_ids_that_was_cut_is_not_believed(monkeypatch: pytest.MonkeyPatch, body: dict[str, object]) -> None:
    """A filter would leave its groups out, and their members would lose their access."""
    graph = Graph(monkeypatch, lambda _request: answer(body))
    with pytest.raises(EntraError) as caught:
        capture.member_ids(graph.client, cloud_id(9))
    assert caught.value.code == "entra_count_differs"


def test_groups_assigned_to_a_provisioning_job(monkeypatch: pytest.MonkeyPatch) -> None:
    def assignment(number: int, kind: str = "Group", role: str = "ROLE") -> dict[str, str]:
        return {"id": f"a{number}", "principalId": cloud_id(number).upper(), "principalType": kind, "appRoleId": role}

    items = [assignment(1), assignment(2, "User"), assignment(3, role="other"), assignment(4, role="role")]
    graph = Graph(monkeypatch, lambda _request: answer({"value": items}))
    assert capture.assigned_ids(graph.client, "sp", frozenset({"role"})) == {cloud_id(1), cloud_id(4)}
    assert graph.adapter.urls[0].startswith("/v1.0/servicePrincipals/sp/appRoleAssignedTo")


def test_a_half_of_a_character_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file can hold one, and any of those who may name a group can write one."""
    name = "Sales \ud800"
    group = {"id": cloud_id(1), "displayName": name, "groupTypes": ["x\udfff"], "securityEnabled": True}
    graph = Graph(monkeypatch, in_turn(answer({"value": [group]})))
    (read,) = capture.groups(graph.client, QUERY)
    assert (read.properties["displayName"], read.properties["groupTypes"]) == ("Sales \ufffd", ["x\ufffd"])
    assert QUERY.read(group) == read
