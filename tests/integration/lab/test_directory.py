# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory of a running lab: content, rights of the service account, TLS, Kerberos."""

from __future__ import annotations

import base64
import os
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ldap3
import pytest
from ldap3.core.exceptions import LDAPSocketOpenError

from tests.lab.api import Lab, LdapToolError
from tests.lab.pki import CertificateAuthority
from tests.lab.settings import ForestSettings

DOMAIN = "contoso.com"
INSUFFICIENT_ACCESS = 50
ANCHOR = "Group_11111111-2222-3333-4444-555555555555"


@pytest.fixture
def forest(tutorial: Lab) -> ForestSettings:
    return tutorial.forest(DOMAIN)


def new_group(dn: str) -> str:
    return f"""dn: {dn}
changetype: add
objectClass: group
sAMAccountName: probe
groupType: -2147483640
displayName: Probe
adminDescription: {ANCHOR}
msDS-ExternalDirectoryObjectId: {ANCHOR}
"""


@contextmanager
def probe_group(lab: Lab, dn: str) -> Iterator[None]:
    lab.ldapmodify(DOMAIN, new_group(dn), account="service_account")
    try:
        yield
    finally:
        base = lab.forest(DOMAIN).base_dn
        for entry in lab.ldapsearch(DOMAIN, base, "(sAMAccountName=probe)", "1.1"):
            lab.ldapmodify(DOMAIN, f"dn: {entry['dn'][0]}\nchangetype: delete\n")


def test_it_holds_what_the_scenario_says(tutorial: Lab, forest: ForestSettings) -> None:
    found = tutorial.ldapsearch(DOMAIN, f"OU=People,{forest.base_dn}", "(objectClass=user)", "sAMAccountName")
    assert sorted(entry["sAMAccountName"][0] for entry in found) == ["bsimon", "fhand", "ljacobson"]
    group = tutorial.ldapsearch(DOMAIN, forest.base_dn, "(cn=File Server Admins)", "member", "groupType", "objectSid")[
        0
    ]
    assert group["member"] == [f"CN=Britta Simon,OU=People,{forest.base_dn}"]
    assert group["groupType"] == ["-2147483646"]
    assert group["objectSid"][0].startswith(forest.domain_sid + "-")
    units = tutorial.ldapsearch(DOMAIN, forest.base_dn, "(objectClass=organizationalUnit)", "1.1")
    assert set(forest.managed_containers) < {unit["dn"][0] for unit in units}


def test_the_schema_knows_the_anchor_and_the_source_of_authority(tutorial: Lab, forest: ForestSettings) -> None:
    schema = f"CN=Schema,CN=Configuration,{forest.base_dn}"
    names = ("msDS-ExternalDirectoryObjectId", "msDS-ObjectSoa")
    names_filter = "".join(f"(lDAPDisplayName={name})" for name in names)
    found = tutorial.ldapsearch(
        DOMAIN, schema, f"(|{names_filter})", "lDAPDisplayName", "isSingleValued", "attributeID"
    )
    assert {entry["lDAPDisplayName"][0]: entry["attributeID"][0] for entry in found} == {
        "msDS-ExternalDirectoryObjectId": "1.2.840.113556.1.4.2310",
        "msDS-ObjectSoa": "1.2.840.113556.1.4.2353",
    }
    assert {entry["isSingleValued"][0] for entry in found} == {"TRUE"}


