# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two real domain controllers of one domain, between which nothing replicates unless a test says so."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.forest.sides import running
from tests.integration.modules.objects import unique
from tests.integration.modules.target import Target
from tests.lab.api import Lab
from tests.lab.entra.admin import EntraAdmin
from tests.lab.scenario import object_id

DOMAIN = "pair.test"
Result = dict[str, Any]


class Pair(Target):
    """The domain with two controllers; the options of each call choose one of them."""

    def __init__(self, lab: Lab, admin: EntraAdmin, state: Path) -> None:
        super().__init__(lab, admin, state, DOMAIN)
        assert self.forest.second is not None
        self.ids: dict[str, str] = {}
        self.other: dict[str, Any] = {"domain_server": self.forest.second.address}

    def held(self, *, second: bool = False) -> dict[str, str]:
        """Return objectGUID by name of each group that a controller holds."""
        container = self.forest.managed_containers[0]
        found = self.lab.ldapsearch(DOMAIN, container, "(objectClass=group)", "cn", "objectGUID", second=second)
        return {entry["cn"][0].partition("_")[0]: entry["objectGUID"][0] for entry in found}

    def delete(self, name: str, *, second: bool = False) -> None:
        """Delete a group by hand."""
        container = self.forest.managed_containers[0]
        entry = self.lab.ldapsearch(DOMAIN, container, f"(cn={name}_*)", "1.1", second=second)[0]
        self.lab.ldapmodify(DOMAIN, f"dn: {entry['dn'][0]}\nchangetype: delete\n", second=second)

    def born(self, name: str) -> str:
        """Make a cloud group that no other test has, with a member; return its name, by which it is selected."""
        title = unique(name)
        self.ids[title] = self.admin.create_group(title, [object_id("Ann Pair")])
        return title

    def exchange(self) -> None:
        """Let both controllers have everything."""
        self.lab.replicate(DOMAIN, to_second=True)
        self.lab.replicate(DOMAIN, to_second=False)


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Lab, EntraAdmin]]:
    with running("two_controllers.yml", tmp_path_factory.mktemp("pair") / "lab") as lab:
        yield lab


