# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""When what failed is tried again, and what a plan does with it until then."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ObjectError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import Kind, Tally
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.membership import Wanted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import PrincipalKind
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_of, moment_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    MemberChange,
    Notice,
    PlanItem,
    Problem,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retry import (
    PLAN_AGAIN,
    Change,
    Part,
    Retry,
    RetryRules,
    Trial,
    Waiting,
    digest_of,
    failed_again,
    not_stale,
    part_of,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.run_facts import RunFacts
from tests.unit.fakes import FakeCloud, FakeDirectory, FakeJournal
from tests.unit.plugins.module_utils._provisioning.planning import actions, codes, member_change, plan, settled, whole
from tests.unit.samples import cloud_group, cloud_id, group_member, guid, link, user

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=timezone.utc)
DENIED = ObjectError("It may not.", "Let it.", code="permission_denied")


def update(number: int = 1, **after: str) -> GroupChange:
    values = {name: (value,) for name, value in (after or {"description": "new"}).items()}
    return GroupChange(
        Action.UPDATE, cloud_id(number), f"Group {number}", guid(number), "CN=G", None, {}, values, "differs"
    )


def move(number: int = 1) -> GroupChange:
    return replace(update(number), action=Action.MOVE, new_dn="CN=G,OU=There", after={})


def members(*add: int, remove: tuple[int, ...] = ()) -> MemberChange:
    wanted = tuple(Wanted(cloud_id(n), PrincipalKind.USER, f"User {n}", guid(n)) for n in add)
    links = tuple(link(n) for n in remove)
    return MemberChange(cloud_id(1), "Group 1", guid(1), "CN=G", wanted, links, len(links), "digest")


def became(change: Change, error: ObjectError | None = None, *, added: tuple[int, ...] = ()) -> Applied:
    return Applied(
        change.action.value,
        change.id,
        change.name,
        change.guid,
        change.dn,
        "partial" if error and added else "failed" if error else "done",
        {},
        {},
        tuple(guid(n) for n in added),
        (),
        error,
        frozenset(cloud_id(n) for n in added),
    )


def failed(*changes: Change, before: Retry | None = None, now: datetime = NOW) -> Retry:
    return failed_again(before, changes, changes, DENIED, now, RetryRules())


def waiting(*rows: Retry, now: datetime = NOW) -> Waiting:
    return Waiting({(row.id, row.part): row for row in rows}, moment_text(now))


# The schedule


def test_the_next_try_is_later_and_later_and_then_there_is_none() -> None:
    row: Retry | None = None
    now, waits = NOW, []
    while row is None or row.next_at is not None:
        row = failed(update(), before=row, now=now)
        if row.next_at is not None:
            waits.append((moment_of(row.next_at) - now).total_seconds() / 3600)
            now = moment_of(row.next_at)
    assert waits[:4] == [6, 12, 24, 24] and set(waits[2:]) == {24}
    assert now - NOW <= timedelta(days=28) < now - NOW + timedelta(hours=24)
    assert row.tries == len(waits) + 1 and moment_of(row.first_at) == NOW


def test_what_is_wanted_now_begins_anew() -> None:
    first = failed(update())
    again = failed(update(), before=first, now=NOW + timedelta(hours=6))
    other = failed(update(description="another"), before=again, now=NOW + timedelta(hours=7))
    assert (first.tries, again.tries, other.tries) == (1, 2, 1)
    assert again.first_at == first.first_at and other.first_at > again.first_at


@pytest.mark.parametrize(("hours", "days", "next_in"), [((1,), 28, 1), ((48,), 1, None), ((24,), 1, 24)])
def test_the_schedule_can_be_chosen(hours: tuple[int, ...], days: int, next_in: int | None) -> None:
    row = failed_again(None, (update(),), (update(),), DENIED, NOW, RetryRules(hours, days))
    assert row.next_at == (moment_text(NOW + timedelta(hours=next_in)) if next_in else None)


# The digest


@pytest.mark.parametrize(
    "other",
    [
        (update(description="another"),),
        (update(displayName="new"),),
        (update(), move()),
        (replace(update(), action=Action.CONVERT),),
        (move(),),
        (members(1),),
    ],
)
def test_what_is_wanted_changes_the_digest(other: tuple[Change, ...]) -> None:
    assert digest_of(other) != digest_of((update(),))


def test_what_is_there_does_not_change_the_digest() -> None:
    assert digest_of((update(),)) == digest_of((replace(update(), before={"description": ("old",)}, dn="CN=H"),))
    assert digest_of((members(1, 2),)) == digest_of((replace(members(2, 1), before_digest="other", before_usn=9),))


def test_where_a_group_is_to_be_created_is_wanted() -> None:
    creation = replace(update(), action=Action.CREATE, guid=None)
    assert digest_of((creation,)) != digest_of((replace(creation, dn="CN=G,OU=Elsewhere"),))


# What becomes of a try


def test_of_a_partial_change_the_rest_remains_wanted() -> None:
    trial = Trial()
    trial.add(members(1, 2, 3), became(members(1, 2, 3), DENIED, added=(1, 3)))
    assert trial.lasting is DENIED
    assert digest_of(trial.left) == digest_of((members(2),))


def test_of_several_steps_those_from_the_failure_on_remain_wanted() -> None:
    trial = Trial()
    later = ObjectError("An earlier step failed.", code="earlier_step_failed")
    trial.add(update(description="done"), became(update()))
    trial.add(update(), became(update(), DENIED))
    trial.add(move(), became(move(), later))
    assert trial.lasting is DENIED and trial.left == [update(), move()]


