# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the directory needs before a group changes its master."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.apply import apply_groups
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.authority_plan import (
    Earlier,
    plan_hand_back,
    plan_universal,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    GroupChange,
    PlanItem,
    Problem,
)
from tests.unit.fakes import FakeDirectory, FakeJournal
from tests.unit.samples import OUTSIDE, anchored_group, cloud_id, directory_group, guid, settings, sid

GLOBAL, DOMAIN_LOCAL, UNIVERSAL = "-2147483646", "-2147483644", "-2147483640"
GLOBAL_DISTRIBUTION, UNIVERSAL_DISTRIBUTION = "2", "8"


def world(types: dict[int, str], inside: dict[int, list[int]] | None = None) -> FakeDirectory:
    directory = FakeDirectory()
    for number, kind in types.items():
        members = [guid(one) for one in (inside or {}).get(number, [])]
        directory.add_group(directory_group(number, groupType=(kind,)), members)
    return directory


def universal(directory: FakeDirectory, *numbers: int) -> list[PlanItem]:
    return list(plan_universal(settings(), [sid(2000 + number) for number in numbers], directory, Tally()))


def shown(items: list[PlanItem]) -> list[tuple[str | None, str]]:
    """Return the group and its new type, or the code of what stands in the way."""
    return [
        (item.guid, item.after["groupType"][0]) if isinstance(item, GroupChange) else (None, getattr(item, "code", ""))
        for item in items
    ]


def test_global_groups_are_left_by_their_parents_first() -> None:
    directory = world({1: GLOBAL, 2: GLOBAL, 3: UNIVERSAL}, {2: [1]})
    items = universal(directory, 1, 2, 3)
    assert shown(items) == [(guid(2), UNIVERSAL), (guid(1), UNIVERSAL)]
    list(apply_groups((i for i in items if isinstance(i, GroupChange)), directory, directory, FakeJournal()))
    assert universal(directory, 1, 2, 3) == []


def test_domain_local_groups_follow_those_that_they_hold() -> None:
    items = universal(world({1: DOMAIN_LOCAL, 2: DOMAIN_LOCAL}, {1: [2]}), 1, 2)
    assert shown(items) == [(guid(2), UNIVERSAL), (guid(1), UNIVERSAL)]


def test_what_a_group_that_was_not_named_forbids_is_told() -> None:
    items = universal(world({1: GLOBAL, 2: GLOBAL}, {2: [1]}), 1)
    assert shown(items) == [(None, "scope_not_convertible")]
    assert isinstance(items[0], Problem) and "it is a member of the global group CN=Group 2" in items[0].message


def test_a_distribution_group_stays_one() -> None:
    assert shown(universal(world({1: GLOBAL_DISTRIBUTION}), 1)) == [(guid(1), UNIVERSAL_DISTRIBUTION)]


def test_what_is_never_written_is_told() -> None:
    directory = world({})
    directory.add_group(directory_group(1, groupType=(GLOBAL,), adminCount=("1",)))
    directory.add_group(directory_group(2, groupType=(GLOBAL,), container=OUTSIDE))
    assert shown(universal(directory, 1, 2)) == [(None, "protected_group"), (None, "container_not_managed")]


MARK = f"TakenOver_Group_{cloud_id(1)}"


def back(
    mark: str, earlier: Earlier | None, attributes: dict[str, tuple[str, ...]] | None = None
) -> tuple[list[PlanItem], FakeDirectory]:
    directory = FakeDirectory()
    group = anchored_group(1)
    held = {"adminDescription": (mark,)} if mark else {}
    directory.add_group(replace(group, attributes={**group.attributes, **held, **(attributes or {})}))
    known = {cloud_id(1): earlier} if earlier else {}
    return list(plan_hand_back(settings(), [cloud_id(1)], known, directory, Tally())), directory


@pytest.mark.parametrize("values", [(), ("kept by hand",)])
def test_the_earlier_value_is_handed_back(values: tuple[str, ...]) -> None:
    items, directory = back(MARK.upper(), Earlier(guid(1), "Sales", values))
    (change,) = items
    assert isinstance(change, GroupChange)
    assert (change.name, change.after) == ("Sales", {"adminDescription": values})
    list(apply_groups([change], directory, directory, FakeJournal()))
    assert directory.nodes[guid(1)].attributes.get("adminDescription", ()) == values
    again = plan_hand_back(settings(), [cloud_id(1)], {cloud_id(1): Earlier(guid(1), "x", values)}, directory, Tally())
    assert list(again) == []


@pytest.mark.parametrize(
    ("mark", "earlier", "attributes", "code"),
    [
        (MARK, None, {}, "earlier_value_unknown"),
        (f"Group_{cloud_id(1)}", None, {}, "born_in_cloud"),
        (MARK, Earlier(guid(1), "x", ()), {"adminCount": ("1",)}, "protected_group"),
    ],
)
def test_what_cannot_be_handed_back(
    mark: str, earlier: Earlier | None, attributes: dict[str, tuple[str, ...]], code: str
) -> None:
    (problem,) = back(mark, earlier, attributes)[0]
    assert isinstance(problem, Problem) and (problem.id, problem.code) == (cloud_id(1), code)


@pytest.mark.parametrize("mark", ["", "kept by hand", f"TakenOver_Group_{cloud_id(2)}"])
def test_what_is_no_mark_of_this_group_stays(mark: str) -> None:
    assert back(mark, Earlier(guid(1), "x", ()))[0] == []


def test_nothing_is_searched_for_nobody() -> None:
    assert list(plan_hand_back(settings(), [], {}, FakeDirectory(), Tally())) == []
