# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options to settings, opening, and the words of a limit."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import directory_side
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    BlockedError,
    ConfigurationError,
    StoreError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.focus import Focus, Watermark
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import (
    DEFAULT_LIMITS,
    Breach,
    Kind,
    Limit,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import (
    moment_text,
    second_text,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.naming import NameCollision
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import KnownGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.removal import ForeignMembers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.replication import Database
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retire import (
    DEFAULT_RETIRE,
    Departure,
    Retire,
    RetireRules,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Moves
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store import planfile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.planfile import PlanFile
from tests.unit import samples
from tests.unit.fakes import FakeCloud, FakeDirectory
from tests.unit.samples import BASE, DOMAIN, MANAGED, SUB, TENANT, anchored_group, cloud_id, guid

HOURS, MINUTE = timedelta(hours=2), timedelta(minutes=1)

PARAMS: dict[str, Any] = {
    "domain_server": "dc1",
    "domain_username": "svc",
    "domain_password": "x",
    "domain_port": None,
    "domain_tls_mode": "start_tls",
    "domain_ca_cert": "/ca.pem",
    "managed_containers": [MANAGED],
    "target_container": MANAGED,
    "container_default": None,
    "attribute_mappings": [],
    "mark_authority": False,
    "moves": "follow",
    "create_containers": True,
    "name_collision": "suffix",
    "foreign_members": "keep",
    "protected_groups": ["Sales"],
    "protected_members": ["S-1-5-21-1-2-3-4"],
    "max_members": 10,
    "limits": {"creations": {"count": 1, "percent": None, "floor": 0}, "moves": None},
    "global_catalog_server": None,
    "global_catalog_port": None,
    "convert_scope": True,
    "trusted_writers": ["S-1-5-21-1-2-3-5"],
    "adopt_objects": [guid(1)],
    "ignore_objects": [guid(2)],
    "retire": {"deleted": "empty", "out_of_scope": None, "grace_days": 7, "container": SUB},
}


def test_settings_of_options() -> None:
    settings = directory_side.settings_of(PARAMS)
    assert settings.foreign_members is ForeignMembers.KEEP
    assert settings.max_members == 10
    assert (settings.moves, settings.create_containers) == (Moves.FOLLOW, True)
    assert settings.name_collision is NameCollision.SUFFIX
    assert settings.protected_groups == {"sales"}
    assert settings.protected_members == {"s-1-5-21-1-2-3-4"}
    assert settings.limits.by_kind == {**DEFAULT_LIMITS, Kind.CREATIONS: Limit(1)}
    assert settings.convert_scope
    assert settings.trusted_writers == {"S-1-5-21-1-2-3-5"}
    assert settings.adopt_objects == {guid(1)}
    assert settings.ignore_objects == {guid(2)}
    assert settings.retire == RetireRules({**DEFAULT_RETIRE, Departure.DELETED: Retire.EMPTY}, 7, SUB)


@pytest.mark.parametrize("retire", [None, {}, dict.fromkeys([*map(str, Departure), "grace_days", "container"])])
def test_without_retire_rules_the_defaults_hold(retire: dict[str, Any] | None) -> None:
    assert directory_side.settings_of({**PARAMS, "retire": retire}).retire == RetireRules()


def test_no_grace_is_no_grace() -> None:
    assert directory_side.settings_of({**PARAMS, "retire": {"grace_days": 0}}).retire.grace_days == 0


def test_a_limit_that_is_given_replaces_its_default() -> None:
    limits = {"moves": {"count": None, "percent": None, "floor": 0}}
    assert directory_side.settings_of({**PARAMS, "limits": limits}).limits.by_kind[Kind.MOVES] == Limit()


@pytest.mark.parametrize("limits", [None, {}])
def test_without_limits_the_defaults_hold(limits: dict[str, Any] | None) -> None:
    assert directory_side.settings_of({**PARAMS, "limits": limits}).limits.by_kind == DEFAULT_LIMITS


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"max_members": 0}, "max_members: 0"),
        ({"limits": {"moves": {"count": 1, "percent": -1, "floor": 0}}}, "moves.percent is -1"),
        ({"managed_containers": []}, "managed_containers"),
        ({"retire": {"soft_deleted": "move"}}, "retire: container"),
        ({"trusted_writers": ["Help Desk"]}, "trusted_writers"),
        ({"target_container": None}, "target_container"),
    ],
)
def test_options_that_cannot_be_used(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        directory_side.settings_of({**PARAMS, **wrong})


def test_a_breach_reads_as_numbers_and_rule() -> None:
    assert directory_side.breach_text(Breach(Kind.MOVES, 5, 3, "count 3")) == "moves: 5 planned, 3 allowed (count 3)"


@pytest.mark.parametrize(("age", "refused"), [(-4 * MINUTE, False), (HOURS - MINUTE, False), (HOURS + MINUTE, True)])
@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ"])
def test_a_snapshot_is_too_old_after_so_many_hours(age: timedelta, refused: bool, form: str) -> None:
    captured_at = (datetime.now(timezone.utc) - age).strftime(form)
    if not refused:
        directory_side.refuse_old(captured_at, 2)
        return
    with pytest.raises(StoreError, match="2 hours old; max_snapshot_age is 2") as caught:
        directory_side.refuse_old(captured_at, 2)
    assert caught.value.code == "snapshot_outdated"


def plan_file(path: Path, breaches: tuple[str, ...]) -> PlanFile:
    header = planfile.PlanHeader("p", moment_text(utc_now()), TENANT, moment_text(utc_now()), BASE, "dc1", False)
    with planfile.writing(path, header) as writer:
        writer.finish({}, breaches)
    return PlanFile(path)


@pytest.mark.parametrize("breaches", [(), ("creations: 2 planned, 1 allowed (count 1)",)])
@pytest.mark.parametrize("approve", ["{0}", " {0}\n", "upper"])
def test_the_checksum_of_a_plan_approves_it(tmp_path: Path, breaches: tuple[str, ...], approve: str) -> None:
    plan = plan_file(tmp_path / "plan", breaches)
    checksum = plan.footer.checksum
    directory_side.refuse_breaches(plan, checksum.upper() if approve == "upper" else approve.format(checksum))


@pytest.mark.parametrize("breaches", [(), ("creations: 2 planned, 1 allowed (count 1)",)])
@pytest.mark.parametrize("approve", ["", "0" * 64, "yes"])
def test_another_checksum_approves_nothing(tmp_path: Path, breaches: tuple[str, ...], approve: str) -> None:
    plan = plan_file(tmp_path / "plan", breaches)
    with pytest.raises(BlockedError, match=plan.footer.checksum) as caught:
        directory_side.refuse_breaches(plan, approve)
    assert caught.value.code == "plan_not_approved"


def test_without_approval_a_limit_stops_a_plan(tmp_path: Path) -> None:
    directory_side.refuse_breaches(plan_file(tmp_path / "good", ()), None)
    plan = plan_file(tmp_path / "plan", ("moves: 5 planned", "creations: 2 planned"))
    with pytest.raises(BlockedError, match="moves: 5 planned; creations: 2 planned") as caught:
        directory_side.refuse_breaches(plan, None)
    assert (caught.value.code, plan.footer.checksum in caught.value.remedy) == ("limit_exceeded", True)


@pytest.mark.parametrize("ahead", [6 * MINUTE, timedelta(days=365)])
def test_a_snapshot_of_the_future_is_not_fresh(ahead: timedelta) -> None:
    """It would be so for a year, and every right one would be older."""
    captured_at = (datetime.now(timezone.utc) + ahead).strftime("%Y-%m-%dT%H:%M:%SZ")
    with pytest.raises(StoreError, match=captured_at) as caught:
        directory_side.refuse_old(captured_at, 24)
    assert caught.value.code == "snapshot_from_future"
    assert "watermarks" in caught.value.remedy


def test_the_mark_is_a_mapping_that_nobody_else_may_have() -> None:
    assert "msDS-ObjectSoa" not in directory_side.settings_of(PARAMS).mapper.targets
    marking = {**PARAMS, "mark_authority": True}
    assert "msDS-ObjectSoa" in directory_side.settings_of(marking).mapper.targets
    own = {
        **dict.fromkeys(("source", "expression", "none", "default")),
        "target": "MSDS-objectsoa",
        "constant": "x",
        "apply": "always",
        "clear_when_null": False,
    }
    with pytest.raises(ConfigurationError, match="mark_authority"):
        directory_side.settings_of({**marking, "attribute_mappings": [own]})


class Settled:
    """A journal below whose watermark all groups are as they should be."""

    fresh = doubted = False

    def __init__(self, usn: int) -> None:
        database = Database(DOMAIN.server, DOMAIN.invocation_id)
        mark = Watermark("word", "f", 0, database, usn, second_text(utc_now()))
        self.watermarks = SimpleNamespace(last=lambda: mark, unsettled=frozenset)

    def known(self) -> dict[str, KnownGroup]:
        """Know two groups."""
        return {cloud_id(number): KnownGroup(guid(number), True) for number in (1, 2)}


def _focus(directory: FakeDirectory, usn: int) -> Focus:
    cloud: Any = FakeCloud(readings={0: "f"})
    reader: Any = directory
    journal: Any = Settled(usn)
    return directory_side._focus(samples.settings(), cloud, reader, journal, "word", 24)


def test_a_group_that_was_put_into_one_that_guards_the_domain_is_looked_at() -> None:
    """Its own sequence number does not move."""
    directory = FakeDirectory()
    for number in (1, 2):
        directory.add_group(anchored_group(number))
    guard = directory.add_group(anchored_group(50))
    directory.guarding = {guard.guid}
    usn = directory.mark()
    assert _focus(directory, usn).ids == frozenset()
    guard.members.add(guid(2))
    assert cloud_id(2) in (_focus(directory, usn).ids or ())
    assert cloud_id(1) not in (_focus(directory, usn).ids or ())


def test_where_more_may_have_changed_than_is_told_all_groups_are_looked_at() -> None:
    directory = FakeDirectory()
    usn = directory.mark()
    directory.deleted_hidden = True
    assert (_focus(directory, usn).ids, _focus(directory, usn).why) == (None, "hidden")
