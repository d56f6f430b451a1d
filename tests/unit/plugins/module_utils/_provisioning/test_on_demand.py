# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans narrowed to chosen members, and the steps of each group and member."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import on_demand
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.cycle import build_plan
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import PrincipalKind
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.on_demand import (
    Chosen,
    Steps,
    chosen_members,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    MemberChange,
    PlanItem,
    Skip,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import SnapshotHeader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.run_facts import RunFacts, Trace
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.scope import Scope, ScopeMode
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Settings
from tests.unit import samples
from tests.unit.fakes import FakeCloud, FakeDirectory, FakeJournal
from tests.unit.plugins.module_utils._provisioning.planning import settled, whole
from tests.unit.samples import cloud_group, cloud_id, group_member, guid, other_member, sid, user

NARROWED = SnapshotHeader(samples.TENANT, "2026-01-01T00:00:00Z", "f", narrowed=True)


def world() -> tuple[FakeCloud, FakeDirectory, FakeJournal]:
    """Return a settled group that lists users 1 and 2 and what is skipped, and is linked to users 2 and 3."""
    listed = whole(user(1), user(2), user(9), group_member(5), other_member(6, PrincipalKind.DEVICE))
    directory = FakeDirectory()
    for number in (1, 2, 3):
        directory.add_user(number)
    directory.add_group(settled(10), [guid(2), guid(3)])
    journal = FakeJournal()
    journal.know(10, guid=guid(10))
    return FakeCloud([cloud_group(10)], {cloud_id(10): listed}, header=NARROWED), directory, journal


def account(number: int) -> str:
    """Return the SID of a user's account."""
    return user(number).on_premises_security_identifier or ""


def planned(
    cloud: FakeCloud,
    directory: FakeDirectory,
    journal: FakeJournal,
    chosen: Chosen | None = None,
    settings: Settings | None = None,
) -> tuple[list[PlanItem], list[Steps]]:
    trace = Trace()
    settings = settings or samples.settings()
    found: Iterable[PlanItem] = build_plan(
        settings, cloud, directory, journal.known(), Tally(), RunFacts(), trace=trace
    )
    items = list(found if chosen is None else on_demand.narrow(found, chosen))
    return items, list(on_demand.steps(cloud.groups(), items, trace, chosen))


def change(items: Iterable[PlanItem]) -> tuple[set[str], set[str | None]]:
    """Return the object ids added and the SIDs removed."""
    changes = [item for item in items if isinstance(item, MemberChange)]
    assert len(changes) < 2
    added = {want.id for one in changes for want in one.add}
    return added, {link.sid for one in changes for link in one.remove}


def results(steps: Iterable[Steps]) -> dict[str, str]:
    return {step.name: str(step.result) for step in steps}


def test_without_a_choice_every_member_goes_through_the_steps() -> None:
    items, steps = planned(*world())
    assert change(items) == ({user(1).id}, {account(3)})
    first, *members = steps
    assert (first.id, first.result, first.group_id) == (cloud_id(10), "unchanged", "")
    assert first.imported == "Entra ID has it, with 5 direct members" and first.match.startswith("CN=Group 10_")
    assert {step.group_name for step in members} == {"Group 10"}
    by_action = {(step.id or step.match, step.action, str(step.result)) for step in members}
    linked = next(node.dn for node in world()[1].nodes.values() if node.guid == guid(3))
    assert by_action == {
        (user(1).id, "add", "planned"),
        (user(2).id, "none", "unchanged"),
        (user(9).id, "none", "skipped"),
        (group_member(5).id, "none", "skipped"),
        (other_member(6, PrincipalKind.DEVICE).id, "none", "skipped"),
        (linked, "remove", "planned"),
    }
    scopes = {step.id: (step.scope, step.match) for step in members}
    assert scopes[user(9).id] == ("can be written", "no account has its SID")
    assert scopes[group_member(5).id][0] == "the member group is not among the named groups of this run"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (user(1).id.upper(), ({user(1).id}, set())),
        (account(1), ({user(1).id}, set())),
        (account(3), (set(), {account(3)})),
        (user(2).id, (set(), set())),
        (cloud_id(77), (set(), set())),
    ],
)
def test_only_the_chosen_are_changed(entry: str, expected: tuple[set[str], set[str]]) -> None:
    items, steps = planned(*world(), chosen_members([entry]))
    assert change(items) == expected
    assert len(steps) == 2
    assert not any(isinstance(item, Skip) for item in items)


def test_a_former_member_is_chosen_by_the_name_of_the_account() -> None:
    cloud, directory, journal = world()
    name = next(node.dn for node in directory.nodes.values() if node.guid == guid(3))
    chosen = chosen_members([name.replace("CN=", "cn=").replace(",", ", ")])
    items, steps = planned(cloud, directory, journal, chosen)
    assert change(items) == (set(), {account(3)}) and steps[1].action == "remove"


def test_a_chosen_member_that_nobody_knows_and_one_that_is_skipped_are_told() -> None:
    items, steps = planned(*world(), chosen_members([cloud_id(77), user(9).id, sid(99)]))
    assert results(steps[1:]) == {cloud_id(77): "skipped", user(9).display_name: "skipped", sid(99): "skipped"}
    assert {step.match for step in steps if step.name in (cloud_id(77), sid(99))} == {"no link to it"}
    assert [item.id for item in items if isinstance(item, Skip)] == [user(9).id]


def test_what_is_done_does_not_depend_on_whether_it_is_told() -> None:
    cloud, directory, journal = world()
    quiet = list(build_plan(samples.settings(), cloud, directory, journal.known(), Tally(), RunFacts()))
    assert quiet == planned(cloud, directory, journal)[0]


def test_a_group_that_is_out_of_scope_is_not_looked_for() -> None:
    scope = Scope(frozenset(), ScopeMode.SELECTED)
    cloud = FakeCloud([cloud_group(10)], header=NARROWED, scope=scope)
    (step,) = planned(cloud, FakeDirectory(), FakeJournal())[1]
    assert (step.result, step.match, step.action) == ("skipped", "not looked for", "none")
    assert step.scope == "out of scope: it is not among the selected groups (selected)"


def test_a_new_group_and_one_that_fails() -> None:
    cloud = FakeCloud([cloud_group(10)], {cloud_id(10): whole(user(1))}, header=NARROWED)
    directory = FakeDirectory()
    directory.add_user(1)
    group, member = planned(cloud, directory, FakeJournal())[1]
    assert (group.match, group.action, member.action) == ("no object yet", "create (new)", "add")
    few = FakeCloud([cloud_group(10)], {cloud_id(10): whole(user(1), user(2))}, header=NARROWED)
    (failed,) = planned(few, directory, FakeJournal(), settings=samples.settings(max_members=1))[1]
    assert failed.result == "failed" and failed.action.startswith("failed: It has 2 members")


@pytest.mark.parametrize(("entries", "words"), [(["Britta"], "'Britta' is no object id"), ([], "nobody is chosen")])
def test_a_choice_that_cannot_be_understood_is_refused(entries: list[str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        chosen_members(entries)
