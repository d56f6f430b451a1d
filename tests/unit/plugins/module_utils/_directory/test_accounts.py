# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Accounts, in the domain and beyond, and what tells whose a linked object is."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.connection import ConnectionSettings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.filters import guid_term, sid_term
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reader import Reader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import ANCHOR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import Account, Link, LinkFacts
from tests.unit.plugins.module_utils._directory.scripted import Operation, connect, entry
from tests.unit.plugins.module_utils._directory.scripted_domain import domain, forest_wide, reader
from tests.unit.samples import BASE, FOREIGN_SID, MANAGED, OUTSIDE, SISTER_SID, cloud_id, guid, sid

SISTER = f"CN=Users,DC=emea,{BASE}"
CONSISTENCY = "mS-DS-ConsistencyGuid"


def account(number: int, container: str = OUTSIDE, issuer: str | None = None, **more: Any) -> dict[str, Any]:
    """Return an account as a search shows it."""
    own = sid(5000 + number, issuer) if issuer else sid(5000 + number)
    usual = {
        "objectGUID": [identity.guid_to_bytes(guid(number))],
        "objectSid": [identity.sid_to_bytes(own)],
        "sAMAccountName": [f"user{number}"],
        "primaryGroupID": ["513"],
    }
    return entry(f"CN=User {number},{container}", **{**usual, **more})


def test_accounts_are_found_by_their_sid(monkeypatch: pytest.MonkeyPatch) -> None:
    half = entry("CN=half", objectGUID=[identity.guid_to_bytes(guid(2))])
    under_test, connection = reader(
        monkeypatch, lambda op: [account(1), half] if "objectSid=" in op.arguments[1] else None
    )
    link = Link(guid(1), sid(5001), f"CN=User 1,{OUTSIDE}")
    assert under_test.resolve({sid(5001), sid(5002)}) == {sid(5001): Account(link, "user1", "contoso.com", 513)}
    assert connection.asked[0].arguments[1].startswith("(&(objectClass=user)(|")


def test_each_domain_is_asked_for_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    own, sister, foreign = sid(5001), sid(5002, SISTER_SID), sid(5003, FOREIGN_SID)
    catalog = forest_wide(lambda op: [account(2, SISTER, SISTER_SID)] if sid_term(sister) in op.arguments[1] else None)
    under_test, connection = reader(
        monkeypatch, lambda op: [account(1)] if sid_term(own) in op.arguments[1] else None, catalog
    )
    found = under_test.resolve({own, sister, foreign})
    assert set(found) == {own, sister}
    assert found[sister] == Account(Link(guid(2), sister, f"CN=User 2,{SISTER}"), "user2", "emea.contoso.com", None)
    assert [operation.arguments[1].count("objectSid=") for operation in (*connection.asked, *catalog.asked)] == [1, 1]
    assert catalog.asked[0].base == ""


def test_without_a_catalog_other_domains_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    under_test, connection = reader(monkeypatch)
    assert under_test.resolve({sid(5002, SISTER_SID)}) == {}
    assert connection.asked == []


