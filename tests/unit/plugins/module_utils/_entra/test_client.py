# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls to Microsoft Graph: a collection is read to its end or not at all."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
import requests

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import BATCH_SIZE, Call
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import EntraError
from tests.unit.plugins.module_utils._entra.scripted import (
    BASE,
    Graph,
    answer,
    batched,
    in_turn,
    requests_of,
)

CALL = Call("/groups?$top=2", ("Group.Read.All", "Directory.Read.All"))
NEXT = f"{BASE}/v1.0/groups?$skiptoken=2"


def read(graph: Graph) -> list[Any]:
    return [item for page in graph.client.pages(CALL) for item in page["value"]]


def test_all_pages_are_read_an_empty_one_too(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = in_turn(
        answer({"value": [1], "@odata.nextLink": NEXT}),
        answer({"value": [], "@odata.nextLink": NEXT + "b"}),
        answer({"value": [2]}),
    )
    graph = Graph(monkeypatch, pages)
    assert read(graph) == [1, 2]
    assert graph.adapter.urls == ["/v1.0/groups?$top=2", "/v1.0/groups?$skiptoken=2", "/v1.0/groups?$skiptoken=2b"]
    assert graph.client.requests == {"GET": 3}
    assert graph.adapter.asked[0].headers["Authorization"] == "Bearer token"


def test_a_link_that_comes_again_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, lambda _request: answer({"value": [1], "@odata.nextLink": NEXT}))
    with pytest.raises(EntraError) as caught:
        read(graph)
    assert caught.value.code == "entra_pages_endless"
    assert len(graph.adapter.asked) == 2


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v1.0/groups",
        "http://graph.microsoft.com/v1.0/groups",
        "/v1.0/groups",
        "",
        7,
        "https://graph.microsoft.com@evil.example/v1.0",
        "https://graph.microsoft.com.evil.example/",
    ],
)
def test_the_token_goes_to_no_other_host(monkeypatch: pytest.MonkeyPatch, link: object) -> None:
    graph = Graph(monkeypatch, lambda _request: answer({"value": [], "@odata.nextLink": link}))
    with pytest.raises(EntraError) as caught:
        read(graph)
    assert caught.value.code == "entra_link_foreign"
    assert len(graph.adapter.asked) == 1


WHOLE = answer({"value": [1]})
CUT = WHOLE[:-4]
BROKEN = {
    "cut": CUT,
    "cut in the head of a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" + b'{"value":[',
    "cut in a compressed body": answer(gzip.compress(b'{"value":[1]}')[:-14], headers={"Content-Encoding": "gzip"}),
    "compressed body that is none": answer(b"no gzip", headers={"Content-Encoding": "gzip"}),
    "spliced": answer(b'{"value":[1]}{"value":[2]}'),
    "half": answer(b'{"value":[1'),
    "not text": answer(b"\xff\xfe\x00"),
    "html": answer(b"<html>proxy</html>"),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_body_is_no_answer_and_is_asked_for_again(monkeypatch: pytest.MonkeyPatch, broken: bytes) -> None:
    graph = Graph(monkeypatch, in_turn(broken, WHOLE))
    assert read(graph) == [1]
    assert len(graph.waits) == 1


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_a_body_that_stays_broken_fails_the_reading(monkeypatch: pytest.MonkeyPatch, broken: bytes) -> None:
    graph = Graph(monkeypatch, lambda _request: broken)
    with pytest.raises(EntraError) as caught:
        read(graph)
    assert caught.value.code in ("entra_answer_broken", "entra_unreachable")
    assert len(graph.adapter.asked) == 3


def test_an_answer_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.http._MOST_BYTES", 10)
    with pytest.raises(EntraError) as caught:
        read(Graph(monkeypatch, in_turn(answer({"value": [1, 2, 3]}))))
    assert caught.value.code == "entra_answer_too_large"


@pytest.mark.parametrize("body", [[1], "x", 7, None, {"error": {"code": "x"}}, {"value": [], "error": {}}])
def test_an_answer_of_another_shape(monkeypatch: pytest.MonkeyPatch, body: object) -> None:
    graph = Graph(monkeypatch, lambda _request: answer(body))
    for attempt in (lambda: read(graph), lambda: graph.client.get(CALL)):
        with pytest.raises(EntraError) as caught:
            attempt()
        assert caught.value.code == "entra_answer_broken"


@pytest.mark.parametrize(
    ("error", "code", "tries"),
    [
        (requests.exceptions.ConnectionError("refused"), "entra_unreachable", 3),
        (requests.exceptions.ReadTimeout("slow"), "entra_unreachable", 3),
        (requests.exceptions.SSLError("bad"), "entra_not_trusted", 1),
        (requests.exceptions.ConnectionError("CERTIFICATE_VERIFY_FAILED"), "entra_not_trusted", 1),
    ],
)
def test_a_service_that_cannot_be_reached(
    monkeypatch: pytest.MonkeyPatch, error: Exception, code: str, tries: int
) -> None:
    graph = Graph(monkeypatch, lambda _request: error)
    with pytest.raises(EntraError, match=r"graph\.microsoft\.com") as caught:
        read(graph)
    assert caught.value.code == code
    assert len(graph.adapter.asked) == tries


def test_a_permission_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges"}}
    graph = Graph(monkeypatch, lambda _request: answer(body, 403), frozenset({"User.Read.All", "Application.Read.All"}))
    with pytest.raises(EntraError) as caught:
        read(graph)
    assert caught.value.code == "permission_missing"
    assert "Group.Read.All" in caught.value.message
    assert "it has: Application.Read.All, User.Read.All" in caught.value.message
    assert "Group.Read.All" in caught.value.remedy


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (
            404,
            {"error": {"code": "Request_ResourceNotFound", "message": "not\nhere"}},
            "404 Request_ResourceNotFound: not here",
        ),
        (401, {"error": {"code": "InvalidAuthenticationToken", "message": "x"}}, "401"),
        (429, {}, "429"),
        (503, {"error": "odd"}, "503"),
        (400, [], "400"),
    ],
)
def test_other_refusals(monkeypatch: pytest.MonkeyPatch, status: int, body: object, words: str) -> None:
    graph = Graph(monkeypatch, lambda _request: answer(body, status))
    with pytest.raises(EntraError, match=words) as caught:
        graph.client.get(CALL)
    assert caught.value.code == f"entra_{status}"
    assert "$top" not in caught.value.message


