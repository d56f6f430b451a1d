# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""gpad_delegate from its options to its result."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import delegating
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.descriptor_writing import entries_of
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import DirectoryError
from tests.unit import powershell
from tests.unit.plugins.module_utils._directory.scripted import Operation, connect
from tests.unit.plugins.module_utils._directory.scripted_lists import DELETED, Domain
from tests.unit.plugins.module_utils._module.running import run
from tests.unit.plugins.module_utils._provisioning.test_rights import ace, descriptor
from tests.unit.samples import BASE, DOMAIN_SID, MANAGED, OWN_SID, STRANGER_SID

Delegate = Callable[..., dict[str, Any]]


@pytest.fixture
def domain(monkeypatch: pytest.MonkeyPatch) -> Domain:
    """A domain whose container of deleted objects may be read."""
    found = Domain(monkeypatch)
    found.lists[DELETED] = descriptor()
    return found


@pytest.fixture
def delegate(domain: Domain, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Delegate:
    """Run the module on the domain."""
    monkeypatch.setattr(delegating, "open_session", lambda _params: connect(monkeypatch, domain.connection))
    directory = {"domain_server": "dc1", "domain_username": "admin", "domain_password": "Pa55w0rd of admin"}

    def running(*, check_mode: bool = False, **more: Any) -> dict[str, Any]:
        options = {**directory, "managed_containers": [MANAGED], "account": "svc", **more}
        return run(monkeypatch, capsys, delegating.run, options, check_mode=check_mode, diff=True)

    return running


def test_without_apply_all_is_shown_and_nothing_written(domain: Domain, delegate: Delegate) -> None:
    result = delegate()
    assert (result["_rc"], result["changed"], result["account_sid"]) == (0, False, OWN_SID)
    assert {one["dn"] for one in result["grants"]} == {MANAGED, BASE, DELETED} == set(result["sddl"])
    assert result["summary"]["grants_missing"] == len(result["grants"])
    assert set(powershell.names(result["powershell"])) >= {"Add-Right", "Get-Acl", "Set-Acl"}
    assert "is lost" in result["ldif"] and result["ldif"].count("true:: MAMCAQQ=") == 3
    assert domain.operations("modify") == []


def test_applied_once_and_never_again(domain: Domain, delegate: Delegate) -> None:
    dry = delegate(apply=True, check_mode=True)
    assert dry["changed"] is True and domain.operations("modify") == []
    done = delegate(apply=True)
    assert (done["changed"], done["grants"], done["diff"]) == (True, dry["grants"], dry["diff"])
    assert [operation.base for operation in domain.operations("modify")] == [MANAGED, BASE, DELETED]
    again = delegate(apply=True)
    assert (again["changed"], again["grants"], again["powershell"], again["ldif"]) == (False, [], "", "")


def test_the_ldif_writes_what_apply_writes(domain: Domain, delegate: Delegate) -> None:
    domain.lists[MANAGED] = descriptor(ace(1, 0x40, STRANGER_SID), ace(0, 0x10, STRANGER_SID, flags=0x12))
    values = [
        line.partition(":: ")[2] for line in delegate(restore=False)["ldif"].splitlines() if "Descriptor::" in line
    ]
    delegate(apply=True, restore=False)
    assert [entries_of(base64.b64decode(value)) for value in values] == [entries_of(domain.lists[MANAGED] or b"")]


def test_one_list_that_is_refused_is_an_error_of_its_own(domain: Domain, delegate: Delegate) -> None:
    domain.refuse_modify = 50
    result = delegate(apply=True, restore=False)
    assert result["changed"] is False and result["outcome"] == "partial"
    assert [(error["name"], error["code"]) for error in result["errors"]] == [(MANAGED, "permission_denied")]


def test_nothing_has_changed_although_the_result_has_no_room_for_all_refusals(
    domain: Domain, delegate: Delegate
) -> None:
    domain.refuse_modify = 50
    result = delegate(apply=True, max_results=1)
    assert (result["changed"], len(result["errors"]), result["summary"]["errors"]) == (False, 1, 3)
    assert "(2 more)" in result["msg"]


def test_what_was_written_before_the_connection_was_lost_is_told(domain: Domain, delegate: Delegate) -> None:
    writes: list[str] = []

    def lose(operation: Operation) -> None:
        if operation.kind == "modify":
            writes.append(operation.base)
            if len(writes) == 2:
                raise DirectoryError("The connection is lost.", "Run again.")

    domain.before = lose
    result = delegate(apply=True)
    assert (result["outcome"], result["changed"], len(writes)) == ("fatal", True, 2)
    assert "The connection is lost." in result["msg"]


def test_deleted_objects_whose_list_is_hidden_are_told(domain: Domain, delegate: Delegate) -> None:
    domain.lists[DELETED] = None
    result = delegate()
    assert [notice["code"] for notice in result["notices"]] == ["deleted_objects_by_hand"]
    assert DELETED not in result["sddl"]


def test_further_attributes_and_units(delegate: Delegate) -> None:
    plain, more = delegate(), delegate(attributes=["info"], create_containers=True)
    added = [one["purpose"] for one in more["grants"] if one not in plain["grants"]]
    assert added == ["read and write info of groups", "create organizational units"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"account": "S-1-1-0"}, "configuration_invalid"),
        ({"account": "users"}, "configuration_invalid"),
        ({"account": "nobody"}, "account_not_found"),
        ({"managed_containers": [BASE]}, "configuration_invalid"),
        ({"managed_containers": [f"OU=No,{BASE}"]}, "managed_container_missing"),
        ({"attributes": ["noSuchThing"]}, "attribute_unknown"),
    ],
)
def test_what_cannot_be_given_writes_nothing(
    domain: Domain, delegate: Delegate, options: dict[str, Any], code: str
) -> None:
    domain.accounts["users"] = [f"{DOMAIN_SID}-513"]
    result = delegate(apply=True, **options)
    assert result["_rc"] == 1 and [error["code"] for error in result["errors"]] == [code]
    assert domain.operations("modify") == []


def test_a_container_of_the_system_is_refused_before_anything(domain: Domain, delegate: Delegate) -> None:
    domain.system_groups = [f"CN=Domain Admins,{MANAGED}"]
    result = delegate(apply=True)
    assert [error["code"] for error in result["errors"]] == ["system_groups_in_container"]
    assert domain.operations("modify") == [] and "powershell" not in result
