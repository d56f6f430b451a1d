# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Token requests: MSAL with secret and certificate, and every refusal."""

from __future__ import annotations

import time
import uuid
from typing import Any

import jwt
import msal
import pytest

from .tenant import TENANT, Emulator, app_id, oid

_SCOPE = "https://graph.microsoft.com/.default"
_ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def _msal(emulator: Emulator, credential: Any, **rest: Any) -> dict[str, Any]:
    application = msal.ConfidentialClientApplication(
        app_id("all"),
        client_credential=credential,
        authority=f"{emulator.url}/{TENANT}",
        instance_discovery=False,
        http_client=emulator.session,
        **rest,
    )
    result: dict[str, Any] = application.acquire_token_for_client([_SCOPE])
    return result


def test_msal_accepts_the_token_for_a_secret(emulator: Emulator) -> None:
    result = _msal(emulator, "all-secret")
    claims = jwt.decode(result["access_token"], options={"verify_signature": False})
    assert claims["aud"] == "https://graph.microsoft.com"
    assert claims["tid"] == TENANT
    assert claims["appid"] == app_id("all")
    assert "Group.ReadWrite.All" in claims["roles"]


@pytest.mark.parametrize("style", ["RS256 with x5t", "PS256 with x5t#S256"])
def test_msal_accepts_the_token_for_a_certificate(emulator: Emulator, style: str) -> None:
    credential = {"private_key": emulator.pki.client_key}
    if style.startswith("RS256"):
        credential["thumbprint"] = emulator.pki.client_thumbprint
    else:
        credential["public_certificate"] = emulator.pki.client_certificate
    token = _msal(emulator, credential)["access_token"]
    answer = emulator.session.get(
        f"{emulator.url}/v1.0/groups", headers={"Authorization": f"Bearer {token}"}, timeout=10
    )
    assert answer.status_code == 200


def test_msal_reports_a_wrong_secret(emulator: Emulator) -> None:
    result = _msal(emulator, "wrong")
    assert result["error"] == "invalid_client"
    assert result["error_codes"] == [7000215]


@pytest.mark.parametrize(
    ("change", "status", "number"),
    [
        ({"client_secret": "wrong"}, 401, 7000215),
        ({"client_id": app_id("expired"), "client_secret": "expired-secret"}, 401, 7000222),
        ({"client_id": oid("nobody")}, 400, 700016),
        ({"scope": "https://graph.microsoft.com/Group.Read.All"}, 400, 70011),
        ({"grant_type": "password"}, 400, 70003),
        ({"scope": ""}, 400, 900144),
        ({"client_secret": None}, 401, 7000218),
    ],
)
def test_a_bad_token_request_is_refused(
    emulator: Emulator, change: dict[str, str | None], status: int, number: int
) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": app_id("all"),
        "client_secret": "all-secret",
        "scope": _SCOPE,
        **change,
    }
    answer = emulator.login({name: value for name, value in form.items() if value is not None})
    assert (answer.status_code, answer.json()["error_codes"]) == (status, [number])
    assert f"AADSTS{number}" in answer.json()["error_description"]


def test_an_unknown_tenant_is_refused_at_discovery_and_at_the_token_endpoint(emulator: Emulator) -> None:
    stranger = oid("other tenant")
    discovery = emulator.session.get(f"{emulator.url}/{stranger}/v2.0/.well-known/openid-configuration", timeout=10)
    token = emulator.login({"grant_type": "client_credentials"}, tenant=stranger)
    assert [answer.json()["error_codes"] for answer in (discovery, token)] == [[90002], [90002]]


def test_the_own_host_is_a_scope_too(emulator: Emulator) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": app_id("all"),
        "client_secret": "all-secret",
        "scope": f"{emulator.url}/.default",
    }
    assert emulator.login(form).status_code == 200


def _assertion(emulator: Emulator, headers: dict[str, str] | None = None, **change: Any) -> str:
    now = int(time.time())
    claims = {
        "aud": f"{emulator.url}/{TENANT}/oauth2/v2.0/token",
        "iss": app_id("all"),
        "sub": app_id("all"),
        "jti": str(uuid.uuid4()),
        "nbf": now - 5,
        "exp": now + 300,
        **change,
    }
    thumbprint = jwt.utils.base64url_encode(bytes.fromhex(emulator.pki.client_thumbprint)).decode()
    sent = {"x5t": thumbprint} if headers is None else headers
    return jwt.encode(claims, emulator.pki.client_key, algorithm="RS256", headers=sent)


def _present(emulator: Emulator, assertion: str) -> tuple[int, list[int]]:
    form = {
        "grant_type": "client_credentials",
        "client_id": app_id("all"),
        "client_assertion_type": _ASSERTION_TYPE,
        "client_assertion": assertion,
        "scope": _SCOPE,
    }
    answer = emulator.login(form)
    return answer.status_code, answer.json().get("error_codes", [])


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({"aud": "https://login.example.net/token"}, 700023),
        ({"iss": "somebody"}, 700021),
        ({"sub": "somebody"}, 700021),
        ({"exp": 1}, 700024),
        ({"nbf": 4102444800}, 700024),
        ({"headers": {"x5t": "AAAA"}}, 700027),
        ({"headers": {}}, 700027),
    ],
)
def test_a_bad_assertion_is_refused(emulator: Emulator, change: dict[str, Any], number: int) -> None:
    assert _present(emulator, _assertion(emulator, **change)) == (401, [number])


def test_an_assertion_with_a_foreign_signature_is_refused(emulator: Emulator) -> None:
    head, body, signature = _assertion(emulator).split(".")
    forged = ("A" if signature[0] != "A" else "B") + signature[1:]
    assert _present(emulator, ".".join((head, body, forged))) == (401, [700027])


def test_an_assertion_counts_once(emulator: Emulator) -> None:
    assertion = _assertion(emulator)
    assert _present(emulator, assertion) == (200, [])
    assert _present(emulator, assertion) == (401, [700027])


def _with_token(emulator: Emulator, token: str) -> tuple[int, str]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = emulator.session.get(f"{emulator.url}/v1.0/groups", headers=headers, timeout=10)
    return answer.status_code, answer.json()["error"]["code"]


def test_graph_refuses_missing_foreign_expired_and_revoked_tokens(emulator: Emulator) -> None:
    refused = (401, "InvalidAuthenticationToken")
    assert _with_token(emulator, "") == refused
    foreign = jwt.encode({"aud": "https://graph.microsoft.com"}, emulator.pki.client_key, algorithm="RS256")
    assert _with_token(emulator, foreign) == refused
    emulator.admin.knobs(token_seconds=1)
    short = _msal(emulator, "all-secret")["access_token"]
    time.sleep(2.1)
    assert _with_token(emulator, short) == refused
    emulator.admin.reset()
    token = _msal(emulator, "all-secret")["access_token"]
    emulator.admin.revoke_access_tokens()
    emulator.forget_tokens()
    assert _with_token(emulator, token) == refused


def test_the_record_holds_no_secret(emulator: Emulator) -> None:
    _msal(emulator, "all-secret")
    emulator.get("/groups?$top=1")
    text = str(emulator.admin.requests())
    assert "/oauth2/v2.0/token" in text
    assert "all-secret" not in text
    assert emulator.token("all") not in text
