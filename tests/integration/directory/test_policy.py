# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy proxy itself: what it imposes, told by a plain ldap3 connection and by OpenLDAP's tools."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import ldap3
import pytest

from tests.integration.directory.conftest import DOMAIN, Domain, Made
from tests.lab.api import LdapToolError
from tests.lab.policy.admin import PolicyAdmin, PolicyAdminError

PERMISSIVE = ("1.2.840.113556.1.4.1413", True, None)
SHOW_DELETED = ("1.2.840.113556.1.4.417", True, None)
ADD, DELETE, REPLACE = ldap3.MODIFY_ADD, ldap3.MODIFY_DELETE, ldap3.MODIFY_REPLACE
UNIVERSAL, GLOBAL, LOCAL = -2147483640, -2147483646, -2147483644


@pytest.fixture
def raw(domain: Domain, policy: PolicyAdmin) -> Iterator[Any]:
    """The administrator's connection through the proxy."""
    connection = _raw(domain)
    yield connection
    connection.unbind()


def _raw(domain: Domain, port: int = 636) -> Any:
    settings = domain.settings
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=settings.ca_cert, valid_names=[settings.fqdn])
    server = ldap3.Server(settings.address, port=port, use_ssl=True, tls=tls, get_info=ldap3.NONE)
    return ldap3.Connection(
        server,
        settings.administrator.username,
        settings.administrator.password,
        client_strategy=ldap3.SAFE_SYNC,
        auto_bind=True,
        auto_range=False,
        return_empty_attributes=False,
        check_names=False,
        auto_referrals=False,
    )


def modify(connection: Any, dn: str, changes: dict[str, Any], controls: list[Any] | None = None) -> tuple[int, str]:
    result = connection.modify(dn, changes, controls=controls)[1]
    return result["result"], result["message"]


def wanted(raw: Any, group: Made, attribute: str) -> dict[str, int]:
    """Ask for an attribute of a group and return how many values each description in the answer has."""
    _done, result, response, _request = raw.search(group.dn, "(objectClass=*)", ldap3.BASE, attributes=[attribute])
    assert result["result"] == 0, result
    return {name: len(values) for name, values in response[0]["raw_attributes"].items() if values}


def test_a_plain_question_gets_the_first_range(domain: Domain, sized: dict[int, Made], policy: PolicyAdmin) -> None:
    for size, name, count in ((1500, "member", 1500), (1501, "member;range=0-1499", 1500)):
        (entry,) = domain.lab.ldapsearch(
            DOMAIN, sized[size].dn, "(objectClass=*)", "member", scope="base", direct=False
        )
        assert len(entry.get(name, ())) == count


def test_ranges_are_cut_down(raw: Any, sized: dict[int, Made]) -> None:
    assert wanted(raw, sized[1500], "member;range=0-*") == {"member;range=0-*": 1500}
    assert wanted(raw, sized[1501], "member;range=0-*") == {"member;range=0-1499": 1500}
    assert wanted(raw, sized[4501], "member;range=1500-4400") == {"member;range=1500-2999": 1500}
    assert wanted(raw, sized[4501], "member;range=4500-*") == {"member;range=4500-*": 1}
    result = raw.search(sized[3].dn, "(objectClass=*)", ldap3.BASE, attributes=["member;range=3-*"])[1]
    assert (result["result"], result["message"][:8]) == (1, "00002121")


def test_an_unpaged_search_stops_at_the_page_size(raw: Any, domain: Domain) -> None:
    base = domain.settings.base_dn
    _done, result, response, _request = raw.search(base, "(objectClass=user)", attributes=["1.1"])
    assert result["result"] == 4
    assert len([item for item in response if item["type"] == "searchResEntry"]) == 1000


def test_pages_are_cut_down_and_cookies_belong_to_a_connection(raw: Any, domain: Domain) -> None:
    base = f"OU=Load,{domain.settings.base_dn}"

    def page(connection: Any, cookie: bytes | None = None) -> tuple[int, int, bytes]:
        _done, result, response, _request = connection.search(
            base, "(objectClass=user)", attributes=["1.1"], paged_size=3000, paged_cookie=cookie
        )
        found = (result.get("controls") or {}).get("1.2.840.113556.1.4.319")
        return result["result"], len(response or ()), found["value"]["cookie"] if found else b""

    code, count, cookie = page(raw)
    assert (code, count, bool(cookie)) == (0, 1000, True)
    other = _raw(domain)
    assert page(other, cookie)[0] == 12
    other.unbind()
    total = count
    while cookie:
        code, count, cookie = page(raw, cookie)
        assert code == 0
        total += count
    assert total == len(domain.users)
    cookies = [page(raw)[2] for _unused in range(11)]
    assert page(raw, cookies[0])[0] == 12
    assert page(raw, cookies[1])[0] == 0


