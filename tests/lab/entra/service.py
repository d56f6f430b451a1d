# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One Graph call from permission check to answer, and the whole state of the emulator."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from . import changes, permissions
from .calls import Call, Reply, Tenant
from .config import Config
from .errors import GraphError
from .faults import Faults
from .query import check_options
from .record import Record
from .routes import Route, resolve
from .store import Directory
from .throttle import Throttle, resource_units
from .tokens import TokenService

_Result = TypeVar("_Result")
JSON_TYPE = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8"
_DIAGNOSTIC = (
    '{"ServerInfo":{"DataCenter":"Lab","Slice":"E","Ring":"0","ScaleUnit":"000","RoleInstance":"LAB0000000000001"}}'
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer before it becomes bytes."""

    status: int
    headers: Mapping[str, str]
    body: Any = None
    text: str | None = None
    units: int = 0
    implemented: bool = True


@dataclass(slots=True)
class Service:
    config: Config
    tenant: Tenant
    tokens: TokenService
    seed: Directory
    throttle: Throttle = field(default_factory=Throttle)
    faults: Faults = field(default_factory=Faults)
    record: Record = field(default_factory=Record)
    snapshots: dict[str, Directory] = field(default_factory=dict)

    def execute(self, call: Call) -> Answer:
        """Run a call; refusals become answers in the error shape of the service."""
        units, implemented, is_delta = 0, False, False
        try:
            route, call = resolve(call)
            implemented = True
            units = resource_units(call, route.cost)
            reply = self._run(route, call, units)
            is_delta = reply.is_delta
        except GraphError as error:
            return self._refusal(call, error, units, implemented)
        headers = {**_standard_headers(call), **reply.headers}
        if not is_delta:
            headers["x-ms-resource-unit"] = str(units)
        if reply.text is not None:
            headers["Content-Type"] = "text/plain"
        elif reply.body is not None:
            headers["Content-Type"] = JSON_TYPE
        return Answer(reply.status, headers, reply.body, reply.text, units)

    def refuse(self, call: Call, error: GraphError) -> Answer:
        """The answer of a call that never reached an operation."""
        return self._refusal(call, error, 0, True)

    def _refusal(self, call: Call, error: GraphError, units: int, implemented: bool) -> Answer:
        headers = {**_standard_headers(call), **error.headers, "Content-Type": JSON_TYPE}
        if units:
            headers["x-ms-resource-unit"] = str(units)
        moment = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
        body = error.body(moment, headers["request-id"], headers["client-request-id"])
        return Answer(error.status, headers, body, None, units, implemented)

    def _run(self, route: Route, call: Call, units: int) -> Reply:
        self.throttle.charge(call.app_id, write=not route.reads, units=units, knobs=self.tenant.knobs)
        permissions.require(call.roles, route.roles)
        check_options(call, route.options)
        return route.handler(self.tenant, call) if route.reads else self.write(lambda: route.handler(self.tenant, call))

    def write(self, change: Callable[[], _Result]) -> _Result:
        """Run a change in one transaction and let the index lag behind it."""
        before = self.tenant.snapshot_for_lag()
        self.tenant.directory.begin()
        try:
            result = change()
        except Exception:
            self.tenant.directory.rollback()
            if before is not None:
                before.close()
            raise
        self.tenant.directory.commit()
        self.tenant.changed(before)
        return result

    def replace_directory(self, source: Directory) -> None:
        """Put another state in place; delta tokens and page tokens of the old one end."""
        self.tenant.directory.replace_by(source)
        self.tenant.forget_lag()
        self.tenant.epoch += 1
        self.tenant.cursors.expire()


def _standard_headers(call: Call) -> dict[str, str]:
    request_id = str(uuid.uuid4())
    return {
        "Cache-Control": "no-cache",
        "Strict-Transport-Security": "max-age=31536000",
        "Vary": "Accept-Encoding",
        "request-id": request_id,
        "client-request-id": call.headers.get("client-request-id", request_id),
        "x-ms-ags-diagnostic": _DIAGNOSTIC,
        "OData-Version": "4.0",
    }


def build_service(config: Config, tenant: Tenant) -> Service:
    changes.load(tenant.directory, config.seed)
    return Service(config, tenant, TokenService(config), tenant.directory.copy())
