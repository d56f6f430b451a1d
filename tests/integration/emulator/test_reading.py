# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists, single objects, paging, the rules of advanced queries, permissions."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

import pytest

from tests.lab.entra.admin import EntraAdmin

from .tenant import EVENTUAL, EXTENSION, Emulator, code_and_message, oid

_UNSUPPORTED = "Request_UnsupportedQuery"
_USERS = [f"u{number}" for number in range(30)]
_HINT = "Try adding $count=true query parameter and ConsistencyLevel:eventual header."


def _names(emulator: Emulator, path: str, headers: dict[str, str] | None = None) -> list[str]:
    return [item["displayName"] for page in emulator.pages(path, headers) for item in page["value"]]


SIDS = [f"S-1-5-21-1-2-3-{1100 + number}" for number in range(16)]
_TOO_MANY = (
    "Too many child clauses specified in search filter expression containing 'OR' operators: 16. Max allowed: 15."
)


def _either(sids: list[str]) -> str:
    return " or ".join(f"onPremisesSecurityIdentifier eq '{sid}'" for sid in sids)


# Lists and filters


@pytest.mark.parametrize(
    ("path", "headers", "expected"),
    [
        ("/groups?$filter=displayName eq 'SALES'", None, ["sales"]),
        ("/groups?$filter=startsWith(displayName,'sy')", None, ["synced"]),
        ("/groups?$filter=startswith(displayName,'s') and mailEnabled eq false", None, ["sales", "synced"]),
        ("/groups?$filter=groupTypes/any(c:c eq 'Unified')", None, ["office"]),
        ("/groups?$filter=displayName in ('field','empty')&$select=displayName", None, ["field", "empty"]),
        ("/groups?$filter=onPremisesSyncEnabled eq true", None, ["synced"]),
        (f"/groups?$filter=id eq '{oid('empty')}'", None, ["empty"]),
        ("/groups?$filter=displayName eq 'sales' or (displayName eq 'empty' and mailEnabled eq true)", None, ["sales"]),
        ("/groups?$filter=description eq 'Sells things'&$count=true", EVENTUAL, ["sales"]),
        (
            "/groups?$count=true&$filter=onPremisesSyncEnabled ne true and onPremisesSecurityIdentifier ne null",
            EVENTUAL,
            ["converted"],
        ),
        (
            "/groups?$count=true&$filter=not(startsWith(displayName,'s')) and mailEnabled eq true",
            EVENTUAL,
            ["office", "postroom"],
        ),
        ("/groups?$count=true&$filter=onPremisesSyncBehavior/isCloudManaged eq true", EVENTUAL, ["converted"]),
        ('/groups?$search="description:thing"&$orderby=displayName desc', EVENTUAL, ["sales", "marketing"]),
        ('/groups?$search="displayName:sal" OR "displayName:emp"', EVENTUAL, ["sales", "empty"]),
        ("/users?$filter=endsWith(userPrincipalName,'contoso.onmicrosoft.com')&$count=true&$top=7", EVENTUAL, _USERS),
        ("/users?$filter=onPremisesSecurityIdentifier eq 'S-1-5-21-1-2-3-1103'", None, ["u3"]),
        (f"/users?$filter={_either(SIDS[:15])}", None, ["u0", "u1", "u2", "u3", "u4"]),
        (f"/users?$filter=onPremisesSecurityIdentifier in ('{SIDS[1]}','{SIDS[3]}')", None, ["u1", "u3"]),
        (f"/users?$filter={_either(SIDS)}&$count=true", EVENTUAL, ["u0", "u1", "u2", "u3", "u4"]),
        ("/groups?$filter=onPremisesSecurityIdentifier eq 'S-1-5-21-1-2-3-2001'", None, ["synced"]),
    ],
)
def test_a_filter_finds(emulator: Emulator, path: str, headers: dict[str, str] | None, expected: list[str]) -> None:
    assert _names(emulator, path, headers) == expected


