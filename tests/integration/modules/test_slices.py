# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One plan, carried out by four machines: the same end as by one, and a machine that is lost is found."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.slices import index_of
from tests.integration.modules import objects
from tests.integration.modules.processes import Anew
from tests.integration.modules.sliced import ALL, COUNT, Machines
from tests.integration.modules.target import Target
from tests.lab.scenario import object_id

BRITTA, LOLA = "Britta Simon", "Lola Jacobson"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let machines work at the same time."""
    monkeypatch.setattr(Target, "processes", Anew())


class Twin:
    """A set of cloud groups with a history, and a target domain of its own state that it is provisioned to."""

    def __init__(self, base: Target, name: str) -> None:
        state = base.state / name
        state.mkdir()
        self.target = Target(base.lab, base.admin, state)
        self.place = f"OU={name},OU=Sales,{base.forest.base_dn}"
        self.ids = {f"Old {number}": self._create(f"Old {number}", BRITTA) for number in range(5)}
        self.target.provision(*self.ids.values())
        self.before = {group: self.target.entry(cloud_id) for group, cloud_id in self.ids.items()}
        self._change()

    def _create(self, name: str, *members: str) -> str:
        return self.target.admin.create_group(name, [object_id(member) for member in members])

    def _change(self) -> None:
        """Change something of every kind: name, place, members, nesting; add groups, and one to be adopted."""
        admin, ids = self.target.admin, self.ids
        for number in (1, 2):
            admin.patch_group(ids[f"Old {number}"], displayName=f"Renamed {number}")
        admin.remove_member(ids["Old 3"], object_id(BRITTA))
        admin.add_member(ids["Old 4"], object_id(LOLA))
        ids.update({f"New {number}": self._create(f"New {number}", LOLA) for number in range(4)})
        ids["Adopted"] = self._create("Adopted", BRITTA)
        anchor = f"Group_{ids['Adopted']}"
        objects.add(
            self.target,
            f"Adopted {ids['Adopted'][-12:]}",
            "group",
            f"groupType: {objects.UNIVERSAL}",
            f"msDS-ExternalDirectoryObjectId: {anchor}",
            f"adminDescription: {anchor}",
            ou="OU=Groups",
        )
        self.before["Adopted"] = self.target.entry(ids["Adopted"])
        admin.add_members(ids["Old 0"], [ids["New 0"], ids["New 1"], ids["Adopted"]])
        admin.add_members(ids["New 2"], [ids["New 3"], ids["Old 1"]])
        self.target.snapshot_of(*ids.values())

    def plan(self, **options: Any) -> dict[str, Any]:
        told = self.target.plan(hold=True, target_container=self.place, create_containers=True, **options)
        assert told["outcome"] == "ok", told
        return told

    def state(self) -> dict[str, Any]:
        """Return what Active Directory holds of the groups, ids and names of containers aside."""
        found = {group: self.target.entry(cloud_id) for group, cloud_id in self.ids.items()}
        names = {entry["dn"][0]: group for group, entry in found.items()}
        kept = ("displayName", "description", "groupType")
        return {
            group: {
                **{name: entry.get(name) for name in kept},
                "place": entry["dn"][0].partition(",")[2].replace(self.place, "the new container"),
                "cn": entry["cn"][0].replace(self.ids[group][-12:], "the id"),
                "members": sorted(names.get(member, member) for member in entry.get("member", ())),
            }
            for group, entry in found.items()
        }

    def assert_same_objects(self) -> None:
        """Assert that no object that was there got another SID, and that there is one for each group."""
        for group, entry in self.before.items():
            now = self.target.entry(self.ids[group])
            assert (now["objectSid"], now["objectGUID"]) == (entry["objectSid"], entry["objectGUID"])

    def next_changes(self) -> list[dict[str, Any]]:
        """Capture and plan once more; return what would be changed."""
        self.target.snapshot_of(*self.ids.values())
        told = self.target.plan(target_container=self.place)
        assert told["outcome"] == "ok", told
        return list(told["changes"])


def counts(result: dict[str, Any]) -> dict[str, int]:
    return {name: count for name, count in result["summary"].items() if name not in ("operations", "notices")}


def undone(twin: Twin, plan_id: str) -> tuple[dict[str, int], dict[str, Any]]:
    """Take the plan back on one machine; return what was planned for that, and what is there then."""
    kinds = ("groups_emptied", "member_removals", "moves", "renames")
    limits = {kind: {"count": 1000} for kind in kinds}
    way_back = twin.target.undo(plan_id, target_container=twin.place, limits=limits)
    assert way_back["outcome"] == "ok", way_back
    for told in (twin.target.group(), twin.target.membership()):
        assert told["outcome"] == "ok", told
    return counts(way_back), twin.state()


def test_four_machines_end_as_one_does(target: Target) -> None:
    one, four = Twin(target, "One"), Twin(target, "Four")
    plans = [one.plan(), four.plan()]
    assert counts(plans[0]) == counts(plans[1])
    # The service account of the lab may not make containers.
    administrator = target.forest.administrator
    rights = {"domain_username": administrator.dn, "domain_password": administrator.password}
    single, machines = Machines(one.target, **rights), Machines(four.target, **rights)
    for module in ("group", "membership"):
        alone, together = single.call(module), machines.carried_out(module)
        assert alone["outcome"] == together["outcome"] == "ok"
        assert counts(alone) == counts(together)
        assert together["slices"] == {"count": COUNT, "merged": list(ALL), "missing": [], "unfinished": []}
    assert one.state() == four.state()
    kinds = {"groups_created", "groups_adopted", "groups_moved", "groups_renamed_and_moved", "containers_created"}
    assert kinds <= counts(plans[1]).keys()
    one.assert_same_objects()
    four.assert_same_objects()
    assert one.next_changes() == four.next_changes() == []
    assert undone(one, plans[0]["plan_id"]) == undone(four, plans[1]["plan_id"])


@pytest.fixture
def planned(target: Target) -> tuple[Target, list[str]]:
    """Some new groups in a plan that holds the journal; at least two for each machine."""
    ids: list[str] = []
    while min(sum(index_of(one, COUNT) == index for one in ids) for index in ALL) < 2:
        ids.append(target.admin.create_group(objects.unique("Sliced"), [object_id(BRITTA)]))
    target.snapshot_of(*ids)
    assert target.plan(hold=True)["outcome"] == "ok"
    return target, ids


def of(ids: list[str], index: int) -> set[str]:
    return {one for one in ids if index_of(one, COUNT) == index}


def test_a_machine_that_never_comes_back_and_one_that_dies_are_found(planned: tuple[Target, list[str]]) -> None:
    """The machine 2 writes its groups and is lost; the machine 3 loses its domain controller halfway."""
    target, ids = planned
    machines = Machines(target)
    machines.hand_over("group")
    assert {told["outcome"] for told in machines.all_at_once("group", (0, 1, 2))} == {"ok"}
    target.keep(journal=str(machines.copy), stopped=True)
    stopped = machines.carry_out("group", 3)
    assert (stopped["outcome"], stopped["changes"]) == ("blocked", [])
    born = {one: target.entry(one)["objectSid"] for one in ids if not of(ids, 3) & {one}}
    # A journal twice, and one that is no slice's: nothing is merged.
    for wrong in (machines.path(1), target.journal):
        refused = target.group(merged=[str(path) for path in (machines.path(0), machines.path(1), wrong)])
        assert [error["code"] for error in refused["errors"]] == ["slice_wrong"], refused
    told = machines.merge("group", (0, 1, 3))
    assert (told["outcome"], told["fatal"]) == ("partial", False)
    assert {error["id"] for error in told["errors"]} == of(ids, 2) | of(ids, 3)
    assert {error["code"] for error in told["errors"]} == {"slice_missing"}
    reasons = {index: {e["reason"] for e in told["errors"] if e["id"] in of(ids, index)} for index in (2, 3)}
    assert all("did not come back" in reason for reason in reasons[2])
    assert all("Runs are stopped" in reason for reason in reasons[3])
    assert (told["slices"]["missing"], told["slices"]["unfinished"]) == ([2], [3])
    machines.hand_over("membership")
    machines.all_at_once("membership")
    assert machines.merge("membership")["outcome"] == "partial"
    # The machine that did not come back may still be writing.
    assert 0 < target.info("runs")["info"]["lease"]["lent_minutes"] <= 240
    assert [error["code"] for error in target.plan()["errors"]] == ["run_in_progress"]
    assert target.keep(released=["lease"])["released"] == ["lease"]
    # An ordinary run ends in the goal, with the groups that were lost as the objects that they are.
    target.provision(*ids)
    for one in ids:
        assert target.members(one) == {target.person(BRITTA)}
        assert target.entry(one)["objectSid"] == born.get(one, target.entry(one)["objectSid"])
    before = target.usn()
    target.provision(*ids)
    assert target.usn() == before


def test_no_other_run_begins_while_machines_may_write(planned: tuple[Target, list[str]]) -> None:
    target, _ids = planned
    machines = Machines(target)
    machines.hand_over("group")
    other = target.plan(hold=True, plan=str(target.state / "other.jsonl"))
    assert [error["code"] for error in other["errors"]] == ["run_in_progress"]
    alone = target.group()
    assert [error["code"] for error in alone["errors"]] == ["handed_over"]
    assert target.info("runs")["info"]["lease"]["lent_minutes"] == 240
    would = machines.carry_out("group", 1, check=True)
    assert would["changed"] and target.entries(would["changes"][0]["id"]) == []
