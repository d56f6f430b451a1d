# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links of groups: what a whole answer is, and what only looks like one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from ldap3.core.exceptions import LDAPSocketReceiveError

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    EXTENDED_DN_CONTROL,
    PAGED_RESULTS,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CompleteReading,
    HeldLinks,
    IncompleteReading,
    Link,
)
from tests.unit.plugins.module_utils._directory.scripted import Operation, entry, refused, with_raw
from tests.unit.plugins.module_utils._directory.scripted_domain import Ranges, member, ranged, reader
from tests.unit.samples import MANAGED, OUTSIDE, guid


def asks_members(operation: Operation) -> bool:
    return "uSNChanged" in operation.options["attributes"] and "objectClass=group" in operation.arguments[1]


def read(patch: pytest.MonkeyPatch, answer: Any, *numbers: int) -> list[HeldLinks]:
    """Return the links of groups as a domain controller that answers so shows them."""
    under_test, _unused = reader(patch, answer)
    return list(under_test.links([guid(number) for number in numbers or (1,)]))


def whole(held: HeldLinks) -> Sequence[Link]:
    assert isinstance(held.reading, CompleteReading), held.reading
    return held.reading.items


def why(held: HeldLinks) -> str:
    assert isinstance(held.reading, IncompleteReading), held.reading
    return held.reading.why