@pytest.mark.parametrize(
    ("path", "headers", "code", "fragment"),
    [
        ("/groups?$filter=onPremisesSyncEnabled ne true", None, _UNSUPPORTED, _HINT),
        ("/groups?$filter=onPremisesSyncEnabled ne true&$count=true", None, _UNSUPPORTED, _HINT),
        ("/groups?$filter=onPremisesSyncEnabled ne true", EVENTUAL, _UNSUPPORTED, _HINT),
        ("/users?$filter=endsWith(mail,'x')", None, _UNSUPPORTED, "Operator 'endsWith' is not supported because"),
        ("/groups?$filter=not(displayName eq 'x')", None, _UNSUPPORTED, _HINT),
        ("/groups?$filter=displayName eq null", None, _UNSUPPORTED, "'displayName' of resource 'Group'"),
        ("/groups?$filter=description eq 'x'", None, _UNSUPPORTED, "property 'description' of resource 'Group'"),
        ("/groups?$filter=theme eq 'x'&$count=true", EVENTUAL, _UNSUPPORTED, "'theme' of resource 'Group'"),
        ("/groups?$filter=createdDateTime ge 2021-11-01&$count=true", EVENTUAL, "Request_BadRequest", "createdDate"),
        ("/groups?$filter=mailEnabled eq 'true'", None, "Request_BadRequest", "incompatible types"),
        ("/groups?$filter=groupTypes eq 'Unified'", None, _UNSUPPORTED, "groupTypes"),
        ("/groups?$filter=displayName gt 'x'", None, "BadRequest", "Syntax error"),
        ("/groups?$filter=displayName eq 'x", None, "BadRequest", "Syntax error"),
        ("/groups?$filter=(displayName eq 'x'", None, "BadRequest", "Syntax error"),
        ("/groups?$filter=nonsense eq 'x'", None, "BadRequest", "named 'nonsense' on type 'microsoft.graph.group'"),
        ('/groups?$search="displayName:x"', None, _UNSUPPORTED, "'ConsistencyLevel: eventual'"),
        ('/groups?$search="theme:x"', EVENTUAL, _UNSUPPORTED, "not searchable"),
        ("/groups?$search=sales", EVENTUAL, "BadRequest", "Syntax error"),
        ("/groups?$orderby=mailNickname", None, _UNSUPPORTED, "mailNickname"),
        ("/groups?$orderby=createdDateTime", None, _UNSUPPORTED, "Sorting not supported"),
        ("/groups?$orderby=displayName&$filter=mailEnabled eq true", None, _UNSUPPORTED, "Sorting not supported"),
        ("/groups?$top=1000", None, _UNSUPPORTED, "Invalid page size specified: '1000'. Must be between 1 and 999"),
        ("/groups?$top=0", None, _UNSUPPORTED, "Invalid page size"),
        ("/groups?$skip=10", None, "BadRequest", "'$skip' is not supported"),
        ("/groups?filter=mailEnabled eq true", None, "BadRequest", "'filter' is not supported"),
        ("/groups?$select=displayName,nonsense", None, "BadRequest", "Could not find a property named 'nonsense'"),
        ("/groups?$select=onPremisesObjectIdentifier", None, "BadRequest", "onPremisesObjectIdentifier"),
        ("/groups?$select=writebackConfiguration", None, "BadRequest", "writebackConfiguration"),
        ("/users?$select=onPremisesObjectIdentifier", None, "BadRequest", "onPremisesObjectIdentifier"),
        ("/groups/{sales}/members?$select=onPremisesObjectIdentifier", None, "BadRequest", "'onPremisesObjectIdent"),
        ("/beta/users?$filter=onPremisesObjectIdentifier eq 'x'", None, _UNSUPPORTED, "onPremisesObjectIdentifier"),
        (f"/users?$filter={_either(SIDS)}", None, _UNSUPPORTED, _TOO_MANY),
        (f"/users?$filter=displayName in ({','.join(map(repr, SIDS))})", None, _UNSUPPORTED, _TOO_MANY),
        (f"/users?$filter=accountEnabled eq true and ({_either(SIDS)})", None, _UNSUPPORTED, _TOO_MANY),
        ("/users?$select=isCloudManaged", None, "BadRequest", "isCloudManaged"),
        ("/groups?$select=accessType", None, _UNSUPPORTED, "accessType"),
        ("/groups?$count=true&$count=true", None, "BadRequest", "more than once"),
        ("/groups?$count=yes", None, "BadRequest", "$count"),
        ("/groups?$expand=members&$count=true", EVENTUAL, _UNSUPPORTED, "$expand"),
        ("/groups?$expand=owners", None, "ExpandNotSupported", "owners"),
        ("/groups?$skiptoken=invented", None, "Request_BadRequest", "page token"),
        ("/users/$count", None, "Request_BadRequest", "$count is not currently supported."),
        ("/groups", {"ConsistencyLevel": "strong"}, "Request_BadRequest", "ConsistencyLevel"),
        ("/groups/{sales}/members?$filter=startsWith(displayName,'u')", None, _UNSUPPORTED, _HINT),
        ("/groups/{sales}/members?$expand=memberOf", None, "BadRequest", "$expand"),
        ("/groups/{sales}/members/microsoft.graph.user", None, _UNSUPPORTED, _HINT),
        ("/groups/{sales}/members/microsoft.graph.user?$count=true", None, _UNSUPPORTED, _HINT),
        ("/groups/{sales}/members/microsoft.graph.application?$count=true", EVENTUAL, _UNSUPPORTED, "cast"),
        ("/groups/{sales}/members/$count", None, "Request_BadRequest", "$count is not currently supported."),
        ("/sites", None, "BadRequest", "Resource not found for the segment 'sites'"),
        ("/groups/{sales}/owners", None, "BadRequest", "Resource not found for the segment 'owners'"),
    ],
)
def test_a_query_that_the_service_refuses(
    emulator: Emulator, path: str, headers: dict[str, str] | None, code: str, fragment: str
) -> None:
    status, found, message = code_and_message(emulator.get(path.replace("{sales}", oid("sales")), headers=headers))
    assert (status, found) == (400, code)
    assert fragment in message


