# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runner of gpad_info."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.reader import Reader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.arguments import (
    DIRECTORY,
    RESULTS,
    SETTINGS,
    Spec,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.connecting import (
    LIBRARIES,
    open_directory,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.result import (
    report_result,
    run_module,
    tell_damage,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.run_control import (
    quarantine_state,
    retry_rules,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn, identity, ownership
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.directory_facts import facts_entry
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_of, moment_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Action
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.provisioning_log import (
    PLAN,
    SKIP,
    summary_object,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.report import Report
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.journal import JournalFile
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.log import LogFilter
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.signature import key_of
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.snapshot import Snapshot

if TYPE_CHECKING:
    from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.settings import Settings

_SUBSETS = (
    "groups",
    "orphans",
    "drift",
    "snapshot",
    "runs",
    "failing",
    "log",
    "preflight",
    "soa",
    "enforcement",
    "writeback",
)
_NEEDS_DIRECTORY = frozenset({"groups", "orphans", "drift", "preflight", "soa", "enforcement", "writeback"})
_CONNECTING_BY_THEMSELVES = frozenset({"preflight", "enforcement"})
_NEEDS_SNAPSHOT = frozenset({"orphans", "drift", "snapshot"})
_NEEDS_JOURNAL = frozenset({"groups", "drift", "runs", "failing", "log"})


def run() -> None:
    """Run the module gpad_info."""
    directory = {name: {key: v for key, v in spec.items() if key != "required"} for name, spec in DIRECTORY.items()}
    stores: Spec = {
        "gather": {"type": "list", "elements": "str", "choices": list(_SUBSETS), "default": ["groups", "runs"]},
        "snapshot": {"type": "path"},
        "journal": {"type": "path"},
        "soa_groups": {"type": "list", "elements": "str", "default": []},
        "writeback_containers": {"type": "list", "elements": "str", "default": []},
        "writeback_leave": {"type": "list", "elements": "str", "default": []},
        "writeback_export": {"type": "path"},
        "log": {
            "type": "dict",
            "default": {},
            "options": {
                "id": {"type": "str", "default": ""},
                "name": {"type": "str", "default": ""},
                "status": {"type": "str", "choices": ["done", "partial", "failed", "skipped"]},
                "action": {"type": "str", "choices": [*(action.value for action in Action), SKIP, PLAN]},
                "code": {"type": "str", "default": ""},
                "run": {"type": "str", "default": ""},
                "since": {"type": "str", "default": ""},
                "until": {"type": "str", "default": ""},
            },
        },
    }
    run_module({**directory, **SETTINGS, **stores, **RESULTS}, _inspect, LIBRARIES)


def _need(params: dict[str, Any], wanted: frozenset[str], users: frozenset[str], *options: str) -> bool:
    """Return whether something is asked that needs these options.

    Raises:
        ConfigurationError: it is, and an option is missing.
    """
    asked = sorted(wanted & users)
    for option in options if asked else ():
        if not params[option]:
            raise ConfigurationError(f"gather: {asked[0]} needs {option}.", f"Give {option}, or gather less.")
    return bool(asked)


def _inspect(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    retry_rules(params)
    wanted = frozenset(params["gather"])
    report = Report(params["max_results"])
    found: dict[str, Any] = {}
    snapshot = journal = None
    if _need(params, wanted, _NEEDS_SNAPSHOT, "snapshot") or ("writeback" in wanted and params["snapshot"]):
        snapshot = Snapshot(Path(params["snapshot"]), key_of(params["snapshot_key"]))
    proven = frozenset({"writeback"}) if params["writeback_export"] else frozenset[str]()
    if _need(params, wanted, _NEEDS_JOURNAL | proven, "journal"):
        journal = JournalFile(Path(params["journal"]), writable=False)
        tell_damage(module, report, journal.path, journal.damage)
    if snapshot is not None and "snapshot" in wanted:
        header = snapshot.header
        found["snapshot"] = {
            "tenant_id": header.tenant_id,
            "captured_at": header.captured_at,
            "check_mode": header.check_mode,
            "other_writers": list(header.other_writers),
            **snapshot.counts(),
        }
    if journal is not None:
        found |= _from_journal(journal, wanted, params["max_results"])
    if journal is not None and "log" in wanted:
        entries = journal.log.entries(_log_filter(params["log"]), params["max_results"])
        found["log"] = [summary_object(entry) for entry in entries]
    options = ("domain_server", "domain_username", "domain_password", "managed_containers")
    needed = _need(params, wanted, _NEEDS_DIRECTORY, *options)
    found |= _looked_up(params, wanted & _CONNECTING_BY_THEMSELVES)
    if needed and wanted & (_NEEDS_DIRECTORY - _CONNECTING_BY_THEMSELVES):
        named = "writeback" in wanted and params["target_container"] is not None
        settings = _settings(params) if named or "drift" in wanted else None
        targets = settings.mapper.targets if settings else ()
        with open_directory(params, targets) as (session, reader):
            if wanted & {"groups", "orphans"}:
                found |= _from_directory(reader, journal, snapshot, wanted)
            if "soa" in wanted:
                found |= _soa(reader, params)
            if "writeback" in wanted:
                found["writeback"] = _writeback(params, session, reader, snapshot, settings, journal)
            if "drift" in wanted and settings is not None and snapshot is not None and journal is not None:
                _gather_drift(settings, reader, snapshot, journal, report, retry_now=params["retry_now"])
    result = report_result(module, report, changed=False, info=found)
    if "writeback" in found:
        from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import writeback_side

        writeback_side.without_members(found["writeback"])
    return result


# What only some of it needs is loaded when that is asked for.
def _looked_up(params: dict[str, Any], wanted: frozenset[str]) -> dict[str, Any]:
    """Return what has a connection of its own."""
    if not wanted:
        return {}
    from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import looking

    rows = {"preflight": looking.directory_rows, "enforcement": looking.enforcement_entry}
    return {name: rows[name](params) for name in sorted(wanted, reverse=True)}


def _settings(params: dict[str, Any]) -> Settings:
    from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.settings_options import settings_of

    return settings_of(params)


def _writeback(
    params: dict[str, Any],
    session: Session,
    reader: Reader,
    snapshot: Snapshot | None,
    settings: Settings | None,
    journal: JournalFile | None,
) -> dict[str, Any]:
    from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import writeback_side

    sides = writeback_side.Sides(session, reader, snapshot, settings)
    found = writeback_side.inventory(params, sides)
    if params["writeback_export"] and journal is not None:
        found |= writeback_side.proof(params, sides, journal)
    return found


def _soa(reader: Reader, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what decides on the source of authority of some groups, and which of them are not there.

    Raises:
        ConfigurationError: an entry is neither SID nor DN.
    """
    names = params["soa_groups"]
    odd = [name for name in names if not identity.is_sid(name) and not dn.is_dn(name)]
    if odd:
        raise ConfigurationError(
            f"soa_groups: {odd[0]!r} is neither a SID nor a distinguished name.",
            "Take the SIDs that gpad_soa returns.",
        )
    facts = reader.authority_facts(names, ownership.protected_names(params["protected_groups"]))
    there = {one.sid for one in facts} | {dn.folded(one.dn) for one in facts}
    missing = [name for name in names if name not in there and dn.folded(name) not in there]
    return {"soa": [facts_entry(one) for one in facts], "soa_missing": missing}


def _log_filter(given: dict[str, Any]) -> LogFilter:
    chosen = {name: value or "" for name, value in given.items()}
    for name in ("since", "until"):
        if chosen[name]:
            try:
                moment = moment_of(chosen[name])
            except ValueError:
                raise ConfigurationError(
                    f"log: {name} is {chosen[name]!r}, which is no time.",
                    "Write it like 2026-11-20 or 2026-11-20T22:00:00Z.",
                ) from None
            chosen[name] = moment_text(moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))
    return LogFilter(**{**chosen, "id": chosen["id"].lower()})


def _from_journal(journal: JournalFile, wanted: frozenset[str], most: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "runs" in wanted:
        found["runs"] = [
            {
                "run_id": run.run_id,
                "module": run.module,
                "plan_id": run.plan_id,
                "started_at": run.started_at,
                "ended_at": run.ended_at,
                "outcome": run.outcome,
                "summary": dict(run.summary),
            }
            for run in journal.runs(most)
        ]
        holder = journal.lease.holder()
        found["lease"] = asdict(holder) if holder is not None else None
        found["locked"] = journal.is_locked()
        found["quarantine"] = quarantine_state(journal, entered=False)
    if "failing" in wanted:
        found["failing"] = journal.failing(most)
    return found


def _from_directory(
    reader: Reader, journal: JournalFile | None, snapshot: Snapshot | None, wanted: frozenset[str]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    anchored = reader.anchored()
    known = journal.known() if journal else {}
    entries = [
        {
            "id": group.cloud_id,
            "dn": group.dn,
            "object_guid": group.guid,
            "object_sid": group.sid,
            "known": group.cloud_id in known,
        }
        for group in anchored.groups
    ]
    if "groups" in wanted:
        found["groups"] = entries
    if "orphans" in wanted and snapshot is not None:
        listed = {item.group.id for item in snapshot.groups()}
        found["orphans"] = [entry for entry in entries if entry["id"] not in listed]
    found["anchors_elsewhere"] = [{"dn": name, "anchor": anchor} for name, anchor in anchored.elsewhere]
    return found


def _gather_drift(
    settings: Settings, reader: Reader, snapshot: Snapshot, journal: JournalFile, report: Report, *, retry_now: bool
) -> None:
    from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.plan_making import (
        make_plan,
        temporary_plan,
    )

    with temporary_plan() as path:
        planned = make_plan(
            settings, snapshot, reader, journal, path, check_mode=True, retry_now=retry_now, told=report.plan_item
        )
        planned.file.close()
