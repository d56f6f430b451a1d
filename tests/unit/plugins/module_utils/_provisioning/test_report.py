# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run tells: whole counts, capped lists, a stable order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    BlockedError,
    DirectoryError,
    GpadError,
    IncompleteReadError,
    ObjectError,
    Outcome,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.membership import Wanted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import PrincipalKind
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    MemberChange,
    Notice,
    Problem,
    Question,
    Skip,
    Subject,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.report import Report, diff_text, worst
from tests.unit.samples import MANAGED, cloud_id, guid, link

DN = f"CN=Sales,{MANAGED}"
UPDATE = GroupChange(
    Action.UPDATE,
    cloud_id(1),
    "Sales",
    guid(1),
    DN,
    None,
    {"displayName": ("Old",), "description": ()},
    {"displayName": ("Sales",), "description": ("x",)},
    "differs: description, displayName",
)
MOVE = GroupChange(Action.MOVE, cloud_id(1), "Sales", guid(1), DN, "CN=Sales,OU=New", {}, {}, "container differs")
WANTED = tuple(Wanted(cloud_id(n), PrincipalKind.USER, f"User {n}", guid(n)) for n in (2, 3))
MEMBERS = MemberChange(cloud_id(1), "Sales", guid(1), DN, WANTED, (link(4),), 1, "digest")


def applied(
    status: str, *, added: tuple[int, ...] = (), removed: tuple[int, ...] = (), error: GpadError | None = None
) -> Applied:
    return Applied(
        "members",
        cloud_id(1),
        "Sales",
        guid(1),
        DN,
        status,
        {},
        {},
        tuple(map(guid, added)),
        tuple(map(guid, removed)),
        error,
    )


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ((), Outcome.OK),
        ((Outcome.OK, Outcome.PARTIAL), Outcome.PARTIAL),
        ((Outcome.INCOMPLETE, Outcome.PARTIAL), Outcome.INCOMPLETE),
        ((Outcome.BLOCKED, Outcome.INCOMPLETE), Outcome.BLOCKED),
        ((Outcome.FATAL, Outcome.BLOCKED), Outcome.FATAL),
    ],
)
def test_the_worst_outcome_counts(outcomes: tuple[Outcome, ...], expected: Outcome) -> None:
    assert worst(*outcomes) is expected


def test_a_planned_update() -> None:
    report = Report(10)
    report.plan_item(UPDATE)
    assert report.summary == {"groups_updated": 1}
    assert report.changed
    (entry,) = report.changes
    assert list(entry["attributes"]) == ["description", "displayName"]
    assert entry["attributes"]["displayName"] == {"before": ["Old"], "after": ["Sales"]}
    assert "new_dn" not in entry
    assert report.lines() == [f"Sales: update (differs: description, displayName) {DN}"]


@pytest.mark.parametrize(
    ("action", "word"),
    [
        (Action.CREATE_CONTAINER, "containers_created"),
        (Action.CREATE, "groups_created"),
        (Action.RESTORE, "groups_restored"),
        (Action.CONVERT, "groups_converted"),
        (Action.DETACH, "groups_detached"),
        (Action.DELETE, "groups_deleted"),
        (Action.ADOPT, "groups_adopted"),
        (Action.UPDATE, "groups_updated"),
        (Action.RENAME, "groups_renamed"),
        (Action.MOVE, "groups_moved"),
        (Action.RENAME_AND_MOVE, "groups_renamed_and_moved"),
    ],
)
def test_each_action_is_counted_under_its_word(action: Action, word: str) -> None:
    report = Report(10)
    report.change(GroupChange(action, cloud_id(1), "Sales", None, DN, None, {}, {}, ""))
    assert report.summary == {word: 1}


def test_an_adoption_that_writes_nothing_changes_nothing() -> None:
    report = Report(10)
    report.plan_item(GroupChange(Action.ADOPT, cloud_id(1), "Sales", guid(1), DN, None, {}, {}, "tied by sid"))
    assert not report.changed
    assert report.summary["groups_adopted"] == 1


def test_planned_members() -> None:
    report = Report(10)
    report.plan_item(MEMBERS)
    assert report.summary == {"members_added": 2, "members_removed": 1, "groups_with_member_changes": 1}
    assert report.lines() == [f"Sales: members +2 -1: +User 2, +User 3, -{link(4).dn}"]


