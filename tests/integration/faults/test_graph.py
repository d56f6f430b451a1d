# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Microsoft Graph may do wrong, and what a run makes of it: done after all, not whole and told so, or fatal."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest

from tests.integration.faults.conftest import Inject
from tests.integration.faults.swing import Swing, outcome_of

LIST, MEMBERS, BATCH, TOKEN = r"/groups\?", r"/groups/[^/]+/members", r"/\$batch", r"/oauth2/v2.0/token"


@dataclass(frozen=True, slots=True)
class Case:
    """A fault and what has to come of it.

    Parameters:
        name: what it is.
        fault: action and conditions of the emulator's fault.
        outcome: the worst outcome of the run.
        code: an error or a notice that must be told; empty when none need be.
        waited: the least of the waits that the run must have asked for, in seconds.
        knobs: the emulator's knobs.
        answer_seconds: how long the run waits for an answer.
    """

    name: str
    fault: dict[str, Any] = field(default_factory=dict)
    outcome: str = "ok"
    code: str = ""
    waited: float = 0.0
    knobs: dict[str, Any] = field(default_factory=dict)
    answer_seconds: float = 0.0


def refusal(status: int, path: str, times: int = 2, **headers: str) -> dict[str, Any]:
    """Return a fault that answers with a status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"action": "status", "status": status, "path": path, "times": times, "headers": named}


def broken(action: str, path: str, times: int = 0, **options: Any) -> dict[str, Any]:
    """Return another fault; it strikes for ever unless told otherwise."""
    return {"action": action, "path": path, "times": times, **options}


_PAGES = {"page_cap": 2}

CASES = (
    Case("429 with seconds", refusal(429, LIST, Retry_After="7"), waited=7),
    Case("429 with a date", refusal(429, LIST, Retry_After="in 9 seconds"), waited=5),
    Case("429 without a word", refusal(429, LIST), waited=0.5),
    Case("429 of a batch", refusal(429, BATCH, Retry_After="3"), waited=3),
    Case("429 of items of a batch", refusal(429, MEMBERS, Retry_After="4"), waited=4),
    Case("429 of items for ever", refusal(429, MEMBERS, 0, Retry_After="4"), "incomplete", "members_incomplete", 4),
    Case("429 for ever", refusal(429, LIST, 0, Retry_After="1"), "fatal", "entra_429", 1),
    Case("429 of the log-on", refusal(429, TOKEN, Retry_After="2"), waited=2),
    *(Case(f"{status}", refusal(status, LIST)) for status in (500, 502, 503, 504)),
    Case("503 with seconds", refusal(503, BATCH, Retry_After="5"), waited=5),
    Case("500 for ever", refusal(500, LIST, 0), "fatal", "entra_500"),
    Case("503 of items of a batch", refusal(503, MEMBERS)),
    Case("504 of items for ever", refusal(504, MEMBERS, 0), "incomplete", "members_incomplete"),
    Case("reset", broken("reset", LIST, 2)),
    Case("reset for ever", broken("reset", LIST), "fatal", "entra_unreachable"),
    Case("ended in mid-body", broken("disconnect", LIST, 1)),
    Case("hang", broken("hang", LIST, 1, seconds=2), answer_seconds=0.5),
    Case("hang for ever", broken("hang", LIST, seconds=0.2), "fatal", "entra_unreachable", answer_seconds=0.05),
    Case("slow body", broken("slow_body", BATCH, 1, seconds=0.5)),
    Case("link to another host", broken("foreign_link", LIST), "fatal", "entra_link_foreign", knobs=_PAGES),
    Case("member link to another host", broken("foreign_link", MEMBERS), "incomplete", "members_incomplete", 0, _PAGES),
    Case("endless pages", broken("loop_link", LIST), "fatal", "entra_pages_endless"),
    Case("endless pages of members", broken("loop_link", MEMBERS), "incomplete", "members_incomplete"),
    Case("batch out of order", knobs={"batch_shuffle": True}),
    Case("empty pages", knobs={"empty_pages": True}),
    Case("tokens of two seconds", knobs={"token_seconds": 2}),
    Case("token that ended in the run", refusal(401, BATCH, 1), "fatal", "entra_401"),
    Case("cut JSON", broken("truncate", LIST, 2)),
    Case("lost tail of the list", broken("drop_tail", LIST, items=50)),
    Case("error spliced into a 200", broken("splice", LIST, 2)),
    Case("error spliced into a batch", broken("splice", BATCH, 2)),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_service_fails(swing: Swing, inject: Inject, case: Case) -> None:
    admin = swing.target.admin
    swing.swing()
    inject(f"graph: {case.outcome}")
    admin.knobs(**case.knobs)
    if case.fault:
        fault = dict(case.fault)
        if fault.get("headers", {}).get("Retry-After", "").startswith("in "):
            then = datetime.now(timezone.utc) + timedelta(seconds=9)
            fault["headers"] = {"Retry-After": format_datetime(then, usegmt=True)}
        admin.fault(**fault)
    with swing.target.struck("gpad_scope", answer_seconds=case.answer_seconds):
        scope = swing.step("gpad_scope")
    waits = swing.target.last.waits
    fired = [rule["fired"] for rule in admin.faults()]
    admin.clear_faults()
    assert all(fired), "the fault never struck"
    results = {"gpad_scope": scope} if scope["fatal"] else {"gpad_scope": scope, **swing.rest()}
    swing.judge(results)
    outcome, codes = outcome_of(results)
    assert outcome == case.outcome, (codes, scope.get("msg"))
    assert not case.code or case.code in codes
    assert max(waits, default=0.0) >= case.waited
    admin.knobs(page_cap=0, empty_pages=False, token_seconds=3599)
    if scope["fatal"]:
        swing.untouched()
    swing.recover()
