# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""An application that lacks a permission, an expired secret, a schema that is too old, an authority that matters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.modules.target import ROOT, Target
from tests.lab.api import Lab
from tests.lab.entra.admin import EntraAdmin
from tests.lab.scenario import object_id


@pytest.fixture(scope="module")
def lacking_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    scenario = ROOT / "tests" / "lab" / "scenarios" / "refusals.yml"
    with Lab.up(scenario, tmp_path_factory.mktemp("refusals") / "lab", "auto") as running:
        yield running


@pytest.fixture
def as_application(lacking_lab: Lab, tmp_path: Path) -> Callable[[str], Target]:
    entra = lacking_lab.settings.entra
    assert entra is not None
    admin = EntraAdmin(entra.admin_url, entra.admin_key, entra.ca_cert)
    return lambda name: Target(lacking_lab, admin, tmp_path, "old.test", name)


def test_a_schema_without_the_anchor_is_told(as_application: Callable[[str], Target]) -> None:
    target = as_application("gpad")
    assert target.scope()["outcome"] == "ok"
    result = target.plan()
    assert result["errors"][0]["code"] == "schema_too_old"
    assert "msDS-ExternalDirectoryObjectId" in result["msg"] and "2016" in result["msg"]


def test_an_expired_secret_is_told(as_application: Callable[[str], Target]) -> None:
    result = as_application("expired").scope()
    assert result["errors"][0]["code"] == "client_secret_expired"
    assert "expired" in result["msg"] and "AADSTS7000222" in result["msg"]


def test_a_missing_permission_is_named(as_application: Callable[[str], Target]) -> None:
    result = as_application("users_only").scope()
    assert result["errors"][0]["code"] == "permission_missing"
    assert "Group.Read.All" in result["msg"] and "it has: User.Read.All" in result["msg"]


def test_unreadable_members_and_authority_make_the_capture_incomplete(as_application: Callable[[str], Target]) -> None:
    result = as_application("groups_only").scope()
    assert result["outcome"] == "incomplete" and not result["fatal"]
    notices = {notice["code"]: notice["reason"] for notice in result["notices"]}
    assert "User.Read.All" in notices["members_unreadable"]
    assert "Group-OnPremisesSyncBehavior.ReadWrite.All" in notices["authority_unread"]
    reasons = {skip["id"]: skip["code"] for skip in result["skips"]}
    assert reasons[object_id("Converted Group")] == "authority_unknown"
    assert reasons[object_id("Rolled Back Group")] == "authority_unknown"


def test_other_writers_that_may_not_be_read_are_told_and_hinder_nothing(
    as_application: Callable[[str], Target],
) -> None:
    result = as_application("gpad").scope()
    assert result["outcome"] == "ok"
    (notice,) = result["notices"]
    assert notice["code"] == "other_writers_unread"
    assert "Application.Read.All and Synchronization.Read.All" in notice["reason"]


def test_authority_decides_over_groups_that_were_born_on_premises(as_application: Callable[[str], Target]) -> None:
    result = as_application("gpad").scope()
    decisions = {group["name"]: group["in_scope"] for group in result["groups"]}
    assert decisions == {"Born In Cloud": True, "Converted Group": True, "Rolled Back Group": False}
    reasons = {skip["id"]: skip["code"] for skip in result["skips"]}
    assert reasons == {object_id("Rolled Back Group"): "rolled_back"}


def test_the_certificate_logs_on_as_well(as_application: Callable[[str], Target]) -> None:
    target = as_application("gpad")
    entra = target.lab.settings.entra
    assert entra is not None
    path = entra.applications["gpad"].client_certificate_path
    assert target.scope(client_secret=None, client_certificate_path=path)["outcome"] == "ok"
    wrong = target.scope(client_secret=None, client_certificate_path=entra.ca_cert)
    assert "client_certificate_path" in wrong["msg"] and wrong["fatal"]
