# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Logging on to Entra ID as an application, with MSAL."""

from __future__ import annotations

import base64
import json
import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.http import (
    network_problem,
    open_host_session,
    open_session,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    EntraError,
)

MSAL_IMPORT_ERROR: str | None = None
try:
    import msal
    import requests
except ImportError:
    MSAL_IMPORT_ERROR = traceback.format_exc()

# learn.microsoft.com/graph/deployments
CLOUDS: Mapping[str, tuple[str, str]] = {
    "global": ("https://login.microsoftonline.com", "https://graph.microsoft.com"),
    "us_gov": ("https://login.microsoftonline.us", "https://graph.microsoft.us"),
    "us_dod": ("https://login.microsoftonline.us", "https://dod-graph.microsoft.us"),
    "china": ("https://login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn"),
}

# The application role by which a provisioning job's service principal is given its groups
# (learn.microsoft.com/entra/identity/hybrid/cloud-sync, "Select groups in scope with Microsoft Graph").
PROVISIONING_ROLES: Mapping[str, frozenset[str]] = {
    "global": frozenset({"1a0abf4d-b9fa-4512-a3a2-51ee82c6fd9f"}),
    "us_gov": frozenset({"d8fa317e-0713-4930-91d8-1dbeb150978f"}),
    "us_dod": frozenset({"d8fa317e-0713-4930-91d8-1dbeb150978f"}),
    "china": frozenset({"15af7fd5-1a3f-4034-8ea1-1afa3d5ecf63"}),
}

# learn.microsoft.com/entra/identity-platform/reference-error-codes
_REASONS: Mapping[str, tuple[str, str, str]] = {
    "AADSTS7000222": ("client_secret_expired", "the client secret has expired", "Create a new client secret."),
    "AADSTS7000215": (
        "client_secret_wrong",
        "the client secret is wrong",
        "Check client_secret: the value, not the id.",
    ),
    "AADSTS700016": (
        "application_unknown",
        "the tenant does not know this application",
        "Check client_id and tenant_id.",
    ),
    "AADSTS90002": ("tenant_unknown", "there is no such tenant", "Check tenant_id and cloud."),
    "AADSTS700027": ("certificate_wrong", "the certificate is not the application's", "Upload the certificate."),
    "AADSTS700024": ("clock_skew", "the signed assertion is not valid now", "Set the clock of this host."),
}


@dataclass(frozen=True, slots=True)
class EntraSettings:
    """How to log on and where to ask.

    Parameters:
        tenant_id: the tenant's id.
        client_id: the application's id.
        login_url: base of the token end point.
        graph_url: base of Microsoft Graph.
        client_secret: secret of the application, or None.
        client_certificate_path: PEM file with private key and certificate, or None.
        federated_token_file: file with an assertion of another identity provider, or None.
        managed_identity: log on as the host's managed identity.
        ca_cert: CA certificates to trust, or None for the usual ones.
    """

    tenant_id: str
    client_id: str
    login_url: str
    graph_url: str
    client_secret: str | None = None
    client_certificate_path: str | None = None
    federated_token_file: str | None = None
    managed_identity: bool = False
    ca_cert: str | None = None

    def __repr__(self) -> str:
        """Leave the secret out."""
        return f"EntraSettings({self.client_id} in {self.tenant_id})"


class TokenSource:
    """Gives access tokens, new ones when the old end.

    Raises:
        ConfigurationError: a credential file cannot be read.
    """

    def __init__(self, settings: EntraSettings) -> None:
        self._settings = settings
        self._scope = f"{settings.graph_url}/.default"
        self._session = open_session(settings.ca_cert)
        self._acquire = self._managed_identity() if settings.managed_identity else self._application()
        self.roles: frozenset[str] = frozenset()

    def _managed_identity(self) -> Callable[[], Mapping[str, Any]]:
        settings = self._settings
        identity = (
            msal.UserAssignedManagedIdentity(client_id=settings.client_id)
            if settings.client_id
            else msal.SystemAssignedManagedIdentity()
        )
        # The metadata service is plain http on a link-local address, which the session for Graph refuses.
        client = msal.ManagedIdentityClient(identity, http_client=open_host_session())
        return lambda: client.acquire_token_for_client(resource=settings.graph_url)

    def _application(self) -> Callable[[], Mapping[str, Any]]:
        settings = self._settings
        credential = _credential(settings)
        client: Any = None

        def acquire() -> Mapping[str, Any]:
            # Made at first use: making it reads the tenant's configuration from the network.
            nonlocal client
            if client is None:
                client = msal.ConfidentialClientApplication(
                    settings.client_id,
                    client_credential=credential,
                    authority=f"{settings.login_url}/{settings.tenant_id}",
                    instance_discovery=False,
                    http_client=self._session,
                )
            result: Mapping[str, Any] = client.acquire_token_for_client([self._scope])
            return result

        return acquire

    def token(self) -> str:
        """Return a valid access token.

        Raises:
            EntraError: the service cannot be reached, or refuses the log-on.
        """
        where = self._settings.login_url
        try:
            answer = self._acquire()
        except requests.exceptions.RequestException as error:
            code, sentence, remedy = network_problem(error)
            raise EntraError(f"The log-on service {where}: {sentence}.", remedy, code=code) from None
        except (ValueError, msal.exceptions.MsalError) as error:
            raise self._refused(str(error)) from None
        if "access_token" not in answer:
            raise self._refused(str(answer.get("error_description") or answer.get("error") or ""))
        token = str(answer["access_token"])
        self.roles = _roles(token)
        return token

    def _refused(self, description: str) -> EntraError:
        number = re.search(r"AADSTS\d+", description)
        settings = self._settings
        if number and number[0] in _REASONS:
            code, why, remedy = _REASONS[number[0]]
            return EntraError(
                f"The log-on of {settings.client_id} was refused: {why} ({number[0]}).", remedy, code=code
            )
        if "authority" in description.lower() or "tenant" in description.lower():
            return EntraError(
                f"The tenant {settings.tenant_id} was not found at {settings.login_url}.",
                "Check tenant_id, cloud and login_url.",
                code="tenant_unknown",
            )
        first = description.splitlines()[0] if description else "no reason given"
        return EntraError(
            f"The log-on of {settings.client_id} was refused: {first}", "Check the credential.", code="log_on_refused"
        )


def _credential(settings: EntraSettings) -> object:
    if settings.client_certificate_path:
        pem = _read("client_certificate_path", settings.client_certificate_path)
        if "PRIVATE KEY" not in pem or "BEGIN CERTIFICATE" not in pem:
            raise ConfigurationError(
                f"client_certificate_path: {settings.client_certificate_path} lacks private key or certificate.",
                "Give one PEM file that holds both.",
            )
        return {"private_key": pem, "public_certificate": pem}
    if settings.federated_token_file:
        path = settings.federated_token_file
        # Read at each use: the platform replaces the file while a run lasts.
        return {"client_assertion": lambda: _read("federated_token_file", path).strip()}
    if settings.client_secret:
        return settings.client_secret
    raise ConfigurationError(
        "No credential is given.",
        "Give one of client_secret, client_certificate_path, federated_token_file and managed_identity.",
    )


def _read(option: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise ConfigurationError(f"{option}: {path} cannot be read.", "Give the path of a readable PEM file.") from None


def _roles(token: str) -> frozenset[str]:
    """Return the application permissions named in a token, for messages only; the service checks them itself."""
    try:
        part = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return frozenset(str(role) for role in claims.get("roles", ()))
    except (ValueError, IndexError, AttributeError, TypeError):
        return frozenset()
