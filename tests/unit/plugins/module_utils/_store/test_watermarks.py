# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Up to where both sides were compared, as the journal remembers it."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.focus import Watermark
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.replication import Database
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal_schema import SCHEMA
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.watermarks import Watermarks
from tests.unit.samples import cloud_id, guid

MARK = Watermark("word", "f", 3, Database("dc1", guid(1)), 2**40, "2026-01-01T00:00:00Z", 20, 400)


@pytest.fixture
def marks() -> Watermarks:
    """The watermarks of an empty journal."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.executescript(SCHEMA)
    return Watermarks(db)


def test_at_first_there_is_none(marks: Watermarks) -> None:
    assert marks.last() is None
    assert marks.unsettled() == frozenset()
    assert not marks.forget()


def test_a_later_one_takes_the_place_of_the_one_before(marks: Watermarks) -> None:
    marks.put(MARK, [cloud_id(1), cloud_id(1), cloud_id(2)])
    assert (marks.last(), marks.unsettled()) == (MARK, frozenset({cloud_id(1), cloud_id(2)}))
    later = replace(MARK, sequence=4, reading="g")
    marks.put(later, [cloud_id(3)])
    assert (marks.last(), marks.unsettled()) == (later, frozenset({cloud_id(3)}))


def test_groups_can_be_unsettled(marks: Watermarks) -> None:
    marks.put(MARK, [cloud_id(1)])
    marks.unsettle([cloud_id(1), cloud_id(2)])
    assert marks.unsettled() == {cloud_id(1), cloud_id(2)}
    assert marks.forget()
    assert (marks.last(), marks.unsettled()) == (None, frozenset())
