# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tenant of the emulator tests and a small client for it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.lab.entra.admin import EntraAdmin

HOST = "127.0.0.1"
ADMIN_KEY = "lab-key"
EVENTUAL = {"ConsistencyLevel": "eventual"}
ALL_ROLES = [
    "Application.Read.All",
    "Device.Read.All",
    "Group.ReadWrite.All",
    "Group-OnPremisesSyncBehavior.ReadWrite.All",
    "Member.Read.Hidden",
    "OrgContact.Read.All",
    "Synchronization.Read.All",
    "User.ReadWrite.All",
    "User-OnPremisesSyncBehavior.ReadWrite.All",
]
CONVERTER_ROLES = [
    "Application.ReadWrite.All",
    "AuditLog.Read.All",
    "Group.ReadWrite.All",
    "Group-OnPremisesSyncBehavior.ReadWrite.All",
]
EXTENSION = "extension_" + "0123456789abcdef" * 2 + "_costCentre"


def oid(name: str) -> str:
    """The object id that the tests give to the object of this name."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{name}.emulator.test"))


TENANT = oid("tenant")


def app_id(name: str) -> str:
    return oid(f"app {name}")


@dataclass(frozen=True, slots=True)
class Pki:
    certificate: Path
    key: Path
    client_key: str
    client_certificate: str
    client_thumbprint: str


def _application(name: str, roles: list[str], **rest: Any) -> dict[str, Any]:
    return {"appId": app_id(name), "displayName": name, "secret": f"{name}-secret", "roles": roles, **rest}


def _user(name: str, sid: str | None = None) -> dict[str, Any]:
    user: dict[str, Any] = {
        "id": oid(name),
        "displayName": name,
        "userPrincipalName": f"{name}@contoso.onmicrosoft.com",
        "accountEnabled": True,
    }
    if sid is not None:
        user |= {
            "onPremisesSyncEnabled": True,
            "onPremisesSecurityIdentifier": sid,
            "onPremisesImmutableId": "AAECAwQFBgcICQoLDA0ODw==",
            "onPremisesObjectIdentifier": "AAECAwQFBgcICQoLDA0ODw==",
            "onPremisesDomainName": "contoso.com",
            "onPremisesSamAccountName": name,
            "onPremisesDistinguishedName": f"CN={name},OU=People,DC=contoso,DC=com",
        }
    return user


def _group(name: str, members: list[str] | None = None, **rest: Any) -> dict[str, Any]:
    return {
        "id": oid(name),
        "displayName": name,
        "mailEnabled": False,
        "mailNickname": name,
        "securityEnabled": True,
        "groupTypes": [],
        "members": [oid(member) for member in members or []],
        **rest,
    }


def configuration(pki: Pki, port: int, folder: Path) -> dict[str, Any]:
    """Users u0…u29 (u0…u4 synced) and groups of every kind."""
    users = [_user(f"u{number}", f"S-1-5-21-1-2-3-{1100 + number}" if number < 5 else None) for number in range(30)]
    groups = [
        _group("sales", ["u0", "u1", "u9", "laptop", "daemon", "vendor"], description="Sells things"),
        _group("marketing", ["u1", "u2"], description="Tells things", **{EXTENSION: "CC-1"}),
        _group("field", ["sales", "marketing", "u3"]),
        _group("large", [f"u{number}" for number in range(30)]),
        _group("empty"),
        _group("office", ["u9"], mailEnabled=True, groupTypes=["Unified"], securityEnabled=False),
        _group("postroom", ["u9"], mailEnabled=True),
        _group("dynamic", ["u4"], groupTypes=["DynamicMembership"], membershipRule="(user.city -eq 'Bern')"),
        _group("synced", ["u0"], onPremisesSyncEnabled=True, onPremisesSecurityIdentifier="S-1-5-21-1-2-3-2001"),
        _group("converted", ["u0"], isCloudManaged=True, onPremisesSecurityIdentifier="S-1-5-21-1-2-3-2002"),
        _group("hidden", ["u5"], visibility="HiddenMembership"),
    ]
    return {
        "host": HOST,
        "port": port,
        "certificate": str(pki.certificate),
        "key": str(pki.key),
        "database": str(folder / "tenant.sqlite3"),
        "adminKey": ADMIN_KEY,
        "tenant": {"id": TENANT, "defaultDomain": "contoso.onmicrosoft.com"},
        "applications": [
            _application("all", ALL_ROLES, certificate=pki.client_certificate),
            _application("members", ["Group.Read.All"]),
            _application("basic", ["GroupMember.Read.All", "User.ReadBasic.All"]),
            _application("none", []),
            _application("converter", CONVERTER_ROLES),
            _application("expired", ALL_ROLES, secretExpired=True),
        ],
        "users": users,
        "groups": groups,
        "devices": [{"id": oid("laptop"), "displayName": "laptop"}],
        "servicePrincipals": [{"id": oid("daemon"), "displayName": "daemon", "appId": app_id("daemon")}],
        "contacts": [{"id": oid("vendor"), "displayName": "vendor"}],
        "appRoleAssignments": [
            {"appRoleId": oid("role"), "principalId": oid("sales"), "resourceId": oid("daemon")},
        ],
    }


@dataclass(slots=True)
class Emulator:
    """A running emulator with clients of its two sides."""

    url: str
    pki: Pki
    admin: EntraAdmin = field(init=False)
    session: requests.Session = field(init=False)
    _tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.admin = EntraAdmin(self.url, ADMIN_KEY, str(self.pki.certificate))
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify = str(self.pki.certificate)

    def login(self, form: dict[str, str], tenant: str = TENANT) -> requests.Response:
        return self.session.post(f"{self.url}/{tenant}/oauth2/v2.0/token", data=form, timeout=10)

    def token(self, application: str) -> str:
        if application not in self._tokens:
            form = {
                "grant_type": "client_credentials",
                "client_id": app_id(application),
                "client_secret": f"{application}-secret",
                "scope": "https://graph.microsoft.com/.default",
            }
            self._tokens[application] = self.login(form).json()["access_token"]
        return self._tokens[application]

    def forget_tokens(self) -> None:
        self._tokens.clear()

    def call(
        self,
        method: str,
        path: str,
        *,
        application: str = "all",
        headers: dict[str, str] | None = None,
        json: Any = None,
        timeout: float = 10,
    ) -> requests.Response:
        """A Graph call; ``path`` is relative to v1.0 unless it names a version or is a whole link."""
        if path.startswith("https://"):
            url = path
        else:
            url = f"{self.url}{path if path.startswith(('/v1.0/', '/beta/')) else '/v1.0' + path}"
        sent = {"Authorization": f"Bearer {self.token(application)}", **(headers or {})}
        return self.session.request(method, url, headers=sent, json=json, timeout=timeout)

    def get(self, path: str, *, headers: dict[str, str] | None = None, application: str = "all") -> requests.Response:
        return self.call("GET", path, headers=headers, application=application)

    def pages(self, path: str, headers: dict[str, str] | None = None) -> list[dict[str, Any]]:
        """All pages of a listing or a delta round."""
        found = [self.get(path, headers=headers).json()]
        while "@odata.nextLink" in found[-1]:
            found.append(self.get(found[-1]["@odata.nextLink"], headers=headers).json())
        return found

    def batch(self, *items: dict[str, Any]) -> requests.Response:
        return self.call("POST", "/$batch", json={"requests": list(items)})


def code_and_message(response: requests.Response) -> tuple[int, str, str]:
    error = response.json()["error"]
    assert {"date", "request-id", "client-request-id"} <= set(error["innerError"])
    return response.status_code, error["code"], error["message"]
