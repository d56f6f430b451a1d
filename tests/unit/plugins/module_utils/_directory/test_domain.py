# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold of a domain before anything is read."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reader import Reader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    DirectoryError,
)
from tests.unit.plugins.module_utils._directory.scripted import ScriptedConnection, connect, entry, refused
from tests.unit.plugins.module_utils._directory.scripted_domain import (
    ANCHOR_GUID,
    MEMBER_GUID,
    MEMBERSHIP,
    Entries,
    domain,
    reader,
)
from tests.unit.samples import BASE, DOMAIN_SID, MANAGED, SISTER_SID


def test_the_domain_and_its_forest(monkeypatch: pytest.MonkeyPatch) -> None:
    found = reader(monkeypatch)[0].domain
    assert (found.dn, found.sid, found.server) == (BASE, DOMAIN_SID, "dc1.contoso.com")
    assert found.forest == {DOMAIN_SID: "contoso.com", SISTER_SID: "emea.contoso.com"}


@pytest.mark.parametrize(
    ("special", "code"),
    [
        (lambda operation: [entry("")] if operation.base == "" else None, "not_a_dc"),
        (lambda operation: [] if operation.base == "" else None, "not_a_dc"),
        (lambda operation: [entry(BASE)] if operation.base == BASE else None, "not_a_dc"),
        (lambda operation: [] if operation.base.startswith("CN=Schema") else None, "schema_too_old"),
        (lambda operation: [] if operation.base == MANAGED else None, "managed_container_missing"),
    ],
)
def test_a_server_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, special: Entries, code: str) -> None:
    with pytest.raises(DirectoryError) as caught:
        reader(monkeypatch, special)
    assert caught.value.code == code


def test_a_managed_container_of_another_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DirectoryError, match="DC=fabrikam") as caught:
        Reader(connect(monkeypatch, domain()), ["OU=Groups,DC=fabrikam,DC=com"], [])
    assert caught.value.code == "managed_container_elsewhere"


def test_what_an_access_control_entry_may_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The attribute, its property set, and the anchor, which has no set here."""
    assert reader(monkeypatch)[0].domain.guarded == {MEMBER_GUID, MEMBERSHIP, ANCHOR_GUID}


def test_a_catalog_that_was_given_is_told_and_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = ScriptedConnection(lambda _operation: refused(1))
    assert reader(monkeypatch)[0].domain.catalog is False
    assert reader(monkeypatch, catalog=catalog)[0].domain.catalog is True
    assert catalog.opened == []


def test_the_start_takes_few_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = domain()
    Reader(connect(monkeypatch, connection), [MANAGED], [])
    assert len(connection.asked) == 5
