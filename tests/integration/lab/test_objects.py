# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of every kind that a scenario may hold, and many users in few words."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from tests.lab.api import Lab
from tests.lab.scenario import ScenarioError
from tests.lab.scenario_file import load_scenario

OLD_SID = "S-1-5-21-1111111111-2222222222-3333333333-1234"
KINDS = f"""
forests:
  - domain: kinds.test
    organizational_units: [OU=Groups, OU=People]
    managed_containers: [OU=Groups]
    users: [{{name: Moved Mona, ou: OU=People, sid_history: [{OLD_SID}]}}]
    computers: [{{name: DESK1}}, {{name: DESK2, ou: OU=People}}]
    contacts: [{{name: Outside Counsel, attributes: {{mail: counsel@example.org}}}}]
    devices: [{{name: 0d2b8f6e-6ad5-4b0c-9d4c-0b7b0a7f3f11}}]
    bulk_users: {{count: 620, prefix: bulk, ou: OU=People}}
    groups:
      - {{name: Inner, scope: domain_local, ou: OU=Groups, members: [DESK1]}}
      - {{name: Outer, scope: domain_local, ou: OU=Groups, members: [Inner, Outside Counsel, Moved Mona]}}
"""
TENANT = """
tenant:
  users: [{name: Moved Mona, synced_from: kinds.test}]
  groups:
    - {name: Large, members: [Moved Mona], members_from_bulk: 600}
"""


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kinds") / "kinds.yml"
    path.write_text(KINDS, encoding="utf-8")
    return path


def test_a_forest_of_every_kind(scenario: Path, tmp_path: Path) -> None:
    with Lab.up(scenario, tmp_path / "lab", "auto") as lab:
        base = lab.forest("kinds.test").base_dn

        def classes(term: str) -> dict[str, str]:
            found = lab.ldapsearch("kinds.test", base, term, "objectClass")
            return {entry["dn"][0]: entry["objectClass"][-1] for entry in found}

        assert classes("(cn=DESK*)") == {
            f"CN=DESK1,CN=Computers,{base}": "computer",
            f"CN=DESK2,OU=People,{base}": "computer",
        }
        assert classes("(mail=counsel@example.org)") == {f"CN=Outside Counsel,CN=Users,{base}": "contact"}
        assert list(classes("(objectClass=msDS-Device)").values()) == ["msDS-Device"]
        assert len(classes("(sAMAccountName=bulk*)")) == 620
        (outer,) = lab.ldapsearch("kinds.test", base, "(cn=Outer)", "member")
        assert len(outer["member"]) == 3
        (mona,) = lab.ldapsearch("kinds.test", base, "(cn=Moved Mona)", "sIDHistory")
        assert base64.b64decode(mona["sIDHistory"][0])[-4:] == (1234).to_bytes(4, "little")


def test_bulk_users_are_mirrored_and_members_taken_from_them(tmp_path: Path) -> None:
    path = tmp_path / "bulk.yml"
    path.write_text(KINDS + TENANT, encoding="utf-8")
    tenant = load_scenario(path).tenant
    assert tenant is not None
    assert len([user for user in tenant.users if user.synced_from == "kinds.test"]) == 621
    assert tenant.groups[0].members[:2] == ("Moved Mona", "bulk00001")
    assert len(tenant.groups[0].members) == 601


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("members_from_bulk: 621", "members_from_bulk: 600"), ("members: [Nobody]", "members: [DESK1]")],
)
def test_what_is_not_there_is_refused(tmp_path: Path, wrong: str, right: str) -> None:
    path = tmp_path / "wrong.yml"
    text = KINDS + TENANT
    assert right in text
    path.write_text(text.replace(right, wrong), encoding="utf-8")
    with pytest.raises(ScenarioError):
        load_scenario(path)


def test_domains_of_one_forest_stand_behind_the_proxy(tmp_path: Path) -> None:
    path = tmp_path / "wrong.yml"
    path.write_text(f"domains_of_one_forest: [kinds.test, other.test]\n{KINDS}", encoding="utf-8")
    with pytest.raises(ScenarioError, match="policy: true"):
        load_scenario(path)
