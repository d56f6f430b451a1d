# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes of Graph with their refusals, soft delete, source of authority."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.entra.admin import EntraAdmin

from .tenant import EVENTUAL, EXTENSION, Emulator, code_and_message, oid

_NEW = {"displayName": "Fresh", "mailEnabled": False, "mailNickname": "fresh", "securityEnabled": True}


def _reference(emulator: Emulator, name: str) -> str:
    return f"{emulator.url}/v1.0/directoryObjects/{oid(name)}"


def _member_ids(emulator: Emulator, group: str) -> list[str]:
    return [item["id"] for item in emulator.get(f"/groups/{oid(group)}/members?$select=id").json()["value"]]


def test_a_group_is_created_changed_and_read_back(emulator: Emulator) -> None:
    body = {**_NEW, EXTENSION: "CC-2", "members@odata.bind": [_reference(emulator, "u1")]}
    created = emulator.call("POST", "/groups", json=body)
    assert created.status_code == 201
    path = f"/groups/{created.json()['id']}"
    assert emulator.call("PATCH", path, json={"description": "Now told"}).status_code == 204
    shown = emulator.get(path).json()
    assert (shown["displayName"], shown["description"], shown[EXTENSION]) == ("Fresh", "Now told", "CC-2")
    assert [item["id"] for item in emulator.get(f"{path}/members").json()["value"]] == [oid("u1")]


@pytest.mark.parametrize(
    "change",
    [
        {"displayName": None},
        {"displayName": "x" * 257},
        {"mailNickname": "has space"},
        {"mailNickname": "x" * 65},
        {"securityEnabled": None},
        {"mailEnabled": True},
        {"securityEnabled": False},
        {"groupTypes": ["Other"]},
        {"membershipRule": "(user.city -eq 'Bern')"},
        {"id": oid("own choice")},
        {"nonsense": 1},
        {"description": 7},
        {"members@odata.bind": ["https://host/v1.0/directoryObjects/00000000-0000-0000-0000-000000000000"]},
    ],
)
def test_a_malformed_group_is_refused(emulator: Emulator, change: dict[str, Any]) -> None:
    body = {name: value for name, value in {**_NEW, **change}.items() if value is not None}
    assert code_and_message(emulator.call("POST", "/groups", json=body))[:2] == (400, "Request_BadRequest")


def test_an_empty_body_is_refused(emulator: Emulator) -> None:
    status, code, message = code_and_message(emulator.call("POST", "/groups"))
    assert (status, code) == (400, "Request_BadRequest")
    assert "'EndOfInput'" in message


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_graph_does_not_touch_a_synced_group(emulator: Emulator, method: str) -> None:
    answer = emulator.call(method, f"/groups/{oid('synced')}", json={"description": "x"})
    assert code_and_message(answer)[0] == 400
    assert "on-premises mastered" in code_and_message(answer)[2]


def test_members_are_added_and_removed(emulator: Emulator) -> None:
    base = f"/groups/{oid('empty')}/members"
    add = emulator.call("POST", f"{base}/$ref", json={"@odata.id": _reference(emulator, "u1")})
    bind = {"members@odata.bind": [_reference(emulator, "u2"), _reference(emulator, "sales")]}
    assert (add.status_code, emulator.call("PATCH", f"/groups/{oid('empty')}", json=bind).status_code) == (204, 204)
    assert _member_ids(emulator, "empty") == [oid("u1"), oid("u2"), oid("sales")]
    assert emulator.call("DELETE", f"{base}/{oid('u1')}/$ref").status_code == 204
    assert emulator.call("DELETE", f"{base}/$ref?@id={_reference(emulator, 'u2')}").status_code == 204
    assert _member_ids(emulator, "empty") == [oid("sales")]
    assert emulator.call("DELETE", f"{base}/{oid('u1')}/$ref").status_code == 404


