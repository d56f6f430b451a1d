# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension for the original name is found, or made with all it needs."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import extensions
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import EntraError
from tests.unit.plugins.module_utils._entra.scripted import Graph, answer
from tests.unit.samples import TENANT, cloud_id

APP = {"id": "application", "appId": "0a-1b"}
NAME = "extension_0a1b_GroupDN"


class Tenant:
    """Applications, as far as they were made."""

    def __init__(self, *made: str, targets: object = ("Group",), answered: Any = None) -> None:
        self.made = set(made)
        self.targets = targets
        self.answered = APP if answered is None else answered
        self.bodies: dict[str, Any] = {}

    def __call__(self, request: requests.PreparedRequest) -> bytes:
        path = str(request.path_url).partition("?")[0].removeprefix("/v1.0/")
        kind = path.rpartition("/")[2]
        if request.method == "GET":
            held = APP if kind == "applications" else {"id": "x", "name": NAME, "targetObjects": self.targets}
            return answer({"value": [held] if kind in self.made else []})
        self.bodies[path] = json.loads(request.body or b"")
        self.made.add(kind)
        if request.method == "PATCH":
            return answer(b"", 204)
        return answer(self.answered if kind == "applications" else {"id": "x", "name": NAME}, 201)


def test_all_is_made_where_nothing_is(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = Tenant()
    assert extensions.make_extension(Graph(monkeypatch, tenant).client, TENANT) == NAME
    assert tenant.bodies == {
        "applications": {
            "displayName": "CloudSyncCustomExtensionsApp",
            "identifierUris": [f"API://{TENANT}/CloudSyncCustomExtensionsApp"],
        },
        "servicePrincipals": {"appId": "0a-1b"},
        "applications/application/extensionProperties": {
            "name": "GroupDN",
            "dataType": "String",
            "targetObjects": ["Group"],
        },
    }


def test_what_is_there_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = Tenant("applications", "servicePrincipals", "extensionProperties")
    graph = Graph(monkeypatch, tenant)
    assert extensions.make_extension(graph.client, TENANT) == NAME
    assert extensions.find_extension(graph.client, TENANT) == NAME
    assert tenant.bodies == {}


@pytest.mark.parametrize("tenant", [Tenant(), Tenant("applications")])
def test_what_is_not_there_is_not_found(monkeypatch: pytest.MonkeyPatch, tenant: Tenant) -> None:
    assert extensions.find_extension(Graph(monkeypatch, tenant).client, TENANT) is None


@pytest.mark.parametrize("targets", [["User"], None])
def test_an_extension_of_other_objects_does_not_serve(monkeypatch: pytest.MonkeyPatch, targets: object) -> None:
    tenant = Tenant("applications", "extensionProperties", targets=targets)
    assert extensions.find_extension(Graph(monkeypatch, tenant).client, TENANT) is None


def test_an_application_without_ids_is_a_broken_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EntraError) as caught:
        extensions.make_extension(Graph(monkeypatch, Tenant(answered={"id": "x"})).client, TENANT)
    assert caught.value.code == "entra_answer_broken"


def test_a_value_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = Tenant()
    extensions.write_value(Graph(monkeypatch, tenant).client, cloud_id(1), NAME, "CN=x")
    assert tenant.bodies == {f"groups/{cloud_id(1)}": {NAME: "CN=x"}}
