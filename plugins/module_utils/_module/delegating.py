# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runner of gpad_delegate."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import delegating, preflight
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.delegating import Held
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.arguments import DIRECTORY, RESULTS, Spec
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.connecting import (
    LIBRARIES,
    open_session,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.result import report_result, run_module
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import delegation
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.attributes import (
    MAPPED,
    SAM,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.delegation import Grant, Place
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    DirectoryError,
    GpadError,
    ObjectError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ownership import managed_containers
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Notice, Problem
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.report import Report

_BY_HAND = (
    "Its access control list cannot be read. As an administrator, take it over and give the account LCRP: "
    'dsacls "CN=Deleted Objects,..." /takeownership, then /G "DOMAIN\\account:LCRP".'
)

_LDIF_HEAD = """\
# Gives the service account its rights. Review it, and import it as a Domain Admin at once: each list is replaced as a
# whole, and what others changed in it since is lost. The script for PowerShell adds to what is there then.
"""


def run() -> None:
    """Run the module gpad_delegate."""
    catalog = ("global_catalog_server", "global_catalog_port")
    directory = {name: spec for name, spec in DIRECTORY.items() if name not in catalog}
    options: Spec = {
        "account": {"type": "str", "required": True},
        "attributes": {"type": "list", "elements": "str", "default": []},
        "restore": {"type": "bool", "default": True},
        "create_containers": {"type": "bool", "default": False},
        "apply": {"type": "bool", "default": False},
    }
    run_module({**directory, **options, **RESULTS}, _delegate, LIBRARIES)


def _delegate(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    containers = managed_containers(params["managed_containers"])
    report = Report(params["max_results"])
    with closing(open_session(params)) as session:
        root = preflight.read_root(session)
        if root is None:
            raise DirectoryError(
                "The server is not an Active Directory domain controller.", "Check domain_server.", code="not_a_dc"
            )
        sid = delegating.resolve_account(session, root.base, params["account"])
        wrong = delegation.account_problem(sid)
        if wrong:
            raise ConfigurationError(f"account: {sid}: {wrong}.", "Name the service account of provisioning.")
        mapped = (*(name for name in MAPPED if name != SAM), *params["attributes"])
        names = delegation.needed_attributes(mapped, restore=params["restore"])
        guids = delegating.schema_guids(session, root.schema, names)
        wanted = list(delegation.grants(sid, guids, restore=params["restore"], units=params["create_containers"]))
        held = list(delegating.read_objects(session, root.base, containers, restore=params["restore"]))
        delegating.refuse_system_groups(session, containers)
        lacking = {
            one: delegation.missing(one.descriptor, [grant for grant in wanted if grant.place is one.place])
            for one in held
        }
        lacking = {one: grants for one, grants in lacking.items() if grants}
        refused = _apply(session, lacking, report) if params["apply"] and not module.check_mode else frozenset[str]()
    if params["restore"] and not any(one.place is Place.DELETED for one in held):
        report.remark(Notice("", f"CN=Deleted Objects,{root.base}", "deleted_objects_by_hand", _BY_HAND))
    by_dn = {one.dn: grants for one, grants in lacking.items()}
    changed = params["apply"] and bool(by_dn.keys() - refused)
    return _result(module, report, sid, by_dn, _ldif(lacking), changed=changed)


def _apply(session: Session, lacking: Mapping[Held, Sequence[Grant]], report: Report) -> frozenset[str]:
    """Write what is lacking; return the DNs of the objects where that was refused, or not tried any more."""
    refused = {one.dn for one in lacking}
    for one, grants in lacking.items():
        error = _refused(session, one, grants)
        if error is None:
            refused.remove(one.dn)
        elif isinstance(error, ObjectError):
            report.remark(Problem("", one.dn, error.code, error.message, error.remedy))
        else:
            # What was written before stays, and has to be told.
            report.stopped(error)
            break
    return frozenset(refused)


def _refused(session: Session, one: Held, grants: Sequence[Grant]) -> GpadError | None:
    try:
        delegating.write_entries(session, one, grants)
    except GpadError as error:
        return error
    return None


def _ldif(lacking: Mapping[Held, Sequence[Grant]]) -> str:
    """Return the changes as LDIF; each replaces a list, and holds only as long as nobody else changes it."""
    parts: list[str] = []
    for one, grants in lacking.items():
        value = base64.b64encode(delegating.changed_list(one, [grant.ace for grant in grants])).decode()
        name = base64.b64encode(one.dn.encode()).decode()
        # The control is SD flags for the DACL alone (RFC 2849).
        parts.append(
            f"dn:: {name}\ncontrol: 1.2.840.113556.1.4.801 true:: MAMCAQQ=\n"
            f"changetype: modify\nreplace: nTSecurityDescriptor\nnTSecurityDescriptor:: {value}\n-\n"
        )
    return _LDIF_HEAD + "\n".join(parts) if parts else ""


def _result(
    module: AnsibleModule,
    report: Report,
    sid: str,
    lacking: Mapping[str, Sequence[Grant]],
    ldif: str,
    *,
    changed: bool,
) -> dict[str, Any]:
    grants = [
        {"dn": dn, "purpose": grant.purpose, "sddl": delegation.sddl(grant.ace)}
        for dn, wanted in lacking.items()
        for grant in wanted
    ]
    report.summary["grants_missing"] = len(grants)
    result = report_result(
        module,
        report,
        changed=changed,
        account_sid=sid,
        grants=grants,
        sddl={dn: "".join(delegation.sddl(grant.ace) for grant in wanted) for dn, wanted in lacking.items()},
        powershell=delegation.powershell(sid, lacking) if lacking else "",
        ldif=ldif,
    )
    if module._diff:
        after = "".join(f"{grant['dn']}: {grant['purpose']} {grant['sddl']}\n" for grant in grants)
        result["diff"] = {"before": "", "after": after}
    return result
