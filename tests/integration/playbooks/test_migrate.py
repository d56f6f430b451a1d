# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The migration from writeback V2 on the lab, judged with ldapsearch."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.modules.target import ROOT, Target
from tests.integration.playbooks import writeback
from tests.integration.playbooks.player import Play, play
from tests.integration.playbooks.writeback import BLOCKED, MALFORMED, MOST_MEMBERS, READY, cloud_name, mark
from tests.lab.api import Lab
from tests.lab.entra.admin import EntraAdmin
from tests.lab.inventory import host_vars, write_inventory
from tests.lab.scenario import object_id

MIGRATE, BACK = "hybrid_identity.gpad.migrate_writeback_v2", "hybrid_identity.gpad.rollback_writeback_v2"
ANCHOR = "msDS-ExternalDirectoryObjectId"
VARIABLES = ROOT / "roles" / "gpad_migrate_writeback_v2" / "vars" / "main.yml"
SENTENCE = yaml.safe_load(VARIABLES.read_text(encoding="utf-8"))["gpad_migrate_writeback_v2_sentence"]


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    with Lab.up(writeback.scenario(tmp_path / "scenario.yml"), tmp_path / "lab", "auto") as lab:
        entra = lab.settings.entra
        assert entra is not None
        admin = EntraAdmin(entra.admin_url, entra.admin_key, entra.ca_cert)
        state = tmp_path / "play"
        state.mkdir()
        yield Target(lab, admin, state)
        admin.close()


class Connect:
    """Stands in for the server of the sync client: what the task for Windows is given decides on its state."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.collections = folder / "stand-in"
        modules = self.collections / "ansible_collections" / "ansible" / "windows" / "plugins" / "modules"
        modules.mkdir(parents=True)
        (modules / "win_powershell.py").write_text(STAND_IN, encoding="utf-8")
        self.inventory = folder / "connect.yml"
        self.inventory.write_text(
            "all: {hosts: {connect: {ansible_connection: local, "
            "ansible_python_interpreter: '{{ ansible_playbook_python }}'}}}",
            encoding="utf-8",
        )
        self._file = folder / "connect-state"
        self._file.write_text("on", encoding="utf-8")
        patch.setenv("STAND_IN_STATE", str(self._file))

    def die(self, *, does: bool) -> None:
        """Lose the connection after what is done, or no longer."""
        mark = self._file.with_name(self._file.name + "-dies")
        mark.touch() if does else mark.unlink()

    @property
    def state(self) -> str:
        return self._file.read_text(encoding="utf-8")


# It looks at the script no closer than is needed to tell the three apart; their contents have tests of their own.
STAND_IN = """
import os
from ansible.module_utils.basic import AnsibleModule

module = AnsibleModule({"script": {"type": "str"}, "parameters": {"type": "dict"}}, supports_check_mode=True)
path = os.environ["STAND_IN_STATE"]
old = open(path).read()
script = module.params["script"]
new = "frozen" if "New-ADSyncRule" in script else "on" if "Remove-ADSyncRule" in script else "off"
if new == "off" and not (module.params["parameters"] or {}).get("Confirmation"):
    module.fail_json(msg="no confirmation")
if not module.check_mode:
    open(path, "w").write(new)
    if os.path.exists(path + "-dies"):
        module.fail_json(msg="the connection was lost")