def test_the_consistency_guid_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guid 1 is the objectGUID of one account and the consistency GUID of another: the latter is meant."""

    def here(operation: Operation) -> list[dict[str, Any]] | None:
        asked = operation.arguments[1]
        if guid_term(guid(1), CONSISTENCY) in asked:
            return [account(7, mS__DS__ConsistencyGuid=[identity.guid_to_bytes(guid(1))]), entry("CN=half")]
        if "(objectGUID=" in asked:
            return [account(number) for number in (1, 2) if guid_term(guid(number)) in asked]
        return None

    under_test, connection = reader(monkeypatch, here)
    found = under_test.anchored_accounts([guid(1), guid(2).upper(), guid(3)])
    assert {key: [held.link.guid for held in value] for key, value in found.items()} == {
        guid(1): [guid(7)],
        guid(2): [guid(2)],
    }
    assert [operation.arguments[1].count("Guid=") for operation in connection.asked] == [3, 0]
    assert connection.asked[1].arguments[1].count("GUID=") == 2


def test_a_copy_in_another_domain_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    same: dict[str, Any] = {"mS__DS__ConsistencyGuid": [identity.guid_to_bytes(guid(1))]}
    catalog = forest_wide(lambda op: [account(8, SISTER, SISTER_SID, **same), account(7, **same)])
    under_test, _unused = reader(
        monkeypatch, lambda op: [account(7, **same)] if CONSISTENCY in op.arguments[1] else None, catalog
    )
    (found,) = under_test.anchored_accounts([guid(1)]).values()
    assert [(held.link.guid, held.primary_group) for held in found] == [(guid(7), 513), (guid(8), None)]


def test_what_tells_whose_a_linked_object_is(monkeypatch: pytest.MonkeyPatch) -> None:
    device = {"objectClass": ["top", "msDS-Device"]}
    answer = [
        entry(
            "CN=1",
            objectGUID=[identity.guid_to_bytes(guid(1))],
            objectClass=["top", "person", "user"],
            sIDHistory=[identity.sid_to_bytes(sid(9)), identity.sid_to_bytes(sid(8))],
            msDS__ExternalDirectoryObjectId=[f"User_{cloud_id(1)}"],
            objectSid=[identity.sid_to_bytes(sid(1))],
            cn=[guid(1)],
        ),
        entry("CN=2", objectGUID=[identity.guid_to_bytes(guid(2))], objectClass=["top", "contact"]),
        entry("CN=3"),
        entry(
            "CN=4",
            objectGUID=[identity.guid_to_bytes(guid(4))],
            msDS__DeviceID=[identity.guid_to_bytes(cloud_id(4))],
            **device,
        ),
        entry("CN=5", objectGUID=[identity.guid_to_bytes(guid(5))], cn=[cloud_id(5)], **device),
        entry("CN=6", objectGUID=[identity.guid_to_bytes(guid(6))]),
    ]
    under_test, _unused = reader(monkeypatch, lambda op: answer if "objectGUID=" in op.arguments[1] else None)
    assert under_test.facts([guid(1), guid(2), guid(2)]) == {
        guid(1): LinkFacts("user", (sid(9), sid(8)), f"User_{cloud_id(1)}", dn="CN=1", sid=sid(1)),
        guid(2): LinkFacts("contact", dn="CN=2"),
        guid(4): LinkFacts("msDS-Device", device_id=cloud_id(4), dn="CN=4"),
        guid(5): LinkFacts("msDS-Device", device_id=cloud_id(5), dn="CN=5"),
        guid(6): LinkFacts(dn="CN=6"),
    }


def test_the_catalog_is_asked_for_what_the_domain_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    other = entry("CN=2", objectGUID=[identity.guid_to_bytes(guid(2))], objectClass=["top", "user"])
    catalog = forest_wide(lambda op: [other])
    under_test, _unused = reader(
        monkeypatch,
        lambda op: [account(1, objectClass=["user"])] if "objectGUID=" in op.arguments[1] else None,
        catalog,
    )
    assert set(under_test.facts([guid(1), guid(2)])) == {guid(1), guid(2)}
    assert [operation.arguments[1] for operation in catalog.asked] == [f"(|{guid_term(guid(2))})"]
    catalog.asked.clear()
    assert set(under_test.facts([guid(1)])) == {guid(1)}
    assert catalog.asked == []


@pytest.mark.parametrize(
    ("username", "answers", "expected"),
    [
        ("svc@contoso.com", {"(userPrincipalName=svc@contoso.com)": [account(1)]}, sid(5001)),
        ("svc@Contoso.com", {"(sAMAccountName=svc)": [account(1)]}, sid(5001)),
        ("svc@other.com", {"(sAMAccountName=svc)": [account(1)]}, None),
        ("svc@contoso.com", {"(userPrincipalName=svc@contoso.com)": [account(1), account(2)]}, None),
        ("contoso\\svc", {"(sAMAccountName=svc)": [account(1)]}, sid(5001)),
        ("EMEA\\svc", {"(sAMAccountName=svc)": [account(1)]}, None),
        (f"CN=svc,{OUTSIDE}", {"(objectClass=*)": [account(1)]}, sid(5001)),
        (f"CN=svc,{OUTSIDE}", {}, None),
        ("svc", {}, None),
    ],
)
def test_the_account_that_is_logged_on(
    monkeypatch: pytest.MonkeyPatch, username: str, answers: dict[str, list[dict[str, Any]]], expected: str | None
) -> None:
    def special(operation: Operation) -> list[dict[str, Any]] | None:
        found = next((found for term, found in answers.items() if term in operation.arguments[1]), None)
        return found if operation.base == f"CN=svc,{OUTSIDE}" or "objectClass=user" in operation.arguments[1] else None

    connection = domain(special)
    under_test = Reader(connect(monkeypatch, connection, ConnectionSettings("dc1", username, "x")), [MANAGED], [ANCHOR])
    connection.asked.clear()
    assert under_test.account_sid() == expected
    asked = len(connection.asked)
    assert under_test.account_sid() == expected
    assert len(connection.asked) == asked
