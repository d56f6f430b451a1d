# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab of a benchmark: two domains with the same users, one for the collection and one for its peers.

The peers have a domain of their own because a link costs Samba more, the more links a user has already.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import yaml

from tests.integration.modules.target import ROOT
from tests.lab.api import Lab
from tests.lab.entra.admin import EntraAdmin
from tests.lab.scenario import object_id

Scale: TypeAlias = Literal["small", "full"]
SCALES: tuple[Scale, ...] = get_args(Scale)
OURS, PEERS = "ours.test", "peers.test"
_NO_QUOTA = 10**9


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

    def journal(self) -> Path:
        """Return the journal of the playbook's runs."""
        return Path(self.lab.settings.dir) / "state" / OURS / "journal.sqlite3"

    def graph_requests(self) -> int:
        """Return how many requests reached Graph since the record was cleared, a batch being one."""
        sent = [one for one in self.admin.requests() if one["batch"] is None]
        return sum(one["path"].startswith(("/v1.0/", "/beta/")) for one in sent)

    def titles(self) -> list[str]:
        """Return the names of all cloud groups."""
        return [f"Load Group {number:05}" for number in range(1, self.size.groups + 1)]

    def wanted(self) -> dict[str, list[str]]:
        """Return the names of the members of each cloud group, by its name, as the scenario gives them out."""
        users, members = user_names(self.size.users), self.size.members
        return {
            title: [users[(index * members + step) % len(users)] for step in range(members)]
            for index, title in enumerate(self.titles())
        }

    def wanted_dns(self, domain: str, wanted: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
        """Return names of members by the name of their group as distinguished names of a domain."""
        users, container = f"OU=Load,{self.lab.forest(domain).base_dn}", self.container(domain)
        return {group_dn(title, container): [f"CN={name},{users}" for name in names] for title, names in wanted.items()}

    def container(self, domain: str) -> str:
        """Return the managed container of a domain."""
        return self.lab.forest(domain).managed_containers[0]

    def guids(self, domain: str) -> dict[str, str]:
        """Return the objectGUID of each user of the crowd, by name."""
        base = f"OU=Load,{self.lab.forest(domain).base_dn}"
        found = self.lab.ldapsearch(domain, base, "(cn=load*)", "cn", "objectGUID")
        return {entry["cn"][0]: entry["objectGUID"][0] for entry in found}


def group_dn(title: str, container: str) -> str:
    """Return the DN that the collection gives to a cloud group by default."""
    return f"CN={title}_{object_id(title)[-12:]},{container}"


def user_names(count: int) -> list[str]:
    """Return the names of the users of the crowd."""
    return [f"load{number:05}" for number in range(1, count + 1)]


def _scenario(size: Size, domains: Sequence[str], *, policy: bool) -> dict[str, object]:
    forest: dict[str, object] = {
        "organizational_units": ["OU=Groups", "OU=Load"],
        "managed_containers": ["OU=Groups"],
        "generate": {"count": size.users, "prefix": "load", "ou": "OU=Load"},
        "policy": policy,
        # As Samba is usually started; in one process it would answer one request after the other.
        "prefork": True,
    }
    generate = {
        "users": size.users,
        "synced_from": OURS,
        "groups": size.groups,
        "members_per_group": size.members,
    }
    return {"forests": [{"domain": domain, **forest} for domain in domains], "tenant": {"generate": generate}}


@contextmanager
def running(
    size: Size, folder: Path, domains: Sequence[str] = (OURS, PEERS), *, policy: bool = False
) -> Iterator[Site]:
    """Give a lab of a size; it is taken down at the end.

    With BENCH_KEEP in the environment it stays up for the next run, which begins with groups that are there already.

    Parameters:
        size: what it holds.
        folder: its files.
        domains: the collection's, which the tenant's users come from, and those of its peers, with the same users.
        policy: whether a proxy that counts operations stands before each domain.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scenario = folder / "scenario.yml"
    scenario.write_text(yaml.safe_dump(_scenario(size, domains, policy=policy), sort_keys=False), encoding="utf-8")
    start = time.monotonic()
    lab = Lab.up(scenario, folder / "lab", "auto")
    print(f"lab of {size.users} users, {size.groups} groups: up after {time.monotonic() - start:.0f} s", flush=True)
    entra = lab.settings.entra
    assert entra is not None
    admin = EntraAdmin(entra.admin_url, entra.admin_key, entra.ca_cert)
    # A large reading is measured, not the service's patience with it.
    admin.knobs(read_units=_NO_QUOTA)
    try:
        yield Site(lab, admin, size, folder)
    finally:
        admin.close()
        if "BENCH_KEEP" not in os.environ:
            lab.down(wipe=True)


def bench_folder(name: str) -> Path:
    """Return the folder of a benchmark, under the checkout's ignored one."""
    return ROOT / ".lab" / "bench" / name
