# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection against the wire: the same work by OpenLDAP's tools and by a bare loop over the same pages."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.bench import peers
from tests.bench.figures import Figure, Record
from tests.bench.memory import largest_child
from tests.bench.site import OURS, PEERS, Site, Size, bench_folder, running
from tests.integration.playbooks.player import play

SIZE = Size(groups=1000, members=200, users=5000)
_MEMBER_PROPERTIES = "id,displayName,onPremisesSyncEnabled,onPremisesSecurityIdentifier,deviceId"
_GROUP_PROPERTIES = (
    "description,displayName,groupTypes,id,mail,mailEnabled,mailNickname,membershipRule,membershipRuleProcessingState,"
    "onPremisesDomainName,onPremisesSamAccountName,onPremisesSecurityIdentifier,onPremisesSyncEnabled,securityEnabled,"
    "visibility"
)
_ADVANCED = {"ConsistencyLevel": "eventual"}
# LDAP_SERVER_EXTENDED_DN_OID, MS-ADTS 3.1.1.3.4.1.5, with the flag for texts.
_EXTENDED_DN = "!1.2.840.113556.1.4.529=::MAMCAQE="


def run(record: Record, size: Size = SIZE) -> None:
    """Measure a first cycle, and a verification that changes nothing."""
    with running(size, bench_folder("wire")) as site:
        first_cycle(site, record)
        verification(site, record)


def first_cycle(site: Site, record: Record) -> None:
    """Provision everything with the playbook, and the same with ldapmodify on the other domain."""
    ldif = site.folder / "first.ldif"
    records = peers.first_cycle_ldif(site, ldif)
    theirs = peers.tool(site, "ldapmodify", feed=ldif)
    inventory = site.inventory()
    home = site.folder / "home"
    home.mkdir(exist_ok=True)
    site.admin.clear_requests()
    ours, done = _timed(lambda: play(inventory, home=home))
    assert done.code == 0, done.output
    counts = {
        "links": _links(site, OURS),
        "peer links": _links(site, PEERS),
        "Graph requests": len(site.admin.requests()),
        "LDIF records": records,
    }
    assert counts["links"] == counts["peer links"] == site.size.links
    record.add(Figure("first cycle, whole playbook", ours, "ldapmodify -f", theirs, 1.15, counts))
    again, done = _timed(lambda: play(inventory, home=home))
    assert done.code == 0 and done.changed == {OURS: 0}, done.output
    record.add(Figure("second cycle, whole playbook", again))


def verification(site: Site, record: Record) -> None:
    """Read both sides to the end without a change, module by module."""
    target = site.target()
    site.admin.clear_requests()
    seconds, result = _timed(target.scope)
    assert result["outcome"] == "ok", result
    sent = len(site.admin.requests())
    ids = site.group_ids()
    calls = [f"/groups/{one}/members?$select={_MEMBER_PROPERTIES}&$count=true&$top=999" for one in ids]
    listing, pages, _groups = peers.graph_pages(site, f"/groups?$select={_GROUP_PROPERTIES}&$top=999")
    reading, batches, members = peers.graph_loop(site, calls, _ADVANCED)
    counts: dict[str, float] = {"requests": sent, "peer requests": pages + batches, "members": members}
    record.add(Figure("gpad_scope, all read", seconds, "requests, same pages", listing + reading, 1.2, counts))
    target.journal = site.journal()
    seconds, result = _timed(target.plan)
    container = site.lab.forest(OURS).managed_containers[0]
    controls = ("-E", "pr=1000/noprompt", "-E", _EXTENDED_DN)
    wanted = ("-b", container, "(objectClass=group)", "objectGUID", "uSNChanged", "member;range=0-*")
    theirs = peers.tool(site, "ldapsearch", *controls, *wanted, domain=OURS)
    counts = {"operations": result["summary"]["operations"], "MB": largest_child()}
    assert result["outcome"] == "ok" and not result["would_change"], result
    record.add(Figure("gpad_plan, no change", seconds, "ldapsearch, equal", theirs, 1.5, counts))


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.monotonic()
    result = call()
    return time.monotonic() - start, result


def _links(site: Site, domain: str) -> int:
    container = site.lab.forest(domain).managed_containers[0]
    found = site.lab.ldapsearch(domain, container, "(objectClass=group)", "member")
    return sum(len(entry.get("member", ())) for entry in found)
