# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rows of a preflight on the side of Entra ID."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import writers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.auth import EntraSettings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import GraphClient
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.tenant import read_tenant
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.arguments import DISJOINT
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import permissions
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import GpadError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.preflight import Row, Status, of_error
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.scope import ScopeMode

_LOG_ON = "log-on to Entra ID"


def cloud_rows(params: dict[str, Any], settings: EntraSettings) -> list[dict[str, Any]]:
    """Return the rows of the table. Nothing is captured.

    Parameters:
        params: the module's options.
        settings: how to log on.
    """
    return [{**asdict(row), "status": row.status.value} for row in _rows(params, settings)]


def _rows(params: dict[str, Any], settings: EntraSettings) -> Iterator[Row]:
    try:
        client = GraphClient(settings)
        client.log_on()
    except GpadError as error:
        yield of_error(_LOG_ON, error, Status.FAILED)
        yield Row("all that is asked of Microsoft Graph", Status.UNKNOWN, "it could not be asked")
        return
    yield Row(_LOG_ON, Status.OK, f"as {settings.client_id or 'the managed identity'}")
    if client.roles:
        yield from permissions.permission_rows(client.roles, assigned=params["scope_mode"] == ScopeMode.ASSIGNED.value)
    else:
        remedy = "Grant Group.Read.All and User.Read.All to the application, and consent to them."
        yield Row("Graph permissions", Status.FAILED, "the token names none", remedy)
    try:
        yield permissions.tenant_row(*read_tenant(client))
    except GpadError as error:
        yield of_error("tenant", error)
    found = writers.other_writers(client)
    disjoint = params["other_writers"] == DISJOINT
    yield permissions.writers_row(found.running, found.unread, disjoint=disjoint)
