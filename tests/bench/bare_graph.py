# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A bare loop of requests over the pages that the collection reads."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from tests.bench.site import Site

# What the collection asks for of members.
MEMBER_QUERY = "$select=id,displayName,onPremisesSyncEnabled,onPremisesSecurityIdentifier,deviceId&$count=true&$top=999"
ADVANCED = {"ConsistencyLevel": "eventual"}
# As many as the collection has.
BATCHES_AT_ONCE = 4
_BATCH = 20


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


def graph_loop(
    site: Site, calls: Sequence[str], header: Mapping[str, str], at_once: int = BATCHES_AT_ONCE
) -> tuple[float, int, int]:
    """Read calls in batches with a bare requests loop; return seconds, requests and objects read.

    Parameters:
        site: the lab.
        calls: paths below the version.
        header: headers of each call of a batch.
        at_once: batches in flight.
    """
    entra = site.lab.settings.entra
    assert entra is not None
    base = f"{entra.graph_url}/v1.0"
    start = time.monotonic()
    bearer = {"Authorization": f"Bearer {token(site)}"}
    sent = read = 0
    with requests.Session() as session, ThreadPoolExecutor(at_once) as pool:
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
