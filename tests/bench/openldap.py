# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenLDAP's tools, doing the collection's work from an LDIF that is ready."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tests.bench import measure
from tests.bench.site import PEERS, Site, group_dn
from tests.lab.scenario import object_id

# So many values go into one modify, as in the collection.
VALUES_AT_ONCE = 1000
UNIVERSAL_SECURITY = "-2147483640"
# LDAP_SERVER_EXTENDED_DN_OID, MS-ADTS 3.1.1.3.4.1.5, with the flag for texts.
_EXTENDED_DN = "!1.2.840.113556.1.4.529=::MAMCAQE="


def tool(
    site: Site, name: str, *arguments: str, domain: str = PEERS, feed: Path | None = None, output: str = "out"
) -> measure.Run:
    """Run an OpenLDAP tool as the service account on a domain.

    Parameters:
        site: the lab.
        name: of the tool.
        arguments: beside those that say where and as whom.
        domain: where.
        feed: a file with LDIF.
        output: the end of the name of the file for what it prints.

    Raises:
        RuntimeError: it failed.
    """
    forest = site.lab.forest(domain)
    password = Path(forest.krb5_conf).with_name("service_account.password")
    url = f"ldaps://{forest.direct_address}:{forest.ldaps_port}"
    bind = ["-x", "-H", url, "-D", forest.service_account.dn, "-y", str(password)]
    return measure.run(
        [name, *bind, *arguments, *(["-f", str(feed)] if feed else [])],
        environment={"LDAPTLS_CACERT": forest.ca_cert, "LDAPTLS_REQCERT": "demand"},
        output=site.folder / f"{name}.{output}",
    ).done()


def read_links(site: Site, domain: str) -> measure.Run:
    """Read the members of all groups of a domain as the collection does, with the GUID and SID of each."""
    controls = ("-E", "pr=1000/noprompt", "-E", _EXTENDED_DN)
    wanted = ("-b", site.container(domain), "(objectClass=group)", "objectGUID", "uSNChanged", "member;range=0-*")
    return tool(site, "ldapsearch", *controls, *wanted, domain=domain)


def count_links(site: Site, domain: str) -> int:
    """Return how many members the groups of a domain have; millions are counted without holding them."""
    wanted = ("-LLL", "-o", "ldif-wrap=no", "-b", site.container(domain), "(objectClass=group)", "member")
    tool(site, "ldapsearch", "-E", "pr=1000/noprompt", *wanted, domain=domain, output="links")
    with (site.folder / "ldapsearch.links").open("rb") as file:
        return sum(line.startswith(b"member:") for line in file)


def write_groups(path: Path, titles: Iterable[str], container: str) -> int:
    """Write an LDIF that creates groups with the attributes that the collection writes; return how many records."""
    records = [_group_record(title, container) for title in titles]
    path.write_text("".join(records), encoding="utf-8")
    return len(records)


def write_members(path: Path, wanted: Mapping[str, Sequence[str]], guids: Mapping[str, str], container: str) -> int:
    """Write an LDIF that adds members, by GUID as the collection does; return how many records it has.

    Parameters:
        path: the file.
        wanted: names of the members by the title of the group.
        guids: objectGUID by name.
        container: of the groups.
    """
    records = 0
    with path.open("w", encoding="utf-8") as file:
        for title, members in wanted.items():
            for start in range(0, len(members), VALUES_AT_ONCE):
                file.write(f"dn: {group_dn(title, container)}\nchangetype: modify\nadd: member\n")
                file.writelines(f"member: <GUID={guids[name]}>\n" for name in members[start : start + VALUES_AT_ONCE])
                file.write("\n")
                records += 1
    return records


def account_name(title: str) -> str:
    """Return the sAMAccountName of a group of these LDIFs."""
    return f"{title.replace(' ', '')}_{object_id(title)[-12:]}"


def _group_record(title: str, container: str) -> str:
    anchor = f"Group_{object_id(title)}"
    values: Mapping[str, str] = {
        "dn": group_dn(title, container),
        "changetype": "add",
        "objectClass": "group",
        "groupType": UNIVERSAL_SECURITY,
        "sAMAccountName": account_name(title),
        "displayName": title,
        "adminDescription": anchor,
        "msDS-ExternalDirectoryObjectId": anchor,
    }
    return "".join(f"{name}: {value}\n" for name, value in values.items()) + "\n"
