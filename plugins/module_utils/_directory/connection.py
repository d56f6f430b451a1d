# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection of ldap3 to one domain controller, which is opened again when it broke."""

from __future__ import annotations

import random
import re
import ssl
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import results
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word

LDAP3_IMPORT_ERROR: str | None = None
try:
    import ldap3
    from ldap3.core import exceptions as ldap_errors
    from ldap3.operation.modify import modify_operation
except ImportError:
    LDAP3_IMPORT_ERROR = traceback.format_exc()


def _mend_filters() -> None:
    """Let an escaped byte of a filter be that byte (RFC 4515, section 3).

    The pre-releases 2.10.2 of ldap3 send the escape as it stands, so that a search by GUID finds nothing and says so to
    nobody.
    """
    from ldap3.operation import search

    if search.prepare_filter_for_sending("\\41") != b"A":
        search.prepare_filter_for_sending = _unescaped


def _unescaped(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return _ESCAPE.sub(_byte, raw)


def _byte(match: re.Match[bytes]) -> bytes:
    return bytes([int(match[1], 16)])


_ESCAPE = re.compile(rb"\\([0-9A-Fa-f]{2})")


def _leave_texts_out() -> None:
    """Let entries hold the raw values alone: the texts that ldap3 makes of each value, nobody looks at."""
    from ldap3.operation import search

    search.attributes_to_dict_fast = _no_texts


def _no_texts(_attributes: object) -> dict[str, object]:
    return {}


if LDAP3_IMPORT_ERROR is None:
    _mend_filters()
    _leave_texts_out()

_CONNECT_SECONDS = 10
_ANSWER_SECONDS = 120
_TRIES = 5
# A firewall or the server may have dropped a connection that was silent this long; a write finds that out first.
_SILENT_SECONDS = 60

SEARCH = "search"
# Two connections may count in one place.
_COUNTING = threading.Lock()


class TlsMode(Word):
    """How the connection is protected. There is no unprotected mode."""

    LDAPS = "ldaps"
    START_TLS = "start_tls"


_DEFAULT_PORTS = {TlsMode.LDAPS: 636, TlsMode.START_TLS: 389}


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """How to reach the domain controller.

    Parameters:
        server: DNS name or address.
        username: UPN or DN of the account.
        password: its password.
        port: None for the usual port of the mode.
        tls_mode: LDAPS or StartTLS.
        ca_cert: path of the CA certificates to trust, or None for the system's.
    """

    server: str
    username: str
    password: str
    port: int | None = None
    tls_mode: TlsMode = TlsMode.LDAPS
    ca_cert: str | None = None

    def __repr__(self) -> str:
        """Leave the password out."""
        return f"ConnectionSettings({self.username} at {self.server})"


def _verified_tls(ca_cert: str | None) -> Any:
    """Return a TLS configuration that leaves certificate and host name to Python's own checks.

    ldap3 compares host names itself, and from Python 3.12 on cannot match addresses in certificates any more.

    Raises:
        DirectoryError: the CA file cannot be read.
    """
    try:
        context = ssl.create_default_context(cafile=ca_cert)
    except (OSError, ssl.SSLError):
        raise DirectoryError(
            f"domain_ca_cert: {ca_cert} cannot be read.",
            "Give the path of a PEM file with CA certificates.",
            code="ca_cert_unreadable",
        ) from None

    def wrap_socket(connection: Any, do_handshake: bool = True) -> None:
        connection.socket = context.wrap_socket(
            connection.socket, server_hostname=connection.server.host, do_handshake_on_connect=do_handshake
        )

    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED)
    tls.wrap_socket = wrap_socket
    return tls