def test_count_without_the_header_is_ignored_and_with_it_is_on_the_first_page_only(emulator: Emulator) -> None:
    assert "@odata.count" not in emulator.get("/groups?$count=true").json()
    pages = emulator.pages("/groups?$count=true&$top=4", EVENTUAL)
    assert [page.get("@odata.count") for page in pages] == [11, None, None]
    answer = emulator.get("/groups/$count", headers=EVENTUAL)
    assert (answer.text, answer.headers["Content-Type"].split(";")[0]) == ("11", "text/plain")


def test_select_leaves_navigation_names_out_and_tips_appear_without_select(emulator: Emulator) -> None:
    selected = emulator.get("/groups?$select=id,members&$top=1").json()
    assert selected["value"] == [{"id": oid("sales")}]
    assert selected["@odata.context"].endswith("$metadata#groups(id)")
    assert "@microsoft.graph.tips" not in selected
    assert "$select" in emulator.get("/groups?$top=1").json()["@microsoft.graph.tips"]


def test_a_single_group_shows_default_properties_and_extensions(emulator: Emulator) -> None:
    group = emulator.get(f"/groups/{oid('marketing')}").json()
    assert group["securityIdentifier"].startswith("S-1-12-1-")
    assert group[EXTENSION] == "CC-1"
    assert group["onPremisesSyncEnabled"] is None
    assert "uniqueName" not in group
    assert "isCloudManaged" not in group
    listed = emulator.get("/groups?$filter=displayName eq 'marketing'").json()["value"][0]
    assert EXTENSION not in listed
    chosen = emulator.get(f"/groups?$filter={EXTENSION} eq 'CC-1'&$select={EXTENSION}").json()["value"]
    assert chosen == [{EXTENSION: "CC-1"}]


