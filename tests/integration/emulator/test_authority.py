# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is master of a group: its states, the sync client's part, the audit log, and extensions for the original name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.entra.admin import EntraAdmin

from .tenant import TENANT, Emulator, code_and_message, oid

_URI = f"API://{TENANT}/CloudSyncCustomExtensionsApp"
_BEHAVIOUR = f"/groups/{oid('synced')}/onPremisesSyncBehavior"
_AUDITS = "/auditLogs/directoryAudits"


def test_a_conversion_waits_for_the_sync_client_where_it_is_told_to(emulator: Emulator, admin: EntraAdmin) -> None:
    admin.knobs(conversion_waits=True)

    def synced() -> Any:
        return emulator.get(f"/groups/{oid('synced')}").json()["onPremisesSyncEnabled"]

    assert emulator.call("PATCH", _BEHAVIOUR, json={"isCloudManaged": True}).status_code == 204
    assert synced() is True
    admin.take_over(oid("synced"))
    assert synced() is None


@pytest.mark.parametrize("application", ["members", "none"])
def test_reading_and_changing_authority_take_the_one_permission(emulator: Emulator, application: str) -> None:
    assert emulator.get(_BEHAVIOUR, application=application).status_code == 403
    answer = emulator.call("PATCH", _BEHAVIOUR, json={"isCloudManaged": True}, application=application)
    assert code_and_message(answer)[:2] == (403, "Authorization_RequestDenied")


def test_each_change_of_authority_is_in_the_audit_log(emulator: Emulator) -> None:
    for managed in (True, False):
        emulator.call("PATCH", _BEHAVIOUR, json={"isCloudManaged": managed})
    emulator.call("PATCH", f"/groups/{oid('sales')}/onPremisesSyncBehavior", json={"isCloudManaged": True})
    assert emulator.get(_AUDITS).status_code == 403
    rows = emulator.get(_AUDITS, application="converter").json()["value"]
    assert [row["activityDisplayName"] for row in rows] == [
        "Undo changes to Source of Authority from AD DS to cloud",
        "Change Source of Authority from AD to cloud",
    ]
    assert {row["targetResources"][0]["id"] for row in rows} == {oid("synced")}
    begun = "startswith(activityDisplayName,'Change Source of Authority')"
    both = f"$filter={begun} and activityDateTime ge 2020-01-01T00:00:00Z"
    assert emulator.get(f"{_AUDITS}?{both}", application="converter").json()["value"] == rows[1:]
    one = f"$filter=targetResources/any(t:t/id eq '{oid('sales')}')"
    assert emulator.get(f"{_AUDITS}?{one}", application="converter").json()["value"] == []
    first = emulator.get(f"{_AUDITS}?$top=1", application="converter").json()
    onward = first["@odata.nextLink"].partition("/v1.0")[2]
    assert [*first["value"], *emulator.get(onward, application="converter").json()["value"]] == rows
    odd = emulator.get(f"{_AUDITS}?$filter=contains(activityDisplayName,'x')", application="converter")
    assert odd.status_code == 400


def test_an_extension_for_the_original_name_is_made_and_filled(emulator: Emulator) -> None:
    def made(path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = emulator.call("POST", path, json=body, application="converter")
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    application = made("/applications", {"displayName": "CloudSyncCustomExtensionsApp", "identifierUris": [_URI]})
    query = f"/applications?$select=id,appId&$filter=identifierUris/any(u:u eq '{_URI}')"
    assert [one["id"] for one in emulator.get(query).json()["value"]] == [application["id"]]
    path = f"/applications/{application['id']}/extensionProperties"
    body = {"name": "GroupDN", "dataType": "String", "targetObjects": ["Group"]}
    assert emulator.call("POST", path, json=body, application="converter").status_code == 400  # no service principal
    made("/servicePrincipals", {"appId": application["appId"]})
    name = made(path, body)["name"]
    assert name == f"extension_{application['appId'].replace('-', '')}_GroupDN"
    assert [one["name"] for one in emulator.get(path).json()["value"]] == [name]
    assert emulator.call("POST", path, json=body, application="converter").status_code == 400
    group = f"/groups/{oid('synced')}"
    assert emulator.call("PATCH", group, json={name: 7}, application="converter").status_code == 400
    assert emulator.call("PATCH", group, json={name: "CN=x"}, application="members").status_code == 403
    assert emulator.call("PATCH", group, json={name: "CN=x"}, application="converter").status_code == 204
    assert emulator.get(group).json()[name] == "CN=x"
    unknown = name.replace("GroupDN", "Other")
    assert emulator.call("PATCH", group, json={unknown: "x"}, application="converter").status_code == 400


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/applications", {"identifierUris": [_URI]}, 400),
        ("/applications", {"displayName": "x", "appId": oid("x")}, 400),
        ("/servicePrincipals", {"appId": oid("x")}, 400),
        (f"/applications/{oid('nobody')}/extensionProperties", {}, 404),
    ],
)
def test_what_cannot_be_made(emulator: Emulator, path: str, body: dict[str, Any], status: int) -> None:
    assert emulator.call("POST", path, json=body, application="converter").status_code == status
    assert emulator.call("POST", path, json=body, application="members").status_code == 403
