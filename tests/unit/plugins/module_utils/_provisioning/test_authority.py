# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of states, and the checksum of what is approved."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.authority import (
    Authority,
    Master,
    State,
    authority_of,
    checksum,
)
from tests.unit.plugins.module_utils._provisioning.authorities import candidate, facts, inner, synced
from tests.unit.samples import cloud_group, cloud_id, sid, user

SID = sid(2001)


@pytest.mark.parametrize(
    ("read", "state", "master", "pending"),
    [
        (Authority(False, True, SID), State.SYNCED, Master.ON_PREMISES, False),
        (Authority(True, None, SID), State.CONVERTED, Master.CLOUD, False),
        (Authority(True, False, SID), State.CONVERTED, Master.CLOUD, False),
        (Authority(True, True, SID), State.CONVERTED, Master.CLOUD, True),
        (Authority(False, None, SID), State.ROLLED_BACK, Master.ON_PREMISES, True),
        (Authority(False, None, None), State.CLOUD_NATIVE, Master.CLOUD, False),
        (Authority(None, True, SID), State.UNKNOWN, None, False),
    ],
)
def test_the_table_of_states(read: Authority, state: State, master: Master | None, pending: bool) -> None:
    assert (read.state, read.master, read.is_pending) == (state, master, pending)


@pytest.mark.parametrize(
    ("wanted", "state"), [(Master.CLOUD, State.CONVERTED), (Master.ON_PREMISES, State.ROLLED_BACK)]
)
def test_what_a_change_leads_to(wanted: Master, state: State) -> None:
    moved = Authority(None, True, SID).moved(wanted)
    assert (moved.state, moved.sid) == (state, SID)


def test_the_state_of_a_group_is_read_from_its_properties() -> None:
    assert authority_of(synced(1)) == Authority(False, True, SID)
    assert authority_of(cloud_group(1, onPremisesSyncEnabled="yes")) == Authority(None, None, None)


def test_the_checksum_knows_the_groups_and_the_direction_and_no_order() -> None:
    first = checksum(Master.CLOUD, ["a", "b"])
    assert first == checksum(Master.CLOUD, ["b", "a"]) and len(first) == 64
    assert first != checksum(Master.ON_PREMISES, ["a", "b"]) and first != checksum(Master.CLOUD, ["a"])


def test_a_group_is_not_nested_in_itself_and_users_are_not_nested() -> None:
    assert candidate(synced(1), inner(1), inner(2), user(3)).nested == {cloud_id(2)}


def test_what_only_the_directory_lists() -> None:
    one = candidate(synced(1), user(3), known=facts(1, [sid(5003), sid(5004), None]))
    assert one.only_in_directory == {sid(5004)}
