# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session: certificates, time-outs, tries, and what is never sent in clear."""

from __future__ import annotations

import gzip
import time
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import requests

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import http
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    EntraError,
)
from tests.unit.plugins.module_utils._entra.scripted import ScriptedAdapter, answer


def test_the_environment_does_not_decide_whom_to_trust(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/elsewhere.pem")
    ca_cert = tmp_path / "ca.pem"
    ca_cert.write_text("x")
    session = http.open_session(str(ca_cert))
    assert (session.trust_env, session.verify) == (False, str(ca_cert))
    assert http.open_session(None).verify is True


def test_a_ca_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="ca_cert") as caught:
        http.open_session(str(tmp_path / "none.pem"))
    assert caught.value.code == "ca_cert_unreadable"


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", "http://proxy.contoso.com:3128")
    assert http.open_session(None).proxies["https"] == "http://proxy.contoso.com:3128"


def test_nothing_is_sent_in_clear() -> None:
    with pytest.raises(requests.exceptions.InvalidSchema):
        http.open_session(None).get("http://graph.microsoft.com")


class Waits:
    """A session whose waits are noted and not waited."""

    def __init__(self, patch: pytest.MonkeyPatch, *answers: bytes) -> None:
        self.seconds: list[float] = []
        patch.setattr(time, "sleep", self.seconds.append)
        script = list(answers)
        self.adapter = ScriptedAdapter(lambda _request: script.pop(0) if len(script) > 1 else script[0])
        self.session = http.open_session(None)
        self.session.mount("https://", self.adapter)

    def send(self, method: str = "GET", **options: Any) -> requests.Response:
        """Send a request."""
        return self.session.request(method, "https://graph.microsoft.com/v1.0/groups", **options)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7),
        ("0", 0),
        ("86400", 300),
        ("99999999999", 300),
        ("Fri, 31 Dec 2999 23:59:59 GMT", 300),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0),
        ("soon", 0.5),
        ("", 0.5),
    ],
)
def test_the_service_is_not_waited_for_longer_than_is_sensible(
    monkeypatch: pytest.MonkeyPatch, header: str, seconds: float
) -> None:
    waits = Waits(monkeypatch, answer({}, 429, {"Retry-After": header}), answer({"value": []}))
    assert waits.send().json() == {"value": []}
    assert waits.seconds == [seconds]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_may_succeed_later_is_tried_again(monkeypatch: pytest.MonkeyPatch, method: str, status: int) -> None:
    waits = Waits(monkeypatch, answer({"error": "x"}, status))
    assert waits.send(method).status_code == status
    assert len(waits.adapter.asked) == 6
    assert waits.seconds == [0.5, 1, 2, 4, 8]


@pytest.mark.parametrize(
    ("method", "status"), [*(("GET", status) for status in (200, 400, 401, 403, 404)), ("DELETE", 503)]
)
def test_what_will_not_succeed_later_is_not(monkeypatch: pytest.MonkeyPatch, method: str, status: int) -> None:
    waits = Waits(monkeypatch, answer({}, status))
    assert waits.send(method).status_code == status
    assert len(waits.adapter.asked) == 1


def test_an_answer_that_is_put_off_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def read_body(answered: requests.Response, _what: str) -> bytes:
        read.append(answered.status_code)
        return b"{}"

    monkeypatch.setattr(http, "read_body", read_body)
    waits = Waits(monkeypatch, answer(b"x" * 10_000_000, 503), answer({}))
    waits.send()
    assert read == [200]


def test_a_log_on_does_not_read_for_ever_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_MOST_BYTES", 1000)
    with pytest.raises(EntraError, match="larger than 1000 bytes"):
        Waits(monkeypatch, answer(b"x" * 2000)).send("POST")
    with pytest.raises(requests.exceptions.ContentDecodingError):
        Waits(monkeypatch, answer(b"{", 200, {"Content-Length": "100"})).send("POST")


