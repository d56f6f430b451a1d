# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks on the lab: what a person types, judged with ldapsearch."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.modules.target import Target
from tests.integration.playbooks.player import ROOT, play
from tests.lab.api import Lab
from tests.lab.inventory import write_inventory
from tests.lab.scenario import object_id
from tests.tools.checkout import copy_to

BRITTA, LOLA = "Britta Simon", "Lola Jacobson"


def inventory_of(target: Target, *groups: str, **more: object) -> Path:
    """Write an inventory that selects these groups, with the test's own state directory."""
    variables = {
        "gpad_scope_mode": "selected",
        "gpad_selected_groups": list(groups),
        "gpad_provision_state_directory": str(target.state / "state"),
        **more,
    }
    return write_inventory(target.lab.settings, target.state / "inventory.yml", variables)


def test_a_failing_group_does_not_stop_a_good_one(target: Target) -> None:
    good = target.admin.create_group("Good", [object_id(BRITTA), object_id(LOLA)])
    failing = target.admin.create_group("Failing", [object_id(BRITTA)])
    inventory = inventory_of(target, good, failing)
    assert play(inventory, home=target.state).code == 0
    guard = f"CN=Domain Admins,CN=Users,{target.forest.base_dn}"
    nested = f"member: {target.entry(failing)['dn'][0]}"
    target.modify(guard, f"add: member\n{nested}")
    try:
        target.admin.remove_member(good, object_id(LOLA))
        run = play(inventory, home=target.state)
    finally:
        target.modify(guard, f"delete: member\n{nested}")
    assert target.members(good) == {target.person(BRITTA)}
    assert run.code != 0 and run.failed == {target.domain: 1}
    last = run.output[run.output.index("Fail when something could not be done") :]
    assert "ended as partial" in last and "it is a member, at some depth, of a group that guards" in last
    assert "Traceback" not in run.output


def test_check_mode_and_a_second_run_move_no_usn(target: Target) -> None:
    cloud_id = target.admin.create_group("Still", [object_id(BRITTA)])
    inventory = inventory_of(target, cloud_id)
    before = target.usn()
    foretold = play(inventory, "--check", "--diff", home=target.state)
    assert foretold.code == 0 and target.usn() == before
    assert "+ member Britta Simon" in foretold.output and "+ displayName: Still" in foretold.output
    first = play(inventory, home=target.state)
    assert first.code == 0 and first.changed[target.domain] >= 2
    before = target.usn()
    second = play(inventory, home=target.state)
    assert second.code == 0 and second.changed == {target.domain: 0}
    assert target.usn() == before


def test_plan_writes_nothing_and_shows_what_would_be(target: Target) -> None:
    cloud_id = target.admin.create_group("Planned only", [object_id(BRITTA)])
    before = target.usn()
    run = play(inventory_of(target, cloud_id), home=target.state, playbook="hybrid_identity.gpad.plan")
    assert run.code == 0, run.output
    assert "Planned only: create (new)" in run.output
    assert target.usn() == before
    assert (target.state / "state" / "plan.jsonl").exists()


