# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The eleven checks."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import Skipped
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.naming import Occupied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.writeback import (
    WritebackGroup,
    WritebackMember,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.writeback_checks import (
    CHECKS,
    CloudView,
    Found,
    Right,
    Row,
    Status,
    checks,
    ready,
)
from tests.unit.samples import BASE, MANAGED, SUB, cloud_id, guid, sid


def group(number: int, **more: object) -> WritebackGroup:
    usual = WritebackGroup(
        guid(number), sid(2000 + number), f"CN=G{number},{MANAGED}", -2147483640, f"Group_{cloud_id(number)}"
    )
    return replace(usual, **more)  # type: ignore[arg-type]  # names of fields are checked at run time


def view(number: int, **more: object) -> CloudView:
    return replace(CloudView(f"Name {number}", None, f"G{number}", MANAGED), **more)  # type: ignore[arg-type]  # likewise


def member(number: int, object_class: str = "user") -> WritebackMember:
    return WritebackMember(guid(number), sid(number), f"CN=M{number},{BASE}", object_class)


def look(*groups: WritebackGroup, **more: object) -> tuple[Row, ...]:
    usual = Found(groups, {cloud_id(number): view(number) for number in range(1, 10)}, forest=True)
    return checks(replace(usual, **more))  # type: ignore[arg-type]  # likewise


def told(rows: tuple[Row, ...]) -> set[tuple[str, str, Status]]:
    return {(row.check, row.guid, row.status) for row in rows if row.status is not Status.OK}


def test_all_eleven_are_told_when_nothing_is_found() -> None:
    rows = look(group(1, members=(member(5),)), group(2))
    assert [row.check for row in rows] == list(CHECKS) and len(CHECKS) == 11
    assert {row.status for row in rows} == {Status.OK}
    assert rows[0].found == "2 groups of writeback V2 looked at"


@pytest.mark.parametrize(
    ("one", "check", "status", "text"),
    [
        (group(1, mark="Group_x"), "anchor_form", Status.BLOCKED, "'Group_x'"),
        (group(1, mark="", dn=f"CN=Group_{cloud_id(1)},{MANAGED}"), "anchor_form", Status.BLOCKED, "no admin"),
        (group(1, mark=""), "anchor_form", Status.LEFT, "did not write it"),
        (group(1, mark=f"Group_{cloud_id(99)}"), "cloud_group", Status.BLOCKED, cloud_id(99)),
        (group(1, mail=True), "cloud_group", Status.LEFT, "group with mail"),
        (group(1, group_type=8), "cloud_group", Status.LEFT, "distribution"),
        (group(1, group_type=-2147483646), "universal_scope", Status.BLOCKED, "global"),
        (group(1, members=(member(5), member(6), member(7))), "member_count", Status.BLOCKED, "3 members"),
        (group(1, problem="cut off"), "member_count", Status.UNKNOWN, "cut off"),
        (group(1, members=(member(5, "computer"),)), "member_kinds", Status.ATTENTION, "devices: CN=M5"),
        (group(1, members=(member(5, "group"),)), "member_kinds", Status.ATTENTION, "did not write: CN=M5"),
        (group(1, members=(member(5, "contact"),)), "member_kinds", Status.ATTENTION, "neither"),
        (group(1, local_members=("CN=L",)), "member_kinds", Status.BLOCKED, "CN=L"),
        (group(1, anchor=f"Group_{cloud_id(2)}"), "anchor_free", Status.BLOCKED, cloud_id(2)),
        (group(1, dn=f"CN=old,{MANAGED}"), "names", Status.ATTENTION, f"CN=G1,{MANAGED}"),
        (group(1, dn=f"CN=G1,{SUB}"), "names", Status.ATTENTION, f"CN=G1,{MANAGED}"),
        (group(1, guarded="adminCount is 1"), "rights", Status.BLOCKED, "adminCount"),
    ],
)
def test_each_finding_has_its_row(one: WritebackGroup, check: str, status: Status, text: str) -> None:
    rows = look(one, max_members=2)
    assert told(rows) == {(check, guid(1), status)}
    assert text in next(row.found for row in rows if row.guid)
    assert all(row.remedy for row in rows if row.status is Status.BLOCKED)


def test_an_anchor_in_other_letters_is_the_same() -> None:
    assert told(look(group(1, anchor=f"group_{cloud_id(1).upper()}"))) == set()


def test_duplicates_in_the_container_and_in_the_forest() -> None:
    twins = look(group(1), group(2, mark=f"Group_{cloud_id(1)}"))
    assert {("anchor_unique", guid(1), Status.BLOCKED), ("anchor_unique", guid(2), Status.BLOCKED)} <= told(twins)
    held = {cloud_id(1): frozenset({f"CN=G1,{MANAGED}", "CN=x,DC=emea"}), cloud_id(2): frozenset({f"CN=G2,{MANAGED}"})}
    assert told(look(group(1), group(2), anchored=held)) == {("anchor_unique", guid(1), Status.BLOCKED)}
    alone = next(row for row in look(group(1), forest=False) if row.check == "anchor_unique")
    assert "in the target domain alone" in alone.found


def test_names_that_are_taken_or_wanted_twice() -> None:
    old = group(1, dn=f"CN=old,{MANAGED}")
    taken = Occupied({dn.key(f"CN=G1,{MANAGED}"): guid(7)})
    assert told(look(old, occupied=taken)) == {("names", guid(1), Status.BLOCKED)}
    own = Occupied({dn.key(f"CN=G1,{MANAGED}"): guid(1)})
    assert told(look(old, occupied=own)) == {("names", guid(1), Status.ATTENTION)}
    both = {cloud_id(1): view(1, cn="same"), cloud_id(2): view(2, cn="same")}
    assert {status for _check, _guid, status in told(look(group(1), group(2), cloud=both))} == {Status.BLOCKED}
    wrong = {cloud_id(1): view(1, problem="the mapping of cn gives nothing")}
    assert told(look(group(1), cloud=wrong)) == {("names", guid(1), Status.BLOCKED)}


def test_rights_of_the_account_and_of_others() -> None:
    rows = look(group(1), untrusted={guid(1): "S-1-5-21-1"}, rights=(Right("write", False, "mail", "Grant"),))
    assert told(rows) == {("rights", guid(1), Status.ATTENTION), ("rights", "", Status.BLOCKED)}
    assert told(look(group(1), rights=(Right("write", True, "allowed"),))) == set()


def test_microsoft_365_groups_and_scope() -> None:
    cloud = {
        cloud_id(1): view(1, reason=Skipped.NOT_SELECTED),
        cloud_id(2): view(2, reason=Skipped.MICROSOFT_365),
        cloud_id(3): view(3, reason=Skipped.MICROSOFT_365),
    }
    rows = look(group(1), group(2), cloud=cloud)
    assert told(rows) == {
        ("scope", guid(1), Status.BLOCKED),
        ("cloud_group", guid(2), Status.LEFT),
        ("microsoft_365", "", Status.ATTENTION),
    }
    assert "2 Microsoft 365 groups" in next(row.found for row in rows if row.check == "microsoft_365")


def test_without_a_capture_the_cloud_is_unknown_and_nobody_is_ready() -> None:
    found = Found((group(1),), None)
    rows = checks(found)
    assert {row.check for row in rows if row.status is Status.UNKNOWN} == {
        "cloud_group",
        "names",
        "microsoft_365",
        "scope",
    }
    assert ready(found, rows) == ()


def test_who_is_ready() -> None:
    groups = (
        group(1),
        group(2, mark="Group_x"),
        group(3, mail=True),
        group(4, mark=""),
        group(5),
        group(6, guarded="x"),
    )
    cloud = {cloud_id(number): view(number) for number in (1, 3, 6)} | {
        cloud_id(5): view(5, reason=Skipped.FILTERED_OUT)
    }
    found = Found(groups, cloud, leave=frozenset({guid(5)}))
    rows = checks(found)
    assert ready(found, rows) == (guid(1),)
    assert ("scope", guid(5), Status.LEFT) in told(rows)


def test_a_group_that_is_left_out_must_not_be_in_scope() -> None:
    rows = look(group(1, guarded="x"), leave=frozenset({guid(1)}))
    assert told(rows) == {("rights", guid(1), Status.LEFT), ("scope", guid(1), Status.BLOCKED)}


def test_long_lists_are_cut() -> None:
    rows = look(group(1, members=tuple(member(number, "computer") for number in range(20, 28))))
    assert "and 3 more" in next(row.found for row in rows if row.check == "member_kinds")
