# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain controller that is read-only, and one that came back from a backup under its old name."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing

from tests.integration.modules.objects import unique
from tests.integration.modules.target import Target
from tests.lab.policy.admin import PolicyAdmin


def test_a_read_only_domain_controller_is_refused(strict: Target, strict_policy: PolicyAdmin) -> None:
    strict.snapshot_of(strict.admin.create_group(unique("Nowhere")))
    strict_policy.set_policy(read_only_dc=True)
    result = strict.plan()
    assert [error["code"] for error in result["errors"]] == ["read_only_dc"]
    assert strict.forest.fqdn in result["msg"] and "PDC emulator" in result["msg"]
    strict_policy.set_policy(read_only_dc=False)
    assert strict.plan()["outcome"] == "ok"


def test_a_restored_backup_creates_nothing_while_it_lacks_a_group(strict: Target, strict_policy: PolicyAdmin) -> None:
    """It has the name of the controller that was written to and another invocation id, and has never seen one group."""
    there, lost, fresh = (strict.admin.create_group(unique(name)) for name in ("There", "Lost", "Fresh"))
    strict.provision(there)
    with closing(sqlite3.connect(strict.journal)) as journal:
        journal.execute("INSERT INTO groups VALUES (?, ?, 1)", (lost, str(uuid.uuid4())))
        journal.commit()
    strict.snapshot_of(there, lost, fresh)
    assert {error["code"] for error in strict.plan()["errors"]} == {"directory_group_missing"}
    strict_policy.set_policy(invocation_id=str(uuid.uuid4()))
    restored = strict.plan()
    assert {error["id"]: error["code"] for error in restored["errors"]} == {
        lost: "replication_pending",
        fresh: "replication_pending",
    }
    assert restored["changes"] == []
    strict.keep(forgotten=[lost])
    assert {change["action"] for change in strict.plan()["changes"]} == {"create"}


def test_a_plan_of_before_the_backup_creates_nothing_after_it(strict: Target, strict_policy: PolicyAdmin) -> None:
    fresh = strict.admin.create_group(unique("Fresh"))
    strict.snapshot_of(fresh)
    assert strict.plan()["outcome"] == "ok"
    strict_policy.set_policy(invocation_id=str(uuid.uuid4()))
    assert [error["code"] for error in strict.group()["errors"]] == ["replication_pending"]
    assert strict.entries(fresh) == []
