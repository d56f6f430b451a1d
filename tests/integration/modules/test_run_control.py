# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time, the retries of what failed, and the quarantine of runs."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from typing import Any

import pytest

from tests.integration.modules.objects import unique
from tests.integration.modules.processes import Anew
from tests.integration.modules.target import Target
from tests.lab.scenario import object_id

BRITTA, LOLA = "Britta Simon", "Lola Jacobson"
# Nobody may write the properties of the object.
DENY_WRITING = "(D;;WP;;;WD)"


def sql(target: Target, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """Ask the journal, or change it."""
    with closing(sqlite3.connect(target.journal)) as database:
        found = database.execute(statement, values).fetchall()
        database.commit()
    return found


def codes(result: dict[str, Any]) -> set[str]:
    """Return the codes of a result's errors."""
    return {error["code"] for error in result["errors"]}


def noticed(result: dict[str, Any]) -> set[str]:
    """Return the codes of a result's notices."""
    return {notice["code"] for notice in result["notices"]}


def held(target: Target, *groups: str, **options: Any) -> dict[str, Any]:
    """Capture, and plan as the role does, holding the journal."""
    target.snapshot_of(*groups)
    return target.plan(hold=True, **options)


def restricted(target: Target) -> dict[str, Any]:
    """Return the options of an account that may not write."""
    reader = target.forest.reader_account
    return {"domain_username": reader.username, "domain_password": reader.password}


# One run at a time


def test_other_runs_are_refused_from_the_plan_to_its_end(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Held"), [object_id(BRITTA)])
    target.snapshot_of(cloud_id)
    other = target.state / "other.jsonl"
    assert target.plan(plan=str(other))["outcome"] == "ok"
    plan = target.plan(hold=True)
    assert plan["outcome"] == "ok"
    lease = target.info("runs")["info"]["lease"]
    assert lease["plan_id"] == plan["plan_id"] and lease["since"] == lease["heartbeat"]
    before = target.usn()
    refused = (
        target.plan(plan=str(target.state / "third.jsonl")),
        target.plan(hold=True, plan=str(target.state / "third.jsonl")),
        target.plan(check=True, plan=str(target.state / "third.jsonl")),
        target.group(plan=str(other)),
        target.group(snapshot=str(target.snapshot)),
        target.membership(plan=str(other)),
    )
    for result in refused:
        assert (result["outcome"], codes(result)) == ("blocked", {"run_in_progress"}), result
        for told in (plan["plan_id"], lease["host"], str(lease["pid"]), lease["since"], lease["heartbeat"]):
            assert told in result["msg"]
        assert "thirty minutes" in result["msg"]
    assert target.usn() == before
    assert target.group()["outcome"] == "ok"
    between = target.info("runs")["info"]["lease"]
    assert between["heartbeat"] > lease["heartbeat"] and between["since"] == lease["since"]
    assert codes(target.plan(plan=str(target.state / "third.jsonl"))) == {"run_in_progress"}
    assert target.membership()["outcome"] == "ok"
    assert target.info("runs")["info"]["lease"] is None
    assert target.members(cloud_id) == {target.person(BRITTA)}
    assert target.plan(plan=str(target.state / "third.jsonl"))["outcome"] == "ok"


def test_of_many_runs_at_once_one_gets_the_journal(target: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Target, "processes", Anew())
    cloud_id = target.admin.create_group(unique("Crowded"))
    target.snapshot_of(cloud_id)
    results: list[dict[str, Any]] = []

    def run(number: int) -> None:
        results.append(target.plan(hold=True, plan=str(target.state / f"plan-{number}.jsonl")))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcomes = sorted(result["outcome"] for result in results)
    assert outcomes == ["blocked", "blocked", "blocked", "ok"]
    assert set().union(*map(codes, results)) == {"run_in_progress"}


def test_a_dead_run_is_taken_over(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Dead"))
    dead = held(target, cloud_id)["plan_id"]
    assert codes(target.plan(hold=True)) == {"run_in_progress"}
    sql(target, "UPDATE lease SET heartbeat = strftime('%Y-%m-%dT%H:%M:%fZ', heartbeat, '-31 minutes')")
    plan = target.plan(hold=True)
    assert plan["outcome"] == "ok" and noticed(plan) >= {"lease_taken_over"}
    assert dead in str(plan["notices"])
    assert target.info("runs")["info"]["lease"]["plan_id"] == plan["plan_id"]
    assert target.group()["outcome"] == target.membership()["outcome"] == "ok"


def test_a_run_that_ends_fatally_gives_the_journal_back(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Fatal"))
    held(target, cloud_id)
    assert target.group(domain_server="127.0.0.1", domain_port=1)["fatal"]
    assert target.info("runs")["info"]["lease"] is None
    assert held(target, cloud_id)["outcome"] == "ok"


def test_the_journal_is_taken_from_a_run_by_hand(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("By hand"))
    held(target, cloud_id)
    assert target.keep(released=["lease"], check=True)["released"] == ["lease"]
    assert codes(target.plan()) == {"run_in_progress"}
    assert target.keep(released=["lease"])["changed"]
    assert not target.keep(released=["lease"])["changed"]
    assert target.plan()["outcome"] == "ok"


def test_check_mode_holds_nothing(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Checked"))
    target.snapshot_of(cloud_id)
    plan = target.plan(hold=True, check=True, limits={"creations": {"count": 0}})
    assert plan["outcome"] == "blocked" and not plan["quarantine"]["active"]
    assert not target.journal.exists() and list(target.state.glob("*.lock")) == []
    assert target.plan(hold=True, check=True)["outcome"] == "ok"
    assert not target.journal.exists()


# Retries


@pytest.fixture
def two(target: Target) -> tuple[str, str]:
    """Two provisioned groups; of the first the account may not write the properties any more."""
    ids = [target.admin.create_group(unique(name), [object_id(BRITTA)]) for name in ("Denied", "Allowed")]
    target.provision(*ids)
    target.grant(target.entry(ids[0])["dn"][0], DENY_WRITING)
    return ids[0], ids[1]


def cycle(target: Target, *groups: str, **options: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Capture, plan and apply; return the three results."""
    return held(target, *groups, **options), target.group(), target.membership()


def test_a_group_that_fails_waits_and_the_others_go_on(target: Target, two: tuple[str, str]) -> None:
    denied, allowed = two
    for cloud_id in two:
        target.admin.patch_group(cloud_id, description="new")
    plan, group, _members = cycle(target, *two)
    assert plan["outcome"] == "ok"
    assert [(error["id"], error["code"]) for error in group["errors"]] == [(denied, "permission_denied")]
    assert target.entry(allowed)["description"] == ["new"]
    (failing,) = target.info("failing")["info"]["failing"]
    assert (failing["id"], failing["tries"]) == (denied, 1) and failing["first_at"] < failing["next_at"]
    assert not group["quarantine"]["active"]

    target.admin.patch_group(allowed, description="newer")
    plan, group, _members = cycle(target, *two)
    assert [(error["id"], error["code"]) for error in plan["errors"]] == [(denied, "waiting_for_retry")]
    told = plan["errors"][0]["reason"]
    assert plan["outcome"] == "partial" and "permission_denied" in told and failing["next_at"] in told
    assert [change["id"] for change in plan["changes"]] == [allowed]
    assert group["outcome"] == "ok" and target.entry(allowed)["description"] == ["newer"]

    sql(target, "UPDATE retries SET next_at = strftime('%Y-%m-%dT%H:%M:%fZ', next_at, '-7 hours')")
    plan, group, _members = cycle(target, *two)
    assert plan["outcome"] == "ok" and codes(group) == {"permission_denied"}
    assert target.info("failing")["info"]["failing"][0]["tries"] == 2

    target.admin.patch_group(denied, description="another")
    plan, group, _members = cycle(target, *two)
    assert plan["outcome"] == "ok" and codes(group) == {"permission_denied"}
    assert target.info("failing")["info"]["failing"][0]["tries"] == 1

    plan, group, _members = cycle(target, *two, retry_now=True)
    assert plan["outcome"] == "ok" and codes(group) == {"permission_denied"}
    target.admin.patch_group(denied, description=None)
    plan, _group, _members = cycle(target, *two)
    assert plan["outcome"] == "ok"
    assert sql(target, "SELECT * FROM retries") == [], "it wants nothing any more"


def test_members_that_fail_wait_by_themselves(target: Target, two: tuple[str, str]) -> None:
    denied, allowed = two
    for cloud_id in two:
        target.admin.add_member(cloud_id, object_id(LOLA))
    _plan, group, members = cycle(target, *two)
    assert group["outcome"] == "ok" and [error["id"] for error in members["errors"]] == [denied]
    assert target.members(allowed) == {target.person(BRITTA), target.person(LOLA)}
    plan, _group, members = cycle(target, *two)
    assert [(error["id"], error["code"]) for error in plan["errors"]] == [(denied, "waiting_for_retry")]
    assert members["outcome"] == "ok" and plan["changes"] == []
    assert target.keep(released=["retries"])["released"] == ["retries"]
    assert target.keep(released=["retries"])["released"] == []
    plan, _group, members = cycle(target, *two)
    assert plan["outcome"] == "ok" and [error["id"] for error in members["errors"]] == [denied]
    target.admin.remove_member(denied, object_id(BRITTA))
    plan, _group, members = cycle(target, *two)
    assert plan["outcome"] == "ok" and [error["id"] for error in members["errors"]] == [denied]


def test_who_is_in_a_group_that_waits_to_be_created(target: Target) -> None:
    """Neither its members nor its memberships are planned, and all come once it is there."""
    inner = target.admin.create_group(unique("Inner"), [object_id(BRITTA)])
    outer = target.admin.create_group(unique("Outer"), [object_id(LOLA)])
    target.provision(outer)
    target.admin.add_member(outer, inner)
    held(target, inner, outer)
    assert codes(target.group(**restricted(target))) == {"permission_denied"}
    target.membership()
    assert target.members(outer) == {target.person(LOLA)}
    plan, group, members = cycle(target, inner, outer)
    assert [(error["id"], error["code"]) for error in plan["errors"]] == [(inner, "waiting_for_retry")]
    assert plan["changes"] == [] and "group_not_provisioned" in str(plan["skips"])
    assert group["outcome"] == members["outcome"] == "ok"
    plan, group, members = cycle(target, inner, outer, retry_now=True)
    assert plan["outcome"] == group["outcome"] == members["outcome"] == "ok"
    assert target.members(inner) == {target.person(BRITTA)}
    assert target.members(outer) == {target.person(LOLA), target.entry(inner)["dn"][0]}
    assert sql(target, "SELECT * FROM retries") == []


def test_what_waits_is_in_no_limit(target: Target, two: tuple[str, str]) -> None:
    for cloud_id in two:
        target.admin.patch_group(cloud_id, description="new")
    cycle(target, *two)
    target.admin.patch_group(two[1], description="newer")
    assert held(target, *two, limits={"updates": {"count": 1}})["outcome"] == "partial"


# Quarantine


def test_a_limit_leads_into_quarantine_and_a_clean_run_out_of_it(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Limit"), [object_id(BRITTA)])
    plan = held(target, cloud_id, limits={"creations": {"count": 0}})
    state = plan["quarantine"]
    assert state["entered"] and state["active"] and state["reason"] == "limit_exceeded"
    assert "creations: 1 planned, 0 allowed" in state["message"]
    again = held(target, cloud_id, limits={"creations": {"count": 0}})
    assert not again["quarantine"]["entered"] and again["quarantine"]["next_at"] == state["next_at"]
    good = held(target, cloud_id)
    assert good["outcome"] == "ok" and "quarantined" in noticed(good)
    refused = target.group()
    assert (refused["outcome"], codes(refused)) == ("blocked", {"quarantined"})
    assert state["since"] in refused["msg"] and state["next_at"] in refused["msg"]
    assert target.entries(cloud_id) == []
    assert target.group(check=True)["outcome"] == "ok", "check mode writes nothing"

    due = "UPDATE quarantines SET next_at = '2020-01-01T00:00:00Z' WHERE released_at IS NULL"
    sql(target, due)
    in_vain = held(target, cloud_id, limits={"creations": {"count": 0}})
    assert not in_vain["quarantine"]["entered"]
    assert sql(target, "SELECT tries, since FROM quarantines") == [(2, state["since"])]
    sql(target, due)
    held(target, cloud_id)
    assert target.group()["outcome"] == "ok"
    members = target.membership()
    assert members["outcome"] == "ok" and not members["quarantine"]["active"]
    run_id = target.info("runs")["info"]["runs"][0]["run_id"]
    assert sql(target, "SELECT released_by FROM quarantines") == [(run_id,)]


def test_an_approved_plan_passes_the_quarantine(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Approved"), [object_id(BRITTA)])
    plan = held(target, cloud_id, limits={"creations": {"count": 0}})
    assert plan["quarantine"]["entered"]
    assert codes(target.group(approve="0" * 64)) == {"plan_not_approved"}
    assert target.group(approve=plan["checksum"])["outcome"] == "ok"
    members = target.membership(approve=plan["checksum"])
    assert members["outcome"] == "ok" and not members["quarantine"]["active"]
    assert target.members(cloud_id) == {target.person(BRITTA)}


def test_a_refused_log_on_leads_into_quarantine_and_a_hand_out_of_it(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Bind"))
    target.snapshot_of(cloud_id)
    review = target.plan(domain_password="wrong")
    assert codes(review) == {"directory_log_on_refused"} and not review["quarantine"]["active"]
    assert not target.journal.exists()
    plan = target.plan(hold=True, domain_password="wrong")
    assert codes(plan) == {"directory_log_on_refused"}
    assert plan["quarantine"]["entered"] and plan["quarantine"]["reason"] == "credentials_refused"
    assert target.info("runs")["info"]["lease"] is None
    again = target.plan(hold=True)
    assert codes(again) == {"quarantined"} and "operations" not in again["summary"], "another try may lock the account"
    assert target.plan()["outcome"] == "ok"
    assert codes(target.group()) == {"quarantined"}
    assert target.keep(released=["quarantine"], check=True)["quarantine"]["active"]
    released = target.keep(released=["quarantine"])
    assert released["changed"] and released["released"] == ["quarantine"] and not released["quarantine"]["active"]
    target.plan(hold=True)
    wrong = target.group(domain_password="wrong")
    assert wrong["quarantine"]["entered"]


def test_failures_lead_into_quarantine_and_the_next_try_tries_them_all(target: Target) -> None:
    ids = [target.admin.create_group(unique(f"Many {number}")) for number in range(3)]
    rules = {"floor": 1, "percent": 50}
    held(target, *ids)
    group = target.group(quarantine=rules, **restricted(target))
    assert group["outcome"] == "partial" and group["quarantine"]["entered"]
    assert group["quarantine"]["reason"] == "too_many_failures"
    assert "3 of 3 objects failed" in group["quarantine"]["message"]
    assert codes(target.membership()) == {"quarantined"}
    waiting = held(target, *ids)
    assert codes(waiting) == {"waiting_for_retry"}
    assert codes(target.group()) == {"quarantined"}
    sql(target, "UPDATE quarantines SET next_at = '2020-01-01T00:00:00Z'")
    plan, group, members = cycle(target, *ids)
    assert plan["outcome"] == group["outcome"] == members["outcome"] == "ok"
    assert not members["quarantine"]["active"] and all(len(target.entries(cloud_id)) == 1 for cloud_id in ids)


def test_runs_are_sent_into_quarantine_by_hand(target: Target) -> None:
    cloud_id = target.admin.create_group(unique("Asked"))
    assert not target.keep(quarantined="Entra ID refused the log-on.", check=True)["quarantine"]["active"]
    assert not target.journal.exists()
    kept = target.keep(quarantined="Entra ID refused the log-on.")
    assert kept["changed"] and kept["quarantine"]["entered"] and kept["quarantine"]["reason"] == "asked_for"
    again = target.keep(quarantined="Entra ID refused the log-on.")
    assert not again["changed"] and not again["quarantine"]["entered"] and again["quarantine"]["active"]
    held(target, cloud_id)
    refused = target.group()
    assert codes(refused) == {"quarantined"} and "Entra ID refused the log-on." in refused["msg"]
