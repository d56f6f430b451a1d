# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab tells the proxy about the domains behind it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from .upstream import Endpoint


@dataclass(frozen=True, slots=True)
class Domain:
    """One domain and its controller.

    Parameters:
        name: DNS name.
        base_dn, sid: of the domain.
        fqdn: of the controller.
        address: where the proxy listens.
        certificate, key: what it shows there.
        directory, catalog: where the controller listens, for the directory and for the global catalog.
        administrator, administrator_password: the account of the proxy's own questions.
        reader, reader_password: the account with which an answer about another domain is fetched there.
        admin_port, admin_key: of the control channel.
        forest: the names of the domains that are played as one forest, this one included.
    """

    name: str
    base_dn: str
    sid: str
    fqdn: str
    address: str
    certificate: str
    key: str
    directory: Endpoint
    catalog: Endpoint
    administrator: str
    administrator_password: str
    reader: str
    reader_password: str
    admin_port: int
    admin_key: str
    forest: tuple[str, ...] = ()

    @property
    def schema_dn(self) -> str:
        """DN of the schema."""
        return f"CN=Schema,CN=Configuration,{self.base_dn}"

    @property
    def partitions_dn(self) -> str:
        """DN of the container that lists the forest's naming contexts."""
        return f"CN=Partitions,CN=Configuration,{self.base_dn}"


def config_text(domains: Mapping[str, Domain]) -> str:
    """Return the configuration of a proxy as JSON."""
    return json.dumps([asdict(domain) for domain in domains.values()], indent=1)


def read_config(path: Path) -> list[Domain]:
    """Read what :func:`config_text` gave."""
    values: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return [
        Domain(
            **{
                **value,
                "directory": Endpoint(**value["directory"]),
                "catalog": Endpoint(**value["catalog"]),
                "forest": tuple(value["forest"]),
            }
        )
        for value in values
    ]
