# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One LDAP connection to one domain controller."""

from __future__ import annotations

import random
import re
import ssl
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import results
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word

LDAP3_IMPORT_ERROR: str | None = None
try:
    import ldap3
    from ldap3.core import exceptions as ldap_errors
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

PAGED_RESULTS = "1.2.840.113556.1.4.319"
SHOW_DELETED = "1.2.840.113556.1.4.417"
EXTENDED_DN = "1.2.840.113556.1.4.529"
# LDAP_SERVER_EXTENDED_DN_OID with Flag 1: GUID and SID as text (MS-ADTS 3.1.1.3.4.1.5).
EXTENDED_DN_CONTROL = (EXTENDED_DN, True, b"\x30\x03\x02\x01\x01")
SHOW_DELETED_CONTROL = (SHOW_DELETED, True, None)
# LDAP_SERVER_SHOW_DEACTIVATED_LINK_OID (MS-ADTS 3.1.1.3.4.1.25). Samba does not know it and shows these links anyway.
SHOW_DEACTIVATED_LINKS_CONTROL = ("1.2.840.113556.1.4.2065", False, None)
# LDAP_SERVER_SD_FLAGS_OID with OWNER_SECURITY_INFORMATION and DACL_SECURITY_INFORMATION (MS-ADTS 3.1.1.3.4.1.11).
OWNER_AND_DACL_CONTROL = ("1.2.840.113556.1.4.801", True, b"\x30\x03\x02\x01\x05")

# The same with DACL_SECURITY_INFORMATION alone: nothing but the list is written.
DACL_CONTROL = ("1.2.840.113556.1.4.801", True, b"\x30\x03\x02\x01\x04")

# Below the server's MaxPageSize of 1000 it would only cost round trips, above it the server cuts down silently.
PAGE_SIZE = 1000
_CONNECT_SECONDS = 10
_ANSWER_SECONDS = 120
_TRIES = 5
# A firewall or the server may have dropped a connection that was silent this long; a write finds that out first.
_SILENT_SECONDS = 60

Control: TypeAlias = "tuple[str, bool, bytes | None]"


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


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a search.

    Parameters:
        dn: as the server wrote it; with the extended-DN control GUID and SID stand in front.
        attributes: attribute description in lower case, options included, to its values.
    """

    dn: str
    attributes: Mapping[str, Sequence[bytes]]

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the values of an attribute as text."""
        return tuple(value.decode("utf-8", "replace") for value in self.attributes.get(name.lower(), ()))

    def first(self, name: str) -> bytes | None:
        """Return the first value of an attribute, or None."""
        values = self.attributes.get(name.lower())
        return values[0] if values else None


class _SilentError(Exception):
    """A write waited for so long that its connection may be gone; it was not sent."""


class _Gate:
    """A socket that asks before it sends: ldap3 makes a request and sends it in one step.

    Parameters:
        socket: what it stands for.
        ask: returns when the request may go.
        sent: is told that it went.
    """

    def __init__(self, socket: Any, ask: Callable[[], None], sent: Callable[[], None]) -> None:
        self._socket = socket
        self._ask = ask
        self._sent = sent

    def sendall(self, data: bytes) -> None:
        """Send when it may be sent."""
        self._ask()
        self._socket.sendall(data)
        self._sent()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


