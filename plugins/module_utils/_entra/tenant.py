# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What kind of tenant it is."""

from __future__ import annotations

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import items
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import Call, GraphClient

_READ_ORGANIZATION = ("Organization.Read.All", "Directory.Read.All")


def read_tenant(client: GraphClient) -> tuple[str, str]:
    """Return the tenantType and the displayName of the tenant; what the service leaves out is an empty text.

    Raises:
        EntraError: it cannot be read.
    """
    call = Call("/organization?$select=id,displayName,tenantType", _READ_ORGANIZATION)
    for page in client.pages(call):
        for tenant in items(page, call.path):
            return str(tenant.get("tenantType") or ""), str(tenant.get("displayName") or tenant["id"])
    return "", ""