def test_members_are_read_with_guid_and_sid(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = {"member;range=0-*": [member(1), member(2, None)]}
    under_test, connection = reader(monkeypatch, lambda op: [ranged(1, raw)] if asks_members(op) else None)
    (held,) = under_test.links([guid(1)])
    first, second = f"CN=User\\, 1,{OUTSIDE}", f"CN=User\\, 2,{OUTSIDE}"
    sid = whole(held)[0].sid
    assert (held.guid, held.usn, held.sids) == (guid(1), 7, None)
    assert list(whole(held)) == [Link(guid(1), sid, first), Link(guid(2), None, second)]
    assert sid is not None and sid.endswith("-5001")
    assert [operation.options["controls"] for operation in connection.asked] == [[EXTENDED_DN_CONTROL]]


def test_the_sids_of_links_come_beside_them_where_all_have_one(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(
        [ranged(1, {"member;range=0-1": [member(1), member(2)]}), ranged(1, {"member;range=2-*": [member(3)]})]
    )
    (held,) = read(monkeypatch, lambda op: [next(answers)] if asks_members(op) or "range=2" in str(op) else None)
    assert sorted(held.sids or ()) == sorted(link.sid or "" for link in whole(held))


@pytest.mark.parametrize("raw", [{}, {"member": ()}, {"MEMBER;RANGE=0-*": [member(1)]}])
def test_a_group_without_members_and_names_in_any_case(monkeypatch: pytest.MonkeyPatch, raw: dict[str, Any]) -> None:
    (held,) = read(monkeypatch, lambda op: [ranged(1, raw)] if asks_members(op) else None)
    assert (held.guid, len(whole(held))) == (guid(1), 1 if "MEMBER;RANGE=0-*" in raw else 0)


@pytest.mark.parametrize("count", [3, 4, 6, 7, 20])
def test_a_large_group_is_read_to_its_end_and_no_range_twice(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    group = Ranges(count)
    (held,) = read(monkeypatch, group)
    assert [link.guid for link in whole(held)] == [guid(number) for number in range(count)]
    assert group.turn == -(-count // 3)


def test_fifty_thousand_members_take_thirty_four_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    group = Ranges(50_000, size=1500)
    (held,) = read(monkeypatch, group)
    assert (len(whole(held)), group.turn) == (50_000, 34)


@pytest.mark.parametrize(
    "raw",
    [
        {"member;range=0-2": [member(1), member(2)]},
        {"member;range=0-0": [member(1), member(2)]},
        {"member;range=1-*": [member(1)]},
        {"member;range=0-*": []},
        {"member;range=0-1": []},
        {"member": [member(1)]},
        {"member;range=0-1": [member(1), member(2)], "member;range=2-*": [member(3)]},
        {"member;range=0-x": [member(1)], "member": [member(1)]},
        {"member;range=0-*": [b"CN=User,DC=x"]},
    ],
)
def test_an_odd_answer_is_the_loss_of_that_group_alone(monkeypatch: pytest.MonkeyPatch, raw: dict[str, Any]) -> None:
    answer = [ranged(1, raw), ranged(2, {"member;range=0-*": [member(9)]})]
    odd, good = read(monkeypatch, lambda op: answer if asks_members(op) else None, 1, 2)
    assert (odd.guid, bool(why(odd))) == (guid(1), True)
    assert (good.guid, len(whole(good))) == (guid(2), 1)


def test_an_empty_plain_member_beside_a_range_is_what_windows_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = {"member": (), "member;range=0-*": [member(1)]}
    (held,) = read(monkeypatch, lambda op: [ranged(1, raw)] if asks_members(op) else None)
    assert len(whole(held)) == 1


def test_a_gap_in_a_later_range_keeps_what_was_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gap(Ranges):
        def __call__(self, operation: Operation) -> list[dict[str, Any]] | None:
            found = super().__call__(operation)
            if found and self.turn == 2:
                return [ranged(1, {"member;range=4-*": self.members[4:]})]
            return found

    (held,) = read(monkeypatch, Gap(6))
    assert "whole range" in why(held)
    assert [link.guid for link in held.reading.items] == [guid(number) for number in range(3)]


def grow(turn: int, group: Ranges) -> None:
    if turn == 2:
        group.members.append(member(100))
        group.usn += 1


def shrink(turn: int, group: Ranges) -> None:
    if turn == 2:
        del group.members[2:]
        group.usn += 1


@pytest.mark.parametrize(("script", "left"), [(grow, (0, 1, 2, 3, 4, 100)), (shrink, (0, 1))])
def test_a_group_that_changes_while_it_is_read_is_read_again(
    monkeypatch: pytest.MonkeyPatch, script: Callable[[int, Ranges], None], left: tuple[int, ...]
) -> None:
    (held,) = read(monkeypatch, Ranges(5, script))
    assert [link.guid for link in whole(held)] == [guid(number) for number in left]
    assert held.usn == 8


def move(_turn: int, group: Ranges) -> None:
    group.usn += 1


def lose(turn: int, group: Ranges) -> None:
    if turn == 2:
        del group.members[3:]


def vanish(turn: int, group: Ranges) -> None:
    group.there = turn < 2


@pytest.mark.parametrize(("script", "text"), [(move, "faster"), (lose, "whole range"), (vanish, "went away")])
def test_a_group_that_cannot_be_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch, script: Callable[[int, Ranges], None], text: str
) -> None:
    (held,) = read(monkeypatch, Ranges(9, script))
    assert text in why(held)


def group_asked(operation: Operation) -> int:
    """Return the number of the group that a search is about; 0 for several."""
    match = re.fullmatch(r"<GUID=.*-(\w{12})>", operation.base)
    return int(match[1], 16) if match else 0


class Refusing:
    """A server that has had enough of some groups."""

    def __init__(self, groups: int, refused_ones: set[int]) -> None:
        self.groups = groups
        self.refused = refused_ones
        self.asked: list[int] = []

    def __call__(self, operation: Operation) -> Any:
        if not asks_members(operation):
            return None
        number = group_asked(operation)
        self.asked.append(number)
        if number in self.refused or not number:
            return refused(11, "00002024: SvcErr", "adminLimitExceeded")
        return [ranged(number, {"member;range=0-*": [member(number)]})] if number <= self.groups else []


def test_groups_that_are_refused_together_are_asked_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Refusing(4, {2})
    first, second, third, fourth = read(monkeypatch, server, 1, 2, 3, 4, 5)
    assert [len(whole(held)) for held in (first, third, fourth)] == [1, 1, 1]
    assert "adminLimitExceeded" in why(second)
    assert server.asked == [0, 1, 2, 3, 4, 5]


def test_a_server_that_refuses_one_after_the_other_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Refusing(50, set(range(51)))
    held = read(monkeypatch, server, *range(1, 51))
    assert len(held) == 50
    assert all("adminLimitExceeded" in why(one) for one in held)
    assert server.asked == [0, 1, 2, 3]


def test_a_search_that_is_cut_after_some_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(operation: Operation) -> Any:
        number = group_asked(operation) if asks_members(operation) else 0
        if number:
            return [ranged(number, {"member;range=0-*": [member(number)]})]
        if not asks_members(operation):
            return None
        if operation.options["paged_cookie"]:
            return refused(4, "", "sizeLimitExceeded")
        controls = {PAGED_RESULTS: {"value": {"cookie": b"more"}}}
        return {"result": 0, "controls": controls}, [ranged(1, {"member;range=0-*": [member(1)]})]

    assert [held.guid for held in read(monkeypatch, cut, 1, 2) if whole(held)] == [guid(1), guid(2)]


def test_a_connection_that_dies_is_no_loss_of_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = reader(monkeypatch, Ranges(3))
    connection.failures = [LDAPSocketReceiveError("gone")] * 2
    with pytest.raises(DirectoryError):
        list(under_test.links([guid(1)]))


def test_a_group_without_usn_is_read_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    bare = with_raw(
        entry(f"CN=G,{MANAGED}", objectGUID=[identity.guid_to_bytes(guid(1))]), {"member;range=0-*": [member(1)]}
    )
    (held,) = read(monkeypatch, lambda op: [bare] if asks_members(op) else None)
    assert (held.usn, len(whole(held))) == (0, 1)