def test_the_metadata_service_is_asked_without_proxies_and_with_the_same_bounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.contoso.com:3128")
    session = http.open_host_session()
    assert (session.trust_env, dict(session.proxies)) == (False, {})
    assert type(session) is type(http.open_session(None))


def test_no_request_waits_for_ever_or_follows_elsewhere() -> None:
    options: dict[str, Any] = {}

    class Adapter(ScriptedAdapter):
        def send(self, request: requests.PreparedRequest, *_arguments: Any, **given: Any) -> requests.Response:
            options.update(given)
            return super().send(request)

    session = http.open_session(None)
    session.mount("https://", Adapter(lambda _request: answer({}, 302, {"Location": "https://evil.example/"})))
    with pytest.raises(requests.exceptions.TooManyRedirects):
        session.get("https://graph.microsoft.com/")
    assert options["timeout"] == (http.CONNECT_SECONDS, http.ANSWER_SECONDS)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (requests.exceptions.SSLError("x"), "entra_not_trusted"),
        (requests.exceptions.ConnectTimeout("x"), "entra_unreachable"),
        (requests.exceptions.ConnectionError("x"), "entra_unreachable"),
    ],
)
def test_the_reasons_of_no_answer(error: Exception, code: str) -> None:
    found, sentence, remedy = http.network_problem(error)
    assert (found, bool(sentence), bool(remedy)) == (code, True, True)


class _Stream:
    """A response whose body comes in pieces."""

    def __init__(self, pieces: list[bytes], seconds: list[float], **headers: str) -> None:
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.raw = self
        self._pieces, self._seconds = iter(pieces), seconds

    read = None  # waits for a whole piece

    def read1(self, _most: int, decode_content: bool) -> bytes:
        """Give the next piece, ten seconds later."""
        assert not decode_content
        self._seconds[0] += 10
        return next(self._pieces, b"")


def _body(monkeypatch: pytest.MonkeyPatch, pieces: list[bytes], **headers: str) -> bytes:
    seconds = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: seconds[0])
    return http.read_body(_Stream(pieces, seconds, **headers), "GET /groups")  # type: ignore[arg-type]


def test_a_small_answer_does_not_become_a_large_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of a gigabyte of zeros is a quarter of a megabyte on the wire."""
    packed = gzip.compress(bytes(1 << 28), compresslevel=1)
    pieces = [packed[start : start + 65536] for start in range(0, len(packed), 65536)]
    tracemalloc.start()
    with pytest.raises(EntraError) as caught:
        _body(monkeypatch, pieces, Content_Encoding="gzip")
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.code == "entra_answer_too_large"
    assert most < 3 * http._MOST_BYTES


def test_an_answer_that_never_stops_is_not_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EntraError) as caught:
        _body(monkeypatch, [bytes(1 << 22)] * 10_000)
    assert caught.value.code == "entra_answer_too_large"


def test_an_answer_that_drips_ends_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EntraError) as caught:
        _body(monkeypatch, [b" "] * 10_000)
    assert caught.value.code == "entra_answer_endless"


@pytest.mark.parametrize("packing", ["br", "deflate", "gzip, gzip", "x"])
def test_what_is_packed_otherwise_is_not_unpacked(monkeypatch: pytest.MonkeyPatch, packing: str) -> None:
    with pytest.raises(ValueError, match=packing):
        _body(monkeypatch, [b"{}"], Content_Encoding=packing)


def test_a_body_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    content = b'{"value": []}'
    packed = gzip.compress(content)
    assert (
        _body(monkeypatch, [packed[:9], packed[9:]], Content_Encoding="gzip", Content_Length=str(len(packed)))
        == content
    )
    assert _body(monkeypatch, [content[:5], content[5:]], Content_Length=str(len(content))) == content
    for pieces, headers in (([packed[:-4]], {"Content_Encoding": "gzip"}), ([content], {"Content_Length": "99"})):
        with pytest.raises(ValueError, match="cut"):
            _body(monkeypatch, pieces, **headers)
