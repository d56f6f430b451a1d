# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The anchors of groups that writeback V2 wrote."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.apply import apply_groups
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Kind, Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import Values
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    PlanItem,
    Problem,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.undo import plan_undo
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.writeback_plan import plan_stamp
from tests.unit.fakes import FakeDirectory, FakeJournal
from tests.unit.samples import OUTSIDE, anchored_group, cloud_id, directory_group, guid, settings


def mark(number: int) -> tuple[str]:
    return (f"Group_{cloud_id(number)}",)


def world(**groups: dict[str, Values]) -> FakeDirectory:
    directory = FakeDirectory()
    for name, attributes in groups.items():
        one = directory_group(int(name[1:]))
        directory.add_group(replace(one, attributes={**one.attributes, **attributes}))
    return directory


def stamp(directory: FakeDirectory, *numbers: int) -> list[PlanItem]:
    return list(plan_stamp(settings(), [guid(number) for number in numbers], directory, Tally()))


def problems(items: list[PlanItem]) -> dict[str, str]:
    return {item.id: item.code for item in items if isinstance(item, Problem)}


def carry_out(directory: FakeDirectory, items: list[PlanItem]) -> list[Applied]:
    changes = (item for item in items if isinstance(item, GroupChange))
    return list(apply_groups(changes, directory, directory, FakeJournal()))


def test_the_mark_becomes_the_anchor_once() -> None:
    directory = world(g1={"adminDescription": (mark(1)[0].upper(),)}, g2={"adminDescription": mark(2)})
    items = stamp(directory, 1, 2, 1)
    assert [(item.action, item.id) for item in items if isinstance(item, GroupChange)] == [
        (Action.STAMP, cloud_id(1)),
        (Action.STAMP, cloud_id(2)),
    ]
    tally = Tally()
    assert list(tally.counted(items)) == items and tally.counts[Kind.ADOPTIONS] == 2
    assert [one.status for one in carry_out(directory, items)] == ["done", "done"]
    assert directory.nodes[guid(1)].attributes[ANCHOR] == mark(1)
    assert stamp(directory, 1, 2) == []


def test_what_is_not_fit_is_told_and_the_others_go_on() -> None:
    directory = world(
        g1={"adminDescription": mark(1)},
        g2={"adminDescription": ("Group_x",)},
        g3={"adminDescription": mark(3), "mail": ("a@b",)},
        g4={"adminDescription": mark(4), ANCHOR: mark(9)},
        g5={"adminDescription": mark(5), "adminCount": ("1",)},
        g6={"adminDescription": mark(6)},
        g7={"adminDescription": mark(6)},
    )
    directory.add_group(directory_group(8, container=OUTSIDE, adminDescription=mark(8)))
    items = stamp(directory, *range(1, 9))
    assert problems(items) == {
        guid(2): "writeback_mark_invalid",
        guid(3): "writeback_not_security",
        guid(4): "writeback_anchor_taken",
        guid(5): "protected_group",
        guid(6): "duplicate_anchor",
        guid(7): "duplicate_anchor",
        guid(8): "container_not_managed",
    }
    assert [item.id for item in items if isinstance(item, GroupChange)] == [cloud_id(1)]


def test_an_anchor_that_is_elsewhere_already_is_not_given_twice() -> None:
    for elsewhere in (anchored_group(2, of=1), anchored_group(2, of=1, container=OUTSIDE)):
        directory = world(g1={"adminDescription": mark(1)})
        directory.add_group(elsewhere)
        assert problems(stamp(directory, 1)) == {guid(1): "duplicate_anchor"}


def test_a_mark_that_was_changed_since_is_not_followed() -> None:
    directory = world(g1={"adminDescription": mark(1)})
    items = stamp(directory, 1)
    directory.nodes[guid(1)].attributes["adminDescription"] = mark(2)
    (done,) = carry_out(directory, items)
    assert done.error is not None and done.error.code == "directory_moved_on"
    assert ANCHOR not in directory.nodes[guid(1)].attributes


def test_the_way_back_takes_the_anchor_and_leaves_the_mark() -> None:
    directory = world(g1={"adminDescription": mark(1)}, g2={"adminDescription": mark(2)})
    done = carry_out(directory, stamp(directory, 1, 2))
    directory.nodes[guid(2)].attributes[ANCHOR] = mark(7)
    items = list(plan_undo(settings(), done, directory, Tally()))
    assert [item.guid for item in items if isinstance(item, GroupChange)] == [guid(1)]
    carry_out(directory, items)
    assert not directory.nodes[guid(1)].attributes.get(ANCHOR)
    assert directory.nodes[guid(1)].attributes["adminDescription"] == mark(1)
    assert directory.nodes[guid(2)].attributes[ANCHOR] == mark(7)


def test_nothing_is_searched_for_nobody() -> None:
    assert stamp(FakeDirectory()) == []
