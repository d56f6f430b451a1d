# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting, showing and ending labs."""

from __future__ import annotations

import json
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.lab.conftest import SCENARIOS
from tests.lab import lifecycle, processes
from tests.lab.__main__ import main
from tests.lab.addresses import AddressError, Reservation, pick_addresses
from tests.lab.api import Lab
from tests.lab.scenario_file import load_scenario
from tests.lab.settings import LabSettings
from tests.lab.state import StateError, read_state

SMALL = "forests: [{domain: small.test, organizational_units: [OU=Groups], managed_containers: [OU=Groups]}]\n"


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "lab"
    yield path
    lifecycle.down(path)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.yml"
    path.write_text(SMALL, encoding="utf-8")
    return path


def lab_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.lab", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, cwd=lifecycle.CHECKOUT)


def test_two_forests_from_the_command_line(directory: Path) -> None:
    scenario = str(SCENARIOS / "two_forests.yml")
    up = ("up", "--scenario", scenario, "--dir", str(directory), "--address-base", "auto")
    first = lab_command(*up)
    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("up after ")

    again = lab_command(*up)
    assert (again.returncode, again.stdout.splitlines()[0]) == (0, f"already up in {directory}")

    table = lab_command("status", "--dir", str(directory))
    assert table.returncode == 0
    assert table.stdout.count(" running ") == 3

    shown = lab_command("status", "--json", "--dir", str(directory))
    settings = LabSettings.from_json(json.loads(shown.stdout))
    assert settings.scenario == scenario
    assert set(settings.forests) == {"contoso.com", "fabrikam.test"}
    sids = {forest.domain_sid for forest in settings.forests.values()}
    assert len(sids) == 2
    lab = Lab(settings)
    for domain, forest in settings.forests.items():
        (user,) = lab.ldapsearch(domain, forest.base_dn, "(sAMAccountName=bsimon)", "userPrincipalName")
        assert user["userPrincipalName"] == [f"bsimon@{domain}"]

    state = read_state(directory)
    assert state is not None
    assert all(list(processes.members_of(process)) for process in state.processes)
    ended = lab_command("down", "--dir", str(directory))
    assert ended.returncode == 0
    assert not any(list(processes.members_of(process)) for process in state.processes)
    for forest in settings.forests.values():
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((forest.address, forest.ldaps_port), timeout=5)

    assert lab_command("status", "--dir", str(directory)).returncode == 1
    assert lab_command("down", "--wipe", "--dir", str(directory)).returncode == 0
    assert not directory.exists()


def test_samba_in_several_processes_ends_with_all_of_them(directory: Path, small: Path) -> None:
    small.write_text(SMALL.replace("domain:", "prefork: true, domain:"), encoding="utf-8")
    Lab.up(small, directory, "auto")
    state = read_state(directory)
    assert state is not None
    (server,) = state.processes
    assert len(list(processes.members_of(server))) > 4
    lifecycle.down(directory)
    assert not list(processes.members_of(server))


def test_a_dead_server_is_seen_and_replaced(directory: Path, small: Path) -> None:
    lab = Lab.up(small, directory, "auto")
    state = read_state(directory)
    assert state is not None
    processes.stop(state.processes[0])
    assert main(["status", "--dir", str(directory)]) == 3
    renewed, started = lifecycle.up(small, directory, "auto")
    assert started
    assert renewed.forests["small.test"].administrator.password != lab.forest("small.test").administrator.password
    assert main(["status", "--dir", str(directory)]) == 0


