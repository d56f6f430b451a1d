# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lab holds: forests and a tenant, as plain values."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NAMESPACE = uuid.UUID("6d0f3c7e-5f0a-5d8f-9a53-2f1f6f7c9b10")
"""Object ids of the tenant are version 5 UUIDs in this namespace, so that a test may know them beforehand."""

PRODUCT_ROLES = (
    "Device.Read.All",
    "Application.Read.All",
    "Group-OnPremisesSyncBehavior.ReadWrite.All",
    "Group.Read.All",
    "GroupMember.Read.All",
    "Organization.Read.All",
    "Synchronization.Read.All",
    "User.Read.All",
)
"""The Graph application permissions that the whole product needs."""

SERVICE_ACCOUNT = "svc-gpad"
READER_ACCOUNT = "svc-reader"


class ScenarioError(Exception):
    """A scenario that cannot be built; the text names the place and the fault."""


def object_id(name: str) -> str:
    """Give the tenant's id of the object called ``name``."""
    return str(uuid.uuid5(NAMESPACE, name))


@dataclass(frozen=True, slots=True)
class DirectoryUser:
    name: str
    sam_account_name: str
    ou: str
    enabled: bool = True
    attributes: Mapping[str, list[str]] = field(default_factory=dict)
    sid_history: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DirectoryObject:
    """A computer, a contact or a registered device."""

    kind: str
    name: str
    ou: str
    attributes: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DirectoryGroup:
    name: str
    sam_account_name: str
    ou: str
    scope: str = "global"
    security_enabled: bool = True
    members: tuple[str, ...] = ()
    attributes: Mapping[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Forest:
    """``bulk`` names the users that the tenant mirrors without a word; ``second_controller`` asks for another one.

    With ``prefork`` Samba answers connections side by side, else one request after the other in one process.
    """

    domain: str
    netbios_name: str
    address: str | None
    organizational_units: tuple[str, ...]
    managed_containers: tuple[str, ...]
    users: tuple[DirectoryUser, ...]
    groups: tuple[DirectoryGroup, ...]
    base_schema: str = "2016"
    policy: bool = False
    others: tuple[DirectoryObject, ...] = ()
    bulk: tuple[str, ...] = ()
    second_controller: bool = False
    prefork: bool = False

    @property
    def fqdn(self) -> str:
        """Name of the forest's domain controller, the first one where there are two."""
        return f"dc1.{self.domain}"

    @property
    def second_fqdn(self) -> str:
        """Name of the second one."""
        return f"dc2.{self.domain}"


@dataclass(frozen=True, slots=True)
class TenantUser:
    name: str
    id: str
    display_name: str
    synced_from: str | None = None
    account_enabled: bool = True
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TenantGroup:
    name: str
    id: str
    display_name: str
    description: str | None = None
    synced_from: str | None = None
    source_of_authority: str = "cloud"
    mail_enabled: bool = False
    security_enabled: bool = True
    group_types: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    properties: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TenantObject:
    """A device, a service principal or an organisational contact.

    ``assigned`` names who has a role of a service principal, ``jobs`` are its synchronization jobs as Graph shows them.
    """

    name: str
    id: str
    display_name: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    assigned: tuple[str, ...] = ()
    jobs: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Application:
    name: str
    id: str
    roles: tuple[str, ...] = PRODUCT_ROLES
    secret: bool = True
    secret_expired: bool = False
    certificate: bool = True


@dataclass(frozen=True, slots=True)
class Tenant:
    id: str
    default_domain: str
    address: str | None
    users: tuple[TenantUser, ...]
    groups: tuple[TenantGroup, ...]
    devices: tuple[TenantObject, ...]
    service_principals: tuple[TenantObject, ...]
    contacts: tuple[TenantObject, ...]
    applications: tuple[Application, ...]

    def ids(self) -> dict[str, str]:
        """Map every name that a group may list as a member to its object id."""
        kinds = (self.users, self.groups, self.devices, self.service_principals, self.contacts)
        return {item.name: item.id for kind in kinds for item in kind}


@dataclass(frozen=True, slots=True)
class Scenario:
    """``one_forest`` names the domains that the policy proxy plays as one forest."""

    forests: tuple[Forest, ...]
    tenant: Tenant | None
    one_forest: tuple[str, ...] = ()

    def forest(self, domain: str) -> Forest:
        """Find a forest by its domain name.

        Raises:
            KeyError: no forest has that domain.
        """
        for forest in self.forests:
            if forest.domain == domain:
                return forest
        raise KeyError(domain)
