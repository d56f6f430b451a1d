# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing one object."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import SHOW_DELETED_CONTROL
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.writer import Writer
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ObjectError
from tests.unit.plugins.module_utils._directory.scripted import (
    OK,
    Operation,
    ScriptedConnection,
    connect,
    entry,
    page,
    refused,
)
from tests.unit.samples import MANAGED, guid, sid


def writer(patch: pytest.MonkeyPatch, handler: Any) -> tuple[Writer, ScriptedConnection]:
    connection = ScriptedConnection(handler)
    return Writer(connect(patch, connection)), connection


def test_a_group_is_created_without_empty_values_and_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"CN=Sales,{MANAGED}"
    written = entry(name, objectGUID=[identity.guid_to_bytes(guid(1))], objectSid=[identity.sid_to_bytes(sid(2001))])

    def handler(operation: Operation) -> Any:
        return OK if operation.kind == "add" else page([written])

    under_test, connection = writer(monkeypatch, handler)
    group = under_test.create(name, {"displayName": ("Sales",), "description": ()})
    assert (group.guid, group.sid, group.dn) == (guid(1), sid(2001), name)
    assert connection.asked[0].arguments == (name, "group", {"displayName": ["Sales"]})


def test_a_refused_creation_is_the_error_of_that_group(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, _unused = writer(monkeypatch, lambda _operation: refused(68, "00002071: UpdErr"))
    with pytest.raises(ObjectError, match="Creating CN=a") as caught:
        under_test.create("CN=a", {})
    assert caught.value.code == "name_collision"


def test_a_group_that_cannot_be_read_back_is_looked_for_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = writer(monkeypatch, lambda operation: OK if operation.kind == "add" else page([]))
    with pytest.raises(ObjectError, match="cannot be read") as caught:
        under_test.create("CN=a", {})
    assert caught.value.code == "created_unread"
    assert [operation.kind for operation in connection.asked] == ["add", "search", "search"]


def test_a_group_that_shows_at_the_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"CN=Sales,{MANAGED}"
    written = entry(name, objectGUID=[identity.guid_to_bytes(guid(1))], objectSid=[identity.sid_to_bytes(sid(2001))])
    answers: list[Any] = [OK, refused(1, "not now"), page([written])]
    under_test, _unused = writer(monkeypatch, lambda _operation: answers.pop(0))
    assert under_test.create(name, {}).guid == guid(1)


def test_attributes_are_replaced_and_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = writer(monkeypatch, lambda _operation: OK)
    under_test.modify(guid(1), {"displayName": ("x",), "info": ()})
    assert connection.asked[0].arguments == (
        f"<GUID={guid(1)}>",
        {"displayName": [("MODIFY_REPLACE", ["x"])], "info": [("MODIFY_REPLACE", [])]},
    )


def test_a_refused_modify_names_the_attributes(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, _unused = writer(monkeypatch, lambda _operation: refused(50))
    with pytest.raises(ObjectError, match="Modifying displayName, info") as caught:
        under_test.modify(guid(1), {"info": (), "displayName": ("x",)})
    assert caught.value.code == "permission_denied"


def test_rename_and_move_are_one_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = writer(monkeypatch, lambda _operation: OK)
    under_test.relocate(guid(1), rf"CN=a\,b,{MANAGED}")
    (operation,) = connection.asked
    assert (operation.kind, operation.arguments) == ("modify_dn", (f"<GUID={guid(1)}>", r"CN=a\,b"))
    assert operation.options == {"new_superior": MANAGED}


def test_a_refused_move(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, _unused = writer(monkeypatch, lambda _operation: refused(68, "00002071: UpdErr"))
    with pytest.raises(ObjectError, match="Moving to CN=a"):
        under_test.relocate(guid(1), f"CN=a,{MANAGED}")


@pytest.mark.parametrize(
    ("name", "object_class"),
    [
        (f"OU=New,{MANAGED}", "organizationalUnit"),
        (f"ou=New,{MANAGED}", "organizationalUnit"),
        ("CN=New,DC=x", "container"),
    ],
)
def test_a_container_is_created_as_its_name_says(monkeypatch: pytest.MonkeyPatch, name: str, object_class: str) -> None:
    under_test, connection = writer(monkeypatch, lambda _operation: OK)
    under_test.create_container(name)
    assert [(op.kind, op.arguments) for op in connection.asked] == [("add", (name, object_class, {}))]


def test_a_refused_container(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, _connection = writer(monkeypatch, lambda _operation: refused(50))
    with pytest.raises(ObjectError, match="Creating OU=New") as caught:
        under_test.create_container("OU=New,DC=x")
    assert caught.value.code == "permission_denied"


def test_a_restore_is_one_modify_under_the_present_name(monkeypatch: pytest.MonkeyPatch) -> None:
    here = f"CN=Sales\\0ADEL:{guid(1)},CN=Deleted Objects,DC=x"
    under_test, connection = writer(monkeypatch, lambda op: page([entry(here)]) if op.kind == "search" else OK)
    under_test.restore(guid(1), f"CN=Sales,{MANAGED}", {"adminDescription": ("Group_1",), "info": ()})
    look, modify = connection.asked
    assert (look.base, look.options["controls"]) == (f"<GUID={guid(1)}>", [SHOW_DELETED_CONTROL])
    assert modify.arguments == (
        here,
        {
            "isDeleted": [("MODIFY_DELETE", [])],
            "distinguishedName": [("MODIFY_REPLACE", [f"CN=Sales,{MANAGED}"])],
            "adminDescription": [("MODIFY_REPLACE", ["Group_1"])],
            "info": [("MODIFY_REPLACE", [])],
        },
    )
    assert modify.options == {"controls": [SHOW_DELETED_CONTROL]}


def test_what_is_not_deleted_is_not_restored(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = writer(monkeypatch, lambda _operation: page([]))
    with pytest.raises(ObjectError, match="not among the deleted") as caught:
        under_test.restore(guid(1), f"CN=Sales,{MANAGED}", {})
    assert caught.value.code == "object_missing"
    assert len(connection.asked) == 1


@pytest.mark.parametrize(
    ("code", "word", "remedy"),
    [
        (50, "permission_denied", "Reanimate-Tombstones"),
        (1, "directory_rejected", "Reanimate-Tombstones"),
        (68, "name_collision", "sAMAccountName"),
    ],
)
def test_a_refused_restore(monkeypatch: pytest.MonkeyPatch, code: int, word: str, remedy: str) -> None:
    under_test, _unused = writer(
        monkeypatch, lambda op: page([entry("CN=x")]) if op.kind == "search" else refused(code)
    )
    with pytest.raises(ObjectError, match="Restoring CN=Sales") as caught:
        under_test.restore(guid(1), f"CN=Sales,{MANAGED}", {})
    assert caught.value.code == word
    assert remedy in caught.value.remedy


def test_an_object_is_deleted_by_its_guid(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = writer(monkeypatch, lambda _operation: OK)
    under_test.delete(guid(1))
    assert connection.asked == [Operation("delete", (f"<GUID={guid(1)}>",))]


# Self-relative; no owner; one entry that denies everyone DELETE and DELETE_TREE, as the protection does.
PROTECTED = (
    bytes([1, 0, 4, 0x80, *[0] * 12, 20, 0, 0, 0])
    + bytes([2, 0, 28, 0, 1, 0, 0, 0])
    + bytes([1, 0, 20, 0, 0x40, 0, 1, 0])
    + identity.sid_to_bytes("S-1-1-0")
)
UNPROTECTED = bytes([1, 0, 0, 0x80, *[0] * 16])


@pytest.mark.parametrize(
    ("descriptor", "word"),
    [
        ([PROTECTED], "deletion_denied"),
        ([UNPROTECTED], "permission_denied"),
        ([b"odd"], "permission_denied"),
        ([], "permission_denied"),
    ],
)
@pytest.mark.parametrize("moved", [False, True])
def test_protection_from_deletion_is_told_from_a_missing_right(
    monkeypatch: pytest.MonkeyPatch, descriptor: list[bytes], word: str, moved: bool
) -> None:
    shown = entry(f"CN=Sales,{MANAGED}", nTSecurityDescriptor=descriptor)
    under_test, _unused = writer(monkeypatch, lambda op: page([shown]) if op.kind == "search" else refused(50))
    with pytest.raises(ObjectError) as caught:
        under_test.relocate(guid(1), "CN=a,DC=x") if moved else under_test.delete(guid(1))
    assert caught.value.code == word
    assert caught.value.remedy


def test_another_refusal_of_a_deletion_asks_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = writer(monkeypatch, lambda _operation: refused(66))
    with pytest.raises(ObjectError, match="Deleting"):
        under_test.delete(guid(1))
    assert len(connection.asked) == 1
