# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading groups, members and authority: whole, or marked as not whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import capture
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import (
    GroupQuery,
    MemberQuery,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import BATCH_SIZE
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import EntraError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CompleteReading,
    IncompleteReading,
    PrincipalKind,
)
from tests.unit.plugins.module_utils._entra.scripted import BASE, Graph, answer, batched, in_turn
from tests.unit.samples import cloud_id, guid, sid

SIDS = MemberQuery()
QUERY = GroupQuery(frozenset({"displayName", "groupTypes", "securityEnabled"}))


def principal(number: int, kind: str = "user", **more: object) -> dict[str, object]:
    return {"@odata.type": f"#microsoft.graph.{kind}", "id": cloud_id(number), "displayName": f"P {number}", **more}


def listing(*items: object, count: int | None = None, link: str | None = None) -> dict[str, object]:
    body: dict[str, object] = {"value": list(items), "@odata.count": len(items) if count is None else count}
    return {**body, "@odata.nextLink": link} if link else body


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


def read(graph: Graph, count: int = 1, query: MemberQuery = SIDS) -> list[Any]:
    return [reading for _id, reading in capture.members(graph.client, [cloud_id(100 + n) for n in range(count)], query)]


def test_members_of_every_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    body = listing(
        principal(1, onPremisesSyncEnabled=True, onPremisesSecurityIdentifier=sid(5001)),
        principal(2, onPremisesSyncEnabled=None, onPremisesSecurityIdentifier=None),
        principal(3, "group"),
        principal(4, "device", deviceId=guid(4)),
        principal(5, "servicePrincipal"),
        principal(6, "orgContact"),
        principal(7, "somethingNew"),
        {"@odata.type": "#microsoft.graph.user", "id": cloud_id(8).upper(), "displayName": None},
    )
    (reading,) = read(Graph(monkeypatch, batched(lambda _item: {"status": 200, "body": body})))
    assert isinstance(reading, CompleteReading)
    assert [member.kind for member in reading.items] == [
        PrincipalKind.USER,
        PrincipalKind.USER,
        PrincipalKind.GROUP,
        PrincipalKind.DEVICE,
        PrincipalKind.SERVICE_PRINCIPAL,
        PrincipalKind.CONTACT,
        PrincipalKind.UNKNOWN,
        PrincipalKind.USER,
    ]
    first = reading.items[0]
    assert (first.on_premises_security_identifier, first.on_premises_sync_enabled) == (sid(5001), True)
    assert [member.readable for member in reading.items] == [True] * 7 + [False]
    assert reading.items[7].id == cloud_id(8)


@pytest.mark.parametrize(
    ("roles", "properties", "readable"),
    [
        ({"User.Read.All"}, {"onPremisesSyncEnabled": True, "onPremisesSecurityIdentifier": sid(5001)}, True),
        ({"Directory.Read.All"}, {}, True),
        # A lesser permission gives the name and leaves the SID out: that proves nothing.
        ({"User.ReadBasic.All"}, {}, False),
        ({"User.Read.All"}, {"onPremisesSyncEnabled": True}, False),
        ({"User.Read.All"}, {"onPremisesSecurityIdentifier": "S-1-nonsense"}, False),
        ({"User.Read.All"}, {"onPremisesSecurityIdentifier": 7}, False),
    ],
)
def test_a_user_is_readable_only_when_a_missing_sid_would_prove_something(
    monkeypatch: pytest.MonkeyPatch, roles: set[str], properties: dict[str, Any], readable: bool
) -> None:
    script = batched(lambda _item: {"status": 200, "body": listing(principal(1, **properties))})
    (reading,) = read(Graph(monkeypatch, script, frozenset(roles)))
    assert [member.readable for member in reading.items] == [readable]


@pytest.mark.parametrize(
    ("properties", "readable"),
    [
        ({"deviceId": guid(1), "onPremisesSyncEnabled": True}, True),
        ({"deviceId": guid(1)}, True),
        ({"deviceId": None}, False),
        ({"deviceId": "nonsense"}, False),
        ({"deviceId": guid(1), "displayName": None}, False),
        ({"deviceId": guid(1), "onPremisesSecurityIdentifier": "S-1-nonsense"}, False),
    ],
)
def test_a_device_is_readable_when_its_device_id_came(
    monkeypatch: pytest.MonkeyPatch, properties: dict[str, Any], readable: bool
) -> None:
    body = listing(principal(1, "device", **properties))
    (reading,) = read(Graph(monkeypatch, batched(lambda _item: {"status": 200, "body": body})))
    (device,) = reading.items
    assert device.readable is readable
    assert device.on_premises_object_identifier == properties["deviceId"]
    assert device.on_premises_sync_enabled is properties.get("onPremisesSyncEnabled")


