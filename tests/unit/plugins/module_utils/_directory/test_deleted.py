# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups among the deleted objects."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reader import Reader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    EXTENDED_DN_CONTROL,
    SHOW_DEACTIVATED_LINKS_CONTROL,
    SHOW_DELETED_CONTROL,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import IncompleteReadError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import DeletedGroup
from tests.unit.plugins.module_utils._directory.scripted import Operation, ScriptedConnection, entry, with_raw
from tests.unit.plugins.module_utils._directory.scripted_domain import (
    DELETED_OBJECTS,
    group_entry,
    member,
    ranged,
    reader,
)
from tests.unit.samples import BASE, MANAGED, cloud_id, guid, sid

NAME = rf"CN=Sales\, all\0ADEL:{guid(1)},CN=Deleted Objects,{BASE}"


def tombstone(**more: Any) -> dict[str, Any]:
    usual = {"lastKnownParent": [MANAGED], "displayName": ["Sales"]}
    return {**group_entry(1, **{**usual, **more}), "dn": NAME}


def deleted_reader(
    patch: pytest.MonkeyPatch, found: list[dict[str, Any]], links: list[dict[str, Any]]
) -> tuple[Reader, ScriptedConnection]:
    def special(operation: Operation) -> list[dict[str, Any]] | None:
        if operation.base == DELETED_OBJECTS:
            return [entry(f"CN=Deleted Objects,{BASE}", objectClass=["top", "container"])]
        if "isDeleted" not in operation.arguments[1]:
            return None
        return links if "member;range=0-*" in operation.options["attributes"] else found

    return reader(patch, special)


def test_a_tombstone_has_lost_its_links(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = deleted_reader(monkeypatch, [tombstone()], [ranged(1, {})])
    (found,) = under_test.deleted([f"Group_{cloud_id(1)}"], [sid(2001)], [guid(1)]) or ()
    assert isinstance(found, DeletedGroup)
    assert (found.guid, found.sid, found.dn, found.links) == (guid(1), sid(2001), NAME, ())
    assert (found.name, found.parent, found.cloud_id) == ("Sales, all", MANAGED, cloud_id(1))
    assert (found.attributes["displayName"], found.attributes["description"]) == (("Sales",), ())
    _look, search, _links = connection.asked
    terms = [part in search.arguments[1] for part in ("(objectGUID=", "(objectSid=", f"=Group_{cloud_id(1)})")]
    assert all(terms)
    assert "isRecycled" not in search.arguments[1]
    assert search.options["controls"] == [SHOW_DELETED_CONTROL]


def test_the_recycle_bin_keeps_name_and_links(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = rf"<GUID={guid(8)}>;<SID={sid(8)}>;CN=Left\0ADEL:{guid(8)},CN=Deleted Objects,{BASE}".encode()
    raw = {"member;range=0-*": [member(5), gone]}
    under_test, connection = deleted_reader(
        monkeypatch, [tombstone(msDS__LastKnownRDN=["Sales, kept"])], [ranged(1, raw)]
    )
    (found,) = under_test.deleted([], [sid(2001)]) or ()
    assert (found.name, [link.guid for link in found.links]) == ("Sales, kept", [guid(5)])
    controls = [EXTENDED_DN_CONTROL, SHOW_DELETED_CONTROL, SHOW_DEACTIVATED_LINKS_CONTROL]
    assert connection.asked[-1].options["controls"] == controls


def test_links_that_cannot_be_read_whole_are_not_taken_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = with_raw(ranged(1, {}), {"member": [member(5)]})
    under_test, _unused = deleted_reader(monkeypatch, [tombstone()], [odd])
    with pytest.raises(IncompleteReadError, match="Sales"):
        under_test.deleted([], [], [guid(1)])


def test_it_is_looked_once_whether_deleted_objects_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    half = entry(NAME, objectGUID=[identity.guid_to_bytes(guid(1))])
    under_test, connection = deleted_reader(monkeypatch, [half], [])
    assert [under_test.deleted([], [], [guid(1)]) for _time in range(2)] == [(), ()]
    assert [operation.base for operation in connection.asked].count(DELETED_OBJECTS) == 1


@pytest.mark.parametrize("shown", [[], [entry(f"CN=Deleted Objects,{BASE}")]])
def test_deleted_objects_that_the_account_may_not_see_are_not_taken_for_none(
    monkeypatch: pytest.MonkeyPatch, shown: list[dict[str, Any]]
) -> None:
    """Samba shows the container without anything in it."""
    under_test, connection = reader(monkeypatch, lambda op: shown if op.base == DELETED_OBJECTS else None)
    assert under_test.deleted([f"Group_{cloud_id(1)}"]) is None
    assert len(connection.asked) == 1