def test_secrets_are_readable_by_the_owner_only(directory: Path, small: Path) -> None:
    with Lab.up(small, directory, "auto") as lab:
        forest = lab.forest("small.test")
        secret = forest.administrator.password
        assert secret != forest.service_account.password
        readable = [
            path
            for path in directory.rglob("*")
            if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077 and secret.encode() in path.read_bytes()
        ]
        keys = [*(directory / "pki").glob("*.key"), *directory.rglob("*.password"), directory / "lab.json"]
        assert len(keys) == 5
        assert [path for path in keys if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
    assert readable == []


def test_another_scenario_does_not_replace_a_running_lab(directory: Path, small: Path) -> None:
    with Lab.up(small, directory, "auto"), pytest.raises(StateError, match="take it down first"):
        lifecycle.up(SCENARIOS / "two_forests.yml", directory, "auto")


def test_a_build_that_fails_says_why_and_leaves_nothing_running(
    directory: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scenario = tmp_path / "bad.yml"
    scenario.write_text(
        "forests: [{domain: small.test, users: [{name: U, attributes: {noSuchAttribute: x}}]}]\n", encoding="utf-8"
    )
    assert main(["up", "--scenario", str(scenario), "--dir", str(directory), "--address-base", "auto"]) == 1
    message = capsys.readouterr().err
    assert message.startswith("error: building small.test failed\n")
    assert "noSuchAttribute" in message
    assert read_state(directory) is None


def test_a_server_that_dies_at_start_is_reported_with_its_log(
    directory: Path, small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = tmp_path / "samba"
    server.write_text("#!/bin/sh\necho no daemon today >&2\nexit 1\n", encoding="utf-8")
    server.chmod(0o755)
    monkeypatch.setattr("tests.lab.samba.controller.SERVER", str(server))
    with pytest.raises(lifecycle.LabError, match=r"(?s)samba small.test ended before it was ready.*no daemon today"):
        lifecycle.up(small, directory, "auto")
    assert read_state(directory) is None


def test_labs_that_start_at_once_take_different_networks(directory: Path, small: Path) -> None:
    scenario = load_scenario(small)
    with Reservation() as one, Reservation() as other:
        first = pick_addresses(scenario, directory, "auto", one)
        assert pick_addresses(scenario, directory, "auto", other).forests != first.forests
    with Reservation() as later:
        assert pick_addresses(scenario, directory, "auto", later) == first


def test_an_address_in_use_is_refused(directory: Path, small: Path) -> None:
    with socket.create_server(("127.77.0.20", 389)), pytest.raises(AddressError, match=r"127\.77\.0\.20 port 389"):
        lifecycle.up(small, directory, "127.77.0.0")
    with pytest.raises(AddressError, match="not in 127"):
        lifecycle.up(small, directory, "10.0.0.0")


def test_a_directory_of_somebody_else_is_not_emptied(directory: Path, small: Path) -> None:
    directory.mkdir()
    (directory / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(StateError, match="is not empty and holds no lab"):
        lifecycle.up(small, directory, "auto")
    with pytest.raises(StateError, match="is not empty and holds no lab"):
        lifecycle.down(directory, wipe=True)
    assert (directory / "thesis.txt").exists()


def test_a_long_path_is_no_hindrance(tmp_path: Path, small: Path) -> None:
    with Lab.up(small, tmp_path / ("x" * 120), "auto") as lab:
        base = lab.forest("small.test").base_dn
        assert lab.ldapsearch("small.test", base, "(objectClass=*)", "1.1", scope="base") == [{"dn": [base]}]


def test_missing_samba_is_one_sentence(
    directory: Path, small: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.lab.samba.controller.NEEDED", ("/nowhere/samba",))
    assert main(["up", "--scenario", str(small), "--dir", str(directory)]) == 1
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "/nowhere/samba" in message
    assert "apt-get install -y samba samba-ad-dc" in message


def test_a_reused_pid_is_never_ended(tmp_path: Path) -> None:
    mine = processes.start("sleeper", ["sleep", "60"], tmp_path / "log", directory=tmp_path, environment={})
    try:
        stale = processes.BackgroundProcess("stale", mine.pid, mine.start_time - 1, mine.log)
        assert not processes.is_running(stale)
        processes.stop(stale)
        assert processes.is_running(mine)
    finally:
        processes.stop(mine)
    assert not processes.is_running(mine)


def test_children_end_with_their_leader_even_when_it_is_gone(tmp_path: Path) -> None:
    script = "sleep 61 & sleep 62 & exec 1>&-; exit 0"
    leader = processes.start("leader", ["sh", "-c", script], tmp_path / "log", directory=tmp_path, environment={})
    while processes.is_running(leader):
        continue
    orphans = list(processes.members_of(leader))
    assert len(orphans) == 2
    processes.stop(leader)
    assert not list(processes.members_of(leader))


def test_a_lab_is_asked_from_the_command_line(directory: Path, small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", "--dir", str(directory), "small.test", "DC=small,DC=test", "(ou=Groups)"]) == 1
    small.write_text(SMALL.replace("small.test,", "small.test, policy: true,"), encoding="utf-8")
    Lab.up(small, directory, "auto")
    capsys.readouterr()
    assert main(["search", "--dir", str(directory), "small.test", "DC=small,DC=test", "(ou=Groups)", "ou"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"dn": ["OU=Groups,DC=small,DC=test"], "ou": ["Groups"]}]
    assert main(["search", "--dir", str(directory), "other.test", "DC=other,DC=test", "(ou=*)"]) == 1
    policy = ["policy", "--dir", str(directory), "small.test"]
    assert main([*policy, "set_policy", '{"max_val_range": 7}']) == 0
    assert json.loads(capsys.readouterr().out)["max_val_range"] == 7
    assert main([*policy, "set_policy", '{"no_such_knob": 7}']) == 1
    assert "no_such_knob" in capsys.readouterr().err