@pytest.fixture
def pair(started: tuple[Lab, EntraAdmin], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """The domain without groups on either side, with an empty state directory."""
    pair = Pair(*started, tmp_path)
    pair.exchange()
    for name in pair.held():
        pair.delete(name)
    pair.exchange()
    first, other = pair.forest.address, pair.other["domain_server"]
    names = {DOMAIN: other, DOMAIN.upper(): other, f"dc1.{DOMAIN}": first, f"dc2.{DOMAIN}": other}
    monkeypatch.setenv("TEST_HOSTS", json.dumps(names))
    return pair


def again(pair: Pair, *groups: str, **options: Any) -> None:
    """Do one whole run on the first controller, as the role does: the capture is told of the plan before."""
    pair.snapshot_of(*groups, plan=str(pair.plan_path))
    pair.apply_plan(**options)


def emptied(pair: Pair, stays: str, leaves: str) -> None:
    """Have a group on both controllers that is empty, and whose cloud group is gone for good."""
    again(pair, stays, leaves)
    pair.admin.delete_group(pair.ids[leaves])
    pair.admin.purge(pair.ids[leaves])
    again(pair, stays)
    pair.age_fates()
    again(pair, stays)
    pair.exchange()


def pending(result: Result) -> set[str]:
    return {error["name"] for error in result["errors"] if error["code"] == "replication_pending"}


def planned(result: Result) -> set[tuple[str, str]]:
    return {(change["action"], change["name"]) for change in result["changes"]}


def test_nothing_is_created_where_the_last_run_has_not_arrived(pair: Pair) -> None:
    first, second = pair.born("First"), pair.born("Second")
    pair.provision(first)
    written = pair.held()
    assert (set(written), pair.held(second=True)) == ({first}, {})
    pair.snapshot_of(first, second)
    there = pair.plan(**pair.other)
    assert (there["outcome"], pending(there), planned(there)) == ("partial", {first, second}, set())
    assert "dc1.pair.test" in there["msg"] and "dc2.pair.test" in there["msg"]
    # Who applies it nevertheless writes nothing, and moves nothing: the next run still knows where the groups are.
    for result in (pair.group(**pair.other), pair.membership(**pair.other)):
        assert (result["outcome"], result["changed"]) == ("ok", False)
    assert pending(pair.plan(**pair.other)) == {first, second}
    pair.lab.replicate(DOMAIN, to_second=True)
    plan = pair.plan(**pair.other)
    assert (plan["outcome"], planned(plan)) == ("ok", {("create", second), ("members", second)})
    for result in (pair.group(**pair.other), pair.membership(**pair.other)):
        assert result["outcome"] == "ok", result
    assert pair.held(second=True)[first] == written[first]
    # Now the first controller is the one that lacks something.
    assert pending(pair.plan()) == {second}
    pair.exchange()
    again = pair.plan()
    assert (again["outcome"], again["changes"]) == ("ok", [])
    assert pair.held() == pair.held(second=True)


def test_members_and_attributes_go_on(pair: Pair) -> None:
    first, third = pair.born("First"), pair.born("Third")
    pair.provision(first)
    pair.lab.replicate(DOMAIN, to_second=True)
    pair.provision(first, third)
    container = pair.forest.managed_containers[0]
    group = pair.lab.ldapsearch(DOMAIN, container, f"(cn={first}_*)", "1.1", second=True)[0]["dn"][0]
    ldif = f"dn: {group}\nchangetype: modify\nreplace: displayName\ndisplayName: Other\n-\nreplace: member\n"
    pair.lab.ldapmodify(DOMAIN, ldif, second=True)
    plan = pair.plan(**pair.other)
    assert (pending(plan), planned(plan)) == ({third}, {("update", first), ("members", first)})
    for result in (pair.group(**pair.other), pair.membership(**pair.other)):
        assert (result["outcome"], result["changed"]) == ("ok", True), result
    entry = pair.lab.ldapsearch(DOMAIN, container, f"(cn={first}_*)", "displayName", "member", second=True)[0]
    assert (entry["displayName"], entry["member"]) == ([first], [pair.person("Ann Pair")])


def test_a_deletion_that_has_not_arrived_holds_back_creations(pair: Pair) -> None:
    stays, leaves, fresh = (pair.born(name) for name in ("Stays", "Leaves", "Fresh"))
    emptied(pair, stays, leaves)
    again(pair, stays, retire={"grace_days": 1})
    assert (set(pair.held()), set(pair.held(second=True))) == ({stays}, {stays, leaves})
    pair.snapshot_of(stays, fresh)
    plan = pair.plan(**pair.other)
    assert (pending(plan), planned(plan)) == ({leaves, fresh}, set())
    pair.exchange()
    plan = pair.plan(**pair.other)
    assert (pending(plan), planned(plan)) == (set(), {("create", fresh), ("members", fresh)})


def test_a_deletion_waits_as_well(pair: Pair) -> None:
    stays, leaves, fresh = (pair.born(name) for name in ("Stays", "Leaves", "Fresh"))
    emptied(pair, stays, leaves)
    again(pair, stays, fresh)
    pair.snapshot_of(stays, fresh, plan=str(pair.plan_path))
    now: dict[str, Any] = {"retire": {"grace_days": 1}}
    there = pair.plan(**pair.other, **now)
    assert (pending(there), planned(there)) == ({fresh, leaves}, set())
    assert planned(pair.plan(**now)) == {("delete", leaves)}


def test_a_group_that_was_lost_is_forgotten(pair: Pair) -> None:
    """The first controller died before anything of the last run left it."""
    first, second = pair.born("First"), pair.born("Second")
    pair.provision(first)
    pair.snapshot_of(first, second)
    assert pending(pair.plan(**pair.other)) == {first, second}
    assert pair.keep(forgotten=[pair.ids[first]])["forgotten"] == [pair.ids[first]]
    plan = pair.plan(**pair.other)
    assert {name for action, name in planned(plan) if action == "create"} == {first, second}


def test_a_plan_of_the_other_controller_creates_nothing(pair: Pair) -> None:
    first = pair.born("First")
    pair.snapshot_of(first)
    assert pair.plan()["outcome"] == "ok"
    result = pair.group(**pair.other)
    assert (result["outcome"], pending(result), result["changed"]) == ("partial", {first}, False)
    assert (pair.held(), pair.held(second=True)) == ({}, {})


@pytest.mark.parametrize("name", ["pair.test", "PAIR.TEST"])
def test_the_name_of_the_domain_leads_to_the_pdc_emulator(pair: Pair, name: str) -> None:
    """It leads to the second controller, and that one says who the emulator is."""
    first = pair.born("First")
    pair.snapshot_of(first)
    plan = pair.plan(domain_server=name)
    assert (plan["outcome"], plan.get("server")) == ("ok", "dc1.pair.test"), plan.get("msg")
    assert pair.group(domain_server=name)["outcome"] == "ok"
    assert (set(pair.held()), pair.held(second=True)) == ({first}, {})


def test_a_server_that_is_named_is_used_and_the_preflight_says_what_it_is(pair: Pair) -> None:
    def told(**options: Any) -> tuple[str, str]:
        (check,) = (c for c in pair.info("preflight", **options)["info"]["preflight"] if c["check"] == "PDC emulator")
        return check["status"], check["found"]

    assert told() == ("ok", "it is this domain controller")
    assert told(domain_server="dc2.pair.test") == ("ok", "it is dc1.pair.test, which is not used")
    assert told(domain_server="pair.test") == ("ok", "it is this domain controller")
