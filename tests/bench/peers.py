# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection against other ways to fill groups: the same end state, each in a domain of its own.

What the others want to be so is written down before they start; the collection reads it from the emulator, checks its
limits and keeps its journal, all of which is in its time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tests.bench import measure, openldap
from tests.bench.contenders import CONTENDERS, Step, Work, domain_of, install
from tests.bench.figures import Figure, Record
from tests.bench.ours import WIDE, Modules, Provision
from tests.bench.site import OURS, Scale, Site, Size, bench_folder, running, user_names
from tests.lab.scenario import object_id

CHANGED = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured.

    Parameters:
        sizes: whose seconds are taken, or whose operations are counted by a proxy before each domain, which costs time.
        limit: after so many seconds a contender is stopped.
    """

    sizes: tuple[Size, ...]
    limit: float


PLANS: Mapping[Scale, Plan] = {
    "small": Plan((Size(10, 5, 200),), 120),
    "full": Plan(tuple(Size(groups, 50, 5000) for groups in (20, 200, 1000)), 300),
}


def run(record: Record, scale: Scale) -> None:
    """Take the seconds of all sizes."""
    _contests(record, PLANS[scale], counted=False)


def count(record: Record, scale: Scale) -> None:
    """Count the operations; on a busy machine, too."""
    _contests(record, PLANS[scale], counted=True)


def _contests(record: Record, plan: Plan, *, counted: bool) -> None:
    install()
    domains = [OURS, *(domain_of(name) for name in CONTENDERS)]
    for size in plan.sizes:
        folder = bench_folder(f"peers-{'counted' if counted else 'timed'}-{size.groups}")
        with running(size, folder, domains, policy=counted) as site:
            _Contest(site, record, plan.limit, counted).run()


class _Contest:
    """All steps by the collection and by all contenders, on one lab."""

    def __init__(self, site: Site, record: Record, limit: float, counted: bool) -> None:
        self._site, self._record, self._limit, self._counted = site, record, limit, counted
        self._wanted = site.wanted()
        names = user_names(site.size.users)
        self._more = {
            title: [next(name for name in reversed(names) if name not in self._wanted[title])]
            for title in site.titles()[:CHANGED]
        }
        self._racing = dict(CONTENDERS)

    def run(self) -> None:
        """Prepare empty groups everywhere, and measure step after step."""
        site = self._site
        # The playbook's own state: it knows the groups then.
        modules = Modules(site, site.journal().parent)
        for result in (modules.scope(), modules.plan(limits=WIDE), modules.group()):
            assert result["outcome"] == "ok", result
        for name in CONTENDERS:
            feed = site.folder / "groups.ldif"
            domain = domain_of(name)
            openldap.write_groups(feed, site.titles(), site.container(domain))
            openldap.tool(site, "ldapmodify", domain=domain, feed=feed)
        provision = Provision(site)
        self._step(provision, Step.ADD, self._wanted)
        self._step(provision, Step.NOTHING, {})
        for title, (member,) in self._more.items():
            site.admin.add_member(object_id(title), object_id(member))
            self._wanted[title] = [*self._wanted[title], member]
        self._step(provision, Step.ONE, self._more)

    def _step(self, provision: Provision, step: Step, missing: Mapping[str, list[str]]) -> None:
        site, links = self._site, sum(map(len, self._wanted.values()))
        self._forget(OURS)
        ours = provision.run().done()
        assert openldap.count_links(site, OURS) == links, ours.output
        self._add(step, "the playbook", ours, None, provision.module_seconds())
        for name, call in list(self._racing.items()):
            domain = domain_of(name)
            self._forget(domain)
            done = call(Work(site, domain, step, self._wanted, missing, self._limit))
            found = openldap.count_links(site, domain)
            if done.stopped:
                # What is left out now would be done in the next step, which could not be compared.
                del self._racing[name]
            else:
                assert done.done() and found == links, f"{name}: {found} links, {links} wanted: {done.output}"
            self._add(step, name, ours, done, {"links": found})

    def _add(
        self, step: Step, name: str, ours: measure.Run, theirs: measure.Run | None, counts: Mapping[str, float]
    ) -> None:
        """Keep a figure: the times, or the operations where those are counted, since the proxy has its part in time."""
        title = f"{self._site.size.groups} groups, {step.value}"
        if self._counted:
            stopped = {"seconds until stopped": theirs.seconds} if theirs is not None and theirs.stopped else {}
            operations = self._operations(domain_of(name) if theirs is not None else OURS)
            self._record.add(Figure(f"{title}: {name}", counts={**operations, **stopped}))
        elif theirs is None:
            self._record.add(Figure(f"{title}: {name}", ours.seconds, counts={**ours.used, **counts}))
        else:
            self._record.add(
                Figure(
                    title,
                    ours.seconds,
                    name,
                    theirs.seconds,
                    1.0,
                    {**counts, "peer cpu s": theirs.cpu},
                    peer_stopped=theirs.stopped,
                )
            )

    def _forget(self, domain: str) -> None:
        if self._counted:
            with self._site.lab.policy(domain) as policy:
                policy.clear_operations()

    def _operations(self, domain: str) -> dict[str, float]:
        """Return how many operations of each kind the domain saw since the record was cleared."""
        with self._site.lab.policy(domain) as policy:
            kinds = Counter(operation.kind for operation in policy.operations())
        return {"operations": kinds.total(), **kinds}
