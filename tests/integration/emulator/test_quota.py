# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection's client keeps within what the service lets an application read."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import quota
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.auth import EntraSettings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import MemberQuery
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import GraphClient
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.member_reading import read_members
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import CompleteReading
from tests.lab.entra.admin import EntraAdmin

from .tenant import TENANT, Emulator, app_id, oid


# What is left to others in the bucket is, as with the real sizes, no less than four batches of twenty.
@pytest.mark.parametrize(
    ("units", "seconds", "reads", "keeps_within"), [(1600, 8.0, 1200, True), (100, 1.0, 120, False)]
)
def test_requests_wait_before_the_service_refuses_them(
    emulator: Emulator,
    admin: EntraAdmin,
    monkeypatch: pytest.MonkeyPatch,
    units: int,
    seconds: float,
    reads: int,
    keeps_within: bool,
) -> None:
    admin.knobs(read_units=units, read_seconds=seconds)
    monkeypatch.setattr(quota, "_UNITS", {0: units if keeps_within else 10**9})
    monkeypatch.setattr(quota, "_SECONDS", seconds)
    settings = EntraSettings(
        TENANT, app_id("all"), emulator.url, emulator.url, "all-secret", ca_cert=str(emulator.pki.certificate)
    )
    client = GraphClient(settings)
    client.quota._level = min(client.quota._level, units * 0.9)
    readings = [reading for _id, reading in read_members(client, [oid("sales")] * reads, MemberQuery())]
    assert len(readings) == reads and all(isinstance(reading, CompleteReading) for reading in readings)
    asked = [one for one in admin.requests() if "/members?" in one["path"]]
    refused = [one for one in asked if one["status"] == 429]
    assert (bool(refused), client.quota.waited > 0) == (not keeps_within, keeps_within)
    assert client.quota.used == sum(one["units"] for one in asked)
