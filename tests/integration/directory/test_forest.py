# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two domains that the proxy shows as one forest, seen by OpenLDAP's tools."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

import tests.lab
from tests.lab.api import Lab, LdapToolError, parse_ldif
from tests.lab.policy.admin import PolicyAdmin

SCENARIO = Path(tests.lab.__path__[0]) / "scenarios" / "forest_of_two.yml"
CORP, EMEA = "corp.test", "emea.corp.test"
CORP_DN, EMEA_DN = "DC=corp,DC=test", "DC=emea,DC=corp,DC=test"
ELSA, ENZO = f"CN=Elsa Mayer,OU=People,{EMEA_DN}", f"CN=Enzo Russo,OU=People,{EMEA_DN}"
LOLA = f"CN=Lola Jacobson,OU=People,{CORP_DN}"
GROUP = f"CN=Corp Universal,OU=People,{CORP_DN}"
EXTENDED = ("-E", "!1.2.840.113556.1.4.529=::MAMCAQE=")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab.up(SCENARIO, tmp_path_factory.mktemp("forest"), "auto") as running:
        yield running


@pytest.fixture
def policy(lab: Lab) -> Iterator[PolicyAdmin]:
    with lab.policy(CORP) as admin:
        admin.reset()
        yield admin
        admin.reset()


@pytest.fixture
def member_of_emea(lab: Lab) -> Iterator[None]:
    """A link from the group in one domain to a user in the other."""
    change(lab, f"add: member\nmember: {ELSA}\n")
    yield
    change(lab, f"delete: member\nmember: {ELSA}\n")


def change(lab: Lab, text: str, dn: str = GROUP) -> None:
    lab.ldapmodify(CORP, f"dn: {dn}\nchangetype: modify\n{text}", direct=False)


def members(lab: Lab, domain: str = CORP, dn: str = GROUP) -> set[str]:
    (entry,) = lab.ldapsearch(domain, dn, "(objectClass=*)", "member", scope="base", direct=False)
    return set(entry.get("member", ()))


def tool(lab: Lab, port: int, *arguments: str, text: str = "") -> list[dict[str, list[str]]]:
    """Run ldapsearch or ldapmodify against a port of the first domain as its service account."""
    forest = lab.forest(CORP)
    account = forest.service_account
    name, *rest = arguments
    done = subprocess.run(
        [name, "-x", "-H", f"ldaps://{forest.address}:{port}", "-D", account.dn, "-w", account.password, *rest],
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
        env={**os.environ, "LDAPTLS_CACERT": forest.ca_cert},
    )
    if done.returncode:
        raise LdapToolError(name, done.returncode, done.stderr)
    return parse_ldif(done.stdout)


def catalog(
    lab: Lab, base: str, term: str, *attributes: str, options: tuple[str, ...] = ()
) -> list[dict[str, list[str]]]:
    """Search the global catalog of the first domain."""
    return tool(lab, 3269, "ldapsearch", "-LLL", "-o", "ldif-wrap=no", *options, "-b", base, term, *attributes)


def identity(lab: Lab, domain: str, dn: str) -> tuple[str, str]:
    (entry,) = lab.ldapsearch(domain, dn, "(objectClass=*)", "objectGUID", "objectSid", scope="base")
    return entry["objectGUID"][0], entry["objectSid"][0]


def test_both_domains_are_among_the_partitions(lab: Lab, policy: PolicyAdmin) -> None:
    container = f"CN=Partitions,CN=Configuration,{CORP_DN}"
    term = "(&(objectClass=crossRef)(systemFlags:1.2.840.113556.1.4.803:=2))"
    arguments = ("-LLL", "-o", "ldif-wrap=no", *EXTENDED, "-s", "one", "-b", container, term)
    found = tool(lab, 636, "ldapsearch", *arguments, "nCName", "dnsRoot", "systemFlags")
    assert {entry["dnsRoot"][0] for entry in found} == {CORP, EMEA}
    assert {entry["systemFlags"][0] for entry in found} == {"3"}
    for entry in found:
        assert entry["dn"][0].endswith(container)
        domain = entry["dnsRoot"][0]
        forest = lab.forest(domain)
        guid, sid = identity(lab, domain, forest.base_dn)
        assert entry["nCName"] == [f"<GUID={guid}>;<SID={sid}>;{forest.base_dn}"]


