# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runner of gpad_scope."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import auth, capture
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.auth import MSAL_IMPORT_ERROR, EntraSettings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import GraphClient
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.http import REQUESTS_IMPORT_ERROR
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.arguments import ENTRA, RESULTS, SCOPE
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.result import report_result, run_module
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity, scope, texts
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    Outcome,
    StoreError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    IncompleteReading,
    PrincipalKind,
    Skipped,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Notice, Skip
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import SnapshotHeader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.report import Report, worst
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.scope import Decision, ScopeMode
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store import snapshot as snapshots
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.files import require_folder


def run() -> None:
    """Run the module gpad_scope."""
    run_module(
        {**ENTRA, **SCOPE, **RESULTS},
        _capture,
        {"msal": MSAL_IMPORT_ERROR, "requests": REQUESTS_IMPORT_ERROR},
        mutually_exclusive=[
            ("client_secret", "client_certificate_path", "federated_token_file"),
        ],
        required_if=[("scope_mode", "selected", ("selected_groups",))],
    )


def entra_settings(params: dict[str, Any]) -> EntraSettings:
    """Return the connection to Entra ID that the options describe.

    Raises:
        ConfigurationError: a value cannot be used.
    """
    if identity.guid_text(params["tenant_id"]) is None:
        raise ConfigurationError(
            f"tenant_id: {params['tenant_id']!r} is not a tenant id.", "Give the GUID that the portal shows."
        )
    if not params["client_id"] and not params["managed_identity"]:
        raise ConfigurationError("client_id is missing.", "Give the application (client) id.")
    login, graph = auth.CLOUDS[params["cloud"]]
    urls = {"login_url": params["login_url"] or login, "graph_url": params["graph_url"] or graph}
    for name, url in urls.items():
        if not url.startswith("https://"):
            raise ConfigurationError(
                f"{name}: {url!r} does not begin with https://.", "A token must not leave in clear."
            )
    return EntraSettings(
        identity.guid_text(params["tenant_id"]) or "",
        params["client_id"] or "",
        urls["login_url"].rstrip("/"),
        urls["graph_url"].rstrip("/"),
        params["client_secret"],
        params["client_certificate_path"],
        params["federated_token_file"],
        params["managed_identity"],
        params["ca_cert"],
    )


def _capture(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    settings = entra_settings(params)
    path = Path(params["snapshot"])
    require_folder(path)
    before = _ids_in_scope_before(path, settings.tenant_id)
    client = GraphClient(settings)
    client.log_on()
    report = Report(params["max_results"])
    groups = list(capture.groups(client))
    selected = None
    if ScopeMode(params["scope_mode"]) is ScopeMode.SELECTED:
        selected = scope.select(params["selected_groups"], groups)
    groups = _with_authority(client, groups, selected, report)
    decisions = {group.id: scope.decide(group, selected) for group in groups}
    header = SnapshotHeader(
        settings.tenant_id,
        datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        snapshots.new_fingerprint(),
        check_mode=module.check_mode,
    )
    with snapshots.writing(path) as writer:
        for group in groups:
            writer.add_group(group, decisions[group.id])
            _tell(group, decisions[group.id], report)
        _capture_members(client, groups, decisions, writer, report)
        writer.finish(header)
    after = {cloud_id for cloud_id, decision in decisions.items() if decision.in_scope}
    names = {group.id: group.display_name for group in groups}
    report.summary["requests"] = sum(client.requests.values())
    return report_result(
        module,
        report,
        changed=False,
        snapshot=str(path),
        captured_at=header.captured_at,
        entered=_named(after - before, names) if before else [],
        left=_named(before - after, names),
        groups=[
            {
                "id": group.id,
                "name": group.display_name,
                "in_scope": decisions[group.id].in_scope,
                "clause": decisions[group.id].clause,
                "reason": texts.SKIPPED[decisions[group.id].reason],
            }
            for group in groups[: params["max_results"]]
        ],
    )


def _ids_in_scope_before(path: Path, tenant_id: str) -> frozenset[str]:
    """Return what the snapshot that is about to be replaced had in scope.

    Raises:
        StoreError: it belongs to another tenant.
    """
    if not path.exists():
        return frozenset()
    try:
        old = snapshots.Snapshot(path)
    except StoreError:
        return frozenset()  # a cache that is damaged is made anew
    try:
        if old.header.tenant_id != tenant_id:
            raise StoreError(
                f"The snapshot {path} is of tenant {old.header.tenant_id}, not of {tenant_id}.",
                "Give each tenant a snapshot of its own.",
                code="other_tenant",
            )
        return old.ids_in_scope()
    finally:
        old.close()


def _with_authority(
    client: GraphClient, groups: list[CloudGroup], selected: frozenset[str] | None, report: Report
) -> list[CloudGroup]:
    asked = [g.id for g in groups if scope.needs_authority(g) and (selected is None or g.id in selected)]
    if not asked:
        return groups
    states, problem = capture.authority(client, asked)
    if problem is not None:
        report.remark(Notice("", "source of authority", problem.code, str(problem)))
        report.outcome = worst(report.outcome, Outcome.INCOMPLETE)
    return [CloudGroup(g.id, g.properties, states.get(g.id)) if g.id in states else g for g in groups]


def _tell(group: CloudGroup, decision: Decision, report: Report) -> None:
    if decision.reason is None:
        report.summary["groups_in_scope"] += 1
    elif decision.reason is not Skipped.NOT_SELECTED:
        reason = texts.SKIPPED[decision.reason]
        report.remark(Skip(group.id, group.display_name, decision.reason.value, reason))
    else:
        report.summary["groups_not_selected"] += 1


def _capture_members(
    client: GraphClient,
    groups: list[CloudGroup],
    decisions: dict[str, Decision],
    writer: snapshots.SnapshotWriter,
    report: Report,
) -> None:
    names = {group.id: group.display_name for group in groups}
    chosen = [group.id for group in groups if decisions[group.id].in_scope]
    for cloud_id, reading in capture.members(client, chosen):
        writer.add_members(cloud_id, reading)
        report.summary["memberships"] += len(reading.items)
        name = names[cloud_id]
        if isinstance(reading, IncompleteReading):
            report.remark(Notice(cloud_id, name, "members_incomplete", f"Its members are not whole: {reading.why}"))
            report.outcome = worst(report.outcome, Outcome.INCOMPLETE)
        unreadable = sum(
            not member.readable and member.kind in (PrincipalKind.USER, PrincipalKind.GROUP) for member in reading.items
        )
        if unreadable:
            need = capture.READ_USERS
            text = f"{unreadable} members came without their properties; the application lacks {need}."
            report.remark(Notice(cloud_id, name, "members_unreadable", text))
            report.outcome = worst(report.outcome, Outcome.INCOMPLETE)


def _named(ids: set[str] | frozenset[str], names: dict[str, str]) -> list[dict[str, str]]:
    return sorted(
        ({"id": cloud_id, "name": names.get(cloud_id, cloud_id)} for cloud_id in ids),
        key=lambda entry: (entry["name"], entry["id"]),
    )
