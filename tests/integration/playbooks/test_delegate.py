# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role that gives rights, judged by what the account may do then, and by what samba-tool reads."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.integration.modules.objects import unique
from tests.integration.modules.target import Target
from tests.integration.playbooks.player import Play, play
from tests.lab.inventory import host_vars, write_hosts

DELEGATE = "hybrid_identity.gpad.delegate"
# What Samba itself sets on a restored group, with the caller's rights.
RESTORED = ["adminCount", "isRecycled", "objectCategory", "operatorCount", "sAMAccountType"]


@pytest.fixture
def container(target: Target) -> str:
    """A new unit, on which nobody was given anything."""
    dn = f"OU={unique('Delegated')},{target.forest.base_dn}"
    target.lab.ldapmodify(target.domain, f"dn: {dn}\nchangetype: add\nobjectClass: organizationalUnit\n")
    return dn


def run(target: Target, container: str, *arguments: str, **more: object) -> Play:
    return run_each(target, container, {target.domain: more}, *arguments)


def run_each(target: Target, container: str, hosts: Mapping[str, Mapping[str, object]], *arguments: str) -> Play:
    """Run the playbook for hosts with variables of their own."""
    admin, reader = target.forest.administrator, target.forest.reader_account
    variables = {
        **host_vars(target.lab.settings, target.domain),
        "gpad_managed_containers": [container],
        "gpad_delegate_account": reader.username.partition("@")[0],
        "gpad_delegate_username": admin.username,
        "gpad_delegate_password": admin.password,
    }
    written = {host: {**variables, **more} for host, more in hosts.items()}
    inventory = write_hosts(target.state / "inventory.yml", written)
    return play(inventory, *arguments, home=target.state, playbook=DELEGATE)


