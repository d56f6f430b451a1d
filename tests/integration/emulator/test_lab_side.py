# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults, throttling, index lag, record, snapshots and the configuration check."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.lab.entra.admin import AdminError, EntraAdmin

from .tenant import EVENTUAL, Emulator, Pki, code_and_message, configuration, oid

_ROOT = Path(__file__).parents[3]


# Faults


def test_a_status_fault_skips_and_ends(emulator: Emulator, admin: EntraAdmin) -> None:
    admin.fault("status", path="/groups", method="GET", skip=1, times=2, status=429, headers={"Retry-After": "7"})
    answers = [emulator.get("/groups") for _unused in range(4)]
    assert [answer.status_code for answer in answers] == [200, 429, 429, 200]
    assert answers[1].headers["Retry-After"] == "7"
    assert [(rule["seen"], rule["fired"]) for rule in admin.faults()] == [(4, 2)]


def test_probability_repeats_with_its_seed(emulator: Emulator, admin: EntraAdmin) -> None:
    def run() -> list[int]:
        admin.clear_faults()
        admin.fault("status", times=0, probability=0.5, seed=3, status=503)
        return [emulator.get("/groups?$top=1").status_code for _unused in range(12)]

    first = run()
    assert set(first) == {200, 503}
    assert run() == first


@pytest.mark.parametrize("action", ["reset", "disconnect"])
def test_a_broken_connection(emulator: Emulator, admin: EntraAdmin, action: str) -> None:
    admin.fault(action, path="/groups")
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        emulator.get("/groups")
    assert emulator.get("/groups").status_code == 200


def test_a_hang_outlasts_the_client(emulator: Emulator, admin: EntraAdmin) -> None:
    admin.fault("hang", path="/groups", seconds=1.0)
    with pytest.raises(requests.exceptions.ReadTimeout):
        emulator.call("GET", "/groups", timeout=0.3)


def test_a_slow_body_arrives_whole(emulator: Emulator, admin: EntraAdmin) -> None:
    admin.fault("slow_body", path="/groups", seconds=0.3)
    before = time.monotonic()
    assert len(emulator.get("/groups").json()["value"]) == 11
    assert time.monotonic() - before > 0.25


@pytest.mark.parametrize("action", ["truncate", "splice"])
def test_broken_json_under_a_200(emulator: Emulator, admin: EntraAdmin, action: str) -> None:
    admin.fault(action, path="/members")
    answer = emulator.get(f"/groups/{oid('sales')}/members")
    assert answer.status_code == 200
    assert ('{"error":{"code":"InternalServerError"' in answer.text) == (action == "splice")
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_links_that_mislead_and_a_lost_tail(emulator: Emulator, admin: EntraAdmin) -> None:
    admin.fault("foreign_link", path="/users", host="graph.example.net")
    assert urlsplit(emulator.get("/users?$top=5").json()["@odata.nextLink"]).netloc == "graph.example.net"
    admin.fault("loop_link", path="/users", times=0)
    first = emulator.get("/users?$top=5").json()["@odata.nextLink"]
    assert emulator.get(first).json()["@odata.nextLink"] == first
    admin.clear_faults()
    admin.fault("drop_tail", path="/users", items=3)
    page = emulator.get("/users?$top=999&$count=true", headers=EVENTUAL).json()
    assert (page["@odata.count"], len(page["value"])) == (30, 27)


def test_the_login_can_fail_too(emulator: Emulator, admin: EntraAdmin) -> None:
    admin.fault("status", path="/oauth2/", status=503, body={"error": "temporarily_unavailable"})
    assert emulator.login({"grant_type": "client_credentials"}).status_code == 503


@pytest.mark.parametrize(
    "fault", [{"action": "explode"}, {"action": "hang", "status": 1}, {"action": "status", "path": "("}]
)
def test_a_fault_that_makes_no_sense_is_refused(admin: EntraAdmin, fault: dict[str, Any]) -> None:
    with pytest.raises(AdminError):
        admin.fault(**fault)


# Throttling


@pytest.mark.parametrize(
    ("path", "units"),
    [
        ("/groups", "1"),
        (f"/groups/{oid('sales')}/members", "3"),
        (f"/groups/{oid('sales')}/members?$select=id", "2"),
        (f"/groups/{oid('sales')}/members?$select=id&$top=5", "1"),
        (f"/groups/{oid('sales')}/transitiveMembers", "5"),
        ("/users", "2"),
        ("/groups?$expand=members", "2"),
    ],
)
def test_resource_units(emulator: Emulator, path: str, units: str) -> None:
    assert emulator.get(path).headers["x-ms-resource-unit"] == units


def test_an_empty_bucket_answers_429_and_fills_again(emulator: Emulator, admin: EntraAdmin) -> None:
    admin.knobs(read_units=2, read_seconds=1.0)
    answers = [emulator.get("/groups") for _unused in range(4)]
    assert [answer.status_code for answer in answers][:2] == [200, 200]
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert code_and_message(refused)[1] == "TooManyRequests"
    time.sleep(int(refused.headers["Retry-After"]))
    assert emulator.get("/groups").status_code == 200


def test_writes_have_a_bucket_of_their_own(emulator: Emulator, admin: EntraAdmin) -> None:
    admin.knobs(write_units=1)
    path = f"/groups/{oid('sales')}"
    statuses = [emulator.call("PATCH", path, json={"description": "x"}).status_code for _unused in range(2)]
    assert statuses == [204, 429]
    assert emulator.get(path).status_code == 200