@pytest.mark.parametrize(
    ("group", "member", "status", "fragment"),
    [
        ("sales", "u0", 400, "One or more added object references already exist"),
        ("sales", "nobody", 400, "don't exist"),
        ("sales", "office", 400, "cannot be added"),
        ("office", "sales", 400, "cannot be added"),
        ("dynamic", "u1", 403, "Insufficient privileges"),
        ("postroom", "u1", 403, "mail-enabled"),
        ("synced", "u1", 400, "on-premises mastered"),
        ("nobody", "u1", 404, "does not exist"),
    ],
)
def test_a_member_that_cannot_be_added(emulator: Emulator, group: str, member: str, status: int, fragment: str) -> None:
    answer = emulator.call(
        "POST", f"/groups/{oid(group)}/members/$ref", json={"@odata.id": _reference(emulator, member)}
    )
    assert code_and_message(answer)[0] == status
    assert fragment in code_and_message(answer)[2]


def test_a_bind_is_all_or_nothing(emulator: Emulator) -> None:
    bind = [_reference(emulator, name) for name in ("u4", "u0")]
    path = f"/groups/{oid('sales')}"
    assert emulator.call("PATCH", path, json={"members@odata.bind": bind}).status_code == 400
    assert oid("u4") not in _member_ids(emulator, "sales")
    many = {"members@odata.bind": [_reference(emulator, f"u{number}") for number in range(4, 25)]}
    assert code_and_message(emulator.call("PATCH", path, json=many))[0] == 400


def test_delete_without_ref_deletes_the_member_itself(emulator: Emulator) -> None:
    assert emulator.call("DELETE", f"/groups/{oid('sales')}/members/{oid('u9')}").status_code == 204
    assert emulator.get(f"/users/{oid('u9')}").status_code == 404


def test_soft_delete_restore_and_purge_of_a_group(emulator: Emulator) -> None:
    path, item = f"/groups/{oid('sales')}", f"/directory/deletedItems/{oid('sales')}"
    assert emulator.call("DELETE", path).status_code == 204
    assert emulator.get(path).status_code == 404
    listed = emulator.get("/directory/deletedItems/microsoft.graph.group").json()["value"]
    assert [(group["id"], group["securityEnabled"]) for group in listed] == [(oid("sales"), False)]
    assert listed[0]["deletedDateTime"] is not None
    assert emulator.get(item).json()["@odata.type"] == "#microsoft.graph.group"
    assert oid("sales") not in _member_ids(emulator, "field")
    assert emulator.call("POST", f"{item}/restore").status_code == 200
    assert emulator.get(path).json()["securityEnabled"] is True
    assert len(_member_ids(emulator, "sales")) == 5
    assert oid("sales") in _member_ids(emulator, "field")
    emulator.call("DELETE", path)
    assert emulator.call("DELETE", item).status_code == 204
    assert emulator.get(item).status_code == 404


def test_a_deleted_item_by_id(emulator: Emulator, admin: EntraAdmin) -> None:
    item = f"/directory/deletedItems/{oid('sales')}"
    assert code_and_message(emulator.get(item))[:2] == (404, "Request_ResourceNotFound")
    admin.delete_group(oid("sales"))
    plain = emulator.get(item, application="members").json()
    assert (plain["@odata.type"], plain["displayName"]) == ("#microsoft.graph.group", "sales")
    assert plain["deletedDateTime"].endswith("Z")
    cast = emulator.get(f"{item}/microsoft.graph.group?$select=id,displayName").json()
    assert (cast["id"], cast["displayName"], "@odata.type" in cast) == (oid("sales"), "sales", False)
    assert emulator.get(f"{item}?$select=id,deletedDateTime").status_code == 200
    assert code_and_message(emulator.get(f"{item}?$select=displayName"))[:2] == (400, "BadRequest")
    assert code_and_message(emulator.get(f"{item}/microsoft.graph.user"))[:2] == (404, "Request_ResourceNotFound")
    assert code_and_message(emulator.get(item, application="basic"))[:2] == (403, "Authorization_RequestDenied")


