# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kind of tenant it is."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.tenant import read_tenant
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import EntraError
from tests.unit.plugins.module_utils._entra.scripted import Graph, answer


@pytest.mark.parametrize(
    ("tenants", "found"),
    [
        ([{"id": "t", "displayName": "Contoso", "tenantType": "AAD"}], ("AAD", "Contoso")),
        ([{"id": "t", "displayName": "Shop", "tenantType": "CIAM"}], ("CIAM", "Shop")),
        ([{"id": "t", "displayName": None, "tenantType": None}], ("", "t")),
        ([{"id": "t"}], ("", "t")),
        ([], ("", "")),
    ],
)
def test_kind_and_name(monkeypatch: pytest.MonkeyPatch, tenants: list[dict[str, Any]], found: tuple[str, str]) -> None:
    graph = Graph(monkeypatch, lambda _request: answer({"value": tenants}))
    assert read_tenant(graph.client) == found
    (url,) = graph.adapter.urls
    assert url.startswith("/v1.0/organization?") and "tenantType" in url


def test_a_refusal_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = {"error": {"code": "Authorization_RequestDenied", "message": "No."}}
    graph = Graph(monkeypatch, lambda _request: answer(refusal, 403))
    with pytest.raises(EntraError):
        read_tenant(graph.client)
