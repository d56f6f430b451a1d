# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An adapter of requests that answers from a script, through urllib3's own reading of the bytes."""

from __future__ import annotations

import http.client
import io
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import requests
from requests.adapters import HTTPAdapter
from urllib3.response import HTTPResponse

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import auth
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.auth import EntraSettings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import GraphClient
from tests.unit.samples import TENANT, cloud_id

BASE = "https://graph.microsoft.com"
SETTINGS = EntraSettings(TENANT, "app", "https://login.microsoftonline.com", BASE, client_secret="s3cr3t")

Script = Callable[[requests.PreparedRequest], "bytes | Exception"]


class _Socket:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def makefile(self, *_arguments: object) -> io.BytesIO:
        """Give the bytes that a server sent."""
        return io.BytesIO(self._content)


def answer(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> bytes:
    """Return a whole answer as it stands on the wire."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = {"Content-Type": "application/json", "Content-Length": str(len(content)), **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in head.items() if value)
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + content


class ScriptedAdapter(HTTPAdapter):
    """Asks the script for each request; what it gives is parsed as an answer, or raised."""

    def __init__(self, script: Script) -> None:
        super().__init__()
        self.script = script
        self.asked: list[requests.PreparedRequest] = []

    def send(self, request: requests.PreparedRequest, *_arguments: Any, **_options: Any) -> requests.Response:
        """Answer a request."""
        self.asked.append(request)
        given = self.script(request)
        if isinstance(given, Exception):
            raise given
        raw = http.client.HTTPResponse(_Socket(given), method=request.method)  # type: ignore[arg-type]
        raw.begin()
        wire = HTTPResponse(
            body=raw,
            headers=dict(raw.msg.items()),
            status=raw.status,
            preload_content=False,
            decode_content=False,
            request_method=request.method,
        )
        return self.build_response(request, wire)

    @property
    def urls(self) -> list[str]:
        """The addresses asked, without the base."""
        return [str(request.url).removeprefix(BASE) for request in self.asked]


_ROLES = frozenset({"User.Read.All"})


class Graph:
    """A client over a scripted adapter, logged on without the network; waiting takes no time but is written down."""

    def __init__(
        self, patch: pytest.MonkeyPatch, script: Script, roles: frozenset[str] = frozenset({"User.Read.All"})
    ) -> None:
        patch.setattr(auth.TokenSource, "token", lambda _self: "token")
        self.waits: list[float] = []
        patch.setattr(time, "sleep", self.waits.append)
        self.client = GraphClient(SETTINGS)
        self.client._tokens.roles = roles
        self.adapter = ScriptedAdapter(script)
        self.client._session.mount("https://", self.adapter)


def in_turn(*answers: bytes | Exception) -> Script:
    """Return a script that gives these answers one after the other."""
    waiting = list(answers)
    return lambda _request: waiting.pop(0)


def requests_of(batch: requests.PreparedRequest) -> list[dict[str, Any]]:
    """Return what a batch asks for."""
    assert batch.body
    found: list[dict[str, Any]] = json.loads(batch.body)["requests"]
    return found


def batched(give: Callable[[dict[str, Any]], dict[str, Any] | None], *, backwards: bool = False) -> Script:
    """Return a script that answers each item of a batch by itself; None leaves one out."""

    def script(request: requests.PreparedRequest) -> bytes:
        items = [(item["id"], give(item)) for item in requests_of(request)]
        responses = [{"id": number, **found} for number, found in items if found is not None]
        return answer({"responses": responses[::-1] if backwards else responses})

    return script


def principal(number: int, kind: str = "user", **more: object) -> dict[str, object]:
    """Return a principal of an answer."""
    return {"@odata.type": f"#microsoft.graph.{kind}", "id": cloud_id(number), "displayName": f"P {number}", **more}


def listing(*items: object, count: int | None = None, link: str | None = None) -> dict[str, object]:
    """Return a page of a list."""
    body: dict[str, object] = {"value": list(items), "@odata.count": len(items) if count is None else count}
    return {**body, "@odata.nextLink": link} if link else body
