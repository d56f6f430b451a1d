# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the journal says of every outcome."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ObjectError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Problem, Skip
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.log import LogFilter, Mark

T1, T2, T3 = (f"2026-11-21T10:00:0{second}.000000Z" for second in (1, 2, 3))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[JournalFile]:
    opened = JournalFile(tmp_path / "journal", writable=True)
    opened.pins.pin_tenant("tenant")
    opened.pins.pin_domain("DC=contoso,DC=com")
    yield opened
    opened.close()


def change(number: int, action: str = "update", **more: Any) -> Applied:
    usual: dict[str, Any] = {"status": "done", "before": {}, "after": {"cn": (f"Group {number}",)}}
    values = {**usual, **more}
    return Applied(action, f"id-{number}", f"Group {number}", f"g{number}", f"CN={number}", **values)


def skip(number: int, group: int | None = None, reason: str = "why") -> Skip:
    of = {} if group is None else {"group_id": f"id-{group}", "group_name": "All"}
    return Skip(f"u-{number}", f"User {number}", "cloud_only_user", reason, **of)


def standing(journal: JournalFile) -> list[tuple[str, str]]:
    return [(entry.id, entry.group_id) for entry in journal.log.entries(LogFilter(action="skip"), 99)]


def test_changes_come_out_as_they_went_in_newest_first(journal: JournalFile) -> None:
    journal.begin_run("run-1", "gpad_group", "plan-1", T1, T1)
    journal.record(change(1, before={"cn": ("Old",)}, reason="name differs"))
    refused = ObjectError("No.", "Grant it.", code="permission_denied")
    journal.record(change(2, "members", status="partial", after={}, added=("m1",), removed=("m2",), error=refused))
    newest, oldest = journal.log.entries(LogFilter(), 99)
    assert (oldest.action, oldest.before, oldest.after, oldest.reason) == (
        "update",
        {"cn": ("Old",)},
        {"cn": ("Group 1",)},
        "name differs",
    )
    assert (newest.added, newest.removed, newest.code, newest.message, newest.remedy) == (
        ("m1",),
        ("m2",),
        "permission_denied",
        "No.",
        "Grant it.",
    )
    assert (newest.run_id, newest.plan_id, newest.module, newest.tenant_id, newest.domain) == (
        "run-1",
        "plan-1",
        "gpad_group",
        "tenant",
        "dc=contoso,dc=com",
    )
    assert newest.key != oldest.key
    assert newest.milliseconds >= 0


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        (LogFilter(id="id-1"), ["u-5", "id-1"]),
        (LogFilter(name="GROUP 2"), ["id-2"]),
        (LogFilter(name="%"), []),
        (LogFilter(status="failed"), ["id-2"]),
        (LogFilter(status="skipped"), ["u-5"]),
        (LogFilter(action="create"), ["id-3"]),
        (LogFilter(code="permission_denied"), ["id-2"]),
        (LogFilter(run="run-2"), ["id-3"]),
        (LogFilter(run="plan-1", action="update"), ["id-2", "id-1"]),
        (LogFilter(until="2000"), []),
        (LogFilter(since="2000", action="create"), ["id-3"]),
        (LogFilter(id="' OR 1=1 --"), []),
    ],
)
def test_filters(journal: JournalFile, chosen: LogFilter, found: list[str]) -> None:
    journal.begin_run("run-1", "gpad_group", "plan-1", T1, T1)
    journal.record(change(1))
    journal.record(change(2, status="failed", error=ObjectError("No.", code="permission_denied")))
    journal.remark([skip(5, 1)], members=True, whole=True)
    journal.begin_run("run-2", "gpad_group", "plan-2", T2, T2)
    journal.record(change(3, "create"))
    assert [entry.id for entry in journal.log.entries(chosen, 99)] == found
    assert [entry.id for entry in journal.log.entries(chosen, 1)] == found[:1]


def test_what_stays_left_alone_is_told_once_and_again_when_it_comes_back(journal: JournalFile) -> None:
    journal.begin_run("run-1", "gpad_membership", "plan-1", T1, T1)
    journal.remark([skip(1, 9), skip(2, 9)], members=True, whole=True)
    journal.begin_run("run-2", "gpad_membership", "plan-2", T2, T2)
    journal.remark([skip(2, 9, "another sentence"), skip(1, 8)], members=True, whole=True)
    assert sorted(standing(journal)) == [("u-1", "id-8"), ("u-1", "id-9"), ("u-2", "id-9")]
    journal.begin_run("run-3", "gpad_membership", "plan-3", T3, T3)
    journal.remark([skip(1, 9)], members=True, whole=True)
    assert sorted(standing(journal)) == [("u-1", "id-8"), *[("u-1", "id-9")] * 2, ("u-2", "id-9")]


def test_groups_and_members_do_not_end_each_other(journal: JournalFile) -> None:
    for number in (1, 2):
        journal.begin_run(f"run-{number}", "gpad_group", f"plan-{number}", T1, T1)
        journal.remark([skip(1), Problem("id-3", "Group 3", "name_collision", "No.", "Do.")], members=False, whole=True)
        journal.remark([skip(1, 9)], members=True, whole=True)
    assert len(standing(journal)) == 2
    (problem,) = journal.log.entries(LogFilter(action="plan"), 99)
    assert (problem.status, problem.code, problem.message, problem.remedy) == ("failed", "name_collision", "No.", "Do.")


def test_a_narrowed_run_ends_nothing(journal: JournalFile) -> None:
    for number, items in enumerate(([skip(1), skip(2)], [skip(2)], [skip(1), skip(2)])):
        journal.begin_run(f"run-{number}", "gpad_group", f"plan-{number}", T1, T1)
        journal.remark(items, members=False, whole=number != 1)
    assert len(standing(journal)) == 2


def test_a_run_that_looked_at_some_groups_ends_what_it_says_of_their_members(journal: JournalFile) -> None:
    journal.begin_run("run-1", "gpad_membership", "plan-1", T1, T1)
    journal.remark([skip(1, 8), skip(1, 9), skip(2, 9)], members=True, whole=True)
    journal.begin_run("run-2", "gpad_membership", "plan-2", T2, T2)
    journal.remark([], members=True, whole=True, looked_at=["id-8"])
    journal.begin_run("run-3", "gpad_membership", "plan-3", T3, T3)
    journal.remark([skip(1, 8), skip(1, 9), skip(2, 9)], members=True, whole=True)
    # Only what ended is told again.
    assert sorted(standing(journal)) == [*[("u-1", "id-8")] * 2, ("u-1", "id-9"), ("u-2", "id-9")]


def test_remarks_that_break_off_are_not_half_written(journal: JournalFile) -> None:
    def broken() -> Iterator[Skip]:
        yield skip(1)
        raise OSError

    journal.begin_run("run-1", "gpad_group", "plan-1", T1, T1)
    with pytest.raises(OSError, match=""):
        journal.remark(broken(), members=False, whole=True)
    assert standing(journal) == []
    journal.remark([skip(2)], members=False, whole=True)
    assert standing(journal) == [("u-2", "")]


def test_what_came_after_a_mark(journal: JournalFile) -> None:
    journal.begin_run("run-1", "gpad_group", "plan-1", T1, T1)
    journal.record(change(1))
    mark = journal.log.mark()
    assert list(journal.log.after(mark)) == []
    journal.record(change(2))
    journal.remark([skip(3)], members=False, whole=True)
    assert [entry.id for entry in journal.log.after(mark)] == ["id-2", "u-3"]
    assert [entry.id for entry in journal.log.after(Mark(0, 0))] == ["id-1", "id-2", "u-3"]