def test_the_number_of_values_in_a_modify_is_limited(raw: Any, domain: Domain, policy: PolicyAdmin) -> None:
    group = domain.group()
    values = [f"<GUID={guid}>" for guid in domain.user_guids[:20]]
    policy.set_policy(max_modify_values=19)
    code, message = modify(raw, group.dn, {"member": [(ADD, values)]})
    assert (code, message[:8]) == (11, "00002024")
    policy.set_policy(max_modify_values=20)
    assert modify(raw, group.dn, {"member": [(ADD, values)]})[0] == 0
    assert len(domain.members(group)) == 20


@pytest.mark.parametrize(
    ("attribute", "length", "code"),
    [("displayName", 256, 0), ("displayName", 257, 19), ("description", 1025, 19), ("mail", 257, 19), ("info", 0, 21)],
)
def test_lengths(raw: Any, domain: Domain, attribute: str, length: int, code: int) -> None:
    group = domain.group()
    got, message = modify(raw, group.dn, {attribute: [(REPLACE, ["x" * length])]})
    assert got == code
    assert code != 19 or message.startswith("00002082")


def test_common_names_have_64_characters(raw: Any, domain: Domain) -> None:
    def add(length: int) -> int:
        dn = f"CN={'x' * length},{domain.groups_dn}"
        return int(raw.add(dn, "group", {"sAMAccountName": f"name{length}"})[1]["result"])

    assert (add(64), add(65)) == (0, 19)
    assert raw.modify_dn(f"CN={'x' * 64},{domain.groups_dn}", f"CN={'y' * 65}")[1]["result"] == 19
    # Outside the basic plane a character counts twice, as UTF-16 has it.
    assert raw.modify_dn(f"CN={'x' * 64},{domain.groups_dn}", f"CN={'😀' * 33}")[1]["result"] == 19
    assert raw.modify_dn(f"CN={'x' * 64},{domain.groups_dn}", f"CN={'😀' * 32}")[1]["result"] == 0


@pytest.mark.parametrize(
    ("holder", "member", "prefix"),
    [
        (GLOBAL, GLOBAL, ""),
        (GLOBAL, LOCAL, "00002144"),
        (GLOBAL, UNIVERSAL, "00002145"),
        (UNIVERSAL, LOCAL, "00002146"),
        (UNIVERSAL, UNIVERSAL, ""),
        (UNIVERSAL, GLOBAL, ""),
        (LOCAL, LOCAL, ""),
        (LOCAL, GLOBAL, ""),
    ],
)
def test_nesting(raw: Any, domain: Domain, holder: int, member: int, prefix: str) -> None:
    outer, inner = domain.group(group_type=holder), domain.group(group_type=member)
    for name in (inner.dn, f"<GUID={inner.guid}>"):
        code, message = modify(raw, outer.dn, {"member": [(ADD, [name])]})
        if prefix:
            assert (code, message[:8]) == (53, prefix)
        else:
            assert code == 0
            assert modify(raw, outer.dn, {"member": [(DELETE, [name])]})[0] == 0
    assert domain.members(outer) == set()


def test_members_that_are_not_there(raw: Any, domain: Domain) -> None:
    group = domain.group()
    sid = f"{domain.settings.domain_sid}-999999"
    for name in (f"CN=Nobody,{domain.groups_dn}", "<GUID=11111111-2222-3333-4444-555555555555>", f"<SID={sid}>"):
        code, message = modify(raw, group.dn, {"member": [(ADD, [name])]})
        assert (code, message[:8]) == (32, "0000208D")
    assert modify(raw, group.dn, {"member": [(ADD, ["<SID=S-1-5-21-1-2-3-1106>"])]})[0] == 53
    assert domain.members(group) == set()


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (GLOBAL, UNIVERSAL, 0),
        (UNIVERSAL, GLOBAL, 0),
        (LOCAL, UNIVERSAL, 0),
        (UNIVERSAL, LOCAL, 0),
        (GLOBAL, LOCAL, 53),
        (LOCAL, GLOBAL, 53),
        (UNIVERSAL, -2147483646 | 4, 53),
    ],
)
def test_conversions(raw: Any, domain: Domain, before: int, after: int, code: int) -> None:
    group = domain.group(group_type=before)
    assert modify(raw, group.dn, {"groupType": [(REPLACE, [after])]})[0] == code
    assert domain.attribute(group, "groupType") == [str(before if code else after)]


