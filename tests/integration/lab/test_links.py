# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Links that are written as records are what Samba itself would have written."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.lab.api import Lab, LdapToolError

DOMAIN = "links.test"
SCENARIO = """
forests:
  - domain: links.test
    organizational_units: [OU=Groups, OU=People]
    managed_containers: [OU=Groups]
    prefork: true
    bulk_users: {count: 40, prefix: bulk, ou: OU=People}
    groups: [{name: One, ou: OU=Groups}, {name: Two, ou: OU=Groups}, {name: Three, ou: OU=Groups}]
"""


def errors(lab: Lab) -> str:
    """Return what Samba's own check of the database says last; it ends with an error when there is one."""
    check = ["samba-tool", "dbcheck", "--cross-ncs", "-s", "server.conf", "-H", "private/sam.ldb"]
    folder = Path(lab.forest(DOMAIN).krb5_conf).parent
    done = subprocess.run(check, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip().splitlines()[-1]


@pytest.mark.long
def test_samba_finds_nothing_to_mend_and_goes_on(tmp_path: Path) -> None:
    scenario = tmp_path / "links.yml"
    scenario.write_text(SCENARIO, encoding="utf-8")
    with Lab.up(scenario, tmp_path / "lab", "auto") as lab:
        base = lab.forest(DOMAIN).base_dn
        people = [f"CN=bulk{number:05},OU=People,{base}" for number in range(1, 41)]
        groups = [f"CN={name},OU=Groups,{base}" for name in ("One", "Two", "Three")]

        def values(dn: str, name: str) -> set[str]:
            (entry,) = lab.ldapsearch(DOMAIN, dn, "(objectClass=*)", name, scope="base")
            return set(entry.get(name, ()))

        lab.write_links(DOMAIN, {groups[0]: people, groups[1]: people[:3], groups[2]: groups[:1]})
        assert values(groups[0], "member") == set(people)
        assert values(groups[2], "member") == {groups[0]}
        assert values(people[0], "memberOf") == set(groups[:2])
        assert errors(lab).endswith("(0 errors)")

        # One that is there is found, whatever its place among the others; leaving and coming work as ever.
        for person in people:
            with pytest.raises(LdapToolError) as refused:
                lab.ldapmodify(DOMAIN, f"dn: {groups[0]}\nchangetype: modify\nadd: member\nmember: {person}\n")
            assert refused.value.code == 68
        lab.ldapmodify(DOMAIN, f"dn: {groups[0]}\nchangetype: modify\ndelete: member\nmember: {people[7]}\n")
        lab.ldapmodify(DOMAIN, f"dn: {groups[1]}\nchangetype: modify\nadd: member\nmember: {people[7]}\n")
        assert values(groups[0], "member") == set(people) - {people[7]}
        assert values(people[7], "memberOf") == {groups[1]}
        assert errors(lab).endswith("(0 errors)")
