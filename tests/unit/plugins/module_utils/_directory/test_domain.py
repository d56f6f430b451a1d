# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold of a domain before anything is read."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.domain import server_to_use
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reader import Reader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    DirectoryError,
)
from tests.unit.plugins.module_utils._directory.scripted import (
    Operation,
    ScriptedConnection,
    connect,
    entry,
    refused,
)
from tests.unit.plugins.module_utils._directory.scripted_domain import (
    ANCHOR_GUID,
    INVOCATION_ID,
    MEMBER_GUID,
    MEMBERSHIP,
    ROOT,
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
    assert len(connection.asked) == 6


def test_the_copy_of_the_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reader(monkeypatch)[0].domain.invocation_id == INVOCATION_ID


@pytest.mark.parametrize(
    "special",
    [
        lambda operation: [entry("", **{**ROOT, "dsServiceName": []})] if operation.base == "" else None,
        lambda operation: refused(32) if operation.base.startswith("CN=NTDS") else None,
        lambda operation: [entry(operation.base)] if operation.base.startswith("CN=NTDS") else None,
        lambda operation: [entry("", invocationId=[b"short"])] if operation.base.startswith("CN=NTDS") else None,
    ],
)
def test_a_copy_that_cannot_be_told(monkeypatch: pytest.MonkeyPatch, special: Entries) -> None:
    assert reader(monkeypatch, special)[0].domain.invocation_id == ""


def test_a_read_only_domain_controller_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    capabilities = [*ROOT["supportedCapabilities"], "1.2.840.113556.1.4.1920"]
    root = [entry("", **{**ROOT, "supportedCapabilities": capabilities})]
    with pytest.raises(DirectoryError, match=r"dc1\.contoso\.com is a read-only") as caught:
        reader(monkeypatch, lambda operation: root if operation.base == "" else None)
    assert caught.value.code == "read_only_dc"


PDC = f"CN=PDC,CN=Servers,CN=Site,CN=Sites,CN=Configuration,{BASE}"


def roles(owner: str | None, name: str | None = "PDC.contoso.com") -> Entries:
    """Answer for the head of the domain and for the server object of the role's owner."""

    def answer(operation: Operation) -> Any:
        if operation.base == BASE and "fSMORoleOwner" in operation.options["attributes"]:
            return [entry(BASE, fSMORoleOwner=[owner])] if owner else [entry(BASE)]
        if operation.base == PDC:
            return [entry(PDC, dNSHostName=[name])] if name else refused(32)
        return None

    return answer


@pytest.mark.parametrize("given", ["contoso.com", "CONTOSO.com", "contoso.com."])
def test_the_name_of_the_domain_leads_to_the_pdc_emulator(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    session = connect(monkeypatch, domain(roles(f"CN=NTDS Settings,{PDC}")))
    assert server_to_use(session, given) == "PDC.contoso.com"


@pytest.mark.parametrize("given", ["dc1.contoso.com", "127.0.0.20", "contoso", "emea.contoso.com"])
def test_a_server_that_is_named_is_used(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    assert server_to_use(connect(monkeypatch, domain(roles(f"CN=NTDS Settings,{PDC}"))), given) is None


@pytest.mark.parametrize("special", [roles(None), roles(f"CN=NTDS Settings,{PDC}", None), roles("nonsense")])
def test_a_pdc_emulator_that_cannot_be_found_out(monkeypatch: pytest.MonkeyPatch, special: Entries) -> None:
    with pytest.raises(DirectoryError) as caught:
        server_to_use(connect(monkeypatch, domain(special)), "contoso.com")
    assert caught.value.code == "pdc_unknown"
