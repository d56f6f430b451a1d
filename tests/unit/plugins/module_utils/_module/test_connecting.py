# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which domain controller is connected to, and that every connection is closed."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.connection import (
    ConnectionSettings,
    TlsMode,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import connecting
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError
from tests.unit.samples import MANAGED

PARAMS: dict[str, Any] = {
    "domain_server": "dc1",
    "domain_port": None,
    "domain_tls_mode": "start_tls",
    "domain_username": "svc",
    "domain_password": "x",
    "domain_ca_cert": "/ca.pem",
    "managed_containers": [MANAGED],
    "global_catalog_server": None,
    "global_catalog_port": None,
}


@pytest.mark.parametrize(
    ("mode", "port", "expected_port"),
    [(TlsMode.LDAPS, None, 3269), (TlsMode.START_TLS, None, 3268), (TlsMode.LDAPS, 13269, 13269)],
)
def test_the_connection_is_closed_whatever_happens(
    monkeypatch: pytest.MonkeyPatch, mode: TlsMode, port: int | None, expected_port: int
) -> None:
    told: list[Any] = []

    class Session:
        def __init__(self, settings: ConnectionSettings) -> None:
            told.append(settings)

        def close(self) -> None:
            told.append("closed")

    class Reader:
        def __init__(
            self, _session: object, containers: tuple[str, ...], attributes: Any, catalog: Callable[[], Any] | None
        ) -> None:
            told.append((containers, set(attributes)))
            if catalog is not None:
                catalog()

        def close(self) -> None:
            told.append("reader closed")

    monkeypatch.setattr(connecting, "Session", SimpleNamespace(opened=Session))
    monkeypatch.setattr(connecting, "server_to_use", lambda _session, _given: None)
    monkeypatch.setattr(connecting, "Reader", Reader)
    with pytest.raises(RuntimeError), connecting.open_directory(PARAMS):
        raise RuntimeError
    expected = ConnectionSettings("dc1", "svc", "x", None, TlsMode.START_TLS, "/ca.pem")
    assert told[0] == expected
    assert told[1] == ((MANAGED,), {"displayName", "description", "sAMAccountName"})
    assert told[2:] == ["reader closed", "closed"]
    told.clear()
    more = {"global_catalog_server": "gc1", "global_catalog_port": port, "domain_tls_mode": mode.value}
    with connecting.open_directory({**PARAMS, **more}):
        pass
    assert told[0].server == "dc1"
    assert (told[2].server, told[2].port, told[2].tls_mode) == ("gc1", expected_port, mode)
    assert told[3:] == ["reader closed", "closed"]


def test_the_name_of_the_domain_leads_to_its_pdc_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    class Session:
        def __init__(self, settings: ConnectionSettings) -> None:
            self.server = settings.server
            told.append(f"open {settings.server} {settings.port}")

        def close(self) -> None:
            told.append(f"close {self.server}")

    class Reader:
        def __init__(self, session: Session, *_more: object) -> None:
            told.append(f"read {session.server}")

        def close(self) -> None:
            pass

    monkeypatch.setattr(connecting, "Session", SimpleNamespace(opened=Session))
    monkeypatch.setattr(connecting, "Reader", Reader)
    monkeypatch.setattr(connecting, "server_to_use", lambda _session, given: f"pdc.{given}")
    with connecting.open_directory({**PARAMS, "domain_server": "contoso.com", "domain_port": 1636}):
        pass
    assert told == [
        "open contoso.com 1636",
        "close contoso.com",
        "open pdc.contoso.com 1636",
        "read pdc.contoso.com",
        "close pdc.contoso.com",
    ]


def test_a_directory_that_is_no_directory_is_closed_too(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []

    class Session:
        def __init__(self, _settings: ConnectionSettings) -> None:
            pass

        def close(self) -> None:
            closed.append(True)

    def reader(*_arguments: object) -> None:
        raise DirectoryError("no")

    monkeypatch.setattr(connecting, "Session", SimpleNamespace(opened=Session))
    monkeypatch.setattr(connecting, "server_to_use", lambda _session, _given: None)
    monkeypatch.setattr(connecting, "Reader", reader)
    with pytest.raises(DirectoryError), connecting.open_directory(PARAMS):
        pytest.fail("opened")
    assert closed == [True]
    closed.clear()
    monkeypatch.setattr(connecting, "server_to_use", reader)
    with pytest.raises(DirectoryError), connecting.open_directory(PARAMS):
        pytest.fail("opened")
    assert closed == [True]
