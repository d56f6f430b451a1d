# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab of a benchmark: two domains with the same users, one for the collection and one for its peers.

The peers have a domain of their own because a link costs Samba more, the more links a user has already.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.integration.modules.target import ROOT, Target
from tests.lab.api import Lab
from tests.lab.entra.admin import EntraAdmin
from tests.lab.inventory import write_inventory
from tests.lab.scenario import object_id

OURS, PEERS = "ours.test", "peers.test"
# No limit stands in the way of a first cycle.
WIDE = {
    kind: {"count": 10**9}
    for kind in ("creations", "member_additions", "group_additions", "member_removals", "group_removals")
}


@dataclass(frozen=True, slots=True)
class Size:
    """How large a benchmark is.

    Parameters:
        groups: cloud groups.
        members: direct members of each.
        users: synced users that the members are taken from, round and round.
    """

    groups: int
    members: int
    users: int

    @property
    def links(self) -> int:
        """Links of all groups together."""
        return self.groups * self.members


@dataclass(slots=True)
class Site:
    """A running lab of a benchmark.

    Parameters:
        lab: the lab.
        admin: the emulator's back door.
        size: what it holds.
        folder: files of the benchmark.
    """

    lab: Lab
    admin: EntraAdmin
    size: Size
    folder: Path

    def target(self, name: str = "modules") -> Target:
        """Return the collection's domain for single modules, with a state directory of its own."""
        state = self.folder / name
        state.mkdir(exist_ok=True)
        return Target(self.lab, self.admin, state, OURS)

    def inventory(self) -> Path:
        """Return an inventory of the collection's domain alone, with limits out of the way."""
        path = write_inventory(self.lab.settings, self.folder / "inventory.yml", {"gpad_limits": WIDE})
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        content["gpad"]["hosts"] = {OURS: content["gpad"]["hosts"][OURS]}
        path.write_text(yaml.safe_dump(content), encoding="utf-8")
        return path

    def journal(self) -> Path:
        """Return the journal of the playbook's runs."""
        return Path(self.lab.settings.dir) / "state" / OURS / "journal.sqlite3"

    def group_ids(self) -> list[str]:
        """Return the object ids of all cloud groups."""
        return [object_id(f"Load Group {number:05}") for number in range(1, self.size.groups + 1)]


def _scenario(size: Size) -> dict[str, object]:
    forest = {
        "organizational_units": ["OU=Groups", "OU=Load"],
        "managed_containers": ["OU=Groups"],
        "generate": {"count": size.users, "prefix": "load", "ou": "OU=Load"},
    }
    generate = {
        "users": size.users,
        "synced_from": OURS,
        "groups": size.groups,
        "members_per_group": size.members,
    }
    return {"forests": [{"domain": domain, **forest} for domain in (OURS, PEERS)], "tenant": {"generate": generate}}


@contextmanager
def running(size: Size, folder: Path) -> Iterator[Site]:
    """Give a lab of a size; it is taken down at the end.

    With BENCH_KEEP in the environment it stays up for the next run, which begins with groups that are there already.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scenario = folder / "scenario.yml"
    scenario.write_text(yaml.safe_dump(_scenario(size), sort_keys=False), encoding="utf-8")
    start = time.monotonic()
    lab = Lab.up(scenario, folder / "lab", "auto")
    print(f"lab of {size.users} users, {size.groups} groups: up after {time.monotonic() - start:.0f} s", flush=True)
    entra = lab.settings.entra
    assert entra is not None
    admin = EntraAdmin(entra.admin_url, entra.admin_key, entra.ca_cert)
    try:
        yield Site(lab, admin, size, folder)
    finally:
        admin.close()
        if "BENCH_KEEP" not in os.environ:
            lab.down(wipe=True)


def bench_folder(name: str) -> Path:
    """Return the folder of a benchmark, under the checkout's ignored one."""
    return ROOT / ".lab" / "bench" / name
