# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How others make users members of groups in Active Directory; each as its documentation or its users have it."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import yaml

from tests.bench import measure
from tests.bench.openldap import account_name
from tests.bench.ours import play
from tests.bench.site import Site
from tests.lab.samba.controller import SYSTEM_PYTHON
from tests.tools import collections
from tests.tools.environments import install_packages, missing_packages

_NAIVE = Path(__file__).with_name("scripts") / "naive_ldap3.py"
SAMBA_TOOL = "/usr/bin/samba-tool"


class Step(Enum):
    """What is to be done."""

    ADD = "all members added"
    NOTHING = "nothing to change"
    ONE = "one member more in ten groups"


@dataclass(frozen=True, slots=True)
class Work:
    """What a contender is asked for.

    Parameters:
        site: the lab.
        domain: the contender's own.
        step: the kind of work.
        wanted: names of all members that the groups are to have, by title.
        missing: those of them that they do not have yet.
        limit: after so many seconds the contender is stopped.
    """

    site: Site
    domain: str
    step: Step
    wanted: Mapping[str, Sequence[str]]
    missing: Mapping[str, Sequence[str]]
    limit: float


def ldap_attrs(work: Work) -> measure.Run:
    """Run a playbook with community.general.ldap_attrs in a loop over the groups."""
    forest, folder = work.site.lab.forest(work.domain), work.site.folder
    members = work.site.wanted_dns(work.domain, work.wanted)
    groups = [{"dn": group, "members": names} for group, names in members.items()]
    task = {
        "name": "Add members",
        "community.general.ldap_attrs": {
            "dn": "{{ item.dn }}",
            "attributes": {"member": "{{ item.members }}"},
            "server_uri": f"ldaps://{forest.address}:{forest.ldaps_port}",
            "ca_path": forest.ca_cert,
            "bind_dn": forest.service_account.dn,
            "bind_pw": "{{ password }}",
        },
        "loop": "{{ wanted }}",
        "loop_control": {"label": "{{ item.dn }}"},
    }
    playbook, variables = folder / "ldap_attrs.yml", folder / "ldap_attrs.json"
    playbook.write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": [task]}]), encoding="utf-8")
    _write_private(variables, json.dumps({"wanted": groups, "password": forest.service_account.password}))
    inventory = folder / "ldap_attrs.ini"
    # python-ldap is the system's.
    host = f"localhost ansible_connection=local ansible_python_interpreter={SYSTEM_PYTHON}"
    inventory.write_text(f"{host}\n", encoding="utf-8")
    home = folder / "home"
    home.mkdir(exist_ok=True)
    given = (str(playbook), "-e", f"@{variables}")
    return play(home, inventory, *given, collections=collections.FOLDER, limit=work.limit)


def samba_tool(work: Work) -> measure.Run:
    """Call samba-tool once for each group: to add what is missing, or to list what is there."""
    forest = work.site.lab.forest(work.domain)
    where = ["-H", f"ldaps://{forest.address}:{forest.ldaps_port}", "--simple-bind-dn", forest.service_account.dn]
    # Over TLS 1.3 Samba's client waits in vain for what the proxy answers to its bind.
    tls = {
        "tls cafile": forest.ca_cert,
        "tls verify peer": "ca_and_name_if_available",
        "tls priority": "NORMAL:-VERS-TLS1.3",
    }
    trust = [f"--option={name}={value}" for name, value in tls.items()]
    calls = [
        [SAMBA_TOOL, "group", "listmembers", account_name(title)]
        if work.step is Step.NOTHING
        else [SAMBA_TOOL, "group", "addmembers", account_name(title), ",".join(work.missing[title])]
        for title in (work.wanted if work.step is Step.NOTHING else work.missing)
    ]
    script = work.site.folder / "samba_tool.sh"
    script.write_text("\n".join(shlex.join([*call, *where, *trust]) for call in calls) + "\n", encoding="utf-8")
    password = Path(forest.krb5_conf).with_name("service_account.password")
    return measure.run(["sh", "-e", str(script)], environment={"PASSWD_FILE": str(password)}, limit=work.limit)


def naive_ldap3(work: Work) -> measure.Run:
    """Run a script as people write it with ldap3."""
    forest = work.site.lab.forest(work.domain)
    given = {
        "server": f"ldaps://{forest.address}:{forest.ldaps_port}",
        "name": forest.fqdn,
        "ca_cert": forest.ca_cert,
        "user": forest.service_account.dn,
        "password": forest.service_account.password,
        "base": forest.base_dn,
        "groups": {account_name(title): list(members) for title, members in work.wanted.items()},
    }
    return measure.run([sys.executable, str(_NAIVE)], feed=json.dumps(given), limit=work.limit)


CONTENDERS: Mapping[str, Callable[[Work], measure.Run]] = {
    "ldap_attrs": ldap_attrs,
    "samba-tool": samba_tool,
    "naive ldap3": naive_ldap3,
}


def domain_of(contender: str) -> str:
    """Return the domain of a contender."""
    return f"{contender.replace(' ', '').replace('_', '')}.test"


def install() -> None:
    """Install what the contenders need and nothing else does.

    Raises:
        SetupError: python-ldap cannot be installed; the text says what to do.
        RuntimeError: community.general could not be had.
    """
    install_packages(missing_packages(("python3-ldap",)))
    if collections.main():
        raise RuntimeError("community.general comes out of a package of PyPI, which could not be downloaded.")


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
