# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a domain: the groups, and what else a plan asks."""

from __future__ import annotations

import re

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reader import Reader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from tests.unit.plugins.module_utils._directory.scripted import (
    connect,
    entry,
)
from tests.unit.plugins.module_utils._directory.scripted_domain import (
    ROOT,
    domain,
    forest_wide,
    group_entry,
    reader,
)
from tests.unit.samples import BASE, MANAGED, OUTSIDE, SUB, cloud_id, guid, sid


def test_each_managed_container_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    containers = [f"OU=Unit {number},{BASE}" for number in range(20)]
    connection = domain(lambda operation: [entry(operation.base)] if operation.base in containers else None)
    Reader(connect(monkeypatch, connection), containers, [])
    assert len([operation for operation in connection.asked if operation.base in containers]) == len(containers)


def test_anchored_groups_are_told_from_anchors_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    user = ["top", "person", "organizationalPerson", "user"]
    answer = [
        group_entry(2, SUB),
        group_entry(1, displayName=["Sales"], description=["a", "b"]),
        group_entry(3, OUTSIDE),
        group_entry(4, objectClass=user),
    ]
    under_test, connection = reader(monkeypatch, lambda op: answer if "Group_*" in op.arguments[1] else None)
    found = under_test.anchored()
    assert [group.guid for group in found.groups] == [guid(1), guid(2)]
    assert found.groups[0].attributes["description"] == ("a", "b")
    assert found.groups[0].cloud_id == cloud_id(1)
    assert found.groups[1].attributes["displayName"] == ()
    assert found.elsewhere == (
        (f"CN=Group 3,{OUTSIDE}", f"Group_{cloud_id(3)}"),
        (f"CN=Group 4,{MANAGED}", f"Group_{cloud_id(4)}"),
    )
    assert connection.asked[0].base == BASE


def test_guids_and_sids_are_searched_as_escaped_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = reader(
        monkeypatch, lambda op: [group_entry(1)] if "objectGUID=" in op.arguments[1] else None
    )
    assert [group.guid for group in under_test.groups({guid(1)}, {sid(2001)})] == [guid(1)]
    (operation,) = connection.asked
    escaped_guid = "".join(f"\\{byte:02x}" for byte in identity.guid_to_bytes(guid(1)))
    escaped_sid = "".join(f"\\{byte:02x}" for byte in identity.sid_to_bytes(sid(2001)))
    wanted = f"(&(objectClass=group)(|(objectGUID={escaped_guid})(objectSid={escaped_sid})))"
    assert operation.arguments[1] == wanted


def test_groups_outside_the_managed_containers_are_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, _unused = reader(
        monkeypatch, lambda op: [group_entry(1, OUTSIDE)] if "objectGUID=" in op.arguments[1] else None
    )
    assert under_test.groups({guid(1)}, ()) == ()


def test_many_terms_are_asked_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = reader(monkeypatch, lambda op: [] if "objectGUID=" in op.arguments[1] else None)
    under_test.groups([guid(number) for number in range(450)], ())
    assert [len(re.findall("objectGUID=", operation.arguments[1])) for operation in connection.asked] == [200, 200, 50]


def test_nothing_to_look_for_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = reader(monkeypatch)
    assert under_test.groups((), ()) == ()
    assert under_test.resolve(()) == {}
    assert list(under_test.links(())) == []
    assert connection.asked == []


def test_which_containers_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    assert reader(monkeypatch)[0].containers([MANAGED, SUB, f"OU=None,{BASE}"]) == {MANAGED, SUB}


def test_groups_are_found_by_their_anchor(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = reader(monkeypatch, lambda op: [group_entry(1)] if "=Group_" in op.arguments[1] else None)
    assert [group.guid for group in under_test.groups((), (), {f"Group_{cloud_id(1)}"})] == [guid(1)]
    assert connection.asked[0].arguments[1] == f"(&(objectClass=group)(|({ANCHOR}=Group_{cloud_id(1)})))"


def test_a_group_that_two_parts_of_a_question_find_is_given_once(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, _connection = reader(
        monkeypatch, lambda op: [group_entry(1)] if "objectGUID=" in op.arguments[1] else None
    )
    assert len(under_test.groups([guid(number) for number in range(250)], ())) == 1


def test_the_schema_is_asked_where_the_server_says_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    attribute = entry("CN=Info", lDAPDisplayName=["info"], attributeSyntax=["2.5.5.12"], isSingleValued=["TRUE"])
    under_test, connection = reader(
        monkeypatch, lambda op: [attribute] if "lDAPDisplayName=info" in op.arguments[1] else None
    )
    assert under_test.schema(["info"])["info"].name == "info"
    assert {operation.base for operation in connection.asked} == set(ROOT["schemaNamingContext"])


def test_values_that_are_taken_are_given_as_they_are_spelled(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = [entry(f"CN=1,{OUTSIDE}", info=["SALES", "more"])]
    under_test, connection = reader(monkeypatch, lambda op: answer if "info=" in op.arguments[1] else None)
    assert under_test.taken("info", {"Sales", "a*"}) == {"SALES", "more"}
    (operation,) = connection.asked
    assert (operation.base, operation.arguments[1]) == (BASE, r"(|(info=Sales)(info=a\2a))")


def test_names_that_are_occupied(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = [
        entry(f"CN=Sales,{SUB}", objectGUID=[identity.guid_to_bytes(guid(1))], sAMAccountName=["SALES"]),
        entry(f"OU=Sales,{BASE}", objectGUID=[identity.guid_to_bytes(guid(2))]),
    ]
    under_test, connection = reader(monkeypatch, lambda op: answer if "(name=" in op.arguments[1] else None)
    found = under_test.occupied({"Sales"}, {"sales("})
    assert found.dns == {dn.key(f"CN=sales,{SUB}"): guid(1), dn.key(f"OU=Sales,{BASE}"): guid(2)}
    assert found.sams == {"sales": guid(1)}
    (operation,) = connection.asked
    assert (operation.base, operation.arguments[1]) == (BASE, r"(|(name=Sales)(sAMAccountName=sales\28))")


def test_no_names_ask_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = reader(monkeypatch)
    assert under_test.occupied((), ()).dns == {}
    assert under_test.taken("info", ()) == frozenset()
    assert connection.asked == []


def test_a_group_carries_when_it_last_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = [group_entry(1, uSNChanged=["4711"])]
    under_test, _connection = reader(monkeypatch, lambda op: answer if "objectGUID=" in op.arguments[1] else None)
    assert under_test.groups([guid(1)], ())[0].first("uSNChanged") == "4711"


def test_closing_the_reader_ends_the_catalog_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = forest_wide(lambda _operation: [])
    under_test, connection = reader(monkeypatch, catalog=catalog)
    under_test.facts([guid(1)])
    under_test.close()
    assert (connection.opened[-1], catalog.opened[-1]) == ("bind", "unbind")
    reader(monkeypatch)[0].close()
