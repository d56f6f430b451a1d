# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own interface under ``/_lab/``: no part of Graph, and bound by none of its rules."""

from __future__ import annotations

import hmac
import json
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from . import changes
from .calls import now
from .entities import ENTITIES
from .model import ModelError
from .service import Service
from .store import Directory, Entity
from .throttle import Throttle

Arguments = Mapping[str, Any]


class AdminApi:
    """Each public operation takes named JSON arguments and answers JSON."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._reads: Mapping[str, Callable[..., Any]] = {
            "requests": self._requests,
            "clear_requests": self._clear_requests,
            "knobs": self._knobs,
            "shuffle_seed": self._shuffle_seed,
            "fault": self._fault,
            "faults": self._faults,
            "clear_faults": self._clear_faults,
            "snapshot": self._snapshot,
            "restore_snapshot": self._restore_snapshot,
            "reset": self._reset,
            "expire_page_tokens": self._expire_page_tokens,
            "expire_delta_tokens": self._expire_delta_tokens,
            "revoke_access_tokens": self._revoke_access_tokens,
            "refill_throttle": self._refill_throttle,
            "object": self._object,
            "members": self._members,
        }
        self._writes: Mapping[str, Callable[..., Any]] = {
            "create": self._create,
            "patch": self._patch,
            "delete": self._delete,
            "restore": self._restore,
            "purge": self._purge,
            "add_members": self._add_members,
            "remove_members": self._remove_members,
            "set_cloud_managed": self._set_cloud_managed,
            "take_over": self._take_over,
            "assign_app_role": self._assign_app_role,
            "unassign_app_role": self._unassign_app_role,
        }

    async def handle(self, request: Request) -> Response:
        given = request.headers.get("x-lab-key", "")
        if not hmac.compare_digest(given.encode(), self._service.config.admin_key.encode()):
            return JSONResponse({"error": "the X-Lab-Key header is missing or wrong"}, 403)
        name = request.path_params["operation"]
        try:
            arguments = json.loads(await request.body() or b"{}")
            if name in self._reads:
                result = self._reads[name](**arguments)
            elif name in self._writes:
                result = self._service.write(partial(self._writes[name], **arguments))
            else:
                return JSONResponse({"error": f"there is no operation {name!r}"}, 404)
        except (ValueError, TypeError, ModelError, re.error) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"result": result})

    @property
    def _directory(self) -> Directory:
        return self._service.tenant.directory

    def _needed(self, object_id: str, *, deleted: bool = False) -> Entity:
        found = self._directory.get(object_id, deleted=deleted)
        if found is None:
            raise ValueError(f"there is no {'deleted ' if deleted else ''}object with the id {object_id}")
        return found

    # Directory

    def _create(self, type: str, properties: Arguments, members: list[str] | None = None) -> str:
        return changes.create(self._service.tenant, ENTITIES[type], properties, members or [])

    def _patch(self, id: str, properties: Arguments) -> None:
        found = self._needed(id)
        self._service.tenant.model.register_extensions(found.type, properties)
        self._service.tenant.model.check(found.type, properties)
        if "id" in properties:
            raise ValueError("an id does not change")
        self._directory.update(found, properties)

    def _delete(self, id: str) -> None:
        self._directory.set_deleted(self._needed(id), now())

    def _restore(self, id: str) -> None:
        self._directory.set_deleted(self._needed(id, deleted=True), None)

    def _purge(self, id: str) -> None:
        live = self._directory.get(id)
        self._directory.purge(live if live is not None else self._needed(id, deleted=True))

    def _add_members(self, id: str, members: list[str]) -> None:
        changes.add_members(self._service.tenant, self._needed(id), members)

    def _remove_members(self, id: str, members: list[str]) -> None:
        group = self._needed(id)
        for member in members:
            if not changes.remove_member(self._service.tenant, group, member):
                raise ValueError(f"{member} is no member of {id}")

    def _set_cloud_managed(self, id: str, cloud_managed: bool) -> None:
        changes.set_cloud_managed(self._service.tenant, self._needed(id), cloud_managed)

    def _take_over(self, id: str) -> None:
        changes.take_over(self._service.tenant, self._needed(id))

    def _assign_app_role(self, resource_id: str, principal_id: str, app_role_id: str) -> str:
        self._needed(resource_id)
        self._needed(principal_id)
        row = {"resourceId": resource_id, "principalId": principal_id, "appRoleId": app_role_id}
        complete = changes.complete_assignment(self._directory, row)
        self._directory.assign(complete)
        return str(complete["id"])

    def _unassign_app_role(self, id: str) -> None:
        if not self._directory.unassign(id):
            raise ValueError(f"there is no assignment {id}")

    def _object(self, id: str) -> dict[str, Any] | None:
        for deleted in (False, True):
            found = self._directory.get(id, deleted=deleted)
            if found is not None:
                return {**found.properties, "type": found.type.name, "deletedDateTime": found.deleted}
        return None

    def _members(self, id: str) -> list[str]:
        return self._directory.links(self._needed(id).id)

    # Behaviour

    def _knobs(self, **values: Any) -> dict[str, Any]:
        self._service.tenant.knobs.turn(values)
        if {"read_units", "read_seconds", "write_units", "write_seconds"} & set(values):
            self._service.throttle = Throttle()
        if values.get("lag_reads") == 0:
            self._service.tenant.forget_lag()
        return asdict(self._service.tenant.knobs)

    def _shuffle_seed(self, seed: int) -> None:
        self._service.tenant.random = random.Random(seed)  # noqa: S311 - repeatable on purpose

    def _fault(self, **rule: Any) -> None:
        self._service.faults.add(**rule)

    def _faults(self) -> list[dict[str, Any]]:
        return [
            {"action": rule.action, "path": rule.path.pattern, "seen": rule.seen, "fired": rule.fired}
            for rule in self._service.faults.rules
        ]

    def _clear_faults(self) -> None:
        self._service.faults.rules.clear()

    def _requests(self) -> list[dict[str, Any]]:
        return self._service.record.entries()

    def _clear_requests(self) -> None:
        self._service.record.clear()

    def _expire_page_tokens(self) -> None:
        self._service.tenant.cursors.expire()

    def _expire_delta_tokens(self) -> None:
        self._service.tenant.delta_not_before = time.time()

    def _revoke_access_tokens(self) -> None:
        self._service.tokens.revoke()

    def _refill_throttle(self) -> None:
        self._service.throttle.clear()

    def _snapshot(self, name: str) -> None:
        self._service.snapshots[name] = self._directory.copy()

    def _restore_snapshot(self, name: str) -> None:
        if name not in self._service.snapshots:
            raise ValueError(f"there is no snapshot {name!r}")
        self._service.replace_directory(self._service.snapshots[name])

    def _reset(self) -> None:
        """The directory as at the start, knobs at their defaults, no faults, no record."""
        self._service.replace_directory(self._service.seed)
        self._service.tenant.knobs = type(self._service.tenant.knobs)()
        self._service.tenant.random = random.Random(0)  # noqa: S311 - repeatable on purpose
        self._service.throttle.clear()
        self._clear_faults()
        self._clear_requests()
