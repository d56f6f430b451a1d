# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the Entra emulator's configuration, once the directories have given out their identifiers."""

from __future__ import annotations

import base64
import re
import uuid
from collections.abc import Mapping
from typing import Any

from tests.lab.samba.controller import BuiltForest, DirectoryIdentity
from tests.lab.scenario import Application, Tenant, TenantGroup, TenantObject, TenantUser

# onPremisesSyncEnabled and isCloudManaged by state; rolled back means that the next sync has not run yet.
AUTHORITY_STATES: Mapping[str, tuple[bool | None, bool]] = {
    "cloud": (None, False),
    "on_premises": (True, False),
    "converted": (None, True),
    "rolled_back": (None, False),
}

DEFAULT_APP_ROLE = "00000000-0000-0000-0000-000000000000"
"""The role of an application that declares none."""


def tenant_content(tenant: Tenant, forests: Mapping[str, BuiltForest]) -> dict[str, Any]:
    """Describe the tenant's objects with Graph's property names."""
    ids = tenant.ids()
    return {
        "tenant": {"id": tenant.id, "defaultDomain": tenant.default_domain},
        "users": [_user(user, tenant, forests) for user in tenant.users],
        "groups": [_group(group, ids, forests) for group in tenant.groups],
        "devices": [_object(item) for item in tenant.devices],
        "servicePrincipals": [
            {
                **_object(item),
                "appId": item.properties.get("appId", item.id),
                **({"synchronizationJobs": list(item.jobs)} if item.jobs else {}),
            }
            for item in tenant.service_principals
        ],
        "contacts": [_object(item) for item in tenant.contacts],
        "appRoleAssignments": [
            {"appRoleId": DEFAULT_APP_ROLE, "principalId": ids[name], "resourceId": item.id}
            for item in tenant.service_principals
            for name in item.assigned
        ],
    }


def application_content(application: Application, secret: str | None, certificate: str | None) -> dict[str, Any]:
    """Describe one app registration and its credentials."""
    return {
        "appId": application.id,
        "displayName": application.name,
        "secret": secret,
        "secretExpired": application.secret_expired,
        "certificate": certificate,
        "roles": list(application.roles),
    }


def encoded_guid(guid: str) -> str:
    """Encode an objectGUID as Entra shows it: base64 of the 16 bytes in the directory's order."""
    return base64.b64encode(uuid.UUID(guid).bytes_le).decode("ascii")


def _user(user: TenantUser, tenant: Tenant, forests: Mapping[str, BuiltForest]) -> dict[str, Any]:
    local_part = re.sub(r"[^a-z0-9]+", ".", user.name.lower()).strip(".")
    identity = forests[user.synced_from].users[user.name] if user.synced_from else None
    principal = identity.user_principal_name if identity else f"{local_part}@{tenant.default_domain}"
    return {
        "id": user.id,
        "displayName": user.display_name,
        "userPrincipalName": principal,
        "accountEnabled": user.account_enabled,
        **(_on_premises_user(identity, str(user.synced_from)) if identity else {}),
        **user.properties,
    }


def _on_premises_user(identity: DirectoryIdentity, domain: str) -> dict[str, Any]:
    return {
        "onPremisesSyncEnabled": True,
        "onPremisesSecurityIdentifier": identity.sid,
        "onPremisesObjectIdentifier": encoded_guid(identity.guid),
        "onPremisesImmutableId": encoded_guid(identity.guid),
        "onPremisesDomainName": domain,
        "onPremisesSamAccountName": identity.sam_account_name,
        "onPremisesDistinguishedName": identity.dn,
        "onPremisesUserPrincipalName": identity.user_principal_name,
    }


def _group(group: TenantGroup, ids: Mapping[str, str], forests: Mapping[str, BuiltForest]) -> dict[str, Any]:
    synced, cloud_managed = AUTHORITY_STATES[group.source_of_authority]
    on_premises: dict[str, Any] = {}
    if group.synced_from:
        identity = forests[group.synced_from].groups[group.name]
        on_premises = {
            "onPremisesSecurityIdentifier": identity.sid,
            "onPremisesSamAccountName": identity.sam_account_name,
            "onPremisesDomainName": group.synced_from,
        }
    return {
        "id": group.id,
        "displayName": group.display_name,
        "description": group.description,
        "mailEnabled": group.mail_enabled,
        "mailNickname": re.sub(r"[^A-Za-z0-9]", "", group.name) or group.id[:8],
        "securityEnabled": group.security_enabled,
        "groupTypes": list(group.group_types),
        "onPremisesSyncEnabled": synced,
        "isCloudManaged": cloud_managed,
        **on_premises,
        "members": [ids[name] for name in group.members],
        **group.properties,
    }


def _object(item: TenantObject) -> dict[str, Any]:
    return {"id": item.id, "displayName": item.display_name, **item.properties}