rules = ["e4eae1c9-b9bc-4328-ade9-df871cdd3027", "419fda18-75bb-4e23-b947-8b06e7246551"]
result = {
    "sync_cycle_enabled": new != "frozen", "group_writeback_v2": new != "off", "rules": rules if new != "on" else []
}
module.exit_json(changed=new != old, result=result)
"""


class Migration:
    """Runs the playbook as a person does who decides one thing after the other."""

    def __init__(self, target: Target, connect: Connect | None = None) -> None:
        self.target = target
        self.connect = connect
        self.state = target.state / "state"
        self.variables: dict[str, Any] = {
            **host_vars(target.lab.settings, target.domain),
            "gpad_scope_mode": "selected",
            "gpad_selected_groups": writeback.selected(),
            "gpad_max_members": MOST_MEMBERS,
            "gpad_provision_state_directory": str(self.state),
        }

    def run(self, *arguments: str, playbook: str = MIGRATE, **more: Any) -> Play:
        variables = {**self.variables, **more}
        inventory = write_inventory(self.target.lab.settings, self.target.state / "inventory.yml", variables)
        if self.connect is None:
            return play(inventory, *arguments, home=self.target.state, playbook=playbook)
        more_hosts = ("-i", str(self.connect.inventory))
        folders = Path(f"{ROOT / '.build'}{os.pathsep}{self.connect.collections}")
        return play(inventory, *more_hosts, *arguments, home=self.target.state, collections=folders, playbook=playbook)

    def decide(self, **more: Any) -> None:
        self.variables |= more

    def leave_all_blocked(self) -> None:
        """Leave every group out that a check blocks."""
        rows = self.file("inventory.json")["info"]["writeback"]["checks"]
        guids = {row["guid"] for row in rows if row["status"] == "blocked"}
        self.decide(gpad_migrate_writeback_v2_leave=sorted(guids))

    def file(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.state / name).read_text(encoding="utf-8"))
        return found

    @property
    def done(self) -> list[str]:
        return list(self.file("migration.json")["done"])


def groups(target: Target) -> dict[str, dict[str, list[str]]]:
    """Return every group of the container and the one that holds one of them, by objectGUID."""
    found = target.lab.ldapsearch(target.domain, target.forest.base_dn, "(objectClass=group)")
    ours = [one for one in found if "OU=Groups," in one["dn"][0] or one["cn"] == ["File Share"]]
    return {one["objectGUID"][0]: one for one in ours}


def by_mark(target: Target, name: str) -> dict[str, list[str]]:
    (found,) = (one for one in groups(target).values() if one.get("adminDescription") == [mark(name)])
    return found


def guard(target: Target, name: str, *, on: bool) -> None:
    """Make a group one that must not be written, or ordinary again."""
    change = "replace: adminCount\nadminCount: 1" if on else "delete: adminCount"
    target.modify(by_mark(target, name)["dn"][0], change)


def stamped(target: Target) -> set[str]:
    """Return the anchors that are what adminDescription says; the one that is another's was there before."""
    return {one[ANCHOR][0] for one in groups(target).values() if one.get(ANCHOR) == one.get("adminDescription", [])}


def links(target: Target) -> dict[str, tuple[str, set[str]]]:
    """Return SID and members of each group; a member that is a group of the container by its GUID."""
    held = groups(target)
    guids = {one["dn"][0]: guid for guid, one in held.items()}
    return {
        guid: (one["objectSid"][0], {guids.get(dn, dn) for dn in one.get("member", ())}) for guid, one in held.items()
    }


def rows(migration: Migration, name: str = "inventory.json") -> set[tuple[str, str, str]]:
    """Return check, relative name and status of each row of the table."""
    table = migration.file(name)["info"]["writeback"]["checks"]
    return {(row["check"], row["group"].partition(",")[0].removeprefix("CN="), row["status"]) for row in table}