class BoundConnection:
    """A bound connection; counts its operations. Threads may share it: their operations follow one another.

    A connection that breaks is opened again for the next operation. What may be repeated is then asked again; a write
    is not, since nobody knows whether it was carried out.

    Parameters:
        settings: how to reach the domain controller.
        is_lasting: whether a connection that broke is opened again.

    Raises:
        DirectoryError: the domain controller cannot be reached, is not trusted, or refuses the log-on.
    """

    def __init__(self, settings: ConnectionSettings, *, is_lasting: bool = True) -> None:
        self.settings = settings
        self._service: tuple[str, ...] = ()
        self._is_lasting = is_lasting
        self.operations: Counter[str] = Counter()
        self._port = settings.port or _DEFAULT_PORTS[settings.tls_mode]
        self.where = f"{settings.server}:{self._port}"
        self._tls = _verified_tls(settings.ca_cert)
        self._lost = False
        self._last_answer = 0.0
        self._connection: Any = None
        self._lock = threading.Lock()
        self._connect()

    def _connect(self) -> None:
        settings = self.settings
        server = ldap3.Server(
            settings.server,
            port=self._port,
            use_ssl=settings.tls_mode is TlsMode.LDAPS,
            tls=self._tls,
            get_info=ldap3.NONE,
            connect_timeout=_CONNECT_SECONDS,
        )
        self._connection = ldap3.Connection(
            server,
            settings.username,
            settings.password,
            client_strategy=ldap3.SYNC,
            receive_timeout=_ANSWER_SECONDS,
            raise_exceptions=False,
            # The defaults of these hide truncated answers or raise KeyError (ldap3 issues 986, 991, 1055).
            auto_range=False,
            return_empty_attributes=False,
            check_names=False,
            auto_referrals=False,
        )
        self._bind()
        self._refuse_another_server()
        self._lost = False
        self._last_answer = time.monotonic()

    def _refuse_another_server(self) -> None:
        """Refuse to go on with another domain controller, which may not know yet what was read or written."""
        if not self._service:
            return
        self._count(SEARCH)
        try:
            found = self._read_service()
        except ldap_errors.LDAPExceptionError as error:
            raise self._unreachable(error) from None
        if found != self._service:
            raise DirectoryError(
                f"{self.where} does not say that it is the same domain controller as before.",
                "Run again. Give the name of one domain controller as domain_server.",
                code="directory_unreachable",
            )

    def _read_service(self) -> tuple[str, ...]:
        self._connection.search("", "(objectClass=*)", search_scope="BASE", attributes=["dsServiceName"])
        found = [one for one in self._connection.response or () if one["type"] == "searchResEntry"]
        return tuple(value.decode() for one in found for value in one["raw_attributes"].get("dsServiceName", ()))

    def stay(self, service: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return dsServiceName of the domain controller, and never go on with another one.

        Parameters:
            service: it, where it was read already.

        Raises:
            DirectoryError: the connection broke, and was not or could not be opened again.
        """
        self._service = self._service or service
        if not self._service:
            self.run(SEARCH, self._find_service, repeatable=True)
        return self._service

    def _find_service(self, _connection: Any) -> None:
        self._service = self._read_service()

    def _bind(self) -> None:
        try:
            self._connection.open(read_server_info=False)
            if self.settings.tls_mode is TlsMode.START_TLS:
                self._connection.start_tls(read_server_info=False)
            for attempt in range(1, _TRIES + 1):
                done, result = self._connection.bind(read_server_info=False), self._connection.result
                if result["result"] not in results.BUSY_CODES or attempt == _TRIES:
                    break
                _pause(attempt)
        except ldap_errors.LDAPExceptionError as error:
            raise self._unreachable(error) from None
        self._count("bind")
        if not done:
            raise results.bind_refusal(self.settings.username, result)

    def _unreachable(self, error: Exception) -> DirectoryError:
        text = " ".join(str(error).split())
        if "CERTIFICATE_VERIFY_FAILED" in text or "certificate" in text.lower():
            return DirectoryError(
                f"The certificate of the domain controller {self.where} is not trusted: {text}.",
                "Give the CA that issued it as domain_ca_cert, and the name that stands in it as domain_server.",
                code="directory_not_trusted",
            )
        return DirectoryError(
            f"The domain controller {self.where} does not answer: {text}.",
            "Check domain_server, domain_port and the network.",
            code="directory_unreachable",
        )

    def _count(self, kind: str) -> None:
        with _COUNTING:
            self.operations[kind] += 1

    def count_in(self, operations: Counter[str]) -> None:
        """Count there, what was counted until now as well; it may be that of another connection."""
        with _COUNTING:
            operations.update(self.operations)
            self.operations = operations

    def close(self) -> None:
        """End the connection; it is not opened again."""
        self._lost, self._is_lasting = True, False
        try:
            self._connection.unbind()
        except ldap_errors.LDAPExceptionError:
            return

    def run(
        self, kind: str, operation: Callable[[Any], object], *, repeatable: bool = False
    ) -> tuple[Mapping[str, Any], list[Any]]:
        """Run one operation, waiting and trying again while the server says that it is busy.

        Parameters:
            kind: what it is counted as.
            operation: takes the connection of ldap3.
            repeatable: whether it is asked again, once, when the connection broke.

        Returns:
            The result, and what was found.

        Raises:
            DirectoryError: the connection broke, and was not or could not be opened again.
        """
        if kind != SEARCH and time.monotonic() - self._last_answer > _SILENT_SECONDS:
            self.run(SEARCH, _look_at_root, repeatable=True)
        for attempt in range(1, _TRIES + 1):
            with self._lock:
                result, response = self._run_alone(kind, operation, repeatable)
            if result["result"] not in results.BUSY_CODES or attempt == _TRIES:
                break
            _pause(attempt)
        return result, response or []

    def _run_alone(
        self, kind: str, operation: Callable[[Any], object], repeatable: bool
    ) -> tuple[Mapping[str, Any], list[Any] | None]:
        if self._lost:
            self._open_again()
        self._count(kind)
        # Whatever ends it early: an answer may be under way that belongs to nobody.
        self._lost = True
        try:
            operation(self._connection)
        except ldap_errors.LDAPExceptionError as error:
            is_broken = isinstance(error, ldap_errors.LDAPCommunicationError)
            if not (repeatable and is_broken and self._is_lasting):
                raise self._unreachable(error) from None
            return self._run_alone(kind, operation, repeatable=False)
        self._lost = False
        self._last_answer = time.monotonic()
        # The strategy for several threads would give copies of these, which costs more than reading them.
        return self._connection.result, self._connection.response

    def _open_again(self) -> None:
        if not self._is_lasting:
            raise DirectoryError(
                f"The connection to {self.where} has ended.", "Run again.", code="directory_unreachable"
            )
        self._connect()


def modification(
    name: str,
    changes: Mapping[str, Sequence[tuple[str, Sequence[str | bytes]]]],
    controls: Sequence[tuple[str, bool, bytes | None]] = (),
) -> Callable[[Any], object]:
    """Return the operation that modifies an object. The request, most of the work for many values, is made now."""
    if not any(changes.values()):
        raise ValueError("nothing to change")
    wire = {attribute: [(kind, list(values)) for kind, values in wanted] for attribute, wanted in changes.items()}
    request = modify_operation(name, wire, auto_encode=True)

    def send(connection: Any) -> None:
        connection.post_send_single_response(connection.send("modifyRequest", request, list(controls) or None))

    return send


def _look_at_root(connection: Any) -> None:
    """Ask for nothing: whatever the answer is, the connection is there."""
    connection.search("", "(objectClass=*)", search_scope="BASE", attributes=["1.1"])


def _pause(attempt: int) -> None:
    """Wait before the next try, longer each time."""
    time.sleep(min(30.0, 0.5 * 2**attempt) * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
