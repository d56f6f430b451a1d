# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may give a group away: as a real domain hands its rights down."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import rights
from tests.integration.adapter.domain import DOMAIN, Domain


def foreign(domain: Domain, guid: str) -> frozenset[str]:
    """Return who controls a group without being trusted by default."""
    reader = domain.reader()
    info = reader.domain
    found = reader.security([guid])[guid]
    return rights.controllers(found, info.guarded) - rights.default_trusted(info.sid, info.forest)


def service_sid(domain: Domain) -> str:
    dn = domain.lab.forest(DOMAIN).service_account.dn
    return domain.lab.ldapsearch(DOMAIN, dn, "(objectClass=*)", "objectSid", scope="base")[0]["objectSid"][0]


def test_a_group_of_the_service_account_is_its_own(domain: Domain) -> None:
    group = domain.create()
    reader = domain.reader()
    assert reader.security([group.guid])[group.guid].owner == service_sid(domain)
    assert foreign(domain, group.guid) == {service_sid(domain)}


def test_where_nothing_is_delegated_the_defaults_are_all(domain: Domain) -> None:
    guid = domain.add_group(f"CN={domain.new_name()},OU=People,{domain.base}")
    assert foreign(domain, guid) == frozenset()
    assert domain.reader().security([guid])[guid].owner == f"{domain.lab.forest(DOMAIN).domain_sid}-512"


@pytest.mark.parametrize(
    ("entry", "gives_away"),
    [
        ("(OA;;WP;bf9679c0-0de6-11d0-a285-00aa003049e2;;AU)", True),  # member
        ("(OA;;WP;bc0ac240-79a9-11d0-9020-00c04fc2d4cf;;AU)", True),  # its property set
        ("(OA;;SW;bf9679c0-0de6-11d0-a285-00aa003049e2;;AU)", True),  # add or remove oneself
        ("(OA;;WP;bd29bf90-66ad-40e1-887b-10df070419a6;;AU)", True),  # the anchor
        ("(A;;WP;;;AU)", True),
        ("(A;;WD;;;AU)", True),
        ("(A;;GA;;;AU)", True),
        ("(OA;;WP;bf967950-0de6-11d0-a285-00aa003049e2;;AU)", False),  # description
        ("(A;CIIO;GA;;;AU)", False),
        ("(D;;WP;;;AU)", False),
    ],
)
def test_an_entry_for_all_who_log_on(domain: Domain, entry: str, gives_away: bool) -> None:
    name = f"CN={domain.new_name()},OU=People,{domain.base}"
    guid = domain.add_group(name)
    domain.forbid(name, entry)
    assert foreign(domain, guid) == (frozenset({"S-1-5-11"}) if gives_away else frozenset())


def test_what_is_not_there_is_absent(domain: Domain) -> None:
    assert domain.reader().security(["d0000000-0000-4000-8000-000000000001"]) == {}


@pytest.mark.parametrize("form", ["dn", "upn", "short"])
def test_the_own_account_is_known_by_each_of_its_names(domain: Domain, form: str) -> None:
    forest = domain.lab.forest(DOMAIN)
    account = forest.service_account
    names = {"dn": account.dn, "upn": account.username, "short": f"{forest.netbios_name}\\svc-gpad"}
    session = domain.session(username=names[form])
    reader = type(domain.reader())(session, forest.managed_containers, ())
    assert reader.account_sid() == service_sid(domain)
