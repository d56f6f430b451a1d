# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP session that both the log-on and the Graph client use."""

from __future__ import annotations

import os
import time
import traceback
import zlib
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    EntraError,
)

REQUESTS_IMPORT_ERROR: str | None = None
try:
    import requests
    from requests.adapters import HTTPAdapter
    from urllib3.exceptions import HTTPError, InvalidHeader
    from urllib3.util.retry import Retry
except ImportError:
    REQUESTS_IMPORT_ERROR = traceback.format_exc()

CONNECT_SECONDS = 10
ANSWER_SECONDS = 120
_TRIES = 6
_CONNECT_TRIES = 2
LONGEST_WAIT = 300
_CONNECTIONS = 8
# POST reads (the token request, $batch of GETs), or creates what has a unique key, so that a second one is refused.
# PATCH sets values, the second time the same.
_REPEATED = ("GET", "POST", "PATCH")
# The service asks to come again later.
PUT_OFF = frozenset({429, 500, 502, 503, 504})
# The largest page of 999 members with all selected properties is below 2 MB.
_MOST_BYTES = 64 * 1024 * 1024
_CHUNK = 64 * 1024
# Of one body, however it drips; the time-out for an answer begins anew with each byte.
_BODY_SECONDS = 300


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
    session = _bounded_session()
    session.verify = ca_cert or True
    session.proxies = requests.utils.get_environ_proxies("https://graph.microsoft.com")
    # No plain http: a token must never leave unencrypted.
    del session.adapters["http://"]
    return session


def open_host_session() -> requests.Session:
    """Return a session for the metadata service of this host, which speaks plain http on a link-local address."""
    return _bounded_session()


def _bounded_session() -> requests.Session:
    session: requests.Session = _BoundedSession()
    session.trust_env = False
    session.max_redirects = 0
    tries = Retry(
        total=_TRIES,
        connect=_CONNECT_TRIES,  # a wrong address should be told soon
        other=0,  # an untrusted certificate stays untrusted
        status=0,  # see BoundedSession
        respect_retry_after_header=False,
        backoff_factor=0.5,
        allowed_methods=_REPEATED,
    )
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=tries, pool_maxsize=_CONNECTIONS))
    return session


def _session_class() -> type[Any]:
    if REQUESTS_IMPORT_ERROR:
        return object

    class BoundedSession(requests.Session):
        """A session in which no request waits or reads for ever.

        What the service puts off is asked again here and not by urllib3, which would read the body to its end first and
        wait as long as the answer says.
        """

        def request(self, method: Any, url: Any, *args: Any, **kwargs: Any) -> requests.Response:
            """Send a request, again when the service puts it off; read the body, unless it is wanted as a stream."""
            kwargs.setdefault("timeout", (CONNECT_SECONDS, ANSWER_SECONDS))
            kwargs.setdefault("allow_redirects", False)
            streamed = kwargs.get("stream", False)
            kwargs["stream"] = True
            tries = _TRIES if str(method).upper() in _REPEATED else 1
            for attempt in range(tries):
                answer = super().request(method, url, *args, **kwargs)
                if answer.status_code not in PUT_OFF or attempt + 1 == tries:
                    break
                answer.close()
                time.sleep(_wait(answer.headers.get("Retry-After"), attempt))
            if not streamed:
                try:
                    answer.raw = BytesIO(read_body(answer, f"{method} {urlsplit(str(url)).path}"))
                except (ValueError, HTTPError) as error:
                    raise requests.exceptions.ContentDecodingError(str(error)) from None
            return answer

    return BoundedSession


_BoundedSession = _session_class()


def _wait(retry_after: str | None, attempt: int) -> float:
    """Return the seconds to wait: what the service asks for, a number or a date (RFC 9110, 10.2.3), within reason."""
    try:
        asked = Retry().parse_retry_after(retry_after) if retry_after else 0.5 * 2**attempt
    except InvalidHeader:
        asked = 0.5 * 2**attempt
    return min(asked, LONGEST_WAIT)


def read_body(answer: requests.Response, what: str) -> bytes:
    """Return the body of an answer that was asked for as a stream, unpacked.

    It is unpacked here, piece by piece, so that a small answer cannot become a large one in memory.

    Parameters:
        answer: the answer.
        what: the request, for messages.

    Raises:
        EntraError: it is too large, or takes too long.
        ValueError: it is cut, or packed in a way that was not asked for.
    """
    packing = answer.headers.get("Content-Encoding", "identity")
    if packing not in ("gzip", "identity"):
        raise ValueError(packing)
    unpacker = zlib.decompressobj(wbits=31) if packing == "gzip" else None
    body = bytearray()
    came = 0
    until = time.monotonic() + _BODY_SECONDS
    # Not `read`, which waits until a whole piece is there; urllib3 has it since 2.0.
    read = getattr(answer.raw, "read1", answer.raw.read)
    while piece := read(_CHUNK, decode_content=False):
        came += len(piece)
        body += _unpacked(unpacker, piece, _MOST_BYTES + 1 - len(body))
        if len(body) > _MOST_BYTES:
            raise EntraError(f"{what}: the answer is larger than {_MOST_BYTES} bytes.", code="entra_answer_too_large")
        if time.monotonic() > until:
            raise EntraError(
                f"{what}: the answer did not end within {_BODY_SECONDS} seconds.",
                "Check the network and the proxy, and run again.",
                code="entra_answer_endless",
            )
    # urllib3 does not tell when fewer bytes come than were announced.
    length = answer.headers.get("Content-Length", "")
    if (length.isdigit() and came != int(length)) or (unpacker is not None and not unpacker.eof):
        raise ValueError("cut")
    return bytes(body)


def _unpacked(unpacker: Any, piece: bytes, most: int) -> bytes:
    try:
        return piece if unpacker is None else bytes(unpacker.decompress(piece, most))
    except zlib.error as error:
        raise ValueError(str(error)) from None


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