class Session:
    """A bound connection; counts its operations. Threads may share it: their operations follow one another.

    A connection that breaks is opened again for the next operation. A search whose first page was not there yet is
    then asked again; a write is not, since nobody knows whether it was carried out.

    Raises:
        DirectoryError: the domain controller cannot be reached, is not trusted, or refuses the log-on.
    """

    def __init__(self, settings: ConnectionSettings) -> None:
        self.operations: Counter[str] = Counter()
        self._settings = settings
        self._port = settings.port or _DEFAULT_PORTS[settings.tls_mode]
        self._where = f"{settings.server}:{self._port}"
        self._tls = _verified_tls(settings.ca_cert)
        self._lost = False
        self._last_answer = 0.0
        self._connection: Any = None
        self._lock = threading.Lock()
        self._may_send: Callable[[], None] | None = None
        self._give_way: Callable[[], None] = _at_once
        self._writing_ended = False
        self._is_writing = False
        self._connect()

    @property
    def username(self) -> str:
        """The account, as the settings give it."""
        return self._settings.username

    def _connect(self) -> None:
        settings = self._settings
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
        if self._may_send is not None:
            self._put_gate()
        self._lost = False
        self._last_answer = time.monotonic()

    def another(self) -> Session | None:
        """Return a further connection to the same server; None where the name leads to another one now, or may.

        Raises:
            DirectoryError: it cannot be opened.
        """
        another = Session(self._settings)
        service = another._service()
        if service and service == self._service():
            return another
        another.close()
        return None

    def _service(self) -> tuple[str, ...]:
        root = next(self.search("", "(objectClass=*)", ("dsServiceName",), scope="BASE"), None)
        return root.texts("dsServiceName") if root is not None else ()

    def _put_gate(self) -> None:
        self._connection.socket = _Gate(self._connection.socket, self._ask_to_send, self._is_sent)

    @contextmanager
    def sending_after(self, may_send: Callable[[], None], give_way: Callable[[], None]) -> Iterator[None]:
        """Ask before each request of the block is sent, when it is ready to go.

        Parameters:
            may_send: returns when it may.
            give_way: is called when the block sent a request after it said that it has written all.
        """
        if self._may_send is None:
            self._put_gate()
        self._may_send, self._give_way, self._writing_ended = may_send, give_way, False
        try:
            yield
        finally:
            self._may_send, self._give_way = _at_once, _at_once

    def end_writing(self) -> None:
        """Say in such a block that nothing will be written in it any more."""
        self._writing_ended = True

    def _is_sent(self) -> None:
        if self._writing_ended:
            self._give_way()

    def _ask_to_send(self) -> None:
        if self._may_send is not None:
            self._may_send()
        if self._is_writing and self._is_silent():
            raise _SilentError

    def _is_silent(self) -> bool:
        return time.monotonic() - self._last_answer > _SILENT_SECONDS

    def _bind(self) -> None:
        try:
            self._connection.open(read_server_info=False)
            if self._settings.tls_mode is TlsMode.START_TLS:
                self._connection.start_tls(read_server_info=False)
            for attempt in range(1, _TRIES + 1):
                done, result = self._connection.bind(read_server_info=False), self._connection.result
                if result["result"] not in results.BUSY_CODES or attempt == _TRIES:
                    break
                _pause(attempt)
        except ldap_errors.LDAPExceptionError as error:
            raise self._unreachable(error) from None
        self.operations["bind"] += 1
        if not done:
            raise results.bind_refusal(self._settings.username, result)

    def _unreachable(self, error: Exception) -> DirectoryError:
        text = " ".join(str(error).split())
        if "CERTIFICATE_VERIFY_FAILED" in text or "certificate" in text.lower():
            return DirectoryError(
                f"The certificate of the domain controller {self._where} is not trusted: {text}.",
                "Give the CA that issued it as domain_ca_cert, and the name that stands in it as domain_server.",
                code="directory_not_trusted",
            )
        return DirectoryError(
            f"The domain controller {self._where} does not answer: {text}.",
            "Check domain_server, domain_port and the network.",
            code="directory_unreachable",
        )

    def close(self) -> None:
        """End the connection."""
        try:
            self._connection.unbind()
        except ldap_errors.LDAPExceptionError:
            return

    def _call(
        self, kind: str, operation: str, *arguments: Any, repeatable: bool = False, **options: Any
    ) -> tuple[Mapping[str, Any], list[Any]]:
        """Run one operation, waiting and trying again while the server says that it is busy."""
        if kind != "search" and self._is_silent():
            next(self.search("", "(objectClass=*)", (), scope="BASE"), None)
        for attempt in range(1, _TRIES + 1):
            result, response = self._ask(kind, operation, arguments, options, repeatable)
            if result["result"] not in results.BUSY_CODES or attempt == _TRIES:
                break
            _pause(attempt)
        return result, response or []

    def _ask(
        self, kind: str, operation: str, arguments: Sequence[Any], options: Mapping[str, Any], repeatable: bool
    ) -> tuple[Mapping[str, Any], list[Any] | None]:
        with self._lock:
            return self._ask_alone(kind, operation, arguments, options, repeatable)

    def _ask_alone(
        self, kind: str, operation: str, arguments: Sequence[Any], options: Mapping[str, Any], repeatable: bool
    ) -> tuple[Mapping[str, Any], list[Any] | None]:
        if self._lost:
            self._connect()
        self.operations[kind] += 1
        self._is_writing = kind != "search"
        try:
            getattr(self._connection, operation)(*arguments, **options)
        except _SilentError:
            self.operations[kind] -= 1
            root = {"search_scope": "BASE", "attributes": ["1.1"]}
            self._ask_alone("search", "search", ("", "(objectClass=*)"), root, repeatable=True)
            return self._ask_alone(kind, operation, arguments, options, repeatable)
        except ldap_errors.LDAPExceptionError as error:
            self._lost = True
            if not repeatable or not isinstance(error, ldap_errors.LDAPCommunicationError):
                raise self._unreachable(error) from None
            return self._ask_alone(kind, operation, arguments, options, repeatable=False)
        finally:
            self._is_writing = False
        self._last_answer = time.monotonic()
        # The strategy for several threads would give copies of these, which costs more than reading them.
        return self._connection.result, self._connection.response

    def search(
        self,
        base: str,
        ldap_filter: str,
        attributes: Sequence[str],
        *,
        scope: str = "SUBTREE",
        controls: Sequence[Control] = (),
    ) -> Iterator[Entry]:
        """Yield all entries of a paged search.

        Raises:
            DirectoryError: the search did not reach its end.
        """
        cookie: bytes | None = None
        while True:
            result, response = self._call(
                "search",
                "search",
                base,
                ldap_filter,
                search_scope=scope,
                attributes=list(attributes) or ["1.1"],
                controls=list(controls) or None,
                paged_size=None if scope == "BASE" else PAGE_SIZE,
                paged_cookie=cookie,
                # A cookie is worth nothing on another connection.
                repeatable=cookie is None,
            )
            if result["result"] == results.NO_SUCH_OBJECT and scope == "BASE":
                return
            if result["result"] != results.SUCCESS:
                raise results.failed_reading(f"Reading {base} at {self._where}", result)
            for item in response:
                if item["type"] == "searchResEntry":
                    raw = item["raw_attributes"]
                    yield Entry(item["dn"], {name.lower(): raw[name] or () for name in raw})
            paging = (result.get("controls") or {}).get(PAGED_RESULTS)
            cookie = paging["value"]["cookie"] if paging else None
            if not cookie:
                return

    def add(self, name: str, object_class: str, attributes: Mapping[str, Sequence[str]]) -> Mapping[str, Any]:
        """Add an object and return the result."""
        return self._call("add", "add", name, object_class, {key: list(value) for key, value in attributes.items()})[0]

    def modify(
        self,
        name: str,
        changes: Mapping[str, Sequence[tuple[str, Sequence[str | bytes]]]],
        controls: Sequence[Control] = (),
    ) -> Mapping[str, Any]:
        """Modify an object and return the result.

        Parameters:
            name: DN or `<GUID=…>`.
            changes: attribute to its operations in order (`MODIFY_ADD`, `MODIFY_DELETE`, `MODIFY_REPLACE` with values).
            controls: controls of the request.
        """
        wire = {key: [(op, list(values)) for op, values in operations] for key, operations in changes.items()}
        options: dict[str, Any] = {"controls": list(controls)} if controls else {}
        return self._call("modify", "modify", name, wire, **options)[0]

    def modify_dn(self, name: str, new_rdn: str, new_superior: str) -> Mapping[str, Any]:
        """Rename and move an object and return the result."""
        return self._call("modify_dn", "modify_dn", name, new_rdn, new_superior=new_superior)[0]

    def delete(self, name: str) -> Mapping[str, Any]:
        """Delete an object and return the result."""
        return self._call("delete", "delete", name)[0]


def _at_once() -> None:
    """Let a request go."""


def _pause(attempt: int) -> None:
    """Wait before the next try, longer each time."""
    time.sleep(min(30.0, 0.5 * 2**attempt) * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