def test_a_single_call(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, lambda _request: answer({"id": "x"}))
    assert graph.client.get(Call("/organization", (), {"Prefer": "a"})) == {"id": "x"}
    assert graph.adapter.asked[0].headers["Prefer"] == "a"


def test_a_page_from_a_batch_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, lambda _request: answer({"value": [2]}))
    first = {"value": [1], "@odata.nextLink": NEXT}
    assert [page["value"] for page in graph.client.follow(CALL, first)] == [[1], [2]]
    assert graph.adapter.urls == ["/v1.0/groups?$skiptoken=2"]
    assert [page["value"] for page in graph.client.follow(CALL, {"value": [3]})] == [[3]]


CALLS = [Call(f"/groups/{number}", ()) for number in range(BATCH_SIZE)]


def given(number: str) -> dict[str, Any]:
    return {"status": 200, "body": {"no": number}}


def test_a_batch_is_answered_in_the_order_of_its_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, batched(lambda item: given(item["url"]), backwards=True))
    answers = graph.client.batch(CALLS)
    assert answers == [(200, {"no": f"/groups/{number}"}) for number in range(BATCH_SIZE)]
    (request,) = graph.adapter.asked
    assert [item["method"] for item in requests_of(request)] == ["GET"] * BATCH_SIZE


def test_what_a_batch_puts_off_is_sent_again_after_the_longest_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    put_off = {"3": "7", "5": "2"}

    def give(item: dict[str, Any]) -> dict[str, Any]:
        wait = put_off.pop(item["id"], None)
        return {"status": 429, "headers": {"Retry-After": wait}, "body": {}} if wait else given(item["id"])

    graph = Graph(monkeypatch, batched(give))
    assert [status for status, _body in graph.client.batch(CALLS)] == [200] * BATCH_SIZE
    assert graph.waits == [7]
    assert [item["id"] for item in requests_of(graph.adapter.asked[1])] == ["3", "5"]


@pytest.mark.parametrize("headers", [{}, None, {"Retry-After": "soon"}, {"Retry-After": "\u00b2"}])
def test_without_a_word_on_how_long_the_wait_grows(monkeypatch: pytest.MonkeyPatch, headers: object) -> None:
    graph = Graph(monkeypatch, batched(lambda _item: {"status": 503, "headers": headers}))
    assert graph.client.batch(CALLS[:1]) == [(503, None)]
    assert graph.waits == [1, 2, 4, 8, 16]


def test_no_wait_is_longer_than_five_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, batched(lambda _item: {"status": 429, "headers": {"Retry-After": "86400"}}))
    graph.client.batch(CALLS[:1])
    assert set(graph.waits) == {300}


