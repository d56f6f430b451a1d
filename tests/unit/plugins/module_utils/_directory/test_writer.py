# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing: one object, and links in batches in which the bad one is found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.writer import LINKS_AT_ONCE, Writer
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ObjectError
from tests.unit.plugins.module_utils._directory.scripted import (
    OK,
    Operation,
    Result,
    ScriptedConnection,
    connect,
    entry,
    page,
    refused,
)
from tests.unit.samples import MANAGED, guid, sid


def members_of(operation: Operation) -> dict[str, list[str]]:
    """Return the links of a modify, by what is done to them."""
    return {op: [value[6:-1] for value in values] for op, values in operation.arguments[1]["member"]}


class Group:
    """One group whose modifies are atomic, as Active Directory's are."""

    def __init__(self, members: set[str], judge: Callable[[str, str], Result | None]) -> None:
        self.members = members
        self.judge = judge

    def __call__(self, operation: Operation) -> Result:
        """Apply all of a modify or nothing."""
        links = members_of(operation)
        for op, values in links.items():
            for value in values:
                verdict = self.judge(op, value)
                if verdict is not None:
                    return verdict
                if op == "MODIFY_ADD" and value in self.members:
                    return refused(68, "00000562: UpdErr: DSID-1")
                if op == "MODIFY_DELETE" and value not in self.members:
                    return refused(53, "00000561: SvcErr: DSID-1")
        self.members |= set(links.get("MODIFY_ADD", ()))
        self.members -= set(links.get("MODIFY_DELETE", ()))
        return OK


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


def test_a_group_that_cannot_be_read_back(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, _unused = writer(monkeypatch, lambda operation: OK if operation.kind == "add" else page([]))
    with pytest.raises(ObjectError, match="cannot be read"):
        under_test.create("CN=a", {})


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


def test_adds_come_before_removes_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group({guid(number) for number in range(5000, 5200)}, lambda _op, _member: None)
    under_test, connection = writer(monkeypatch, group)
    add, remove = {guid(number) for number in range(1500)}, {guid(number) for number in range(5000, 5200)}
    result = under_test.change_members(guid(1), add, remove)
    assert (result.added, result.removed) == (frozenset(add), frozenset(remove))
    assert not result.failed
    assert group.members == add
    batches = [members_of(operation) for operation in connection.asked]
    assert [sum(map(len, batch.values())) for batch in batches] == [LINKS_AT_ONCE, 700]
    assert list(batches[0]) == ["MODIFY_ADD"]
    assert list(batches[1]) == ["MODIFY_ADD", "MODIFY_DELETE"]


def test_nothing_to_do_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = writer(monkeypatch, lambda _operation: OK)
    result = under_test.change_members(guid(1), [], [])
    assert not (result.added or result.removed or result.failed)
    assert connection.asked == []


def test_one_bad_link_among_a_thousand_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = guid(637)
    group = Group(set(), lambda _op, member: refused(32, "0000208D: NameErr") if member == bad else None)
    under_test, connection = writer(monkeypatch, group)
    add = {guid(number) for number in range(1000)}
    result = under_test.change_members(guid(1), add, [])
    assert set(result.failed) == {bad}
    assert result.failed[bad].code == "object_missing"
    assert result.added == add - {bad} == group.members
    assert len(connection.asked) <= 2 * 10 + 1


def test_a_bad_removal_does_not_hold_up_the_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group({guid(1), guid(2)}, lambda op, member: refused(53, "00002035: x") if member == guid(1) else None)
    under_test, _unused = writer(monkeypatch, group)
    result = under_test.change_members(guid(9), [guid(3)], [guid(1), guid(2)])
    assert (result.added, result.removed) == (frozenset({guid(3)}), frozenset({guid(2)}))
    assert set(result.failed) == {guid(1)}


def test_what_is_so_already_is_neither_done_nor_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, _unused = writer(monkeypatch, Group({guid(1)}, lambda _op, _member: None))
    result = under_test.change_members(guid(9), [guid(1), guid(3)], [guid(4)])
    assert result.added == {guid(3)}
    assert not (result.removed or result.failed)


def test_an_addition_that_exists_is_told_by_the_code_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samba's texts for it vary."""
    under_test, _unused = writer(monkeypatch, lambda _operation: refused(68, "Attribute member already exists"))
    assert under_test.change_members(guid(9), [guid(1)], []).failed == {}


@pytest.mark.parametrize("code", [50, 10, 8])
def test_what_no_smaller_batch_would_change_is_not_halved(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    under_test, connection = writer(monkeypatch, lambda _operation: refused(code))
    add = {guid(number) for number in range(100)}
    result = under_test.change_members(guid(9), add, [])
    assert set(result.failed) == add
    assert len(connection.asked) == 1


def test_a_server_that_stays_busy_does_not_hold_up_the_run_for_each_link(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each try waits up to half a minute; a thousand links must not cost a thousand times that."""
    under_test, connection = writer(monkeypatch, lambda _operation: refused(51))
    add = {guid(number) for number in range(1000)}
    result = under_test.change_members(guid(9), add, [])
    assert set(result.failed) == add
    assert len(connection.asked) <= 100


def test_a_batch_that_is_too_large_is_split(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group(set(), lambda _op, _member: None)

    def at_most_300(operation: Operation) -> Result:
        size = sum(map(len, members_of(operation).values()))
        return refused(11, "00002024: SvcErr") if size > 300 else group(operation)

    under_test, connection = writer(monkeypatch, at_most_300)
    add = {guid(number) for number in range(1000)}
    assert under_test.change_members(guid(9), add, []).added == add
    assert len(connection.asked) == 1 + 2 + 4


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
