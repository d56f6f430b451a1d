# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which changes of a plan belong to which module."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import parts
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.planfile import PlanFile
from tests.unit.plugins.module_utils._store.test_planfile import ITEMS, write


def test_each_part_has_its_changes_and_nothing_else(tmp_path: Path) -> None:
    plan = PlanFile(write(tmp_path / "plan"))
    groups, members = [list(parts.changes(plan, part)) for part in (parts.GROUPS, parts.MEMBERS)]
    assert (groups, members) == ([ITEMS[1], ITEMS[2]], [ITEMS[3]])
    assert list(parts.group_changes(plan)) == groups
    assert list(parts.member_changes(plan)) == members


def test_the_order_of_writing_is_asked_of_members_alone() -> None:
    assert not parts.GROUPS.options
    assert parts.MEMBERS.options["write_order"]["default"] == "additions_first"