def test_service_account_manages_groups_in_managed_containers(tutorial: Lab, forest: ForestSettings) -> None:
    groups, sales = (f"OU={name},{forest.base_dn}" for name in ("Groups", "Sales"))
    member = f"CN=Britta Simon,OU=People,{forest.base_dn}"
    with probe_group(tutorial, f"CN=Probe,{groups}"):
        tutorial.ldapmodify(
            DOMAIN,
            f"""dn: CN=Probe,{groups}
changetype: modify
add: member
member: {member}
-
replace: description
description: text
-
replace: info
info: text
-
replace: mail
mail: probe@contoso.com
-
replace: sAMAccountName
sAMAccountName: probe
-
replace: groupType
groupType: -2147483646
-
replace: msDS-ObjectSoa
msDS-ObjectSoa: Cloud

dn: CN=Probe,{groups}
changetype: modrdn
newrdn: CN=Renamed
deleteoldrdn: 1
newsuperior: {sales}
""",
            account="service_account",
        )
        moved = tutorial.ldapsearch(DOMAIN, sales, "(sAMAccountName=probe)", "member", "groupType")
        assert moved == [{"dn": [f"CN=Renamed,{sales}"], "groupType": ["-2147483646"], "member": [member]}]


def test_service_account_restores_a_deleted_group_with_its_sid(tutorial: Lab, forest: ForestSettings) -> None:
    dn = f"CN=Probe,OU=Groups,{forest.base_dn}"
    deleted_objects = f"CN=Deleted Objects,{forest.base_dn}"
    with probe_group(tutorial, dn):
        (before,) = tutorial.ldapsearch(DOMAIN, dn, "(objectClass=*)", "objectSid", "objectGUID", scope="base")
        tutorial.ldapmodify(DOMAIN, f"dn: {dn}\nchangetype: delete\n", account="service_account")
        (tombstone,) = tutorial.ldapsearch(
            DOMAIN,
            deleted_objects,
            f"(&(isDeleted=TRUE)(msDS-ExternalDirectoryObjectId={ANCHOR})(objectSid={before['objectSid'][0]}))",
            "objectSid",
            account="service_account",
            show_deleted=True,
        )
        encoded = base64.b64encode(tombstone["dn"][0].encode()).decode()
        tutorial.ldapmodify(
            DOMAIN,
            f"dn:: {encoded}\nchangetype: modify\ndelete: isDeleted\n-\n"
            f"replace: distinguishedName\ndistinguishedName: {dn}\n-\n"
            f"replace: adminDescription\nadminDescription: {ANCHOR}\n",
            account="service_account",
            show_deleted=True,
        )
        after = tutorial.ldapsearch(DOMAIN, dn, "(objectClass=*)", "objectSid", "objectGUID", scope="base")
    assert after == [before]


@pytest.mark.parametrize(
    "change",
    [
        "dn: CN=File Server Admins,OU=People,{base}\nchangetype: modify\nreplace: member\n",
        "dn: CN=Domain Admins,CN=Users,{base}\nchangetype: modify\nadd: member\n"
        "member: CN=Britta Simon,OU=People,{base}\n",
        "dn: CN=Britta Simon,OU=People,{base}\nchangetype: modify\nreplace: description\ndescription: text\n",
        "dn: CN=Other,OU=People,{base}\nchangetype: add\nobjectClass: group\nsAMAccountName: other\n",
        "dn: CN=Other,OU=Groups,{base}\nchangetype: add\nobjectClass: user\nsAMAccountName: other\n",
        "dn: OU=Other,OU=Groups,{base}\nchangetype: add\nobjectClass: organizationalUnit\n",
        "dn: CN=Probe,OU=Groups,{base}\nchangetype: modrdn\nnewrdn: CN=Probe\ndeleteoldrdn: 1\n"
        "newsuperior: OU=People,{base}\n",
        "dn: OU=Groups,{base}\nchangetype: modify\nreplace: description\ndescription: text\n",
    ],
    ids=["foreign group", "admins", "user", "group outside", "new user", "new unit", "move out", "container"],
)
def test_service_account_may_do_nothing_else(tutorial: Lab, forest: ForestSettings, change: str) -> None:
    with probe_group(tutorial, f"CN=Probe,OU=Groups,{forest.base_dn}"), pytest.raises(LdapToolError) as refusal:
        tutorial.ldapmodify(DOMAIN, change.format(base=forest.base_dn), account="service_account")
    assert refusal.value.code == INSUFFICIENT_ACCESS