def sddl(target: Target, dn: str) -> str:
    """Return what samba-tool says of the list of an object."""
    here = Path(target.lab.settings.dir) / "forests" / target.domain
    done = subprocess.run(
        ["/usr/bin/samba-tool", "dsacl", "get", f"--objectdn={dn}", "-s", "server.conf", "-H", "private/sam.ldb"],
        cwd=here,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def aces(text: str) -> list[str]:
    return re.findall(r"\([^)]*\)", text)


def test_rights_are_shown_left_for_review_and_given_once(target: Target, container: str) -> None:
    scripts = target.state / "review"
    scripts.mkdir()
    before = aces(sddl(target, container))
    target.grant(container, "(D;;SW;;;S-1-5-32-546)")
    kept = aces(sddl(target, container))
    assert len(kept) == len(before) + 1

    shown = run(target, container, gpad_delegate_script_directory=str(scripts))
    assert shown.code == 0 and "create, move and delete groups" in shown.output, shown.output
    (script,) = scripts.glob("*.ps1")
    assert f"Add-Right '{container}'" in script.read_text()
    dry = run(target, container, "--check", "--diff", gpad_delegate_apply=True)
    assert dry.code == 0 and dry.changed == {target.domain: 1}, dry.output
    assert aces(sddl(target, container)) == kept

    done = run(target, container, gpad_delegate_apply=True, gpad_delegate_attributes=RESTORED)
    assert done.code == 0 and done.changed == {target.domain: 1}, done.output
    held = aces(sddl(target, container))
    assert set(kept) <= set(held)
    (account,) = target.lab.ldapsearch(target.domain, target.forest.base_dn, "(sAMAccountName=svc-reader)")
    added = set(held) - set(kept)
    assert added and all(account["objectSid"][0] in ace for ace in added)
    again = run(target, container, gpad_delegate_apply=True, gpad_delegate_attributes=RESTORED)
    assert again.code == 0 and again.changed == {target.domain: 0} and "All rights are there" in again.output
    assert "take it over" in again.output

    # The account may now do all that provisioning does there, and the preflight says so.
    reader = target.forest.reader_account
    options: dict[str, Any] = {
        "domain_username": reader.username,
        "domain_password": reader.password,
        "managed_containers": [container],
    }
    by_hand = ("Recycle Bin", "see deleted objects")
    rows = target.info("preflight", **options)["info"]["preflight"]
    lacking = [row for row in rows if row["status"] in ("failed", "warning") and row["check"] not in by_hand]
    assert lacking == [], lacking
    cloud_id = target.admin.create_group(unique("Given"))
    target.snapshot_of(cloud_id)
    plan = target.plan(target_container=container, **options)
    assert plan["outcome"] == "ok", plan
    for result in (target.group(**options), target.membership(**options)):
        assert result["outcome"] == "ok", result
    assert target.entry(cloud_id)["dn"][0].endswith(container)


def test_the_ldif_gives_the_same_rights(target: Target, container: str) -> None:
    scripts = target.state / "review"
    scripts.mkdir()
    only = {"gpad_delegate_restore": False, "gpad_delegate_account": "svc-gpad"}
    assert run(target, container, gpad_delegate_script_directory=str(scripts), **only).code == 0
    (ldif,) = scripts.glob("*.ldif")
    before = aces(sddl(target, container))
    target.lab.ldapmodify(target.domain, ldif.read_text())
    assert set(before) < set(aces(sddl(target, container)))
    done = run(target, container, gpad_delegate_apply=True, **only)
    assert done.code == 0 and done.changed == {target.domain: 0}, done.output


def parts(text: str) -> dict[str, str]:
    """Return owner, group, DACL and SACL of a descriptor in SDDL, each behind its letter."""
    return dict(re.findall(r"([OGDS]):(.*?)(?=[GDS]:|\s|$)", text.partition("descriptor for")[2].partition(":")[2]))


def test_what_cannot_be_given_is_an_error(target: Target, container: str) -> None:
    (account,) = target.lab.ldapsearch(target.domain, target.forest.base_dn, "(sAMAccountName=svc-reader)")
    nobody_yet = f"{account['objectSid'][0].rpartition('-')[0]}-1000000"
    poor = target.forest.service_account
    wrong: dict[str, tuple[dict[str, object], str]] = {
        "container": ({"gpad_managed_containers": ["OU=Nowhere,DC=contoso,DC=com"]}, "does not exist"),
        "nobody": ({"gpad_delegate_account": "nobody-at-all"}, "names 0 accounts"),
        "nobody-yet": ({"gpad_delegate_account": nobody_yet}, "names 0 accounts"),
        "everyone": ({"gpad_delegate_account": "S-1-1-0"}, "no account of a domain"),
        "built-in": ({"gpad_delegate_account": "Domain Users"}, "built-in account or group"),
        "system": ({"gpad_managed_containers": ["CN=Users,DC=contoso,DC=com"]}, "holds groups of the system"),
        "attribute": ({"gpad_delegate_attributes": ["noSuchThing"]}, "has no attribute noSuchThing"),
        "poor": (
            {
                "gpad_delegate_username": poor.username,
                "gpad_delegate_password": poor.password,
                "gpad_delegate_restore": False,
            },
            "permission_denied",
        ),
    }
    places = [container, f"CN=Users,{target.forest.base_dn}"]
    before = [sddl(target, place) for place in places]
    hosts = {host: {"gpad_delegate_apply": True, **more} for host, (more, _told) in wrong.items()}
    done = run_each(target, container, hosts)
    assert done.code != 0 and done.failed == dict.fromkeys(wrong, 1), done.output
    for host, (_more, told) in wrong.items():
        assert told in done.complaint(host), (host, done.output)
    assert [sddl(target, place) for place in places] == before


def test_a_protected_list_stays_protected_and_keeps_owner_group_and_audit(target: Target, container: str) -> None:
    target.lab.protect_list(target.domain, container)
    before = parts(sddl(target, container))
    assert before["D"].startswith("P") and before["O"] and before["S"]
    done = run(target, container, gpad_delegate_apply=True, gpad_delegate_restore=False)
    assert done.code == 0, done.output
    after = parts(sddl(target, container))
    assert [after[name] for name in "OGS"] == [before[name] for name in "OGS"]
    assert after["D"].partition("(")[0] == before["D"].partition("(")[0]
    assert set(aces(before["D"])) < set(aces(after["D"]))
