# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delta rounds: which objects changed, and when a link is worth nothing any more."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import delta
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import GroupQuery, MemberQuery
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.delta import Round
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import EntraError
from tests.unit.plugins.module_utils._entra.scripted import BASE, Graph, answer, in_turn
from tests.unit.samples import cloud_id

LINK = f"{BASE}/v1.0/groups/delta?$deltatoken=one"
NEXT = f"{BASE}/v1.0/groups/delta?$deltatoken=two"
CALL = delta.group_watch(GroupQuery(frozenset({"displayName", "mail"})))


def test_what_is_watched() -> None:
    assert CALL.path == "/groups/delta?$select=displayName,mail,members&$deltatoken=latest"
    assert delta.group_watch(GroupQuery(frozenset({"mail"}), beta=True)).version == "beta"
    users = delta.user_watch(MemberQuery(immutable_id=True))
    assert users.path == (
        "/users/delta?$select=displayName,onPremisesSyncEnabled,onPremisesSecurityIdentifier,onPremisesImmutableId,"
        "onPremisesSamAccountName,onPremisesDomainName&$deltatoken=latest"
    )
    assert delta.user_watch(MemberQuery(object_identifier=True)).version == "beta"


def test_a_watch_begins_with_a_link(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, in_turn(answer({"value": [], "@odata.deltaLink": LINK})))
    assert delta.begin(graph.client, CALL) == LINK


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_service_that_refuses_to_watch_gives_no_link(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    graph = Graph(monkeypatch, in_turn(answer({"error": {"code": "BadRequest"}}, status)))
    assert delta.begin(graph.client, CALL) is None


def test_all_that_changed_or_went_away_in_any_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = (
        {"value": [{"id": cloud_id(1).upper(), "members@delta": []}], "@odata.nextLink": f"{LINK}&page=2"},
        {"value": [], "@odata.nextLink": f"{LINK}&page=3"},
        {"value": [{"id": cloud_id(1)}, {"id": cloud_id(2), "@removed": {}}], "@odata.deltaLink": NEXT},
    )
    graph = Graph(monkeypatch, in_turn(*map(answer, pages)))
    assert delta.follow(graph.client, LINK, CALL) == Round(frozenset({cloud_id(1), cloud_id(2)}), NEXT)
    assert [url.partition("?")[2] for url in graph.adapter.urls] == [
        "$deltatoken=one",
        "$deltatoken=one&page=2",
        "$deltatoken=one&page=3",
    ]


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_link_that_is_too_old_or_spoilt(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    graph = Graph(monkeypatch, in_turn(answer({"error": {"code": "syncStateNotFound"}}, status)))
    assert delta.follow(graph.client, LINK, CALL) is None


def test_a_token_goes_to_no_other_host(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, in_turn())
    assert delta.follow(graph.client, "https://elsewhere.example/v1.0/groups/delta", CALL) is None
    assert graph.adapter.urls == []


@pytest.mark.parametrize(
    "page",
    [
        {"value": []},
        {"value": [], "@odata.deltaLink": 7},
        {"value": [{"displayName": "without an id"}], "@odata.deltaLink": NEXT},
    ],
)
def test_a_round_without_its_end_is_an_error(monkeypatch: pytest.MonkeyPatch, page: dict[str, object]) -> None:
    graph = Graph(monkeypatch, in_turn(answer(page)))
    with pytest.raises(EntraError):
        delta.follow(graph.client, LINK, CALL)


def test_a_refusal_is_no_reason_to_forget_the_link(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, in_turn(answer({"error": {"code": "Authorization_RequestDenied"}}, 403)))
    with pytest.raises(EntraError):
        delta.follow(graph.client, LINK, CALL)