@pytest.mark.long
def test_a_container_with_every_awkward_case_is_migrated_and_interrupted(target: Target) -> None:
    migration = Migration(target)
    before, usn = links(target), target.usn()
    assert len(before) == 30 + 1

    dry = migration.run("--check")
    assert dry.code != 0 and "have to be repaired or left out" in dry.output, dry.output
    assert target.usn() == usn and not (migration.state / "migration.json").exists()
    found = rows(migration)
    named = {name: cloud_name(name) for name in BLOCKED} | {"Rival": mark("Rival"), MALFORMED: cloud_name(MALFORMED)}
    wanted = {(check, named[name], "blocked") for name, check in BLOCKED.items()}
    assert wanted | {("anchor_form", named[MALFORMED], "blocked")} <= found
    left = {("cloud_group", cloud_name("Mailed"), "left"), ("cloud_group", cloud_name("Club"), "left")}
    assert left | {("anchor_form", "By hand", "left")} <= found
    assert ("member_kinds", cloud_name("Devices"), "attention") in found
    assert ("microsoft_365", "", "attention") in found
    assert {check for check, _group, _status in found} == {
        *("anchor_form", "cloud_group", "universal_scope", "member_count", "member_kinds", "anchor_unique"),
        *("anchor_free", "names", "rights", "microsoft_365", "scope"),
    }

    migration.leave_all_blocked()
    dry = migration.run("--check")
    assert dry.code != 0 and "it would get a second group" in dry.output, dry.output
    migration.decide(gpad_selected_groups=[object_id(name) for name in READY])
    dry = migration.run("--check")
    assert dry.code == 0 and "nothing was written" in dry.output, dry.output
    assert target.usn() == usn

    # Nothing is written beyond a limit; then the anchors are interrupted by a group that became protected meanwhile.
    migration.decide(gpad_migrate_writeback_v2_through="stamp")
    cut = migration.run(gpad_limits={"adoptions": {"count": 5}})
    assert cut.code != 0 and f"adoptions: {len(READY) - 1} planned, 5 allowed" in cut.output, cut.output
    assert migration.done == ["inventory", "export"] and target.usn() == usn
    export = (migration.state / "export.json").read_bytes()
    for name in ("export.json", "migration.json", "inventory.json"):
        assert (migration.state / name).stat().st_mode & 0o777 == 0o600
    guard(target, "Team 7", on=True)
    half = migration.run()
    assert half.code != 0 and "have no anchor" in half.output and "guards the domain" in half.output, half.output
    assert migration.done == ["inventory", "export"]
    assert stamped(target) == {mark(name) for name in READY if name != "Team 7"}
    guard(target, "Team 7", on=False)
    usn = target.usn()
    whole = migration.run()
    assert whole.code == 0, whole.output
    assert len([name for name, seen in target.usn().items() if usn[name] != seen]) == 1
    assert migration.done == ["inventory", "export", "stamp"]
    assert stamped(target) == {mark(name) for name in READY} and links(target) == before
    again = migration.run()
    assert again.code == 0 and again.changed == {target.domain: 0}, again.output

    # Whoever is left out after the inventory is not taken over; who is no longer left out gets the anchor.
    left_out = migration.variables["gpad_migrate_writeback_v2_leave"]
    team = next(guid for guid, one in groups(target).items() if one.get("adminDescription") == [mark("Team 7")])
    fewer = [object_id(name) for name in READY if name != "Team 7"]
    less = migration.run(gpad_migrate_writeback_v2_leave=[*left_out, team.upper()], gpad_selected_groups=fewer)
    assert less.code == 0 and team not in migration.file("migration.json")["ready"], less.output
    assert migration.run().code == 0 and team in migration.file("migration.json")["ready"]

    migration.decide(gpad_migrate_writeback_v2_through="take_over")
    usn = target.usn()
    # No group is created, whatever the command line allows.
    second = [*migration.variables["gpad_selected_groups"], target.admin.create_group("New since then", [])]
    allowed = ("-e", json.dumps({"gpad_limits": {"creations": {"count": 500}}}))
    created = migration.run(*allowed, gpad_selected_groups=second)
    assert created.code != 0 and "would create 1 groups" in created.output, created.output
    part = migration.run(gpad_max_results=5, gpad_migrate_writeback_v2_names_reviewed=True)
    assert part.code != 0 and "Set gpad_max_results to more" in part.output, part.output
    assert "names" not in migration.done and target.usn() == usn
    # The renames are shown also where they exceed a limit.
    preview = migration.run(gpad_limits={"renames": {"count": 1}})
    assert "renames: 5 planned, 1 allowed" in preview.output, preview.output
    assert preview.code == 0 and "Review the renames and moves above" in preview.output, preview.output
    assert (
        f"CN={mark('Team 1')},OU=Groups" in preview.output and f"CN={cloud_name('Team 1')},OU=Groups" in preview.output
    )
    migration.decide(gpad_migrate_writeback_v2_names_reviewed=True)
    frozen = migration.run()
    assert frozen.code == 0 and "Enable staging mode on the server" in frozen.output, frozen.output
    script = migration.state / "coexistence.ps1"
    assert "New-ADSyncRule" in script.read_text() and "'contoso.com'" in script.read_text()
    assert script.stat().st_mode & 0o777 == 0o600 and target.usn() == usn
    migration.decide(gpad_migrate_writeback_v2_connect_frozen=True)

    created = migration.run(*allowed, gpad_selected_groups=second)
    assert created.code != 0 and "creations: 1 planned, 0 allowed" in created.output, created.output
    assert target.usn() == usn
    released = target.keep(journal=str(migration.state / "journal.sqlite3"), released=["quarantine"])
    assert released["outcome"] == "ok", released
    # The take-over is interrupted as well: by a group that left the scope, and by one that became protected.
    missed = migration.run(gpad_selected_groups=fewer)
    assert missed.code != 0 and f"were not taken over, by objectGUID: {team}" in missed.output, missed.output
    assert migration.done[-1] == "coexistence"
    guard(target, "Team 7", on=True)
    half = migration.run()
    assert half.code != 0 and "Team 7" in half.output and migration.done[-1] == "coexistence", half.output
    guard(target, "Team 7", on=False)
    taken = migration.run()
    assert taken.code == 0 and migration.done[-1] == "take_over", taken.output
    assert links(target) == before
    assert by_mark(target, "Team 1")["cn"] == [cloud_name("Team 1")]
    assert (migration.state / "export.json").read_bytes() == export
    differences = migration.file("proof.json")["info"]["writeback"]["differences"]
    assert {one["what"] for one in differences} == {"anchor", "dn"} and all(one["expected"] for one in differences)
    known = target.info("groups", journal=str(migration.state / "journal.sqlite3"))["info"]["groups"]
    assert {one["id"] for one in known if one["known"]} == {object_id(name) for name in READY}
    # What was left out is as it was, groups of version 1 and with mail included.
    assert stamped(target) == {mark(name) for name in READY}


