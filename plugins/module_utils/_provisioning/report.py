# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run tells people: counts, capped lists, a diff and a few lines, all in a stable order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import GpadError, Outcome
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import (
    Action,
    GroupChange,
    MemberChange,
    Notice,
    PlanItem,
    Problem,
    Question,
    Skip,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import Applied

# Notices that say that something was not done which otherwise would have been.
_INCOMPLETE_NOTICES = frozenset({"removals_held", "links_unread"})
# The order of results, from better to worse.
_WORSE = (Outcome.OK, Outcome.PARTIAL, Outcome.INCOMPLETE, Outcome.BLOCKED, Outcome.FATAL)


def worst(*outcomes: Outcome) -> Outcome:
    """Return the worst of some outcomes."""
    return max(outcomes, key=_WORSE.index, default=Outcome.OK)


@dataclass(slots=True)
class Report:
    """Collects what happened; the lists stop growing at the cap, the counts do not.

    Parameters:
        max_results: most entries of each list; so many members are named in all changes together.
    """

    max_results: int
    summary: Counter[str] = field(default_factory=Counter)
    changes: list[dict[str, Any]] = field(default_factory=list)
    skipped: list[dict[str, Any]] = field(default_factory=list)
    errors: list[dict[str, Any]] = field(default_factory=list)
    notices: list[dict[str, Any]] = field(default_factory=list)
    outcome: Outcome = Outcome.OK
    changed: bool = False
    _named: int = 0
    _noticed: dict[str, str] = field(default_factory=dict)

    def noticed(self, codes: Collection[str]) -> str:
        """Return what the notices with one of these codes say, the first of each code; they may be beyond the cap."""
        return "; ".join(text for code, text in sorted(self._noticed.items()) if code in codes)

    def _append(self, target: list[dict[str, Any]], entry: dict[str, Any]) -> None:
        if len(target) < self.max_results:
            target.append(entry)

    def plan_item(self, item: PlanItem) -> None:
        """Take in an item of a plan as something that would happen or was left."""
        if isinstance(item, (GroupChange, MemberChange)):
            self.change(item)
        else:
            self.remark(item)

    def change(self, item: GroupChange | MemberChange) -> None:
        """Take in a change that was made, or would be."""
        if isinstance(item, MemberChange):
            self.summary["members_added"] += len(item.add)
            self.summary["members_removed"] += len(item.remove)
            self.summary["groups_with_member_changes"] += 1
            self.changed = True
        else:
            self.summary[_COUNTED_AS[item.action]] += 1
            self.changed = self.changed or item.writes
        if len(self.changes) < self.max_results:
            entry = change_entry(item, self.max_results - self._named)
            self._named += len(entry.get("add", ())) + len(entry.get("remove", ()))
            self.changes.append(entry)

    def remark(self, item: Skip | Problem | Notice | Question) -> None:
        """Take in what was left alone, could not be done, or should be known."""
        if isinstance(item, Question):
            return  # for the next capture, not for people
        if isinstance(item, Skip):
            self.summary["members_skipped" if item.group_id else "groups_skipped"] += 1
            entry = {"id": item.id, "name": item.name, "code": item.code, "reason": item.reason}
            if item.group_id:
                entry |= {"group_id": item.group_id, "group_name": item.group_name or ""}
            self._append(self.skipped, entry)
        elif isinstance(item, Notice):
            self.summary["notices"] += 1
            self._noticed.setdefault(item.code, item.message)
            if item.code in _INCOMPLETE_NOTICES:
                self.outcome = worst(self.outcome, Outcome.INCOMPLETE)
            self._append(self.notices, {"id": item.id, "name": item.name, "code": item.code, "reason": item.message})
        else:
            self.problem(item.id, item.name, item.code, item.message, item.remedy)

    def problem(self, cloud_id: str, name: str, code: str, message: str, remedy: str) -> None:
        """Take in an object that failed."""
        self.summary["errors"] += 1
        self.outcome = worst(self.outcome, Outcome.PARTIAL)
        entry = {"id": cloud_id, "name": name, "code": code, "reason": message, "remedy": remedy}
        self._append(self.errors, entry)

    def entry(self, entry: dict[str, Any], counted_as: str) -> None:
        """Take in a change that has no plan behind it, as it stands in a result."""
        self.summary[counted_as] += 1
        self.changed = True
        self._append(self.changes, entry)

    def applied(self, item: GroupChange | MemberChange, applied: Applied) -> None:
        """Take in what became of a change."""
        done = _as_done(item, applied)
        if applied.status != "failed" and (isinstance(done, GroupChange) or done.add or done.remove):
            self.change(done)
        if applied.error is not None:
            self.problem(item.id, item.name, applied.error.code, applied.error.message, applied.error.remedy)

    def stopped(self, error: GpadError) -> None:
        """Take in what ended the run early, beyond the cap, too."""
        self.summary["errors"] += 1
        self.outcome = worst(self.outcome, error.outcome)
        self.errors.append({"id": "", "name": "", "code": error.code, "reason": error.message, "remedy": error.remedy})

    def lines(self) -> list[str]:
        """Return the report for people, one line for each thing that happened or was left."""
        return [*_change_lines(self.changes), *_remark_lines(self)]


_COUNTED_AS: Mapping[Action, str] = {
    Action.CREATE_CONTAINER: "containers_created",
    Action.CREATE: "groups_created",
    Action.RESTORE: "groups_restored",
    Action.ADOPT: "groups_adopted",
    Action.CONVERT: "groups_converted",
    Action.UPDATE: "groups_updated",
    Action.STAMP: "anchors_stamped",
    Action.RENAME: "groups_renamed",
    Action.MOVE: "groups_moved",
    Action.RENAME_AND_MOVE: "groups_renamed_and_moved",
    Action.DETACH: "groups_detached",
    Action.DELETE: "groups_deleted",
}


def _as_done(item: GroupChange | MemberChange, applied: Applied) -> GroupChange | MemberChange:
    """Return the part of a change that was carried out."""
    if isinstance(item, GroupChange):
        return item
    done = set(applied.added) | set(applied.removed)
    return replace(
        item,
        add=tuple(want for want in item.add if want.guid in done or want.id in applied.added_ids),
        remove=tuple(link for link in item.remove if link.guid in done),
    )


def change_entry(item: GroupChange | MemberChange, most: int) -> dict[str, Any]:
    """Return a change as it stands in a result, at most so many of its members named."""
    if isinstance(item, MemberChange):
        added = item.add[:most]
        return {
            "action": item.action.value,
            "id": item.id,
            "name": item.name,
            "dn": item.dn,
            "reason": item.reason,
            "added": len(item.add),
            "removed": len(item.remove),
            "add": [{"id": want.id, "name": want.name or want.dn} for want in added],
            "remove": [{"sid": link.sid, "name": link.dn} for link in item.remove[: most - len(added)]],
        }
    entry: dict[str, Any] = {"action": item.action.value, "id": item.id, "name": item.name, "dn": item.dn}
    entry["reason"] = item.reason
    if item.new_dn:
        entry["new_dn"] = item.new_dn
    entry["attributes"] = {
        name: {"before": list(item.before.get(name, ())), "after": list(values)}
        for name, values in sorted(item.after.items())
    }
    return entry


def _change_lines(changes: list[dict[str, Any]]) -> Iterator[str]:
    for entry in changes:
        if entry["action"] == Action.MEMBERS.value:
            names = [f"+{member['name']}" for member in entry["add"]] + [f"-{link['name']}" for link in entry["remove"]]
            names += _unnamed(entry)
            why = f" ({entry['reason']})" if entry["reason"] else ""
            yield f"{entry['name']}: members{why} +{entry['added']} -{entry['removed']}: {', '.join(names)}"
        else:
            where = f"{entry['dn']} -> {entry['new_dn']}" if "new_dn" in entry else entry["dn"]
            yield f"{entry['name']}: {entry['action']} ({entry['reason']}) {where}"


def _unnamed(entry: dict[str, Any]) -> list[str]:
    """Return how many members of a change are not named in a result, as a list that is empty when all are."""
    rest = entry["added"] + entry["removed"] - len(entry["add"]) - len(entry["remove"])
    return [f"{rest} more"] if rest else []


def _remark_lines(report: Report) -> Iterator[str]:
    for entry in report.skipped:
        name = f"{entry['group_name']}: member {entry['name']}" if "group_id" in entry else entry["name"]
        yield f"{name}: skipped, {entry['reason']} [{entry['code']}]"
    for entry in report.notices:
        yield f"{entry['name']}: {entry['reason']} [{entry['code']}]"
    for entry in report.errors:
        yield f"{entry['name'] or 'run'}: FAILED, {entry['reason']} {entry['remedy']} [{entry['code']}]"


def diff_text(changes: list[dict[str, Any]]) -> str:
    """Return a compact diff: one line for the group, then one for each attribute and link that differs."""
    out: list[str] = []
    for entry in changes:
        out.append(f"{entry['name']}  {entry['dn']}")
        if entry["action"] == Action.MEMBERS.value:
            out += [f"  + member {member['name']}" for member in entry["add"]]
            out += [f"  - member {link['name']}" for link in entry["remove"]]
            out += [f"  ~ {rest}" for rest in _unnamed(entry)]
            continue
        if "new_dn" in entry:
            out.append(f"  ~ {entry['action']} to {entry['new_dn']}")
        for name, values in entry["attributes"].items():
            out += [f"  - {name}: {value}" for value in values["before"]]
            out += [f"  + {name}: {value}" for value in values["after"]]
    return "\n".join(out) + "\n" if out else ""
