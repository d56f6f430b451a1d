# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture of a few named groups, over a Graph in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import capture
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import GroupQuery
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.questions import AskedGroups, Deleted
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import few_groups
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import CloudGroup, Fate, FateKind
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store import snapshot as snapshots
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.snapshot import Snapshot
from tests.unit.plugins.module_utils._module.test_capturing import Scope, Tenant, scope, tenant
from tests.unit.samples import cloud_group, cloud_id

__all__ = ["scope", "tenant"]


@pytest.fixture
def filters(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the filters that groups were listed with; what is listed is what the tenant has with these names."""
    asked: list[str] = []

    def listing(_client: object, query: GroupQuery) -> Iterator[CloudGroup]:
        asked.append(query.service_filter)
        named = (group for group in tenant.listed if f"'{group.display_name}'" in query.service_filter)
        return iter(list(named))

    monkeypatch.setattr(capture, "groups", listing)
    return asked


def test_only_the_named_groups_are_asked_for(tenant: Tenant, scope: Scope, filters: list[str], tmp_path: Path) -> None:
    tenant.answers = AskedGroups((cloud_group(3),))
    tenant.listed = [cloud_group(1, displayName="O'Brien")]
    result = scope(groups=[cloud_id(3).upper(), "O'Brien"])
    assert result["outcome"] == "partial" and filters == ["displayName eq 'O''Brien'"]
    tenant.listed = [cloud_group(1)]
    result = scope(groups=[cloud_id(3).upper(), "Group 1"], properties=["mail"])
    assert result["outcome"] == "ok" and tenant.questions[-1] == {cloud_id(3)}
    snapshot = Snapshot(tmp_path / "snapshot")
    assert snapshot.header.narrowed and snapshot.ids_in_scope() == {cloud_id(1), cloud_id(3)}
    assert [notice["code"] for notice in result["notices"]] == ["narrowed"]
    assert (result["entered"], result["left"]) == ([], [])


def test_groups_that_are_selected_but_not_named_are_no_error(
    tenant: Tenant, scope: Scope, filters: list[str], tmp_path: Path
) -> None:
    tenant.answers = AskedGroups((cloud_group(3),))
    result = scope(scope_mode="selected", selected_groups=["Elsewhere", cloud_id(3)], groups=[cloud_id(3)])
    assert result["outcome"] == "ok" and filters == []
    assert Snapshot(tmp_path / "snapshot").ids_in_scope() == {cloud_id(3)}


def test_a_name_that_is_selected_must_be_its_own_alone(
    tenant: Tenant, scope: Scope, filters: list[str], tmp_path: Path
) -> None:
    """The other group of that name is not named, yet it is why an ordinary run takes neither."""
    tenant.listed = [cloud_group(3), cloud_group(4, displayName="Group 3")]
    tenant.answers = AskedGroups((cloud_group(3),))
    result = scope(scope_mode="selected", selected_groups=["Group 3"], groups=[cloud_id(3)])
    assert [error["code"] for error in result["errors"]] == ["selected_group_not_unique"]
    assert filters == ["displayName eq 'Group 3'"]
    snapshot = Snapshot(tmp_path / "snapshot")
    assert [item.group.id for item in snapshot.groups()] == [cloud_id(3)] and not snapshot.ids_in_scope()


def test_deleted_unknown_and_ambiguous_groups_are_told(tenant: Tenant, scope: Scope, filters: list[str]) -> None:
    tenant.listed = [cloud_group(1, displayName="Twin"), cloud_group(2, displayName="Twin")]
    tenant.answers = AskedGroups(deleted={cloud_id(9): Deleted("Once", "2026-02-27T01:02:03Z")})
    result = scope(groups=[cloud_id(9), "Twin", "Nobody"])
    assert sorted((error["name"], error["code"]) for error in result["errors"]) == [
        ("Nobody", "selected_group_unknown"),
        ("Twin", "selected_group_not_unique"),
    ]
    assert [notice["code"] for notice in result["notices"]] == ["selected_group_deleted", "narrowed"]


def test_what_an_earlier_snapshot_knew_is_not_asked_again(
    tenant: Tenant, scope: Scope, filters: list[str], tmp_path: Path
) -> None:
    scope(groups=["Group 1"])
    with snapshots.writing(tmp_path / "snapshot") as writer:
        writer.add_fate(Fate(cloud_id(50), FateKind.ABSENT, "Gone", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"))
        writer.finish(Snapshot(tmp_path / "snapshot").header)
    tenant.questions.clear()
    scope(groups=["Group 3"])
    assert not any(tenant.questions) and "Group 1" not in filters[-1]


@pytest.mark.parametrize("entries", [[], [" "], [f"Group {number}" for number in range(16)]])
def test_none_and_too_many_are_refused(entries: list[str]) -> None:
    with pytest.raises(ConfigurationError, match="groups are named"):
        few_groups.entries({"groups": entries})
    assert few_groups.entries({"groups": None}) is None
    assert few_groups.entries({"groups": [" Sales", "Sales"]}) == ("Sales",)
