# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became different since the export."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.writeback import (
    WritebackGroup,
    WritebackMember,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.writeback_proof import (
    Difference,
    Done,
    differences,
    done_since,
)
from tests.unit.samples import BASE, MANAGED, cloud_id, guid, sid

MARK = f"Group_{cloud_id(1)}"


def member(number: int, object_class: str = "user") -> WritebackMember:
    return WritebackMember(guid(number), sid(number), f"CN=M{number},{BASE}", object_class)


OLD = WritebackGroup(
    guid(1), sid(2001), f"CN=G1,{MANAGED}", -2147483640, MARK, members=(member(5), member(6)), parents=("CN=up",)
)


def compare(new: WritebackGroup | None, done: Done | None = None) -> list[tuple[str, bool]]:
    found = differences([OLD], [new] if new else [], {guid(1): done} if done else {})
    return [(one.what, one.expected) for one in found]


def test_nothing_changed() -> None:
    assert compare(OLD) == []
    assert compare(replace(OLD, mark=MARK.upper(), members=(member(6), member(5)))) == []


@pytest.mark.parametrize(
    ("new", "done", "wanted"),
    [
        (None, None, [("missing", False)]),
        (replace(OLD, sid=sid(9)), Done(moved=True), [("sid", False)]),
        (replace(OLD, dn=f"CN=G2,{MANAGED}"), None, [("dn", False)]),
        (replace(OLD, dn=f"CN=G2,{MANAGED}"), Done(moved=True), [("dn", True)]),
        (replace(OLD, group_type=-2147483646), None, [("scope", False)]),
        (replace(OLD, mark=""), None, [("mark", False)]),
        (replace(OLD, anchor=MARK.upper()), None, [("anchor", True)]),
        (replace(OLD, anchor=f"Group_{cloud_id(2)}"), None, [("anchor", False)]),
        (replace(OLD, members=(member(5),)), None, [("member_lost", False)]),
        (replace(OLD, members=(member(5),)), Done(removed=frozenset({guid(6)})), [("member_lost", True)]),
        (replace(OLD, members=(*OLD.members, member(7))), None, [("member_new", False)]),
        (replace(OLD, members=(*OLD.members, member(7))), Done(added=frozenset({guid(7)})), [("member_new", True)]),
        (replace(OLD, members=(member(5), replace(member(6), sid=None))), None, [("member_sid", False)]),
        (replace(OLD, problem="cut off", members=()), None, [("unread", False)]),
        (replace(OLD, parents=()), None, [("parent_lost", False)]),
        (replace(OLD, parents=("CN=up", "CN=new")), None, [("parent_new", True)]),
    ],
)
def test_what_is_told(new: WritebackGroup | None, done: Done | None, wanted: list[tuple[str, bool]]) -> None:
    assert compare(new, done) == wanted


def test_a_parent_that_was_renamed_is_the_same_parent() -> None:
    parent = WritebackGroup(guid(2), sid(2002), f"CN=up,{MANAGED}", -2147483640)
    old, new = replace(OLD, parents=(parent.dn,)), replace(OLD, parents=(f"CN=above,{MANAGED}",))
    renamed = replace(parent, dn=f"CN=above,{MANAGED}")
    found = differences([old, parent], [new, renamed], {guid(2): Done(moved=True)})
    assert [(one.guid, one.what) for one in found] == [(guid(2), "dn")]


@pytest.mark.parametrize(("removed", "expected"), [(guid(1), True), (guid(3), False)])
def test_a_parent_that_provisioning_took_the_group_out_of_is_explained(removed: str, expected: bool) -> None:
    parent = WritebackGroup(guid(2), sid(2002), f"CN=up,{MANAGED}", -2147483640)
    old, new = replace(OLD, parents=(parent.dn,)), replace(OLD, parents=())
    found = differences([old, parent], [new, parent], {guid(2): Done(removed=frozenset({removed}))})
    assert [(one.guid, one.what, one.expected) for one in found] == [(guid(1), "parent_lost", expected)]


def test_the_reason_tells_devices_from_people() -> None:
    old = replace(OLD, members=(member(5, "computer"), member(6)))
    gone = frozenset({guid(5), guid(6)})
    reasons = {
        one.before[:5]: one.reason
        for one in differences([old], [replace(old, members=())], {guid(1): Done(removed=gone)})
    }
    assert "devices" in reasons["CN=M5"] and "does not list" in reasons["CN=M6"]


def test_what_the_journal_tells_is_added_up_in_its_order() -> None:
    def applied(action: str, added: tuple[str, ...] = (), removed: tuple[str, ...] = ()) -> Applied:
        return Applied(action, cloud_id(1), "x", guid(1), "CN=x", "done", {}, {}, added, removed)

    done = done_since(
        [
            applied("rename"),
            applied("members", added=("a", "b"), removed=("c",)),
            applied("members", added=("c",), removed=("a",)),
            Applied("create", cloud_id(2), "y", None, "CN=y", "failed", {}, {}),
        ]
    )
    assert done == {guid(1): Done(True, False, frozenset({"b", "c"}), frozenset({"a"}))}
    assert done_since([applied("convert")])[guid(1)] == Done(converted=True)


def test_differences_are_in_a_stable_order() -> None:
    found = differences([OLD], [replace(OLD, members=())], {})
    assert [one.before for one in found] == sorted(one.before for one in found)
    assert isinstance(found[0], Difference)