def test_the_security_identifier_is_the_documented_one(emulator: Emulator, admin: EntraAdmin) -> None:
    admin.create_group("HR Taskforce", id="02bd9fd6-8f93-4758-87c3-1fb73740a315")
    group = emulator.get("/groups/02bd9fd6-8f93-4758-87c3-1fb73740a315?$select=securityIdentifier").json()
    assert group["securityIdentifier"] == "S-1-12-1-45981654-1196986259-3072312199-363020343"


def test_beta_alone_knows_the_object_identifier(emulator: Emulator) -> None:
    assert "onPremisesObjectIdentifier" in emulator.get(f"/beta/users/{oid('u0')}").json()
    assert "onPremisesObjectIdentifier" not in emulator.get(f"/users/{oid('u0')}").json()


def test_an_unknown_object_is_404(emulator: Emulator) -> None:
    assert code_and_message(emulator.get(f"/groups/{oid('u0')}"))[:2] == (404, "Request_ResourceNotFound")
    assert code_and_message(emulator.get(f"/groups/{oid('x')}/members"))[:2] == (404, "Request_ResourceNotFound")


# Paging


def test_page_sizes_and_absolute_links(emulator: Emulator, admin: EntraAdmin) -> None:
    admin.knobs(default_page=12)
    pages = emulator.pages("/users?$select=id")
    assert [len(page["value"]) for page in pages] == [12, 12, 6]
    assert urlsplit(pages[0]["@odata.nextLink"])[:2] == urlsplit(emulator.url)[:2]
    admin.knobs(page_cap=5)
    assert {len(page["value"]) for page in emulator.pages("/users?$top=999")} == {5}


def test_empty_pages_with_a_link_come_when_wanted(emulator: Emulator, admin: EntraAdmin) -> None:
    admin.knobs(empty_pages=True)
    pages = emulator.pages("/users?$top=15&$select=id")
    assert [len(page["value"]) for page in pages] == [0, 15, 0, 15]


def test_a_page_token_expires_and_belongs_to_its_query(emulator: Emulator, admin: EntraAdmin) -> None:
    link = emulator.get("/users?$top=5").json()["@odata.nextLink"]
    assert code_and_message(emulator.get(link.replace("$top=5", "$top=6")))[:2] == (400, "Request_BadRequest")
    assert code_and_message(emulator.get(link.replace("/users?", "/groups?")))[:2] == (400, "Request_BadRequest")
    admin.expire_page_tokens()
    assert code_and_message(emulator.get(link))[:2] == (400, "Directory_ExpiredPageToken")


def test_the_header_must_be_sent_again_on_each_page(emulator: Emulator) -> None:
    path = f"/groups/{oid('large')}/members?$count=true&$top=10"
    link = emulator.get(path, headers=EVENTUAL).json()["@odata.nextLink"]
    assert emulator.get(link).status_code == 400
    assert emulator.get(link, headers=EVENTUAL).status_code == 200


# Members


def _member_types(page: dict[str, list[dict[str, str]]]) -> list[str]:
    return [item["@odata.type"].rpartition(".")[2] for item in page["value"]]


def test_v1_leaves_service_principals_out_unless_the_query_is_advanced(emulator: Emulator) -> None:
    path = f"/groups/{oid('sales')}/members?$select=id"
    plain = ["user", "user", "user", "device", "orgContact"]
    complete = ["user", "user", "user", "device", "servicePrincipal", "orgContact"]
    assert _member_types(emulator.get(path).json()) == plain
    assert _member_types(emulator.get(f"/beta{path}").json()) == complete
    assert _member_types(emulator.get(f"{path}&$count=true", headers=EVENTUAL).json()) == complete
    expanded = emulator.get(f"/groups/{oid('sales')}?$expand=members($select=id)").json()["members"]
    assert _member_types({"value": expanded}) == complete


