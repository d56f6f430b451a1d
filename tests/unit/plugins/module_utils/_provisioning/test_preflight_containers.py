# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preflight says of a managed container."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import rights
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.access import GROUP_CLASS
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.preflight import Row
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.preflight_containers import (
    ContainerFacts,
    HeldGroup,
    Rights,
    container_rows,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.rights import Ace, SecurityDescriptor
from tests.unit.samples import MANAGED, OWN_SID

NAMES = ("member", "cn", "name", "isDeleted", "distinguishedName", "adminDescription")
GUIDS = {name.lower(): frozenset({f"00000000-0000-4000-8000-00000000000{n}"}) for n, name in enumerate(NAMES)}
HELD = Rights(frozenset({OWN_SID}), ("member", "cn"), GUIDS)
WRITES = tuple(
    Ace(True, rights.WRITE_PROPERTY, OWN_SID, next(iter(guids)), True, GROUP_CLASS, True) for guids in GUIDS.values()
)
CHILDREN = Ace(True, rights.CREATE_CHILD | rights.DELETE_CHILD, OWN_SID, GROUP_CLASS, False, None, True)
DELETES = Ace(True, rights.DELETE, OWN_SID, None, True, GROUP_CLASS, True)
FULL = SecurityDescriptor(None, (CHILDREN, DELETES, *WRITES))
EMPTY = ContainerFacts(MANAGED, True, frozenset({"group"}), FULL)
ON_GROUP = SecurityDescriptor(None, tuple(replace(ace, inherit_only=False) for ace in (DELETES, *WRITES)))
GROUP = HeldGroup(f"CN=a,{MANAGED}", ON_GROUP, FULL)
HOLDING = replace(EMPTY, sample=GROUP.dn, writable=frozenset({"member", "cn"}), groups=(GROUP,), count=1)
BARE = SecurityDescriptor(None, ())


def table(facts: ContainerFacts) -> dict[str, Row]:
    return {row.check.replace(MANAGED, "X"): row for row in container_rows(facts, HELD)}


@pytest.mark.parametrize("facts", [EMPTY, HOLDING])
def test_all_is_as_needed(facts: ContainerFacts) -> None:
    rows = table(facts)
    assert len(rows) == 8 and {row.status.value for row in rows.values()} == {"ok"}, rows


def test_of_a_container_that_is_not_there_nothing_else_is_said() -> None:
    rows = table(ContainerFacts(MANAGED, False))
    assert [(row.check, row.status.value) for row in rows.values()] == [(f"container {MANAGED}", "failed")]


WRITING, LEAVING, RESTORING = "write groups in X", "delete and move groups in X", "restore groups to X"


@pytest.mark.parametrize(
    ("facts", "check", "status", "found"),
    [
        (replace(EMPTY, creatable=frozenset({"user"})), "create groups in X", "failed", "not allowed"),
        (
            replace(EMPTY, descriptor=BARE),
            WRITING,
            "failed",
            "not allowed on new groups, by what they inherit: cn, member",
        ),
        (replace(HOLDING, writable=frozenset({"cn"})), WRITING, "failed", f"not allowed on {GROUP.dn}: member"),
        (replace(EMPTY, descriptor=None), WRITING, "unknown", "hidden"),
        (replace(EMPTY, descriptor=BARE), LEAVING, "warning", "not allowed for new groups"),
        (replace(EMPTY, descriptor=None), LEAVING, "unknown", "no DACL"),
        (replace(EMPTY, descriptor=SecurityDescriptor(None, WRITES)), LEAVING, "warning", "not allowed"),
        (
            replace(HOLDING, groups=(GROUP, replace(GROUP, dn="CN=b", descriptor=BARE)), count=2),
            LEAVING,
            "warning",
            "1 of 2 groups looked at: CN=b",
        ),
        (replace(HOLDING, groups=(replace(GROUP, parent=BARE),)), LEAVING, "ok", "1 groups looked at"),
        (replace(EMPTY, descriptor=SecurityDescriptor(None, WRITES)), RESTORING, "warning", "creating groups"),
        (replace(EMPTY, descriptor=SecurityDescriptor(None, (CHILDREN,))), RESTORING, "warning", "isDeleted"),
        (replace(EMPTY, descriptor=None), RESTORING, "unknown", "hidden"),
        (
            replace(HOLDING, guarded=(GROUP.dn,)),
            "groups under AdminSDHolder in X",
            "warning",
            GROUP.dn,
        ),
        (
            replace(
                HOLDING,
                groups=(
                    replace(GROUP, descriptor=SecurityDescriptor(None, (Ace(False, 0x10040, "S-1-1-0", None, False),))),
                ),
            ),
            "protected from deletion in X",
            "warning",
            "1: CN=a",
        ),
        (replace(EMPTY, count=20_001), "size of X", "warning", "20001 groups"),
    ],
)
def test_what_is_lacking_is_told_with_its_remedy(facts: ContainerFacts, check: str, status: str, found: str) -> None:
    row = table(facts)[check]
    assert row.status.value == status and found in row.found
    assert bool(row.remedy) is (status in ("failed", "warning"))


HIDDEN = replace(GROUP, descriptor=None)
PROTECTED, GUARDED = "protected from deletion in X", "groups under AdminSDHolder in X"


@pytest.mark.parametrize(
    ("facts", "check", "found"),
    [
        (replace(HOLDING, groups=(HIDDEN,)), LEAVING, "hidden"),
        (replace(HOLDING, groups=(GROUP, HIDDEN), count=2), LEAVING, "hidden"),
        (replace(HOLDING, groups=(GROUP, HIDDEN), count=2), PROTECTED, "hidden"),
        (replace(HOLDING, count=2), LEAVING, "1 of 2"),
        (replace(HOLDING, count=2), PROTECTED, "1 of 2"),
    ],
)
def test_what_was_not_looked_at_is_unknown(facts: ContainerFacts, check: str, found: str) -> None:
    row = table(facts)[check]
    assert row.status.value == "unknown" and found in row.found, row


@pytest.mark.parametrize(
    "held", [replace(HELD, token=frozenset()), replace(HELD, guids={}), replace(HELD, written=("member", "newOne"))]
)
def test_without_token_or_schema_the_rights_are_unknown(held: Rights) -> None:
    rows = {row.check.replace(MANAGED, "X"): row for row in container_rows(EMPTY, held)}
    assert rows[WRITING].status.value == "unknown", rows[WRITING]
    if "newOne" not in held.written:
        assert rows[LEAVING].status.value == rows[RESTORING].status.value == "unknown"


def test_guarded_groups_are_told_wherever_they_are() -> None:
    row = table(replace(HOLDING, guarded=("CN=far",), count=5000))[GUARDED]
    assert row.status.value == "warning" and "CN=far" in row.found
    assert table(replace(HOLDING, count=5000))[GUARDED].status.value == "ok"


UNITS = "create organizational units in X"


@pytest.mark.parametrize(
    ("creatable", "status"), [(frozenset({"group"}), "failed"), (frozenset({"organizationalUnit"}), "ok")]
)
def test_units_are_judged_where_they_are_to_be_created(creatable: frozenset[str], status: str) -> None:
    facts = replace(EMPTY, creatable=creatable)
    assert UNITS not in table(facts)
    rows = {row.check.replace(MANAGED, "X"): row for row in container_rows(facts, replace(HELD, units=True))}
    assert rows[UNITS].status.value == status and ("gpad_delegate" in rows[UNITS].remedy) is (status == "failed")
