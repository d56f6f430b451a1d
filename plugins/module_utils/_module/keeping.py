# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runner of gpad_journal."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.arguments import RESULTS, Spec
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.result import report_result, run_module
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    StoreError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.report import Report
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile


def run() -> None:
    """Run the module gpad_journal."""
    options: Spec = {
        "journal": {"type": "path", "required": True},
        "accepted": {"type": "list", "elements": "str", "default": []},
        "forgotten": {"type": "list", "elements": "str", "default": []},
        "stopped": {"type": "bool"},
        "stop_reason": {"type": "str", "default": "an administrator stopped them."},
    }
    run_module({**options, **RESULTS}, _keep, {})


def _keep(module: AnsibleModule) -> dict[str, Any]:
    path = Path(module.params["journal"])
    ids = {name: [_object_id(name, value) for value in module.params[name]] for name in ("accepted", "forgotten")}
    if not path.exists():
        raise StoreError(
            f"The journal {path} does not exist.", "Check the path; the first run creates it.", code="journal_not_there"
        )
    with ExitStack() as stack:
        journal = JournalFile(path, writable=not module.check_mode)
        stack.callback(journal.close)
        # The switch must work while a run holds the journal.
        switched = _switch(module, journal)
        if not module.check_mode and any(ids.values()):
            stack.enter_context(journal.locked())
        known = journal.known()
        unknown = [cloud_id for cloud_id in ids["accepted"] if cloud_id not in known]
        if unknown:
            raise StoreError(
                f"accepted: the journal {path} does not know the group {unknown[0]}.",
                "Provision it first; gpad_info lists the groups that are known.",
                code="group_unknown",
            )
        fresh = [cloud_id for cloud_id in dict.fromkeys(ids["accepted"]) if not known[cloud_id].accepted]
        gone = [cloud_id for cloud_id in dict.fromkeys(ids["forgotten"]) if cloud_id in known]
        if not module.check_mode:
            journal.accept(fresh)
            for cloud_id in gone:
                journal.forget(cloud_id)
        stopped = module.params["stopped"] if module.check_mode and switched else journal.stopped() is not None
    report = Report(module.params["max_results"])
    report.summary.update({"accepted": len(fresh), "forgotten": len(gone)})
    changed = bool(fresh or gone or switched)
    return report_result(module, report, changed=changed, accepted=fresh, forgotten=gone, stopped=stopped)


def _switch(module: AnsibleModule, journal: JournalFile) -> bool:
    """Stop runs or let them run again; return whether that is, or would be, a change."""
    wanted = module.params["stopped"]
    if wanted is None or wanted == (journal.stopped() is not None):
        return False
    if not module.check_mode:
        journal.stop(module.params["stop_reason"] if wanted else None)
    return True


def _object_id(option: str, value: str) -> str:
    cloud_id = identity.guid_text(value)
    if cloud_id is None:
        raise ConfigurationError(f"{option}: {value!r} is not an object id.", "Give the id of the cloud group.")
    return cloud_id