def test_members_cast_count_and_references(emulator: Emulator) -> None:
    base = f"/groups/{oid('sales')}/members"
    cast = emulator.get(f"{base}/graph.user?$count=true&$select=displayName", headers=EVENTUAL).json()
    assert cast["value"] == [{"displayName": "u0"}, {"displayName": "u1"}, {"displayName": "u9"}]
    assert emulator.get(f"{base}/microsoft.graph.device/$count", headers=EVENTUAL).text == "1"
    assert emulator.get(f"{base}/$count", headers=EVENTUAL).text == "6"
    references = emulator.get(f"{base}/$ref").json()["value"]
    assert references[0] == {"@odata.id": f"{emulator.url}/v1.0/directoryObjects/{oid('u0')}"}


def test_transitive_members_are_flat_and_survive_circles(emulator: Emulator, admin: EntraAdmin) -> None:
    admin.add_member(oid("sales"), oid("field"))
    found = emulator.get(f"/groups/{oid('field')}/transitiveMembers?$select=displayName&$top=999").json()["value"]
    assert {item["displayName"] for item in found} == {
        *("sales", "marketing", "laptop", "vendor"),
        *("u0", "u1", "u2", "u3", "u9"),
    }


def test_a_soft_deleted_group_passes_no_members_on(emulator: Emulator, admin: EntraAdmin) -> None:
    admin.delete_group(oid("marketing"))
    found = emulator.get(f"/groups/{oid('field')}/transitiveMembers?$select=displayName").json()["value"]
    assert {item["displayName"] for item in found} == {"sales", "laptop", "vendor", "u0", "u1", "u3", "u9"}


def test_expansion_stops_at_twenty_without_a_word(emulator: Emulator) -> None:
    group = emulator.get(f"/groups/{oid('large')}?$expand=members").json()
    assert len(group["members"]) == 20
    assert not any("nextLink" in name for name in group)


def test_subtype_properties_can_be_selected_without_a_cast(emulator: Emulator) -> None:
    path = f"/groups/{oid('sales')}/members?$select=id,onPremisesSecurityIdentifier,securityEnabled"
    first = emulator.get(path).json()["value"][0]
    assert first == {
        "@odata.type": "#microsoft.graph.user",
        "id": oid("u0"),
        "onPremisesSecurityIdentifier": "S-1-5-21-1-2-3-1100",
    }


# Permissions


@pytest.mark.parametrize(
    ("application", "method", "path"),
    [
        ("none", "GET", "/groups"),
        ("none", "GET", "/groups/delta"),
        ("none", "GET", f"/groups/{oid('sales')}/members"),
        ("members", "GET", "/users"),
        ("members", "GET", "/users/delta"),
        ("basic", "GET", "/users/delta"),
        ("members", "GET", f"/groups/{oid('sales')}/onPremisesSyncBehavior"),
        ("members", "GET", "/groups?$filter=onPremisesSyncBehavior/isCloudManaged eq true"),
        ("members", "GET", "/directory/deletedItems/microsoft.graph.user"),
        ("basic", "GET", "/directory/deletedItems/microsoft.graph.group"),
        ("members", "DELETE", f"/groups/{oid('sales')}"),
        ("members", "DELETE", f"/groups/{oid('sales')}/members/{oid('u0')}"),
        ("members", "POST", f"/groups/{oid('sales')}/members/$ref"),
        ("members", "GET", f"/servicePrincipals/{oid('daemon')}/appRoleAssignedTo"),
    ],
)
def test_a_call_without_its_permission_is_403(emulator: Emulator, application: str, method: str, path: str) -> None:
    answer = emulator.call(method, path, application=application)
    assert code_and_message(answer) == (
        403,
        "Authorization_RequestDenied",
        "Insufficient privileges to complete the operation.",
    )


def test_members_of_an_unreadable_type_show_type_and_id_alone(emulator: Emulator) -> None:
    path = f"/groups/{oid('sales')}/members?$select=id,displayName,onPremisesSecurityIdentifier"
    first = emulator.get(path, application="members").json()["value"][0]
    assert first == {
        "@odata.type": "#microsoft.graph.user",
        "id": oid("u0"),
        "displayName": None,
        "onPremisesSecurityIdentifier": None,
    }
    basic = emulator.get(path, application="basic").json()["value"][0]
    assert (basic["displayName"], basic["onPremisesSecurityIdentifier"]) == ("u0", None)


