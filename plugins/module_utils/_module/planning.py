# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runner of gpad_plan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.arguments import (
    DIRECTORY,
    RESULTS,
    SETTINGS,
    Spec,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.directory_side import (
    LIBRARIES,
    make_plan,
    open_directory,
    settings_of,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.result import report_result, run_module
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import BlockedError, Outcome
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.report import Report, worst
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.files import require_folder
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.snapshot import Snapshot


def run() -> None:
    """Run the module gpad_plan."""
    target = {**SETTINGS, "target_container": {**SETTINGS["target_container"], "required": True}}
    stores: Spec = {
        "snapshot": {"type": "path", "required": True},
        "journal": {"type": "path", "required": True},
        "plan": {"type": "path", "required": True},
    }
    run_module({**DIRECTORY, **target, **stores, **RESULTS}, _plan, LIBRARIES)


def _plan(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    settings = settings_of(params)
    require_folder(Path(params["plan"]))
    snapshot = Snapshot(Path(params["snapshot"]))
    journal = JournalFile(Path(params["journal"]), writable=False)
    report = Report(params["max_results"])
    path = Path(params["plan"])
    with open_directory(params, settings.mapper.targets) as (session, reader):
        planned = make_plan(settings, snapshot, reader, journal, path, check_mode=module.check_mode)
    for item in planned.file.items():
        report.plan_item(item)
    would_change = report.changed
    for text in planned.file.footer.breaches:
        report.stopped(
            BlockedError(
                f"The plan exceeds a limit: {text}.",
                "Look at the plan; if it is right, raise the limit for this run.",
                code="limit_exceeded",
            )
        )
    if snapshot.header.incomplete:
        report.outcome = worst(report.outcome, Outcome.INCOMPLETE)
    report.summary["operations"] = sum(session.operations.values())
    return report_result(
        module,
        report,
        changed=False,
        would_change=would_change,
        plan=str(path),
        plan_id=planned.file.header.plan_id,
        checksum=planned.file.footer.checksum,
        server=planned.file.header.server,
    )