@pytest.mark.parametrize("form", ["dn", "guid", "sid", "extended"])
def test_a_member_of_the_other_domain(lab: Lab, policy: PolicyAdmin, form: str) -> None:
    guid, sid = identity(lab, EMEA, ELSA)
    name = {
        "dn": ELSA,
        "guid": f"<GUID={guid}>",
        "sid": f"<SID={sid}>",
        "extended": f"<GUID={guid}>;<SID={sid}>;{ELSA}",
    }[form]
    change(lab, f"add: member\nmember: {name}\n")
    assert members(lab) == {LOLA, ELSA}
    options = ("-LLL", "-o", "ldif-wrap=no", *EXTENDED, "-s", "base", "-b", GROUP)
    (entry,) = tool(lab, 636, "ldapsearch", *options, "(objectClass=*)", "member;range=0-*")
    assert f"<GUID={guid}>;<SID={sid}>;{ELSA}" in entry["member;range=0-*"]
    found = lab.ldapsearch(CORP, CORP_DN, f"(member={ELSA})", "1.1", direct=False)
    assert [entry["dn"][0] for entry in found] == [GROUP]
    assert lab.ldapsearch(CORP, CORP_DN, f"(objectSid={sid})", "1.1", direct=False) == []
    change(lab, f"delete: member\nmember: {name}\n")
    assert members(lab) == {LOLA}


def test_a_member_that_neither_domain_has(lab: Lab, policy: PolicyAdmin) -> None:
    _guid, sid = identity(lab, EMEA, EMEA_DN)
    for name in (f"CN=Nobody,{EMEA_DN}", "<GUID=11111111-2222-3333-4444-555555555555>", f"<SID={sid}-99999>"):
        with pytest.raises(LdapToolError, match="0000208D"):
            change(lab, f"add: member\nmember: {name}\n")
    assert members(lab) == {LOLA}


@pytest.mark.parametrize(("scope", "codes"), [(8, (0, 0, 53)), (2, (53, 53, 53)), (4, (0, 0, 53))])
def test_nesting_between_domains(lab: Lab, policy: PolicyAdmin, scope: int, codes: tuple[int, ...]) -> None:
    dn = f"CN=Scope {scope},OU=Groups,{CORP_DN}"
    lab.ldapmodify(
        CORP,
        f"dn: {dn}\nchangetype: add\nobjectClass: group\nsAMAccountName: scope{scope}\ngroupType: {scope - 2**31}\n",
    )
    for name, code in zip(("Emea Universal", "Emea Global", "Emea Local"), codes, strict=True):
        with nullcontext() if code == 0 else pytest.raises(LdapToolError, match=f"with {code}"):
            change(lab, f"add: member\nmember: CN={name},OU=People,{EMEA_DN}\n", dn)
    # A universal group that holds members of another domain cannot become global.
    if scope == 8:
        with pytest.raises(LdapToolError, match="0000214"):
            change(lab, f"replace: groupType\ngroupType: {2 - 2**31}\n", dn)


def test_the_catalog_finds_both_domains(lab: Lab, policy: PolicyAdmin) -> None:
    found = catalog(lab, "", "(|(sAMAccountName=bsimon)(sAMAccountName=emayer))", "1.1")
    assert {entry["dn"][0] for entry in found} == {f"CN=Britta Simon,OU=People,{CORP_DN}", ELSA}
    found = catalog(lab, EMEA_DN, "(objectClass=user)", "sAMAccountName", "department")
    assert {"emayer", "erusso"} < {entry["sAMAccountName"][0] for entry in found}
    assert all(entry["dn"][0].endswith(EMEA_DN) for entry in found)


