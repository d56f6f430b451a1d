# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every way in which a reading can be short: what it lacks is added at most, never taken away, and the run says so.

Of the other ways tell: absence of a group while an index lags, `modules/test_retire.py`; a global catalog that is
down, and a member whose domain does not answer, `forest/test_two_domains.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.integration.faults.conftest import Inject
from tests.integration.faults.swing import Swing, outcome_of
from tests.integration.faults.world import MODULES
from tests.lab.policy.admin import PolicyAdmin

# Groups that the list leaves out were in scope before, and are asked for one by one: test_graph.py.
LIST, MEMBERS, BATCH = r"/groups\?", r"/groups/[^/]+/members", r"/\$batch"
_PAGE_TWO = MEMBERS + r".*skiptoken"
PLAN = MODULES[1]
_UNLIKE = {"page_cap": 0, "skip_token_seconds": 3600.0}


@dataclass(frozen=True, slots=True)
class Row:
    """A short reading and what is told of it.

    Parameters:
        name: what is short.
        outcome: the worst outcome of the run; never `ok`.
        code: what is told.
        graph: the emulator's fault.
        knobs: the emulator's knobs.
        ldap: the proxy's fault.
        policy: the proxy's knobs.
        hidden: the membership of one group is hidden.
        application: who asks Graph.
    """

    name: str
    outcome: str
    code: str
    graph: dict[str, Any] = field(default_factory=dict)
    knobs: dict[str, Any] = field(default_factory=dict)
    ldap: dict[str, Any] = field(default_factory=dict)
    policy: dict[str, Any] = field(default_factory=dict)
    hidden: bool = False
    application: str = ""


def graph(action: str, path: str, **options: Any) -> dict[str, Any]:
    """Return a fault of the emulator that strikes for ever."""
    return {"action": action, "path": path, "times": 0, **options}


def ldap(action: str, times: int = 0) -> dict[str, Any]:
    """Return a fault of the proxy that strikes where a search goes on."""
    return {"action": action, "kind": "search", "times": times, "continuing": True}


_PAGES = {"page_cap": 2}
_ENTRIES, _RANGES = {"max_page_size": 1}, {"max_val_range": 2}
_MEMBERS, _LINKS = "members_incomplete", "links_unread"

ROWS = (
    Row("a page of members is lost", "incomplete", _MEMBERS, graph("drop_tail", MEMBERS, items=1)),
    Row("all members are lost", "incomplete", _MEMBERS, graph("drop_tail", MEMBERS, items=9)),
    Row("cut JSON of the list", "fatal", "entra_answer_broken", graph("truncate", LIST)),
    Row("spliced JSON of the list", "fatal", "entra_answer_broken", graph("splice", LIST)),
    Row("cut JSON of members", "fatal", "entra_answer_broken", graph("truncate", BATCH)),
    Row("cut JSON on page two", "incomplete", _MEMBERS, graph("truncate", BATCH, skip=2), _PAGES),
    Row("spliced JSON on page two", "incomplete", _MEMBERS, graph("splice", BATCH, skip=2), _PAGES),
    Row("an end on page two of the list", "fatal", "entra_503", graph("status", r"/groups\?.*skiptoken", status=503),
        {"page_cap": 1}),
    Row("a token revoked from page two on", "incomplete", _MEMBERS, graph("status", _PAGE_TWO, status=401),
        _PAGES),
    Row("an expired page token", "fatal", "entra_400", knobs={"page_cap": 2, "skip_token_seconds": 0.0}),
    Row("members refused", "incomplete", _MEMBERS, graph("status", MEMBERS, status=403)),
    Row("members not found", "incomplete", _MEMBERS, graph("status", MEMBERS, status=404)),
    Row("a permission is missing for users", "incomplete", "members_unreadable", application="narrow"),
    Row("hidden membership", "incomplete", _MEMBERS, hidden=True),
    Row("the controller is busy on page two", "fatal", "directory_busy", ldap=ldap("busy"), policy=_ENTRIES),
    Row("the connection ends before page two", "fatal", "directory_unreachable", ldap=ldap("drop_before", 1),
        policy=_ENTRIES),
    Row("a gap in a range", "incomplete", _LINKS, ldap=ldap("gap"), policy=_RANGES),
    Row("a range is refused", "incomplete", _LINKS, ldap=ldap("busy"), policy=_RANGES),
)  # fmt: skip


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_nothing_goes_because_of_a_short_reading(swing: Swing, policy: PolicyAdmin, inject: Inject, row: Row) -> None:
    target, admin = swing.target, swing.target.admin
    swing.swing()
    inject("short reading")
    broad = swing.ids["Broad"]
    if row.hidden:
        admin.patch_group(broad, visibility="HiddenMembership")
    admin.knobs(**row.knobs)
    if row.graph:
        admin.fault(**row.graph)
    with target.acting_as(row.application or "gpad"):
        results = {MODULES[0]: swing.step(MODULES[0])}
    assert all(rule["fired"] for rule in admin.faults()), "the fault never struck"
    admin.clear_faults()
    admin.knobs(**_UNLIKE)
    policy.set_policy(**row.policy)
    policy.clear_operations()
    if row.ldap:
        policy.add_fault(**row.ldap)
    if not results[MODULES[0]]["fatal"]:
        results[PLAN] = swing.step(PLAN)
        struck = any(operation.fault is not None for operation in policy.operations())
        assert struck is bool(row.ldap), "the fault never struck"
        policy.reset()
        if not results[PLAN]["fatal"]:
            results |= swing.rest(MODULES[2:])
    held, short = swing.links(), _short(row, results, set(swing.ids.values()))
    outcome, codes = outcome_of(results)
    assert outcome == row.outcome != "ok", codes
    assert row.code in codes, codes
    assert short, "no group was read short"
    for cloud_id in short:
        assert swing.before[cloud_id] <= held[cloud_id], "a link went because of a short reading"
    swing.judge(results)
    if row.hidden:
        admin.patch_group(broad, visibility=None)
    swing.recover()


def _short(row: Row, results: dict[str, dict[str, Any]], groups: set[str]) -> set[str]:
    """Return the groups that were not read to their end; all, when the run wrote nothing."""
    if row.outcome != "incomplete":
        return groups
    told = [notice for result in results.values() for notice in result["notices"]]
    return groups & {notice["id"] for notice in told if notice["code"] == row.code}