@pytest.mark.long
def test_modules_do_the_same_packed_and_in_place(
    target: Target, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    cloud_id = target.admin.create_group("Either way", [object_id(BRITTA)])
    inventory = inventory_of(target, cloud_id)
    in_place = "The module is run where it is installed"
    monkeypatch.setenv("GPAD_IN_PLACE", "no")
    packed = play(inventory, "-vvv", home=target.state)
    assert packed.code == 0 and in_place not in packed.output
    sid = target.entry(cloud_id)["objectSid"]
    target.admin.add_member(cloud_id, object_id(LOLA))
    copy_to(tmp_path)
    with monkeypatch.context() as users:
        # What was compiled is kept in Ansible's home then, and beside the plugins that Ansible itself loads.
        for variable in ("GPAD_IN_PLACE", "PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE"):
            users.delenv(variable, raising=False)
        placed = play(inventory, "-vvv", home=target.state, collections=tmp_path)
    assert placed.code == 0 and placed.output.count(in_place) == 4, "capture, plan, groups, members"
    kept = {path.name.partition(".")[0] for path in (target.state / "hybrid_identity.gpad").rglob("*.cpython-*")}
    assert {"gpad_scope", "gpad_plan", "gpad_group", "gpad_membership", "session"} <= kept
    assert target.members(cloud_id) == {target.person(BRITTA), target.person(LOLA)}
    assert target.entry(cloud_id)["objectSid"] == sid
    assert play(inventory, home=target.state).changed == {target.domain: 0}


@pytest.mark.long
def test_a_warning_reads_the_same_packed_and_in_place(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    inventory = inventory_of(target, target.admin.create_group("Warned of"))
    journal = target.state / "state" / "journal.sqlite3"
    assert play(inventory, home=target.state).code == 0
    whole = journal.read_bytes()
    told = []
    for word in ("no", "yes"):
        for stale in journal.parent.glob("journal.sqlite3*"):
            stale.unlink()
        journal.write_bytes(whole[:5000] + b"no page of SQLite" * 500)
        monkeypatch.setenv("GPAD_IN_PLACE", word)
        run = play(inventory, home=target.state, playbook="hybrid_identity.gpad.plan")
        lines = run.output.splitlines()
        told.append([re.sub(r"\d+", "0", line) for line in lines if "journal" in line and "WARNING" in line])
    assert told[0] and told[0] == told[1]


@pytest.mark.parametrize("in_place", ["yes", pytest.param("no", marks=pytest.mark.long)])
def test_secrets_do_not_show_in_the_most_verbose_output(
    target: Target, monkeypatch: pytest.MonkeyPatch, in_place: str
) -> None:
    monkeypatch.setenv("GPAD_IN_PLACE", in_place)
    entra = target.lab.settings.entra
    assert entra is not None
    secret = entra.applications["gpad"].client_secret
    cloud_id = target.admin.create_group("Secretive")
    run = play(inventory_of(target, cloud_id), "-vvvv", "--diff", home=target.state)
    assert run.code == 0
    assert secret and secret not in run.output
    assert target.forest.service_account.password not in run.output
    for path in (target.state / "state").iterdir():
        assert secret.encode() not in path.read_bytes()
        assert target.forest.service_account.password.encode() not in path.read_bytes()


def test_each_forest_gets_its_own_members(tmp_path: Path) -> None:
    scenario = ROOT / "tests" / "lab" / "scenarios" / "two_forests.yml"
    with Lab.up(scenario, tmp_path / "lab", "auto") as lab:
        run = play(write_inventory(lab.settings, tmp_path / "inventory.yml"), home=tmp_path)
        assert run.code == 0, run.output
        found = {
            domain: {
                entry["displayName"][0]: set(entry.get("member", ()))
                for entry in lab.ldapsearch(domain, forest.base_dn, "(msDS-ExternalDirectoryObjectId=Group_*)")
            }
            for domain, forest in lab.settings.forests.items()
        }
    people = {domain: f"OU=People,{forest.base_dn}" for domain, forest in lab.settings.forests.items()}
    assert found == {
        "contoso.com": {
            "Joint Project": {f"CN=Britta Simon,{people['contoso.com']}"},
            "Contoso Only": {f"CN=Lola Jacobson,{people['contoso.com']}"},
        },
        "fabrikam.test": {
            "Joint Project": {f"CN={name},{people['fabrikam.test']}" for name in ("Fabian Reyes", "Bea Simon")},
            "Contoso Only": set(),
        },
    }
    assert "other_forest" in run.output


def test_the_artefact_provisions_from_an_empty_place(target: Target) -> None:
    """What a user installs is the built artefact, not the checkout."""
    galaxy = [str(Path(sys.executable).with_name("ansible-galaxy")), "collection"]
    home = target.state / "home"
    installed = target.state / "installed"
    environment = {
        **os.environ,
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_LOCAL_TEMP": str(home / "local"),
        "ANSIBLE_COLLECTIONS_PATH": str(installed),
    }
    files = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    source = target.state / "source"
    for name in filter(None, files.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    built = target.state / "built"
    subprocess.run([*galaxy, "build", str(source), "--output-path", str(built)], check=True, env=environment)
    (artefact,) = built.iterdir()
    command = [*galaxy, "install", str(artefact), "-p", str(installed), "--offline"]
    subprocess.run(command, check=True, env=environment)
    assert not (installed / "ansible_collections/hybrid_identity/gpad/tests").exists()
    cloud_id = target.admin.create_group("From the artefact", [object_id(BRITTA)])
    run = play(inventory_of(target, cloud_id), home=home, collections=installed)
    assert run.code == 0, run.output
    verify = [*galaxy, "verify", "hybrid_identity.gpad", "--offline"]
    subprocess.run(verify, check=True, env=environment)
    assert target.members(cloud_id) == {target.person(BRITTA)}


def old_interpreters() -> list[str]:
    """Return the Pythons found that are too old for the collection but not for ansible-core 2.16 to 2.19."""
    found = [shutil.which(f"python3.{minor}") for minor in (8, 9)]
    found += [str(path) for path in Path("~/.pyenv/versions").expanduser().glob("3.[89].*/bin/python")]
    return [path for path in found if path and subprocess.run([path, "-V"], check=False).returncode == 0]


def test_an_old_interpreter_is_told_in_one_sentence(target: Target) -> None:
    from ansible.release import __version__ as core

    # ansible-core itself refuses targets below 3.8 from 2.18 on, and below 3.9 from 2.20 on.
    usable = [path for path in old_interpreters() if core < "2.20" or "3.9" in path]
    if not usable:
        pytest.skip("no Python between ansible-core's minimum and 3.10 was found")
    cloud_id = target.admin.create_group("Too old")
    run = play(inventory_of(target, cloud_id, ansible_python_interpreter=usable[0]), home=target.state)
    assert run.code != 0
    assert "hybrid_identity.gpad needs Python 3.10 or later" in run.output
    assert "Traceback" not in run.output