def test_reader_account_reads_and_writes_nothing(tutorial: Lab, forest: ForestSettings) -> None:
    dn = f"CN=Probe,OU=Groups,{forest.base_dn}"
    with probe_group(tutorial, dn):
        before = tutorial.usn_changed(DOMAIN, forest.managed_containers)
        assert tutorial.ldapsearch(DOMAIN, dn, "(cn=Probe)", "displayName", account="reader_account") == [
            {"dn": [dn], "displayName": ["Probe"]}
        ]
        change = f"dn: {dn}\nchangetype: modify\nreplace: displayName\ndisplayName: X\n"
        with pytest.raises(LdapToolError) as refusal:
            tutorial.ldapmodify(DOMAIN, change, account="reader_account")
        assert refusal.value.code == INSUFFICIENT_ACCESS
        assert tutorial.usn_changed(DOMAIN, forest.managed_containers) == before
        tutorial.ldapmodify(DOMAIN, change)
        assert tutorial.usn_changed(DOMAIN, forest.managed_containers) != before


def bind(forest: ForestSettings, ca_cert: Path | str, port: int, *, use_ssl: bool = True) -> int:
    tls = ldap3.Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=str(ca_cert))
    server = ldap3.Server(forest.address, port=port, use_ssl=use_ssl, tls=tls if use_ssl else None, get_info=ldap3.NONE)
    account = forest.service_account
    with_strategy = ldap3.Connection(server, account.username, account.password, client_strategy=ldap3.SAFE_SYNC)
    try:
        return int(with_strategy.bind()[1]["result"])
    finally:
        with_strategy.unbind()


# ssl.match_hostname, which knows IP addresses, is gone from Python 3.12, and ldap3's stand-in does not know them.
@pytest.mark.skipif(not hasattr(ssl, "match_hostname"), reason="ldap3 2.9.1 has no match for an IP address")
def test_ldap3_binds_by_ip_address(forest: ForestSettings) -> None:
    assert bind(forest, forest.ca_cert, forest.ldaps_port) == 0
    assert bind(forest, forest.ca_cert, forest.gc_port) == 0


def test_a_simple_bind_needs_tls(forest: ForestSettings) -> None:
    strong_auth_required = 8
    assert bind(forest, forest.ca_cert, forest.ldap_port, use_ssl=False) == strong_auth_required


def test_another_authority_is_refused(forest: ForestSettings, tmp_path: Path) -> None:
    stranger = CertificateAuthority(tmp_path).certificate_file
    with pytest.raises(LDAPSocketOpenError, match="CERTIFICATE_VERIFY_FAILED"):
        bind(forest, stranger, forest.ldaps_port)


@pytest.mark.parametrize("name", ["address", "fqdn"])
def test_certificates_stand_up_to_strict_verification(forest: ForestSettings, name: str) -> None:
    context = ssl.create_default_context(cafile=forest.ca_cert)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    for port in (forest.ldaps_port, forest.gc_port):
        with (
            socket.create_connection((forest.address, port), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname=getattr(forest, name)) as secured,
        ):
            assert secured.version() in {"TLSv1.2", "TLSv1.3"}


def test_kerberos_gives_a_ticket_for_the_directory(forest: ForestSettings, tmp_path: Path) -> None:
    realm = forest.domain.upper()
    environment = {**os.environ, "KRB5_CONFIG": forest.krb5_conf, "KRB5CCNAME": f"FILE:{tmp_path}/cache"}

    def run(*command: str, text: str = "") -> str:
        result = subprocess.run(
            command, input=text, env=environment, capture_output=True, text=True, check=True, timeout=30
        )
        return result.stdout

    run("kinit", f"svc-gpad@{realm}", text=forest.service_account.password + "\n")
    run("kvno", f"ldap/{forest.fqdn}@{realm}", f"ldap/{forest.address}@{realm}")
    tickets = run("klist")
    assert f"ldap/{forest.fqdn}@{realm}" in tickets
    assert f"ldap/{forest.address}@{realm}" in tickets
