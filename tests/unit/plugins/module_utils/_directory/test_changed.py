# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed since a sequence number, deleted objects included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    EXTENDED_DN_CONTROL,
    SHOW_DELETED_CONTROL,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import ChangedObjects
from tests.unit.plugins.module_utils._directory.scripted import Operation, entry, refused, with_raw
from tests.unit.plugins.module_utils._directory.scripted_domain import DELETED_OBJECTS, group_entry, reader
from tests.unit.samples import BASE, cloud_id, guid, sid

MEMBER_OF = "memberOf;range=0-*"


def is_asked(operation: Operation) -> bool:
    return str(operation.arguments[1]).startswith("(uSNChanged")


def answering(*found: dict[str, Any], deleted: bool = True) -> Callable[[Operation], list[dict[str, Any]] | None]:
    def answer(operation: Operation) -> list[dict[str, Any]] | None:
        if operation.base == DELETED_OBJECTS:
            return [entry(DELETED_OBJECTS, objectClass=["container"])] if deleted else []
        return list(found) if is_asked(operation) else None

    return answer


def test_guids_sids_and_anchors(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"objectGUID": [identity.guid_to_bytes(guid(7))], "mS-DS-ConsistencyGuid": [identity.guid_to_bytes(guid(8))]}
    person = with_raw(entry(f"CN=Person,{BASE}"), own)
    odd = with_raw(entry(f"CN=Odd,{BASE}"), {"mS-DS-ConsistencyGuid": [b"no guid"]})
    under_test, connection = reader(monkeypatch, answering(group_entry(1), person, odd))
    assert under_test.changed(41) == ChangedObjects(
        frozenset({guid(1), guid(7), guid(8)}), frozenset({sid(2001)}), frozenset({f"Group_{cloud_id(1)}"})
    )
    (asked,) = filter(is_asked, connection.asked)
    assert (asked.base, asked.arguments[1]) == (BASE, "(uSNChanged>=42)")
    assert asked.options["controls"] == [SHOW_DELETED_CONTROL, EXTENDED_DN_CONTROL]


def test_the_groups_that_a_link_came_back_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is restored brings links back to groups that do not change by that, and may not list it any more."""
    groups = [f"<GUID={guid(number)}>;<SID={sid(2000 + number)}>;CN={number},{BASE}".encode() for number in (1, 2, 3)]
    own = [identity.guid_to_bytes(guid(7))]
    person = with_raw(entry(f"CN=Person,{BASE}"), {"objectGUID": own, "memberOf;range=0-1": groups[:2]})

    def answer(operation: Operation) -> list[dict[str, Any]] | None:
        if operation.base == f"<GUID={guid(7)}>":
            assert operation.options["attributes"] == ["memberOf;range=2-*"]
            return [with_raw(entry(f"CN=Person,{BASE}"), {"memberOf;range=2-*": groups[2:]})]
        return answering(person)(operation)

    under_test, connection = reader(monkeypatch, answer)
    assert under_test.changed(41).guids == {guid(7), guid(1), guid(2), guid(3)}
    (asked,) = filter(is_asked, connection.asked)
    assert MEMBER_OF in asked.options["attributes"]


@pytest.mark.parametrize("kind", ["organizationalUnit", "container"])
def test_a_container_that_changed_may_have_other_groups_inside(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """A rename or a move of it does not move the sequence numbers of what is inside."""
    under_test, _connection = reader(monkeypatch, answering(entry(f"OU=x,{BASE}", objectClass=["top", kind])))
    assert under_test.changed(41).doubt == "a container changed"


def test_a_policy_is_no_such_container(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = entry(f"CN=x,{BASE}", objectClass=["top", "container", "groupPolicyContainer"])
    assert reader(monkeypatch, answering(policy))[0].changed(41).doubt == ""


def test_who_does_not_see_what_is_deleted_does_not_see_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reader(monkeypatch, answering(deleted=False))[0].changed(41).doubt


def test_a_look_that_breaks_off_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = reader(monkeypatch)
    connection.handler = lambda _operation: refused(1)
    with pytest.raises(DirectoryError):
        under_test.changed(0)