@pytest.mark.long
def test_a_migration_is_taken_back_and_goes_on_to_the_end(
    target: Target, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = Connect(tmp_path, monkeypatch)
    migration = Migration(target, connect)
    before = groups(target)
    migration.decide(gpad_migrate_writeback_v2_connect="host", gpad_migrate_writeback_v2_connect_host="connect")
    migration.decide(gpad_selected_groups=[object_id(name) for name in READY])
    assert migration.run().code != 0
    migration.leave_all_blocked()
    migration.decide(gpad_migrate_writeback_v2_names_reviewed=True)
    # Whoever dies in the middle of the freeze leaves a frozen sync client, which the way back releases.
    connect.die(does=True)
    lost = migration.run()
    assert lost.code != 0 and connect.state == "frozen" and "coexistence" not in migration.done, lost.output
    connect.die(does=False)
    released = migration.run(playbook=BACK)
    assert released.code == 0 and connect.state == "on", released.output
    waits = migration.run()
    assert waits.code == 0 and "POINT OF NO RETURN" in waits.output, waits.output
    assert migration.done[-1] == "take_over" and connect.state == "frozen"
    wrong = migration.run(gpad_migrate_writeback_v2_confirm_retire="yes")
    assert wrong.code == 0 and migration.done[-1] == "take_over" and connect.state == "frozen"

    # Somebody changed a member behind our back: that is no proof.
    team = by_mark(target, "Team 2")
    target.modify(team["dn"][0], "delete: member\nmember: " + team["member"][0])
    refused = migration.run(gpad_migrate_writeback_v2_confirm_retire=SENTENCE)
    assert refused.code != 0 and "member_lost" in refused.output and connect.state == "frozen", refused.output
    target.modify(team["dn"][0], "add: member\nmember: " + team["member"][0])

    # Whether somebody ran a script that was handed over cannot be seen.
    by_script = {"gpad_migrate_writeback_v2_connect": "script", "gpad_migrate_writeback_v2_confirm_retire": SENTENCE}
    handed = migration.run(**by_script)
    assert handed.code == 0 and (migration.state / "retire.ps1").exists(), handed.output
    usn = target.usn()
    refused = migration.run(playbook=BACK)
    assert refused.code != 0 and "retire.ps1 was handed over" in refused.output and target.usn() == usn, refused.output
    # Nor whether a call that ended early turned it off.
    state = migration.file("migration.json")
    (migration.state / "migration.json").write_text(json.dumps({**state, "no_way_back": True}))
    refused = migration.run(playbook=BACK)
    assert refused.code != 0 and "did not come to its end" in refused.output and target.usn() == usn, refused.output
    back = migration.run(playbook=BACK, gpad_migrate_writeback_v2_connect_still_on=True)
    assert back.code == 0 and connect.state == "on", back.output
    assert not (migration.state / "migration.json").exists()
    after = groups(target)
    for key in ("cn", "objectSid", "member", "memberOf", "adminDescription", ANCHOR, "displayName", "groupType"):
        assert {guid: sorted(one.get(key, [])) for guid, one in after.items()} == {
            guid: sorted(one.get(key, [])) for guid, one in before.items()
        }, key

    ended = migration.run(gpad_migrate_writeback_v2_confirm_retire=SENTENCE)
    assert ended.code == 0 and migration.done[-1] == "report" and connect.state == "off", ended.output
    report = (migration.state / "migration-report.md").read_text(encoding="utf-8")
    assert f"taken over | {len(READY)} groups" in report and "| member_lost |" not in report
    assert stamped(target) == {mark(name) for name in READY}
    late = migration.run(playbook=BACK)
    assert late.code != 0 and "which cannot be undone" in late.output, late.output
    again = migration.run(gpad_migrate_writeback_v2_confirm_retire=SENTENCE)
    assert again.code == 0 and again.changed == {target.domain: 0}, again.output
