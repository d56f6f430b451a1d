# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the options on Entra ID to a connection."""

from __future__ import annotations

from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import auth
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.auth import EntraSettings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError


def entra_settings(params: dict[str, Any]) -> EntraSettings:
    """Return the connection to Entra ID that the options describe.

    Raises:
        ConfigurationError: a value cannot be used.
    """
    if identity.guid_text(params["tenant_id"]) is None:
        raise ConfigurationError(
            f"tenant_id: {params['tenant_id']!r} is not a tenant id.", "Give the GUID that the portal shows."
        )
    if not params["client_id"] and not params["managed_identity"]:
        raise ConfigurationError("client_id is missing.", "Give the application (client) id.")
    login, graph = auth.CLOUDS[params["cloud"]]
    urls = {"login_url": params["login_url"] or login, "graph_url": params["graph_url"] or graph}
    for name, url in urls.items():
        if not url.startswith("https://"):
            raise ConfigurationError(
                f"{name}: {url!r} does not begin with https://.", "A token must not leave in clear."
            )
    return EntraSettings(
        identity.guid_text(params["tenant_id"]) or "",
        params["client_id"] or "",
        urls["login_url"].rstrip("/"),
        urls["graph_url"].rstrip("/"),
        params["client_secret"],
        params["client_certificate_path"],
        params["federated_token_file"],
        params["managed_identity"],
        params["ca_cert"],
    )
