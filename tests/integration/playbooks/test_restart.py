# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook that lets runs forget: what is chosen, and nothing else."""

from __future__ import annotations

import json

from tests.integration.modules.objects import unique
from tests.integration.modules.target import Target
from tests.integration.playbooks.player import Play, play
from tests.integration.playbooks.test_provision import inventory_of


def test_only_what_is_chosen_is_forgotten(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Restarted"))
    inventory = inventory_of(target, cloud_id)
    assert play(inventory, home=target.state).code == 0
    journal = str(target.state / "state" / "journal.sqlite3")
    assert target.keep(journal=journal, quarantined="for a test")["quarantine"]["active"]

    def restart(*arguments: str, **more: object) -> Play:
        given = [*arguments, "-e", json.dumps(more)]
        return play(inventory, *given, home=target.state, playbook="hybrid_identity.gpad.restart")

    def known() -> bool:
        groups = target.info("groups", journal=journal)["info"]["groups"]
        return bool({entry["id"]: entry["known"] for entry in groups}[cloud_id])

    none = restart()
    assert none.code != 0 and "gpad_restart is a list of these: quarantine" in none.output
    wrong = restart(gpad_restart=["everything"])
    assert wrong.code != 0 and "watermarks" in wrong.output
    foretold = restart("--check", gpad_restart=["quarantine"])
    assert foretold.code == 0 and foretold.changed == {target.domain: 1}
    assert target.keep(journal=journal)["quarantine"]["active"]
    done = restart(gpad_restart=["quarantine", "retries"])
    assert done.code == 0 and done.changed == {target.domain: 1}, done.output
    assert not target.keep(journal=journal)["quarantine"]["active"] and known()
    again = restart(gpad_restart=["quarantine", "retries"])
    assert again.code == 0 and again.changed == {target.domain: 0} and "Nothing." in again.output
    forgotten = restart(gpad_forget=[cloud_id])
    assert forgotten.code == 0 and cloud_id in forgotten.output and not known()
    assert target.keep(journal=journal, check=True, released=["watermarks"])["released"] == ["watermarks"]
