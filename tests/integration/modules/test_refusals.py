# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input and failure: one clear sentence, no write, no traceback, no secret."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.integration.modules.target import Target
from tests.lab.scenario import object_id

NOWHERE = "127.0.0.251"


@pytest.fixture
def other_ca(tmp_path: Path) -> str:
    """A CA certificate that signed nothing in the lab."""
    import datetime

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Another CA")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "other-ca.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return str(path)


def refused(result: dict[str, Any], code: str, *words: str) -> None:
    """Compare a refusal: its code, the words that must stand in the sentence, and what must not be there."""
    assert result["failed"] and result["fatal"] and not result["changed"], result
    assert [error["code"] for error in result["errors"]] == [code], result["msg"]
    for word in words:
        assert word in result["msg"], result["msg"]
    assert "\n" not in result["msg"] or code.startswith("expression")
    assert "Traceback" not in json.dumps(result)


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ({"domain_server": NOWHERE}, "directory_unreachable", (NOWHERE, "domain_server")),
        ({"domain_password": "not-the-password"}, "directory_log_on_refused", ("domain_password",)),
        ({"domain_username": "nobody@contoso.com"}, "directory_log_on_refused", ("nobody@contoso.com",)),
        ({"domain_ca_cert": "/nowhere/ca.pem"}, "ca_cert_unreadable", ("domain_ca_cert", "/nowhere/ca.pem")),
        ({"managed_containers": []}, "configuration_invalid", ("managed_containers",)),
        ({"managed_containers": ["Groups"]}, "configuration_invalid", ("'Groups'", "OU=Groups,DC=contoso,DC=com")),
        ({"managed_containers": ["DC=contoso,DC=com"]}, "configuration_invalid", ("whole domain",)),
        ({"managed_containers": ["OU=No,DC=contoso,DC=com"]}, "managed_container_missing", ("OU=No",)),
        ({"managed_containers": ["OU=Groups,DC=other,DC=com"]}, "managed_container_elsewhere", ("DC=other",)),
        ({"target_container": ["displayName"]}, "expression_not_quoted", ("single quotes", "a list")),
        ({"target_container": True}, "expression_not_quoted", ("a Boolean",)),
        ({"target_container": ""}, "configuration_invalid", ("target_container is empty",)),
        ({"max_members": 0}, "configuration_invalid", ("max_members",)),
        ({"limits": {"renames": {"count": -1}}}, "configuration_invalid", ("renames.count",)),
    ],
)
def test_the_directory_side_refuses(target: Target, options: dict[str, Any], code: str, words: tuple[str, ...]) -> None:
    before = target.usn()
    target.scope(target.admin.create_group("Refused"))
    refused(target.plan(**options), code, *words)
    assert not target.plan_path.exists()
    assert target.usn() == before


def test_a_certificate_of_another_ca_is_not_trusted(target: Target, other_ca: str) -> None:
    target.scope(target.admin.create_group("Untrusted"))
    refused(target.plan(domain_ca_cert=other_ca), "directory_not_trusted", "domain_ca_cert")
    refused(target.scope(ca_cert=other_ca), "entra_not_trusted", "ca_cert")


def test_a_plain_port_does_not_get_the_password(target: Target) -> None:
    target.scope(target.admin.create_group("Plain"))
    result = target.plan(domain_port=389)
    assert result["errors"][0]["code"] in ("directory_not_trusted", "directory_unreachable")


def test_start_tls_works_and_verifies(target: Target, other_ca: str) -> None:
    target.scope(target.admin.create_group("StartTLS"))
    assert target.plan(domain_tls_mode="start_tls", domain_port=None)["outcome"] == "ok"
    refused(
        target.plan(domain_tls_mode="start_tls", domain_port=None, domain_ca_cert=other_ca), "directory_not_trusted"
    )


def test_a_malformed_expression_is_shown_with_its_position(target: Target) -> None:
    target.scope(target.admin.create_group("Malformed"))
    result = target.plan(target_container='Switch([displayName], "OU=Groups"')
    assert result["errors"][0]["code"] == "expression_invalid"
    assert "line 1" in result["msg"] and "^" in result["msg"] and "target_container" in result["msg"]


@pytest.mark.parametrize(
    ("container", "code"),
    [
        ("OU=People,DC=contoso,DC=com", "container_not_managed"),
        ("OU=Missing,OU=Groups,DC=contoso,DC=com", "container_missing"),
        ('"not a dn"', "container_not_managed"),
        ("[description]", "mapping_not_single"),
    ],
)
def test_a_container_that_cannot_be_used_stops_its_group(target: Target, container: str, code: str) -> None:
    cloud_id = target.admin.create_group("Homeless")
    target.scope(cloud_id)
    result = target.plan(target_container=container)
    assert [(error["id"], error["code"]) for error in result["errors"]] == [(cloud_id, code)]
    assert result["outcome"] == "partial" and not result["would_change"]


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ({"client_secret": "hunter2-not-the-secret"}, "client_secret_wrong", ("client_secret",)),
        ({"client_id": "11111111-2222-4333-8444-555555555555"}, "application_unknown", ("client_id",)),
        ({"tenant_id": "11111111-2222-4333-8444-555555555555"}, "tenant_unknown", ("tenant_id",)),
        ({"tenant_id": "contoso"}, "configuration_invalid", ("'contoso'",)),
        ({"graph_url": "http://127.0.0.1:1"}, "configuration_invalid", ("https",)),
        ({"login_url": f"https://{NOWHERE}"}, "entra_unreachable", (NOWHERE,)),
        ({"ca_cert": "/nowhere/ca.pem"}, "ca_cert_unreadable", ("/nowhere/ca.pem",)),
        ({"client_secret": None}, "configuration_invalid", ("client_secret", "managed_identity")),
        ({"snapshot": "/nowhere/snapshot"}, "store_failed", ("/nowhere/snapshot",)),
    ],
)
def test_the_cloud_side_refuses(target: Target, options: dict[str, Any], code: str, words: tuple[str, ...]) -> None:
    refused(target.scope(**options), code, *words)
    assert not target.snapshot.exists()


