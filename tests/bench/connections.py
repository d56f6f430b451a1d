# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether it helps to write to Active Directory, or to read from Entra ID, over several connections at once.

Neither needs the collection: it shows whether its one ordered writer and its four batches in flight are right.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from tests.bench import bare_graph, openldap
from tests.bench.bare_graph import ADVANCED, MEMBER_QUERY
from tests.bench.figures import Figure, Record
from tests.bench.site import OURS, Scale, Site, Size, bench_folder, running, user_names
from tests.lab.scenario import object_id

# As many users as all rounds of writing need, so that none has links of an earlier round, which would slow it down.
SIZES: Mapping[Scale, Size] = {
    "small": Size(groups=200, members=20, users=300),
    "full": Size(groups=1000, members=200, users=6000),
}
# So many groups are written over each number of connections; all are read.
_WRITTEN: Mapping[Scale, int] = {"small": 20, "full": 200}
WRITERS = (1, 2, 4)
READERS = (1, 2, 4, 8)
# Seconds that the service takes to answer, beside what the emulator needs.
LATENCIES = (0.0, 0.2)


def run(record: Record, scale: Scale) -> None:
    """Measure both."""
    with running(SIZES[scale], bench_folder(f"connections-{scale}"), [OURS]) as site:
        writing(site, record, _WRITTEN[scale])
        reading(site, record)


def writing(site: Site, record: Record, groups: int) -> None:
    """Write as many links to fresh groups over one connection, and over more."""
    guids, container, size = site.guids(OURS), site.container(OURS), site.size
    share = size.users // len(WRITERS)
    alone = 0.0
    for turn, writers in enumerate(WRITERS):
        users = user_names(size.users)[turn * share : (turn + 1) * share]
        titles = [f"Over {writers} {number:05}" for number in range(groups)]
        wanted = {
            title: [users[(index * size.members + step) % share] for step in range(size.members)]
            for index, title in enumerate(titles)
        }
        feed = site.folder / "groups.ldif"
        openldap.write_groups(feed, titles, container)
        openldap.tool(site, "ldapmodify", domain=OURS, feed=feed)
        feeds = [site.folder / f"members-{part}.ldif" for part in range(writers)]
        for part, feed in enumerate(feeds):
            openldap.write_members(feed, {title: wanted[title] for title in titles[part::writers]}, guids, container)
        before, start = openldap.count_links(site, OURS), time.monotonic()
        with ThreadPoolExecutor(writers) as pool:
            done = list(
                pool.map(
                    lambda feed: openldap.tool(site, "ldapmodify", domain=OURS, feed=feed, output=feed.stem), feeds
                )
            )
        seconds = time.monotonic() - start
        links = openldap.count_links(site, OURS) - before
        assert links == groups * size.members
        alone = alone or seconds
        counts = {"links": links, "links a second": links / seconds, "client cpu s": sum(one.cpu for one in done)}
        record.add(Figure(f"writing, {writers} connections", seconds, "1 connection", alone, counts=counts))


def reading(site: Site, record: Record) -> None:
    """Read the members of all groups with one batch in flight, and with more."""
    calls = [f"/groups/{object_id(title)}/members?{MEMBER_QUERY}" for title in site.titles()]
    # The first reading of all fills the caches of the emulator.
    bare_graph.graph_loop(site, calls, ADVANCED)
    for latency in LATENCIES:
        site.admin.clear_faults()
        if latency:
            # This fault lets the answer pass after its time.
            site.admin.fault("hang", path=r"\$batch", times=0, seconds=latency)
        alone = 0.0
        for readers in READERS:
            seconds, requests, members = bare_graph.graph_loop(site, calls, ADVANCED, readers)
            assert members == site.size.links
            alone = alone or seconds
            name = f"reading, {readers} batches in flight, {latency:g} s away"
            counts = {"requests": requests, "members": members, "members a second": members / seconds}
            record.add(Figure(name, seconds, "1 batch", alone, counts=counts))
