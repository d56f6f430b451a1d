# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the modules of the directory side share: the way to the domain controller."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.connection import (
    LDAP3_IMPORT_ERROR,
    ConnectionSettings,
    TlsMode,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.domain import server_to_use
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reader import Reader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import MAPPED
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ownership import managed_containers

LIBRARIES = {"ldap3": LDAP3_IMPORT_ERROR}

_CATALOG_PORTS = {TlsMode.LDAPS: 3269, TlsMode.START_TLS: 3268}


@contextmanager
def open_directory(params: dict[str, Any], attributes: Iterable[str] = ()) -> Iterator[tuple[Session, Reader]]:
    """Give a session and a reader of the target domain.

    Parameters:
        params: the module's options.
        attributes: LDAP names of the attributes that the mappings write, beside the default ones.

    Raises:
        GpadError: a container is no DN, or the domain controller cannot be used.
    """
    containers = managed_containers(params["managed_containers"])
    session = open_session(params)
    try:
        reader = Reader(session, containers, (*MAPPED, *attributes), catalog_of(params))
        try:
            yield session, reader
        finally:
            reader.close()
    finally:
        session.close()


def open_session(params: dict[str, Any]) -> Session:
    """Return a connection to the domain controller that is to be used.

    Raises:
        DirectoryError: it cannot be reached, or the name is that of the domain and leads to no PDC emulator.
    """
    given, port = params["domain_server"], params["domain_port"]
    session = Session.opened(_connection(params, given, port))
    try:
        server = server_to_use(session, given)
    except BaseException:
        session.close()
        raise
    if server is None:
        return session
    session.close()
    return Session.opened(_connection(params, server, port))


def _connection(params: dict[str, Any], server: str, port: int | None) -> ConnectionSettings:
    return ConnectionSettings(
        server,
        params["domain_username"],
        params["domain_password"],
        port,
        TlsMode(params["domain_tls_mode"]),
        params["domain_ca_cert"],
    )


def catalog_of(params: dict[str, Any]) -> Callable[[], Session] | None:
    """Return what opens a connection to the global catalog, or None where there is none."""
    server = params["global_catalog_server"]
    if not server:
        return None
    port = params["global_catalog_port"] or _CATALOG_PORTS[TlsMode(params["domain_tls_mode"])]

    def open_catalog() -> Session:
        return Session.opened(_connection(params, server, port))

    return open_catalog
