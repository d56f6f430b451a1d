# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""One LDAP connection to one domain controller, and what is asked over it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import methodcaller
from typing import Any, TypeAlias

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import results
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.connection import (
    SEARCH,
    BoundConnection,
    ConnectionSettings,
    modification,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError

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

Control: TypeAlias = "tuple[str, bool, bytes | None]"


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


def _at_once() -> None:
    """Let a request go."""


class Session:
    """What is asked over a bound connection; threads may share it.

    Parameters:
        connection: to the domain controller.
        wait: returns when the next request may go.
    """

    def __init__(self, connection: BoundConnection, wait: Callable[[], None] = _at_once) -> None:
        self._connection = connection
        self._wait = wait

    @classmethod
    def opened(cls, settings: ConnectionSettings) -> Session:
        """Return one over a new connection.

        Raises:
            DirectoryError: the domain controller cannot be reached, is not trusted, or refuses the log-on.
        """
        return cls(BoundConnection(settings))

    @property
    def operations(self) -> Counter[str]:
        """How many of each kind the connection carried."""
        return self._connection.operations

    def count_in(self, operations: Counter[str]) -> None:
        """Count the operations of the connection there, those until now as well."""
        self._connection.count_in(operations)

    @property
    def username(self) -> str:
        """The account, as the settings give it."""
        return self._connection.settings.username

    def waiting(self, wait: Callable[[], None]) -> Session:
        """Return one over the same connection, each request of which waits when it is ready to go.

        Parameters:
            wait: returns when it may go.
        """
        return Session(self._connection, wait)

    def another(self) -> Session | None:
        """Return a further connection to the same server, counted with this one; it is not opened again if it breaks.

        None where the name leads to another server now, or may.

        Raises:
            DirectoryError: it cannot be opened.
        """
        another = Session(BoundConnection(self._connection.settings, is_lasting=False))
        try:
            service = another.stay()
            if service and service == self.stay():
                another.count_in(self.operations)
                return another
        except DirectoryError:
            another.close()
            raise
        another.close()
        return None

    def stay(self, service: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Return which domain controller it is (dsServiceName), and never go on with another one.

        Parameters:
            service: it, where it was read already.

        Raises:
            DirectoryError: it cannot be asked.
        """
        return self._connection.stay(service)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

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
            self._wait()
            result, response = self._connection.run(
                SEARCH,
                methodcaller(
                    "search",
                    base,
                    ldap_filter,
                    search_scope=scope,
                    attributes=list(attributes) or ["1.1"],
                    controls=list(controls) or None,
                    paged_size=None if scope == "BASE" else PAGE_SIZE,
                    paged_cookie=cookie,
                ),
                # A cookie is worth nothing on another connection.
                repeatable=cookie is None,
            )
            if result["result"] == results.NO_SUCH_OBJECT and scope == "BASE":
                return
            if result["result"] != results.SUCCESS:
                raise results.failed_reading(f"Reading {base} at {self._connection.where}", result)
            for item in response:
                if item["type"] == "searchResEntry":
                    raw = item["raw_attributes"]
                    yield Entry(item["dn"], {name.lower(): raw[name] or () for name in raw})
            paging = (result.get("controls") or {}).get(PAGED_RESULTS)
            cookie = paging["value"]["cookie"] if paging else None
            if not cookie:
                return

    def _write(self, kind: str, operation: Callable[[Any], object]) -> Mapping[str, Any]:
        self._wait()
        return self._connection.run(kind, operation)[0]

    def add(self, name: str, object_class: str, attributes: Mapping[str, Sequence[str]]) -> Mapping[str, Any]:
        """Add an object and return the result."""
        values = {key: list(value) for key, value in attributes.items()}
        return self._write("add", methodcaller("add", name, object_class, values))

    def modify(
        self,
        name: str,
        changes: Mapping[str, Sequence[tuple[str, Sequence[str | bytes]]]],
        controls: Sequence[Control] = (),
    ) -> Mapping[str, Any]:
        """Modify an object and return the result; the request is made before it is waited.

        Parameters:
            name: DN or `<GUID=…>`.
            changes: attribute to its operations in order (`MODIFY_ADD`, `MODIFY_DELETE`, `MODIFY_REPLACE` with values).
            controls: controls of the request.
        """
        return self._write("modify", modification(name, changes, controls))

    def modify_dn(self, name: str, new_rdn: str, new_superior: str) -> Mapping[str, Any]:
        """Rename and move an object and return the result."""
        return self._write("modify_dn", methodcaller("modify_dn", name, new_rdn, new_superior=new_superior))

    def delete(self, name: str) -> Mapping[str, Any]:
        """Delete an object and return the result."""
        return self._write("delete", methodcaller("delete", name))
