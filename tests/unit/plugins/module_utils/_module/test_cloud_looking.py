# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows on the side of Entra ID, with a client that answers from a script."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import writers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.auth import EntraSettings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import cloud_looking
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import EntraError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import OtherWriters

SETTINGS = EntraSettings("tenant", "client", "https://login", "https://graph")


class Client:
    """Logs on with these roles, or is refused."""

    def __init__(self, roles: tuple[str, ...], refusal: EntraError | None) -> None:
        self.roles = frozenset(roles)
        self._refusal = refusal

    def log_on(self) -> None:
        if self._refusal is not None:
            raise self._refusal


def table(
    patch: pytest.MonkeyPatch,
    roles: tuple[str, ...] = ("Group.Read.All",),
    *,
    refusal: EntraError | None = None,
    unreadable: bool = False,
    **params: Any,
) -> dict[str, str]:
    def tenant(_client: Client) -> tuple[str, str]:
        if unreadable:
            raise EntraError("No.", "Grant it.")
        return "AAD", "Contoso"

    patch.setattr(cloud_looking, "GraphClient", lambda _settings: Client(roles, refusal))
    patch.setattr(cloud_looking, "read_tenant", tenant)
    patch.setattr(writers, "other_writers", lambda _client: OtherWriters(("job",)))
    given = {"scope_mode": "all", "other_writers": "refuse", **params}
    return {row["check"]: row["status"] for row in cloud_looking.cloud_rows(given, SETTINGS)}


def test_each_part_has_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    found = table(monkeypatch)
    assert found["Graph permission Group.Read.All"] == "ok" and found["Graph permission User.Read.All"] == "failed"
    assert (found["tenant"], found["other provisioning jobs"]) == ("ok", "failed")


def test_the_options_decide_on_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    found = table(monkeypatch, scope_mode="assigned", other_writers="disjoint")
    assert found["Graph permission Application.Read.All"] == "failed"
    assert found["other provisioning jobs"] == "warning"


def test_a_refused_log_on_leaves_the_rest_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    found = table(monkeypatch, refusal=EntraError("No.", "Check it."))
    assert list(found.values()) == ["failed", "unknown"]


def test_a_token_without_permissions_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    found = table(monkeypatch, ())
    assert found["Graph permissions"] == "failed"
    assert not [check for check in found if check.startswith("Graph permission ")]


def test_a_tenant_that_cannot_be_read_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert table(monkeypatch, unreadable=True)["tenant"] == "unknown"
