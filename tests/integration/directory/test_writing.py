# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links are written in batches; what one value does to its batch stays with that value."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.writer import Writer
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import GpadError, ObjectError
from tests.integration.directory.conftest import Connect, Domain, Made
from tests.lab.policy.admin import PolicyAdmin

NOBODY = "11111111-2222-3333-4444-555555555555"
UNIVERSAL, LOCAL = -2147483640, -2147483644


def named(guids: Iterable[str]) -> dict[str, str]:
    """Name members of the own domain as the plan does: by GUID alone."""
    return dict.fromkeys(guids, "")


def test_adds_and_removes_in_batches(writer: Writer, domain: Domain) -> None:
    guids = domain.user_guids
    group = domain.group(*[domain.users[guid] for guid in guids[:30]])
    result = writer.change_members(group.guid, add=named(guids[30:2600]), remove=named(guids[:20]))
    assert (len(result.added), len(result.removed), dict(result.failed)) == (2570, 20, {})
    assert domain.members(group) == {domain.users[guid] for guid in guids[20:2600]}


def test_batches_split_at_the_limit_of_the_server(strict_writer: Writer, domain: Domain, policy: PolicyAdmin) -> None:
    policy.set_policy(max_modify_values=300)
    group = domain.group()
    result = strict_writer.change_members(group.guid, add=named(domain.user_guids[:1200]), remove={})
    assert (len(result.added), dict(result.failed)) == (1200, {})
    assert len(domain.members(group)) == 1200
    written = policy.operations("modify")
    assert {record.result for record in written} == {0, 11}
    assert max(record.values for record in written if record.result == 0) <= 300
    assert max(record.values for record in written) > 300


def test_one_bad_value_among_many_is_found_and_the_others_are_written(writer: Writer, domain: Domain) -> None:
    group = domain.group()
    good = domain.user_guids[:700]
    result = writer.change_members(group.guid, add=named([*good, NOBODY]), remove={})
    assert result.added == frozenset(good)
    assert {guid: error.code for guid, error in result.failed.items()} == {NOBODY: "object_missing"}
    assert len(domain.members(group)) == 700


def test_a_link_that_is_there_already_is_no_failure(writer: Writer, domain: Domain) -> None:
    there, absent = domain.user_guids[:2]
    group = domain.group(domain.users[there])
    result = writer.change_members(group.guid, add=named([there, absent]), remove={})
    assert dict(result.failed) == {}
    assert domain.members(group) == {domain.users[there], domain.users[absent]}


def test_a_link_that_is_gone_already_is_no_failure(strict_writer: Writer, domain: Domain) -> None:
    first, second, absent = domain.user_guids[:3]
    group = domain.group(domain.users[first], domain.users[second])
    result = strict_writer.change_members(group.guid, add={}, remove=named([first, absent]))
    assert dict(result.failed) == {}
    assert domain.members(group) == {domain.users[second]}


def test_a_forbidden_nesting_is_told_for_its_link(strict_writer: Writer, domain: Domain) -> None:
    group, local = domain.group(group_type=UNIVERSAL), domain.group(group_type=LOCAL)
    good = domain.user_guids[:9]
    result = strict_writer.change_members(group.guid, add=named([*good, local.guid]), remove={})
    assert result.added == frozenset(good)
    assert {guid: error.code for guid, error in result.failed.items()} == {local.guid: "directory_rejected"}
    assert "00002146" in str(result.failed[local.guid])


@pytest.mark.parametrize("action", ["busy", "unavailable"])
def test_a_busy_server_is_tried_again(strict_writer: Writer, domain: Domain, policy: PolicyAdmin, action: str) -> None:
    group = domain.group()
    policy.add_fault(action, kind="modify", times=2)
    result = strict_writer.change_members(group.guid, add=named(domain.user_guids[:5]), remove={})
    assert (len(result.added), dict(result.failed)) == (5, {})
    assert [record.result == 0 for record in policy.operations("modify")] == [False, False, True]


def test_a_connection_that_drops_before_a_write_wrote_nothing(
    strict_writer: Writer, connect_strict: Connect, domain: Domain, policy: PolicyAdmin
) -> None:
    group = domain.group()
    policy.add_fault("drop_before", kind="modify")
    with pytest.raises(GpadError):
        strict_writer.change_members(group.guid, add=named(domain.user_guids[:5]), remove={})
    assert domain.members(group) == set()
    again = Writer(connect_strict()).change_members(group.guid, add=named(domain.user_guids[:5]), remove={})
    assert (len(again.added), dict(again.failed)) == (5, {})


def test_a_write_whose_answer_was_lost_is_recognised_as_done(
    strict_writer: Writer, connect_strict: Connect, domain: Domain, policy: PolicyAdmin
) -> None:
    group = domain.group()
    policy.add_fault("drop_after", kind="modify")
    with pytest.raises(GpadError):
        strict_writer.change_members(group.guid, add=named(domain.user_guids[:5]), remove={})
    assert len(domain.members(group)) == 5
    again = Writer(connect_strict()).change_members(group.guid, add=named(domain.user_guids[:5]), remove={})
    assert dict(again.failed) == {}


def test_create_modify_and_move(writer: Writer, domain: Domain) -> None:
    unique = uuid.uuid4().hex[:8]
    name = f"CN=Created {unique},{domain.groups_dn}"
    made = writer.create(
        name, {"sAMAccountName": (f"c{unique}",), "groupType": (str(UNIVERSAL),), "displayName": ("Created",)}
    )
    assert made.dn == name
    group = Made(made.dn, made.guid)
    writer.modify(made.guid, {"displayName": ("x" * 256,), "description": ("text",)})
    writer.modify(made.guid, {"description": ()})
    writer.relocate(made.guid, f"CN=Moved {unique},{domain.groups_dn}")
    assert domain.attribute(group, "displayName") == ["x" * 256]
    assert domain.attribute(group, "description") == []
    assert domain.attribute(group, "cn") == [f"Moved {unique}"]


@pytest.mark.parametrize("length", [257, 1000])
def test_a_value_that_is_too_long_is_refused(writer: Writer, domain: Domain, length: int) -> None:
    group = domain.group()
    with pytest.raises(ObjectError) as caught:
        writer.modify(group.guid, {"displayName": ("x" * length,)})
    assert caught.value.code == "invalid_value"
    assert domain.attribute(group, "displayName") == []


def test_a_name_that_is_too_long_is_refused(strict_writer: Writer, domain: Domain) -> None:
    with pytest.raises(ObjectError) as caught:
        strict_writer.create(f"CN={'x' * 65},{domain.groups_dn}", {"sAMAccountName": ("toolong",)})
    assert caught.value.code == "invalid_value"


def test_a_missing_parent_is_told_as_missing(strict_writer: Writer, domain: Domain) -> None:
    group = domain.group()
    with pytest.raises(ObjectError) as caught:
        strict_writer.relocate(group.guid, f"CN=Moved,OU=Nowhere,{domain.groups_dn}")
    assert caught.value.code == "object_missing"
