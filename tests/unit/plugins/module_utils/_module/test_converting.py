# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""gpad_soa from its options to its result, over a Graph in memory."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import authority as service
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import extensions, member_reading, questions
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import converting
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.authority import Master
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.directory_facts import facts_entry
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import EntraError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    CompleteReading,
    Principal,
    Reading,
)
from tests.unit.plugins.module_utils._module.running import run
from tests.unit.plugins.module_utils._provisioning.authorities import converted, facts, inner, synced
from tests.unit.samples import MANAGED, TENANT, cloud_id, sid, user

Soa = Callable[..., dict[str, Any]]
REFUSED = EntraError("Microsoft Graph refused it.", code="entra_400")
LOST = EntraError("It does not answer.", code="entra_unreachable")


class Tenant:
    """What Graph would do; the adapter's functions are replaced by its methods."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.groups: dict[str, CloudGroup] = {}
        self.held: dict[str, tuple[Principal, ...]] = {}
        self.found = service.Found()
        self.known: tuple[Principal, ...] = ()
        self.sids_problem: EntraError | None = None
        self.refusals: dict[str, EntraError] = {}
        self.done_all_the_same: set[str] = set()
        self.blind_after_writing = False
        self.calls: list[tuple[str, str]] = []
        self.extension: str | None = None
        self.waits: list[float] = []
        self.requests = {"GET": 3}
        patch.setattr(converting, "GraphClient", lambda _settings: self)
        patch.setattr(time, "sleep", self.waits.append)
        for name in ("find", "move", "audit_entries"):
            patch.setattr(service, name, getattr(self, name))
        for name in ("find_extension", "make_extension", "write_value"):
            patch.setattr(extensions, name, getattr(self, name))
        patch.setattr(member_reading, "read_members", self.members)
        patch.setattr(questions, "principals_with", self.principals_with)

    def add(self, group: CloudGroup, *members: Principal) -> None:
        """Let there be a group."""
        self.groups[group.id] = group
        self.held[group.id] = members

    def log_on(self) -> None:
        """Succeed."""

    def find(self, _client: object, wanted: Sequence[str], _select: object) -> service.Found:
        """Find groups by id."""
        if self.blind_after_writing and self.calls:
            raise LOST
        return replace(self.found, groups=[self.groups[one] for one in wanted if one in self.groups])

    def members(
        self, _client: object, ids: Sequence[str], _query: object
    ) -> Iterator[tuple[str, Reading[tuple[Principal, ...]]]]:
        """List members."""
        return ((one, CompleteReading(self.held[one])) for one in ids)

    def principals_with(
        self, _client: object, _sids: Collection[str]
    ) -> tuple[tuple[Principal, ...], EntraError | None]:
        """Find accounts by SID."""
        return self.known, self.sids_problem

    def move(self, _client: object, group: str, wanted: Master) -> None:
        """Change who is master."""
        self.calls.append(("move", group))
        if group not in self.refusals or group in self.done_all_the_same:
            managed = wanted is Master.CLOUD
            held = self.groups[group]
            properties = {**held.properties, "onPremisesSyncEnabled": None}
            self.groups[group] = CloudGroup(group, properties, managed)
        if group in self.refusals:
            raise self.refusals[group]

    def audit_entries(self, _client: object, ids: Collection[str]) -> list[dict[str, Any]]:
        """Read the audit log."""
        return [{"id": one} for one in sorted(ids)]

    def find_extension(self, _client: object, _tenant: str) -> str | None:
        """Look for the extension."""
        return self.extension

    def make_extension(self, _client: object, _tenant: str) -> str:
        """Make it."""
        self.calls.append(("make", ""))
        return "extension_0a_GroupDN"

    def write_value(self, _client: object, group: str, name: str, value: str) -> None:
        """Write a value of it."""
        self.calls.append((f"{name}={value}", group))


@pytest.fixture
def tenant(monkeypatch: pytest.MonkeyPatch) -> Tenant:
    """Group 1 holds group 2, group 3 stands alone; all are synced."""
    made = Tenant(monkeypatch)
    made.add(synced(1), inner(2))
    made.add(synced(2), user(4))
    made.add(synced(3))
    return made


FACTS = [facts_entry(facts(1, [sid(2002)])), facts_entry(facts(2, [sid(5004)])), facts_entry(facts(3))]


@pytest.fixture
def soa(tenant: Tenant, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Soa:
    """Run the module on some groups."""

    def running(*numbers: int, check: bool = False, diff: bool = False, **more: Any) -> dict[str, Any]:
        options = {"tenant_id": TENANT, "client_id": "app", "client_secret": "s3cr3t", "directory_facts": FACTS}
        options |= {"groups": [cloud_id(number) for number in numbers or (1, 2, 3)], **more}
        return run(monkeypatch, capsys, converting.run, options, check_mode=check, diff=diff)

    return running


def states(result: dict[str, Any], when: str) -> list[str]:
    return [one[when]["state"] for one in result["states"]]


def codes(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(one["id"], one["code"]) for one in result["errors"]]


def test_without_a_wish_the_states_are_read_alone(tenant: Tenant, soa: Soa) -> None:
    result = soa(directory_facts=None, gather_audit=True)
    assert (result["_rc"], result["changed"], states(result, "after")) == (0, False, ["synced"] * 3)
    assert tenant.calls == [] and len(result["audit"]) == 3 and result["summary"]["requests"] == 3


def test_check_mode_tells_what_applying_does(tenant: Tenant, soa: Soa) -> None:
    dry = soa(source_of_authority="cloud", check=True, diff=True)
    assert tenant.calls == [] and states(dry, "after") == ["converted"] * 3
    assert "  - isCloudManaged: false\n  + isCloudManaged: true\n" in dry["diff"]["prepared"]
    done = soa(source_of_authority="cloud")
    assert (done["_rc"], done["changed"], done["outcome"]) == (0, True, "ok")
    assert [group for _call, group in tenant.calls] == [cloud_id(2), cloud_id(3), cloud_id(1)]
    assert done["changes"] == dry["changes"] and done["summary"]["groups_converted"] == 3
    assert (states(done, "before"), states(done, "after")) == (["synced"] * 3, ["converted"] * 3)
    assert [one["dn"] for one in done["originals"]] == [f"CN=Group {number},{MANAGED}" for number in (2, 3, 1)]
    again = soa(source_of_authority="cloud")
    assert (again["changed"], again["changes"], len(tenant.calls)) == (False, [], 3)


def test_what_later_steps_rest_on_is_never_cut(tenant: Tenant, soa: Soa) -> None:
    done = soa(source_of_authority="cloud", max_results=1)
    assert [len(done[name]) for name in ("originals", "planned", "states", "changes")] == [3, 3, 3, 1]


def test_an_audit_log_that_cannot_be_read_leaves_the_result_of_the_change(
    tenant: Tenant, soa: Soa, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_client: object, _ids: object) -> None:
        raise EntraError("The log is closed.", "Grant AuditLog.Read.All.", code="permission_missing")

    monkeypatch.setattr(service, "audit_entries", refused)
    done = soa(source_of_authority="cloud", gather_audit=True)
    assert (done["outcome"], done["fatal"], done["changed"], done["audit"]) == ("partial", False, True, [])
    assert codes(done) == [("", "permission_missing")] and len(done["originals"]) == 3


def test_a_roll_back_is_pending(tenant: Tenant, soa: Soa) -> None:
    tenant.add(converted(3))
    result = soa(3, source_of_authority="on_premises", original_name={"extension": "use"})
    assert (result["_rc"], states(result, "after"), result["originals"]) == (0, ["rolled_back"], [])
    assert result["states"][0]["pending"] and result["summary"]["pending"] == 1


def test_a_refused_group_holds_what_holds_it_and_no_other(tenant: Tenant, soa: Soa) -> None:
    tenant.refusals[cloud_id(2)] = REFUSED
    result = soa(source_of_authority="cloud")
    assert (result["_rc"], result["outcome"], result["changed"]) == (1, "partial", True)
    assert sorted(codes(result)) == [(cloud_id(1), "nested_failed"), (cloud_id(2), "entra_400")]
    assert states(result, "after") == ["synced", "synced", "converted"]
    assert (cloud_id(1) not in [group for _call, group in tenant.calls]) and len(result["changes"]) == 1


def test_what_is_there_counts_and_not_the_answer(tenant: Tenant, soa: Soa) -> None:
    tenant.refusals[cloud_id(3)] = EntraError("The answer was cut.", code="entra_answer_broken")
    tenant.done_all_the_same = {cloud_id(3)}
    result = soa(3, source_of_authority="cloud")
    assert (result["_rc"], result["changed"], states(result, "after")) == (0, True, ["converted"])


def test_a_service_that_went_away_ends_the_run(tenant: Tenant, soa: Soa) -> None:
    tenant.refusals[cloud_id(2)] = LOST
    tenant.blind_after_writing = True
    result = soa(source_of_authority="cloud")
    assert (result["outcome"], result["fatal"], len(tenant.calls)) == ("fatal", True, 1)
    assert codes(result) == [("", "entra_unreachable")]
    assert [one["code"] for one in result["notices"]] == ["authority_unconfirmed"]
    assert states(result, "after") == ["synced", "unknown", "synced"]


def test_a_state_that_does_not_show_is_asked_for_again_and_told(
    tenant: Tenant, soa: Soa, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = tenant.groups[cloud_id(3)]
    real = tenant.move

    def forgotten(client: object, group: str, wanted: Master) -> None:
        real(client, group, wanted)
        tenant.groups[group] = before

    monkeypatch.setattr(service, "move", forgotten)
    result = soa(3, source_of_authority="cloud")
    assert (result["outcome"], result["changed"], tenant.waits) == ("incomplete", True, [2, 4])
    assert [one["code"] for one in result["notices"]] == ["authority_unconfirmed"]


@pytest.mark.parametrize(("approve", "code"), [(None, "limit_exceeded"), ("0" * 64, "plan_not_approved")])
def test_limits_and_wrong_approvals_stop_all(tenant: Tenant, soa: Soa, approve: str | None, code: str) -> None:
    more = {"approve": approve} if approve else {}
    result = soa(source_of_authority="cloud", limits={"count": 2}, **more)
    assert (result["outcome"], codes(result), tenant.calls) == ("blocked", [("", code)], [])
    assert len(result["planned"]) == 3 and states(result, "after") == ["synced"] * 3
    let = soa(source_of_authority="cloud", limits={"count": 2}, approve=result["checksum"])
    assert let["outcome"] == "ok" and len(tenant.calls) == 3


def test_the_original_name_is_written_before_the_change(tenant: Tenant, soa: Soa) -> None:
    missing = soa(3, source_of_authority="cloud", original_name={"extension": "use"})
    assert (missing["fatal"], codes(missing), tenant.calls) == (True, [("", "extension_missing")], [])
    dry = soa(3, source_of_authority="cloud", original_name={"extension": "create"}, check=True)
    assert tenant.calls == []
    done = soa(3, source_of_authority="cloud", original_name={"extension": "create"})
    value = f"extension_0a_GroupDN=CN=Group 3,{MANAGED}"
    assert tenant.calls == [("make", ""), (value, cloud_id(3)), ("move", cloud_id(3))]
    assert done["changes"] == dry["changes"] and done["changes"][0]["action"] == "create_extension"
    assert done["changes"][1]["attributes"]["GroupDN"]["after"] == [f"CN=Group 3,{MANAGED}"]
    tenant.extension, tenant.calls = "extension_1b_GroupDN", []
    tenant.add(synced(3))
    soa(3, source_of_authority="cloud", original_name={"extension": "use"})
    assert tenant.calls[0] == (f"extension_1b_GroupDN=CN=Group 3,{MANAGED}", cloud_id(3))


def test_entries_that_fit_no_group_or_several_are_told(tenant: Tenant, soa: Soa) -> None:
    tenant.found = service.Found(missing={"a": "fits no group"}, ambiguous={"b": ["x", "y"]}, problem=REFUSED)
    result = soa(3)
    assert [code for _id, code in codes(result)] == ["soa_group_not_found", "soa_group_not_unique", "entra_400"]
    assert result["outcome"] == "partial"
    tenant.groups.clear()
    assert codes(soa(3)) == [("", "entra_400")]


def test_who_is_unknown_must_be_looked_up(tenant: Tenant, soa: Soa) -> None:
    given = [facts_entry(facts(3, [sid(5009)]))]
    assert codes(soa(3, source_of_authority="cloud", directory_facts=given)) == [(cloud_id(3), "members_unknown")]
    left = soa(3, source_of_authority="cloud", directory_facts=given, left_behind=[sid(5009)], check=True)
    assert left["outcome"] == "ok"
    tenant.known = (user(9),)
    assert codes(soa(3, source_of_authority="cloud", directory_facts=given)) == [(cloud_id(3), "sync_pending")]
    tenant.sids_problem = REFUSED
    assert soa(3, source_of_authority="cloud", directory_facts=given)["outcome"] == "fatal"


def test_facts_come_from_a_file_too(soa: Soa, tmp_path: Path) -> None:
    path = tmp_path / "facts.json"
    path.write_text(json.dumps({"info": {"soa": FACTS}}))
    assert soa(3, source_of_authority="cloud", directory_facts=str(path))["outcome"] == "ok"
    path.write_text("{")
    assert codes(soa(3, directory_facts=str(path))) == [("", "directory_facts_invalid")]


@pytest.mark.parametrize("wrong", [{"limits": {"count": -1}}, {"left_behind": ["Foreign Hand"]}])
def test_options_that_cannot_be_used(soa: Soa, wrong: dict[str, Any]) -> None:
    assert codes(soa(3, **wrong)) == [("", "configuration_invalid")]