def test_conversions_that_members_forbid(raw: Any, domain: Domain) -> None:
    inner, local, universal = (domain.group(group_type=kind) for kind in (GLOBAL, LOCAL, UNIVERSAL))
    domain.group(inner.dn, group_type=GLOBAL)
    holds_local = domain.group(local.dn, group_type=LOCAL)
    holds_universal = domain.group(universal.dn, group_type=UNIVERSAL)
    for group, kind in ((inner, UNIVERSAL), (holds_local, UNIVERSAL), (holds_universal, GLOBAL)):
        assert modify(raw, group.dn, {"groupType": [(REPLACE, [kind])]})[0] == 53


def test_permissive_modify_of_members(raw: Any, domain: Domain) -> None:
    one, two, three = (domain.users[guid] for guid in domain.user_guids[:3])
    group = domain.group(one, two)
    changes = {"member": [(ADD, [one, three]), (DELETE, [two])]}
    assert modify(raw, group.dn, changes)[0] == 68
    assert modify(raw, group.dn, changes, [PERMISSIVE])[0] == 0
    assert domain.members(group) == {one, three}
    assert modify(raw, group.dn, changes, [PERMISSIVE])[0] == 0
    assert modify(raw, group.dn, {"member": [(DELETE, [two])]})[0] != 0
    assert modify(raw, group.dn, {"member": [(ADD, [f"CN=Nobody,{domain.groups_dn}"])]}, [PERMISSIVE])[0] == 32
    assert domain.members(group) == {one, three}


def test_moves_and_deletions(raw: Any, domain: Domain) -> None:
    group = domain.group()
    rdn = group.dn.partition(",")[0]
    moved = raw.modify_dn(group.dn, rdn, new_superior=f"OU=Nowhere,{domain.settings.base_dn}")[1]
    assert (moved["result"], moved["message"][:8]) == (32, "0000208D")
    critical = raw.delete(f"CN=Domain Admins,CN=Users,{domain.settings.base_dn}")[1]
    assert critical["result"] == 53
    assert raw.delete(group.dn)[1]["result"] == 0


def test_a_tombstone_comes_back_only_with_the_control(raw: Any, domain: Domain) -> None:
    group = domain.group()
    assert raw.delete(group.dn)[1]["result"] == 0
    changes = {"isDeleted": [(DELETE, [])], "distinguishedName": [(REPLACE, [group.dn])]}
    name = f"<GUID={group.guid}>"
    assert modify(raw, name, changes)[0] == 32
    assert modify(raw, name, {"distinguishedName": [(REPLACE, [group.dn])]}, [SHOW_DELETED])[0] == 53
    elsewhere = {**changes, "distinguishedName": [(REPLACE, [f"CN=X,OU=Nowhere,{domain.settings.base_dn}"])]}
    assert modify(raw, name, elsewhere, [SHOW_DELETED])[0] == 32
    assert modify(raw, name, changes, [SHOW_DELETED])[0] == 0
    assert domain.attribute(group, "objectGUID") == [group.guid]


def test_the_global_catalog_is_read_only(domain: Domain, policy: PolicyAdmin) -> None:
    catalog = _raw(domain, 3269)
    assert catalog.search("", "(sAMAccountName=bsimon)", attributes=["1.1"])[0]
    assert modify(catalog, domain.group().dn, {"info": [(REPLACE, ["x"])]})[0] == 53
    catalog.unbind()
    assert [(record.kind, record.catalog) for record in policy.operations("modify")] == [("modify", True)]


def test_what_a_knob_turns_off_is_off(raw: Any, domain: Domain, policy: PolicyAdmin) -> None:
    policy.set_policy(nesting=False, lengths=False)
    outer, inner = domain.group(group_type=UNIVERSAL), domain.group(group_type=LOCAL)
    assert modify(raw, outer.dn, {"member": [(ADD, [inner.dn])]})[0] == 0
    with pytest.raises(PolicyAdminError, match="max_speed"):
        policy.set_policy(max_speed=1)
    with pytest.raises(PolicyAdminError, match="action"):
        policy.add_fault("explode")


def test_faults_strike_as_armed_and_are_on_record(domain: Domain, policy: PolicyAdmin) -> None:
    policy.add_fault("busy", kind="search", skip=1, every=2, times=2)
    codes = [0, 0, 51, 0, 51, 0, 0]
    for code in codes:
        with nullcontext() if code == 0 else pytest.raises(LdapToolError, match=f"with {code}"):
            domain.lab.ldapsearch(DOMAIN, domain.groups_dn, "(cn=x)", "1.1", direct=False)
    assert [record.result for record in policy.operations("search")] == codes
    assert [record.fault for record in policy.operations("search")].count("busy") == 2
