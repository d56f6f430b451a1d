# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""gpad_journal from its options to its result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import keeping
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import KnownGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from tests.unit.plugins.module_utils._module.running import run
from tests.unit.samples import cloud_id, guid

Keep = Callable[..., dict[str, Any]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal that knows three groups, one of them accepted."""
    journal = JournalFile(tmp_path / "journal", writable=True)
    for number in (1, 2, 3):
        journal.remember(cloud_id(number), guid(number), accepted=number == 3)
    journal.close()
    return tmp_path / "journal"


@pytest.fixture
def keep(path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Keep:
    """Run the module on that journal."""

    def running(*accepted: str, check_mode: bool = False, journal: Path = path) -> dict[str, Any]:
        options = {"journal": str(journal), "accepted": list(accepted)}
        return run(monkeypatch, capsys, keeping.run, options, check_mode=check_mode)

    return running


def accepted(path: Path) -> set[str]:
    journal = JournalFile(path, writable=False)
    known = journal.known()
    journal.close()
    assert {entry.guid for entry in known.values()} == {guid(number) for number in (1, 2, 3)}
    assert isinstance(known[cloud_id(1)], KnownGroup)
    return {key for key, entry in known.items() if entry.accepted}


def test_groups_are_accepted_once(keep: Keep, path: Path) -> None:
    result = keep(cloud_id(1), cloud_id(3), cloud_id(1))
    assert (result["_rc"], result["changed"], result["outcome"]) == (0, True, "ok")
    assert (result["accepted"], result["summary"]["accepted"]) == ([cloud_id(1)], 1)
    assert accepted(path) == {cloud_id(1), cloud_id(3)}
    again = keep(cloud_id(1), cloud_id(3))
    assert (again["changed"], again["accepted"]) == (False, [])


def test_an_id_may_be_written_in_any_case(keep: Keep, path: Path) -> None:
    assert keep(cloud_id(1).upper())["accepted"] == [cloud_id(1)]
    assert cloud_id(1) in accepted(path)


def test_nothing_asked_changes_nothing(keep: Keep, path: Path) -> None:
    assert keep()["changed"] is False
    assert accepted(path) == {cloud_id(3)}


def test_check_mode_tells_and_writes_nothing(keep: Keep, path: Path) -> None:
    before = path.read_bytes()
    result = keep(cloud_id(1), check_mode=True)
    assert (result["changed"], result["accepted"]) == (True, [cloud_id(1)])
    assert path.read_bytes() == before
    assert accepted(path) == {cloud_id(3)}


@pytest.mark.parametrize(
    ("value", "code"),
    [("Sales", "configuration_invalid"), ("", "configuration_invalid"), (cloud_id(9), "group_unknown")],
)
def test_of_a_list_with_a_mistake_nothing_is_accepted(keep: Keep, path: Path, value: str, code: str) -> None:
    result = keep(cloud_id(1), value)
    assert (result["outcome"], result["errors"][0]["code"]) == ("fatal", code)
    assert value in result["errors"][0]["reason"]
    assert accepted(path) == {cloud_id(3)}


def test_a_journal_that_is_not_there_is_not_made(keep: Keep, tmp_path: Path) -> None:
    result = keep(cloud_id(1), journal=tmp_path / "none")
    assert (result["outcome"], result["errors"][0]["code"]) == ("fatal", "journal_not_there")
    assert not (tmp_path / "none").exists()


def test_a_run_that_writes_blocks(keep: Keep, path: Path) -> None:
    other = JournalFile(path, writable=True)
    with other.locked():
        result = keep(cloud_id(1))
        assert (result["outcome"], result["errors"][0]["code"]) == ("blocked", "run_in_progress")
        assert keep(cloud_id(1), check_mode=True)["outcome"] == "ok"
    other.close()
    assert accepted(path) == {cloud_id(3)}
