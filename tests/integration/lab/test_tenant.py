# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tenant of a running lab agrees with its directory."""

from __future__ import annotations

import base64
import ssl
import uuid
from pathlib import Path
from typing import Any

import msal
import pytest
import requests

from tests.lab.api import Lab
from tests.lab.scenario import object_id
from tests.lab.settings import EntraSettings

DOMAIN = "contoso.com"


@pytest.fixture(scope="module")
def entra(tutorial: Lab) -> EntraSettings:
    assert tutorial.settings.entra is not None
    return tutorial.settings.entra


@pytest.fixture(scope="module")
def web(entra: EntraSettings) -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.verify = entra.ca_cert
    return session


def credential(entra: EntraSettings, kind: str) -> str | dict[str, str]:
    application = entra.applications["gpad"]
    assert application.client_secret is not None
    assert application.client_certificate_path is not None
    if kind == "secret":
        return application.client_secret
    pem = Path(application.client_certificate_path).read_text(encoding="ascii")
    return {"private_key": pem, "public_certificate": pem[pem.index("-----BEGIN CERTIFICATE") :]}


def token(entra: EntraSettings, web: requests.Session, kind: str) -> str:
    client = msal.ConfidentialClientApplication(
        entra.applications["gpad"].client_id,
        client_credential=credential(entra, kind),
        authority=f"{entra.login_url}/{entra.tenant_id}",
        instance_discovery=False,
        http_client=web,
    )
    answer = client.acquire_token_for_client(scopes=["https://graph.microsoft.com/.default"])
    assert "access_token" in answer, answer
    return str(answer["access_token"])


def graph(entra: EntraSettings, web: requests.Session, path: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token(entra, web, 'secret')}"}
    answer = web.get(f"{entra.graph_url}/v1.0/{path}", headers=headers, timeout=10)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("kind", ["secret", "certificate"])
def test_the_application_signs_in(entra: EntraSettings, web: requests.Session, kind: str) -> None:
    assert token(entra, web, kind).count(".") == 2


def test_synchronised_users_carry_the_identity_of_the_directory(
    tutorial: Lab, entra: EntraSettings, web: requests.Session
) -> None:
    forest = tutorial.forest(DOMAIN)
    for name in ("Britta Simon", "Lola Jacobson"):
        (there,) = tutorial.ldapsearch(
            DOMAIN, forest.base_dn, f"(&(objectClass=user)(cn={name}))", "objectGUID", "objectSid", "sAMAccountName"
        )
        properties = (
            "displayName,userPrincipalName,onPremisesSyncEnabled,onPremisesSecurityIdentifier,onPremisesImmutableId,"
            "onPremisesDomainName,onPremisesSamAccountName,onPremisesDistinguishedName"
        )
        here = graph(entra, web, f"users/{object_id(name)}?$select={properties}")
        here.pop("@odata.context")
        assert here == {
            "displayName": name,
            "userPrincipalName": f"{there['sAMAccountName'][0]}@{DOMAIN}",
            "onPremisesSyncEnabled": True,
            "onPremisesSecurityIdentifier": there["objectSid"][0],
            "onPremisesImmutableId": base64.b64encode(uuid.UUID(there["objectGUID"][0]).bytes_le).decode(),
            "onPremisesDomainName": DOMAIN,
            "onPremisesSamAccountName": there["sAMAccountName"][0],
            "onPremisesDistinguishedName": there["dn"][0],
        }


def test_cloud_users_have_no_identity_in_the_directory(entra: EntraSettings, web: requests.Session) -> None:
    user = graph(entra, web, f"users/{object_id('Cora Cloud')}?$select=userPrincipalName,onPremisesSecurityIdentifier")
    assert user["userPrincipalName"] == "cora.cloud@contoso.onmicrosoft.com"
    assert user["onPremisesSecurityIdentifier"] is None


def test_groups_and_members_are_those_of_the_scenario(
    tutorial: Lab, entra: EntraSettings, web: requests.Session
) -> None:
    listed = graph(entra, web, "groups?$select=id,displayName,onPremisesSecurityIdentifier&$top=100")["value"]
    groups = {group["displayName"]: group for group in listed}
    assert set(groups) == {
        "Sales",
        "Marketing",
        "All Field Staff",
        "Empty Shelf",
        "File Server Admins",
        "Launch Team",
        "Press Contacts",
    }
    (admins,) = tutorial.ldapsearch(
        DOMAIN, tutorial.forest(DOMAIN).base_dn, "(&(objectClass=group)(cn=File Server Admins))", "objectSid"
    )
    assert groups["File Server Admins"]["onPremisesSecurityIdentifier"] == admins["objectSid"][0]
    for name, members in {
        "Sales": {"Britta Simon", "Lola Jacobson", "Cora Cloud"},
        "All Field Staff": {"Sales", "File Server Admins", "Britta Simon"},
        "Empty Shelf": set(),
    }.items():
        values = graph(entra, web, f"groups/{object_id(name)}/members?$select=id,displayName")["value"]
        assert {value["displayName"] for value in values} == members


def test_another_authority_is_refused(entra: EntraSettings) -> None:
    session = requests.Session()
    session.trust_env = False
    session.verify = ssl.get_default_verify_paths().cafile or True
    with pytest.raises(requests.exceptions.SSLError):
        session.get(f"{entra.graph_url}/v1.0/groups", timeout=10)
