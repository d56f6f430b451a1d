# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What changed since a sequence number, deleted objects included."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import SHOW_DELETED_CONTROL
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import ChangedObjects
from tests.unit.plugins.module_utils._directory.scripted import Operation, entry, refused, with_raw
from tests.unit.plugins.module_utils._directory.scripted_domain import group_entry, reader
from tests.unit.samples import BASE, cloud_id, guid, sid


def is_asked(operation: Operation) -> bool:
    return str(operation.arguments[1]).startswith("(uSNChanged")


def test_guids_sids_and_anchors(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"objectGUID": [identity.guid_to_bytes(guid(7))], "mS-DS-ConsistencyGuid": [identity.guid_to_bytes(guid(8))]}
    person = with_raw(entry(f"CN=Person,{BASE}"), own)
    odd = with_raw(entry(f"CN=Odd,{BASE}"), {"mS-DS-ConsistencyGuid": [b"no guid"]})
    under_test, connection = reader(monkeypatch, lambda op: [group_entry(1), person, odd] if is_asked(op) else None)
    assert under_test.changed(41) == ChangedObjects(
        frozenset({guid(1), guid(7), guid(8)}), frozenset({sid(2001)}), frozenset({f"Group_{cloud_id(1)}"})
    )
    (asked,) = filter(is_asked, connection.asked)
    assert (asked.base, asked.arguments[1]) == (BASE, "(uSNChanged>=42)")
    assert asked.options["controls"] == [SHOW_DELETED_CONTROL]


def test_a_look_that_breaks_off_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = reader(monkeypatch)
    connection.handler = lambda _operation: refused(1)
    with pytest.raises(DirectoryError):
        under_test.changed(0)
