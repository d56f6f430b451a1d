# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small world that changes in every round, in every way that a run can follow, and the judge of what a run left.

Even rounds lead to one state, odd rounds to another, so that each round has the same work to do. The first round of
each kind is calm; what it ends in is what every struck round of that kind has to end in.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest

from tests.integration.faults.faultpoints import Strike
from tests.integration.faults.struck import KilledError, StruckTarget
from tests.integration.modules import objects
from tests.lab.scenario import object_id

Entry: TypeAlias = "dict[str, list[str]]"

MODULES = ("gpad_scope", "gpad_plan", "gpad_group", "gpad_membership")
_READ = ("objectGUID", "objectSid", "member", "msDS-ExternalDirectoryObjectId")
# What is written, directly or as its consequence.
_WRITTEN = ("cn", "displayName", "description", "adminDescription", "sAMAccountName", "groupType", "member")
_BORN = ("accepted <new>", "accepted <left>")
ANCHOR = "msDS-ExternalDirectoryObjectId"


def crew(number: int) -> str:
    """Return the object id of one of the scenario's people."""
    return object_id(f"crew{number:05}")


@dataclass(frozen=True, slots=True)
class Held:
    """What the directory holds: entries of groups, by objectGUID."""

    groups: dict[str, Entry]

    def links(self) -> dict[str, frozenset[str]]:
        """Return the members of each group."""
        return {guid: frozenset(entry.get("member", ())) for guid, entry in self.groups.items()}

    def anchored(self) -> dict[str, str]:
        """Return the SID of each group that has an anchor; an anchor must not be there twice."""
        pairs = [(entry[ANCHOR][0], entry["objectSid"][0]) for entry in self.groups.values() if ANCHOR in entry]
        anchors = [anchor for anchor, _sid in pairs]
        assert len(set(anchors)) == len(anchors), f"a group is there twice: {sorted(anchors)}"
        return dict(pairs)


