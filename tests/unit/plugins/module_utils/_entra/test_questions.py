# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking of single groups and SIDs: what is not known for certain stays open."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import capture, questions
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import GroupQuery, MemberQuery
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.member_reading import read_members
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.questions import (
    MOST_ALTERNATIVES,
    AskedGroups,
    Deleted,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import EntraError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    CompleteReading,
    PrincipalKind,
)
from tests.unit.plugins.module_utils._entra.scripted import BASE, Graph, answer, batched, in_turn
from tests.unit.samples import cloud_id, sid

QUERY = GroupQuery(frozenset({"displayName"}))
GONE: dict[str, Any] = {"status": 404, "body": {"error": {"code": "Request_ResourceNotFound", "message": "Gone."}}}
REFUSED: dict[str, Any] = {"status": 403, "body": {"error": {"code": "Authorization_RequestDenied"}}}


def deleted(number: int, **more: object) -> dict[str, Any]:
    usual = {
        "@odata.type": "#microsoft.graph.group",
        "id": cloud_id(number),
        "displayName": "Sales",
        "deletedDateTime": "2026-02-03T04:05:06Z",
    }
    return {"status": 200, "body": {**usual, **more}}


def ask(patch: pytest.MonkeyPatch, groups: dict[int, dict[str, Any]], items: dict[int, dict[str, Any]]) -> AskedGroups:
    """Ask of the groups with these answers, and those of the deleted items."""

    def give(item: dict[str, Any]) -> dict[str, Any]:
        given = items if item["url"].startswith("/directory/deletedItems/") else groups
        return next(found for number, found in given.items() if cloud_id(number) in item["url"])

    return questions.ask_groups(Graph(patch, batched(give)).client, QUERY, [cloud_id(number) for number in groups])


def test_groups_that_live_are_deleted_or_are_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ask(
        monkeypatch,
        {1: {"status": 200, "body": {"id": cloud_id(1).upper(), "displayName": "Living"}}, 2: GONE, 3: GONE},
        {2: deleted(2), 3: GONE},
    )
    assert [(group.id, group.display_name) for group in asked.living] == [(cloud_id(1), "Living")]
    assert asked.deleted == {cloud_id(2): Deleted("Sales", "2026-02-03T04:05:06Z")}
    assert asked.absent == {cloud_id(3)}
    assert (asked.unread, asked.problem) == (frozenset(), None)


@pytest.mark.parametrize(
    "found",
    [
        REFUSED,
        {"status": 404, "body": None},
        {"status": 404, "body": {}},
        {"status": 404, "body": {"error": {"code": "BadRequest", "message": "Resource not found for the segment."}}},
        {"status": 400, "body": {"error": {"code": "Request_ResourceNotFound"}}},
        {"status": 503, "body": {}},
        {"status": 200, "body": None},
        {"status": 200, "body": {}},
        {"status": 200, "body": {"id": cloud_id(99)}},
    ],
)
@pytest.mark.parametrize("where", ["groups", "deleted items"])
def test_no_group_is_absent_because_of_an_answer_that_says_nothing(
    monkeypatch: pytest.MonkeyPatch, found: dict[str, Any], where: str
) -> None:
    groups, items = ({1: found}, {1: GONE}) if where == "groups" else ({1: GONE}, {1: found})
    asked = ask(monkeypatch, groups, items)
    assert (asked.living, asked.deleted, asked.absent) == ((), {}, frozenset())
    assert asked.unread == {cloud_id(1)}
    assert asked.problem is not None


def test_one_group_that_cannot_be_read_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ask(monkeypatch, {1: REFUSED, 2: GONE, 3: GONE}, {2: REFUSED, 3: GONE})
    assert asked.absent == {cloud_id(3)}
    assert asked.unread == {cloud_id(1), cloud_id(2)}
    assert asked.problem is not None
    assert asked.problem.code == "permission_missing"


