# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connection to Entra ID that the options describe."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.auth import EntraSettings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.entra_options import entra_settings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from tests.unit.samples import TENANT

PARAMS: dict[str, Any] = {
    "tenant_id": TENANT,
    "client_id": "app",
    "client_secret": "s3cr3t-v4lue",
    "client_certificate_path": None,
    "federated_token_file": None,
    "managed_identity": False,
    "cloud": "global",
    "login_url": None,
    "graph_url": None,
    "ca_cert": None,
}


def test_the_end_points_of_a_cloud() -> None:
    settings = entra_settings({**PARAMS, "cloud": "china", "tenant_id": TENANT.upper()})
    assert isinstance(settings, EntraSettings)
    assert settings.graph_url == "https://microsoftgraph.chinacloudapi.cn"
    assert settings.tenant_id == TENANT


def test_end_points_that_are_given() -> None:
    given = {"login_url": "https://login.example/", "graph_url": "https://graph.example//"}
    settings = entra_settings({**PARAMS, **given})
    assert (settings.login_url, settings.graph_url) == ("https://login.example", "https://graph.example")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"tenant_id": "contoso.com"}, "tenant_id"),
        ({"client_id": None}, "client_id"),
        ({"graph_url": "http://graph.example"}, "graph_url"),
        ({"login_url": "login.example"}, "login_url"),
    ],
)
def test_options_that_cannot_be_used(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        entra_settings({**PARAMS, **wrong})


def test_a_managed_identity_needs_no_client() -> None:
    assert entra_settings({**PARAMS, "client_id": None, "managed_identity": True}).client_id == ""
