# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose change is whose, and what the slices brought back as if one machine had done it."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import replace

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ObjectError, StoreError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    MemberChange,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied, KnownGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retry import PLAN_AGAIN
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.slices import (
    HandOver,
    Returned,
    Slice,
    index_of,
    replay,
)
from tests.unit.plugins.module_utils._provisioning.test_apply import create, members, update, want
from tests.unit.samples import MANAGED, cloud_id, guid

COUNT = 3
CONTAINER = GroupChange(Action.CREATE_CONTAINER, "", "", None, f"OU=New,{MANAGED}", None, {}, {}, "missing")


def done(change: GroupChange | MemberChange, status: str = "done") -> Applied:
    error = ObjectError("It is refused.", code="permission_denied") if status == "failed" else None
    return Applied(change.action.value, change.id, change.name, change.guid, change.dn, status, {}, {}, error=error)


def test_a_change_is_of_the_same_slice_on_every_machine() -> None:
    """As sha256sum says: the last digits of the digest, modulo the count."""
    ids = [cloud_id(number) for number in range(6)]
    assert [index_of(one, 4) for one in ids] == [3, 2, 3, 3, 0, 0]
    assert [index_of(one, 1) for one in ids] == [0] * 6


def test_slices_share_the_groups_evenly_and_each_group_is_of_one() -> None:
    ids = [str(uuid.UUID(int=number)) for number in range(8000)]
    slices = [Slice(8, index) for index in range(8)]
    assert all(sum(one.has(cloud_id) for one in slices) == 1 for cloud_id in ids)
    shares = Counter(index_of(cloud_id, 8) for cloud_id in ids)
    assert all(900 < share < 1100 for share in shares.values())


def test_a_container_is_of_every_slice() -> None:
    assert all(Slice(4, index).has("") for index in range(4))


def test_slices_may_write_for_their_minutes() -> None:
    given = HandOver("plan", "gpad_group", 2, 90, "2026-01-01T10:00:00.000000Z")
    assert given.until == "2026-01-01T11:30:00.000000Z"


def merged(
    changes: list[GroupChange] | list[MemberChange],
    brought: dict[int, list[Applied]],
    known: dict[str, KnownGroup] | None = None,
    ended: str = "",
) -> tuple[list[Applied], Counter[int]]:
    """Merge what each slice brought back."""
    lost: Counter[int] = Counter()
    returned = {index: Returned(told, ended) for index, told in brought.items()}
    return list(replay(changes, COUNT, returned, known or {}, lost)), lost


def share(changes: list[GroupChange], index: int) -> list[Applied]:
    return [done(change) for change in changes if Slice(COUNT, index).has(change.id)]


CHANGES = [CONTAINER, *(create(number) for number in range(10, 22)), *(update(number) for number in range(30, 36))]


def test_what_all_slices_did_is_what_one_machine_would_have_done() -> None:
    told, lost = merged(CHANGES, {index: share(CHANGES, index) for index in range(COUNT)})
    assert told == [done(change) for change in CHANGES]
    assert not lost


def test_the_changes_of_a_slice_that_did_not_come_back_failed() -> None:
    told, lost = merged(CHANGES, {index: share(CHANGES, index) for index in (0, 2)})
    mine = [change for change in CHANGES if change.id and index_of(change.id, COUNT) == 1]
    failures = [applied for applied in told if applied.error is not None]
    assert 0 < len(mine) == lost[1] == lost.total()
    assert [(one.id, one.status) for one in failures] == [(change.id, "failed") for change in mine]
    assert {(one.error.code, one.error.message) for one in failures if one.error} == {
        ("slice_missing", "Slice 1 of 0 to 2 did not come back, so that nobody knows whether this was done.")
    }
    assert [one for one in told if one.error is None] == [done(change) for change in CHANGES if change not in mine]


@pytest.mark.parametrize(
    ("ended", "said"), [("", "broke off before it."), ("The disk is full.", "ended before it: The disk is full.")]
)
def test_a_slice_that_ended_early_counts_with_what_it_did(ended: str, said: str) -> None:
    brought = {index: share(CHANGES, index) for index in range(COUNT)}
    cut = brought[2][:2]
    told, lost = merged(CHANGES, {**brought, 2: cut}, ended=ended)
    assert lost == Counter({2: len(brought[2]) - 2})
    missing = [one for one in told if one.error is not None]
    assert {one.error.message for one in missing if one.error} == {f"Slice 2 of 0 to 2 {said}"}
    assert not {one.id for one in missing} & {one.id for one in cut}


def test_a_container_is_there_when_one_slice_could_make_it() -> None:
    for brought, status in (
        ({0: [done(CONTAINER, "failed")], 1: [done(CONTAINER)], 2: []}, "done"),
        ({0: [done(CONTAINER, "failed")], 2: [done(CONTAINER, "failed")]}, "failed"),
    ):
        ((told,), lost) = merged([CONTAINER], brought)
        assert (told.status, lost) == (status, Counter())


def test_a_container_that_no_slice_came_to_is_missing_in_all_of_them() -> None:
    ((told,), lost) = merged([CONTAINER], {1: []})
    assert told.error is not None and told.error.code == "slice_missing"
    assert lost == Counter({0: 1, 1: 1, 2: 1})


def test_what_is_not_of_this_plan_is_refused() -> None:
    index = index_of(cloud_id(10), COUNT)
    with pytest.raises(StoreError, match="tells of update Group 11 where the plan has create Group 10"):
        merged([create(10)], {index: [done(update(11))]})
    with pytest.raises(StoreError, match="create_container OU=Other"):
        other = replace(CONTAINER, dn=f"OU=Other,{MANAGED}")
        merged([CONTAINER], {0: [done(other)]})


def test_the_principals_behind_links_are_found_again() -> None:
    """A journal keeps the objectGUIDs alone; what remains wanted of a change is told by principal."""
    change = replace(members([want(1), want(40, None), want(2)]), id=cloud_id(10))
    index = index_of(change.id, COUNT)
    told = replace(done(change), status="partial", added=(guid(1), guid(40)))
    ((applied,), _lost) = merged([change], {index: [told]}, {cloud_id(40): KnownGroup(guid(40), True)})
    assert applied.added_ids == {cloud_id(1), cloud_id(40)}


def test_a_lost_slice_says_nothing_of_its_objects() -> None:
    assert "slice_missing" in PLAN_AGAIN
