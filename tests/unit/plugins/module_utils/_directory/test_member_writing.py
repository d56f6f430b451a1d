# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links in batches in which the bad one is found."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from ldap3.core.exceptions import LDAPSocketReceiveError

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.member_writing import LINKS_AT_ONCE
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.writer import Writer
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import WriteOrder
from tests.unit.plugins.module_utils._directory.scripted import (
    OK,
    Answer,
    Operation,
    Result,
    ScriptedConnection,
    connect,
    entry,
    page,
    refused,
)
from tests.unit.samples import guid


def members_of(operation: Operation) -> dict[str, list[str]]:
    """Return the links of a modify, by what is done to them."""
    return {op: [value[6:-1] for value in values] for op, values in operation.arguments[1]["member"]}


class Group:
    """One group whose modifies are atomic, as Active Directory's are."""

    def __init__(self, members: set[str], judge: Callable[[str, str], Result | None]) -> None:
        self.members = members
        self.judge = judge

    def __call__(self, operation: Operation) -> Answer | Result:
        """Apply all of a modify or nothing."""
        if operation.kind == "search":
            return page([entry(operation.base)])
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


def own(members: Iterable[str]) -> dict[str, str]:
    """Return members of the group's own domain, as the port wants them."""
    return dict.fromkeys(members, "")


def writer(
    patch: pytest.MonkeyPatch, handler: Any, order: WriteOrder = WriteOrder.ADDITIONS_FIRST
) -> tuple[Writer, ScriptedConnection]:
    connection = ScriptedConnection(handler)
    return Writer(connect(patch, connection), order), connection


def test_adds_come_before_removes_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group({guid(number) for number in range(5000, 5200)}, lambda _op, _member: None)
    under_test, connection = writer(monkeypatch, group)
    add, remove = {guid(number) for number in range(1500)}, {guid(number) for number in range(5000, 5200)}
    result = under_test.change_members(guid(1), own(add), own(remove))
    assert (result.added, result.removed) == (frozenset(add), frozenset(remove))
    assert not result.failed
    assert group.members == add
    batches = [members_of(operation) for operation in connection.asked]
    assert [sum(map(len, batch.values())) for batch in batches] == [LINKS_AT_ONCE, 700]
    assert list(batches[0]) == ["MODIFY_ADD"]
    assert list(batches[1]) == ["MODIFY_ADD", "MODIFY_DELETE"]


def test_removals_may_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group({guid(number) for number in range(5000, 6200)}, lambda _op, _member: None)
    under_test, connection = writer(monkeypatch, group, WriteOrder.REMOVALS_FIRST)
    add, remove = {guid(number) for number in range(100)}, {guid(number) for number in range(5000, 6200)}
    result = under_test.change_members(guid(1), own(add), own(remove))
    assert (result.added, result.removed) == (frozenset(add), frozenset(remove))
    assert group.members == add
    batches = [members_of(operation) for operation in connection.asked]
    assert [list(batch) for batch in batches] == [["MODIFY_DELETE"], ["MODIFY_DELETE", "MODIFY_ADD"]]
    assert [sum(map(len, batch.values())) for batch in batches] == [LINKS_AT_ONCE, 300]


def test_nothing_to_do_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = writer(monkeypatch, lambda _operation: OK)
    result = under_test.change_members(guid(1), {}, {})
    assert not (result.added or result.removed or result.failed)
    assert connection.asked == []


def test_one_bad_link_among_a_thousand_stands_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = guid(637)
    group = Group(set(), lambda _op, member: refused(32, "0000208D: NameErr") if member == bad else None)
    under_test, connection = writer(monkeypatch, group)
    add = {guid(number) for number in range(1000)}
    result = under_test.change_members(guid(1), own(add), {})
    assert set(result.failed) == {bad}
    assert result.failed[bad].code == "object_missing"
    assert result.added == add - {bad} == group.members
    assert len(connection.asked) <= 2 * 10 + 2


