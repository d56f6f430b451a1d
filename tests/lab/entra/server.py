# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTPS server around the application."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from .app import TRANSPORT, build_app
from .calls import Tenant
from .config import Config
from .model import Model
from .service import build_service
from .store import Directory


class _Protocol(HttpToolsProtocol):
    """Hands the transport to the application, so that a scripted fault can cut the connection."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        extensions: dict[Any, Any] = {TRANSPORT: self.transport}
        self.scope["extensions"] = extensions


class _Server(uvicorn.Server):
    """Announces on stdout when connections are accepted."""

    def __init__(self, config: uvicorn.Config, url: str) -> None:
        super().__init__(config)
        self._url = url

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        if self.started:
            sys.stdout.write(f"ready {self._url}\n")
            sys.stdout.flush()


def serve(config: Config, model: Model) -> None:
    """Run in the foreground until a signal ends it.

    Raises OSError when the port is taken, ssl.SSLError when certificate and key do not fit.
    """
    directory = Directory.create(config.database)
    tenant = Tenant(directory, model, config.default_domain, id=config.tenant_id)
    app = build_app(build_service(config, tenant))
    settings = uvicorn.Config(
        app,
        host=config.host,
        port=config.port,
        http=_Protocol,
        ssl_certfile=config.certificate,
        ssl_keyfile=config.key,
        log_level="warning",
        server_header=False,
        lifespan="off",
        timeout_graceful_shutdown=0,
    )
    asyncio.run(_Server(settings, config.base_url).serve())
