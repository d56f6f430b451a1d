# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection, measured: single modules, and the whole playbook."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.bench import measure
from tests.bench.site import OURS, Site
from tests.integration.modules.target import ROOT, Target
from tests.lab.inventory import write_inventory
from tests.tools.checkout import BUILD

_CALLBACKS = Path(__file__).with_name("callbacks")
# No limit stands in the way of a first cycle.
WIDE = {
    kind: {"count": 10**9}
    for kind in ("creations", "member_additions", "group_additions", "member_removals", "group_removals")
}


class Modules(Target):
    """Runs single modules on the collection's domain and measures each.

    Parameters:
        site: the lab.
        state: a folder of its own for snapshot, plan and journal.
        runner: the Python module that runs a module of the collection.
        environment: what that is told beside.
    """

    last: measure.Run
    """What the last call used."""

    def __init__(
        self,
        site: Site,
        state: Path,
        runner: str = "tests.integration.modules.call_module",
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._runner, self._environment = runner, environment or {}
        state.mkdir(parents=True, exist_ok=True)
        super().__init__(site.lab, site.admin, state, OURS)

    def _call(
        self, module: str, names: tuple[str, ...], options: dict[str, Any], *, check: bool, diff: bool
    ) -> dict[str, Any]:
        given = {name: self._vars[name] for name in names} | options
        arguments = {name: value for name, value in given.items() if value is not None}
        arguments |= {"_ansible_check_mode": check, "_ansible_diff": diff}
        self.last = measure.run(
            [sys.executable, "-m", self._runner, module],
            feed=json.dumps({"ANSIBLE_MODULE_ARGS": arguments}),
            environment={"PYTHONPATH": f"{BUILD}:{ROOT}", **self._environment},
            folder=ROOT,
        )
        assert self.last.output, self.last.errors
        result: dict[str, Any] = json.loads(self.last.output.splitlines()[-1])
        return result


class Provision:
    """Runs the playbook that provisions the collection's domain.

    Parameters:
        site: the lab.
    """

    def __init__(self, site: Site) -> None:
        self._home = site.folder / "home"
        self._home.mkdir(exist_ok=True)
        self._tasks = site.folder / "tasks.jsonl"
        self._inventory = write_inventory(site.lab.settings, site.folder / "inventory.yml", {"gpad_limits": WIDE})
        content = yaml.safe_load(self._inventory.read_text(encoding="utf-8"))
        content["gpad"]["hosts"] = {OURS: content["gpad"]["hosts"][OURS]}
        self._inventory.write_text(yaml.safe_dump(content), encoding="utf-8")

    def run(self) -> measure.Run:
        """Run it once and measure it."""
        self._tasks.unlink(missing_ok=True)
        return play(self._home, self._inventory, "hybrid_identity.gpad.provision", tasks=self._tasks)

    def module_seconds(self) -> dict[str, float]:
        """Return how long each module of the collection took in the last run, with what Ansible adds to it."""
        tasks = [json.loads(line) for line in self._tasks.read_text(encoding="utf-8").splitlines()]
        ours = [(action.rpartition(".")[2], seconds) for action, seconds in tasks if ".gpad_" in action]
        return {f"{name} s": seconds for name, seconds in ours}


def play(
    home: Path,
    inventory: Path,
    *arguments: str,
    collections: Path = BUILD,
    limit: float | None = None,
    tasks: Path | None = None,
) -> measure.Run:
    """Run ansible-playbook and measure it with all that it starts.

    Parameters:
        home: a folder for Ansible's own files.
        inventory: the inventory.
        arguments: the playbook, and options.
        collections: where the collections are.
        limit: after so many seconds it is asked to end.
        tasks: a file for how long each task takes.
    """
    told = {"ANSIBLE_CALLBACK_PLUGINS": str(_CALLBACKS), "ANSIBLE_CALLBACKS_ENABLED": "task_seconds"}
    return measure.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(inventory), *arguments],
        environment={
            "ANSIBLE_HOME": str(home),
            "ANSIBLE_COLLECTIONS_PATH": str(collections),
            "ANSIBLE_LOCAL_TEMP": str(home / "local"),
            "ANSIBLE_REMOTE_TEMP": str(home / "remote"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORCE_COLOR": "0",
            **({**told, "TASK_SECONDS": str(tasks)} if tasks else {}),
        },
        folder=home,
        limit=limit,
    )
