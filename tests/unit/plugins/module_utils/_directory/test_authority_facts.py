# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the directory says of groups whose source of authority is to change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.filters import sid_term
from tests.unit.plugins.module_utils._directory.scripted import Operation, with_raw
from tests.unit.plugins.module_utils._directory.scripted_domain import group_entry, member, ranged, reader
from tests.unit.samples import MANAGED, OUTSIDE, guid, sid

GLOBAL = "-2147483646"


class Groups:
    """Group 1 in a managed container, group 2 outside of them, as a server shows them."""

    def __init__(self, links: Sequence[bytes] = ()) -> None:
        above = {"memberOf;range=0-*": [b"CN=B", b"CN=A"]}
        self.entries = {
            1: with_raw(group_entry(1, groupType=[GLOBAL], adminDescription=["mine"]), above),
            2: group_entry(2, OUTSIDE, groupType=["-2147483640"], isCriticalSystemObject=["TRUE"]),
        }
        self.links = links
        self.asked: list[str] = []

    def __call__(self, operation: Operation) -> list[dict[str, Any]] | None:
        text, wanted = operation.arguments[1], operation.options.get("attributes", operation.arguments[2:])
        if "member;range=0-*" in str(wanted):
            return [ranged(1, {"member;range=0-*": self.links})]
        if "objectSid=" in text and "adminDescription" in str(wanted):
            self.asked.append(text)
            return [entry for number, entry in self.entries.items() if sid_term(sid(2000 + number)) in text]
        return None


def test_facts_of_a_group(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = Groups([member(3), member(4, None)])
    under_test, _unused = reader(monkeypatch, groups)
    (found,) = under_test.authority_facts([sid(2001), f"CN=x (y),{MANAGED}", sid(2001)])
    assert (found.sid, found.guid, found.name, found.scope) == (sid(2001), guid(1), "Group 1", "global")
    assert (found.guarded, found.managed, found.admin_description) == ("", True, "mine")
    assert [one.sid for one in found.members] == [sid(5003), None]
    assert (found.member_of, found.problem) == (("CN=A", "CN=B"), "")
    (asked,) = groups.asked
    assert asked.count("objectSid=") == 1 and "(distinguishedName=CN=x \\28y\\29," in asked


def test_a_critical_group_outside_is_told_and_one_whose_members_are_not_read_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    under_test, _unused = reader(monkeypatch, Groups())
    (found,) = under_test.authority_facts([sid(2002)])
    assert (found.guarded, found.managed) == ("isCriticalSystemObject is TRUE", False)
    assert found.problem == "it went away meanwhile"
    under_test, _unused = reader(monkeypatch, Groups([b"CN=without GUID"]))
    assert "extended-DN" in under_test.authority_facts([sid(2001)])[0].problem


def test_a_group_that_the_administrator_protects_is_guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, _unused = reader(monkeypatch, Groups([member(3)]))
    (found,) = under_test.authority_facts([sid(2001)], frozenset({sid(2001).lower()}))
    assert found.guarded == "protected_groups names it"


def test_nobody_is_asked_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    groups = Groups()
    assert reader(monkeypatch, groups)[0].authority_facts([]) == () and groups.asked == []
