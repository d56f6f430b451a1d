# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks that convert groups and roll them back, judged with ldapsearch and by what the emulator holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.modules.objects import GLOBAL, UNIVERSAL, add_group, converted_group, read, unique
from tests.integration.modules.target import ROOT, Target
from tests.integration.playbooks.player import Play, play
from tests.lab.api import Lab
from tests.lab.entra.admin import EntraAdmin
from tests.lab.inventory import host_vars, write_inventory
from tests.lab.scenario import object_id

CONVERT, ROLL_BACK = "hybrid_identity.gpad.convert_soa", "hybrid_identity.gpad.rollback_soa"


@pytest.fixture(scope="module")
def soa_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    scenario = ROOT / "tests" / "lab" / "scenarios" / "soa.yml"
    with Lab.up(scenario, tmp_path_factory.mktemp("soa") / "lab", "auto") as running:
        yield running


@pytest.fixture
def target(soa_lab: Lab, tmp_path: Path) -> Iterator[Target]:
    entra = soa_lab.settings.entra
    assert entra is not None
    admin = EntraAdmin(entra.admin_url, entra.admin_key, entra.ca_cert)
    yield Target(soa_lab, admin, tmp_path, application="converter")
    admin.close()


def run(target: Target, playbook: str, groups: list[str], *arguments: str, **more: object) -> Play:
    """Run a playbook on some groups, which are in the scope of provisioning as well."""
    variables = {
        **host_vars(target.lab.settings, target.domain, "converter"),
        "gpad_scope_mode": "selected",
        "gpad_selected_groups": groups,
        "gpad_source_of_authority_groups": groups,
        "gpad_provision_state_directory": str(target.state / "state"),
        **more,
    }
    inventory = write_inventory(target.lab.settings, target.state / "inventory.yml", variables)
    return play(inventory, *arguments, home=target.state, playbook=playbook)


@pytest.mark.long
def test_a_global_group_goes_to_the_cloud_and_back(target: Target) -> None:
    name = unique("Played")
    britta = target.person("Britta Simon")
    dn = add_group(target, name, group_type=GLOBAL, members=(britta,))
    target.modify(dn, "add: adminDescription\nadminDescription: kept by hand")
    cloud_id = converted_group(target, dn, (object_id("Britta Simon"),), cloud_managed=False)
    before, usn = read(target, dn), target.usn()

    dry = run(target, CONVERT, [cloud_id], "--check", "--diff", gpad_convert_scope=True)
    assert dry.code == 0, dry.output
    assert "synced | converted" in dry.output and target.usn() == usn
    refused = run(target, CONVERT, [cloud_id])
    assert refused.code != 0 and "is of global scope, not universal" in refused.output
    held = target.admin.get_object(cloud_id)
    assert held is not None and held["onPremisesSyncEnabled"] is True
    # What is refused is not made universal before.
    many = run(target, CONVERT, [cloud_id], gpad_convert_scope=True, gpad_source_of_authority_limit=0)
    assert many.code != 0 and "gpad_source_of_authority" in many.output and target.usn() == usn, many.output
    guarded = run(target, CONVERT, [cloud_id], gpad_convert_scope=True, gpad_protected_groups=[dn])
    assert guarded.code != 0 and "protected_groups names it" in guarded.output and target.usn() == usn, guarded.output

    done = run(target, CONVERT, [cloud_id], gpad_convert_scope=True)
    assert done.code == 0, done.output
    after = read(target, dn)
    assert after["groupType"] == [UNIVERSAL] and after["adminDescription"] == [f"TakenOver_Group_{cloud_id}"]
    assert all(after[key] == before[key] for key in ("objectGUID", "objectSid", "member", "sAMAccountName"))
    (kept,) = (target.state / "state").glob("authority-originals-*.json")
    assert [one["dn"] for one in json.loads(kept.read_text())] == [dn] and kept.stat().st_mode & 0o777 == 0o600
    again = run(target, CONVERT, [cloud_id], gpad_convert_scope=True)
    assert again.code == 0 and again.changed == {target.domain: 0}, again.output

    usn = target.usn()
    dry = run(target, ROLL_BACK, [cloud_id], "--check")
    assert dry.code == 0 and "converted | rolled_back" in dry.output and target.usn() == usn, dry.output
    many = run(target, ROLL_BACK, [cloud_id], gpad_source_of_authority_limit=0)
    assert many.code != 0 and target.usn() == usn, many.output
    back = run(target, ROLL_BACK, [cloud_id])
    assert back.code == 0, back.output
    assert "pending: the sync client has not taken over" in back.output
    assert read(target, dn)["adminDescription"] == ["kept by hand"]
    again = run(target, ROLL_BACK, [cloud_id])
    assert again.code == 0 and again.changed == {target.domain: 0}, again.output
    target.admin.take_over(cloud_id)
    waited = run(target, ROLL_BACK, [cloud_id], gpad_source_of_authority_wait_minutes=1)
    assert waited.code == 0 and "synced | synced" in waited.output, waited.output


def test_a_group_that_is_not_in_the_scope_of_provisioning_is_named(target: Target) -> None:
    dn = add_group(target, unique("Outside"))
    cloud_id = converted_group(target, dn, cloud_managed=False)
    done = run(target, CONVERT, [cloud_id], gpad_selected_groups=[object_id("Floor Staff")])
    assert done.code != 0
    assert "not provisioned as the objects that they were" in done.output