@pytest.mark.parametrize(
    ("given", "since"),
    [
        ("2026-02-03T04:05:06Z", "2026-02-03T04:05:06Z"),
        ("2026-02-03T04:05:06.1234567Z", "2026-02-03T04:05:06Z"),
        ("2026-02-03T04:05:06+02:00", None),
        ("yesterday", None),
        (None, None),
    ],
)
def test_the_time_of_a_deletion(monkeypatch: pytest.MonkeyPatch, given: object, since: str | None) -> None:
    asked = ask(monkeypatch, {1: GONE}, {1: deleted(1, deletedDateTime=given)})
    assert {key: found.since for key, found in asked.deleted.items()} == ({cloud_id(1): since} if since else {})
    assert asked.unread == (frozenset() if since else {cloud_id(1)})


def test_a_deleted_item_of_another_type_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ask(monkeypatch, {1: GONE}, {1: deleted(1, **{"@odata.type": "#microsoft.graph.user"})})
    assert asked.unread == {cloud_id(1)}


@pytest.mark.parametrize(("given", "synced"), [(True, True), (False, False), (None, False), ("true", False)])
def test_whether_a_deleted_group_was_mastered_on_premises(
    monkeypatch: pytest.MonkeyPatch, given: object, synced: bool
) -> None:
    asked = ask(monkeypatch, {1: GONE}, {1: deleted(1, onPremisesSyncEnabled=given)})
    assert asked.deleted[cloud_id(1)].synced is synced


def test_a_deleted_group_may_have_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ask(monkeypatch, {1: GONE}, {1: deleted(1, displayName=None)})
    assert asked.deleted[cloud_id(1)].name == ""


def test_nothing_to_ask_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, in_turn())
    assert questions.ask_groups(graph.client, QUERY, []) == AskedGroups()
    assert questions.principals_with(graph.client, []) == ((), None)
    assert graph.adapter.asked == []


def test_a_batch_that_fails_as_a_whole_fails_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, lambda _request: answer({"error": {"code": "BadRequest"}}, 400))
    with pytest.raises(EntraError):
        questions.ask_groups(graph.client, QUERY, [cloud_id(1)])


def holder(number: int, sid_text: str, **more: object) -> dict[str, Any]:
    usual = {"id": cloud_id(number).upper(), "displayName": f"P {number}", "onPremisesSyncEnabled": True}
    return {**usual, "onPremisesSecurityIdentifier": sid_text, **more}


def test_users_and_groups_with_a_sid(monkeypatch: pytest.MonkeyPatch) -> None:
    def give(item: dict[str, Any]) -> dict[str, Any]:
        found = [holder(1, sid(5001))] if item["url"].startswith("/users?") else [holder(2, sid(5002))]
        return {"status": 200, "body": {"value": found}}

    graph = Graph(monkeypatch, batched(give))
    found, problem = questions.principals_with(graph.client, {sid(5001), sid(5002), sid(5003)})
    assert problem is None
    assert {(one.id, one.kind, one.on_premises_security_identifier, one.readable) for one in found} == {
        (cloud_id(1), PrincipalKind.USER, sid(5001), True),
        (cloud_id(2), PrincipalKind.GROUP, sid(5002), True),
    }


def test_no_filter_has_more_alternatives_than_the_service_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = {sid(5000 + number) for number in range(2 * MOST_ALTERNATIVES + 3)}
    asked: dict[str, list[list[str]]] = {"/users": [], "/groups": []}

    def give(item: dict[str, Any]) -> dict[str, Any]:
        path, _unused, query = item["url"].partition("?")
        clauses = unquote(query.partition("$filter=")[2]).split(" or ")
        matched = [re.fullmatch(r"onPremisesSecurityIdentifier eq '(S-1-[0-9-]+)'", clause) for clause in clauses]
        asked[path].append([match[1] for match in matched if match])
        return {"status": 200, "body": {"value": []}}

    graph = Graph(monkeypatch, batched(give))
    assert questions.principals_with(graph.client, wanted) == ((), None)
    for parts in asked.values():
        assert sorted(map(len, parts)) == [3, MOST_ALTERNATIVES, MOST_ALTERNATIVES]
        assert {one for part in parts for one in part} == wanted