def test_a_device_shows_its_identity_to_those_who_may_read_devices(emulator: Emulator) -> None:
    path = f"/groups/{oid('sales')}/members?$select=id,displayName,deviceId,onPremisesSyncEnabled"

    def device(application: str) -> dict[str, object]:
        items = emulator.get(path, application=application).json()["value"]
        return next(dict(item) for item in items if item["id"] == oid("laptop"))

    shown = device("all")
    assert str(uuid.UUID(str(shown["deviceId"]))) == shown["deviceId"]
    assert (shown["displayName"], shown["onPremisesSyncEnabled"]) == ("laptop", None)
    hidden = device("members")
    assert (hidden["displayName"], hidden["deviceId"]) == (None, None)


def test_the_object_identifier_of_members_is_on_beta_only(emulator: Emulator) -> None:
    path = f"/beta/groups/{oid('sales')}/members?$select=id,onPremisesObjectIdentifier&$count=true"
    found = {item["id"]: item for item in emulator.get(path, headers=EVENTUAL).json()["value"]}
    assert found[oid("u0")]["onPremisesObjectIdentifier"] == "AAECAwQFBgcICQoLDA0ODw=="
    assert "onPremisesObjectIdentifier" not in found[oid("laptop")]


def test_a_filter_finds_nobody_by_what_the_caller_may_not_see(emulator: Emulator) -> None:
    path = f"/users?$filter={_either(SIDS[:2])}&$select=id"
    assert emulator.get(path, application="basic").json()["value"] == []
    named = emulator.get("/users?$filter=displayName eq 'u0'&$select=id", application="basic").json()["value"]
    assert named == [{"id": oid("u0")}]


def test_hidden_membership_reads_as_empty_without_its_permission(emulator: Emulator) -> None:
    path = f"/groups/{oid('hidden')}/members?$select=id"
    assert emulator.get(path, application="members").json()["value"] == []
    assert [item["id"] for item in emulator.get(path).json()["value"]] == [oid("u5")]


def test_synchronization_jobs_of_a_service_principal(emulator: Emulator, admin: EntraAdmin) -> None:
    job = {
        "id": "AAD2ADGroupProvisioning.t.1",
        "templateId": "AAD2ADGroupProvisioning",
        "schedule": {"expiration": None, "interval": "PT20M", "state": "Active"},
        "status": {"code": "Active"},
    }
    template = "fb81332f-3eca-4ecf-a939-4278e501d330"
    properties = {"displayName": "sync", "applicationTemplateId": template}
    made = admin.create("servicePrincipal", {**properties, "synchronizationJobs": [job]})
    found = emulator.get(f"/servicePrincipals?$filter=applicationTemplateId eq '{template}'").json()["value"]
    assert [item["id"] for item in found] == [made]
    assert "synchronizationJobs" not in found[0]
    path = f"/servicePrincipals/{made}/synchronization/jobs"
    assert emulator.get(path).json()["value"] == [job]
    assert emulator.get(f"/servicePrincipals/{oid('daemon')}/synchronization/jobs").json()["value"] == []
    assert emulator.get(f"/servicePrincipals/{oid('sales')}/synchronization/jobs").status_code == 404
    assert emulator.get(path, application="members").status_code == 403
    admin.purge(made)


def test_assignments_of_a_service_principal(emulator: Emulator, admin: EntraAdmin) -> None:
    path = f"/servicePrincipals/{oid('daemon')}/appRoleAssignedTo"
    first = emulator.get(path).json()["value"]
    assert [(row["principalId"], row["principalType"]) for row in first] == [(oid("sales"), "Group")]
    added = admin.assign_app_role(oid("daemon"), oid("marketing"), oid("role"))
    pages = emulator.pages(f"{path}?$top=1")
    assert [page["value"][0]["principalDisplayName"] for page in pages] == ["sales", "marketing"]
    admin.unassign_app_role(added)
    assert emulator.get(path).json()["value"] == first
