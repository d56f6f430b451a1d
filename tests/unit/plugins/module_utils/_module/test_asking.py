# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked because of the plan before, and what the snapshot before still says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.questions import AskedGroups, Deleted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import asking
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.asking import Before, Questions
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import StoreError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    Fate,
    FateKind,
    Skipped,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Notice, Question, Subject
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import SnapshotHeader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.report import Report
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.scope import Decision
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store import planfile, snapshot
from tests.unit.samples import TENANT, cloud_group, cloud_id, sid

DAYS = ("2026-03-01T12:00:00Z", "2026-03-02T12:00:00Z", "2026-03-03T12:00:00Z")
GONE = Fate(cloud_id(7), FateKind.ABSENT, "Gone", *DAYS[:2])
DELETED = Fate(cloud_id(8), FateKind.SOFT_DELETED, "Deleted", *DAYS[:2])


def write_plan(path: Path, *items: Question | Notice, tenant: str = TENANT, fingerprint: str = "") -> Path:
    header = planfile.PlanHeader("p", DAYS[0], tenant, DAYS[0], "DC=x", "dc1", False, fingerprint=fingerprint)
    with planfile.writing(path, header) as writer:
        for item in items:
            writer.add(item)
        writer.finish({}, ())
    return path


def test_a_plan_asks_of_groups_and_sids(tmp_path: Path) -> None:
    path = write_plan(
        tmp_path / "plan",
        Question(Subject.GROUP, cloud_id(1)),
        Notice("", "x", "orphan", "It has no group."),
        Question(Subject.SID, sid(5001)),
        Question(Subject.GROUP, "../users"),
        Question(Subject.SID, "S-1-5' or id eq 'x"),
    )
    assert asking.read_questions(path, TENANT, Report(9), Before()) == Questions(
        frozenset({cloud_id(1)}), frozenset({sid(5001)})
    )


@pytest.mark.parametrize(
    ("fingerprint", "asked"),
    [("f", {cloud_id(1)}), ("of an older one", {cloud_id(1), cloud_id(7)}), (None, {cloud_id(7)})],
)
def test_what_no_plan_was_made_from_is_asked_again(tmp_path: Path, fingerprint: str | None, asked: set[str]) -> None:
    """The run died between its capture and its plan, so that nothing else remembers which groups had just gone."""
    path = tmp_path / "plan"
    if fingerprint is not None:
        write_plan(path, Question(Subject.GROUP, cloud_id(1)), fingerprint=fingerprint)
    before = Before(frozenset(), frozenset({cloud_id(7)}), "f")
    assert asking.read_questions(path, TENANT, Report(9), before).groups == asked


@pytest.mark.parametrize("name", [None, "none", "folder/none"])
def test_no_plan_asks_nothing(tmp_path: Path, name: str | None) -> None:
    assert asking.read_questions(tmp_path / name if name else None, TENANT, Report(9), Before()) == Questions()


@pytest.mark.parametrize("kind", ["cut", "edited", "empty", "folder"])
def test_a_plan_that_cannot_be_believed_asks_nothing_and_is_told(tmp_path: Path, kind: str) -> None:
    path = write_plan(tmp_path / "plan", Question(Subject.GROUP, cloud_id(1)))
    text = path.read_text(encoding="utf-8")
    if kind == "folder":
        path = tmp_path
    else:
        path.write_text({"cut": text[:-20], "edited": text.replace("dc1", "dc2"), "empty": ""}[kind], encoding="utf-8")
    report = Report(9)
    assert asking.read_questions(path, TENANT, report, Before()) == Questions()
    assert [notice["code"] for notice in report.notices] == ["plan_damaged"]


def test_a_plan_of_the_version_before_asks_nothing_and_is_told(tmp_path: Path) -> None:
    """It lies where the plan of the last run lies, when the collection was updated in between."""
    group = {"action": "create", "id": cloud_id(1), "name": "x", "guid": None, "dn": "CN=x", "new_dn": None}
    lines = [
        {"line": "header", "plan_id": "a", "created_at": DAYS[0], "tenant_id": TENANT, "captured_at": DAYS[0],
         "domain": "DC=x", "server": "dc1", "check_mode": False, "container_rule": "", "format": 1},
        {"line": "group", **group, "before": {}, "after": {}, "reason": "new"},
        {"line": "question", "about": "group", "value": cloud_id(1)},
    ]  # fmt: skip
    text = "".join(json.dumps(line) + "\n" for line in lines)
    footer = {"line": "footer", "counts": {}, "breaches": [], "checksum": "0" * 64}
    footer["integrity"] = planfile.integrity_of(hashlib.sha256(text.encode()), footer)
    path = tmp_path / "plan"
    path.write_text(text + json.dumps(footer) + "\n", encoding="utf-8")
    report = Report(9)
    assert asking.read_questions(path, TENANT, report, Before()) == Questions()
    assert [notice["code"] for notice in report.notices] == ["plan_damaged"]


