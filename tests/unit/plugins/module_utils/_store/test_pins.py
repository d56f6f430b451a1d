# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: the memory of the directory side, and its rules on plans, tenants and runs at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    StoreError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from tests.unit.samples import BASE, TENANT

EARLY, LATE = "2026-01-01T00:00:00.000001Z", "2026-01-01T00:00:00.000002Z"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the journal is."""
    return tmp_path / "journal.sqlite3"


def opened(path: Path, *, writable: bool = True) -> JournalFile:
    return JournalFile(path, writable=writable)


def test_a_journal_belongs_to_one_tenant(path: Path) -> None:
    journal = opened(path)
    journal.pins.check_tenant("anyone")
    journal.pins.pin_tenant(TENANT)
    journal.pins.check_tenant(TENANT)
    with pytest.raises(StoreError, match="other") as caught:
        journal.pins.check_tenant("other")
    assert caught.value.code == "other_tenant"


def test_a_plan_that_knows_no_tenant_pins_none(path: Path) -> None:
    journal = JournalFile(path, writable=True)
    journal.pins.pin_tenant("")
    journal.pins.pin_tenant(TENANT)
    assert journal.pins.tenant_id() == TENANT


def test_a_pinned_tenant_stays(path: Path) -> None:
    journal = opened(path)
    journal.pins.pin_tenant(TENANT)
    journal.pins.pin_tenant(TENANT)
    journal.pins.check_tenant(TENANT)


def test_a_journal_belongs_to_one_domain(path: Path) -> None:
    """It knows objects of that one; in another domain they would all be missing."""
    journal = opened(path)
    journal.pins.check_domain("DC=anything")
    for _time in range(2):
        journal.pins.pin_domain(BASE)
    journal.pins.check_domain(BASE.upper())
    journal.pins.pin_domain("DC=fabrikam,DC=com")
    with pytest.raises(StoreError, match="DC=fabrikam") as caught:
        journal.pins.check_domain("DC=fabrikam,DC=com")
    assert caught.value.code == "other_domain_journal"
    journal.close()
    opened(path, writable=False).pins.check_domain(BASE)


def test_the_tenant_of_a_journal(path: Path) -> None:
    journal = opened(path)
    assert journal.pins.tenant_id() == ""
    journal.pins.pin_tenant(TENANT)
    assert journal.pins.tenant_id() == TENANT


def test_the_rule_for_containers_that_was_applied_last(tmp_path: Path) -> None:
    journal = JournalFile(tmp_path / "journal", writable=True)
    assert journal.pins.container_rule() is None
    journal.pins.remember_container_rule("first")
    journal.pins.remember_container_rule("second")
    journal.close()
    again = JournalFile(tmp_path / "journal", writable=False)
    assert again.pins.container_rule() == "second"
    again.close()


def test_a_setting_comes_and_goes(path: Path) -> None:
    journal = opened(path)
    assert journal.pins.get("stopped") is None
    journal.pins.put("stopped", "why")
    assert opened(path).pins.get("stopped") == "why"
    journal.pins.put("stopped", None)
    assert journal.pins.get("stopped") is None


def test_a_journal_takes_one_key_once_it_has_seen_it(path: Path) -> None:
    journal = opened(path)
    for key_id in ("", "first", "second"):
        journal.pins.check_snapshot_key(key_id)
    journal.pins.pin_snapshot_key("")
    assert journal.pins.snapshot_key() == ""
    for key_id in ("first", "second"):
        journal.pins.pin_snapshot_key(key_id)
    assert journal.pins.snapshot_key() == "first"
    journal.pins.check_snapshot_key("first")
    for key_id in ("", "second"):
        with pytest.raises(StoreError, match="signed with the key first") as caught:
            journal.pins.check_snapshot_key(key_id)
        assert caught.value.code == "snapshot_key_changed"
