# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""gpad_scope from its options to its result, over a Graph in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import capture
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.auth import EntraSettings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import capturing
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    EntraError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    CompleteReading,
    IncompleteReading,
    Principal,
    Reading,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.snapshot import Snapshot
from tests.unit.plugins.module_utils._module.running import run
from tests.unit.samples import TENANT, cloud_group, cloud_id, sid, user

PARAMS: dict[str, Any] = {
    "tenant_id": TENANT,
    "client_id": "app",
    "client_secret": "s3cr3t-v4lue",
    "client_certificate_path": None,
    "federated_token_file": None,
    "managed_identity": False,
    "cloud": "global",
    "login_url": None,
    "graph_url": None,
    "ca_cert": None,
}


def test_the_end_points_of_a_cloud() -> None:
    settings = capturing.entra_settings({**PARAMS, "cloud": "china", "tenant_id": TENANT.upper()})
    assert isinstance(settings, EntraSettings)
    assert settings.graph_url == "https://microsoftgraph.chinacloudapi.cn"
    assert settings.tenant_id == TENANT


def test_end_points_that_are_given() -> None:
    given = {"login_url": "https://login.example/", "graph_url": "https://graph.example//"}
    settings = capturing.entra_settings({**PARAMS, **given})
    assert (settings.login_url, settings.graph_url) == ("https://login.example", "https://graph.example")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"tenant_id": "contoso.com"}, "tenant_id"),
        ({"client_id": None}, "client_id"),
        ({"graph_url": "http://graph.example"}, "graph_url"),
        ({"login_url": "login.example"}, "login_url"),
    ],
)
def test_options_that_cannot_be_used(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        capturing.entra_settings({**PARAMS, **wrong})


def test_a_managed_identity_needs_no_client() -> None:
    assert capturing.entra_settings({**PARAMS, "client_id": None, "managed_identity": True}).client_id == ""


class Tenant:
    """What Graph would answer; the adapter's functions are replaced by its methods."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.listed: list[CloudGroup] = []
        self.readings: dict[str, Reading[tuple[Principal, ...]]] = {}
        self.states: dict[str, bool] = {}
        self.problem: EntraError | None = None
        self.asked: list[str] = []
        self.requests = {"GET": 2, "POST": 1}
        patch.setattr(capturing, "GraphClient", lambda _settings: self)
        for name in ("groups", "members", "authority"):
            patch.setattr(capture, name, getattr(self, name))

    def log_on(self) -> None:
        """Succeed."""

    def groups(self, *_query: object) -> Iterator[CloudGroup]:
        """List the groups."""
        return iter(self.listed)

    def authority(self, _client: object, ids: Sequence[str]) -> tuple[dict[str, bool], EntraError | None]:
        """Tell who is master."""
        self.asked += ids
        return self.states, self.problem

    def members(self, _client: object, ids: Sequence[str]) -> Iterator[tuple[str, Reading[tuple[Principal, ...]]]]:
        """List members."""
        return ((cloud, self.readings.get(cloud, CompleteReading(()))) for cloud in ids)


Scope = Callable[..., dict[str, Any]]


@pytest.fixture
def tenant(monkeypatch: pytest.MonkeyPatch) -> Tenant:
    """A tenant with one group in scope and one that is not."""
    result = Tenant(monkeypatch)
    result.listed = [cloud_group(1), cloud_group(2, mailEnabled=True), cloud_group(3)]
    result.readings = {cloud_id(1): CompleteReading((user(10), user(11)))}
    return result


@pytest.fixture
def scope(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Scope:
    """Run gpad_scope."""

    def running(*, check_mode: bool = False, **more: Any) -> dict[str, Any]:
        path = str(tmp_path / "snapshot")
        options = {"tenant_id": TENANT, "client_id": "app", "client_secret": "s3cr3t-v4lue", "snapshot": path}
        return run(monkeypatch, capsys, capturing.run, {**options, "scope_mode": "all", **more}, check_mode=check_mode)

    return running


def test_what_is_in_scope_is_captured(tenant: Tenant, scope: Scope, tmp_path: Path) -> None:
    result = scope()
    assert (result["_rc"], result["changed"], result["outcome"]) == (0, False, "ok")
    assert {entry["id"]: entry["in_scope"] for entry in result["groups"]} == {
        cloud_id(1): True,
        cloud_id(2): False,
        cloud_id(3): True,
    }
    assert [skip["code"] for skip in result["skips"]] == ["mail_enabled"]
    assert (result["summary"]["groups_in_scope"], result["summary"]["memberships"]) == (2, 2)
    snapshot = Snapshot(tmp_path / "snapshot")
    assert snapshot.header.tenant_id == TENANT
    assert not snapshot.header.check_mode
    assert snapshot.ids_in_scope() == {cloud_id(1), cloud_id(3)}
    assert snapshot.members(cloud_id(1)) == CompleteReading((user(10), user(11)))


def test_check_mode_marks_the_snapshot(tenant: Tenant, scope: Scope, tmp_path: Path) -> None:
    scope(check_mode=True)
    assert Snapshot(tmp_path / "snapshot").header.check_mode


def test_what_entered_and_left_since_the_last_capture(tenant: Tenant, scope: Scope) -> None:
    first = scope()
    assert (first["entered"], first["left"]) == ([], [])
    tenant.listed = [cloud_group(1), cloud_group(2)]
    second = scope()
    assert [entry["name"] for entry in second["entered"]] == ["Group 2"]
    assert [entry["id"] for entry in second["left"]] == [cloud_id(3)]


def test_selected_groups(tenant: Tenant, scope: Scope, tmp_path: Path) -> None:
    result = scope(scope_mode="selected", selected_groups=["Group 1"])
    assert result["outcome"] == "ok"
    assert Snapshot(tmp_path / "snapshot").ids_in_scope() == {cloud_id(1)}


def test_authority_is_asked_only_for_groups_it_decides(tenant: Tenant, scope: Scope, tmp_path: Path) -> None:
    tenant.listed = [
        cloud_group(1, onPremisesSecurityIdentifier=sid(2001)),
        cloud_group(2, onPremisesSecurityIdentifier=sid(2002), onPremisesSyncEnabled=True),
        cloud_group(3),
    ]
    tenant.states = {cloud_id(1): True}
    assert scope()["outcome"] == "ok"
    assert tenant.asked == [cloud_id(1)]
    assert Snapshot(tmp_path / "snapshot").ids_in_scope() == {cloud_id(1), cloud_id(3)}


def test_an_authority_that_cannot_be_read_is_incomplete_and_writes_nothing(
    tenant: Tenant, scope: Scope, tmp_path: Path
) -> None:
    tenant.listed = [cloud_group(1, onPremisesSecurityIdentifier=sid(2001))]
    tenant.problem = EntraError("It lacks the permission.", code="permission_missing")
    result = scope()
    assert result["outcome"] == "incomplete"
    assert "authority_unread" in [notice["code"] for notice in result["notices"]]
    assert Snapshot(tmp_path / "snapshot").ids_in_scope() == frozenset()


@pytest.mark.parametrize(
    ("reading", "code"),
    [
        (IncompleteReading((user(10),), "a page was lost"), "members_incomplete"),
        (CompleteReading((user(10, readable=False),)), "members_unreadable"),
    ],
)
def test_members_that_are_not_whole_make_the_outcome_incomplete(
    tenant: Tenant, scope: Scope, tmp_path: Path, reading: Reading[tuple[Principal, ...]], code: str
) -> None:
    tenant.readings = {cloud_id(1): reading}
    result = scope()
    assert (result["outcome"], result["fatal"]) == ("incomplete", False)
    assert code in [notice["code"] for notice in result["notices"]]
    assert Snapshot(tmp_path / "snapshot").members(cloud_id(1)) == reading


def test_a_list_that_breaks_off_leaves_the_old_snapshot(
    tenant: Tenant, scope: Scope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope()
    before = (tmp_path / "snapshot").read_bytes()

    def broken(*_query: object) -> Iterator[CloudGroup]:
        yield cloud_group(1)
        raise EntraError("A page was lost.", code="entra_answer_broken")

    monkeypatch.setattr(capture, "groups", broken)
    result = scope()
    assert (result["outcome"], result["errors"][0]["code"]) == ("fatal", "entra_answer_broken")
    assert (tmp_path / "snapshot").read_bytes() == before


def test_a_snapshot_of_another_tenant_is_not_replaced(tenant: Tenant, scope: Scope, tmp_path: Path) -> None:
    scope()
    before = (tmp_path / "snapshot").read_bytes()
    result = scope(tenant_id=cloud_id(77))
    assert result["errors"][0]["code"] == "other_tenant"
    assert (tmp_path / "snapshot").read_bytes() == before


def test_a_damaged_snapshot_is_made_anew(tenant: Tenant, scope: Scope, tmp_path: Path) -> None:
    (tmp_path / "snapshot").write_bytes(b"x" * 5000)
    assert scope()["outcome"] == "ok"
    assert Snapshot(tmp_path / "snapshot").ids_in_scope()


def test_a_folder_that_is_missing_is_told_before_anything_is_asked(tenant: Tenant, scope: Scope) -> None:
    assert scope(snapshot="/none/such/snapshot")["errors"][0]["code"] == "store_failed"
    assert tenant.asked == []


@pytest.mark.parametrize(
    "options",
    [
        {"scope_mode": "selected"},
        {"client_certificate_path": "/a.pem"},
    ],
)
def test_options_that_do_not_go_together(tenant: Tenant, scope: Scope, options: dict[str, Any]) -> None:
    assert scope(**options)["failed"]


def test_an_entry_that_selects_no_group_or_several_is_told_and_stops_no_other(
    tenant: Tenant, scope: Scope, tmp_path: Path
) -> None:
    tenant.listed = [cloud_group(1), cloud_group(2, displayName="Twin"), cloud_group(3, displayName="Twin")]
    result = scope(scope_mode="selected", selected_groups=["Group 1", "Twin", "Nobody"])
    assert (result["outcome"], result["fatal"]) == ("partial", False)
    assert sorted((entry["name"], entry["code"]) for entry in result["errors"]) == [
        ("Nobody", "selected_group_unknown"),
        ("Twin", "selected_group_not_unique"),
    ]
    assert Snapshot(tmp_path / "snapshot").ids_in_scope() == {cloud_id(1)}


def test_assigned_groups(tenant: Tenant, scope: Scope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []

    def assigned(_client: object, *question: object) -> frozenset[str]:
        asked.append(question)
        return frozenset({cloud_id(1)} if question[0] == "sp1" else {cloud_id(2)})

    monkeypatch.setattr(capture, "assigned_ids", assigned)
    scope(scope_mode="assigned", service_principals=["sp1", "sp2"], app_role_ids=["ROLE"])
    assert asked == [("sp1", frozenset({"role"})), ("sp2", frozenset({"role"}))]
    assert Snapshot(tmp_path / "snapshot").ids_in_scope() == {cloud_id(1)}


def test_filters_and_members_of_another_group(
    tenant: Tenant, scope: Scope, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "member_ids", lambda _client, _parent: frozenset({cloud_id(3)}))
    rules = [
        {"clauses": [{"operator": "IS_MEMBER_OF", "value": cloud_id(50)}]},
        {"name": "idle", "clauses": [{"attribute": "displayName", "operator": "EQUALS", "value": "Nobody"}]},
    ]
    result = scope(filters=rules)
    assert Snapshot(tmp_path / "snapshot").ids_in_scope() == {cloud_id(3)}
    assert [(notice["code"], notice["name"]) for notice in result["notices"]] == [("filter_idle", "idle")]
    assert result["summary"]["groups_filtered_out"] == 1
