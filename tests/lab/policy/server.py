# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listening side of the proxy."""

from __future__ import annotations

import asyncio
import functools
import signal
import ssl
import sys
from collections.abc import Sequence

from .admin_server import serve_admin
from .config import Domain
from .facts import Facts
from .relay import Relay
from .site import Site

LDAPS_PORT, CATALOG_PORT = 636, 3269


async def serve(domains: Sequence[Domain]) -> None:
    """Serve all domains until a signal ends it; say ``ready`` on stdout when connections are accepted."""
    facts = {domain.name: Facts(domain) for domain in domains}
    sites = [Site(domain, facts) for domain in domains]
    servers = []
    for site in sites:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(site.domain.certificate, site.domain.key)
        for port in (LDAPS_PORT, CATALOG_PORT):
            connected = functools.partial(_connected, site, port == CATALOG_PORT)
            servers.append(await asyncio.start_server(connected, site.domain.address, port, ssl=context))
        servers.append(
            await asyncio.start_server(
                functools.partial(serve_admin, site), site.domain.address, site.domain.admin_port
            )
        )
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await ended.wait()
    for server in servers:
        server.close()


async def _connected(site: Site, catalog: bool, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        await Relay(site, writer, catalog=catalog).run(reader)
    finally:
        # A client that is dropped must see the end at once, answers that wait for it or not.
        writer.transport.abort() if writer.transport.is_closing() else writer.close()
