# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP session that both the log-on and the Graph client use."""

from __future__ import annotations

import os
import traceback
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError

REQUESTS_IMPORT_ERROR: str | None = None
try:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.util.retry import Retry
except ImportError:
    REQUESTS_IMPORT_ERROR = traceback.format_exc()

CONNECT_SECONDS = 10
ANSWER_SECONDS = 120
_TRIES = 6
_CONNECT_TRIES = 2
_LONGEST_WAIT = 300
_CONNECTIONS = 8


def open_session(ca_cert: str | None) -> requests.Session:
    """Return a session that verifies certificates, waits as told, and tries again what may succeed later.

    Environment variables such as REQUESTS_CA_BUNDLE would override `verify` (requests issue 3829), so the session does
    not look at the environment; proxies are taken from it here, by hand.

    Parameters:
        ca_cert: path of the CA certificates to trust, or None for those that come with requests.

    Raises:
        ConfigurationError: the file does not exist.
    """
    if ca_cert and not os.path.exists(ca_cert):  # noqa: PTH110 - a folder of certificates is as good as a file
        raise ConfigurationError(
            f"ca_cert: {ca_cert} does not exist.", "Give the path of a PEM file.", code="ca_cert_unreadable"
        )
    retry = Retry(
        total=_TRIES,
        connect=_CONNECT_TRIES,  # a wrong address should be told soon
        other=0,  # an untrusted certificate stays untrusted
        backoff_factor=0.5,
        backoff_max=_LONGEST_WAIT,
        status_forcelist=(429, 500, 502, 503, 504),
        # Only reading calls are made with POST: the token request and $batch of GETs.
        allowed_methods=("GET", "POST"),
        respect_retry_after_header=True,
        raise_on_status=False,
    )
    session: requests.Session = _BoundedSession()
    session.trust_env = False
    session.verify = ca_cert or True
    session.proxies = requests.utils.get_environ_proxies("https://graph.microsoft.com")
    session.max_redirects = 0
    adapter = HTTPAdapter(max_retries=retry, pool_maxsize=_CONNECTIONS)
    session.mount("https://", adapter)
    # No plain http: a token must never leave unencrypted.
    del session.adapters["http://"]
    return session


def _session_class() -> type[Any]:
    if REQUESTS_IMPORT_ERROR:
        return object

    class BoundedSession(requests.Session):
        """A session in which no request waits for ever."""

        def request(self, *args: Any, **kwargs: Any) -> requests.Response:
            """Send a request with both time-outs set."""
            kwargs.setdefault("timeout", (CONNECT_SECONDS, ANSWER_SECONDS))
            kwargs.setdefault("allow_redirects", False)
            return super().request(*args, **kwargs)

    return BoundedSession


_BoundedSession = _session_class()


def network_problem(error: Exception) -> tuple[str, str, str]:
    """Return code, sentence and remedy for a request that got no answer."""
    text = str(error)
    if isinstance(error, requests.exceptions.SSLError) or "CERTIFICATE_VERIFY_FAILED" in text:
        return (
            "entra_not_trusted",
            "its certificate is not trusted",
            "Give the CA that issued it as ca_cert (a proxy that opens TLS has a CA of its own).",
        )
    if isinstance(error, requests.exceptions.Timeout):
        return "entra_unreachable", "it did not answer in time", "Check the network and run again."
    return "entra_unreachable", "it cannot be reached", "Check login_url, graph_url, the network and the proxy."
