# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When changes are enough."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import full_reading
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.full_reading import (
    to_read_again,
    why_full,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import SnapshotHeader
from tests.unit.samples import TENANT

HEADER = SnapshotHeader(TENANT, "2026-01-01T10:00:00Z", "f", full_at="2026-01-01T00:00:00Z")
WATCHES = {"groups": "https://g", "users": "https://u", "query": "asked"}
NOW = datetime(2026, 1, 1, 23, 59, tzinfo=timezone.utc)


def test_changes_are_enough() -> None:
    assert why_full(HEADER, WATCHES, "asked", NOW, 24) == ""


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"header": None}, "no snapshot"),
        ({"watches": {"groups": "https://g", "query": "asked"}}, "does not tell"),
        ({"watches": {}}, "does not tell"),
        ({"header": replace(HEADER, incomplete="cut")}, "not whole"),
        ({"header": replace(HEADER, scope_doubt="doubt")}, "not whole"),
        ({"header": replace(HEADER, narrowed=True)}, "not whole"),
        ({"query": "more"}, "other properties"),
        ({"hours": 23}, "2026-01-01T00:00:00Z"),
        ({"hours": 0}, "2026-01-01T00:00:00Z"),
        ({"header": replace(HEADER, full_at="2026-01-02T00:00:00Z")}, "2026-01-02T00:00:00Z"),
    ],
)
def test_everything_is_read(given: dict[str, Any], why: str) -> None:
    usual: dict[str, Any] = {"header": HEADER, "watches": WATCHES, "query": "asked", "now": NOW, "hours": 24}
    assert why in why_full(**{**usual, **given})


def test_what_is_read_again() -> None:
    before = {"old": "2026-01-01T23:44:00Z", "young": "2026-01-01T23:45:00Z", "ahead": "2026-01-02T23:45:00Z"}
    assert to_read_again(["new"], before, NOW) == {"young": before["young"], "new": "2026-01-01T23:59:00Z"}


@pytest.mark.parametrize(("hours", "due"), [(0, True), (23, True), (24, False)])
def test_when_the_next_full_reading_is_due(hours: int, due: bool) -> None:
    assert full_reading.is_due("2026-01-01T00:00:00Z", NOW, hours) is due
    assert full_reading.is_due("2026-01-02T00:00:00Z", NOW, hours)


def test_a_word_stands_for_values_in_any_order() -> None:
    assert full_reading.word_of({"a": 1, "b": [2]}) == full_reading.word_of({"b": [2], "a": 1})
    assert full_reading.word_of({"a": 1}) != full_reading.word_of({"a": 2})


def test_what_results_tell() -> None:
    assert full_reading.told("") == {"kind": "changes", "why": ""}
    assert full_reading.told("it was time") == {"kind": "full", "why": "it was time"}