ON_PREMISES = {
    "onPremisesObjectIdentifier": "AAECAwQFBgcICQoLDA0ODw==",
    "onPremisesImmutableId": "custom",
    "onPremisesSamAccountName": "bsimon",
    "onPremisesDomainName": "contoso.com",
}


@pytest.mark.parametrize(
    ("query", "version", "more"),
    [
        (MemberQuery(), "v1.0", ()),
        (MemberQuery(object_identifier=True), "beta", ("onPremisesObjectIdentifier",)),
        (
            MemberQuery(immutable_id=True),
            "v1.0",
            ("onPremisesDomainName", "onPremisesImmutableId", "onPremisesSamAccountName"),
        ),
        (MemberQuery(object_identifier=True, immutable_id=True), "beta", tuple(sorted(ON_PREMISES))),
    ],
)
def test_what_is_read_of_members_and_where(
    monkeypatch: pytest.MonkeyPatch, query: MemberQuery, version: str, more: tuple[str, ...]
) -> None:
    always = {"id", "displayName", "onPremisesSyncEnabled", "onPremisesSecurityIdentifier", "deviceId"}

    def give(item: dict[str, Any]) -> dict[str, Any]:
        asked = set(item["url"].partition("$select=")[2].partition("&")[0].split(","))
        assert asked == always | set(more)
        given = {name: value for name, value in ON_PREMISES.items() if name in asked}
        return {"status": 200, "body": listing(principal(1, onPremisesSecurityIdentifier=sid(5001), **given))}

    graph = Graph(monkeypatch, batched(give))
    (reading,) = read(graph, query=query)
    assert graph.adapter.urls == [f"/{version}/$batch"]
    (member,) = reading.items
    found = {
        "onPremisesObjectIdentifier": member.on_premises_object_identifier,
        "onPremisesImmutableId": member.on_premises_immutable_id,
        "onPremisesSamAccountName": member.on_premises_sam_account_name,
        "onPremisesDomainName": member.on_premises_domain_name,
    }
    assert found == {name: ON_PREMISES[name] if name in more else None for name in ON_PREMISES}
    assert member.on_premises_security_identifier == sid(5001)
    assert member.readable


def test_members_are_asked_for_in_the_advanced_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []

    def give(item: dict[str, Any]) -> dict[str, Any]:
        seen.append(item)
        return {"status": 200, "body": listing()}

    read(Graph(monkeypatch, batched(give)))
    assert seen[0]["headers"] == {"ConsistencyLevel": "eventual"}
    assert "$count=true" in seen[0]["url"]


def group_number(item: dict[str, Any]) -> int:
    return int(item["url"].split("/")[2].partition("?")[0][-12:], 16)


