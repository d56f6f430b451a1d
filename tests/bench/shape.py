# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How time and memory of the modules grow: with the number of groups, and with the number of links."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.bench import measure, openldap
from tests.bench.figures import SECONDS, Figure, Record
from tests.bench.ours import WIDE, Modules
from tests.bench.site import OURS, PEERS, Scale, Site, Size, bench_folder, running
from tests.bench.slopes import slope

STEEPEST, LARGEST = 1.05, 300.0
MILLION = 1_000_000
# Samba takes milliseconds for a link: above so many gpad_membership is left out, and the lab writes them.
MOST_LINKS_VARIABLE = "BENCH_MOST_LINKS"
_MOST_LINKS = 300_000
STEEPER, PEAK = "steeper", "peak MiB"
WRITTEN, READ = "ldapmodify", "ldapsearch"


@dataclass(frozen=True, slots=True)
class Series:
    """Labs of growing size.

    Parameters:
        grows: what grows.
        sizes: the smallest first.
        measure: the number that the size is judged by.
    """

    grows: str
    sizes: tuple[Size, ...]
    measure: Callable[[Size], int]


def _groups(size: Size) -> int:
    return size.groups


def _links(size: Size) -> int:
    return size.links


SERIES: Mapping[Scale, tuple[Series, ...]] = {
    "small": (
        Series("groups", tuple(Size(groups, 5, 300) for groups in (20, 60)), _groups),
        Series("links", tuple(Size(20, members, 300) for members in (10, 50)), _links),
    ),
    "full": (
        Series("groups", tuple(Size(groups, 10, 20_000) for groups in (1000, 2000, 5000, 10_000, 20_000)), _groups),
        Series("links", tuple(Size(1000, members, 20_000) for members in (10, 100, 300, 1000)), _links),
    ),
}


def run(record: Record, scale: Scale) -> None:
    """Measure all sizes of both series, and judge how the figures grow."""
    most = int(os.environ.get(MOST_LINKS_VARIABLE, _MOST_LINKS))
    for series in SERIES[scale]:
        grown: dict[str, list[tuple[int, measure.Run]]] = {}
        for size in series.sizes:
            folder = bench_folder(f"shape-{series.grows}-{series.measure(size)}")
            with running(size, folder) as site:
                for name, used in _measured(site, record, most).items():
                    grown.setdefault(name, []).append((series.measure(size), used))
        for name, runs in grown.items():
            _judge(record, f"{name}, with the {series.grows}", runs)


def _judge(record: Record, name: str, runs: list[tuple[int, measure.Run]]) -> None:
    """Keep the slopes of one module, and judge the steeper one.

    The start of the process, which does not grow, makes the line through all sizes too flat; the one through the two
    largest shows nothing of it, but more of what else happened on the machine.
    """
    if len(runs) < 2:
        return
    sizes = [size for size, _used in runs]
    counts: dict[str, float] = {}
    for kind, values in (("", [used.seconds for _s, used in runs]), ("cpu ", [used.cpu for _s, used in runs])):
        every, last = slope(sizes, values), slope(sizes[-2:], values[-2:])
        counts |= {f"{kind}slope": every, f"{kind}last slope": last, f"{kind}{STEEPER}": max(every, last)}
    goal = 0.0 if name.startswith((WRITTEN, READ)) else STEEPEST
    record.add(Figure(name, goal=goal, counts=counts, judged=STEEPER))


def _measured(site: Site, record: Record, most: int) -> dict[str, measure.Run]:
    """Run all modules from an empty domain to one that is as it should be, and look at it once more.

    A lab that was kept, where all is as it should be, is only looked at.
    """
    steps = _Steps(site, record)
    if openldap.count_links(site, OURS) != site.size.links:
        shutil.rmtree(steps.state, ignore_errors=True)
        steps.state.mkdir(parents=True)
        steps.run("gpad_scope", steps.modules.scope, full_after_hours=0)
        steps.run("gpad_plan, first", steps.modules.plan, limits=WIDE)
        steps.control(f"{WRITTEN}, groups", _write_groups)
        steps.run("gpad_group", steps.modules.group, peer=f"{WRITTEN}, groups")
        if site.size.links <= most:
            steps.control(f"{WRITTEN}, members", _write_members)
            steps.run("gpad_membership", steps.modules.membership, peer=f"{WRITTEN}, members")
        else:
            site.lab.write_links(OURS, site.wanted_dns(OURS, site.wanted()))
        assert openldap.count_links(site, OURS) == site.size.links
    else:
        steps.run("gpad_scope", steps.modules.scope, full_after_hours=0)
    steps.control(READ, lambda site: openldap.read_links(site, OURS))
    result = steps.run("gpad_plan, no change", steps.modules.plan, peer=READ, limits=WIDE, full_after_hours=0)
    assert not result["would_change"], result["changes"][:3]
    return steps.used


class _Steps:
    """The modules, one after the other, on one lab."""

    def __init__(self, site: Site, record: Record) -> None:
        self._site, self._record = site, record
        self.state = site.folder / "modules"
        self.modules = Modules(site, self.state)
        self.used: dict[str, measure.Run] = {}

    def control(self, name: str, done: Callable[[Site], measure.Run]) -> None:
        """Do the same with another tool: as a database grows, Samba itself takes longer."""
        self.used[name] = done(self._site)

    def run(self, name: str, call: Callable[..., dict[str, Any]], *, peer: str = "", **options: Any) -> dict[str, Any]:
        """Run a module, which must succeed, and keep what it used.

        Parameters:
            name: of its figure.
            call: runs it.
            peer: the control that its time stands beside; none if empty.
            options: of the module.
        """
        result = call(**options)
        assert result["outcome"] == "ok", result.get("msg", result)
        used = self.modules.last
        self.used[name] = used
        size = self._site.size
        sent = {kind: result["summary"][kind] for kind in ("requests", "operations") if kind in result["summary"]}
        goal, judged = (LARGEST, PEAK) if size.links >= MILLION else (0.0, SECONDS)
        title = f"{size.groups} groups, {size.links} links: {name}"
        theirs = self.used[peer].seconds if peer else 0.0
        self._record.add(Figure(title, used.seconds, peer, theirs, goal, {**used.used, **sent}, judged))
        return result


def _write_groups(site: Site) -> measure.Run:
    feed = site.folder / "groups.ldif"
    openldap.write_groups(feed, site.titles(), site.container(PEERS))
    return openldap.tool(site, "ldapmodify", feed=feed)


def _write_members(site: Site) -> measure.Run:
    feed = site.folder / "members.ldif"
    openldap.write_members(feed, site.wanted(), site.guids(PEERS), site.container(PEERS))
    return openldap.tool(site, "ldapmodify", feed=feed)
