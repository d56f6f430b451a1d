# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""gpad_plan looks at what changed on either side, and plans the same as when it looks at everything."""

from __future__ import annotations

import random
import uuid
from typing import Any

import pytest

from tests.integration.modules.objects import add_user, synced_user, unique
from tests.integration.modules.target import Target
from tests.lab.scenario import object_id


def run(target: Target) -> dict[str, Any]:
    """Go once through all four modules as the role does; return what the plan said."""
    target.scope(scope_mode="all")
    plan = target.plan(hold=True)
    for step in (target.group, target.membership):
        assert step()["outcome"] in ("ok", "partial")
    return plan


def changes(result: dict[str, Any]) -> list[str]:
    """Return what a plan would change and what it cannot."""
    assert not result.get("fatal"), result
    return sorted(str(entry) for entry in (*result["changes"], *result["errors"]))


class Meddler:
    """Changes both sides of a target at random, the same for the same seed."""

    def __init__(self, target: Target, seed: int) -> None:
        self._target, self._random = target, random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._mark = uuid.uuid4().hex[:6]
        self.people = [add_user(target, f"Both {self._mark} {number}") for number in range(5)]
        self._users = {dn: synced_user(target, dn) for dn in self.people}
        ids = list(self._users.values())
        self.groups = [
            target.admin.create_group(f"Both {self._mark} {number}", ids[number : number + 2]) for number in range(4)
        ]
        target.admin.add_member(self.groups[0], self.groups[1])
        self._restorable: list[str] = []

    def in_the_cloud(self) -> None:
        """Change one thing in Entra ID."""
        admin = self._target.admin
        group, user = self._random.choice(self.groups), self._random.choice(list(self._users.values()))
        way = self._random.choice(["link", "unlink", "rename", "nest", "lose the account"])
        held = admin.members(group)
        if way == "link" and user not in held:
            admin.add_member(group, user)
        elif way == "unlink" and held:
            admin.remove_member(group, held[0])
        elif way == "rename":
            admin.patch_group(group, displayName=f"Both {self._mark} {self._random.random()}")
        elif way == "nest" and group != self.groups[-1] and self.groups[-1] not in held:
            admin.add_member(group, self.groups[-1])
        elif way == "lose the account":
            admin.patch_user(user, onPremisesSyncEnabled=None, onPremisesSecurityIdentifier=None)

    def in_the_directory(self) -> None:
        """Change one thing in Active Directory."""
        target = self._target
        group = target.entry(self._random.choice(self.groups))
        person = self._random.choice(self.people)
        held = group.get("member", [])
        way = self._random.choice(["link", "unlink", "describe", "wipe", "delete a person", "delete a group"])
        dn = group["dn"][0]
        if way == "link" and person not in held:
            target.modify(dn, f"add: member\nmember: {person}")
        elif way == "unlink" and held:
            target.modify(dn, f"delete: member\nmember: {held[0]}")
        elif way == "describe":
            target.modify(dn, "replace: displayName\ndisplayName: by hand")
        elif way == "wipe":
            target.modify(dn, "delete: msDS-ExternalDirectoryObjectId")
        elif way == "delete a person" and len(self.people) > 2:
            self.people.remove(person)
            target.lab.ldapmodify(target.domain, f"dn: {person}\nchangetype: delete\n")
        elif way == "delete a group":
            target.lab.ldapmodify(target.domain, f"dn: {dn}\nchangetype: delete\n")


@pytest.mark.parametrize("seed", [11, 12])
def test_a_plan_of_what_changed_says_the_same(target: Target, seed: int) -> None:
    meddler = Meddler(target, seed)
    first = run(target)
    assert first["reading"]["kind"] == "full"
    second = run(target)
    assert second["reading"] == {"kind": "changes", "why": ""}, second["reading"]
    assert not second["would_change"]
    for round_number in range(6):
        meddler.in_the_cloud()
        if round_number % 2:
            meddler.in_the_directory()
        target.scope(scope_mode="all")
        other = str(target.state / "other.jsonl")
        everything = target.plan(full_after_hours=0, plan=other)
        some = target.plan(plan=other)
        assert (everything["reading"]["kind"], some["reading"]["kind"]) == ("full", "changes")
        assert changes(some) == changes(everything)
        run(target)


def test_operations_depend_on_what_changed(target: Target) -> None:
    """The same change costs as many operations among few groups as among many."""
    britta = object_id("Britta Simon")
    costs = []
    for number in (3, 25):
        for _unused in range(number):
            target.admin.create_group(unique("Among"))
        changed = target.admin.create_group(unique("Changed"))
        run(target)
        run(target)
        target.admin.add_member(changed, britta)
        target.scope(scope_mode="all")
        plan = target.plan(plan=str(target.state / "other.jsonl"))
        assert plan["reading"]["kind"] == "changes" and len(plan["changes"]) == 1
        costs.append(plan["summary"]["operations"])
    assert costs[0] == costs[1]


def test_accepted_groups_are_looked_at(target: Target) -> None:
    """What the journal is told counts in the next plan, although neither side changed."""
    name = unique("Accepted")
    person = target.person("Britta Simon")
    cloud_id = target.admin.create_group(name, [object_id("Lola Jacobson")])
    run(target)
    target.modify(target.entry(cloud_id)["dn"][0], f"add: member\nmember: {person}")
    run(target)
    assert person not in target.members(cloud_id)
    quiet = target.plan(plan=str(target.state / "other.jsonl"))
    assert quiet["reading"]["kind"] == "changes"
    assert target.keep(forgotten=[cloud_id])["changed"]
    again = target.plan(plan=str(target.state / "other.jsonl"))
    assert [change["action"] for change in again["changes"]] == ["adopt"]


def test_watermarks_can_be_released(target: Target) -> None:
    target.admin.create_group(unique("Marked"))
    run(target)
    assert run(target)["reading"]["kind"] == "changes"
    assert target.keep(released=["watermarks"])["released"] == ["watermarks"]
    target.scope(scope_mode="all")
    assert "no run" in target.plan()["reading"]["why"]
