# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook that schedules runs: what it writes, judged by systemd and by a shell; no timer is started."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from tests.integration.playbooks.player import Play, play

# What a program's name may not hold for systemd, an argument may.
PROGRAM = "a b%n $HOME #;"
HOSTILE = "a b%n $HOME \"q\" 's' \\ #;"


class Schedule:
    """Runs the playbook for one host in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.units, self.cron = folder / "units", folder / "cron"
        for made in (self.units, self.cron, folder / PROGRAM):
            made.mkdir()
        self.program = folder / PROGRAM / "ansible-playbook"
        self.program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > "$TOLD"\n', encoding="utf-8")
        self.program.chmod(0o755)

    def run(self, *arguments: str, **more: object) -> Play:
        return self.run_each({"contoso.com": more}, *arguments)

    def run_each(self, hosts: Mapping[str, Mapping[str, object]], *arguments: str) -> Play:
        """Run the playbook for hosts with variables of their own."""
        variables: Mapping[str, object] = {
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "gpad_schedule_unit_directory": str(self.units),
            "gpad_schedule_cron_directory": str(self.cron),
            "gpad_schedule_activate": False,
            "gpad_schedule_ansible_playbook": str(self.program),
            "gpad_schedule_inventory": f"/etc/{HOSTILE}/hosts.yml",
            "gpad_schedule_vault_password_file": f"/etc/{HOSTILE}/vault",
            "gpad_domain_password": "not-in-the-units",
        }
        inventory = self.folder / "inventory.yml"
        written = {host: {**variables, **more} for host, more in hosts.items()}
        inventory.write_text(yaml.safe_dump({"gpad": {"hosts": written}}), encoding="utf-8")
        return play(inventory, *arguments, home=self.folder, playbook="hybrid_identity.gpad.schedule")


@pytest.fixture
def schedule(tmp_path: Path) -> Schedule:
    return Schedule(tmp_path)


ARGUMENTS = [
    "-i",
    f"/etc/{HOSTILE}/hosts.yml",
    "--limit",
    "contoso.com",
    "--vault-password-file",
    f"/etc/{HOSTILE}/vault",
]


def test_the_units_are_what_systemd_takes_and_come_and_go(schedule: Schedule) -> None:
    dry = schedule.run("--check", "--diff")
    assert dry.code == 0 and dry.changed == {"contoso.com": 1} and list(schedule.units.iterdir()) == [], dry.output
    first = schedule.run(gpad_schedule_environment_file="/etc/gpad/100% secret", gpad_schedule_working_directory="/")
    assert first.code == 0 and first.changed == {"contoso.com": 1}, first.output
    service, timer = (schedule.units / f"gpad-contoso.com.{kind}" for kind in ("service", "timer"))
    lines = service.read_text(encoding="utf-8").splitlines()
    assert "Type=oneshot" in lines and "EnvironmentFile=/etc/gpad/100%% secret" in lines
    assert lines[-1].endswith('"hybrid_identity.gpad.provision"') and "$$HOME" in lines[-1] and "%%n" in lines[-1]
    timed = timer.read_text(encoding="utf-8").splitlines()
    assert {"OnActiveSec=20min", "OnUnitInactiveSec=20min", "RandomizedDelaySec=60s"} <= set(timed)
    for unit in (service, timer):
        assert "not-in-the-units" not in unit.read_text(encoding="utf-8")
    if shutil.which("systemd-analyze"):
        command = ["systemd-analyze", "verify", "--man=no", str(service), str(timer)]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        ours = [line for line in told.stderr.splitlines() if "gpad-contoso.com" in line]
        assert told.returncode == 0 and ours == [], told.stderr
        # That it is awake: a program that is not there, under a name spelt otherwise, is told.
        service.write_text(service.read_text(encoding="utf-8").replace("%%n", "%n"), encoding="utf-8")
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        assert told.returncode != 0 and "is not executable" in told.stderr
    assert schedule.run().changed == {"contoso.com": 1}
    again = schedule.run()
    assert again.code == 0 and again.changed == {"contoso.com": 0}, again.output
    gone = schedule.run(gpad_schedule_state="absent")
    assert gone.code == 0 and list(schedule.units.iterdir()) == [], gone.output
    assert schedule.run(gpad_schedule_state="absent").changed == {"contoso.com": 0}


def test_the_line_for_cron_gives_the_program_what_was_meant(schedule: Schedule) -> None:
    first = schedule.run(gpad_schedule_kind="cron", gpad_schedule_delay_seconds=0)
    assert first.code == 0, first.output
    (path,) = schedule.cron.iterdir()
    line = path.read_text(encoding="utf-8").splitlines()[-1]
    assert path.name == "gpad-contoso_com" and line.startswith("*/20 * * * * root sleep ")
    assert "not-in-the-units" not in line
    # What cron does to a line before it gives it to the shell.
    command = line.split(" root ", 1)[1].replace("\\%", "%")
    told = schedule.folder / "told"
    environment = {**os.environ, "HOME": str(schedule.folder), "TOLD": str(told)}
    subprocess.run(["/bin/sh", "-c", command], check=True, env=environment)
    assert told.read_text(encoding="utf-8").splitlines() == [*ARGUMENTS, "hybrid_identity.gpad.provision"]
    again = schedule.run(gpad_schedule_kind="cron", gpad_schedule_delay_seconds=0)
    assert again.changed == {"contoso.com": 0}
    gone = schedule.run(gpad_schedule_kind="cron", gpad_schedule_state="absent")
    assert gone.code == 0 and list(schedule.cron.iterdir()) == []


@pytest.mark.long
def test_no_schedule_of_the_other_kind_goes_on(schedule: Schedule) -> None:
    assert schedule.run(gpad_schedule_kind="cron").code == 0
    other = schedule.run()
    assert other.code == 0 and list(schedule.cron.iterdir()) == [], other.output
    assert len(list(schedule.units.iterdir())) == 2
    assert schedule.run(gpad_schedule_kind="cron").code == 0 and list(schedule.units.iterdir()) == []
    gone = schedule.run(gpad_schedule_state="absent")
    assert gone.code == 0 and list(schedule.cron.iterdir()) == [], gone.output


def test_what_cannot_stand_in_a_unit_is_refused(schedule: Schedule) -> None:
    wrong: list[dict[str, object]] = [
        {"gpad_schedule_inventory": "/etc/x\nExecStartPre=/bin/false"},
        {"gpad_schedule_limit": "a\nUser=root"},
        {"gpad_schedule_name": "../evil"},
        {"gpad_schedule_user": "root\nExecStart=/bin/false"},
        {"gpad_schedule_playbook": "--extra-vars=@/etc/shadow"},
        {"gpad_schedule_environment_file": "/etc/x\\"},
        {"gpad_schedule_ansible_playbook": "/opt/a'b/ansible-playbook"},
        {"gpad_schedule_ansible_playbook": "/opt/a\\b/ansible-playbook"},
        {"gpad_schedule_minutes": 0},
        {"gpad_schedule_kind": "cron", "gpad_schedule_minutes": 25},
        {"gpad_schedule_kind": "cron", "gpad_schedule_environment_file": "/etc/x"},
    ]
    hosts = {f"wrong{number}.test": variables for number, variables in enumerate(wrong)}
    gone = {"gone.test": {"gpad_schedule_name": "../evil", "gpad_schedule_state": "absent"}}
    run = schedule.run_each({**hosts, **gone})
    assert run.code != 0 and run.failed == dict.fromkeys([*hosts, *gone], 1), run.output
    for host, variables in hosts.items():
        told = run.complaint(host)
        assert "The schedule cannot be written" in told or "With cron" in told, (variables, run.output)
    assert "gpad_schedule_name consists of" in run.complaint("gone.test")
    assert [*schedule.units.iterdir(), *schedule.cron.iterdir()] == []
