# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a domain controller may do wrong, and what a run makes of it; the policy proxy plays the faults."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.integration.faults.conftest import Inject
from tests.integration.faults.swing import Swing, outcome_of
from tests.integration.faults.world import MODULES, crew
from tests.lab.policy.admin import PolicyAdmin

PLAN, GROUP, MEMBERSHIP = MODULES[1:]


@dataclass(frozen=True, slots=True)
class Case:
    """A fault and what has to come of it.

    Parameters:
        name: what it is.
        module: before which it is armed.
        fault: action and conditions of the proxy's fault.
        outcome: the worst outcome of the run.
        code: an error or a notice that must be told; empty when none need be.
        policy: the proxy's knobs.
        answer_seconds: how long the module waits for an answer.
    """

    name: str
    module: str
    fault: dict[str, Any]
    outcome: str = "ok"
    code: str = ""
    policy: dict[str, Any] = field(default_factory=dict)
    answer_seconds: float = 0.0


def fault(action: str, kind: str, times: int = 1, **conditions: Any) -> dict[str, Any]:
    """Return a fault."""
    return {"action": action, "kind": kind, "times": times, **conditions}


def refusal(code: int, message: str, kind: str, **conditions: Any) -> dict[str, Any]:
    """Return a fault that refuses, once unless told otherwise."""
    return fault("refuse", kind, code=code, message=message, **conditions)


_BUSY, _AWAY, _HALF_DOWN = "directory_busy", "directory_unreachable", "directory_misconfigured"
_REFERRAL = (10, "0000202B: RefErr: DSID-03100742")
_DENIED = (50, "00000005: SecErr: DSID-031A11ED")
_ADMIN_LIMIT = (11, "00002024: SvcErr: DSID-02050CF7")
_RANGES = {"max_val_range": 2}

