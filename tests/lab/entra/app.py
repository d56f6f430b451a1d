# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ASGI application: login, Graph and the lab's own interface on one port."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from .admin_api import AdminApi
from .batch import parse_options, run_batch
from .calls import Call
from .errors import GraphError, unknown_segment, unparsable
from .faults import Rule, change_body, change_text, scripted_body
from .service import Answer, Service
from .tokens import LoginError

TRANSPORT = "lab.transport"
_VERSIONS = ("v1.0", "beta")


class Emulator:
    """HTTP on one side, the service on the other; faults strike in between."""

    def __init__(self, service: Service) -> None:
        self._service = service

    # Login

    async def openid_configuration(self, request: Request) -> Response:
        self._note(request, 200)
        try:
            self._service.tokens.check_tenant(request.path_params["tenant"])
        except LoginError as error:
            return JSONResponse(error.body(str(uuid.uuid4())), error.status)
        return JSONResponse(self._service.tokens.discovery())

    async def keys(self, request: Request) -> Response:
        self._note(request, 200)
        return JSONResponse(self._service.tokens.keys())

    async def token(self, request: Request) -> Response:
        correlation = request.headers.get("client-request-id", str(uuid.uuid4()))
        form = dict(parse_qsl((await request.body()).decode()))
        rule = await self._strike(request)
        if rule is not None and rule.action == "status":
            answer = _scripted(rule)
            self._note(request, answer.status, app_id=form.get("client_id"))
            return Response(json.dumps(answer.body), answer.status, dict(answer.headers))
        try:
            self._service.tokens.check_tenant(request.path_params["tenant"])
            body = self._service.tokens.issue(form, self._service.tenant.knobs.token_seconds)
            status = 200
        except LoginError as error:
            body, status = error.body(correlation), error.status
        self._note(request, status, app_id=form.get("client_id"), error=body.get("error_codes"))
        headers = {"Cache-Control": "no-store, no-cache", "client-request-id": correlation}
        return JSONResponse(body, status, headers)

    def _note(self, request: Request, status: int, **rest: Any) -> int:
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return self._service.record.add(
            method=request.method, target=target, headers=_headers(request), status=status, batch=None, **rest
        )

    # Graph

    async def graph(self, request: Request) -> Response:
        raw = await request.body()
        rule = await self._strike(request)
        if rule is not None and rule.action == "reset":
            return Response()  # Nobody is left to read it.
        if rule is not None and rule.action == "status":
            answer = _scripted(rule)
            self._note(request, answer.status, fault=rule.action)
            return Response(json.dumps(answer.body), answer.status, dict(answer.headers))
        fault = None if rule is None else rule.action
        number = self._note(request, 0, app_id=None, units=0, implemented=True, fault=fault)
        answer, call = self._answer(request, raw, number)
        # A batch and the write bodies are part of the record: tests judge by them.
        body = call.body if call.path.lower() != "/$batch" else None
        self._service.record.amend(
            number,
            status=answer.status,
            app_id=call.app_id or None,
            units=answer.units,
            implemented=answer.implemented,
            body=body,
        )
        return self._respond(request, answer, rule)

    def _answer(self, request: Request, raw: bytes, number: int) -> tuple[Answer, Call]:
        version, _unused, path = request.url.path.lstrip("/").partition("/")
        call = Call(
            method=request.method,
            base_url=self._service.config.base_url,
            version=version,
            path=f"/{path}",
            options={},
            headers=_headers(request),
            body=None,
            app_id="",
            roles=frozenset(),
        )
        try:
            if version not in _VERSIONS:
                raise unknown_segment(version)
            identity = self._service.tokens.verify(request.headers.get("authorization"))
            call = replace(call, app_id=identity.app_id, roles=identity.roles)
            call = replace(call, options=parse_options(request.url.query), body=_json(raw))
            if call.path.lower() == "/$batch" and call.method == "POST":
                return run_batch(self._service, call, number), call
        except GraphError as error:
            return self._service.refuse(call, error), call
        return self._service.execute(call), call

    def _respond(self, request: Request, answer: Answer, rule: Rule | None) -> Response:
        headers = dict(answer.headers)
        if answer.text is not None:
            return Response(answer.text, answer.status, headers)
        if answer.body is None:
            return Response(None, answer.status, headers)
        if rule is None:
            return Response(_dump(answer.body), answer.status, headers)
        payload = change_text(rule, _dump(change_body(rule, answer.body, str(request.url))))
        if rule.action == "slow_body":
            headers["Content-Length"] = str(len(payload))
            return StreamingResponse(_trickle(payload, rule.options.get("seconds", 1.0)), answer.status, headers)
        if rule.action == "disconnect":
            headers["Content-Length"] = str(len(payload))
            return StreamingResponse(_cut(request, payload), answer.status, headers)
        return Response(payload, answer.status, headers)

    # Faults

    async def _strike(self, request: Request) -> Rule | None:
        """Find the fault of this request; a hang or a reset happens here and now."""
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        rule = self._service.faults.find(request.method, target)
        if rule is None:
            return None
        if rule.action == "hang":
            await asyncio.sleep(rule.options.get("seconds", 30.0))
        if rule.action == "reset":
            self._note(request, 0, fault="reset")
            request.scope["extensions"][TRANSPORT].abort()
            await asyncio.sleep(0.05)
        return rule


def _headers(request: Request) -> Mapping[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _dump(body: Any) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _json(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        raise unparsable("Unable to read JSON request payload. Please ensure Content-Type header is set.") from None


def _scripted(rule: Rule) -> Answer:
    headers = {"Content-Type": "application/json", **rule.options.get("headers", {})}
    return Answer(rule.options.get("status", 503), headers, scripted_body(rule))


async def _trickle(payload: bytes, seconds: float) -> AsyncIterator[bytes]:
    parts = 10
    size = len(payload) // parts + 1
    for start in range(0, len(payload), size):
        await asyncio.sleep(seconds / parts)
        yield payload[start : start + size]


async def _cut(request: Request, payload: bytes) -> AsyncIterator[bytes]:
    yield payload[: len(payload) // 2]
    await asyncio.sleep(0.05)
    request.scope["extensions"][TRANSPORT].abort()
    await asyncio.sleep(0.05)
    yield payload[len(payload) // 2 :]


def build_app(service: Service) -> Starlette:
    """Put login, the lab's interface and Graph together; every other path is Graph's to refuse."""
    emulator, admin = Emulator(service), AdminApi(service)
    methods = ["GET", "POST", "PATCH", "PUT", "DELETE"]
    return Starlette(
        routes=[
            Route("/_lab/{operation}", admin.handle, methods=["POST"]),
            Route("/{tenant}/v2.0/.well-known/openid-configuration", emulator.openid_configuration),
            Route("/{tenant}/discovery/v2.0/keys", emulator.keys),
            Route("/{tenant}/oauth2/v2.0/token", emulator.token, methods=["POST"]),
            Route("/{path:path}", emulator.graph, methods=methods),
        ]
    )