@dataclass(slots=True)
class World:
    """Cloud groups and their directory objects over many rounds.

    Parameters:
        target: the domain.
        number: the round.
        calm: what the first even and the first odd round ended in.
        settled: whether the round has ended.
        said: outcomes and errors of the runs in a storm.
        steps: the fault points that each module passes in a calm round.
        seconds: how long each module takes in a calm round.
    """

    target: StruckTarget
    number: int = 0
    calm: dict[int, dict[str, Any]] = field(default_factory=dict)
    steps: dict[str, tuple[str, ...]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    _ids: dict[str, str] = field(default_factory=dict)
    _sids: dict[str, str] = field(default_factory=dict)
    _before: dict[str, frozenset[str]] = field(default_factory=dict)
    _goal: dict[str, frozenset[str]] = field(default_factory=dict)
    _is_waiting: bool = False
    settled: bool = False
    said: list[tuple[str, str, list[str]]] = field(default_factory=list)

    def begin(self) -> None:
        """Create the groups that stay, and let the first two rounds pass in calm."""
        admin = self.target.admin
        self._ids = {
            "swap": admin.create_group("Swap", [crew(1), crew(2), crew(3)]),
            "renamed": admin.create_group("Renamed", [crew(6)]),
            "restored": admin.create_group("Restored", [crew(7), crew(8)]),
            "new": admin.create_group("New 0", [crew(9)]),
            "adopted": self._to_adopt(),
        }
        self.run()
        for _unused in range(2):
            self.change()
            for module in MODULES:
                self.run(module)
                self.steps[module], self.seconds[module] = self.target.last.steps, self.target.last.seconds
            self.settle()

    def end(self) -> None:
        """Take away what there is on both sides."""
        target = self.target
        for cloud_id in self._ids.values():
            target.admin.purge(cloud_id)
        own = {f"Group_{cloud_id}" for cloud_id in self._ids.values()}
        names = [e["dn"][0] for e in self.held().groups.values() if ANCHOR not in e or e[ANCHOR][0] in own]
        target.lab.ldapmodify(target.domain, "\n".join(f"dn: {name}\nchangetype: delete\n" for name in names))

    def _to_adopt(self) -> str:
        name = objects.unique("Adopted")
        dn = objects.add_group(self.target, name, members=(self.target.person("crew00010"),))
        return objects.converted_group(self.target, dn, (crew(10), crew(11)))

    def change(self) -> None:
        """Begin a round: change both sides."""
        self.settled = False
        self.number += 1
        target, admin, odd = self.target, self.target.admin, self.number % 2
        leaving, coming = ([crew(1), crew(2)], [crew(4), crew(5)]) if odd else ([crew(4), crew(5)], [crew(1), crew(2)])
        swap = self._ids["swap"]
        admin.remove_members(swap, leaving)
        admin.add_members(swap, coming)
        admin.patch_group(self._ids["renamed"], displayName="Renamed oddly" if odd else "Renamed evenly")
        gone = (self._ids["new"], self._ids["adopted"])
        admin.delete_group(gone[0])
        admin.purge(gone[1])
        held = self._by_id()
        changes = [
            f"dn: {held[gone[1]]['dn'][0]}\nchangetype: delete\n",
            f"dn: {held[self._ids['restored']]['dn'][0]}\nchangetype: delete\n",
            f"dn: {held[swap]['dn'][0]}\nchangetype: modify\nadd: member\nmember: {target.person('crew00020')}\n",
        ]
        if left := held.get(self._ids.get("left", "")):
            changes.append(f"dn: {left['dn'][0]}\nchangetype: delete\n")
            admin.purge(self._ids["left"])
        target.lab.ldapmodify(target.domain, "\n".join(changes))
        forgotten = [gone[1], *filter(None, [self._ids.get("left")])]
        target.forget(*forgotten)
        for cloud_id in forgotten:
            self._sids.pop(f"Group_{cloud_id}", None)
        self._ids |= {"left": gone[0], "new": admin.create_group(f"New {self.number}", [crew(9), swap])}
        self._ids["adopted"] = self._to_adopt()
        start = self.held()
        self._before = start.links()
        self._goal = self._goal_of(start)

    def _goal_of(self, start: Held) -> dict[str, frozenset[str]]:
        """Return the links that the groups of this round shall have, by anchor."""
        person = self.target.person
        swap_dn = next(entry["dn"][0] for entry in start.groups.values() if self._is("swap", entry))
        numbers = {
            "swap": (3, 4, 5) if self.number % 2 else (1, 2, 3),
            "renamed": (6,),
            "restored": (7, 8),
            "new": (9,),
            "adopted": (10, 11),
            "left": (),
        }
        goal = {
            f"Group_{self._ids[name]}": frozenset(person(f"crew{number:05}") for number in chosen)
            for name, chosen in numbers.items()
        }
        goal[f"Group_{self._ids['new']}"] |= {swap_dn}
        return goal

    def _is(self, name: str, entry: Entry) -> bool:
        return entry.get(ANCHOR) == [f"Group_{self._ids[name]}"]

    def held(self) -> Held:
        """Ask the judge for all groups."""
        found = self.target.lab.ldapsearch(
            self.target.domain, self.target.forest.base_dn, "(&(objectClass=group)(!(isCriticalSystemObject=TRUE)))",
            *_READ, *_WRITTEN, "uSNChanged",
        )  # fmt: skip
        inside = self.target.forest.managed_containers
        return Held({entry["objectGUID"][0]: entry for entry in found if entry["dn"][0].endswith(tuple(inside))})

    def _by_id(self) -> dict[str, Entry]:
        anchors = {entry[ANCHOR][0]: entry for entry in self.held().groups.values() if ANCHOR in entry}
        return {anchor.removeprefix("Group_"): entry for anchor, entry in anchors.items()}

    def selected(self) -> list[str]:
        """Return the groups in scope."""
        return [self._ids[name] for name in ("swap", "renamed", "restored", "new", "adopted")]

    def step(self, module: str) -> dict[str, Any]:
        """Run one module."""
        target = self.target
        if module == "gpad_scope":
            return target.scope(*self.selected(), plan=str(target.plan_path))
        if module == "gpad_plan":
            return target.plan(retry_now=True)
        return {"gpad_group": target.group, "gpad_membership": target.membership}[module]()

    def run(self, *modules: str) -> list[dict[str, Any]]:
        """Run modules, or all, which must succeed."""
        results = [self.step(module) for module in modules or MODULES]
        for result in results:
            assert result["outcome"] == "ok", result
            if "would_change" in result:
                self._is_waiting = _waits(result)
        return results

    def attempt(self) -> bool:
        """Run the modules as the role does, to the first that is fatal, and judge; return whether all said ok."""
        said = []
        for module in MODULES:
            result = self.step(module)
            said.append(result["outcome"])
            self.said.append((module, result["outcome"], [error["code"] for error in result["errors"]]))
            if result["fatal"]:
                break
            if "would_change" in result:
                self._is_waiting = _waits(result)
        self.judge()
        return said == ["ok"] * len(MODULES)

    def die(self, module: str, strike: Strike) -> None:
        """Run a module that must be killed on its way."""
        self.target.strikes[module] = strike
        try:
            result = self.step(module)
        except KilledError:
            return
        finally:
            del self.target.strikes[module]
        pytest.fail(f"{module} was not killed at step {strike.point}: {result}")

    def dies_after(self, module: str, seconds: float) -> bool:
        """Run a module that is killed from outside after a time; False if it was faster, and succeeded."""
        self.target.kill_after[module] = seconds
        try:
            self.run(module)
        except KilledError:
            return True
        finally:
            del self.target.kill_after[module]
        return False

    def judge(self) -> Held:
        """Judge what a killed run left: no link lost that both states have, none that neither has, no object twice."""
        held = self.held()
        for anchor, sid in held.anchored().items():
            assert self._sids.setdefault(anchor, sid) == sid, f"{anchor} has another SID"
        for guid, links in held.links().items():
            anchor = held.groups[guid].get(ANCHOR, [""])[0]
            before = self._before.get(guid, frozenset())
            after = self._goal.get(anchor, before)
            assert links <= before | after, f"{anchor}: {sorted(links - before - after)} came from nowhere"
            assert links >= before & after, f"{anchor}: {sorted((before & after) - links)} went away"
        return held

    def settle(self) -> None:
        """End a round: it is where a calm round ends, and a further run changes nothing.

        Of a group that was restored, the members come with the next run, and a notice says so.
        """
        if self._is_waiting:
            self.run()
        state = self._state(self.judge())
        expected = self.calm.setdefault(self.number % 2, state)
        names = state.keys() | expected.keys()
        other = {n: (state.get(n), expected.get(n)) for n in names if state.get(n) != expected.get(n)}
        # A group that was created when its run died is found by its anchor, and its foreign links wait for consent.
        other = {n: pair for n, pair in other.items() if n not in _BORN or pair != (False, True)}
        assert not other, f"it is not as after a calm run: {other}"
        before = self.target.usn()
        _scope, plan, group, membership = self.run()
        assert not plan["would_change"], plan["changes"]
        assert not group["changed"]
        assert not membership["changed"]
        assert self.target.usn() == before
        self.settled = True

    def _state(self, held: Held) -> dict[str, Any]:
        """Return what the directory and the journal say, without what differs in each round."""
        words: dict[str, str] = {}
        for name, cloud_id in self._ids.items():
            words |= {cloud_id: f"<{name}>", cloud_id[-12:]: f"<{name}'s end>"}
        words |= {f"New {number}": "New" for number in (self.number, self.number - 1)}
        swept: dict[str, Any] = {}
        for entry in held.groups.values():
            name = next((name for name in self._ids if self._is(name, entry)), "")
            if not name:  # of another test
                continue
            swept[name] = {key: sorted(entry.get(key, ())) for key in _WRITTEN}
            if name == "adopted":  # a name of its own in each round
                swept[name] |= {"cn": [], "sAMAccountName": [], "displayName": []}
            swept[name] = {key: [_without(value, words) for value in values] for key, values in swept[name].items()}
        with closing(sqlite3.connect(self.target.journal)) as journal:
            known = journal.execute("SELECT id, accepted FROM groups ORDER BY id").fetchall()
        remembered = {f"accepted {_without(cloud_id, words)}": bool(accepted) for cloud_id, accepted in known}
        return {**swept, **remembered}

    def open_runs(self) -> int:
        """Return how many runs began and never ended, as people are shown them."""
        return sum(run["ended_at"] is None for run in self.target.info("runs", max_results=10_000)["info"]["runs"])


def _waits(plan: dict[str, Any]) -> bool:
    """Return whether a plan leaves the members of a restored group to the next run, as a notice says."""
    return any(notice["code"] == "members_wait" for notice in plan["notices"])


def _without(text: str, words: dict[str, str]) -> str:
    for word, shown in words.items():
        text = text.replace(word, shown)
    return text
