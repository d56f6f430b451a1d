# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the members of groups: whole, or marked as not whole, however many pages there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import member_reading
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import MemberQuery
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import BATCH_SIZE
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.member_reading import read_members
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import EntraError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CompleteReading,
    IncompleteReading,
    PrincipalKind,
)
from tests.unit.plugins.module_utils._entra.scripted import BASE, Graph, answer, batched, in_turn, listing, principal
from tests.unit.samples import cloud_id, guid, sid

SIDS = MemberQuery()


def read(graph: Graph, count: int = 1, query: MemberQuery = SIDS) -> list[Any]:
    ids = [cloud_id(100 + number) for number in range(count)]
    return [reading for _id, reading in read_members(graph.client, ids, query)]


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
    readings = dict(read_members(graph.client, ids, SIDS))
    assert sorted(readings) == sorted(ids)
    for number in range(100, 160):
        reading = readings[cloud_id(number)]
        assert isinstance(reading, CompleteReading)
        last = 4 if number % 3 == 0 else 1
        assert [one.id for one in reading.items] == [cloud_id(1000 * number + page) for page in range(1, last + 1)]
    # Three batches for the first pages, and three rounds of what twenty groups have beyond.
    assert set(graph.client.requests) == {"POST"}
    assert graph.client.requests["POST"] <= 3 + 3 * 3


def most_held(monkeypatch: pytest.MonkeyPatch, groups: int, pages: int) -> tuple[int, int]:
    """Read groups of so many pages; return how many groups were open at most, and how many pages of open ones."""
    give, given = paged(pages), dict[int, int]()
    groups_open, pages_held = [0], [0]

    def watched(item: dict[str, Any]) -> dict[str, Any]:
        number, found = group_number(item), give(item)
        given[number] = given.get(number, 0) + 1
        if "@odata.nextLink" not in found["body"]:
            del given[number]
        groups_open.append(len(given))
        pages_held.append(sum(given.values()))
        return found

    graph = Graph(monkeypatch, batched(watched))
    ids = [cloud_id(3 * number) for number in range(1, groups + 1)]
    readings = dict(read_members(graph.client, ids, SIDS))
    assert set(readings) == set(ids)
    assert all(isinstance(one, CompleteReading) and len(one.items) == pages for one in readings.values())
    return max(groups_open), max(pages_held)


def test_next_pages_come_before_groups_that_were_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    # Four batches of twenty are under way, and one is looked at.
    assert 20 < most_held(monkeypatch, 400, 3)[0] <= 100


def test_one_group_after_the_other_is_read_to_its_end_when_many_members_are_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert most_held(monkeypatch, 200, 9)[1] > 300
    monkeypatch.setattr(member_reading, "_MOST_HELD", 30)
    # The first pages of those batches, a batch that was sent before many were held, and the pages of four groups.
    assert most_held(monkeypatch, 200, 9)[1] <= 100 + BATCH_SIZE + 4 * 9


def test_a_batch_of_further_pages_that_fails_leaves_the_others_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    give = batched(paged(2))

    def script(request: requests.PreparedRequest) -> bytes | Exception:
        body = give(request)
        return body[:-5] if b"skiptoken" in (request.body or b"") and isinstance(body, bytes) else body

    graph = Graph(monkeypatch, script)
    ids = [cloud_id(100 + number) for number in range(30)]
    readings = dict(read_members(graph.client, ids, SIDS))
    assert set(readings) == set(ids)
    for number in range(100, 130):
        reading = readings[cloud_id(number)]
        assert isinstance(reading, IncompleteReading if number % 3 == 0 else CompleteReading)
        assert [one.id for one in reading.items] == [cloud_id(1000 * number + 1)]


def test_a_batch_of_first_pages_that_fails_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, lambda _request: answer({"responses": []})[:-5])
    with pytest.raises(EntraError) as caught:
        read(graph, 3)
    assert caught.value.code == "entra_answer_broken"


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
        ({"status": 200, "body": None}, "not what it should be"),
        ({"status": 200, "body": {**listing(principal(1)), "error": {}}}, "not what it should be"),
        ({"status": 200, "body": {"value": [{}], "@odata.count": 1}}, "not a list"),
        ({"status": 200, "body": listing(principal(1), link="https://evil.example/")}, "elsewhere"),
        ({"status": 200, "body": listing(principal(1), link=f"{BASE}/other/groups")}, "elsewhere"),
    ],
)
def test_a_reading_that_is_not_whole_says_why(
    monkeypatch: pytest.MonkeyPatch, found: dict[str, Any], words: str
) -> None:
    (reading,) = read(Graph(monkeypatch, batched(lambda _item: found)))
    assert isinstance(reading, IncompleteReading)
    assert words in reading.why


@pytest.mark.parametrize(
    "later",
    [
        {"status": 404, "body": {}},
        {"status": 200, "body": {"value": 7}},
        {"status": 200, "body": {"value": [principal(2)], "error": {"code": "InternalServerError"}}},
    ],
)
def test_a_later_page_that_is_broken_makes_the_reading_incomplete(
    monkeypatch: pytest.MonkeyPatch, later: dict[str, Any]
) -> None:
    link = f"{BASE}/v1.0/groups/x/members?$skiptoken=1"
    first = {"status": 200, "body": listing(principal(1), count=2, link=link)}
    graph = Graph(monkeypatch, batched(lambda item: later if "skiptoken" in item["url"] else first))
    (reading,) = read(graph)
    assert isinstance(reading, IncompleteReading)
    assert [member.id for member in reading.items] == [cloud_id(1)]


def test_groups_of_one_page_come_in_the_order_given(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 5 * BATCH_SIZE + 3

    graph = Graph(monkeypatch, batched(lambda item: {"status": 200, "body": listing(principal(group_number(item)))}))
    readings = read(graph, count)
    assert [reading.items[0].id for reading in readings] == [cloud_id(100 + number) for number in range(count)]
    assert graph.client.requests == {"POST": 6}


def test_no_groups_ask_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, in_turn())
    assert read(graph, 0) == []
    assert graph.adapter.asked == []


def test_a_member_of_several_groups_is_one_principal_while_the_answers_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    def give(item: dict[str, Any]) -> dict[str, Any]:
        name = "Renamed since" if cloud_id(102) in item["url"] else "Before"
        return {"status": 200, "body": listing({**principal(1), "displayName": name})}

    first, second, third = (reading.items[0] for reading in read(Graph(monkeypatch, batched(give)), 3))
    assert first is second
    assert (third.id, third.display_name) == (first.id, "Renamed since")


def test_a_half_of_a_character_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No file can hold one, and many may name themselves."""
    name = "Sales \ud800"
    body = listing(principal(1, displayName=name, onPremisesImmutableId=name))
    graph = Graph(monkeypatch, batched(lambda _item: {"status": 200, "body": body}))
    (reading,) = read(graph)
    assert (reading.items[0].display_name, reading.items[0].on_premises_immutable_id) == ("Sales \ufffd",) * 2
    graph = Graph(monkeypatch, batched(lambda _item: {"status": 400, "body": {"error": {"message": name}}}))
    (reading,) = read(graph)
    assert isinstance(reading, IncompleteReading) and "Sales \ufffd" in reading.why