CASES = (
    *(Case(f"{word} while it plans", PLAN, fault(word, "search", 3)) for word in ("busy", "unavailable")),
    *(Case(f"{word} while it writes", module, fault(word, "modify", 3))
      for word in ("busy", "unavailable") for module in (GROUP, MEMBERSHIP)),
    Case("busy for ever while it plans", PLAN, fault("busy", "search", 0), "fatal", _BUSY),
    Case("busy for ever while it writes groups", GROUP, fault("busy", "modify", 0), "partial", _BUSY),
    Case("busy for ever while it writes members", MEMBERSHIP, fault("busy", "modify", 0), "partial", _BUSY),
    *(Case(f"connection ended {when[5:]} a search of {module}", module, fault(when, "search", skip=skip))
      for when in ("drop_before", "drop_after") for module, skip in ((PLAN, 0), (PLAN, 9), (GROUP, 6))),
    *(Case(f"connection ended {when[5:]} a write of {module}", module, fault(when, "modify"), "fatal", _AWAY)
      for when in ("drop_before", "drop_after") for module in (GROUP, MEMBERSHIP)),
    *(Case(f"connection ended {when[5:]} the second write of {module}", module, fault(when, "modify", skip=1),
           "fatal", _AWAY)
      for when in ("drop_before", "drop_after") for module in (GROUP, MEMBERSHIP)),
    Case("no answer to one search", PLAN, fault("delay", "search", seconds=2.5), answer_seconds=1.0),
    Case("no answer to any search", PLAN, fault("delay", "search", 0, seconds=2.5), "fatal", _AWAY, answer_seconds=1.0),
    *(Case(f"no answer to a write of {module}", module, fault("delay", "modify", seconds=2.5), "fatal", _AWAY,
           answer_seconds=1.0) for module in (GROUP, MEMBERSHIP)),
    Case("the log-on ends the connection", PLAN, fault("drop_before", "bind", 0), "fatal", _AWAY),
    *(Case(f"{word} at the log-on", PLAN, fault(word, "bind", 2)) for word in ("busy", "unavailable")),
    Case("busy at the log-on for ever", PLAN, fault("busy", "bind", 0), "fatal", _BUSY),
    Case("restarted while it plans", PLAN, fault("drop_before", "any", 4, skip=6), "fatal", _AWAY),
    Case("restarted while it writes groups", GROUP, fault("drop_before", "any", 4, skip=9), "fatal", _AWAY),
    Case("restarted while it writes members", MEMBERSHIP, fault("drop_before", "any", 4, skip=9), "fatal", _AWAY),
    Case("referral of a search", PLAN, refusal(*_REFERRAL, "search", skip=5), "fatal", _HALF_DOWN),
    Case("referral of a write", MEMBERSHIP, refusal(*_REFERRAL, "modify"), "partial", _HALF_DOWN),
    Case("denied one group", GROUP, refusal(*_DENIED, "modify"), "partial", "permission_denied"),
    Case("denied the members of one group", MEMBERSHIP, refusal(*_DENIED, "modify"), "partial", "permission_denied"),
    Case("size limit while it plans", PLAN, refusal(4, "size limit", "search", skip=5), "fatal", "directory_rejected"),
    Case("admin limit while it plans", PLAN, refusal(*_ADMIN_LIMIT, "search", skip=5), "fatal", "too_much_at_once"),
    Case("one value in a modify", MEMBERSHIP, {}, policy={"max_modify_values": 1}),
    Case("pages of one entry", PLAN, {}, policy={"max_page_size": 1}),
    Case("ranges of two values", PLAN, {}, policy=_RANGES),
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_domain_controller_fails(swing: Swing, policy: PolicyAdmin, inject: Inject, case: Case) -> None:
    swing.swing()
    inject(f"ldap: {case.outcome}")
    results: dict[str, dict[str, Any]] = {}
    struck = 0
    for module in MODULES:
        if module == case.module:
            policy.set_policy(**case.policy)
            policy.clear_operations()
            if case.fault:
                policy.add_fault(**case.fault)
        with swing.target.struck(module, answer_seconds=case.answer_seconds if module == case.module else 0.0):
            results[module] = swing.step(module)
        if module == case.module:
            struck = sum(operation.fault is not None for operation in policy.operations())
            policy.reset()
        if results[module]["fatal"]:
            break
    assert bool(struck) is bool(case.fault), "the fault never struck"
    # What nobody waits for any more is carried out nevertheless, and must not fall into the next case.
    time.sleep(case.fault.get("seconds", 0))
    swing.judge(results)
    outcome, codes = outcome_of(results)
    assert (outcome, case.module if outcome != "ok" else "") == (case.outcome, _first_bad(results)), codes
    assert not case.code or case.code in codes
    if results[PLAN]["fatal"]:
        swing.untouched()
    swing.recover()


def _first_bad(results: dict[str, dict[str, Any]]) -> str:
    return next((module for module, result in results.items() if result["outcome"] != "ok"), "")


@pytest.mark.parametrize(
    ("strike", "outcome", "code", "there"),
    [
        (fault("drop_before", "add"), "fatal", _AWAY, (0, 0)),
        (fault("drop_after", "add"), "fatal", _AWAY, (1, 0)),
        (fault("drop_before", "search", 4, base="CN=In Groups"), "partial", "created_unread", (1, 1)),
        (refusal(*_DENIED, "add", base="OU=Sales"), "partial", "permission_denied", (1, 0)),
        (fault("busy", "add", 0, base="OU=Sales"), "partial", _BUSY, (1, 0)),
    ],
    ids=["ended before the add", "ended after the add", "ended after it was created", "denied one container", "busy"],
)
def test_a_creation_fails(
    swing: Swing,
    policy: PolicyAdmin,
    inject: Inject,
    strike: dict[str, Any],
    outcome: str,
    code: str,
    there: tuple[int, int],
) -> None:
    """Whatever becomes of it, there is one object in the end, and the other container gets its group."""
    target = swing.target
    good, bad = (target.admin.create_group(name, [crew(9)]) for name in ("In Groups", "In Sales"))
    inject(f"ldap: {outcome}")
    sales = target.forest.managed_containers[1]
    place: dict[str, Any] = {
        "target_container": f'IIF([displayName] = "In Sales", "{sales}", "{target.forest.managed_containers[0]}")'
    }
    assert target.scope(good, bad)["outcome"] == "ok"
    assert target.plan(**place)["outcome"] == "ok"
    policy.add_fault(**strike)
    result = target.group()
    policy.reset()
    assert result["outcome"] == outcome, result
    assert code in {error["code"] for error in result["errors"]}
    assert (len(target.entries(good)), len(target.entries(bad))) == there
    sids = {cloud_id: entry["objectSid"] for cloud_id in (good, bad) for entry in target.entries(cloud_id)}
    later = (target.scope(good, bad), target.plan(**place, retry_now=True), target.group(), target.membership())
    for again in later:
        assert again["outcome"] == "ok", again
    for cloud_id in (good, bad):
        entry = target.entry(cloud_id)
        assert entry["objectSid"] == sids.get(cloud_id, entry["objectSid"])
        assert entry["member"] == [target.person("crew00009")]
        target.lab.ldapmodify(target.domain, f"dn: {entry['dn'][0]}\nchangetype: delete\n")
        target.admin.purge(cloud_id)
    target.forget(good, bad)
    swing.recover()
