# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The session: certificates, time-outs, tries, and what is never sent in clear."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import http
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
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


def test_what_may_succeed_later_is_tried_again() -> None:
    adapter = http.open_session(None).get_adapter("https://graph.microsoft.com")
    assert isinstance(adapter, requests.adapters.HTTPAdapter)
    retry = adapter.max_retries
    assert all(retry.is_retry("GET", status) for status in (429, 500, 502, 503, 504))
    assert not any(retry.is_retry("GET", status) for status in (200, 400, 401, 403, 404))
    assert not retry.is_retry("PATCH", 503)
    assert retry.respect_retry_after_header
    assert (retry.total or 0) > 3


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