def test_an_entry_that_fits_two_groups_or_none_stops_no_other(target: Target) -> None:
    """Whoever may create groups could otherwise stop every run with a name that is taken."""
    good = target.admin.create_group("Not doubled")
    target.admin.create_group("Doubled")
    target.admin.create_group("Doubled")
    result = target.scope("Doubled", "No such group", good)
    assert result["outcome"] == "partial" and not result["fatal"]
    assert [(error["name"], error["code"]) for error in result["errors"]] == [
        ("Doubled", "selected_group_not_unique"),
        ("No such group", "selected_group_unknown"),
    ]
    assert result["summary"]["groups_in_scope"] == 1


def test_unknown_option_values_are_named(target: Target) -> None:
    target.scope(target.admin.create_group("Options"))
    assert "domain_tls_mode" in target.plan(domain_tls_mode="none")["msg"]
    assert "foreign_members" in target.plan(foreign_members="sometimes")["msg"]
    assert "scope_mode" in target.scope(scope_mode="some")["msg"]


def test_a_snapshot_of_another_tenant_is_refused(target: Target) -> None:
    cloud_id = target.admin.create_group("Tenant")
    target.provision(cloud_id)
    with closing(sqlite3.connect(target.snapshot)) as snapshot:
        other = json.dumps("99999999-2222-4333-8444-555555555555")
        snapshot.execute("UPDATE header SET value = ? WHERE name = 'tenant_id'", (other,))
        snapshot.commit()
    refused(target.plan(), "other_tenant", "99999999-2222-4333-8444-555555555555")
    refused(target.scope(cloud_id), "other_tenant", "99999999-2222-4333-8444-555555555555")


@pytest.mark.parametrize("damage", ["cut", "text", "empty"])
def test_a_damaged_snapshot_is_refused_and_made_anew(target: Target, damage: str) -> None:
    cloud_id = target.admin.create_group("Damaged")
    target.scope(cloud_id)
    content = {"cut": target.snapshot.read_bytes()[:5000], "text": b"not a database", "empty": b""}[damage]
    target.snapshot.write_bytes(content)
    refused(target.plan(), "snapshot_damaged", str(target.snapshot), "gpad_scope")
    assert target.scope(cloud_id)["outcome"] == "ok"
    assert target.plan()["outcome"] == "ok"


def test_missing_files_are_named(target: Target) -> None:
    refused(target.plan(), "snapshot_missing", str(target.snapshot))
    refused(target.group(), "plan_missing", str(target.plan_path))


def test_a_changed_plan_is_refused(target: Target) -> None:
    cloud_id = target.admin.create_group("Original")
    target.scope(cloud_id)
    target.plan()
    text = target.plan_path.read_text(encoding="utf-8")
    target.plan_path.write_text(text.replace("Original", "Forged"), encoding="utf-8")
    refused(target.group(), "plan_damaged", "checksum")
    target.plan_path.write_text("".join(text.splitlines(keepends=True)[:-1]), encoding="utf-8")
    refused(target.group(), "plan_damaged")
    assert target.entries(cloud_id) == []


def test_a_second_run_at_the_same_time_is_told(target: Target) -> None:
    import fcntl

    target.scope(target.admin.create_group("Busy"))
    target.plan()
    with (target.state / "journal.sqlite3.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        result = target.group()
    assert result["outcome"] == "blocked" and result["errors"][0]["code"] == "run_in_progress"
    assert target.group()["outcome"] == "ok"


def test_the_files_are_their_owners_alone(target: Target) -> None:
    cloud_id = target.admin.create_group("Private")
    report = target.state / "report.json"
    target.scope(cloud_id)
    target.plan(report_path=str(report))
    target.group()
    for path in (target.snapshot, target.plan_path, target.journal, report):
        assert path.stat().st_mode & 0o777 == 0o600, path


def test_without_rights_the_container_is_named_and_nothing_else_stops(target: Target) -> None:
    reader = target.forest.reader_account
    cloud_id = target.admin.create_group("No rights", [object_id("Britta Simon")])
    target.scope(cloud_id)
    target.plan()
    options: dict[str, Any] = {"domain_username": reader.username, "domain_password": reader.password}
    result = target.group(**options)
    assert result["outcome"] == "partial" and not result["changed"]
    assert [(error["id"], error["code"]) for error in result["errors"]] == [(cloud_id, "permission_denied")]
    assert target.entries(cloud_id) == []


def test_a_plan_for_other_containers_is_refused(target: Target) -> None:
    cloud_id = target.admin.create_group("Elsewhere")
    target.scope(cloud_id)
    target.plan()
    others = target.forest.managed_containers[1:]
    refused(target.group(managed_containers=others), "plan_of_other_containers", target.forest.managed_containers[0])
    assert target.entries(cloud_id) == []


def test_a_snapshot_older_than_the_last_applied_is_refused(target: Target) -> None:
    """It would give back what was taken away since."""
    cloud_id = target.admin.create_group("Aged", [object_id("Britta Simon")])
    target.provision(cloud_id)
    with closing(sqlite3.connect(target.snapshot)) as snapshot:
        snapshot.execute(
            "UPDATE header SET value = ? WHERE name = 'captured_at'", (json.dumps("2020-01-01T00:00:00Z"),)
        )
        snapshot.commit()
    refused(target.plan(), "snapshot_outdated", "2020-01-01T00:00:00Z", "gpad_scope")