def test_lists_stop_at_the_cap_and_counts_do_not() -> None:
    report = Report(1)
    for number in range(3):
        report.plan_item(MEMBERS)
        report.plan_item(Skip(cloud_id(number), "x", "mail_enabled", "it is"))
        report.plan_item(Problem(cloud_id(number), "x", "code", "m"))
        report.plan_item(Notice(cloud_id(number), "x", "orphan", "m"))
    assert [len(entries) for entries in (report.changes, report.skipped, report.errors, report.notices)] == [1] * 4
    assert report.summary["members_added"] == 6
    assert (report.summary["groups_skipped"], report.summary["errors"], report.summary["notices"]) == (3, 3, 3)
    (entry,) = report.changes
    assert (entry["added"], len(entry["add"]), len(entry["remove"])) == (2, 1, 0)


def test_so_many_members_are_named_in_all_changes_together() -> None:
    report = Report(4)
    for _unused in range(3):
        report.plan_item(MEMBERS)
    named = [len(entry["add"]) + len(entry["remove"]) for entry in report.changes]
    counted = [entry["added"] + entry["removed"] for entry in report.changes]
    assert (named, counted) == ([3, 1, 0], [3, 3, 3])
    assert [line.endswith(f", {rest} more") for line, rest in zip(report.lines()[1:], (2, 3), strict=True)] == [
        True,
        False,
    ]
    assert report.lines()[2].endswith(": 3 more")
    assert diff_text(report.changes).count("  ~ ") == 2


def test_the_order_is_the_order_of_what_came() -> None:
    report = Report(10)
    for item in (MOVE, UPDATE, MEMBERS):
        report.plan_item(item)
    report.plan_item(Skip("2", "B", "mail_enabled", "it is"))
    report.plan_item(Skip("1", "A", "mail_enabled", "it is"))
    assert [entry["action"] for entry in report.changes] == ["move", "update", "members"]
    assert [entry["name"] for entry in report.skipped] == ["B", "A"]
    assert [line.split(":")[0] for line in report.lines()] == ["Sales", "Sales", "Sales", "B", "A"]


def test_skips_of_groups_and_of_members() -> None:
    report = Report(10)
    report.remark(Skip("1", "Sales", "mail_enabled", "it is mail-enabled"))
    report.remark(Skip("2", "Robin", "cloud_only_user", "no account", "1", "Sales"))
    assert report.summary == {"groups_skipped": 1, "members_skipped": 1}
    assert report.outcome is Outcome.OK
    assert "group_id" not in report.skipped[0]
    assert report.skipped[1]["group_name"] == "Sales"
    assert report.lines() == [
        "Sales: skipped, it is mail-enabled [mail_enabled]",
        "Sales: member Robin: skipped, no account [cloud_only_user]",
    ]


@pytest.mark.parametrize(
    ("item", "outcome"),
    [
        (Notice("1", "Sales", "orphan", "text"), Outcome.OK),
        (Notice("1", "Sales", "removals_held", "text"), Outcome.INCOMPLETE),
        (Notice("1", "Sales", "links_unread", "text"), Outcome.INCOMPLETE),
        (Notice("1", "Sales", "retired", "text"), Outcome.OK),
        (Notice("1", "Sales", "anchor_tampering", "text"), Outcome.OK),
        (Problem("1", "Sales", "x", "text", "remedy"), Outcome.PARTIAL),
    ],
)
def test_what_remarks_do_to_the_outcome(item: Notice | Problem, outcome: Outcome) -> None:
    report = Report(10)
    report.plan_item(item)
    assert report.outcome is outcome
    assert not report.changed


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (BlockedError("m", "r"), Outcome.BLOCKED),
        (DirectoryError("m", "r"), Outcome.FATAL),
        (IncompleteReadError("m", "r"), Outcome.INCOMPLETE),
        (ObjectError("m", "r"), Outcome.PARTIAL),
    ],
)
def test_what_ended_a_run_early(error: GpadError, outcome: Outcome) -> None:
    report = Report(10)
    report.stopped(error)
    assert report.outcome is outcome
    assert report.lines() == [f"run: FAILED, m r [{error.code}]"]


