# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preflight says of the domain controller."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.preflight_server import (
    ServerFacts,
    server_rows,
)

GOOD = ServerFacts("dc1", "DC1", False, 0.4, (), "7", "7", 87, True, False, True, True, True)


def test_all_is_as_needed() -> None:
    rows = list(server_rows(GOOD))
    assert len(rows) == 11 and {row.status.value for row in rows} == {"ok"}


@pytest.mark.parametrize(
    ("change", "check", "status", "found"),
    [
        ({"read_only": True}, "writable domain controller", "failed", "read-only"),
        ({"controls_missing": ("1.2",)}, "LDAP controls", "failed", "lacking 1.2"),
        ({"skew": 301.0}, "clock", "failed", "301 s apart"),
        ({"skew": None}, "clock", "unknown", "does not tell"),
        ({"forest_level": "1"}, "functional level", "failed", "forest 2003 interim"),
        ({"forest_level": ""}, "functional level", "unknown", "forest hidden"),
        ({"has_anchor": False, "schema_version": 69}, "schema", "failed", "version 69, without"),
        ({"mixed": True}, "universal groups", "failed", "mixed mode"),
        ({"mixed": None}, "universal groups", "unknown", "cannot be read"),
        ({"recycle_bin": False}, "Recycle Bin", "warning", "off"),
        ({"recycle_bin": None}, "Recycle Bin", "unknown", "cannot be read"),
        ({"deleted_visible": False}, "see deleted objects", "warning", "new SID"),
        ({"may_reanimate": False}, "reanimate tombstones", "warning", "cannot be restored"),
        ({"may_reanimate": None}, "reanimate tombstones", "unknown", "hidden"),
        ({"pdc_emulator": "dc2"}, "PDC emulator", "ok", "it is dc2, which is not used"),
        ({"pdc_emulator": None}, "PDC emulator", "unknown", "cannot be found out"),
        ({"read_only": None}, "writable domain controller", "unknown", "does not tell"),
        ({"has_anchor": False, "schema_version": None}, "schema", "unknown", "hidden"),
    ],
)
def test_what_is_lacking_is_told(change: dict[str, Any], check: str, status: str, found: str) -> None:
    rows = {row.check: row for row in server_rows(replace(GOOD, **change))}
    assert rows[check].status.value == status and found in rows[check].found
    assert bool(rows[check].remedy) is (status in ("failed", "warning") or check in ("functional level", "schema"))
    assert {name for name, row in rows.items() if row.status.value != "ok"} <= {check}
