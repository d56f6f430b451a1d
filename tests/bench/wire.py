# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection against the wire: the same work by OpenLDAP's tools and by a bare loop over the same pages."""

from __future__ import annotations

from collections.abc import Mapping

from tests.bench import bare_graph, openldap
from tests.bench.bare_graph import ADVANCED, MEMBER_QUERY
from tests.bench.figures import Figure, Record
from tests.bench.ours import Modules, Provision
from tests.bench.site import OURS, PEERS, Scale, Site, Size, bench_folder, running
from tests.lab.scenario import object_id

SIZES: Mapping[Scale, Size] = {
    "small": Size(groups=50, members=20, users=500),
    "full": Size(groups=1000, members=200, users=5000),
}
_GROUP_PROPERTIES = (
    "description,displayName,groupTypes,id,mail,mailEnabled,mailNickname,membershipRule,membershipRuleProcessingState,"
    "onPremisesDomainName,onPremisesSamAccountName,onPremisesSecurityIdentifier,onPremisesSyncEnabled,securityEnabled,"
    "visibility"
)


def run(record: Record, scale: Scale) -> None:
    """Measure a first cycle, and a verification that changes nothing."""
    with running(SIZES[scale], bench_folder(f"wire-{scale}")) as site:
        first_cycle(site, record)
        verification(site, record)


def first_cycle(site: Site, record: Record) -> None:
    """Provision everything with the playbook, and the same with ldapmodify on the other domain.

    ldapmodify writes half of the members before and half after the playbook, so that a machine that gets faster or
    slower by and by is so for both.
    """
    groups, members = site.folder / "groups.ldif", [site.folder / f"members.{half}.ldif" for half in (1, 2)]
    records = openldap.write_groups(groups, site.titles(), site.container(PEERS))
    wanted, guids, middle = list(site.wanted().items()), site.guids(PEERS), site.size.groups // 2
    for feed, part in zip(members, (wanted[:middle], wanted[middle:]), strict=True):
        records += openldap.write_members(feed, dict(part), guids, site.container(PEERS))
    provision = Provision(site)
    theirs = [openldap.tool(site, "ldapmodify", feed=feed).seconds for feed in (groups, members[0])]
    site.admin.clear_requests()
    ours = provision.run().done()
    theirs.append(openldap.tool(site, "ldapmodify", feed=members[1]).seconds)
    counts = {
        "links": openldap.count_links(site, OURS),
        "peer links": openldap.count_links(site, PEERS),
        "Graph requests": site.graph_requests(),
        "LDIF records": records,
        "ldapmodify groups s": theirs[0],
        "ldapmodify members s": theirs[1] + theirs[2],
        **provision.module_seconds(),
        **ours.used,
    }
    assert counts["links"] == counts["peer links"] == site.size.links
    record.add(Figure("first cycle, whole playbook", ours.seconds, "ldapmodify -f", sum(theirs), 1.15, counts))
    again = provision.run().done()
    assert "changed=0 " in again.output, again.output
    record.add(
        Figure("second cycle, whole playbook", again.seconds, counts={**provision.module_seconds(), **again.used})
    )


def verification(site: Site, record: Record) -> None:
    """Read both sides to the end without a change, module by module."""
    target = Modules(site, site.folder / "modules")
    site.admin.clear_requests()
    result = target.scope()
    assert result["outcome"] == "ok", result
    sent = site.graph_requests()
    calls = [f"/groups/{object_id(title)}/members?{MEMBER_QUERY}" for title in site.titles()]
    listing, pages, _groups = bare_graph.graph_pages(site, f"/groups?$select={_GROUP_PROPERTIES}&$top=999")
    reading, batches, members = bare_graph.graph_loop(site, calls, ADVANCED)
    counts = {"requests": sent, "peer requests": pages + batches, "members": members, **target.last.used}
    record.add(
        Figure("gpad_scope, all read", target.last.seconds, "requests, same pages", listing + reading, 1.2, counts)
    )
    target.journal = site.journal()
    result = target.plan()
    theirs = openldap.read_links(site, OURS).seconds
    counts = {"operations": result["summary"]["operations"], **target.last.used}
    assert result["outcome"] == "ok" and not result["would_change"], result
    record.add(Figure("gpad_plan, no change", target.last.seconds, "ldapsearch, equal", theirs, 1.5, counts))