def test_an_object_with_a_sid_that_was_not_asked_for_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that overlooks the filter must not make anybody known."""
    body = {"value": [holder(1, sid(5009)), holder(2, sid(5001), onPremisesSecurityIdentifier=None)]}
    graph = Graph(monkeypatch, batched(lambda _item: {"status": 200, "body": body}))
    assert questions.principals_with(graph.client, {sid(5001)}) == ((), None)


def test_a_name_alone_makes_nobody_readable(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"value": [holder(1, sid(5001), displayName=None)]}
    graph = Graph(monkeypatch, batched(lambda _item: {"status": 200, "body": body}))
    found, _unused = questions.principals_with(graph.client, {sid(5001)})
    assert [one.readable for one in found] == [False]


def test_all_pages_of_holders_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def first(item: dict[str, Any]) -> dict[str, Any]:
        link = {"@odata.nextLink": f"{BASE}/v1.0/users?$skiptoken=1"} if item["url"].startswith("/users?") else {}
        return {"status": 200, "body": {"value": [], **link}}

    batch = batched(first)

    def script(request: requests.PreparedRequest) -> bytes | Exception:
        return batch(request) if request.method == "POST" else answer({"value": [holder(1, sid(5001))]})

    found, problem = questions.principals_with(Graph(monkeypatch, script).client, {sid(5001)})
    assert ([one.id for one in found], problem) == ([cloud_id(1)], None)


@pytest.mark.parametrize(
    ("refused", "code"),
    [
        (REFUSED, "permission_missing"),
        ({"status": 400, "body": {"error": {"code": "Request_UnsupportedQuery"}}}, "entra_400"),
        ({"status": 200, "body": None}, "entra_200"),
        ({"status": 200, "body": {"value": [{}]}}, "entra_answer_broken"),
    ],
)
def test_sids_that_cannot_be_read_are_told_and_the_others_stay(
    monkeypatch: pytest.MonkeyPatch, refused: dict[str, Any], code: str
) -> None:
    def give(item: dict[str, Any]) -> dict[str, Any]:
        if item["url"].startswith("/users?"):
            return refused
        return {"status": 200, "body": {"value": [holder(2, sid(5002))]}}

    graph = Graph(monkeypatch, batched(give))
    found, problem = questions.principals_with(graph.client, {sid(5001), sid(5002)})
    assert [one.id for one in found] == [cloud_id(2)]
    assert problem is not None
    assert problem.code == code


_PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
_WORDS = st.sampled_from(
    ["id", "value", "error", "code", "status", "displayName", "groupTypes", "securityEnabled", "mailEnabled",
     "visibility", "onPremisesSecurityIdentifier", "onPremisesSyncEnabled", "deviceId", "@odata.type", "@odata.count",
     "@odata.nextLink", "deletedDateTime", "isCloudManaged", "membershipRule"]
)  # fmt: skip
_LIKELY = st.sampled_from(
    [cloud_id(1), "Request_ResourceNotFound", "#microsoft.graph.user", sid(5001), 200, 1, f"{BASE}/v1.0/x"]
)
_JSON = st.recursive(
    _PLAIN | _LIKELY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_WORDS | st.text(max_size=3), inner, max_size=5),
    max_leaves=12,
)
_OBJECT = st.dictionaries(_WORDS, _JSON, max_size=6).map(lambda found: {"id": cloud_id(1), **found})
_BODY = (
    _JSON
    | _OBJECT
    | st.lists(_OBJECT | _JSON, max_size=3).map(lambda found: {"value": found, "@odata.count": len(found)})
)
_ALL = GroupQuery(capture.ALWAYS_READ | {"extension_x"})


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(status=st.sampled_from([200, 200, 200, 404, 403]), body=_BODY)
def test_no_answer_whatever_breaks_a_run_or_is_taken_for_a_whole_one(status: int, body: Any) -> None:
    """What comes of it is an error, a doubt, or values of the types that the rules know; absence is never made up."""
    with pytest.MonkeyPatch.context() as patch:
        client = Graph(patch, batched(lambda _item: {"status": status, "body": body})).client
        with suppress(EntraError):
            asked = questions.ask_groups(client, _ALL, [cloud_id(1)])
            said_gone = isinstance(body, dict) and isinstance(body.get("error"), dict)
            assert not asked.absent or (status == 404 and said_gone)
            assert all(_is_typed(group) for group in asked.living)
        with suppress(EntraError):
            questions.principals_with(client, {sid(5001)})
        with suppress(EntraError):
            for _cloud_id, reading in read_members(client, [cloud_id(1)], MemberQuery(True, True)):
                if isinstance(reading, CompleteReading):
                    assert status == 200
                    assert len(body["value"]) == body["@odata.count"]
                assert all(isinstance(one.display_name, str) for one in reading.items)
        states, problem = capture.authority(client, [cloud_id(1)])
        assert set(states.values()) <= {True, False}
        assert bool(states) is (problem is None)
        client = Graph(patch, lambda _request: answer(body, status)).client
        with suppress(EntraError):
            assert all(_is_typed(group) for group in capture.groups(client, _ALL))
        with suppress(EntraError):
            capture.member_ids(client, cloud_id(1))
        with suppress(EntraError):
            capture.assigned_ids(client, cloud_id(1), frozenset({cloud_id(2)}))


def _is_typed(group: CloudGroup) -> bool:
    kinds = {"groupTypes": list, "securityEnabled": bool, "mailEnabled": bool, "onPremisesSyncEnabled": bool}
    known = {name: value for name, value in group.properties.items() if name in capture.ALWAYS_READ}
    return all(value is None or isinstance(value, kinds.get(name, str)) for name, value in known.items())


def test_principals_as_they_are_now(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: dict[int, dict[str, Any]] = {
        1: {
            "status": 200,
            "body": {
                "id": cloud_id(1),
                "displayName": "A",
                "onPremisesSyncEnabled": True,
                "onPremisesSecurityIdentifier": sid(7),
            },
        },
        2: GONE,
        3: {"status": 200, "body": {"id": cloud_id(3), "displayName": "G"}},
    }
    graph = Graph(monkeypatch, batched(lambda item: next(a for n, a in answers.items() if cloud_id(n) in item["url"])))
    kinds = {
        cloud_id(1): PrincipalKind.USER,
        cloud_id(2): PrincipalKind.USER,
        cloud_id(3): PrincipalKind.GROUP,
        cloud_id(4): PrincipalKind.DEVICE,
    }
    asked = questions.principals_by_id(graph.client, MemberQuery(), kinds)
    assert asked.gone == {cloud_id(2)} and asked.problem is None
    assert [(one.id, one.kind, one.on_premises_security_identifier) for one in asked.found] == [
        (cloud_id(1), PrincipalKind.USER, sid(7)),
        (cloud_id(3), PrincipalKind.GROUP, None),
    ]


def test_a_principal_that_cannot_be_read_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, batched(lambda _item: REFUSED))
    asked = questions.principals_by_id(graph.client, MemberQuery(), {cloud_id(1): PrincipalKind.USER})
    assert asked.problem is not None
    assert not asked.found and not asked.gone


def test_the_groups_of_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    def give(item: dict[str, Any]) -> dict[str, Any]:
        if cloud_id(2) in item["url"]:
            return GONE
        assert item["url"] == f"/users/{cloud_id(1)}/memberOf?$select=id&$top=999"
        return {"status": 200, "body": {"value": [{"id": cloud_id(8).upper()}, {"id": cloud_id(9)}]}}

    kinds = {cloud_id(1): PrincipalKind.USER, cloud_id(2): PrincipalKind.GROUP}
    found, problem = questions.groups_of(Graph(monkeypatch, batched(give)).client, kinds)
    assert found == {cloud_id(8), cloud_id(9)} and problem is None


@pytest.mark.parametrize("given", [REFUSED, {"status": 200, "body": {"value": "no list"}}, {"status": 200, "body": []}])
def test_groups_of_objects_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch, given: dict[str, Any]) -> None:
    graph = Graph(monkeypatch, batched(lambda _item: given))
    found, problem = questions.groups_of(graph.client, {cloud_id(1): PrincipalKind.USER})
    assert found == frozenset() and problem is not None
