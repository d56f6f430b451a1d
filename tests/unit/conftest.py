# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every unit test: no network, and properties that are tried on the same examples each time."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import NoReturn

import pytest
from hypothesis import settings

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.engine import StandardEngine
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.regex import use_engine

settings.register_profile("unit", deadline=None, max_examples=40, derandomize=True, database=None)
settings.load_profile("unit")


@pytest.fixture(autouse=True, scope="package")
def no_network() -> Iterator[None]:
    """Refuse each connection and each look-up of a name."""

    def refuse(*_args: object, **_kwargs: object) -> NoReturn:
        raise AssertionError("a unit test reached for the network")

    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex", "sendto"):
            patch.setattr(socket.socket, name, refuse)
        patch.setattr(socket, "getaddrinfo", refuse)
        yield


@pytest.fixture(autouse=True)
def standard_engine() -> Iterator[None]:
    """Match with Python's own engine again when a test chose another, as each run of a module does."""
    yield
    use_engine(StandardEngine())
