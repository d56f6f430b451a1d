# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One target domain of a lab, as the modules see it, with a state directory of its own."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

from tests.integration.modules.processes import ROOT, Anew, Ended, Processes
from tests.lab.api import Lab
from tests.lab.entra.admin import EntraAdmin
from tests.lab.inventory import host_vars

__all__ = ["ROOT", "Target"]

_ENTRA = ("tenant_id", "client_id", "client_secret", "login_url", "graph_url", "ca_cert", "scope_mode")
_DIRECTORY = (
    "domain_server",
    "domain_port",
    "domain_username",
    "domain_password",
    "domain_ca_cert",
    "managed_containers",
)
_SETTINGS = ("target_container",)


class Target:
    """Runs the modules against a lab's domain, and judges with ldapsearch.

    `processes` makes the process of a module: by default as Ansible does, in a Python of its own.
    """

    processes: ClassVar[Processes] = Anew()

    def __init__(
        self, lab: Lab, admin: EntraAdmin, state: Path, domain: str = "contoso.com", application: str = "gpad"
    ) -> None:
        self.lab, self.admin, self.state, self.domain = lab, admin, state, domain
        self.forest = lab.forest(domain)
        variables = host_vars(lab.settings, domain, application)
        self._vars = {name.removeprefix("gpad_"): value for name, value in variables.items()}
        self.snapshot = state / "snapshot.sqlite3"
        self.plan_path = state / "plan.jsonl"
        self.journal = state / "journal.sqlite3"

    def _call(
        self, module: str, names: tuple[str, ...], options: dict[str, Any], *, check: bool, diff: bool
    ) -> dict[str, Any]:
        arguments = {name: self._vars[name] for name in names} | options
        arguments = {name: value for name, value in arguments.items() if value is not None}
        arguments |= {"_ansible_check_mode": check, "_ansible_diff": diff}
        ended = self._run(module, arguments)
        lines = ended.output.splitlines()
        assert lines, ended.complaint
        result: dict[str, Any] = json.loads(lines[-1])
        assert "Traceback" not in ended.complaint, ended.complaint
        assert ended.code == (1 if result.get("failed") else 0), result
        return result

    def _run(self, module: str, arguments: dict[str, Any]) -> Ended:
        return self.processes.run(module, arguments)

    def scope(self, *groups: str, check: bool = False, **options: Any) -> dict[str, Any]:
        """Capture the named groups, or all."""
        chosen: dict[str, Any] = {"snapshot": str(self.snapshot)}
        if groups:
            chosen |= {"scope_mode": "selected", "selected_groups": list(groups)}
        return self._call("gpad_scope", _ENTRA, {**chosen, **options}, check=check, diff=False)

    def plan(self, *, check: bool = False, diff: bool = False, **options: Any) -> dict[str, Any]:
        """Plan from the snapshot."""
        paths = {"snapshot": str(self.snapshot), "journal": str(self.journal), "plan": str(self.plan_path)}
        return self._call("gpad_plan", _DIRECTORY + _SETTINGS, {**paths, **options}, check=check, diff=diff)

    def group(self, *, check: bool = False, diff: bool = False, **options: Any) -> dict[str, Any]:
        """Apply the group part of the plan, or of the snapshot where that is given."""
        return self._apply("gpad_group", check, diff, options)

    def membership(self, *, check: bool = False, diff: bool = False, **options: Any) -> dict[str, Any]:
        """Apply the member part of the plan, or of the snapshot where that is given."""
        return self._apply("gpad_membership", check, diff, options)

    def _apply(self, module: str, check: bool, diff: bool, options: dict[str, Any]) -> dict[str, Any]:
        paths: dict[str, Any] = {"journal": str(self.journal)}
        names: tuple[str, ...] = _DIRECTORY
        if "snapshot" in options:
            names = _DIRECTORY + _SETTINGS
        else:
            paths["plan"] = str(self.plan_path)
        return self._call(module, names, {**paths, **options}, check=check, diff=diff)

    def info(self, *gather: str, **options: Any) -> dict[str, Any]:
        """Gather information."""
        paths = {"snapshot": str(self.snapshot), "journal": str(self.journal), "gather": list(gather)}
        return self._call("gpad_info", _DIRECTORY + _SETTINGS, {**paths, **options}, check=False, diff=False)

    def soa(self, *groups: str, check: bool = False, diff: bool = False, **options: Any) -> dict[str, Any]:
        """Read the source of authority of groups, or change it."""
        names = tuple(name for name in _ENTRA if name != "scope_mode")
        return self._call("gpad_soa", names, {"groups": list(groups), **options}, check=check, diff=diff)

    def facts(self, *names: str, **options: Any) -> dict[str, Any]:
        """Gather what the directory says of groups for a change of their source of authority."""
        given = {"gather": ["soa"], "soa_groups": list(names), **options}
        return self._call("gpad_info", _DIRECTORY, given, check=False, diff=False)

    def prepare(self, *, check: bool = False, **options: Any) -> dict[str, Any]:
        """Plan what precedes a change of the source of authority, and apply it."""
        paths = {"journal": str(self.journal), "plan": str(self.plan_path)}
        plan = self._call("gpad_plan", _DIRECTORY + _SETTINGS, {**paths, **options}, check=check, diff=False)
        assert plan["outcome"] == "ok", plan
        return self.group(check=check)

    def keep(self, *, check: bool = False, **options: Any) -> dict[str, Any]:
        """Change what the journal remembers."""
        return self._call("gpad_journal", (), {"journal": str(self.journal), **options}, check=check, diff=False)

    def accept(self, *groups: str, check: bool = False) -> dict[str, Any]:
        """Accept the foreign members of groups."""
        return self.keep(accepted=list(groups), check=check)

    def undo(self, run: str, *, check: bool = False, **options: Any) -> dict[str, Any]:
        """Plan the way back from a run."""
        paths = {"undo": run, "journal": str(self.journal), "plan": str(self.plan_path)}
        return self._call("gpad_plan", _DIRECTORY + _SETTINGS, {**paths, **options}, check=check, diff=False)

    def age_fates(self) -> None:
        """Make the snapshot say of each absent group that it was first found so a day before."""
        with closing(sqlite3.connect(self.snapshot)) as database:
            changed = database.execute(
                "UPDATE fates SET since = strftime('%Y-%m-%dT%H:%M:%SZ', since, '-1 day') WHERE kind = 'absent'"
            )
            assert changed.rowcount > 0
            database.commit()

    def provision(self, *groups: str, **options: Any) -> None:
        """Capture, plan and apply, all of which must succeed."""
        mapped = {name: options[name] for name in ("attribute_mappings", "target_container") if name in options}
        self.snapshot_of(*groups, **mapped)
        self.apply_plan(**options)

    def entries(self, cloud_id: str) -> list[dict[str, list[str]]]:
        """Return the objects that carry the anchor of a cloud group."""
        anchor = f"(msDS-ExternalDirectoryObjectId=Group_{cloud_id})"
        return self.lab.ldapsearch(self.domain, self.forest.base_dn, anchor)

    def entry(self, cloud_id: str) -> dict[str, list[str]]:
        """Return the one object that carries the anchor of a cloud group."""
        entries = self.entries(cloud_id)
        assert len(entries) == 1, entries
        return entries[0]

    def members(self, cloud_id: str) -> set[str]:
        """Return the DNs of the members of a cloud group's object."""
        return set(self.entry(cloud_id).get("member", ()))

    def snapshot_of(self, *groups: str, **options: Any) -> None:
        """Capture the named groups, which must succeed."""
        result = self.scope(*groups, **options)
        assert result["outcome"] == "ok", result

    def apply_plan(self, **options: Any) -> dict[str, Any]:
        """Plan from the snapshot and apply, all of which must succeed; return the plan's result."""
        plan = self.plan(**options)
        for result in (plan, self.group(), self.membership()):
            assert result["outcome"] == "ok", result
        return plan

    def usn(self) -> dict[str, int]:
        """Return uSNChanged of every object in the managed containers."""
        return self.lab.usn_changed(self.domain, self.forest.managed_containers)

    def modify(self, dn: str, *changes: str) -> None:
        """Modify an object as administrator, each change being lines of LDIF."""
        self.lab.ldapmodify(self.domain, f"dn: {dn}\nchangetype: modify\n" + "\n-\n".join(changes) + "\n")

    def person(self, name: str) -> str:
        """Return the DN of one of the scenario's people."""
        return f"CN={name},OU=People,{self.forest.base_dn}"

    def grant(self, dn: str, *aces: str) -> None:
        """Append access control entries, in SDDL, to those of an object."""
        self.lab.append_aces(self.domain, dn, "".join(aces))

    def own(self, dn: str, sid: str) -> None:
        """Give an object another owner, as if that account had created it."""
        self.lab.set_owner(self.domain, dn, sid)

    def protect_from_deletion(self, dn: str) -> None:
        """Do what the tick "Protect object from accidental deletion" does."""
        self.grant(dn, "(D;;SDDT;;;WD)")
