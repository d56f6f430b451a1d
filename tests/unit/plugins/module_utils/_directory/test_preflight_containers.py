# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of a managed container, from a scripted domain."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import preflight_containers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.preflight_containers import (
    read_container,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import OWNER_AND_DACL_CONTROL
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.preflight_containers import (
    ContainerFacts,
)
from tests.unit.plugins.module_utils._directory.scripted import (
    Operation,
    ScriptedConnection,
    connect,
    entry,
    page,
    refused,
)
from tests.unit.plugins.module_utils._provisioning.test_rights import ace, descriptor
from tests.unit.samples import MANAGED, OWN_SID

UNIT = f"OU=Inner,{MANAGED}"
LIST = descriptor(ace(0, 1, OWN_SID))
FIRST, SECOND, THIRD = f"CN=1,{MANAGED}", f"CN=2,{UNIT}", f"CN=3,OU=Hidden,{MANAGED}"


def read(patch: pytest.MonkeyPatch, *, there: bool = True, guarded: tuple[str, ...] = (FIRST,)) -> ContainerFacts:
    def handler(operation: Operation) -> Any:
        base, term, wanted = operation.base, operation.arguments[1], operation.options["attributes"]
        if not there:
            return refused(32)
        if "nTSecurityDescriptor" in wanted:
            assert operation.options["controls"] == [OWNER_AND_DACL_CONTROL]
        if operation.options["search_scope"] == "BASE":
            if base == MANAGED:
                return page([entry(base, allowedChildClassesEffective=["group"], nTSecurityDescriptor=[LIST])])
            return page([entry(base, allowedAttributesEffective=["member", "displayName"])])
        if "adminCount" in term:
            return page([entry(name) for name in guarded])
        if "organizationalUnit" in term:
            return page([entry(UNIT, nTSecurityDescriptor=[LIST])])
        lists: dict[str, dict[str, Any]] = {FIRST: {"nTSecurityDescriptor": [LIST]}, SECOND: {}, THIRD: {}}
        lists[SECOND] = {"nTSecurityDescriptor": [LIST[:-1]]}
        return page([entry(name, **more) for name, more in lists.items()])

    session = connect(patch, ScriptedConnection(handler))
    found = read_container(session, MANAGED)
    assert set(session.operations) <= {"bind", "search"}
    return found


def test_rights_groups_and_their_containers_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = read(monkeypatch)
    assert (facts.there, facts.creatable, facts.count, facts.guarded) == (True, frozenset({"group"}), 3, (FIRST,))
    assert (facts.sample, facts.writable) == (SECOND, frozenset({"member", "displayname"}))
    assert [(one.dn, one.descriptor is not None, one.parent is not None) for one in facts.groups] == [
        (FIRST, True, True),
        # What makes no sense is as hidden as what is not given.
        (SECOND, False, True),
        (THIRD, False, False),
    ]


def test_a_container_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, there=False) == ContainerFacts(MANAGED, there=False)


def test_all_are_counted_and_only_some_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight_containers, "MOST_LOOKED_AT", 2)
    facts = read(monkeypatch, guarded=(FIRST, SECOND))
    assert (facts.count, len(facts.groups), facts.sample, facts.writable) == (3, 2, "", frozenset())
    assert facts.guarded == (FIRST, SECOND)