def paged(pages: int) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Answer with so many pages of one member for every third group, the others having one."""

    def give(item: dict[str, Any]) -> dict[str, Any]:
        group, page = group_number(item), int(item["url"].partition("$skiptoken=")[2] or 1)
        last = pages if group % 3 == 0 else 1
        link = f"{BASE}/v1.0/groups/{cloud_id(group)}/members?$skiptoken={page + 1}" if page < last else None
        body = listing(principal(1000 * group + page), count=last, link=link)
        return {"status": 200, "body": body if page == 1 else {k: v for k, v in body.items() if k != "@odata.count"}}

    return give


def test_more_pages_are_read_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, batched(paged(4)))
    ids = [cloud_id(100 + number) for number in range(60)]
    readings = dict(capture.members(graph.client, ids, SIDS))
    assert sorted(readings) == sorted(ids)
    for number in range(100, 160):
        reading = readings[cloud_id(number)]
        assert isinstance(reading, CompleteReading)
        last = 4 if number % 3 == 0 else 1
        assert [one.id for one in reading.items] == [cloud_id(1000 * number + page) for page in range(1, last + 1)]
    # Three batches for the first pages, and three rounds of what twenty groups have beyond.
    assert set(graph.client.requests) == {"POST"}
    assert graph.client.requests["POST"] <= 3 + 3 * 3


def test_the_next_page_of_a_group_comes_before_a_group_that_was_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, batched(paged(3)))
    ids = [cloud_id(3 * number) for number in range(1, 401)]
    done = [cloud_id for cloud_id, _reading in capture.members(graph.client, ids, SIDS)]
    # Four batches of twenty are under way, and another is sent before the first of them is looked at.
    assert all(done.index(cloud_id) < place + 100 for place, cloud_id in enumerate(ids))


def test_pages_that_never_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def give(item: dict[str, Any]) -> dict[str, Any]:
        link = f"{BASE}/v1.0/groups/x/members?$skiptoken=1"
        return {"status": 200, "body": listing(principal(1), count=9, link=link)}

    (reading,) = read(Graph(monkeypatch, batched(give)))
    assert isinstance(reading, IncompleteReading)
    assert "never end" in reading.why


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"status": 200, "body": listing(principal(1), count=2)}, "1 members were read, the service counts 2"),
        ({"status": 200, "body": listing(principal(1), count=0)}, "counts 0"),
        ({"status": 200, "body": {"value": [principal(1)]}}, "counts None"),
        ({"status": 404, "body": {"error": {"code": "Request_ResourceNotFound"}}}, "404"),
        ({"status": 403, "body": {}}, "GroupMember.Read.All"),
        ({"status": 429, "body": {}}, "429"),
        ({"status": 200, "body": None}, "not a list"),
        ({"status": 200, "body": {"value": [{}], "@odata.count": 1}}, "not a list"),
        ({"status": 200, "body": listing(principal(1), link="https://evil.example/")}, "elsewhere"),
    ],
)
def test_a_reading_that_is_not_whole_says_why(
    monkeypatch: pytest.MonkeyPatch, found: dict[str, Any], words: str
) -> None:
    (reading,) = read(Graph(monkeypatch, batched(lambda _item: found)))
    assert isinstance(reading, IncompleteReading)
    assert words in reading.why


@pytest.mark.parametrize("later", [{"status": 404, "body": {}}, {"status": 200, "body": {"value": 7}}])
def test_a_later_page_that_is_broken_makes_the_reading_incomplete(
    monkeypatch: pytest.MonkeyPatch, later: dict[str, Any]
) -> None:
    link = f"{BASE}/v1.0/groups/x/members?$skiptoken=1"
    first = {"status": 200, "body": listing(principal(1), count=2, link=link)}
    graph = Graph(monkeypatch, batched(lambda item: later if "skiptoken" in item["url"] else first))
    (reading,) = read(graph)
    assert isinstance(reading, IncompleteReading)
    assert [member.id for member in reading.items] == [cloud_id(1)]


def test_many_groups_are_read_in_the_order_given(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 5 * BATCH_SIZE + 3

    graph = Graph(monkeypatch, batched(lambda item: {"status": 200, "body": listing(principal(group_number(item)))}))
    readings = read(graph, count)
    assert [reading.items[0].id for reading in readings] == [cloud_id(100 + number) for number in range(count)]
    assert graph.client.requests == {"POST": 6}


def test_nothing_to_read_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, in_turn())
    assert read(graph, 0) == []
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
    body = listing(principal(1, displayName=name, onPremisesImmutableId=name))
    graph = Graph(monkeypatch, batched(lambda _item: {"status": 200, "body": body}))
    ((_id, reading),) = capture.members(graph.client, [cloud_id(1)], SIDS)
    assert (reading.items[0].display_name, reading.items[0].on_premises_immutable_id) == ("Sales \ufffd",) * 2
    graph = Graph(monkeypatch, batched(lambda _item: {"status": 400, "body": {"error": {"message": name}}}))
    ((_id, reading),) = capture.members(graph.client, [cloud_id(1)], SIDS)
    assert isinstance(reading, IncompleteReading) and "Sales \ufffd" in reading.why


def test_a_member_of_several_groups_is_one_principal_while_the_answers_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    def give(item: dict[str, Any]) -> dict[str, Any]:
        name = "Renamed since" if cloud_id(102) in item["url"] else "Before"
        return {"status": 200, "body": listing({**principal(1), "displayName": name})}

    first, second, third = (reading.items[0] for reading in read(Graph(monkeypatch, batched(give)), 3))
    assert first is second
    assert (third.id, third.display_name) == (first.id, "Renamed since")
