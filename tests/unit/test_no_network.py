# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixture that keeps unit tests off the network does so."""

from __future__ import annotations

import socket

import pytest


def test_a_connection_is_refused() -> None:
    with socket.socket() as probe, pytest.raises(AssertionError, match="network"):
        probe.connect(("127.0.0.1", 9))


def test_a_name_is_not_looked_up() -> None:
    with pytest.raises(AssertionError, match="network"):
        socket.create_connection(("localhost", 9))
