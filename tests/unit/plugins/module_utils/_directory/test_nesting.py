# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups inside groups."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.filters import guid_term, sid_term
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import IncompleteReadError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import Nesting
from tests.unit.plugins.module_utils._directory.scripted import Operation, entry, with_raw
from tests.unit.plugins.module_utils._directory.scripted_domain import forest_wide, reader
from tests.unit.samples import BASE, DOMAIN_SID, MANAGED, SISTER_SID, guid

UNIVERSAL, GLOBAL = -2147483640, -2147483646
SISTER = f"DC=emea,{BASE}"


def name(number: int) -> str:
    """Return the DN of a group: those from 100 on are in the sister domain."""
    return f"CN=Group {number}\\, (x),{SISTER if number >= 100 else MANAGED}"


class Tree:
    """Groups and who is inside whom, as a server shows those that it holds."""

    def __init__(
        self, roots: Iterable[int], inside: dict[int, Iterable[int]], held: Iterable[int] | None = None
    ) -> None:
        self.roots = set(roots)
        self.inside = {outer: set(inner) for outer, inner in inside.items()}
        everyone = self.roots | set(self.inside) | {one for inner in self.inside.values() for one in inner}
        self.held = sorted(everyone if held is None else set(held))

    def shown(self, number: int, wanted: list[str], *, extended: bool) -> dict[str, Any]:
        front = f"<GUID={guid(number)}>;<SID=S-1-5-32-1>;" if extended else ""
        kind = UNIVERSAL if number % 2 else GLOBAL
        found = entry(front + name(number), objectGUID=[identity.guid_to_bytes(guid(number))], groupType=[str(kind)])
        if "memberOf;range=0-*" not in wanted:
            return found
        above = [outer for outer, inner in self.inside.items() if number in inner]
        values = [f"<GUID={guid(outer)}>;{name(outer)}".encode() for outer in above]
        return with_raw(found, {"memberOf;range=0-*": values} if values else {})

    def __call__(self, operation: Operation) -> list[dict[str, Any]] | None:
        """Answer a search for roots, for members of groups, or for groups by GUID."""
        asked = operation.arguments[1]
        extended = bool(operation.options["controls"])
        if "(memberOf=" in asked:
            parents = [outer for outer in self.inside if f"Group {outer}\\5c, \\28x\\29" in asked]
            numbers = {one for outer in parents for one in self.inside[outer]}
        elif "(objectGUID=" in asked:
            numbers = {one for one in self.held if guid_term(guid(one)) in asked}
        elif "adminCount=1" in asked:
            numbers = self.roots
        else:
            return None
        wanted = operation.options["attributes"]
        return [self.shown(one, wanted, extended=extended) for one in self.held if one in numbers]


def numbers(guids: Iterable[str]) -> set[int]:
    return {int(text[-12:], 16) for text in guids}


def test_what_guards_the_domain_and_all_inside_at_any_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ring, 3 in 2 in 1 in 3, ends; 9 is inside nothing of it."""
    under_test, connection = reader(monkeypatch, Tree({1, 5}, {1: {2}, 2: {3}, 3: {1, 4}, 9: {10}}))
    assert numbers(under_test.protected(())) == {1, 2, 3, 4, 5}
    assert len(connection.asked) == 5


def test_what_was_read_once_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = reader(monkeypatch, Tree({1}, {1: {2}}))
    first = under_test.protected(["a", "b"])
    asked = len(connection.asked)
    assert under_test.protected(["b", "a"]) == first
    assert len(connection.asked) == asked
    under_test.protected(["a"])
    assert len(connection.asked) > asked


def test_where_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = reader(monkeypatch, Tree((), {}))
    names = ["sales (x)", f"cn=it,{MANAGED.lower()}", f"{DOMAIN_SID}-4711".lower()]
    assert under_test.protected(names) == frozenset()
    (operation,) = connection.asked
    assert operation.arguments[1].startswith("(&(objectClass=group)(|")
    for term in (
        "(isCriticalSystemObject=TRUE)",
        "(groupType:1.2.840.113556.1.4.803:=1)",
        "(sAMAccountName=DnsAdmins)",
        r"(sAMAccountName=sales \28x\29)",
        f"(distinguishedName=cn=it,{MANAGED.lower()})",
        sid_term(f"{DOMAIN_SID}-4711"),
        sid_term(f"{DOMAIN_SID}-498"),
        sid_term(f"{DOMAIN_SID}-553"),
    ):
        assert term in operation.arguments[1]


def test_a_group_inside_a_guard_of_another_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    """7 is inside 100 of the sister domain, which only the catalog knows; 8 inside 7 only the domain."""
    catalog = forest_wide(Tree({100}, {100: {7}}))
    under_test, connection = reader(monkeypatch, Tree({1}, {7: {8}}, held={1, 7, 8}), catalog)
    assert numbers(under_test.protected(["sales", "s-1-5-21-1-2-3-4"])) == {1, 100, 7, 8}
    assert not any("emea" in operation.arguments[1] for operation in connection.asked)
    roots = catalog.asked[0].arguments[1]
    assert sid_term(f"{SISTER_SID}-512") in roots
    assert sid_term("S-1-5-21-1-2-3-4") in roots
    assert sid_term(f"{DOMAIN_SID}-512") not in roots
    assert "sales" not in roots


def test_many_parents_are_asked_a_hundred_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = reader(monkeypatch, Tree(range(1, 100), {50: {99}}, held=range(1, 100)))
    under_test.protected(())
    assert [operation.arguments[1].count("memberOf=") for operation in connection.asked] == [0, 99]
    under_test, connection = reader(monkeypatch, Tree(range(1, 100), {50: range(200, 450)}))
    under_test.protected(())
    assert [len(re.findall("memberOf=", operation.arguments[1])) for operation in connection.asked] == [0, 99]


def test_what_stands_around_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = reader(monkeypatch, Tree((), {1: {2, 3}, 4: {1}, 2: {3}}))
    assert under_test.nesting([guid(1), guid(3), guid(99)]) == {
        guid(1): Nesting(((name(2), GLOBAL), (name(3), UNIVERSAL)), ((name(4), GLOBAL),)),
        guid(3): Nesting((), ((name(1), UNIVERSAL), (name(2), GLOBAL))),
    }
    assert len(connection.asked) == 3


def test_what_stands_around_them_in_other_domains(monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = forest_wide(Tree((), {1: {2, 101}, 103: {1}}))
    under_test, _unused = reader(monkeypatch, Tree((), {1: {2}}), catalog)
    assert under_test.nesting([guid(1)]) == {
        guid(1): Nesting(((name(101), UNIVERSAL), (name(2), GLOBAL)), ((name(103), UNIVERSAL),))
    }


def test_a_server_that_ignores_the_control_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = with_raw(
        entry(name(1), objectGUID=[identity.guid_to_bytes(guid(1))]), {"memberOf;range=0-*": [name(2).encode()]}
    )
    under_test, _unused = reader(monkeypatch, lambda op: [odd] if "objectGUID=" in op.arguments[1] else None)
    with pytest.raises(IncompleteReadError, match="extended-DN"):
        under_test.nesting([guid(1)])


def test_nothing_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = reader(monkeypatch)
    assert under_test.nesting(()) == {}
    assert connection.asked == []
