# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runner of gpad_journal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.arguments import QUARANTINE, RESULTS, Spec
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.configuring import configure, digests
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.result import (
    report_result,
    run_module,
    tell_damage,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.run_control import (
    RunControl,
    quarantine_rules,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    StoreError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_text, second_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import KnownGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.quarantine import Reason
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.report import Report
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile


def run() -> None:
    """Run the module gpad_journal."""
    options: Spec = {
        "journal": {"type": "path", "required": True},
        "accepted": {"type": "list", "elements": "str", "default": []},
        "forgotten": {"type": "list", "elements": "str", "default": []},
        "stopped": {"type": "bool"},
        "stop_reason": {"type": "str", "default": "an administrator stopped them."},
        "quarantined": {"type": "str"},
        "configured": {"type": "str"},
        "enabled_by": {"type": "str"},
        "plan": {"type": "path"},
        "copy_to": {"type": "path"},
        "released": {"type": "list", "elements": "str", "choices": list(_RELEASED), "default": []},
    }
    run_module({**options, **QUARANTINE, **RESULTS}, _keep, {}, required_by={"enabled_by": ("configured", "plan")})


def _keep(module: AnsibleModule) -> dict[str, Any]:
    path = Path(module.params["journal"])
    ids = {name: [_object_id(name, value) for value in module.params[name]] for name in ("accepted", "forgotten")}
    rules = quarantine_rules(module.params["quarantine"])
    digests(module.params)
    # The first run may be refused before there is a journal.
    begins = module.params["quarantined"] or module.params["configured"]
    if not path.exists() and (ids["accepted"] or not begins):
        raise StoreError(
            f"The journal {path} does not exist.", "Check the path; the first run creates it.", code="journal_not_there"
        )
    report = Report(module.params["max_results"])
    with ExitStack() as stack:
        journal = JournalFile(path, writable=not module.check_mode)
        stack.callback(journal.close)
        tell_damage(module, report, path, journal.damage)
        if ids["accepted"]:
            # Nothing is done of an order with a mistake.
            _known(journal, ids["accepted"])
        configuration = configure(module.params, journal, check_mode=module.check_mode)
        # The switch must work while a run holds the journal.
        switched = _switch(module, journal)
        if not module.check_mode and any(ids.values()):
            stack.enter_context(journal.locked())
        released = _release(module, journal)
        control = RunControl(journal, rules, writes=not module.check_mode)
        if module.params["quarantined"]:
            control.enter(Reason.ASKED, module.params["quarantined"], "")
        quarantine = control.state()
        fresh, gone = _settle(module, journal, ids["accepted"], ids["forgotten"])
        if not module.check_mode and module.params["copy_to"]:
            journal.slices.copy_to(Path(module.params["copy_to"]))
        stopped = module.params["stopped"] if module.check_mode and switched else journal.stopped() is not None
    report.summary.update({"accepted": len(fresh), "forgotten": len(gone)})
    return report_result(
        module,
        report,
        changed=bool(fresh or gone or switched or released or quarantine["entered"] or configuration.changed),
        accepted=fresh,
        forgotten=gone,
        stopped=stopped,
        released=released,
        quarantine=quarantine,
        configuration={
            "digest": configuration.digest,
            "enabled": bool(configuration.enabled_by),
            "enabled_by": configuration.enabled_by,
        },
    )


def _known(journal: JournalFile, accepted: Sequence[str]) -> Mapping[str, KnownGroup]:
    """Return the groups that were provisioned, by object id.

    Raises:
        StoreError: one that is to be accepted is not among them.
    """
    known = journal.known()
    unknown = [cloud_id for cloud_id in accepted if cloud_id not in known]
    if unknown:
        raise StoreError(
            f"accepted: the journal {journal.path} does not know the group {unknown[0]}.",
            "Provision it first; gpad_info lists the groups that are known.",
            code="group_unknown",
        )
    return known


def _settle(
    module: AnsibleModule, journal: JournalFile, accepted: Sequence[str], forgotten: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Accept groups and forget others; return the ids of those that are, or would be, accepted and forgotten now.

    Raises:
        StoreError: a group that is to be accepted is not known any more.
    """
    known = _known(journal, accepted)
    fresh = [cloud_id for cloud_id in dict.fromkeys(accepted) if not known[cloud_id].accepted]
    written = journal.written_to.last()
    deleted = {whose[0] for whose in written.deleted.values()} if written else set[str]()
    gone = [cloud_id for cloud_id in dict.fromkeys(forgotten) if cloud_id in known or cloud_id in deleted]
    if not module.check_mode:
        journal.accept(fresh)
        journal.watermarks.unsettle([*fresh, *gone])
        for cloud_id in gone:
            journal.forget(cloud_id)
            journal.written_to.settle(cloud_id)
    return fresh, gone


def _switch(module: AnsibleModule, journal: JournalFile) -> bool:
    """Stop runs or let them run again; return whether that is, or would be, a change."""
    wanted = module.params["stopped"]
    if wanted is None or wanted == (journal.stopped() is not None):
        return False
    if not module.check_mode:
        journal.stop(module.params["stop_reason"] if wanted else None)
    return True


def _free_quarantine(journal: JournalFile) -> None:
    journal.quarantines.release(second_text(utc_now()), "gpad_journal")


def _free_lease(journal: JournalFile) -> None:
    journal.lease.release()


def _free_retries(journal: JournalFile) -> None:
    journal.retries.make_due(moment_text(utc_now()))


def _free_snapshot_key(journal: JournalFile) -> None:
    journal.pins.put("snapshot_key", None)


def _is_dated(journal: JournalFile) -> bool:
    is_ahead = journal.is_ahead(moment_text(utc_now()))
    return journal.pins.age() is not None or is_ahead or journal.watermarks.last() is not None


def _free_watermarks(journal: JournalFile) -> None:
    journal.watermarks.forget()
    journal.pins.forget_age()
    journal.set_back(moment_text(utc_now()))


# Whether there is something to be released, and how it is.
_RELEASED: Mapping[str, tuple[Callable[[JournalFile], bool], Callable[[JournalFile], None]]] = {
    "quarantine": (lambda journal: journal.quarantines.current() is not None, _free_quarantine),
    "lease": (lambda journal: journal.lease.holder() is not None, _free_lease),
    "retries": (lambda journal: journal.retries.waiting(moment_text(utc_now())) > 0, _free_retries),
    "snapshot_key": (lambda journal: bool(journal.pins.snapshot_key()), _free_snapshot_key),
    "watermarks": (_is_dated, _free_watermarks),
}


def _release(module: AnsibleModule, journal: JournalFile) -> list[str]:
    """Release what runs wait for; return what was, or would be, released."""
    released = []
    for name in dict.fromkeys(module.params["released"]):
        is_there, free = _RELEASED[name]
        if is_there(journal):
            released.append(name)
            if not module.check_mode:
                free(journal)
    return released


def _object_id(option: str, value: str) -> str:
    cloud_id = identity.guid_text(value)
    if cloud_id is None:
        raise ConfigurationError(f"{option}: {value!r} is not an object id.", "Give the id of the cloud group.")
    return cloud_id
