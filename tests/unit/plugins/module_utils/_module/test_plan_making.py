# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which groups a plan looks at."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import plan_making
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import focus
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.focus import Focus, Watermark
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import second_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import KnownGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.replication import Database
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from tests.unit import samples
from tests.unit.fakes import FakeCloud, FakeDirectory
from tests.unit.samples import DOMAIN, anchored_group, cloud_id, guid


class Settled:
    """A journal below whose watermark all groups are as they should be."""

    fresh = doubted = False

    def __init__(self, usn: int) -> None:
        database = Database(DOMAIN.server, DOMAIN.invocation_id)
        mark = Watermark("word", "f", 0, database, usn, second_text(utc_now()))
        self.watermarks = SimpleNamespace(last=lambda: mark, unsettled=frozenset)

    def known(self) -> dict[str, KnownGroup]:
        """Know two groups."""
        return {cloud_id(number): KnownGroup(guid(number), True) for number in (1, 2)}


def _focus(directory: FakeDirectory, usn: int) -> Focus:
    cloud: Any = FakeCloud(readings={0: "f"})
    reader: Any = directory
    journal: Any = Settled(usn)
    return plan_making._focus(samples.settings(), cloud, reader, journal, journal.known(), "word", 24)


def test_a_group_that_was_put_into_one_that_guards_the_domain_is_looked_at() -> None:
    """Its own sequence number does not move."""
    directory = FakeDirectory()
    for number in (1, 2):
        directory.add_group(anchored_group(number))
    guard = directory.add_group(anchored_group(50))
    directory.guarding = {guard.guid}
    usn = directory.mark()
    assert _focus(directory, usn).ids == frozenset()
    guard.members.add(guid(2))
    assert cloud_id(2) in (_focus(directory, usn).ids or ())
    assert cloud_id(1) not in (_focus(directory, usn).ids or ())


def test_where_more_may_have_changed_than_is_told_all_groups_are_looked_at() -> None:
    directory = FakeDirectory()
    usn = directory.mark()
    directory.deleted_hidden = True
    assert (_focus(directory, usn).ids, _focus(directory, usn).why) == (None, "hidden")


@pytest.mark.parametrize(("at_once", "all_of_them"), [(1, True), (2, False)])
def test_where_more_than_half_may_have_changed_all_groups_are_looked_at(
    monkeypatch: pytest.MonkeyPatch, at_once: int, all_of_them: bool
) -> None:
    monkeypatch.setattr(focus, "GROUPS_AT_ONCE", at_once)
    directory = FakeDirectory()
    usn = directory.mark()
    for number in (1, 2):
        directory.add_group(anchored_group(number))
    found = _focus(directory, usn)
    everyone = frozenset({cloud_id(1), cloud_id(2)})
    assert (found.ids, found.why) == ((None, "2 of 2 groups may have changed") if all_of_them else (everyone, ""))