def test_deleted_items_need_a_cast_and_sort_in_advanced_mode(emulator: Emulator, admin: EntraAdmin) -> None:
    assert emulator.get("/directory/deletedItems").status_code == 400
    admin.delete_group(oid("sales"))
    base = "/directory/deletedItems/microsoft.graph.group?$orderby=deletedDateTime"
    assert emulator.get(base).status_code == 400
    assert len(emulator.get(f"{base}&$count=true", headers=EVENTUAL).json()["value"]) == 1


def test_get_by_ids_finds_what_exists_of_the_wanted_types(emulator: Emulator) -> None:
    body: dict[str, Any] = {"ids": [oid("u0"), oid("sales"), oid("nobody")], "types": ["user"]}
    answer = emulator.call("POST", "/directoryObjects/getByIds?$select=id", json=body)
    assert answer.json()["value"] == [{"@odata.type": "#microsoft.graph.user", "id": oid("u0")}]
    too_many = {"ids": [oid(str(number)) for number in range(1001)]}
    assert code_and_message(emulator.call("POST", "/directoryObjects/getByIds", json=too_many))[0] == 400
    odd = {"ids": [oid("u0")], "types": ["spaceship"]}
    assert code_and_message(emulator.call("POST", "/directoryObjects/getByIds", json=odd))[0] == 400


def test_the_states_of_the_source_of_authority(emulator: Emulator, admin: EntraAdmin) -> None:
    behaviour = f"/groups/{oid('synced')}/onPremisesSyncBehavior"

    def state() -> tuple[Any, Any, Any]:
        group = emulator.get(f"/groups/{oid('synced')}").json()
        managed = emulator.get(f"{behaviour}?$select=isCloudManaged").json()["isCloudManaged"]
        return group["onPremisesSyncEnabled"], managed, group["onPremisesSecurityIdentifier"]

    sid = "S-1-5-21-1-2-3-2001"
    assert state() == (True, False, sid)
    assert emulator.call("PATCH", behaviour, json={"isCloudManaged": True}).status_code == 204
    assert state() == (None, True, sid)
    assert emulator.call("PATCH", f"/groups/{oid('synced')}", json={"description": "ours"}).status_code == 204
    assert emulator.call("PATCH", behaviour, json={"isCloudManaged": False}).status_code == 204
    assert state() == (None, False, sid)
    admin.take_over(oid("synced"))
    assert state() == (True, False, sid)
    admin.set_cloud_managed(oid("synced"), True)
    assert state() == (None, True, sid)


@pytest.mark.parametrize(
    ("group", "body", "status"),
    [("sales", {"isCloudManaged": True}, 400), ("synced", {"isCloudManaged": "yes"}, 400), ("nobody", {}, 404)],
)
def test_an_impossible_change_of_authority(emulator: Emulator, group: str, body: dict[str, Any], status: int) -> None:
    answer = emulator.call("PATCH", f"/groups/{oid(group)}/onPremisesSyncBehavior", json=body)
    assert code_and_message(answer)[0] == status


def test_the_object_identifier_can_be_cleared_on_beta_only(emulator: Emulator) -> None:
    path = f"/users/{oid('u0')}"
    assert emulator.call("PATCH", path, json={"onPremisesObjectIdentifier": None}).status_code == 400
    assert emulator.call("PATCH", f"/beta{path}", json={"onPremisesObjectIdentifier": "AA=="}).status_code == 400
    assert emulator.call("PATCH", f"/beta{path}", json={"onPremisesObjectIdentifier": None}).status_code == 204
    assert emulator.get(f"/beta{path}").json()["onPremisesObjectIdentifier"] is None
    assert emulator.call("PATCH", path, json={"onPremisesDistinguishedName": "CN=x"}).status_code == 204
    assert emulator.call("PATCH", path, json={"displayName": "x"}).status_code == 400
    assert emulator.call("PATCH", path, json={"onPremisesImmutableId": "a_b"}).status_code == 400


def test_a_wrong_method_is_405(emulator: Emulator) -> None:
    assert code_and_message(emulator.call("PUT", "/groups", json={}))[:2] == (405, "Request_BadRequest")