@pytest.mark.parametrize("code", sorted(PLAN_AGAIN))
def test_failures_that_the_next_plan_settles_do_not_wait(code: str) -> None:
    trial = Trial()
    trial.add(update(), became(update(), ObjectError("Not now.", code=code)))
    assert trial.error is not None and trial.lasting is None


# The plan


def one_group(description: str = "new") -> tuple[FakeCloud, FakeDirectory, FakeJournal]:
    """A group whose description and members differ, beside one that is to be created."""
    members = {cloud_id(10): whole(user(1), group_member(11)), cloud_id(11): whole(user(1))}
    cloud = FakeCloud([cloud_group(10, description=description), cloud_group(11)], members)
    directory, journal = FakeDirectory(), FakeJournal()
    directory.add_user(1)
    directory.add_group(settled(10))
    journal.remember(cloud_id(10), guid(10), accepted=True)
    return cloud, directory, journal


def planned(world: tuple[FakeCloud, FakeDirectory, FakeJournal], *rows: Retry, now: datetime = NOW) -> list[PlanItem]:
    cloud, directory, journal = world
    return plan(cloud, directory, journal, run=RunFacts(now=now, waiting=waiting(*rows, now=now)))


def rows_of(items: list[PlanItem], part: Part, number: int) -> Retry:
    found = [i for i in items if isinstance(i, (GroupChange, MemberChange)) and i.id == cloud_id(number)]
    return failed(*(change for change in found if part_of(change) is part))


def test_what_waits_is_a_problem_that_says_until_when() -> None:
    world = one_group()
    everything = planned(world)
    assert actions(everything) == ["update", "create", "members", "members"]
    row = rows_of(everything, Part.GROUPS, 10)
    items = planned(world, row)
    (problem,) = (item for item in items if isinstance(item, Problem))
    assert (problem.id, problem.code, problem.part) == (cloud_id(10), "waiting_for_retry", "groups")
    assert "permission_denied: It may not." in problem.message and str(row.next_at) in problem.message
    assert "Let it." in problem.remedy and "retry_now" in problem.remedy
    assert actions(items) == ["create", "members", "members"], "its members are written"


def test_it_is_tried_when_its_time_has_come_and_when_it_changes() -> None:
    row = rows_of(planned(one_group()), Part.GROUPS, 10)
    assert "waiting_for_retry" in codes(planned(one_group(), row, now=NOW + timedelta(hours=5, minutes=59)))
    assert "waiting_for_retry" not in codes(planned(one_group(), row, now=NOW + timedelta(hours=6)))
    assert "waiting_for_retry" not in codes(planned(one_group("another"), row))
    dropped = replace(row, next_at=None)
    assert "waiting_for_retry" in codes(planned(one_group(), dropped, now=NOW + timedelta(days=99)))
    assert "waiting_for_retry" not in codes(planned(one_group("another"), dropped))


def test_a_group_that_waits_to_be_created_has_no_members_and_is_none() -> None:
    everything = planned(one_group())
    items = planned(one_group(), rows_of(everything, Part.GROUPS, 11))
    assert actions(items) == ["update", "members"]
    change = member_change(items, 10)
    assert change is not None and [want.id for want in change.add] == [cloud_id(1)]
    assert "group_not_provisioned" in codes(items)


def test_members_wait_by_themselves() -> None:
    everything = planned(one_group())
    items = planned(one_group(), rows_of(everything, Part.MEMBERS, 10))
    assert actions(items) == ["update", "create", "members"] and member_change(items, 10) is None


def test_what_waits_is_not_counted() -> None:
    cloud, directory, journal = one_group()
    row, tally = rows_of(planned((cloud, directory, journal)), Part.GROUPS, 10), Tally()
    plan(cloud, directory, journal, tally=tally, run=RunFacts(now=NOW, waiting=waiting(row)))
    assert (tally.counts[Kind.UPDATES], tally.counts[Kind.CREATIONS]) == (0, 1)


def test_a_move_that_waits_is_told_as_one() -> None:
    problem = waiting(failed(update(), move())).problem((update(), move()))
    plain = waiting(failed(update())).problem((update(),))
    assert problem is not None and problem.moves
    assert plain is not None and not plain.moves


def test_what_a_plan_does_not_speak_of_is_stale() -> None:
    items: list[PlanItem] = [
        update(1),
        members(2),
        Problem(cloud_id(3), "Group 3", "waiting_for_retry", "It failed.", part="groups"),
        Problem(cloud_id(4), "Group 4", "waiting_for_retry", "It failed.", part="members"),
        Problem(cloud_id(5), "Group 5", "container_missing", "It is not there."),
        Notice(cloud_id(6), "Group 6", "links_unread", "Its links broke off."),
        Notice(cloud_id(7), "Group 7", "move_held", "It stays."),
    ]
    assert not_stale(items, Part.GROUPS) == {cloud_id(number) for number in (1, 3, 5, 6)}
    assert not_stale(items, Part.MEMBERS) == {cloud_id(number) for number in (1, 4, 5, 6)}


def test_the_sample_differs_in_description_and_members_alone() -> None:
    _cloud, directory, journal = one_group()
    bare = FakeCloud([cloud_group(10)], {cloud_id(10): whole()})
    assert actions(plan(bare, directory, journal)) == []


@pytest.mark.parametrize("code", ["directory_unreachable", "directory_log_on_refused", "directory_not_trusted"])
def test_a_connection_that_broke_says_nothing_of_the_object(code: str) -> None:
    assert code in PLAN_AGAIN
