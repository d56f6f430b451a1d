# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Security descriptors of directory objects."""

from __future__ import annotations

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import (
    OWNER_AND_DACL_CONTROL,
    SHOW_DELETED_CONTROL,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.rights import SecurityDescriptor
from tests.unit.plugins.module_utils._directory.scripted import entry
from tests.unit.plugins.module_utils._directory.scripted_domain import reader
from tests.unit.samples import guid, sid

OWNER = identity.sid_to_bytes(sid(512))
# Revision 1, self-relative, owner behind the header, neither group nor lists.
RAW = bytes([1, 0, 0, 0x80, 20, *[0] * 15]) + OWNER


@pytest.mark.parametrize("deleted", [False, True])
def test_owner_and_list_are_asked_for_and_what_cannot_be_read_is_absent(
    monkeypatch: pytest.MonkeyPatch, deleted: bool
) -> None:
    answer = [
        entry("CN=1", objectGUID=[identity.guid_to_bytes(guid(1))], nTSecurityDescriptor=[RAW]),
        entry("CN=2", objectGUID=[identity.guid_to_bytes(guid(2))]),
        entry("CN=3", objectGUID=[identity.guid_to_bytes(guid(3))], nTSecurityDescriptor=[RAW[:24]]),
        entry("CN=4"),
    ]
    under_test, connection = reader(monkeypatch, lambda op: answer if "objectGUID=" in op.arguments[1] else None)
    assert under_test.security([guid(1), guid(1)], deleted=deleted) == {guid(1): SecurityDescriptor(sid(512), None)}
    (operation,) = connection.asked
    assert operation.options["controls"] == [OWNER_AND_DACL_CONTROL, *([SHOW_DELETED_CONTROL] if deleted else [])]
    assert operation.arguments[1].count("objectGUID") == 1


def test_many_are_asked_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = reader(monkeypatch, lambda op: [] if "objectGUID=" in op.arguments[1] else None)
    assert under_test.security([guid(number) for number in range(401)]) == {}
    assert len(connection.asked) == 3
