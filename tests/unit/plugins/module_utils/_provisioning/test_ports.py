# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The GUIDs of wanted links once the groups of a plan were created."""

from __future__ import annotations

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.membership import Wanted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import PrincipalKind
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import KnownGroup, wanted_guids
from tests.unit.samples import cloud_id, guid


def test_groups_created_meanwhile_have_their_guid_from_the_journal() -> None:
    known = Wanted(cloud_id(1), PrincipalKind.USER, "User 1", guid(1))
    created = Wanted(cloud_id(2), PrincipalKind.GROUP, "Group 2", None)
    failed = Wanted(cloud_id(3), PrincipalKind.GROUP, "Group 3", None)
    found = wanted_guids([known, created, failed], {cloud_id(2): KnownGroup(guid(2), True)})
    assert found == {guid(1): known, guid(2): created}
