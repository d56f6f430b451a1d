# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two halves of the preflight table on the lab."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.modules.objects import add_group, unique
from tests.integration.modules.target import ROOT, Target
from tests.integration.modules.test_writers import TEMPLATE
from tests.lab.api import Lab
from tests.lab.entra.admin import EntraAdmin

RECYCLING = ROOT / "tests" / "integration" / "adapter" / "enable_recycle_bin.py"


def table(result: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return the rows by their check."""
    rows = result["preflight"] if "preflight" in result else result["info"]["preflight"]
    assert all(set(row) == {"check", "status", "found", "remedy"} for row in rows)
    return {row["check"]: row for row in rows}


def not_ok(rows: dict[str, dict[str, str]]) -> dict[str, str]:
    return {check: row["status"] for check, row in rows.items() if row["status"] != "ok"}


@pytest.fixture
def own(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Iterator[Target]:
    """A lab of its own, whose domain other tests have not changed."""
    scenario = ROOT / "tests" / "lab" / "scenarios" / "tutorial.yml"
    with Lab.up(scenario, tmp_path_factory.mktemp("preflight") / "lab", "auto") as running:
        entra = running.settings.entra
        assert entra is not None
        admin = EntraAdmin(entra.admin_url, entra.admin_key, entra.ca_cert)
        yield Target(running, admin, tmp_path)
        admin.close()


def test_the_account_of_the_lab_may_do_what_is_needed_before_and_after_the_first_run(own: Target) -> None:
    container = own.forest.managed_containers[0]
    rows = table(own.info("preflight"))
    assert not_ok(rows) == {"Recycle Bin": "warning", "members against max_members": "unknown"}, rows
    assert "by what they inherit" in rows[f"write groups in {container}"]["found"]

    cloud_id = own.admin.create_group("Preflight")
    own.provision(cloud_id)
    held = own.usn()
    rows = table(own.info("preflight", max_members=0))
    assert not_ok(rows) == {"Recycle Bin": "warning"}, rows
    assert rows[f"write groups in {container}"]["found"].startswith("allowed on CN=Preflight")
    assert "1 groups looked at" in rows[f"delete and move groups in {container}"]["found"]
    assert "1 groups in scope" in rows["members against max_members"]["found"]

    dn = own.entry(cloud_id)["dn"][0]
    assert own.usn() == held
    own.protect_from_deletion(dn)
    own.modify(dn, "replace: adminCount\nadminCount: 1")
    rows = table(own.info("preflight"))
    assert dn in rows[f"protected from deletion in {container}"]["found"]
    assert dn in rows[f"groups under AdminSDHolder in {container}"]["found"]
    # Delete Child on the container outweighs an entry on the group alone, as it does on Windows.
    assert not_ok(rows) == {
        "Recycle Bin": "warning",
        f"protected from deletion in {container}": "warning",
        f"groups under AdminSDHolder in {container}": "warning",
    }
    forest = Path(own.lab.settings.dir) / "forests" / own.domain
    subprocess.run(["/usr/bin/python3", str(RECYCLING)], cwd=forest, check=True, capture_output=True)
    assert table(own.info("preflight"))["Recycle Bin"] == {
        "check": "Recycle Bin",
        "status": "ok",
        "found": "on",
        "remedy": "",
    }


def test_a_poor_account_is_told_what_it_lacks(target: Target) -> None:
    before = target.usn()
    reader = target.forest.reader_account
    rows = table(target.info("preflight", domain_username=reader.username, domain_password=reader.password))
    container = target.forest.managed_containers[0]
    assert rows[f"create groups in {container}"]["status"] == "failed"
    assert rows[f"write groups in {container}"]["status"] == "failed"
    assert "member" in rows[f"write groups in {container}"]["found"]
    for check in (f"delete and move groups in {container}", f"restore groups to {container}", "see deleted objects"):
        assert rows[check]["status"] == "warning" and rows[check]["remedy"], rows[check]
    assert rows["reanimate tombstones"]["status"] == "warning"
    assert target.usn() == before


def test_an_administrator_is_too_much(target: Target) -> None:
    admin = target.forest.administrator
    rows = table(target.info("preflight", domain_username=admin.username, domain_password=admin.password))
    assert rows["account"]["status"] == "warning" and "it is an administrator" in rows["account"]["found"]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"domain_password": "wrong"}, "svc-gpad"),
        ({"domain_port": 1}, "does not answer"),
        ({"domain_ca_cert": None}, "is not trusted"),
    ],
)
def test_a_domain_controller_that_cannot_be_asked_is_a_row(target: Target, change: dict[str, Any], found: str) -> None:
    result = target.info("preflight", **change)
    assert result["outcome"] == "ok"
    rows = table(result)
    assert rows["domain controller"]["status"] == "failed" and found in rows["domain controller"]["found"]
    assert rows["all that is asked of the domain controller"]["status"] == "unknown"


def test_a_container_that_is_not_there_keeps_nothing_else_from_being_told(target: Target) -> None:
    there = target.forest.managed_containers[0]
    missing = f"OU=Nowhere,{target.forest.base_dn}"
    rows = table(target.info("preflight", managed_containers=[missing, there]))
    assert rows[f"container {missing}"]["status"] == "failed"
    assert rows[f"container {there}"]["status"] == "ok" and "group SIDs in users' tokens" in rows


def test_units_are_judged_where_they_are_to_be_created(target: Target) -> None:
    check = f"create organizational units in {target.forest.managed_containers[0]}"
    assert check not in table(target.info("preflight"))
    assert table(target.info("preflight", create_containers=True))[check]["status"] == "failed"
    admin = target.forest.administrator
    options = {"domain_username": admin.username, "domain_password": admin.password, "create_containers": True}
    assert table(target.info("preflight", **options))[check]["status"] == "ok"


def test_the_attributes_of_the_mappings_must_be_writable(target: Target) -> None:
    mapped = [{"target": "info", "source": "mail"}, {"target": "streetAddress", "source": "mail"}]
    container = f"OU=Marketing,{target.forest.base_dn}"
    row = table(target.info("preflight", attribute_mappings=mapped))[f"write groups in {container}"]
    assert row["status"] == "failed" and row["found"].endswith(": streetAddress")


def test_a_policy_is_read_and_explained(target: Target) -> None:
    base, sid = target.forest.base_dn, ""
    folder = f"CN=SOA-Policies,CN=System,{base}"
    marked = add_group(target, unique("Marked"))
    (person,) = target.lab.ldapsearch(target.domain, target.person("Britta Simon"), "(objectClass=*)")
    sid = person["objectSid"][0]
    add = "changetype: add\nobjectClass: "
    target.lab.ldapmodify(
        target.domain,
        f"dn: {folder}\n{add}container\n\ndn: CN=CloudSyncSOAPolicy,{folder}\n{add}serviceConnectionPoint\n"
        f"keywords: EnforcementMode=Enforced\nmsDS-Settings: {sid}\n",
    )
    try:
        target.modify(marked, "replace: msDS-ObjectSoa\nmsDS-ObjectSoa: Cloud")
        rows = table(target.info("preflight"))
        assert "changes by others are refused" in rows["enforcement policy"]["found"]
        assert f"bsimon ({sid})" in rows["enforcement policy"]["found"]
        assert rows["enforcement: own account"]["status"] == "failed"
        assert rows["enforcement: domain controllers"]["status"] == "warning"
        assert "dc1.contoso.com (Samba" in rows["enforcement: domain controllers"]["found"]

        # The change is what it says: an administrator imports it, nothing else is needed, and none is given again.
        (policy,) = target.info("enforcement")["info"]["enforcement"]["policies"]
        assert (policy["mode"], policy["own_account_listed"]) == ("enforced", False)
        target.lab.ldapmodify(target.domain, policy["change"]["ldif"])
        told = target.info("enforcement")["info"]["enforcement"]
        (policy,) = told["policies"]
        assert [one["name"] for one in policy["allowed"]] == ["bsimon", "svc-gpad"]
        assert (policy["own_account_listed"], policy["change"]) == (True, None)
        assert [(one["system"], one["enforces"]) for one in told["controllers"]] == [("Samba", "no")]
        assert table(target.info("preflight"))["enforcement: own account"]["status"] == "ok"

        # An empty list is never filled by a change of ours.
        target.lab.ldapmodify(
            target.domain, f"dn: CN=CloudSyncSOAPolicy,{folder}\nchangetype: modify\ndelete: msDS-Settings\n"
        )
        (policy,) = target.info("enforcement")["info"]["enforcement"]["policies"]
        assert policy["change"] is None and "empty" in policy["no_change_because"]
    finally:
        target.modify(marked, "delete: msDS-ObjectSoa")
        target.lab.ldapmodify(
            target.domain,
            f"dn: CN=CloudSyncSOAPolicy,{folder}\nchangetype: delete\n\ndn: {folder}\nchangetype: delete\n",
        )


def test_groups_are_marked_and_detached_without_the_mark(target: Target) -> None:
    cloud_id = target.admin.create_group("Marked")
    # Other tests may have left marked groups there.
    before = len(target.lab.ldapsearch(target.domain, target.forest.base_dn, "(msDS-ObjectSoa=*)", "1.1"))
    target.snapshot_of(cloud_id)
    assert target.plan(mark_authority=False)["changes"][0]["action"] == "create"
    target.apply_plan(mark_authority=True)
    assert target.entry(cloud_id)["msDS-ObjectSoa"] == ["Cloud"]
    assert target.plan(mark_authority=True)["changes"] == []
    rows = table(target.info("preflight", mark_authority=True))
    assert rows["enforcement: mark"]["status"] == "ok"
    assert f"; {before + 1} groups are marked" in rows["enforcement policy"]["found"]

    dn = target.entry(cloud_id)["dn"][0]
    target.admin.delete_group(cloud_id)
    target.snapshot_of("Sales", plan=str(target.plan_path))
    plan = target.plan(retire={"soft_deleted": "detach"})
    for result in (target.group(approve=plan["checksum"]), target.membership(approve=plan["checksum"])):
        assert result["outcome"] == "ok", result
    (held,) = target.lab.ldapsearch(target.domain, dn, "(objectClass=*)")
    assert "msDS-ObjectSoa" not in held and "msDS-ExternalDirectoryObjectId" not in held


def test_the_side_of_entra_is_looked_at_and_nothing_is_captured(target: Target) -> None:
    rows = table(target.scope(preflight=True))
    assert not target.snapshot.exists()
    assert rows["log-on to Entra ID"]["status"] == "ok"
    assert rows["tenant"]["status"] == "ok" and "AAD" in rows["tenant"]["found"]
    assert rows["Graph permissions beyond what is needed"]["status"] == "warning"
    assert rows["other provisioning jobs"]["status"] == "ok"
    job = {"id": "AD2AAD.1", "templateId": "AAD2ADGroupProvisioning", "status": {"code": "Active"}}
    principal = {"displayName": "Cloud Sync", "applicationTemplateId": TEMPLATE, "synchronizationJobs": [job]}
    made = target.admin.create("servicePrincipal", principal)
    try:
        row = table(target.scope(preflight=True))["other provisioning jobs"]
        assert row["status"] == "failed" and "Cloud Sync, job" in row["found"] and row["remedy"]
        vouched = table(target.scope(preflight=True, other_writers="disjoint"))
        assert vouched["other provisioning jobs"]["status"] == "warning"
    finally:
        target.admin.purge(made)
    target.admin.knobs(tenant_type="CIAM")
    try:
        assert table(target.scope(preflight=True))["tenant"]["status"] == "failed"
    finally:
        target.admin.knobs(tenant_type="AAD")


def test_a_log_on_that_is_refused_is_a_row(target: Target) -> None:
    rows = table(target.scope(preflight=True, client_secret="wrong"))
    assert rows["log-on to Entra ID"]["status"] == "failed" and "AADSTS7000215" in rows["log-on to Entra ID"]["found"]
    assert rows["all that is asked of Microsoft Graph"]["status"] == "unknown"
