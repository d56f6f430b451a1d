# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that a client needs to connect to a running lab; the content of ``status --json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Account:
    username: str
    dn: str
    password: str


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """Where the policy proxy of a domain is controlled."""

    address: str
    admin_port: int
    admin_key: str


@dataclass(frozen=True, slots=True)
class SecondController:
    """Where the second controller of a domain is, and its files."""

    address: str
    fqdn: str
    directory: str


@dataclass(frozen=True, slots=True)
class ForestSettings:
    """How to reach a domain.

    With a policy proxy ``address`` and the TLS ports are the proxy's; the domain controller itself, with all its
    ports, is at ``direct_address``.
    """

    domain: str
    netbios_name: str
    address: str
    fqdn: str
    base_dn: str
    domain_sid: str
    ldap_port: int
    ldaps_port: int
    gc_port: int
    ca_cert: str
    krb5_conf: str
    administrator: Account
    service_account: Account
    reader_account: Account
    managed_containers: list[str]
    direct_address: str
    policy: PolicySettings | None = None
    forest_domains: list[str] = field(default_factory=list)
    second: SecondController | None = None

    def account(self, role: str) -> Account:
        """Find an account by role: ``administrator``, ``service_account`` or ``reader_account``."""
        return {
            "administrator": self.administrator,
            "service_account": self.service_account,
            "reader_account": self.reader_account,
        }[role]


@dataclass(frozen=True, slots=True)
class ApplicationSettings:
    client_id: str
    client_secret: str | None
    client_certificate_path: str | None


@dataclass(frozen=True, slots=True)
class EntraSettings:
    login_url: str
    graph_url: str
    tenant_id: str
    admin_url: str
    admin_key: str
    ca_cert: str
    applications: dict[str, ApplicationSettings]


@dataclass(frozen=True, slots=True)
class LabSettings:
    dir: str
    scenario: str
    ca_cert: str
    entra: EntraSettings | None
    forests: dict[str, ForestSettings]

    def as_json(self) -> dict[str, Any]:
        """Give the settings as JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> LabSettings:
        """Read what :meth:`as_json` gave."""
        entra = values["entra"]
        return cls(
            dir=values["dir"],
            scenario=values["scenario"],
            ca_cert=values["ca_cert"],
            entra=_entra(entra) if entra else None,
            forests={domain: _forest(forest) for domain, forest in values["forests"].items()},
        )


def _entra(values: Mapping[str, Any]) -> EntraSettings:
    applications = {name: ApplicationSettings(**value) for name, value in values["applications"].items()}
    return EntraSettings(**{**values, "applications": applications})


def _forest(values: Mapping[str, Any]) -> ForestSettings:
    roles = ("administrator", "service_account", "reader_account")
    policy = PolicySettings(**values["policy"]) if values["policy"] else None
    second = SecondController(**values["second"]) if values["second"] else None
    accounts = {role: Account(**values[role]) for role in roles}
    return ForestSettings(**{**values, **accounts, "policy": policy, "second": second})