# Lag


def test_eventual_reads_lag_behind_for_a_number_of_reads(emulator: Emulator, admin: EntraAdmin) -> None:
    admin.knobs(lag_reads=2)
    admin.create_group("fresh")
    path = "/groups?$count=true&$filter=displayName eq 'fresh'"
    counts = [emulator.get(path, headers=EVENTUAL).json()["@odata.count"] for _unused in range(4)]
    assert counts == [0, 0, 1, 1]
    emulator.call("PATCH", f"/groups/{oid('sales')}", json={"description": "new"})
    assert emulator.get(f"/groups/{oid('sales')}").json()["description"] == "new"


def test_lag_of_all_reads(emulator: Emulator, admin: EntraAdmin) -> None:
    admin.knobs(lag_reads=1, lag_scope="all")
    group = admin.create_group("fresh")
    assert [emulator.get(f"/groups/{group}").status_code for _unused in range(2)] == [404, 200]


# Record, snapshots, knobs


def test_the_record_tells_what_was_asked(emulator: Emulator, admin: EntraAdmin) -> None:
    emulator.get("/groups?$top=1", headers={**EVENTUAL, "client-request-id": "mine"})
    entry = admin.requests()[-1]
    assert (entry["method"], entry["path"], entry["status"], entry["units"]) == ("GET", "/v1.0/groups?$top=1", 200, 1)
    assert entry["headers"]["consistencylevel"] == "eventual"
    emulator.get("/sites")
    assert admin.requests()[-1]["implemented"] is False
    admin.clear_requests()
    assert admin.requests() == []


def test_answers_carry_the_headers_of_the_service(emulator: Emulator) -> None:
    headers = emulator.get("/groups", headers={"client-request-id": "mine"}).headers
    assert headers["client-request-id"] == "mine"
    assert all(name in headers for name in ("request-id", "Date", "OData-Version", "x-ms-ags-diagnostic"))


def test_snapshots_bring_a_state_back(emulator: Emulator, admin: EntraAdmin) -> None:
    admin.add_member(oid("empty"), oid("u0"))
    admin.snapshot("one member")
    admin.remove_member(oid("empty"), oid("u0"))
    admin.restore_snapshot("one member")
    assert admin.members(oid("empty")) == [oid("u0")]
    admin.reset()
    assert admin.members(oid("empty")) == []


def test_the_lab_may_what_graph_refuses(emulator: Emulator, admin: EntraAdmin) -> None:
    for group in ("synced", "dynamic", "postroom"):
        admin.add_member(oid(group), oid("u7"))
        assert oid("u7") in admin.members(oid(group))
    created = admin.create_user("late", "late@contoso.onmicrosoft.com")
    admin.delete_user(created)
    admin.restore_user(created)
    found = admin.get_object(created)
    assert found is not None
    assert (found["type"], found["deletedDateTime"]) == ("user", None)


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("patch_group", {"group_id": oid("sales"), "nonsense": 1}),
        ("patch_group", {"group_id": oid("nobody"), "description": "x"}),
        ("add_member", {"group_id": oid("sales"), "object_id": oid("u0")}),
        ("add_member", {"group_id": oid("sales"), "object_id": oid("nobody")}),
        ("remove_member", {"group_id": oid("empty"), "object_id": oid("u0")}),
        ("set_cloud_managed", {"object_id": oid("sales"), "cloud_managed": True}),
        ("take_over", {"object_id": oid("sales")}),
        ("knobs", {"colour": 1}),
        ("knobs", {"lag_reads": "many"}),
        ("knobs", {"lag_scope": "some"}),
        ("restore_snapshot", {"name": "none"}),
    ],
)
def test_the_lab_side_refuses_nonsense(admin: EntraAdmin, operation: str, arguments: dict[str, Any]) -> None:
    before = admin.knobs()
    with pytest.raises(AdminError):
        getattr(admin, operation)(**arguments)
    assert admin.knobs() == before


def test_the_lab_side_needs_its_key(emulator: Emulator) -> None:
    with pytest.raises(AdminError, match="X-Lab-Key"):
        EntraAdmin(emulator.url, "wrong", str(emulator.pki.certificate)).reset()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda data: data["groups"][0].update(colour="red"), "group 'sales' has the property 'colour'"),
        (lambda data: data["groups"][0].update(mailEnabled="no"), "mailEnabled must be a boolean"),
        (lambda data: data["groups"][0]["members"].append(oid("nobody")), "which is not declared"),
        (lambda data: data["users"][0].update(id="u0"), "must be a GUID"),
        (lambda data: data["users"].append(data["users"][0]), "two objects have the id"),
        (lambda data: data.update(colour="red"), "unknown keys: colour"),
        (lambda data: data.pop("adminKey"), "lacks the keys: adminKey"),
        (lambda data: data["applications"][0].update(roless=[]), "unknown keys: roless"),
    ],
)
def test_a_wrong_configuration_is_refused_with_a_sentence(pki: Pki, tmp_path: Path, change: Any, sentence: str) -> None:
    data = configuration(pki, 1, tmp_path)
    change(data)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    finished = subprocess.run(
        [sys.executable, "-m", "tests.lab.entra", "--config", str(path)],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 2
    assert sentence in finished.stderr
    assert "Traceback" not in finished.stderr
