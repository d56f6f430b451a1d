# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lease in a journal."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.lease import Lease


@pytest.fixture
def journal(tmp_path: Path) -> JournalFile:
    """An empty journal."""
    return JournalFile(tmp_path / "journal", writable=True)


def heartbeat(lease: Lease) -> str:
    holder = lease.holder()
    assert holder is not None
    return holder.heartbeat


def test_one_plan_holds_the_journal_until_it_gives_it_back(journal: JournalFile) -> None:
    assert journal.lease.holder() is None
    journal.lease.take("plan-a")
    holder = journal.lease.holder()
    assert holder is not None and (holder.plan_id, holder.pid) == ("plan-a", os.getpid())
    assert holder.host and holder.since == holder.heartbeat
    journal.lease.take("plan-b")
    again = journal.lease.holder()
    assert again is not None and again.plan_id == "plan-b"
    journal.lease.release()
    assert journal.lease.holder() is None


def test_only_the_plan_that_holds_it_gives_signs_of_life(journal: JournalFile) -> None:
    journal.lease.take("plan-a")
    before = heartbeat(journal.lease)
    journal.lease.carry("plan-b")
    assert heartbeat(journal.lease) == before
    journal.lease.carry("plan-a")
    assert heartbeat(journal.lease) > before


def test_signs_of_life_are_half_a_minute_apart(journal: JournalFile, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    journal.lease.take("plan-a")
    journal.lease.beat()
    journal.lease.carry("plan-a")
    before = heartbeat(journal.lease)
    now += 29
    journal.lease.beat()
    assert heartbeat(journal.lease) == before
    now += 1
    journal.lease.beat()
    assert heartbeat(journal.lease) > before