def test_what_ended_a_run_early_is_told_beyond_the_cap() -> None:
    report = Report(1)
    report.problem(cloud_id(1), "Sales", "code", "m", "r")
    report.stopped(DirectoryError("The server is gone.", "r"))
    assert [entry["reason"] for entry in report.errors] == ["m", "The server is gone."]


def test_what_was_noticed_is_known_beyond_the_cap() -> None:
    report = Report(1)
    for code, message in (("idle", "a"), ("lost", "b"), ("lost", "c"), ("failed", "d")):
        report.remark(Notice("", "x", code, message))
    assert report.noticed({"lost", "failed", "other"}) == "d; b"
    assert report.noticed({"other"}) == ""


def test_a_change_that_was_made_is_told_as_planned() -> None:
    planned, done = Report(10), Report(10)
    planned.change(MEMBERS)
    done.applied(MEMBERS, applied("done", added=(2, 3), removed=(4,)))
    assert (planned.changes, planned.summary) == (done.changes, done.summary)
    assert done.outcome is Outcome.OK


def test_of_a_partial_change_only_what_was_done_is_told() -> None:
    report = Report(10)
    report.applied(MEMBERS, applied("partial", added=(2,), error=ObjectError("no", "do", code="object_missing")))
    assert (report.summary["members_added"], report.summary["members_removed"]) == (1, 0)
    assert [entry["name"] for entry in report.changes[0]["add"]] == ["User 2"]
    assert report.errors[0]["code"] == "object_missing"
    assert report.outcome is Outcome.PARTIAL


def test_of_links_that_were_there_already_nothing_is_told() -> None:
    """Somebody linked and unlinked them since the plan was made: no change was made to the directory."""
    report = Report(10)
    report.applied(MEMBERS, applied("done"))
    assert (report.changes, report.changed, report.summary, report.outcome) == ([], False, {}, Outcome.OK)
    report.applied(MEMBERS, applied("done", removed=(4,)))
    assert (report.changed, report.summary["members_added"], report.summary["members_removed"]) == (True, 0, 1)


def test_a_failed_change_changes_nothing() -> None:
    report = Report(10)
    report.applied(MEMBERS, applied("failed", error=ObjectError("no")))
    assert (report.changes, report.changed) == ([], False)
    assert report.summary == {"errors": 1}


def test_the_diff() -> None:
    report = Report(10)
    for item in (UPDATE, MOVE, MEMBERS):
        report.change(item)
    assert diff_text(report.changes).splitlines() == [
        f"Sales  {DN}",
        "  + description: x",
        "  - displayName: Old",
        "  + displayName: Sales",
        f"Sales  {DN}",
        "  ~ move to CN=Sales,OU=New",
        f"Sales  {DN}",
        "  + member User 2",
        "  + member User 3",
        f"  - member {link(4).dn}",
    ]
    assert diff_text([]) == ""


def test_the_line_of_a_move_tells_both_places() -> None:
    report = Report(10)
    report.change(MOVE)
    assert report.lines() == [f"Sales: move (container differs) {DN} -> CN=Sales,OU=New"]


def test_an_error_reads_as_sentence_and_remedy() -> None:
    assert str(ObjectError("It failed.", "Do this.")) == "It failed. Do this."
    assert str(ObjectError("It failed.")) == "It failed."
    assert ObjectError("x", code="mine").code == "mine"
    assert ObjectError("x").code == "object_failed"


def test_a_question_is_not_for_people() -> None:
    report = Report(10)
    report.plan_item(Question(Subject.SID, "S-1-5-21-1-2-3-4"))
    assert (report.lines(), report.summary, report.changed, report.outcome) == ([], {}, False, Outcome.OK)


def test_a_group_that_is_emptied_tells_why() -> None:
    report = Report(10)
    report.change(replace(MEMBERS, add=(), reason="retired: it was deleted"))
    assert report.lines() == [f"Sales: members (retired: it was deleted) +0 -1: -{link(4).dn}"]
    assert report.changes[0]["reason"] == "retired: it was deleted"


def test_a_change_without_a_plan_is_counted_and_capped() -> None:
    report = Report(1)
    for number in range(2):
        report.entry({"action": "x", "name": str(number)}, "things_done")
    assert (report.changed, report.summary["things_done"], len(report.changes)) == (True, 2, 1)
