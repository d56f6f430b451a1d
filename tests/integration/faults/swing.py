# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two groups that swing between two states, so that each fault meets a run with something to add and to remove."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from tests.integration.faults.struck import StruckTarget
from tests.integration.faults.world import ANCHOR, MODULES, crew

Links: TypeAlias = "dict[str, frozenset[str]]"

_NUMBERS = {"Broad": ((1, 2, 3, 4, 5), (1, 2, 3, 6, 7)), "Narrow": ((8, 9), (9, 10))}


@dataclass(slots=True)
class Swing:
    """Two cloud groups and their directory objects.

    Parameters:
        target: the domain.
        settled: whether what there is on both sides is known.
        pending: whether the last swing was not followed yet, so that another case can meet it.
        before: the links before the swing, by object id.
        goal: the links that it has to end in.
    """

    target: StruckTarget
    settled: bool = False
    pending: bool = False
    before: Links = field(default_factory=dict)
    goal: Links = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    _side: int = 0

    def begin(self) -> None:
        """Create the groups."""
        admin = self.target.admin
        self.ids = {
            name: admin.create_group(name, [crew(n) for n in sides[0]], description="0")
            for name, sides in _NUMBERS.items()
        }
        self.goal = self._wanted()
        self.recover()

    def end(self) -> None:
        """Take away what there is on both sides."""
        names = [entry["dn"][0] for cloud_id in self.ids.values() for entry in self.target.entries(cloud_id)]
        records = "\n".join(f"dn: {name}\nchangetype: delete\n" for name in names)
        self.target.lab.ldapmodify(self.target.domain, records)
        for cloud_id in self.ids.values():
            self.target.admin.purge(cloud_id)

    def _wanted(self) -> Links:
        return {
            self.ids[name]: frozenset(self.target.person(f"crew{n:05}") for n in sides[self._side])
            for name, sides in _NUMBERS.items()
        }

    def swing(self) -> None:
        """Change both groups in the cloud, unless nothing came of the last change yet."""
        self.settled = False
        if self.pending:
            self.pending = False
            return
        self.before = self.goal
        self._side = 1 - self._side
        admin = self.target.admin
        for name, sides in _NUMBERS.items():
            old, new = set(sides[1 - self._side]), set(sides[self._side])
            admin.add_members(self.ids[name], [crew(n) for n in sorted(new - old)])
            admin.remove_members(self.ids[name], [crew(n) for n in sorted(old - new)])
            admin.patch_group(self.ids[name], description=str(self._side))
        self.goal = self._wanted()

    def step(self, module: str, **options: Any) -> dict[str, Any]:
        """Run one module."""
        target = self.target
        if module == "gpad_scope":
            # The list of groups is what faults strike here; that of changes has tests of its own.
            return target.scope(*self.ids.values(), **{"full_after_hours": 0, **options})
        if module == "gpad_plan":
            options["retry_now"] = True
        steps = {"gpad_plan": target.plan, "gpad_group": target.group, "gpad_membership": target.membership}
        return steps[module](**options)

    def cycle(self) -> dict[str, dict[str, Any]]:
        """Run the modules as the role does, to the first that is fatal; judge what they left and what they said."""
        results = self.rest(MODULES)
        self.judge(results)
        return results

    def rest(self, modules: Sequence[str] = MODULES[1:]) -> dict[str, dict[str, Any]]:
        """Run modules to the first that is fatal."""
        results: dict[str, dict[str, Any]] = {}
        for module in modules:
            results[module] = self.step(module)
            if results[module]["fatal"]:
                break
        return results

    def judge(self, results: dict[str, dict[str, Any]]) -> None:
        """No link may be lost or come from nowhere, none go because of a short reading, and nothing be left untold."""
        links = self.links()
        for cloud_id, held in links.items():
            before, goal = self.before[cloud_id], self.goal[cloud_id]
            assert before & goal <= held <= before | goal, f"{sorted(held)} is between no two states"
        notices = results["gpad_scope"].get("notices", [])
        for notice in notices:
            if notice["code"] == "members_incomplete":
                assert self.before[notice["id"]] <= links[notice["id"]], "links went because of a short reading"
        if len(results) == len(MODULES) and {result["outcome"] for result in results.values()} == {"ok"}:
            assert self.is_there(), f"all is said to be ok, and is not: {self.links()} {self.goal} {results}"
            self.settled = True

    def _entries(self) -> dict[str, dict[str, list[str]]]:
        anchors = "".join(f"({ANCHOR}=Group_{cloud_id})" for cloud_id in self.ids.values())
        target = self.target
        found = target.lab.ldapsearch(target.domain, target.forest.base_dn, f"(|{anchors})")
        entries = {entry[ANCHOR][0].removeprefix("Group_"): entry for entry in found}
        assert len(entries) == len(found) == len(self.ids)
        return entries

    def links(self) -> Links:
        """Return the links that the directory holds."""
        return {cloud_id: frozenset(entry.get("member", ())) for cloud_id, entry in self._entries().items()}

    def is_there(self) -> bool:
        """Return whether the directory holds all that it should."""
        entries = self._entries().values()
        return self.links() == self.goal and all(entry["description"] == [str(self._side)] for entry in entries)

    def untouched(self) -> None:
        """Say that nothing was written, so that the change still waits to be followed."""
        assert self.links() == self.before
        self.settled = self.pending = True

    def recover(self) -> None:
        """Run without faults to the end, where an ordinary run has not brought it already."""
        if self.settled:
            return
        for module in MODULES:
            result = self.step(module)
            assert result["outcome"] == "ok", result
        assert self.is_there()
        self.settled = True


def outcome_of(results: dict[str, dict[str, Any]]) -> tuple[str, set[str]]:
    """Return the worst outcome of a cycle, and all codes of errors and notices."""
    order = ("ok", "partial", "incomplete", "blocked", "fatal")
    worst = max((result["outcome"] for result in results.values()), key=order.index)
    said = [entry for result in results.values() for entry in (*result["errors"], *result["notices"])]
    return worst, {entry["code"] for entry in said}
