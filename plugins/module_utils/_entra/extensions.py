# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The directory extension in which a cloud group keeps the name that it has on premises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import items
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import Call, GraphClient
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import EntraError

# The application in which Cloud Sync looks for extensions, and the one of which its documents speak for this purpose.
APPLICATION = "CloudSyncCustomExtensionsApp"
EXTENSION = "GroupDN"

_READ = ("Application.Read.All", "Directory.Read.All")
_WRITE = ("Application.ReadWrite.All",)
_WRITE_GROUPS = ("Group.ReadWrite.All", "Directory.ReadWrite.All")


def find_extension(client: GraphClient, tenant_id: str) -> str | None:
    """Return the name of the extension, or None where there is none.

    Raises:
        EntraError: the applications could not be read.
    """
    application = _application(client, tenant_id)
    return _extension(client, application) if application else None


def make_extension(client: GraphClient, tenant_id: str) -> str:
    """Return the name of the extension, which is created, with its application, where it is missing.

    Raises:
        EntraError: something could not be read or created.
    """
    application = _application(client, tenant_id)
    if application is None:
        uris = [f"API://{tenant_id}/{APPLICATION}"]
        made = client.write(_post("/applications"), {"displayName": APPLICATION, "identifierUris": uris})
        application = _needed(made, "id", "appId")
    if not _has_principal(client, application):
        client.write(_post("/servicePrincipals"), {"appId": application["appId"]})
    name = _extension(client, application)
    if name is None:
        body = {"name": EXTENSION, "dataType": "String", "targetObjects": ["Group"]}
        made = client.write(_post(f"/applications/{application['id']}/extensionProperties"), body)
        name = str(_needed(made, "name")["name"])
    return name


def write_value(client: GraphClient, cloud_id: str, name: str, value: str) -> None:
    """Give a group a value of an extension.

    Raises:
        EntraError: the service refused.
    """
    client.write(Call(f"/groups/{cloud_id}", _WRITE_GROUPS, method="PATCH"), {name: value})


def _post(path: str) -> Call:
    return Call(path, _WRITE, method="POST")


def _application(client: GraphClient, tenant_id: str) -> Mapping[str, Any] | None:
    # Documents spell the scheme both ways.
    either = " or ".join(
        f"identifierUris/any(u:u eq '{scheme}://{tenant_id}/{APPLICATION}')" for scheme in ("API", "api")
    )
    call = Call(f"/applications?$select=id,appId&$filter={quote(either)}", _READ)
    found = [item for page in client.pages(call) for item in items(page, call.path)]
    return _needed(found[0], "id", "appId") if found else None


def _has_principal(client: GraphClient, application: Mapping[str, Any]) -> bool:
    chosen = quote(f"appId eq '{application['appId']}'")
    call = Call(f"/servicePrincipals?$select=id&$filter={chosen}", _READ)
    return any(items(page, call.path) for page in client.pages(call))


def _extension(client: GraphClient, application: Mapping[str, Any]) -> str | None:
    wanted = f"extension_{application['appId'].replace('-', '')}_{EXTENSION}"
    call = Call(f"/applications/{application['id']}/extensionProperties", _READ)
    for page in client.pages(call):
        for item in items(page, call.path):
            targets = item.get("targetObjects")
            if item.get("name") == wanted and isinstance(targets, list) and "Group" in targets:
                return wanted
    return None


def _needed(answer: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    if not all(isinstance(answer.get(name), str) for name in names):
        raise EntraError("An application came without its id.", "Run again.", code="entra_answer_broken")
    return answer
