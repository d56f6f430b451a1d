# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The migration from writeback V2 on the lab, judged with ldapsearch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.modules.target import Target
from tests.integration.playbooks import writeback
from tests.integration.playbooks.player import Play, play
from tests.integration.playbooks.writeback import BLOCKED, MALFORMED, MOST_MEMBERS, READY, cloud_name, mark
from tests.lab.api import Lab
from tests.lab.entra.admin import EntraAdmin
from tests.lab.inventory import host_vars, write_inventory
from tests.lab.scenario import object_id

MIGRATE, BACK = "hybrid_identity.gpad.migrate_writeback_v2", "hybrid_identity.gpad.rollback_writeback_v2"
ANCHOR = "msDS-ExternalDirectoryObjectId"


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


class Migration:
    """Runs the playbook as a person does who decides one thing after the other."""

    def __init__(self, target: Target) -> None:
        self.target = target
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
        return play(inventory, *arguments, home=self.target.state, playbook=playbook)

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

    # The connection ends in the middle of the anchors.
    migration.decide(gpad_migrate_writeback_v2_through="stamp")
    cut = migration.run(gpad_limits={"adoptions": {"count": 5}})
    assert cut.code != 0 and "adoptions: 15 planned, 5 allowed" in cut.output, cut.output
    assert migration.done == ["inventory", "export"] and target.usn() == usn
    export = (migration.state / "export.json").read_bytes()
    assert (migration.state / "export.json").stat().st_mode & 0o777 == 0o600
    assert (migration.state / "migration.json").stat().st_mode & 0o777 == 0o600

    stamped = migration.run()
    assert stamped.code == 0, stamped.output
    assert migration.done == ["inventory", "export", "stamp"]
    held = groups(target)
    anchored = {
        one["adminDescription"][0] for one in held.values() if one.get(ANCHOR) == one.get("adminDescription", [])
    }
    assert {mark(name) for name in READY} == anchored
    assert links(target) == before
    again = migration.run()
    assert again.code == 0 and again.changed == {target.domain: 0}, again.output

    migration.decide(gpad_migrate_writeback_v2_through="take_over")
    usn = target.usn()
    preview = migration.run()
    assert preview.code == 0 and "Review the renames and moves above" in preview.output, preview.output
    assert (
        f"CN={mark('Team 1')},OU=Groups" in preview.output and f"CN={cloud_name('Team 1')},OU=Groups" in preview.output
    )
    assert target.usn() == usn
    migration.decide(gpad_migrate_writeback_v2_names_reviewed=True)
    taken = migration.run()
    assert taken.code == 0, taken.output
    assert migration.done[-1] == "take_over"
    after = links(target)
    assert after == before
    assert by_mark(target, "Team 1")["cn"] == [cloud_name("Team 1")]
    assert (migration.state / "export.json").read_bytes() == export
    differences = migration.file("proof.json")["info"]["writeback"]["differences"]
    assert {one["what"] for one in differences} == {"anchor", "dn"} and all(one["expected"] for one in differences)
    assert object_id("Team 1") in {one["id"] for one in target_groups(migration)}


def target_groups(migration: Migration) -> list[dict[str, Any]]:
    target = migration.target
    known = target.info("groups", journal=str(migration.state / "journal.sqlite3"))
    return [one for one in known["info"]["groups"] if one["known"]]
