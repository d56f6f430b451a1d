# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""gpad_journal from its options to its result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import keeping
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import StoreError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied, KnownGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.replication import Database
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
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

    def running(*accepted: str, check_mode: bool = False, journal: Path = path, **more: Any) -> dict[str, Any]:
        options = {"journal": str(journal), "accepted": list(accepted), **more}
        return run(monkeypatch, capsys, keeping.run, options, check_mode=check_mode)

    return running


def known_groups(path: Path) -> dict[str, KnownGroup]:
    journal = JournalFile(path, writable=False)
    known = journal.known()
    journal.close()
    return known


def accepted(path: Path) -> set[str]:
    known = known_groups(path)
    assert {entry.guid for entry in known.values()} == {guid(number) for number in (1, 2, 3)}
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
def test_of_a_list_with_a_mistake_nothing_is_accepted_nor_stopped(
    keep: Keep, path: Path, value: str, code: str
) -> None:
    before = path.read_bytes()
    result = keep(cloud_id(1), value, stopped=True)
    assert (result["outcome"], result["errors"][0]["code"]) == ("fatal", code)
    assert value in result["errors"][0]["reason"]
    assert path.read_bytes() == before


def test_with_a_digest_that_is_none_nothing_is_done(keep: Keep, path: Path) -> None:
    before = path.read_bytes()
    result = keep(cloud_id(1), stopped=True, configured="sha256")
    assert (result["outcome"], result["errors"][0]["code"]) == ("fatal", "configuration_invalid")
    assert path.read_bytes() == before


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


def test_groups_are_forgotten_once(keep: Keep, path: Path) -> None:
    result = keep(forgotten=[cloud_id(2).upper(), cloud_id(9), cloud_id(2)])
    assert (result["_rc"], result["changed"], result["forgotten"]) == (0, True, [cloud_id(2)])
    assert result["summary"]["forgotten"] == 1
    assert set(known_groups(path)) == {cloud_id(1), cloud_id(3)}
    again = keep(forgotten=[cloud_id(2)])
    assert (again["changed"], again["forgotten"]) == (False, [])


def test_check_mode_forgets_nothing(keep: Keep, path: Path) -> None:
    result = keep(forgotten=[cloud_id(2)], check_mode=True)
    assert (result["changed"], result["forgotten"]) == (True, [cloud_id(2)])
    assert accepted(path) == {cloud_id(3)}


def test_a_deletion_that_was_undone_by_hand_is_forgotten_once(keep: Keep, path: Path) -> None:
    """Another domain controller may show the object then."""
    journal = JournalFile(path, writable=True)
    journal.written_to.remember(Database("dc1", guid(901)))
    journal.begin_run("r", "gpad_group", "p", "t", "t")
    journal.record(Applied("delete", cloud_id(7), "Group 7", guid(7), "CN=x", "done", {}, {}))
    journal.close()
    assert keep(forgotten=[cloud_id(7)])["forgotten"] == [cloud_id(7)]
    assert not keep(forgotten=[cloud_id(7)])["changed"]
    written = JournalFile(path, writable=False).written_to.last()
    assert written is not None and written.deleted == {}


def test_another_key_may_follow(keep: Keep, path: Path) -> None:
    assert not keep(released=["snapshot_key"])["changed"]
    journal = JournalFile(path, writable=True)
    journal.pins.pin_snapshot_key("first")
    journal.close()
    assert keep(released=["snapshot_key"], check_mode=True)["released"] == ["snapshot_key"]
    assert keep(released=["snapshot_key"])["changed"]
    assert JournalFile(path, writable=False).pins.snapshot_key() == ""


def test_with_a_mistake_in_either_list_nothing_is_forgotten(keep: Keep, path: Path) -> None:
    for result in (
        keep(forgotten=[cloud_id(1), "Sales"]),
        keep(cloud_id(9), forgotten=[cloud_id(1)]),
    ):
        assert (result["outcome"], result["changed"]) == ("fatal", False)
    assert accepted(path) == {cloud_id(3)}


