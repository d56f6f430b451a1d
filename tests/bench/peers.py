# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection is measured against: the tools of others, doing the same work."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import requests

from tests.bench.site import PEERS, Site
from tests.lab.scenario import object_id

# So many values go into one modify, as in the collection.
VALUES_AT_ONCE = 1000
_PAGES_AT_ONCE = 4
_BATCH = 20
UNIVERSAL_SECURITY = "-2147483640"


def tool(site: Site, name: str, *arguments: str, domain: str = PEERS, feed: Path | None = None) -> float:
    """Run an OpenLDAP tool as the service account on a domain; return how long it took, in seconds.

    Raises:
        CalledProcessError: it failed.
    """
    forest = site.lab.forest(domain)
    password = Path(forest.krb5_conf).with_name("service_account.password")
    url = f"ldaps://{forest.direct_address}:{forest.ldaps_port}"
    bind = ["-x", "-H", url, "-D", forest.service_account.dn, "-y", str(password)]
    output = site.folder / f"{name}.out"
    start = time.monotonic()
    with output.open("wb") as out:
        subprocess.run(
            [name, *bind, *arguments, *(["-f", str(feed)] if feed else [])],
            check=True,
            stdout=out,
            env={**os.environ, "LDAPTLS_CACERT": forest.ca_cert, "LDAPTLS_REQCERT": "demand"},
        )
    return time.monotonic() - start


def user_guids(site: Site, domain: str = PEERS) -> dict[str, str]:
    """Return the objectGUID of each user of the crowd, by name."""
    forest = site.lab.forest(domain)
    base = f"OU=Load,{forest.base_dn}"
    return {e["cn"][0]: e["objectGUID"][0] for e in site.lab.ldapsearch(domain, base, "(cn=load*)", "cn", "objectGUID")}


def first_cycle_ldif(site: Site, path: Path) -> int:
    """Write the LDIF of the groups and all their members; return the number of its records.

    The groups have the attributes that the collection writes, and the members are given by GUID, as there.
    """
    guids = user_guids(site)
    names = sorted(guids)
    container = site.lab.forest(PEERS).managed_containers[0]
    size, records = site.size, 0
    with path.open("w", encoding="utf-8") as file:
        for number in range(1, size.groups + 1):
            title = f"Load Group {number:05}"
            file.write(_group_record(title, container))
            records += 1
        for number in range(size.groups):
            title = f"Load Group {number + 1:05}"
            members = [names[(number * size.members + step) % len(names)] for step in range(size.members)]
            for start in range(0, len(members), VALUES_AT_ONCE):
                file.write(f"dn: {_name(title, container)}\nchangetype: modify\nadd: member\n")
                file.writelines(f"member: <GUID={guids[name]}>\n" for name in members[start : start + VALUES_AT_ONCE])
                file.write("\n")
                records += 1
    return records


def _name(title: str, container: str) -> str:
    return f"CN={title}_{object_id(title)[-12:]},{container}"


def _group_record(title: str, container: str) -> str:
    cloud_id = object_id(title)
    values: Mapping[str, str] = {
        "dn": _name(title, container),
        "changetype": "add",
        "objectClass": "group",
        "groupType": UNIVERSAL_SECURITY,
        "sAMAccountName": f"{title.replace(' ', '')}_{cloud_id[-12:]}",
        "displayName": title,
        "adminDescription": f"Group_{cloud_id}",
        "msDS-ExternalDirectoryObjectId": f"Group_{cloud_id}",
    }
    return "".join(f"{name}: {value}\n" for name, value in values.items()) + "\n"


def token(site: Site) -> str:
    """Return a token of the lab's application."""
    entra = site.lab.settings.entra
    assert entra is not None
    application = entra.applications["gpad"]
    answer = requests.post(
        f"{entra.login_url}/{entra.tenant_id}/oauth2/v2.0/token",
        data={
            "grant_type": "client_credentials",
            "client_id": application.client_id,
            "client_secret": application.client_secret,
            "scope": f"{entra.graph_url}/.default",
        },
        verify=entra.ca_cert,
        timeout=60,
    )
    answer.raise_for_status()
    return str(answer.json()["access_token"])


def graph_loop(site: Site, calls: Sequence[str], header: Mapping[str, str]) -> tuple[float, int, int]:
    """Read calls in batches with a bare requests loop; return seconds, requests and objects read.

    Parameters:
        site: the lab.
        calls: paths below the version.
        header: headers of each call of a batch.
    """
    entra = site.lab.settings.entra
    assert entra is not None
    base = f"{entra.graph_url}/v1.0"
    start = time.monotonic()
    bearer = {"Authorization": f"Bearer {token(site)}"}
    sent = read = 0
    with requests.Session() as session, ThreadPoolExecutor(_PAGES_AT_ONCE) as pool:
        session.trust_env = False
        session.verify = entra.ca_cert
        session.headers.update(bearer)
        parts = [calls[first : first + _BATCH] for first in range(0, len(calls), _BATCH)]

        def ask(part: Sequence[str]) -> list[dict[str, Any]]:
            wanted = [{"id": str(n), "method": "GET", "url": url, "headers": header} for n, url in enumerate(part)]
            answer = session.post(f"{base}/$batch", json={"requests": wanted}, timeout=120)
            answer.raise_for_status()
            found: list[dict[str, Any]] = answer.json()["responses"]
            return found

        for responses in pool.map(ask, parts):
            sent += 1
            for response in responses:
                page = response["body"]
                read += len(page["value"])
                while link := page.get("@odata.nextLink"):
                    page = session.get(link, headers=dict(header), timeout=120).json()
                    read += len(page["value"])
                    sent += 1
    return time.monotonic() - start, sent, read


def graph_pages(site: Site, path: str) -> tuple[float, int, int]:
    """Read a collection page after page with a bare requests loop; return seconds, requests and objects read."""
    entra = site.lab.settings.entra
    assert entra is not None
    start = time.monotonic()
    sent = read = 0
    with requests.Session() as session:
        session.trust_env = False
        session.verify = entra.ca_cert
        session.headers["Authorization"] = f"Bearer {token(site)}"
        link: str | None = f"{entra.graph_url}/v1.0{path}"
        while link:
            page = session.get(link, timeout=120).json()
            read += len(page["value"])
            sent += 1
            link = page.get("@odata.nextLink")
    return time.monotonic() - start, sent, read


def guid_filters(guids: Sequence[str], at_once: int) -> Iterator[str]:
    """Yield filters of so many GUIDs each."""
    for first in range(0, len(guids), at_once):
        yield f"(|{''.join(f'(objectGUID={guid})' for guid in guids[first : first + at_once])})"
