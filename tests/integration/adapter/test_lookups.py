# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look-ups of accounts and groups around groups, judged by ldapsearch."""

from __future__ import annotations

import base64
import uuid

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.catalog import Catalog
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.nesting import Groups
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    Account,
    CompleteReading,
    Link,
)
from tests.integration.adapter.domain import DOMAIN, UNIVERSAL, Domain


def link_of(entry: dict[str, list[str]]) -> Link:
    return Link(entry["objectGUID"][0], entry["objectSid"][0], entry["dn"][0])


def test_accounts_by_sid(domain: Domain) -> None:
    person = domain.person("Britta Simon")
    found = domain.reader(catalog=True).resolve([person["objectSid"][0], "S-1-5-21-1-2-3-4"])
    assert found == {person["objectSid"][0]: Account(link_of(person), "bsimon", DOMAIN, 513)}


def test_accounts_by_source_anchor(domain: Domain) -> None:
    """One has a consistency GUID, another is known by its objectGUID."""
    first, second = domain.person("Britta Simon"), domain.person("Lola Jacobson")
    anchor = uuid.uuid4()
    value = base64.b64encode(anchor.bytes_le).decode()
    domain.modify(first["dn"][0], f"replace: mS-DS-ConsistencyGuid\nmS-DS-ConsistencyGuid:: {value}")
    guid = second["objectGUID"][0]
    found = domain.reader(catalog=True).anchored_accounts([str(anchor), guid, str(uuid.uuid4())])
    assert {key: [account.link for account in accounts] for key, accounts in found.items()} == {
        str(anchor): [link_of(first)],
        guid: [link_of(second)],
    }


def test_what_the_domain_does_not_hold_the_catalog_is_asked_for(domain: Domain) -> None:
    """The configuration is in the forest and not in the domain."""
    partitions = f"CN=Partitions,CN=Configuration,{domain.base}"
    (held,) = domain.lab.ldapsearch(DOMAIN, partitions, "(objectClass=*)", "objectGUID", scope="base")
    person, guid = domain.person("Britta Simon")["objectGUID"][0], held["objectGUID"][0]
    asked = [person, guid, str(uuid.uuid4())]
    assert set(domain.reader().facts(asked)) == {person}
    found = domain.reader(catalog=True).facts(asked)
    assert {key: facts.object_class for key, facts in found.items()} == {person: "user", guid: "crossRefContainer"}


def test_a_device(domain: Domain) -> None:
    device = uuid.uuid4()
    value = base64.b64encode(device.bytes_le).decode()
    container = f"CN=RegisteredDevices,{domain.base}"
    if not domain.lab.ldapsearch(DOMAIN, domain.base, "(cn=RegisteredDevices)", "1.1"):
        domain.lab.ldapmodify(DOMAIN, f"dn: {container}\nchangetype: add\nobjectClass: msDS-DeviceContainer\n")
    name = f"CN={device},{container}"
    needed = "displayName: x\nmsDS-IsEnabled: TRUE\naltSecurityIdentities: X509:x\n"
    ldif = f"dn: {name}\nchangetype: add\nobjectClass: msDS-Device\n{needed}msDS-DeviceID:: {value}\n"
    domain.lab.ldapmodify(DOMAIN, ldif)
    (entry,) = domain.lab.ldapsearch(DOMAIN, name, "(objectClass=*)", "objectGUID", scope="base")
    (facts,) = domain.reader().facts(entry["objectGUID"]).values()
    assert (facts.object_class, facts.device_id) == ("msDS-Device", str(device))


def test_groups_inside_a_guard_of_the_domain(domain: Domain) -> None:
    """Inner is in Outer is in Domain Admins; Outer is also in Inner, a ring."""
    outer, inner, free = (domain.create() for _time in range(3))
    admins = f"CN=Domain Admins,CN=Users,{domain.base}"
    domain.modify(admins, f"add: member\nmember: {outer.dn}")
    domain.modify(outer.dn, f"add: member\nmember: {inner.dn}")
    domain.modify(inner.dn, f"add: member\nmember: {outer.dn}")
    try:
        for catalog in (False, True):
            reader = domain.reader(catalog=catalog)
            found = reader.protected(())
            assert {outer.guid, inner.guid} <= found
            assert free.guid not in found
            assert free.guid in reader.protected([free.dn.lower()])
            assert free.guid in reader.protected([free.sid.lower()])
            assert free.guid in reader.protected([free.dn.partition(",")[0].removeprefix("CN=").lower()])
    finally:
        domain.modify(admins, f"delete: member\nmember: {outer.dn}")
    assert outer.guid not in domain.reader().protected(())
    critical = domain.lab.ldapsearch(
        DOMAIN, domain.base, "(&(objectClass=group)(isCriticalSystemObject=TRUE))", "objectGUID"
    )
    assert {entry["objectGUID"][0] for entry in critical} <= found


def test_what_stands_around_a_group(domain: Domain) -> None:
    above, group, below = (domain.create() for _time in range(3))
    domain.modify(above.dn, f"add: member\nmember: {group.dn}")
    domain.modify(group.dn, f"add: member\nmember: {below.dn}\nmember: {domain.person('Britta Simon')['dn'][0]}")
    for catalog in (False, True):
        found = domain.reader(catalog=catalog).nesting([group.guid, below.guid])
        kind = int(UNIVERSAL)
        assert found[group.guid].members == ((below.dn, kind),)
        assert found[group.guid].parents == ((above.dn, kind),)
        assert (found[below.guid].members, found[below.guid].parents) == ((), ((group.dn, kind),))


def test_the_catalog_alone_follows_groups(domain: Domain) -> None:
    """As it would those of a domain that is not the session's own."""
    outer, inner = domain.create(), domain.create()
    domain.modify(outer.dn, f"add: member\nmember: {inner.dn}")
    session = domain.session()
    catalog = Catalog(lambda: domain.session(port=domain.lab.forest(DOMAIN).gc_port), session.operations)
    info = domain.reader().domain
    groups = Groups(session, info, catalog)
    assert {outer.guid, inner.guid} <= groups.protected([outer.sid.lower()])
    assert session.operations["bind"] == 2


def test_links_and_the_state_they_were_read_in(domain: Domain) -> None:
    person = domain.person("Britta Simon")
    group, empty = domain.create(member=(person["dn"][0],)), domain.create()
    held = {one.guid: one for one in domain.reader().links([group.guid, empty.guid, str(uuid.uuid4())])}
    for guid, links in ((group.guid, [link_of(person)]), (empty.guid, [])):
        reading = held[guid].reading
        assert isinstance(reading, CompleteReading) and list(reading.items) == links
        assert sorted(held[guid].sids or ()) == [link.sid for link in links]
    for one in held.values():
        assert str(one.usn) == domain.search(one.guid, "uSNChanged")["uSNChanged"][0]
    (found,) = domain.reader().groups([group.guid], ())
    assert found.first("uSNChanged") == str(held[group.guid].usn)
