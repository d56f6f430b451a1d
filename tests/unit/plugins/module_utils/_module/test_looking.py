# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows on the directory side from the options of a module, with a scripted domain controller."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import preflight
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.preflight import Wanted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import looking
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError, GpadError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.preflight import Row, Status
from tests.unit.plugins.module_utils._directory.scripted_lists import Domain
from tests.unit.plugins.module_utils._module.world import World
from tests.unit.samples import BASE, MANAGED, OWN_SID

SIZES = "members against max_members"


def params(**more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "managed_containers": [MANAGED],
        "attribute_mappings": [],
        "mark_authority": False,
        "create_containers": False,
        "snapshot": None,
        "snapshot_key": None,
        "max_members": 0,
        "global_catalog_server": None,
    }
    return {**given, **more}


def table(patch: pytest.MonkeyPatch, **more: Any) -> tuple[dict[str, dict[str, Any]], Wanted]:
    """Return the table and what was asked for."""
    asked: list[Wanted] = []

    def rows(_session: object, wanted: Wanted) -> list[Row]:
        asked.append(wanted)
        return [Row("clock", Status.OK, "fine")]

    patch.setattr(looking, "open_session", lambda _params: Domain(patch).session)
    patch.setattr(preflight, "rows", rows)
    return {row["check"]: row for row in looking.directory_rows(params(**more))}, asked[0]


def test_options_decide_on_what_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, wanted = table(monkeypatch)
    assert rows["clock"] == {"check": "clock", "status": "ok", "found": "fine", "remedy": ""}
    assert (wanted.managed_containers, wanted.catalog, wanted.marks, wanted.units) == ([MANAGED], None, False, False)
    assert "cn" not in wanted.mapped and "msDS-ObjectSoa" not in wanted.mapped
    mappings = [{"target": "info", "none": False}, {"target": "mail", "none": True}, {"target": "CN", "none": False}]
    _rows, wanted = table(monkeypatch, attribute_mappings=mappings, mark_authority=True, create_containers=True)
    assert set(wanted.mapped) >= {"info", "msDS-ObjectSoa"} and not {"mail", "CN"} & set(wanted.mapped)
    assert wanted.marks and wanted.units


def test_a_controller_that_does_not_answer_is_a_row_and_the_rest_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_params: object) -> None:
        raise DirectoryError("No answer.", "Start it.")

    monkeypatch.setattr(looking, "open_session", refuse)
    rows = looking.directory_rows(params())
    assert [(row["check"], row["status"]) for row in rows] == [
        ("domain controller", "failed"),
        ("all that is asked of the domain controller", "unknown"),
        (SIZES, "unknown"),
    ]
    with pytest.raises(GpadError):
        looking.directory_rows(params(managed_containers=[BASE]))


@pytest.mark.parametrize(("most", "status"), [(1, "warning"), (2, "ok")])
def test_sizes_are_those_of_the_snapshot(monkeypatch: pytest.MonkeyPatch, world: World, most: int, status: str) -> None:
    world.capture()
    rows, _wanted = table(monkeypatch, snapshot=str(world.folder / "snapshot"), max_members=most)
    assert rows[SIZES]["status"] == status and "the largest has 2 members" in rows[SIZES]["found"]


def test_sizes_are_unknown_without_a_snapshot_that_can_be_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert table(monkeypatch, snapshot=str(tmp_path / "none"))[0][SIZES]["status"] == "unknown"
    (tmp_path / "bad").write_bytes(b"no database")
    assert table(monkeypatch, snapshot=str(tmp_path / "bad"))[0][SIZES]["status"] == "unknown"


def test_the_enforcement_is_told_and_a_server_that_is_none_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "open_session", lambda _params: Domain(monkeypatch).session)
    told = looking.enforcement_entry(params())
    assert (told["own_sid"], told["policies"]) == (OWN_SID, [])
    monkeypatch.setattr(preflight, "read_root", lambda _session: None)
    with pytest.raises(DirectoryError) as error:
        looking.enforcement_entry(params())
    assert error.value.code == "not_a_dc"
