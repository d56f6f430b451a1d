# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook that looks before the first run."""

from __future__ import annotations

from tests.integration.modules.target import Target
from tests.integration.playbooks.player import Play, play
from tests.lab.inventory import host_vars, write_inventory

PREFLIGHT = "hybrid_identity.gpad.preflight"


def run(target: Target, *arguments: str, **more: object) -> Play:
    variables = {
        **host_vars(target.lab.settings, target.domain),
        "gpad_provision_state_directory": str(target.state / "state"),
        **more,
    }
    inventory = write_inventory(target.lab.settings, target.state / "inventory.yml", variables)
    return play(inventory, *arguments, home=target.state, playbook=PREFLIGHT)


def test_the_table_is_shown_and_nothing_is_written(target: Target) -> None:
    usn = target.usn()
    for arguments in ((), ("--check",)):
        done = run(target, *arguments)
        assert done.code == 0 and done.changed == {target.domain: 0}, done.output
        assert "OK | tenant | " in done.output and "OK | clock | " in done.output
        assert "WARNING | Recycle Bin | " in done.output
    assert target.usn() == usn and not (target.state / "state").exists()


def test_the_whole_table_is_shown_before_the_role_fails_or_not(target: Target) -> None:
    reader = target.forest.reader_account
    poor = {"gpad_domain_username": reader.username, "gpad_domain_password": reader.password}
    done = run(target, **poor)
    assert done.code != 0 and "checks failed:" in done.output, done.output
    assert "FAILED | create groups in" in done.output and "group SIDs in users' tokens" in done.output
    assert run(target, gpad_preflight_fails=False, **poor).code == 0


def test_a_side_that_cannot_be_asked_leaves_the_other(target: Target) -> None:
    done = run(target, gpad_tenant_id="nonsense", gpad_preflight_fails=False)
    assert done.code == 0, done.output
    assert "FAILED | side of Entra ID | tenant_id: 'nonsense' is not a tenant id." in done.output.replace('\\"', '"')
    assert "OK | clock | " in done.output
