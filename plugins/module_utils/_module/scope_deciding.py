# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of the groups that were read are in scope, for gpad_scope."""

from __future__ import annotations

from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import auth, capture
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import GraphClient
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.questions import AskedGroups
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity, scope
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    EntraError,
    ObjectError,
    Outcome,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.filters import MEMBER_OF, Filter
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import CloudGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Notice
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.report import Report, worst
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.scope import Decision, Scope, ScopeMode


def scope_of(
    client: GraphClient,
    params: dict[str, Any],
    wanted: list[str],
    rules: tuple[Filter, ...],
    groups: list[CloudGroup],
    asked: AskedGroups,
    report: Report,
    *,
    narrowed: bool,
) -> Scope:
    """Return the scope that the options describe; an entry that leads nowhere is reported.

    Parameters:
        client: logged on.
        params: of the module.
        wanted: names and ids of `selected_groups`.
        rules: `filters`.
        groups: what was read.
        asked: what became of groups that were asked for by id.
        report: told of what cannot be used.
        narrowed: whether a few groups are named, so that others were not looked for.

    Raises:
        EntraError: the assignments of a service principal could not be read.
    """
    mode = ScopeMode(params["scope_mode"])
    chosen: frozenset[str] | None = None
    if mode is ScopeMode.SELECTED:
        selection = scope.select(wanted, groups)
        gone = asked.deleted.keys() | asked.absent
        for entry, why in selection.problems.items():
            if narrowed and "groups:" not in why:
                continue  # it was not looked for
            if identity.guid_text(entry) in gone:
                text = (
                    f"selected_groups: {entry} was deleted; take it off the list once its directory group is settled."
                )
                report.remark(Notice(entry, entry, "selected_group_deleted", text))
                continue
            report.problem(
                "",
                entry,
                "selected_group_not_unique" if "groups:" in why else "selected_group_unknown",
                f"selected_groups: {entry!r} {why}.",
                "Name each group by its object id, or by a displayName that only it has.",
            )
        chosen = selection.ids
    elif mode is ScopeMode.ASSIGNED:
        roles = frozenset(role.lower() for role in params["app_role_ids"]) or auth.PROVISIONING_ROLES[params["cloud"]]
        found = [capture.assigned_ids(client, principal, roles) for principal in params["service_principals"]]
        chosen = frozenset[str]().union(*found)
    parents = {clause.value for entry in rules for clause in entry.clauses if clause.operator == MEMBER_OF}
    return Scope(chosen, mode, rules, {parent: _members_of(client, parent, report) for parent in sorted(parents)})


def _members_of(client: GraphClient, parent: str, report: Report) -> frozenset[str]:
    """Return the members of a group that a filter names; one that cannot be read is reported, and nobody is in it."""
    try:
        return capture.member_ids(client, parent)
    except EntraError as error:
        message = f"filters: the members of {parent} could not be read: {error.message}"
        report.problem(parent, parent, "filter_group_unread", message, error.remedy)
        return frozenset()


def with_authority(
    client: GraphClient, groups: list[CloudGroup], scoped: Scope, of_interest: frozenset[str], report: Report
) -> list[CloudGroup]:
    """Return the groups with their source of authority read where the decision hangs on it.

    It hangs on it, too, for converted groups that the directory holds: what becomes of one that left the scope depends
    on who is its master.
    """
    chosen = scoped.chosen
    asked = [
        g.id
        for g in groups
        if (scope.needs_authority(g) and (chosen is None or g.id in chosen))
        or (g.security_identifier is not None and g.id in of_interest)
    ]
    if not asked:
        return groups
    states, problem = capture.authority(client, asked)
    if problem is not None:
        report.remark(Notice("", "source of authority", "authority_unread", str(problem)))
        report.outcome = worst(report.outcome, Outcome.INCOMPLETE)
    return [CloudGroup(g.id, g.properties, states.get(g.id)) if g.id in states else g for g in groups]


def decide(groups: list[CloudGroup], chosen: Scope, report: Report) -> dict[str, Decision]:
    """Return the decision on each group; one that cannot be decided is reported and left out."""

    def decision(group: CloudGroup) -> Decision | None:
        try:
            return scope.decide(group, chosen)
        except ObjectError as error:
            report.problem(group.id, group.display_name, error.code, error.message, error.remedy)
            return None

    return {group.id: found for group in groups if (found := decision(group)) is not None}


def warn_of_idle_filters(rules: tuple[Filter, ...], decisions: dict[str, Decision], report: Report) -> None:
    """Report each filter that lets no group in that others do not."""
    used = {decision.clause for decision in decisions.values() if decision.in_scope}
    for entry in rules:
        if str(entry) not in used:
            report.remark(
                Notice("", str(entry), "filter_idle", f"The filter {entry} lets no group in that others do not.")
            )