def test_a_plan_that_came_from_no_capture_is_of_no_other_tenant(tmp_path: Path) -> None:
    found = asking.read_questions(write_plan(tmp_path / "plan", tenant=""), TENANT, Report(9), Before())
    assert found == Questions()


def test_a_plan_of_another_tenant(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=cloud_id(9)) as caught:
        asking.read_questions(write_plan(tmp_path / "plan", tenant=cloud_id(9)), TENANT, Report(9), Before())
    assert caught.value.code == "other_tenant"


def write_snapshot(path: Path, fates: Iterable[Fate], *, check_mode: bool = False) -> Path:
    with snapshot.writing(path) as writer:
        writer.add_group(cloud_group(1, displayName="In"), Decision(None, "all"))
        writer.add_group(cloud_group(2, displayName="Out"), Decision(Skipped.MAIL_ENABLED, "x"))
        for fate in fates:
            writer.add_fate(fate)
        writer.finish(SnapshotHeader(TENANT, DAYS[1], "f", check_mode=check_mode))
    return path


def read_before(path: Path, tenant: str, report: Report) -> Before:
    """Open the snapshot before, and ask it."""
    old = asking.open_before(path, tenant, report)
    try:
        return asking.before_of(old)
    finally:
        if old is not None:
            old.close()


def test_what_the_snapshot_before_said(tmp_path: Path) -> None:
    before = read_before(write_snapshot(tmp_path / "s", (GONE, DELETED)), TENANT, Report(9))
    names = {cloud_id(1): "In", cloud_id(2): "Out", cloud_id(7): "Gone", cloud_id(8): "Deleted"}
    gone = frozenset({cloud_id(7), cloud_id(8)})
    assert before == Before(frozenset({cloud_id(1)}), gone, "f", {cloud_id(7): GONE}, names)


def test_absence_that_check_mode_saw_is_no_evidence(tmp_path: Path) -> None:
    before = read_before(write_snapshot(tmp_path / "s", (GONE,), check_mode=True), TENANT, Report(9))
    assert before.absent == {}
    assert before.in_scope == {cloud_id(1)}


def test_no_snapshot_and_a_damaged_one_said_nothing(tmp_path: Path) -> None:
    assert read_before(tmp_path / "none", TENANT, Report(9)) == Before()
    (tmp_path / "s").write_bytes(b"x" * 5000)
    report = Report(9)
    assert read_before(tmp_path / "s", TENANT, report) == Before()
    assert [notice["code"] for notice in report.notices] == ["snapshot_damaged"]


def test_a_snapshot_of_another_tenant(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        read_before(write_snapshot(tmp_path / "s", ()), cloud_id(9), Report(9))
    assert caught.value.code == "other_tenant"


def test_fates_carry_over_since_when_and_the_name() -> None:
    asked = AskedGroups(
        deleted={cloud_id(1): Deleted("New", DAYS[0]), cloud_id(2): Deleted("", DAYS[0])},
        absent=frozenset({cloud_id(7), cloud_id(9)}),
        unread=frozenset({cloud_id(8)}),
    )
    before = Before(absent={cloud_id(7): GONE}, names={cloud_id(1): "Old", cloud_id(2): "Old", cloud_id(7): "Gone"})
    assert list(asking.fates(asked, before, DAYS[2])) == [
        Fate(cloud_id(1), FateKind.SOFT_DELETED, "New", DAYS[0], DAYS[2]),
        Fate(cloud_id(2), FateKind.SOFT_DELETED, "Old", DAYS[0], DAYS[2]),
        Fate(cloud_id(7), FateKind.ABSENT, "Gone", DAYS[0], DAYS[2]),
        Fate(cloud_id(9), FateKind.ABSENT, "", DAYS[2], DAYS[2]),
    ]


def test_a_copy_that_was_deleted_while_it_was_synced_has_a_fate_of_its_own() -> None:
    asked = AskedGroups(deleted={cloud_id(1): Deleted("Copy", DAYS[0], synced=True)})
    assert list(asking.fates(asked, Before(), DAYS[2])) == [
        Fate(cloud_id(1), FateKind.SYNCED, "Copy", DAYS[0], DAYS[2])
    ]


def test_absence_is_never_of_a_time_to_come() -> None:
    asked = AskedGroups(absent=frozenset({cloud_id(7)}))
    before = Before(absent={cloud_id(7): Fate(cloud_id(7), FateKind.ABSENT, "", DAYS[2], DAYS[2])})
    assert [fate.since for fate in asking.fates(asked, before, DAYS[0])] == [DAYS[0]]
