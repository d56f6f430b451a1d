# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the schema: what an attribute is, and whether a group may hold it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.schema import read_schema
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.schema import AttributeSchema
from tests.unit.plugins.module_utils._directory.scripted import Operation, ScriptedConnection, connect, entry, page
from tests.unit.samples import BASE

PLACE = f"CN=Schema,CN=Configuration,{BASE}"
CLASSES: dict[str, dict[str, list[str]]] = {
    "group": {
        "systemMayContain": ["mail", "managedBy"],
        "mayContain": ["info"],
        "subClassOf": ["top"],
        "systemAuxiliaryClass": ["securityPrincipal", "mailRecipient"],
    },
    "top": {"systemMayContain": ["displayName"], "systemMustContain": ["objectClass"], "subClassOf": ["top"]},
    "securityPrincipal": {"mustContain": ["sAMAccountName"], "subClassOf": ["top"]},
    "mailRecipient": {"mayContain": ["textEncodedORAddress"], "auxiliaryClass": ["extra"]},
    "extra": {"mayContain": ["extensionAttribute1"]},
    "user": {"mayContain": ["givenName"]},
}
ATTRIBUTES: dict[str, dict[str, list[str]]] = {
    "info": {"attributeSyntax": ["2.5.5.12"], "isSingleValued": ["TRUE"], "rangeLower": ["1"], "rangeUpper": ["1024"]},
    "displayName": {"attributeSyntax": ["2.5.5.12"], "isSingleValued": ["TRUE"], "systemOnly": ["FALSE"]},
    "description": {"attributeSyntax": ["2.5.5.12"], "isSingleValued": ["FALSE"]},
    "objectClass": {"attributeSyntax": ["2.5.5.2"], "isSingleValued": ["FALSE"], "systemOnly": ["TRUE"]},
    "sAMAccountName": {"attributeSyntax": ["2.5.5.12"], "isSingleValued": ["TRUE"], "systemFlags": ["18"]},
    "textEncodedORAddress": {"attributeSyntax": ["2.5.5.12"], "isSingleValued": ["TRUE"], "systemFlags": ["20"]},
    "extensionAttribute1": {"attributeSyntax": ["2.5.5.12"], "isSingleValued": ["TRUE"]},
    "givenName": {"attributeSyntax": ["2.5.5.12"], "isSingleValued": ["TRUE"]},
}


def answer(operation: Operation) -> Any:
    """Answer as a schema does, whose names are the same in any case."""
    assert operation.base == PLACE
    text = operation.arguments[1]
    source = CLASSES if "classSchema" in text else ATTRIBUTES
    asked = {name.lower() for name in re.findall(r"lDAPDisplayName=([^)]*)", text)}
    hits = [(name, values) for name, values in source.items() if name.lower() in asked]
    return page([entry(f"CN={name},{PLACE}", lDAPDisplayName=[name], **values) for name, values in hits])


def read(patch: pytest.MonkeyPatch, *names: str) -> tuple[dict[str, AttributeSchema], ScriptedConnection]:
    connection = ScriptedConnection(answer)
    return read_schema(connect(patch, connection), PLACE, names), connection


def test_what_the_schema_says(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _connection = read(monkeypatch, "INFO", "displayName", "noSuch")
    assert found == {
        "info": AttributeSchema("info", "2.5.5.12", True, 1, 1024),
        "displayname": AttributeSchema("displayName", "2.5.5.12", True),
    }


@pytest.mark.parametrize(
    ("name", "single", "writable", "on_group"),
    [
        ("info", True, True, True),
        ("displayName", True, True, True),
        ("description", False, True, False),
        ("objectClass", False, False, True),
        ("sAMAccountName", True, True, True),
        ("textEncodedORAddress", True, False, True),
        ("extensionAttribute1", True, True, True),
        ("givenName", True, True, False),
    ],
)
def test_what_can_be_written_on_a_group(
    monkeypatch: pytest.MonkeyPatch, name: str, single: bool, writable: bool, on_group: bool
) -> None:
    found = read(monkeypatch, name)[0][name.lower()]
    assert (found.single_valued, found.writable, found.on_group) == (single, writable, on_group)


def test_a_class_is_asked_once_although_top_is_its_own_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    _found, connection = read(monkeypatch, "info")
    asked = [re.findall(r"lDAPDisplayName=([^)]*)", op.arguments[1]) for op in connection.asked]
    classes = [name for names in asked[:-1] for name in names]
    assert sorted(classes) == sorted({"group", "top", "securityPrincipal", "mailRecipient", "extra"})


def test_names_are_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    _found, connection = read(monkeypatch, "a)(b*")
    assert r"(lDAPDisplayName=a\29\28b\2a)" in connection.asked[-1].arguments[1]