def test_the_catalog_pages(lab: Lab, policy: PolicyAdmin) -> None:
    whole = catalog(lab, "", "(objectClass=user)", "1.1")
    paged = catalog(lab, "", "(objectClass=user)", "1.1", options=("-E", "!pr=2/noprompt"))
    assert [entry["dn"] for entry in paged] == [entry["dn"] for entry in whole]
    assert len([record for record in policy.operations("search") if record.catalog]) > 3


def test_the_catalog_holds_a_part_of_the_attributes(lab: Lab, policy: PolicyAdmin) -> None:
    (entry,) = catalog(lab, "", "(sAMAccountName=emayer)", "objectSid", "countryCode", "badPwdCount")
    assert set(entry) == {"dn", "objectSid"}
    assert catalog(lab, "", "(&(sAMAccountName=emayer)(countryCode=0))", "1.1") == []
    assert catalog(lab, "", "(&(sAMAccountName=emayer)(!(countryCode=1)))", "1.1") == []


def test_the_catalog_holds_members_of_universal_groups_only(lab: Lab, policy: PolicyAdmin) -> None:
    found = catalog(lab, EMEA_DN, "(&(objectClass=group)(name=Emea *))", "name", "member")
    held = {entry["name"][0]: entry.get("member", []) for entry in found}
    assert held == {"Emea Universal": [ELSA], "Emea Global": [], "Emea Local": []}
    (elsa,) = catalog(lab, "", "(sAMAccountName=emayer)", "memberOf")
    assert elsa["memberOf"] == [f"CN=Emea Universal,OU=People,{EMEA_DN}"]


def test_the_catalog_knows_links_across_domains(lab: Lab, policy: PolicyAdmin, member_of_emea: None) -> None:
    (elsa,) = catalog(lab, "", "(sAMAccountName=emayer)", "memberOf")
    assert set(elsa["memberOf"]) == {f"CN=Emea Universal,OU=People,{EMEA_DN}", GROUP}
    assert {entry["dn"][0] for entry in catalog(lab, "", f"(memberOf={GROUP})", "1.1")} == {LOLA, ELSA}
    # Of the three groups of the other domain that hold the user, the universal one alone.
    found = catalog(lab, CORP_DN, f"(member={ELSA})", "1.1")
    assert {entry["dn"][0] for entry in found} == {GROUP, f"CN=Emea Universal,OU=People,{EMEA_DN}"}


def test_the_catalog_is_read_only(lab: Lab, policy: PolicyAdmin) -> None:
    with pytest.raises(LdapToolError) as refusal:
        tool(lab, 3269, "ldapmodify", text=f"dn: {GROUP}\nchangetype: modify\nreplace: info\ninfo: x\n")
    assert refusal.value.code == 53


def test_the_other_domain_is_a_referral(lab: Lab, policy: PolicyAdmin) -> None:
    with pytest.raises(LdapToolError) as refusal:
        lab.ldapsearch(CORP, ELSA, "(objectClass=*)", "1.1", scope="base", direct=False)
    assert refusal.value.code == 10


def test_the_other_domain_sees_itself_only(lab: Lab, policy: PolicyAdmin) -> None:
    found = lab.ldapsearch(EMEA, EMEA_DN, "(objectClass=user)", "1.1", direct=False)
    assert ELSA in {entry["dn"][0] for entry in found}
    assert not [entry for entry in found if not entry["dn"][0].endswith(EMEA_DN)]


def test_a_move_between_domains_is_played_by_an_alias(lab: Lab, policy: PolicyAdmin, member_of_emea: None) -> None:
    (_guid, old), (_other, new) = identity(lab, EMEA, ELSA), identity(lab, EMEA, ENZO)
    policy.add_alias(old, shown_as=new)
    assert members(lab) == {LOLA, ENZO}
    # The fixture removes the link by the name that it was written with.
    policy.reset()
