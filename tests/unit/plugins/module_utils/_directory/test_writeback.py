# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The groups that writeback V2 wrote, from a scripted domain controller."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.writeback import read_writeback
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from tests.unit.plugins.module_utils._directory.scripted import Operation, entry
from tests.unit.plugins.module_utils._directory.scripted_domain import group_entry, member, ranged, reader
from tests.unit.samples import MANAGED, OUTSIDE, cloud_id, guid, sid

MARK = f"Group_{cloud_id(1)}"


class Written:
    """Group 1 in the container, with a member; group 2 elsewhere, which takes mail."""

    def __init__(self) -> None:
        self.entries = {
            1: group_entry(1, adminDescription=[MARK], groupType=["-2147483640"]),
            2: group_entry(2, OUTSIDE, groupType=["-2147483640"], adminCount=["1"], mail=["a@contoso.com"]),
        }

    def __call__(self, operation: Operation) -> list[dict[str, Any]] | None:
        base, text = operation.arguments[:2]
        wanted = str(operation.options.get("attributes", operation.arguments[2:]))
        if "member;range=0-*" in wanted:
            return [ranged(1, {"member;range=0-*": [member(5)]}), ranged(2, {})]
        if "memberOf;range=0-*" in wanted:
            return list(self.entries.values())
        if "msDS-DeviceID" in wanted:
            raw = identity.guid_to_bytes(guid(5))
            return [entry(f"CN=PC,{OUTSIDE}", objectGUID=[raw], objectClass=["top", "computer"])]
        if "mailNickname" in wanted:
            return [self.entries[1]] if base == MANAGED else [self.entries[2]]
        if text == f"({ANCHOR}=Group_*)":
            return [self.entries[1]]
        return None


def test_groups_of_a_container_and_others_by_guid(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, _connection = reader(monkeypatch, Written())
    one, two = sorted(
        read_writeback(under_test._session, under_test, [MANAGED], frozenset(), [guid(2)]), key=lambda found: found.guid
    )
    assert (one.guid, one.sid, one.mark, one.anchor) == (guid(1), sid(2001), MARK, MARK)
    assert (one.mail, one.guarded) == (False, "")
    assert [(held.guid, held.object_class) for held in one.members] == [(guid(5), "computer")]
    assert (two.guid, two.mail, two.problem, two.members) == (guid(2), True, "", ())
    assert "adminCount" in two.guarded


def test_who_carries_an_anchor(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, _connection = reader(monkeypatch, Written())
    assert under_test.anchor_holders() == {cloud_id(1): frozenset({f"CN=Group 1,{MANAGED}"})}
