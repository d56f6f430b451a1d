# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a forest looks once the proxy stands before it, and what the proxy is told of it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from tests.lab.pki import CertificateFiles
from tests.lab.samba.controller import BuiltForest
from tests.lab.settings import ForestSettings, PolicySettings

from .config import Domain
from .upstream import Endpoint

ADMIN_PORT = 6360


def proxied(forest: BuiltForest, address: str, one_forest: Sequence[str]) -> BuiltForest:
    """Return a forest as clients see it through the proxy at an address."""
    settings = replace(
        forest.settings,
        address=address,
        policy=PolicySettings(address, ADMIN_PORT, secrets.token_urlsafe(24)),
        forest_domains=list(one_forest) if forest.settings.domain in one_forest else [],
    )
    return replace(forest, settings=settings)


def policy_domain(settings: ForestSettings, certificate: CertificateFiles) -> Domain:
    """Describe a domain to the proxy.

    Raises:
        ValueError: the settings are those of a forest without a proxy.
    """
    if settings.policy is None:
        raise ValueError(f"{settings.domain} has no policy proxy")
    directory, catalog = (
        Endpoint(settings.direct_address, port, settings.fqdn, settings.ca_cert)
        for port in (settings.ldaps_port, settings.gc_port)
    )
    return Domain(
        name=settings.domain,
        base_dn=settings.base_dn,
        sid=settings.domain_sid,
        fqdn=settings.fqdn,
        address=settings.address,
        certificate=str(certificate.certificate),
        key=str(certificate.key),
        directory=directory,
        catalog=catalog,
        administrator=settings.administrator.username,
        administrator_password=settings.administrator.password,
        reader=settings.reader_account.username,
        reader_password=settings.reader_account.password,
        admin_port=settings.policy.admin_port,
        admin_key=settings.policy.admin_key,
        forest=tuple(settings.forest_domains),
    )
