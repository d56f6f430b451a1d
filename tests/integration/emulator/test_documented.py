# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The documented calls, their answers validated against operations and schemas of Microsoft Graph."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_core import Config, OpenAPI
from openapi_core.contrib.requests import RequestsOpenAPIRequest, RequestsOpenAPIResponse
from openapi_schema_validator import OAS30Validator

from tests.lab.entra.admin import EntraAdmin

from .tenant import EVENTUAL, Emulator, oid

_SPECIFICATION = Path(__file__).with_name("graph-openapi.yaml")
_SALES, _EMPTY, _U0 = oid("sales"), oid("empty"), oid("u0")
_LINK = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{_U0}"}
_GROUP = {"displayName": "Library Assist", "mailEnabled": False, "mailNickname": "library", "securityEnabled": True}
_UNIFIED = {**_GROUP, "mailEnabled": True, "groupTypes": ["Unified"], "securityEnabled": False}
_ANNOTATION = re.compile(r"@(odata|microsoft\.graph)\.\w+|@removed|members@delta|extension_[0-9a-f]{32}_\w+|members")

# method, path, headers, body, status
_CALLS: list[tuple[str, str, dict[str, str], Any, int]] = [
    ("GET", "/groups", {}, None, 200),
    ("GET", "/groups?$top=3&$select=id,displayName,groupTypes", {}, None, 200),
    (
        "GET",
        "/groups?$filter=startswith(displayName, 'a')&$count=true&$top=1&$orderby=displayName",
        EVENTUAL,
        None,
        200,
    ),
    (
        "GET",
        '/groups?$search="displayName:sal" OR "description:tell"&$orderby=displayName&$count=true',
        EVENTUAL,
        None,
        200,
    ),
    ("GET", "/groups?$expand=members($select=id,displayName)", {}, None, 200),
    ("GET", "/groups?$filter=onPremisesSyncEnabled ne true", {}, None, 400),
    ("GET", "/groups?$top=1000", {}, None, 400),
    ("GET", "/groups/$count", EVENTUAL, None, 200),
    ("GET", "/groups/$count", {}, None, 400),
    ("POST", "/groups", {}, _GROUP, 201),
    ("POST", "/groups", {}, _UNIFIED, 201),
    ("POST", "/groups", {}, {**_GROUP, "isAssignableToRole": True}, 201),
    ("POST", "/groups", {}, {}, 400),
    ("GET", f"/groups/{_SALES}", {}, None, 200),
    ("GET", f"/groups/{_SALES}?$select=allowExternalSenders,autoSubscribeNewMembers,unseenCount", {}, None, 200),
    ("GET", f"/groups/{oid('nobody')}", {}, None, 404),
    ("PATCH", f"/groups/{_SALES}", {}, {"description": "Contoso Life", "displayName": "Renewed"}, 204),
    ("DELETE", f"/groups/{_SALES}", {}, None, 204),
    ("GET", f"/groups/{_SALES}/members", {}, None, 200),
    ("GET", f"/groups/{_SALES}/members?$count=true&$filter=startswith(displayName, 'u')", EVENTUAL, None, 200),
    ("GET", f"/groups/{_SALES}/members/$count", EVENTUAL, None, 200),
    ("GET", f"/groups/{_SALES}/members/graph.user?$count=true", EVENTUAL, None, 200),
    (
        "GET",
        f'/groups/{_SALES}/members/graph.user?$count=true&$orderby=displayName&$search="displayName:u"&$select=displayName,id',
        EVENTUAL,
        None,
        200,
    ),
    ("GET", f"/groups/{_SALES}/members/graph.user/$count", EVENTUAL, None, 200),
    ("GET", f"/groups/{_SALES}/members/graph.group", {}, None, 400),
    ("GET", f"/groups/{_SALES}/transitiveMembers", {}, None, 200),
    ("GET", f"/groups/{_SALES}/transitiveMembers/$count", EVENTUAL, None, 200),
    ("GET", f"/groups/{_SALES}/transitiveMembers/graph.user?$count=true", EVENTUAL, None, 200),
    ("GET", f"/groups/{_SALES}/members/$ref", {}, None, 200),
    ("POST", f"/groups/{_EMPTY}/members/$ref", {}, _LINK, 204),
    ("POST", f"/groups/{_SALES}/members/$ref", {}, _LINK, 400),
    ("DELETE", f"/groups/{_SALES}/members/{_U0}/$ref", {}, None, 204),
    ("GET", f"/groups/{_SALES}/onPremisesSyncBehavior", {}, None, 200),
    ("GET", f"/groups/{_SALES}/onPremisesSyncBehavior?$select=isCloudManaged", {}, None, 200),
    ("PATCH", f"/groups/{oid('synced')}/onPremisesSyncBehavior", {}, {"isCloudManaged": True}, 204),
    ("GET", "/groups/delta()", {}, None, 200),
    ("GET", "/groups/delta()?$select=displayName,description,mailNickname", {"Prefer": "return=minimal"}, None, 200),
    ("GET", "/groups/delta()?$deltatoken=latest", {}, None, 200),
    ("GET", "/groups/delta()?$deltatoken=stale", {}, None, 400),
    ("GET", "/users", {}, None, 200),
    ("GET", "/users/$count", EVENTUAL, None, 200),
    (
        "GET",
        "/users?$filter=endswith(userPrincipalName,'com')&$orderby=userPrincipalName&$count=true",
        EVENTUAL,
        None,
        200,
    ),
    ("GET", "/users?$select=id,onPremisesSecurityIdentifier,onPremisesImmutableId,proxyAddresses", {}, None, 200),
    ("GET", f"/users/{_U0}", {}, None, 200),
    ("PATCH", f"/users/{_U0}", {}, {"onPremisesDistinguishedName": "CN=u0,DC=contoso,DC=com"}, 204),
    ("GET", "/users/delta()?$select=displayName,jobTitle,mobilePhone", {}, None, 200),
    ("GET", "/directory/deletedItems/graph.group", {}, None, 200),
    ("GET", "/directory/deletedItems/graph.user", {}, None, 200),
    ("POST", "/directoryObjects/getByIds", {}, {"ids": [_U0, _SALES], "types": ["user", "group"]}, 200),
    ("POST", "/$batch", {}, {"requests": [{"id": "1", "method": "GET", "url": "/groups?$top=2"}]}, 200),
    ("POST", "/$batch", {}, {"requests": []}, 400),
]


