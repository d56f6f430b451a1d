# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is in how many groups, read from a scripted domain in two searches."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import token_sizes
from tests.unit.plugins.module_utils._directory.scripted import (
    Operation,
    ScriptedConnection,
    connect,
    entry,
    page,
    with_raw,
)
from tests.unit.samples import BASE, OUTSIDE

GROUPS = [entry("CN=A", memberOf=["CN=b", "CN=Elsewhere"]), entry("CN=B", memberOf=["CN=A"]), entry("CN=C")]


def read(patch: pytest.MonkeyPatch, *users: dict[str, Any]) -> tuple[str, str, list[Operation]]:
    connection = ScriptedConnection(lambda op: page(GROUPS if "objectClass=group" in op.arguments[1] else users))
    row = token_sizes.read_token_sizes(connect(patch, connection), BASE)
    return row.status.value, row.found, connection.asked


def test_groups_are_counted_at_any_depth_in_two_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    users = entry(f"CN=u,{OUTSIDE}", memberOf=["cn=A"]), entry(f"CN=v,{OUTSIDE}", memberOf=["CN=C"])
    status, found, asked = read(monkeypatch, *users)
    # Both of the ring, and the primary group.
    assert status == "ok" and "2 users with groups looked at, the most groups 3;" in found
    assert len(asked) == 2 and "2147483648" in asked[0].arguments[1]


def test_a_list_in_ranges_counts_as_far_as_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    user = with_raw(entry(f"CN=u,{OUTSIDE}"), {"memberOf;range=0-1499": [b"CN=A", b"CN=C"]})
    assert "the most groups 4;" in read(monkeypatch, user)[1]


def test_nobody_seen_and_a_cut_reading_are_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch)[0] == "unknown"
    monkeypatch.setattr(token_sizes, "MOST_USERS", 1)
    users = [entry(f"CN={name},{OUTSIDE}", memberOf=["CN=A"]) for name in "uv"]
    status, found, _asked = read(monkeypatch, *users)
    assert status == "unknown" and "the first 1 users" in found
