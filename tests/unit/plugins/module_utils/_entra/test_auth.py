# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logging on with MSAL, over a scripted adapter."""

from __future__ import annotations

import base64
import dataclasses
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import msal
import pytest
import requests

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import auth
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.auth import EntraSettings, TokenSource
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    EntraError,
)
from tests.unit.plugins.module_utils._entra.scripted import SETTINGS, ScriptedAdapter, answer
from tests.unit.samples import TENANT

LOGIN = f"https://login.microsoftonline.com/{TENANT}"
OPEN_ID = {
    "authorization_endpoint": f"{LOGIN}/oauth2/v2.0/authorize",
    "token_endpoint": f"{LOGIN}/oauth2/v2.0/token",
    "issuer": f"{LOGIN}/v2.0",
}


def jwt(claims: object) -> str:
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"head.{part}.signature"


def source(settings: EntraSettings, reply: bytes | Exception) -> tuple[TokenSource, ScriptedAdapter]:
    """Return a token source; the tenant is known and the token request is answered as given."""
    adapter = ScriptedAdapter(lambda request: answer(OPEN_ID) if request.method == "GET" else reply)
    result = TokenSource(settings)
    result._session.mount("https://", adapter)
    return result, adapter


def granted(claims: object) -> bytes:
    return answer({"access_token": jwt(claims), "expires_in": 3600, "token_type": "Bearer"})


def asked(adapter: ScriptedAdapter) -> dict[str, list[str]]:
    body = adapter.asked[-1].body
    assert body is not None
    return parse_qs(body.decode() if isinstance(body, bytes) else body)


def test_a_token_is_asked_for_once_and_shows_its_permissions() -> None:
    tokens, adapter = source(SETTINGS, granted({"roles": ["Group.Read.All"]}))
    assert tokens.roles == frozenset()
    assert tokens.token() == tokens.token() == jwt({"roles": ["Group.Read.All"]})
    assert tokens.roles == {"Group.Read.All"}
    assert len([request for request in adapter.asked if request.method == "POST"]) == 1
    form = asked(adapter)
    assert form["scope"] == ["https://graph.microsoft.com/.default"]
    assert (form["client_id"], form["client_secret"]) == (["app"], ["s3cr3t"])


def test_the_assertion_of_another_identity_provider(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(" assertion\n")
    settings = dataclasses.replace(SETTINGS, client_secret=None, federated_token_file=str(file))
    tokens, adapter = source(settings, granted({}))
    tokens.token()
    assert asked(adapter)["client_assertion"] == ["assertion"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        ("-----BEGIN CERTIFICATE-----", "lacks private key"),
        ("-----BEGIN PRIVATE KEY-----", "lacks private key or certificate"),
    ],
)
def test_a_certificate_that_cannot_be_used(tmp_path: Path, content: str | None, words: str) -> None:
    file = tmp_path / "app.pem"
    if content:
        file.write_text(content)
    with pytest.raises(ConfigurationError, match=words) as caught:
        TokenSource(dataclasses.replace(SETTINGS, client_secret=None, client_certificate_path=str(file)))
    assert caught.value.message.startswith("client_certificate_path")


def test_a_certificate_is_handed_over_with_its_key(tmp_path: Path) -> None:
    file = tmp_path / "app.pem"
    pem = "-----BEGIN PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\n"
    file.write_text(pem)
    settings = dataclasses.replace(SETTINGS, client_secret=None, client_certificate_path=str(file))
    assert auth._credential(settings) == {"private_key": pem, "public_certificate": pem}


def test_no_credential_at_all() -> None:
    with pytest.raises(ConfigurationError, match="No credential"):
        TokenSource(dataclasses.replace(SETTINGS, client_secret=None))


def test_a_token_file_that_went_away(tmp_path: Path) -> None:
    settings = dataclasses.replace(SETTINGS, client_secret=None, federated_token_file=str(tmp_path / "none"))
    with pytest.raises(ConfigurationError, match="federated_token_file"):
        source(settings, granted({}))[0].token()


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("AADSTS7000222", "client_secret_expired"),
        ("AADSTS7000215", "client_secret_wrong"),
        ("AADSTS700016", "application_unknown"),
        ("AADSTS90002", "tenant_unknown"),
        ("AADSTS700027", "certificate_wrong"),
        ("AADSTS700024", "clock_skew"),
        ("AADSTS99999", "log_on_refused"),
    ],
)
def test_the_reasons_of_a_refused_log_on(number: str, code: str) -> None:
    reply = answer({"error": "invalid_client", "error_description": f"{number}: text.\r\nTrace ID: 1"}, 401)
    with pytest.raises(EntraError) as caught:
        source(SETTINGS, reply)[0].token()
    assert caught.value.code == code
    assert "s3cr3t" not in str(caught.value)
    assert "Trace ID" not in str(caught.value)


def test_a_refusal_without_a_reason() -> None:
    with pytest.raises(EntraError, match="odd"):
        source(SETTINGS, answer({"error": "odd"}, 400))[0].token()


def test_a_tenant_that_is_not_there() -> None:
    tokens = TokenSource(SETTINGS)
    refusal = answer({"error": "invalid_tenant", "error_description": "AADSTS90002: Tenant not found"}, 400)
    tokens._session.mount("https://", ScriptedAdapter(lambda _request: refusal))
    with pytest.raises(EntraError) as caught:
        tokens.token()
    assert caught.value.code == "tenant_unknown"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (requests.exceptions.SSLError("x"), "entra_not_trusted"),
        (requests.exceptions.ConnectionError("x"), "entra_unreachable"),
    ],
)
def test_a_log_on_service_that_cannot_be_reached(error: Exception, code: str) -> None:
    tokens = TokenSource(SETTINGS)
    tokens._session.mount("https://", ScriptedAdapter(lambda _request: error))
    with pytest.raises(EntraError, match=r"login\.microsoftonline\.com") as caught:
        tokens.token()
    assert caught.value.code == code


@pytest.mark.parametrize("client_id", ["app", ""])
def test_a_managed_identity(monkeypatch: pytest.MonkeyPatch, client_id: str) -> None:
    made: list[Any] = []

    class Client:
        def __init__(self, identity: Any, **_options: Any) -> None:
            made.append(identity)

        def acquire_token_for_client(self, *, resource: str) -> dict[str, str]:
            made.append(resource)
            return {"access_token": jwt({"roles": ["x"]})}

    monkeypatch.setattr(msal, "ManagedIdentityClient", Client)
    tokens = TokenSource(dataclasses.replace(SETTINGS, managed_identity=True, client_id=client_id))
    assert tokens.token()
    assert tokens.roles == {"x"}
    assert made[1] == "https://graph.microsoft.com"
    kind = msal.UserAssignedManagedIdentity if client_id else msal.SystemAssignedManagedIdentity
    assert isinstance(made[0], kind)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", jwt([]), jwt({"roles": None}), "a.!!!.c", jwt({})])
def test_a_token_that_cannot_be_looked_into_shows_no_permissions(token: str) -> None:
    assert auth._roles(token) == frozenset()


def test_the_secret_is_not_shown() -> None:
    assert "s3cr3t" not in repr(SETTINGS)


def test_the_clouds_have_end_points_of_their_own() -> None:
    assert set(auth.CLOUDS) == {"global", "us_gov", "us_dod", "china"}
    assert all(url.startswith("https://") for pair in auth.CLOUDS.values() for url in pair)
