# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""gpad_scope reads what changed, and knows the same as one that reads everything."""

from __future__ import annotations

import random
import uuid
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.snapshot import Snapshot
from tests.integration.modules.target import Target
from tests.lab.entra.admin import EntraAdmin

_ROUNDS, _STEPS = 12, 4


def content(path: Path) -> dict[str, Any]:
    """Return what a snapshot says of the groups, in scope with their members."""
    with closing(Snapshot(path)) as snapshot:
        assert not snapshot.header.incomplete
        return {
            item.group.id: (dict(item.group.properties), item.group.is_cloud_managed, item.decision, members)
            for item in snapshot.groups()
            for members in [snapshot.members(item.group.id) if item.decision.in_scope else None]
        }


class Tenant:
    """Does something or other to a tenant, the same for the same seed."""

    def __init__(self, admin: EntraAdmin, seed: int) -> None:
        self._admin, self._random = admin, random.Random(seed)  # noqa: S311 - repeatable on purpose
        mark = uuid.uuid4().hex[:8]
        self._users = [
            admin.create_user(f"Changing {mark} {n}", f"c{mark}{n}@contoso.onmicrosoft.com") for n in range(6)
        ]
        self._gone: list[str] = []
        self._groups = [admin.create_group(f"Changing {mark} {n}", self._users[n : n + 2]) for n in range(5)]
        self._deleted: list[str] = []
        self._mark = mark

    def step(self) -> None:
        """Do one thing."""
        kinds = (self._link, self._unlink, self._rename, self._enable_mail, self._new, self._delete, self._restore)
        self._random.choice((*kinds, self._change_user, self._remove_user, self._nest, self._link))()

    def _group(self) -> str:
        return self._random.choice(self._groups)

    def _link(self) -> None:
        group = self._group()
        new = set(self._users) - set(self._admin.members(group))
        if new:
            self._admin.add_member(group, min(new))

    def _unlink(self) -> None:
        group = self._group()
        if held := self._admin.members(group):
            self._admin.remove_member(group, self._random.choice(held))

    def _nest(self) -> None:
        outer, inner = self._random.sample(self._groups, 2)
        if inner not in self._admin.members(outer):
            self._admin.add_member(outer, inner)

    def _rename(self) -> None:
        self._admin.patch_group(self._group(), displayName=f"Changing {self._mark} {self._random.random()}")

    def _enable_mail(self) -> None:
        group = self._group()
        held = self._admin.get_object(group)
        assert held is not None
        self._admin.patch_group(group, mailEnabled=not held["mailEnabled"])

    def _new(self) -> None:
        name = f"Changing {self._mark} new {self._random.random()}"
        self._groups.append(self._admin.create_group(name, [self._random.choice(self._users)]))

    def _delete(self) -> None:
        if len(self._groups) > 3:
            group = self._group()
            self._groups.remove(group)
            self._deleted.append(group)
            self._admin.delete_group(group)

    def _restore(self) -> None:
        if self._deleted:
            group = self._deleted.pop()
            self._admin.restore_group(group)
            self._groups.append(group)

    def _change_user(self) -> None:
        user, rid = self._random.choice(self._users), self._random.randrange(5000, 9000)
        sid = f"S-1-5-21-1-2-3-{rid}"
        self._admin.patch_user(user, onPremisesSecurityIdentifier=sid, onPremisesSyncEnabled=True)

    def _remove_user(self) -> None:
        if len(self._users) > 3:
            user = self._users.pop()
            self._random.choice((self._admin.delete_user, self._admin.purge))(user)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_changes_and_everything_say_the_same(target: Target, seed: int) -> None:
    tenant = Tenant(target.admin, seed)
    whole = target.state / "whole.sqlite3"
    assert target.scope(scope_mode="all")["reading"]["kind"] == "full"
    for _unused in range(_ROUNDS):
        for _also_unused in range(_STEPS):
            tenant.step()
        changes = target.scope(scope_mode="all")
        everything = target.scope(scope_mode="all", snapshot=str(whole), full_after_hours=0)
        assert (changes["reading"]["kind"], everything["reading"]["kind"]) == ("changes", "full")
        ours, theirs = content(target.snapshot), content(whole)
        assert ours.keys() == theirs.keys()
        assert not [(ours[one], theirs[one]) for one in ours if ours[one] != theirs[one]]
        for name in ("groups_in_scope", "memberships"):
            assert changes["summary"][name] == everything["summary"][name]


def test_requests_depend_on_what_changed(target: Target) -> None:
    """A round without changes costs the same few requests, however many groups there are."""
    target.scope(scope_mode="all")
    target.admin.clear_requests()
    quiet = target.scope(scope_mode="all")
    asked = target.admin.requests()
    assert quiet["reading"]["kind"] == "changes"
    graph = {entry["path"].split("?")[0] for entry in asked if entry["path"].startswith("/v1.0")}
    assert {"/v1.0/groups/delta", "/v1.0/users/delta"} <= graph
    assert "/v1.0/groups" not in graph and "/v1.0/$batch" not in graph
    group = target.admin.create_group(f"One more {uuid.uuid4().hex}")
    target.admin.clear_requests()
    assert target.scope(scope_mode="all")["summary"]["groups_in_scope"] == quiet["summary"]["groups_in_scope"] + 1
    # The group itself, what it is a member of, its members, each in a batch.
    assert len(target.admin.requests()) == len(asked) + 6
    target.admin.purge(group)


@pytest.mark.parametrize("trouble", ["expired", "spoilt"])
def test_links_that_the_service_does_not_take_any_more(target: Target, trouble: str) -> None:
    target.scope(scope_mode="all")
    if trouble == "expired":
        target.admin.expire_delta_tokens()
    else:
        target.admin.fault("status", path=r"/users/delta", status=400, body={"error": {"code": "BadRequest"}})
    result = target.scope(scope_mode="all")
    assert (result["outcome"], result["reading"]["kind"]) == ("ok", "full")
    assert "does not know any more" in result["reading"]["why"]
    assert target.scope(scope_mode="all")["reading"]["kind"] == "changes"


def test_a_round_that_breaks_off_leaves_the_snapshot_before(target: Target) -> None:
    target.scope(scope_mode="all")
    before = target.snapshot.read_bytes()
    target.admin.fault(
        "status", path=r"/groups/delta", status=403, body={"error": {"code": "Authorization_RequestDenied"}}
    )
    result = target.scope(scope_mode="all")
    assert result["failed"] and target.snapshot.read_bytes() == before
    target.admin.clear_faults()
    assert target.scope(scope_mode="all")["reading"]["kind"] == "changes"