def test_nothing_is_forgotten_while_a_run_writes(keep: Keep, path: Path) -> None:
    other = JournalFile(path, writable=True)
    with other.locked():
        assert keep(forgotten=[cloud_id(1)])["errors"][0]["code"] == "run_in_progress"
    other.close()
    assert accepted(path) == {cloud_id(3)}


def why_stopped(path: Path) -> str | None:
    journal = JournalFile(path, writable=False)
    why = journal.stopped()
    journal.close()
    return why


def test_runs_are_stopped_and_let_go_while_a_run_holds_the_journal(keep: Keep, path: Path) -> None:
    """The switch is for the run that is under way."""
    running = JournalFile(path, writable=True)
    with running.locked():
        result = keep(stopped=True, stop_reason="Somebody is looking.")
        assert (result["outcome"], result["changed"], result["stopped"]) == ("ok", True, True)
        assert running.stopped() == "Somebody is looking."
        again = keep(stopped=True, stop_reason="Another.")
        assert (again["changed"], again["stopped"], running.stopped()) == (False, True, "Somebody is looking.")
        asked = keep()
        assert (asked["changed"], asked["stopped"]) == (False, True)
        result = keep(stopped=False)
        assert (result["changed"], result["stopped"], running.stopped()) == (True, False, None)
        assert keep(stopped=False)["changed"] is False
    running.close()


def test_without_a_reason_there_is_one(keep: Keep, path: Path) -> None:
    keep(stopped=True)
    assert why_stopped(path)


@pytest.mark.parametrize("stopped", [True, False])
def test_check_mode_tells_what_the_switch_would_do(keep: Keep, path: Path, stopped: bool) -> None:
    keep(stopped=not stopped)
    before = why_stopped(path)
    result = keep(stopped=stopped, check_mode=True)
    assert (result["changed"], result["stopped"]) == (True, stopped)
    assert why_stopped(path) == before


def test_the_switch_is_set_although_the_lists_have_to_wait(keep: Keep, path: Path) -> None:
    running = JournalFile(path, writable=True)
    with running.locked():
        result = keep(cloud_id(1), stopped=True)
        assert (result["outcome"], result["errors"][0]["code"]) == ("blocked", "run_in_progress")
    running.close()
    assert why_stopped(path)
    assert accepted(path) == {cloud_id(3)}


def test_a_snapshot_may_be_older_than_the_last_one_again(keep: Keep, path: Path) -> None:
    """After one that was dated ahead."""
    assert not keep(released=["watermarks"])["changed"]
    journal = JournalFile(path, writable=True)
    journal.pins.remember_age("2099-01-01T00:00:00Z")
    journal.close()
    result = keep(released=["watermarks"], check_mode=True)
    assert (result["released"], result["changed"]) == (["watermarks"], True)
    assert keep(released=["watermarks"])["changed"]
    JournalFile(path, writable=False).pins.check_age("2026-01-01T00:00:00Z")
    assert not keep(released=["watermarks"])["changed"]


def test_a_plan_that_was_dated_ahead_holds_back_no_later_one(keep: Keep, path: Path) -> None:
    """Those that are older than the moment of the release stay refused."""
    journal = JournalFile(path, writable=True)
    journal.begin_run("r", "gpad_group", "p", "2099-01-01T00:00:00.000000Z", "t")
    journal.close()
    before = moment_text(utc_now())
    assert keep(released=["watermarks"])["released"] == ["watermarks"]
    journal = JournalFile(path, writable=True)
    journal.check_plan("gpad_group", "later", moment_text(utc_now()))
    with pytest.raises(StoreError) as caught:
        journal.check_plan("gpad_group", "earlier", before)
    assert caught.value.code == "plan_outdated"
    assert not keep(released=["watermarks"])["changed"]