def test_a_bad_removal_does_not_hold_up_the_adds(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group({guid(1), guid(2)}, lambda op, member: refused(53, "00002035: x") if member == guid(1) else None)
    under_test, _unused = writer(monkeypatch, group)
    result = under_test.change_members(guid(9), own([guid(3)]), own([guid(1), guid(2)]))
    assert (result.added, result.removed) == (frozenset({guid(3)}), frozenset({guid(2)}))
    assert set(result.failed) == {guid(1)}


def test_what_is_so_already_is_neither_done_nor_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, _unused = writer(monkeypatch, Group({guid(1)}, lambda _op, _member: None))
    result = under_test.change_members(guid(9), own([guid(1), guid(3)]), own([guid(4)]))
    assert result.added == {guid(3)}
    assert not (result.removed or result.failed)


def test_an_addition_that_exists_is_told_by_the_code_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Samba's texts for it vary."""
    under_test, _unused = writer(monkeypatch, lambda _operation: refused(68, "Attribute member already exists"))
    assert under_test.change_members(guid(9), own([guid(1)]), {}).failed == {}


@pytest.mark.parametrize("code", [50, 10, 8])
def test_what_no_smaller_batch_would_change_is_not_halved(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    under_test, connection = writer(monkeypatch, lambda _operation: refused(code))
    add = {guid(number) for number in range(100)}
    result = under_test.change_members(guid(9), own(add), {})
    assert set(result.failed) == add
    assert len(connection.asked) == 1


def test_a_server_that_stays_busy_does_not_hold_up_the_run_for_each_link(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each try waits up to half a minute; fifty batches must not cost fifty times that."""
    under_test, connection = writer(monkeypatch, lambda _operation: refused(51))
    add = {guid(number) for number in range(50_000)}
    result = under_test.change_members(guid(9), own(add), {})
    assert set(result.failed) == add
    assert {error.code for error in result.failed.values()} == {"directory_busy"}
    assert len(connection.asked) == 5


@pytest.mark.parametrize("code", [3, 80])
def test_a_batch_that_the_server_had_no_time_for_is_sent_again_once_and_then_split(
    monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    group = Group(set(), lambda _op, _member: None)
    sizes: list[int] = []

    def slow(operation: Operation) -> Answer | Result:
        sizes.append(sum(map(len, members_of(operation).values())))
        return refused(code) if sizes[-1] > 300 else group(operation)

    under_test, _unused = writer(monkeypatch, slow)
    add = {guid(number) for number in range(1000)}
    assert under_test.change_members(guid(9), own(add), {}).added == add
    assert sizes == [1000, 1000, 500, 250, 250, 500, 250, 250]


def test_a_batch_that_succeeds_the_second_time_is_not_split(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group(set(), lambda _op, _member: None)
    answers: list[Result] = [refused(80)]
    under_test, connection = writer(monkeypatch, lambda op: answers.pop() if answers else group(op))
    assert len(under_test.change_members(guid(9), own(guid(number) for number in range(1000)), {}).added) == 1000
    assert len(connection.asked) == 2


@pytest.mark.parametrize("code", [3, 80])
def test_a_server_that_never_has_time_is_left_alone(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    under_test, connection = writer(monkeypatch, lambda _operation: refused(code))
    add = {guid(number) for number in range(50_000)}
    assert set(under_test.change_members(guid(9), own(add), {}).failed) == add
    assert len(connection.asked) < 20


def test_one_bad_link_among_fifty_thousand_is_found_with_few_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = guid(49_999)
    group = Group(set(), lambda _op, member: refused(80, "odd") if member == bad else None)
    under_test, connection = writer(monkeypatch, group)
    add = {guid(number) for number in range(50_000)}
    result = under_test.change_members(guid(9), own(add), {})
    assert set(result.failed) == {bad}
    assert result.added == add - {bad}
    assert len(connection.asked) <= 50 + 2 * 10 + 1


def test_a_group_that_is_gone_is_not_taken_for_fifty_thousand_bad_links(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = writer(monkeypatch, lambda _operation: refused(32, "0000208D: NameErr"))
    add = {guid(number) for number in range(50_000)}
    result = under_test.change_members(guid(9), own(add), own([guid(60_000)]))
    assert set(result.failed) == add | {guid(60_000)}
    assert [operation.kind for operation in connection.asked] == ["modify", "search"]


def test_members_of_other_domains_are_written_by_their_name(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = writer(monkeypatch, lambda _operation: OK)
    result = under_test.change_members(guid(9), {guid(1): "", guid(2): "CN=b,DC=emea"}, {guid(3): "CN=c,DC=emea"})
    assert (set(result.added), set(result.removed)) == ({guid(1), guid(2)}, {guid(3)})
    assert connection.asked[0].arguments[1] == {
        "member": [("MODIFY_ADD", [f"<GUID={guid(1)}>", "CN=b,DC=emea"]), ("MODIFY_DELETE", ["CN=c,DC=emea"])]
    }


def test_a_connection_that_breaks_before_anything_was_written_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = writer(monkeypatch, lambda _operation: OK)
    connection.failures = [LDAPSocketReceiveError("gone")]
    with pytest.raises(DirectoryError):
        under_test.change_members(guid(9), own([guid(1)]), {})
    assert len(connection.asked) == 1


def test_what_was_written_before_the_connection_broke_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group(set(), lambda _op, _member: None)
    batches = 0

    def breaking(operation: Operation) -> Answer | Result:
        nonlocal batches
        batches += 1
        if batches == 2:
            raise LDAPSocketReceiveError("gone")
        return group(operation)

    under_test, connection = writer(monkeypatch, breaking)
    add = {guid(number) for number in range(3500)}
    result = under_test.change_members(guid(9), own(add), {})
    assert result.added == group.members
    assert len(result.added) == LINKS_AT_ONCE
    assert set(result.failed) == add - result.added
    assert {error.code for error in result.failed.values()} == {"directory_unreachable"}
    assert len(connection.asked) == 2


def test_a_batch_that_is_too_large_is_split(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Group(set(), lambda _op, _member: None)

    def at_most_300(operation: Operation) -> Answer | Result:
        size = sum(map(len, members_of(operation).values()))
        return refused(11, "00002024: SvcErr") if size > 300 else group(operation)

    under_test, connection = writer(monkeypatch, at_most_300)
    add = {guid(number) for number in range(1000)}
    assert under_test.change_members(guid(9), own(add), {}).added == add
    assert len(connection.asked) == 1 + 2 + 4