@pytest.fixture(scope="module")
def specification() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(_SPECIFICATION.read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def validator(specification: dict[str, Any], started: Emulator) -> OpenAPI:
    config = Config(extra_media_type_deserializers={"text/plain": int})
    return OpenAPI.from_dict({**specification, "servers": [{"url": f"{started.url}/v1.0"}]}, config=config)


def _known(specification: Mapping[str, Any], name: str) -> set[str]:
    """The property names of a schema and those it is made from."""
    schema = specification["components"]["schemas"][name]
    names: set[str] = set()
    for part in schema.get("allOf", [schema]):
        names |= set(part.get("properties", {}))
        if "$ref" in part:
            names |= _known(specification, part["$ref"].rpartition("/")[2])
    return names


def _check_object(specification: Mapping[str, Any], type_name: str, item: Mapping[str, Any]) -> None:
    """The published schema is open: that each name is a known one is checked here."""
    reference = {"$ref": f"#/components/schemas/{type_name}", "components": specification["components"]}
    OAS30Validator(reference).validate(item)
    unknown = {name for name in item if not _ANNOTATION.fullmatch(name)} - _known(specification, type_name)
    assert unknown == set()


def _type_of(path: str, item: Mapping[str, Any]) -> str | None:
    named = item.get("@odata.type")
    if named:
        return str(named).lstrip("#")
    by_path = {"graph.user": "user", "graph.group": "group", "/users": "user"}
    found = next((value for key, value in by_path.items() if key in path), "group")
    return None if "$ref" in path or "@odata.id" in item else f"microsoft.graph.{found}"


@pytest.mark.parametrize(("method", "path", "headers", "body", "status"), _CALLS)
def test_a_documented_call(
    emulator: Emulator,
    specification: dict[str, Any],
    validator: OpenAPI,
    method: str,
    path: str,
    headers: dict[str, str],
    body: Any,
    status: int,
) -> None:
    answer = emulator.call(method, path, headers=headers, json=body)
    assert answer.status_code == status, answer.text
    validator.validate_response(RequestsOpenAPIRequest(answer.request), RequestsOpenAPIResponse(answer))
    if status == 200 and "json" in answer.headers["Content-Type"]:
        for item in answer.json().get("value", []):
            type_name = _type_of(path, item)
            if type_name is not None:
                _check_object(specification, type_name, item)


def test_the_check_notices_an_answer_that_is_not_graph(specification: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        _check_object(specification, "microsoft.graph.group", {"id": "x", "invented": 1})
    with pytest.raises(Exception, match="is not of type"):
        _check_object(specification, "microsoft.graph.group", {"id": "x", "mailEnabled": "yes"})


def test_a_delta_round_with_changes_matches_the_schema(
    emulator: Emulator, admin: EntraAdmin, specification: dict[str, Any]
) -> None:
    link = emulator.pages("/groups/delta")[-1]["@odata.deltaLink"]
    admin.remove_member(_SALES, _U0)
    admin.delete_group(_EMPTY)
    items = emulator.get(link).json()["value"]
    assert len(items) == 2
    for item in items:
        _check_object(specification, "microsoft.graph.group", item)