def test_an_item_that_a_batch_leaves_out_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = {"4"}

    def give(item: dict[str, Any]) -> dict[str, Any] | None:
        if item["id"] in missing:
            missing.remove(item["id"])
            return None
        return given(item["id"])

    graph = Graph(monkeypatch, batched(give))
    assert [status for status, _body in graph.client.batch(CALLS)] == [200] * BATCH_SIZE
    assert [item["id"] for item in requests_of(graph.adapter.asked[1])] == ["4"]


@pytest.mark.parametrize(
    "body",
    [
        {"responses": []},
        {"responses": None},
        {},
        [],
        {"responses": ["x", {"id": "x", "status": 200}, {"id": "99", "status": 200}, {"id": "0", "status": "200"}]},
    ],
)
def test_a_batch_that_never_answers_everything(monkeypatch: pytest.MonkeyPatch, body: object) -> None:
    graph = Graph(monkeypatch, lambda _request: answer(body))
    with pytest.raises(EntraError) as caught:
        graph.client.batch(CALLS[:1])
    assert caught.value.code == "entra_answer_broken"


def test_a_batch_that_is_refused_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, lambda _request: answer({"error": {"code": "x", "message": "y"}}, 400))
    with pytest.raises(EntraError, match="400 x: y"):
        graph.client.batch(CALLS)


def test_other_statuses_of_items_are_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, batched(lambda _item: {"status": 404, "body": {"error": {}}}))
    assert graph.client.batch(CALLS[:1]) == [(404, {"error": {}})]
    assert graph.waits == []


def test_deep_json_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, lambda _request: answer(b'{"value":' + b"[" * 200_000 + b"]" * 200_000 + b"}"))
    with pytest.raises(EntraError) as caught:
        read(graph)
    assert caught.value.code == "entra_answer_broken"


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_the_token_follows_no_redirect(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    graph = Graph(monkeypatch, lambda _request: answer({}, status, {"Location": "https://evil.example/v1.0/groups"}))
    with pytest.raises(EntraError):
        read(graph)
    assert {str(request.url).split("/")[2] for request in graph.adapter.asked} == {"graph.microsoft.com"}


@pytest.mark.parametrize(
    "number",
    [
        "20",
        "-1",
        "999999999999999999999",
        "x",
        "",
        None,
        7.5,
        ["0"],
        "\u0663",
        "\u00b2",
        pytest.param("9" * 5000, id="9s"),
    ],
)
def test_an_answer_to_what_was_not_asked_is_none(monkeypatch: pytest.MonkeyPatch, number: object) -> None:
    body = {"responses": [{"id": number, "status": 200, "body": {"value": []}}] * 3}
    with pytest.raises(EntraError) as caught:
        Graph(monkeypatch, lambda _request: answer(body)).client.batch(CALLS[:2])
    assert caught.value.code == "entra_answer_broken"


WRITE = Call("/groups/x", ("Group.ReadWrite.All",), method="PATCH")


@pytest.mark.parametrize(("status", "body"), [(204, b""), (200, {"id": "x"}), (201, {"id": "x"})])
def test_a_write_succeeds(monkeypatch: pytest.MonkeyPatch, status: int, body: Any) -> None:
    graph = Graph(monkeypatch, lambda _request: answer(body, status))
    assert graph.client.write(WRITE, {"a": 1}) == (body or {})
    assert (graph.adapter.asked[0].method, graph.adapter.asked[0].body) == ("PATCH", b'{"a": 1}')


def test_a_write_that_is_put_off_is_sent_again_when_the_service_says(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, in_turn(answer({}, 429, {"Retry-After": "7"}), answer({}, 503), answer(b"", 204)))
    assert graph.client.write(WRITE, {}) == {}
    assert graph.waits == [7, 1]


def test_a_write_that_is_put_off_for_ever_or_refused_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph(monkeypatch, lambda _request: answer({}, 429))
    with pytest.raises(EntraError) as caught:
        graph.client.write(WRITE, {})
    assert caught.value.code == "entra_429" and len(graph.adapter.asked) == 6
    graph = Graph(monkeypatch, lambda _request: answer({"error": {"code": "Request_BadRequest", "message": "no"}}, 400))
    with pytest.raises(EntraError, match="Microsoft Graph refused PATCH /groups/x: 400 Request_BadRequest: no"):
        graph.client.write(WRITE, {})
    assert len(graph.adapter.asked) == 1
    graph = Graph(monkeypatch, lambda _request: answer({}, 403))
    with pytest.raises(EntraError, match=r"lacks the permission Group\.ReadWrite\.All"):
        graph.client.write(WRITE, {})
