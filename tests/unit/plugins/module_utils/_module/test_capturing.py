# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""gpad_scope from its options to its result, over a Graph in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import (
    capture,
    delta,
    member_reading,
    questions,
    writers,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import MemberQuery
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.delta import Round
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.questions import (
    AskedGroups,
    AskedPrincipals,
    Deleted,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.quota import Quota
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import (
    capturing,
    cloud_reading,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    EntraError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    CompleteReading,
    Fate,
    FateKind,
    IncompleteReading,
    OtherWriters,
    Principal,
    Reading,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Question, Subject
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store import planfile, signature
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.snapshot import Snapshot
from tests.unit.plugins.module_utils._module.running import run
from tests.unit.samples import TENANT, cloud_group, cloud_id, converted, sid, user


class Tenant:
    """What Graph would answer; the adapter's functions are replaced by its methods."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.listed: list[CloudGroup] = []
        self.readings: dict[str, Reading[tuple[Principal, ...]]] = {}
        self.states: dict[str, bool] = {}
        self.problem: EntraError | None = None
        self.asked: list[str] = []
        self.member_query = MemberQuery()
        self.answers = AskedGroups()
        self.holders: tuple[Principal, ...] = ()
        self.sids_problem: EntraError | None = None
        self.questions: list[frozenset[str]] = []
        self.requests = {"GET": 2, "POST": 1}
        self.quota = Quota(used=5)
        self.writers = OtherWriters()
        self.roles = frozenset({"Group.Read.All"})
        self.watched: str | None = None
        self.rounds: dict[str, Round | None] = {}
        self.became = AskedPrincipals()
        patch.setattr(delta, "begin", lambda _client, _call: self.watched)
        patch.setattr(delta, "follow", lambda _client, _link, call: self.rounds[call.path.split("/")[1]])
        self.around: frozenset[str] = frozenset()
        patch.setattr(questions, "principals_by_id", lambda *_arguments: self.became)
        patch.setattr(questions, "groups_of", lambda *_arguments: (self.around, None))
        patch.setattr(capturing, "GraphClient", lambda _settings: self)
        for name in ("groups", "authority"):
            patch.setattr(capture, name, getattr(self, name))
        patch.setattr(member_reading, "read_members", self.members)
        for name in ("ask_groups", "principals_with"):
            patch.setattr(questions, name, getattr(self, name))
        patch.setattr(writers, "other_writers", self.other_writers)

    def log_on(self) -> None:
        """Succeed."""

    def groups(self, *_query: object) -> Iterator[CloudGroup]:
        """List the groups."""
        return iter(self.listed)

    def authority(self, _client: object, ids: Sequence[str]) -> tuple[dict[str, bool], EntraError | None]:
        """Tell who is master."""
        self.asked += ids
        return self.states, self.problem

    def members(
        self, _client: object, ids: Sequence[str], query: MemberQuery
    ) -> Iterator[tuple[str, Reading[tuple[Principal, ...]]]]:
        """List members."""
        self.member_query = query
        return ((cloud, self.readings.get(cloud, CompleteReading(()))) for cloud in ids)

    def ask_groups(self, _client: object, _query: object, ids: frozenset[str]) -> AskedGroups:
        """Tell what became of groups."""
        self.questions.append(ids)
        return self.answers

    def other_writers(self, _client: object) -> OtherWriters:
        """Tell who else writes."""
        return self.writers

    def principals_with(self, _client: object, sids: frozenset[str]) -> tuple[tuple[Principal, ...], EntraError | None]:
        """Tell whose SIDs these are."""
        self.questions.append(sids)
        return self.holders, self.sids_problem


Scope = Callable[..., dict[str, Any]]


@pytest.fixture
def tenant(monkeypatch: pytest.MonkeyPatch) -> Tenant:
    """A tenant with one group in scope and one that is not."""
    result = Tenant(monkeypatch)
    result.listed = [cloud_group(1), cloud_group(2, mailEnabled=True), cloud_group(3)]
    result.readings = {cloud_id(1): CompleteReading((user(10), user(11)))}
    return result


@pytest.fixture
def scope(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Scope:
    """Run gpad_scope."""

    def running(*, check_mode: bool = False, **more: Any) -> dict[str, Any]:
        path = str(tmp_path / "snapshot")
        options = {"tenant_id": TENANT, "client_id": "app", "client_secret": "s3cr3t-v4lue", "snapshot": path}
        return run(monkeypatch, capsys, capturing.run, {**options, "scope_mode": "all", **more}, check_mode=check_mode)

    return running


def test_what_is_in_scope_is_captured(tenant: Tenant, scope: Scope, tmp_path: Path) -> None:
    result = scope()
    assert (result["_rc"], result["changed"], result["outcome"]) == (0, False, "ok")
    assert {entry["id"]: entry["in_scope"] for entry in result["groups"]} == {
        cloud_id(1): True,
        cloud_id(2): False,
        cloud_id(3): True,
    }
    assert [skip["code"] for skip in result["skips"]] == ["mail_enabled"]
    assert (result["summary"]["groups_in_scope"], result["summary"]["memberships"]) == (2, 2)
    snapshot = Snapshot(tmp_path / "snapshot")
    assert snapshot.header.tenant_id == TENANT
    assert not snapshot.header.check_mode
    assert snapshot.ids_in_scope() == {cloud_id(1), cloud_id(3)}
    assert snapshot.members(cloud_id(1)) == CompleteReading((user(10), user(11)))


def test_it_tells_of_how_many_groups_the_members_were_read(tenant: Tenant, scope: Scope, told: list[Any]) -> None:
    scope()
    assert told == [["reading groups", 0, None], *(["reading members", done, 2] for done in range(3))]


def test_check_mode_marks_the_snapshot(tenant: Tenant, scope: Scope, tmp_path: Path) -> None:
    scope(check_mode=True)
    assert Snapshot(tmp_path / "snapshot").header.check_mode


def test_what_entered_and_left_since_the_last_capture(tenant: Tenant, scope: Scope) -> None:
    first = scope()
    assert (first["entered"], first["left"]) == ([], [])
    tenant.listed = [cloud_group(1), cloud_group(2)]
    second = scope()
    assert [entry["name"] for entry in second["entered"]] == ["Group 2"]
    assert [entry["id"] for entry in second["left"]] == [cloud_id(3)]
    assert (second["summary"]["groups_entered"], second["summary"]["groups_left"]) == (1, 1)
    tenant.listed = [cloud_group(number) for number in range(1, 6)]
    third = scope(max_results=2)
    assert (len(third["entered"]), third["summary"]["groups_entered"], third["left"]) == (2, 3, [])


def test_selected_groups(tenant: Tenant, scope: Scope, tmp_path: Path) -> None:
    result = scope(scope_mode="selected", selected_groups=["Group 1"])
    assert result["outcome"] == "ok"
    assert Snapshot(tmp_path / "snapshot").ids_in_scope() == {cloud_id(1)}


def test_authority_is_asked_only_for_groups_it_decides(tenant: Tenant, scope: Scope, tmp_path: Path) -> None:
    tenant.listed = [
        cloud_group(1, onPremisesSecurityIdentifier=sid(2001)),
        cloud_group(2, onPremisesSecurityIdentifier=sid(2002), onPremisesSyncEnabled=True),
        cloud_group(3),
    ]
    tenant.states = {cloud_id(1): True}
    assert scope()["outcome"] == "ok"
    assert tenant.asked == [cloud_id(1)]
    assert Snapshot(tmp_path / "snapshot").ids_in_scope() == {cloud_id(1), cloud_id(3)}


def test_an_authority_that_cannot_be_read_is_incomplete_and_writes_nothing(
    tenant: Tenant, scope: Scope, tmp_path: Path
) -> None:
    tenant.listed = [cloud_group(1, onPremisesSecurityIdentifier=sid(2001))]
    tenant.problem = EntraError("It lacks the permission.", code="permission_missing")
    result = scope()
    assert result["outcome"] == "incomplete"
    assert "authority_unread" in [notice["code"] for notice in result["notices"]]
    assert Snapshot(tmp_path / "snapshot").ids_in_scope() == frozenset()


@pytest.mark.parametrize(
    ("reading", "code"),
    [
        (IncompleteReading((user(10),), "a page was lost"), "members_incomplete"),
        (CompleteReading((user(10, readable=False),)), "members_unreadable"),
    ],
)
def test_members_that_are_not_whole_make_the_outcome_incomplete(
    tenant: Tenant, scope: Scope, tmp_path: Path, reading: Reading[tuple[Principal, ...]], code: str
) -> None:
    tenant.readings = {cloud_id(1): reading}
    result = scope()
    assert (result["outcome"], result["fatal"]) == ("incomplete", False)
    assert code in [notice["code"] for notice in result["notices"]]
    assert Snapshot(tmp_path / "snapshot").members(cloud_id(1)) == reading


def test_a_snapshot_that_is_not_whole_says_so_although_the_result_has_no_room_for_it(
    tenant: Tenant, scope: Scope, plan: str, tmp_path: Path
) -> None:
    tenant.answers = AskedGroups(absent=frozenset({cloud_id(40)}))
    tenant.readings = {cloud_id(1): IncompleteReading((user(10),), "a page was lost")}
    result = scope(scope_mode="selected", selected_groups=["Group 1", cloud_id(40)], plan=plan, max_results=1)
    assert [notice["code"] for notice in result["notices"]] == ["selected_group_deleted"]
    assert "a page was lost" in Snapshot(tmp_path / "snapshot").header.incomplete


def test_a_list_that_breaks_off_leaves_the_old_snapshot(
    tenant: Tenant, scope: Scope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope()
    before = (tmp_path / "snapshot").read_bytes()

    def broken(*_query: object) -> Iterator[CloudGroup]:
        yield cloud_group(1)
        raise EntraError("A page was lost.", code="entra_answer_broken")

    monkeypatch.setattr(capture, "groups", broken)
    result = scope()
    assert (result["outcome"], result["errors"][0]["code"]) == ("fatal", "entra_answer_broken")
    assert (tmp_path / "snapshot").read_bytes() == before


def test_a_snapshot_of_another_tenant_is_not_replaced(tenant: Tenant, scope: Scope, tmp_path: Path) -> None:
    scope()
    before = (tmp_path / "snapshot").read_bytes()
    result = scope(tenant_id=cloud_id(77))
    assert result["errors"][0]["code"] == "other_tenant"
    assert (tmp_path / "snapshot").read_bytes() == before


def test_a_damaged_snapshot_is_made_anew(tenant: Tenant, scope: Scope, tmp_path: Path) -> None:
    (tmp_path / "snapshot").write_bytes(b"x" * 5000)
    assert scope()["outcome"] == "ok"
    assert Snapshot(tmp_path / "snapshot").ids_in_scope()


def test_a_folder_that_is_missing_is_told_before_anything_is_asked(tenant: Tenant, scope: Scope) -> None:
    assert scope(snapshot="/none/such/snapshot")["errors"][0]["code"] == "store_failed"
    assert tenant.asked == []


@pytest.mark.parametrize(
    "options",
    [
        {"scope_mode": "selected"},
        {"client_certificate_path": "/a.pem"},
    ],
)
def test_options_that_do_not_go_together(tenant: Tenant, scope: Scope, options: dict[str, Any]) -> None:
    assert scope(**options)["failed"]


def test_an_entry_that_selects_no_group_or_several_is_told_and_stops_no_other(
    tenant: Tenant, scope: Scope, tmp_path: Path
) -> None:
    tenant.listed = [cloud_group(1), cloud_group(2, displayName="Twin"), cloud_group(3, displayName="Twin")]
    result = scope(scope_mode="selected", selected_groups=["Group 1", "Twin", "Nobody"])
    assert (result["outcome"], result["fatal"]) == ("partial", False)
    assert sorted((entry["name"], entry["code"]) for entry in result["errors"]) == [
        ("Nobody", "selected_group_unknown"),
        ("Twin", "selected_group_not_unique"),
    ]
    assert Snapshot(tmp_path / "snapshot").ids_in_scope() == {cloud_id(1)}


@pytest.mark.parametrize(
    "answers",
    [
        AskedGroups(deleted={cloud_id(40): Deleted("Once", "2026-02-27T01:02:03Z")}),
        AskedGroups(absent=frozenset({cloud_id(40)})),
    ],
)
def test_a_selected_group_that_was_deleted_casts_no_doubt_on_the_scope(
    tenant: Tenant, scope: Scope, plan: str, tmp_path: Path, answers: AskedGroups
) -> None:
    """Otherwise the entry would forbid to retire the very group that it names."""
    tenant.answers = answers
    result = scope(scope_mode="selected", selected_groups=["Group 1", cloud_id(40).upper()], plan=plan)
    assert (result["outcome"], result["errors"]) == ("ok", [])
    assert [(notice["code"], notice["name"]) for notice in result["notices"]] == [
        ("selected_group_deleted", cloud_id(40).upper())
    ]
    snapshot = Snapshot(tmp_path / "snapshot")
    assert (snapshot.header.scope_doubt, set(snapshot.fates())) == ("", {cloud_id(40)})


@pytest.mark.parametrize("entry", ["Once", cloud_id(41), cloud_id(40)])
def test_a_selected_group_that_nobody_can_find_casts_doubt_on_the_scope(
    tenant: Tenant, scope: Scope, plan: str, tmp_path: Path, entry: str
) -> None:
    """A name may be misspelt, an id mistyped, and of a group that could not be asked nothing is known."""
    unread = entry == cloud_id(40)
    tenant.answers = AskedGroups(
        deleted={} if unread else {cloud_id(40): Deleted("Once", "2026-02-27T01:02:03Z")},
        unread=frozenset({cloud_id(40)} if unread else ()),
    )
    result = scope(scope_mode="selected", selected_groups=["Group 1", entry], plan=plan)
    assert "selected_group_unknown" in [error["code"] for error in result["errors"]]
    assert Snapshot(tmp_path / "snapshot").header.scope_doubt


@pytest.mark.parametrize("known_by", ["plan", "snapshot", ""])
def test_the_authority_of_a_converted_group_is_asked_although_it_left(
    tenant: Tenant, scope: Scope, tmp_path: Path, known_by: str
) -> None:
    """What becomes of its object depends on who is its master."""
    if known_by == "snapshot":
        tenant.listed = [converted(3, sid(2003))]
        tenant.states = {cloud_id(3): True}
        scope()
        assert Snapshot(tmp_path / "snapshot").ids_in_scope() == {cloud_id(3)}
    tenant.asked.clear()
    tenant.states = {cloud_id(3): False}
    tenant.listed = [cloud_group(1), cloud_group(3, mailEnabled=True, onPremisesSecurityIdentifier=sid(2003))]
    result = scope(**({"plan": write_plan(tmp_path / "plan")} if known_by == "plan" else {}))
    assert tenant.asked == ([cloud_id(3)] if known_by else [])
    reasons = {skip["id"]: skip["code"] for skip in result["skips"]}
    assert reasons == {cloud_id(3): "rolled_back" if known_by else "mail_enabled"}


def test_assigned_groups(tenant: Tenant, scope: Scope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []

    def assigned(_client: object, *question: object) -> frozenset[str]:
        asked.append(question)
        return frozenset({cloud_id(1)} if question[0] == "sp1" else {cloud_id(2)})

    monkeypatch.setattr(capture, "assigned_ids", assigned)
    scope(scope_mode="assigned", service_principals=["sp1", "sp2"], app_role_ids=["ROLE"])
    assert asked == [("sp1", frozenset({"role"})), ("sp2", frozenset({"role"}))]
    assert Snapshot(tmp_path / "snapshot").ids_in_scope() == {cloud_id(1)}


def test_filters_and_members_of_another_group(
    tenant: Tenant, scope: Scope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "member_ids", lambda _client, _parent: frozenset({cloud_id(3)}))
    rules = [
        {"clauses": [{"operator": "IS_MEMBER_OF", "value": cloud_id(50)}]},
        {"name": "idle", "clauses": [{"attribute": "displayName", "operator": "EQUALS", "value": "Nobody"}]},
    ]
    result = scope(filters=rules)
    assert Snapshot(tmp_path / "snapshot").ids_in_scope() == {cloud_id(3)}
    assert [(notice["code"], notice["name"]) for notice in result["notices"]] == [("filter_idle", "idle")]
    assert result["summary"]["groups_filtered_out"] == 1


@pytest.fixture
def plan(tmp_path: Path) -> str:
    """A plan that asks of one captured group, one other group and two SIDs."""
    return write_plan(tmp_path / "plan")


def write_plan(path: Path, tenant: str = TENANT) -> str:
    header = planfile.PlanHeader("p", "2026-01-01T00:00:00Z", tenant, "2026-01-01T00:00:00Z", "DC=x", "dc1", False)
    with planfile.writing(path, header) as writer:
        for value in (cloud_id(3), cloud_id(40), "not-an-id"):
            writer.add(Question(Subject.GROUP, value))
        for value in (sid(5040), sid(5041), "S-1-5-21' or displayName eq 'x"):
            writer.add(Question(Subject.SID, value))
        writer.finish({}, ())
    return str(path)


def test_what_the_plan_asks_is_asked_and_no_more(tenant: Tenant, scope: Scope, plan: str, tmp_path: Path) -> None:
    tenant.answers = AskedGroups(living=(cloud_group(40, mailEnabled=True),))
    tenant.holders = (user(40),)
    result = scope(plan=plan)
    assert tenant.questions == [{cloud_id(40)}, {sid(5040), sid(5041)}]
    assert result["outcome"] == "ok"
    assert (result["summary"]["groups_asked"], result["summary"]["sids_asked"], result["summary"]["sids_found"]) == (
        1,
        2,
        1,
    )
    captured = {entry["id"]: entry["reason"] for entry in result["groups"]}
    assert captured[cloud_id(40)] == "it is mail-enabled"
    snapshot = Snapshot(tmp_path / "snapshot")
    assert snapshot.known_sids({sid(5040), sid(5041)}) == {sid(5040)}
    assert snapshot.fates() == {}


def test_a_group_that_lives_may_be_in_scope(tenant: Tenant, scope: Scope, plan: str, tmp_path: Path) -> None:
    tenant.answers = AskedGroups(living=(cloud_group(40),))
    tenant.readings[cloud_id(40)] = CompleteReading((user(12),))
    scope(plan=plan)
    snapshot = Snapshot(tmp_path / "snapshot")
    assert cloud_id(40) in snapshot.ids_in_scope()
    assert snapshot.members(cloud_id(40)) == CompleteReading((user(12),))


@pytest.mark.parametrize("given", [None, "missing"])
def test_without_a_plan_nothing_is_asked(tenant: Tenant, scope: Scope, tmp_path: Path, given: str | None) -> None:
    result = scope(plan=str(tmp_path / given)) if given else scope()
    assert (result["outcome"], tenant.questions) == ("ok", [])
    assert "groups_asked" not in result["summary"]
    assert "sids_asked" not in result["summary"]


def test_a_plan_that_cannot_be_read_is_told_and_asks_nothing(tenant: Tenant, scope: Scope, plan: str) -> None:
    Path(plan).write_text("{}\n", encoding="utf-8")
    result = scope(plan=plan)
    assert (result["outcome"], [notice["code"] for notice in result["notices"]]) == ("ok", ["plan_damaged"])


def test_a_plan_of_another_tenant_would_make_all_its_groups_absent(
    tenant: Tenant, scope: Scope, tmp_path: Path
) -> None:
    result = scope(plan=write_plan(tmp_path / "plan", cloud_id(77)))
    assert (result["outcome"], result["errors"][0]["code"]) == ("fatal", "other_tenant")
    assert tenant.questions == []


class Clock:
    """Captures that are a day apart."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.day = 0
        patch.setattr(capturing, "utc_now", self.now)

    def now(self) -> datetime:
        """Return noon of the day."""
        return datetime(2026, 3, self.day, 12, tzinfo=timezone.utc)

    def at(self, day: int) -> str:
        """Set the day, and return the time as snapshots write it."""
        self.day = day
        return f"2026-03-{day:02}T12:00:00Z"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that stands."""
    return Clock(monkeypatch)


def fates(tmp_path: Path) -> dict[str, Fate]:
    return dict(Snapshot(tmp_path / "snapshot").fates())


ABSENT = AskedGroups(absent=frozenset({cloud_id(40)}))


def test_a_group_is_absent_since_the_first_capture_that_found_it_so(
    tenant: Tenant, scope: Scope, plan: str, tmp_path: Path, clock: Clock
) -> None:
    tenant.listed.append(cloud_group(40, displayName="Once"))
    clock.at(1)
    scope(plan=plan)
    tenant.listed.pop()
    tenant.answers = ABSENT
    first = clock.at(2)
    result = scope(plan=plan)
    assert fates(tmp_path) == {cloud_id(40): Fate(cloud_id(40), FateKind.ABSENT, "Once", first, first)}
    assert (result["outcome"], result["summary"]["groups_absent"]) == ("ok", 1)
    assert [(entry["id"], entry["name"]) for entry in result["left"]] == [(cloud_id(40), "Once")]
    second = clock.at(3)
    scope(plan=plan)
    third = clock.at(4)
    scope(plan=plan)
    assert fates(tmp_path) == {cloud_id(40): Fate(cloud_id(40), FateKind.ABSENT, "Once", first, third)}
    assert second < third


def test_absence_begins_anew_when_the_group_was_there_in_between(
    tenant: Tenant, scope: Scope, plan: str, tmp_path: Path, clock: Clock
) -> None:
    tenant.answers = ABSENT
    clock.at(1)
    scope(plan=plan)
    deleted = "2026-02-27T01:02:03Z"
    tenant.answers = AskedGroups(deleted={cloud_id(40): Deleted("", deleted)})
    second = clock.at(2)
    result = scope(plan=plan)
    assert fates(tmp_path)[cloud_id(40)] == Fate(cloud_id(40), FateKind.SOFT_DELETED, "", deleted, second)
    assert result["summary"]["groups_soft_deleted"] == 1
    tenant.answers = ABSENT
    third = clock.at(3)
    scope(plan=plan)
    assert fates(tmp_path)[cloud_id(40)].since == third


def test_what_check_mode_saw_counts_for_nothing(
    tenant: Tenant, scope: Scope, plan: str, tmp_path: Path, clock: Clock
) -> None:
    tenant.answers = ABSENT
    clock.at(1)
    scope(plan=plan, check_mode=True)
    assert fates(tmp_path)[cloud_id(40)].kind is FateKind.ABSENT
    second = clock.at(2)
    scope(plan=plan)
    assert fates(tmp_path)[cloud_id(40)].since == second


def test_a_clock_that_was_set_back_makes_nothing_absent_in_the_future(
    tenant: Tenant, scope: Scope, plan: str, tmp_path: Path, clock: Clock
) -> None:
    tenant.answers = ABSENT
    clock.at(9)
    scope(plan=plan)
    earlier = clock.at(8)
    scope(plan=plan)
    assert fates(tmp_path)[cloud_id(40)].since == earlier


def test_a_group_that_could_not_be_asked_has_no_fate(tenant: Tenant, scope: Scope, plan: str, tmp_path: Path) -> None:
    problem = EntraError("It lacks the permission.", code="permission_missing")
    tenant.answers = AskedGroups(unread=frozenset({cloud_id(40)}), problem=problem)
    result = scope(plan=plan)
    assert (result["outcome"], result["fatal"]) == ("incomplete", False)
    assert [notice["code"] for notice in result["notices"]] == ["fate_unread"]
    assert "It lacks the permission." in result["notices"][0]["reason"]
    assert fates(tmp_path) == {}
    assert "It lacks the permission." in Snapshot(tmp_path / "snapshot").header.incomplete


def test_sids_that_could_not_be_asked(tenant: Tenant, scope: Scope, plan: str, tmp_path: Path) -> None:
    tenant.holders = (user(40),)
    tenant.sids_problem = EntraError("It lacks the permission.", code="permission_missing")
    result = scope(plan=plan)
    assert result["outcome"] == "incomplete"
    assert [notice["code"] for notice in result["notices"]] == ["sids_unread"]
    assert Snapshot(tmp_path / "snapshot").known_sids({sid(5040)}) == {sid(5040)}


@pytest.mark.parametrize(
    ("keys", "query"),
    [
        (None, MemberQuery()),
        (["security_identifier"], MemberQuery()),
        (["object_identifier"], MemberQuery(object_identifier=True)),
        (["immutable_id", "security_identifier"], MemberQuery(immutable_id=True)),
    ],
)
def test_what_users_are_matched_by_decides_what_is_read(
    tenant: Tenant, scope: Scope, keys: list[str] | None, query: MemberQuery
) -> None:
    scope(**({"match_users_by": keys} if keys else {}))
    assert tenant.member_query == query


def test_a_key_that_does_not_exist_is_refused(tenant: Tenant, scope: Scope) -> None:
    assert "match_users_by" in scope(match_users_by=["distinguished_name"])["msg"]


JOB = "Cloud Sync, job AAD2ADGroupProvisioning.1, Active"


@pytest.mark.parametrize(
    ("options", "running", "code", "held"),
    [
        ({}, (), None, ()),
        ({}, (JOB,), "other_writer", (JOB,)),
        ({"other_writers": "disjoint"}, (JOB,), "other_writer_disjoint", ()),
        ({"other_writers": "disjoint"}, (), None, ()),
    ],
)
def test_other_writers_stand_in_the_snapshot_unless_somebody_vouches(
    tenant: Tenant,
    scope: Scope,
    tmp_path: Path,
    options: dict[str, Any],
    running: tuple[str, ...],
    code: str | None,
    held: tuple[str, ...],
) -> None:
    tenant.writers = OtherWriters(running)
    result = scope(**options)
    assert result["outcome"] == "ok"
    assert [notice["code"] for notice in result["notices"]] == ([code] if code else [])
    assert all(JOB in notice["reason"] for notice in result["notices"])
    assert Snapshot(tmp_path / "snapshot").header.other_writers == held


@pytest.mark.parametrize(("failed", "outcome"), [(False, "ok"), (True, "incomplete")])
def test_writers_that_are_not_known_are_told_and_what_was_read_counts(
    tenant: Tenant, scope: Scope, tmp_path: Path, *, failed: bool, outcome: str
) -> None:
    running = (JOB,) if failed else ()
    tenant.writers = OtherWriters(running, unread="it lacks that", failed=failed)
    result = scope()
    codes = ["other_writers_unread", *(["other_writer"] if failed else [])]
    assert (result["outcome"], [notice["code"] for notice in result["notices"]]) == (outcome, codes)
    assert "it lacks that" in result["notices"][0]["reason"]
    header = Snapshot(tmp_path / "snapshot").header
    assert (header.incomplete, header.other_writers) == ("", running)
    assert scope(other_writers="disjoint")["outcome"] == "ok"


def test_a_key_signs_the_snapshot(tenant: Tenant, scope: Scope, tmp_path: Path) -> None:
    key = "a key of thirty-two characters, or more"
    assert scope(snapshot_key=key)["outcome"] == "ok"
    assert Snapshot(tmp_path / "snapshot", signature.key_of(key)).ids_in_scope() == {cloud_id(1), cloud_id(3)}
    result = scope(snapshot_key="?" * 31)
    assert (result["_rc"], result["errors"][0]["code"]) == (1, "snapshot_key_short")


def watched(tenant: Tenant, *groups: int, users: tuple[int, ...] = ()) -> None:
    """Let the service tell changes, and nothing of what did not change."""
    tenant.watched = "https://graph.microsoft.com/link"
    tenant.rounds = {
        "groups": Round(frozenset(map(cloud_id, groups)), "next"),
        "users": Round(frozenset(map(cloud_id, users)), "next"),
    }


def test_only_what_changed_is_read(tenant: Tenant, scope: Scope, tmp_path: Path) -> None:
    watched(tenant, 1)
    first = scope()
    assert first["reading"] == {"kind": "full", "why": "there is no snapshot to go on from"}
    fingerprint = Snapshot(tmp_path / "snapshot").header.fingerprint
    tenant.listed, tenant.answers = [], AskedGroups((cloud_group(1, displayName="Renamed"),))
    tenant.readings = {cloud_id(1): CompleteReading((user(11), user(12)))}
    second = scope()
    assert (second["reading"], second["outcome"]) == ({"kind": "changes", "why": ""}, "ok")
    assert (second["entered"], second["left"]) == ([], [])
    snapshot = Snapshot(tmp_path / "snapshot")
    assert [item.group.display_name for item in snapshot.groups()] == ["Group 2", "Group 3", "Renamed"]
    assert snapshot.members(cloud_id(1)) == CompleteReading((user(11), user(12)))
    assert snapshot.reading(0) == fingerprint
    assert snapshot.header.sequence == 1
    assert snapshot.changed_since(0) == {cloud_id(1)}
    assert snapshot.watches()["groups"] == "next"


def test_a_member_that_changed_changes_its_groups(tenant: Tenant, scope: Scope, tmp_path: Path) -> None:
    watched(tenant)
    scope()
    watched(tenant, users=(10, 99))
    tenant.became = AskedPrincipals((user(10, sid(4711)),))
    scope()
    snapshot = Snapshot(tmp_path / "snapshot")
    assert snapshot.members(cloud_id(1)).items == (user(10, sid(4711)), user(11))
    assert snapshot.changed_since(0) == {cloud_id(1)}


def test_the_groups_of_a_member_that_is_gone_are_read_again(tenant: Tenant, scope: Scope, tmp_path: Path) -> None:
    watched(tenant)
    scope()
    watched(tenant, users=(10,))
    tenant.became = AskedPrincipals(gone=frozenset({cloud_id(10)}))
    tenant.readings = {cloud_id(1): CompleteReading((user(11),))}
    scope()
    snapshot = Snapshot(tmp_path / "snapshot")
    assert snapshot.members(cloud_id(1)) == CompleteReading((user(11),))
    assert not snapshot.principals({cloud_id(10)})


def test_the_groups_of_a_member_that_came_back_are_read_again(tenant: Tenant, scope: Scope, tmp_path: Path) -> None:
    watched(tenant)
    scope()
    watched(tenant, users=(12,))
    tenant.around = frozenset({cloud_id(1)})
    tenant.readings = {cloud_id(1): CompleteReading((user(10), user(12)))}
    scope()
    assert Snapshot(tmp_path / "snapshot").members(cloud_id(1)) == CompleteReading((user(10), user(12)))


def test_groups_leave_the_scope_and_the_tenant(tenant: Tenant, scope: Scope, tmp_path: Path) -> None:
    watched(tenant)
    scope()
    watched(tenant, 1, 3)
    tenant.listed, tenant.answers = (
        [],
        AskedGroups((cloud_group(1, mailEnabled=True),), absent=frozenset({cloud_id(3)})),
    )
    result = scope()
    assert [entry["id"] for entry in result["left"]] == [cloud_id(1), cloud_id(3)]
    snapshot = Snapshot(tmp_path / "snapshot")
    assert {item.group.id for item in snapshot.groups()} == {cloud_id(1), cloud_id(2)}
    assert snapshot.counts()["memberships"] == 0
    assert list(snapshot.fates()) == [cloud_id(3)]


def test_a_group_that_enters_the_scope_is_read_although_it_did_not_change(
    tenant: Tenant, scope: Scope, tmp_path: Path
) -> None:
    watched(tenant)
    scope(scope_mode="selected", selected_groups=["Group 3"])
    result = scope(scope_mode="selected", selected_groups=["Group 1"])
    assert result["reading"]["kind"] == "changes"
    snapshot = Snapshot(tmp_path / "snapshot")
    assert snapshot.ids_in_scope() == {cloud_id(1)}
    assert snapshot.members(cloud_id(1)) == CompleteReading((user(10), user(11)))
    assert snapshot.changed_since(0) == {cloud_id(1), cloud_id(3)}


@pytest.mark.parametrize(
    ("doubt", "why"),
    [
        ({"watched": None}, "does not tell what changed"),
        ({"rounds": {"groups": None, "users": None}}, "does not know any more"),
        ({"answers": AskedGroups(unread=frozenset({cloud_id(1)}))}, "does not know any more"),
        ({"became": AskedPrincipals(problem=EntraError("no"))}, "does not know any more"),
        ({"roles": frozenset({"User.Read.All"})}, "other permissions"),
    ],
)
def test_on_any_doubt_everything_is_read(tenant: Tenant, scope: Scope, doubt: dict[str, Any], why: str) -> None:
    watched(tenant, 1, users=(10,))
    tenant.watched = doubt.pop("watched", tenant.watched)
    scope()
    for name, value in doubt.items():
        setattr(tenant, name, value)
    result = scope()
    assert result["reading"]["kind"] == "full"
    assert why in result["reading"]["why"]
    assert result["summary"]["groups_in_scope"] == 2


def test_a_reading_that_was_not_whole_is_no_ground_to_go_on_from(tenant: Tenant, scope: Scope) -> None:
    watched(tenant)
    tenant.readings = {cloud_id(1): IncompleteReading((user(10),), "cut")}
    scope()
    assert "not whole" in scope()["reading"]["why"]


def test_everything_is_read_when_it_is_time(tenant: Tenant, scope: Scope, monkeypatch: pytest.MonkeyPatch) -> None:
    watched(tenant)
    scope()
    for hours, kind in ((23, "changes"), (25, "full")):
        later = datetime.now(timezone.utc) + timedelta(hours=hours)
        monkeypatch.setattr(cloud_reading, "utc_now", lambda later=later: later)
        assert scope()["reading"]["kind"] == kind
    assert scope(full_after_hours=0)["reading"]["kind"] == "full"
    assert scope()["reading"]["why"] == "the service does not tell what changed"


@pytest.mark.parametrize("hours", [-1, 169])
def test_hours_that_cannot_be(tenant: Tenant, scope: Scope, hours: int) -> None:
    result = scope(full_after_hours=hours)
    assert "full_after_hours" in result["msg"]


def test_what_changed_is_read_again_until_the_index_shows_it(
    tenant: Tenant, scope: Scope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Members are listed from an index that lags behind what delta queries tell, and they tell it once."""
    watched(tenant)
    scope()
    now = datetime.now(timezone.utc)
    tenant.answers = AskedGroups((cloud_group(1),))
    asked: list[list[str]] = []
    members = tenant.members

    def listing(client: object, ids: Sequence[str], query: MemberQuery) -> Any:
        asked.append(list(ids))
        return members(client, ids, query)

    monkeypatch.setattr(member_reading, "read_members", listing)
    for minutes, told in ((0, (1,)), (10, ()), (20, ()), (30, ())):
        watched(tenant, *told)
        later = now + timedelta(minutes=minutes)
        monkeypatch.setattr(cloud_reading, "utc_now", lambda later=later: later)
        if minutes == 20:
            tenant.readings = {cloud_id(1): CompleteReading((user(11),))}
        assert scope()["reading"]["kind"] == "changes"
    assert asked == [[cloud_id(1)], [cloud_id(1)], [cloud_id(1)], []]
    assert Snapshot(tmp_path / "snapshot").members(cloud_id(1)) == CompleteReading((user(11),))


def test_a_user_that_changed_is_asked_again(
    tenant: Tenant, scope: Scope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched(tenant)
    scope()
    asked: list[set[str]] = []

    def became(_client: object, _query: object, kinds: dict[str, object]) -> AskedPrincipals:
        asked.append(set(kinds))
        return AskedPrincipals()

    monkeypatch.setattr(questions, "principals_by_id", became)
    watched(tenant, users=(10,))
    scope()
    watched(tenant)
    scope()
    assert asked == [{cloud_id(10)}, {cloud_id(10)}]


def test_who_is_asked_for_by_sid_loses_nothing_that_was_read(
    tenant: Tenant, scope: Scope, plan: str, tmp_path: Path
) -> None:
    """The answer has fewer properties than a listed member, and without its GUID a conflict is not seen."""
    listed = user(40, sid(5040), object_identifier=cloud_id(77))
    tenant.readings = {cloud_id(1): CompleteReading((listed,))}
    watched(tenant)
    scope()
    tenant.holders = (user(40, sid(5040)),)
    assert scope(plan=plan)["reading"]["kind"] == "changes"
    snapshot = Snapshot(tmp_path / "snapshot")
    assert snapshot.members(cloud_id(1)) == CompleteReading((listed,))
    assert snapshot.changed_since(0) == frozenset()


def test_a_group_that_only_the_plan_asks_for_is_read_with_its_members(
    tenant: Tenant, scope: Scope, plan: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched(tenant)
    scope()
    found = AskedGroups(living=(cloud_group(40),))
    monkeypatch.setattr(questions, "ask_groups", lambda _c, _q, ids: found if cloud_id(40) in ids else AskedGroups())
    tenant.readings = {cloud_id(40): CompleteReading((user(10),))}
    assert scope(plan=plan)["reading"]["kind"] == "changes"
    assert Snapshot(tmp_path / "snapshot").members(cloud_id(40)) == CompleteReading((user(10),))
