# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""A capture of a few named groups: only they are asked for, and nothing is said of the others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import capture, questions
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import GroupQuery
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import GraphClient
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.questions import AskedGroups
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import asking
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity, scope
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import CloudGroup
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.plan import Notice
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.report import Report

# As many alternatives as one `$filter` takes.
MOST_NAMED = questions.MOST_ALTERNATIVES


def entries(params: dict[str, Any]) -> tuple[str, ...] | None:
    """Return the entries of the option groups, or None where all groups are captured.

    Raises:
        ConfigurationError: there are none, or too many.
    """
    given = params["groups"]
    if given is None:
        return None
    named = tuple(dict.fromkeys(entry.strip() for entry in given if entry.strip()))
    if not named or len(named) > MOST_NAMED:
        raise ConfigurationError(
            f"groups: {len(named)} groups are named.", f"Name 1 to {MOST_NAMED}, or capture all without this option."
        )
    return named


def read(
    client: GraphClient, query: GroupQuery, named: Sequence[str], selected: Collection[str], report: Report
) -> tuple[list[CloudGroup], AskedGroups]:
    """Return the groups that may be meant, and what became of those that are named by id.

    Parameters:
        client: the client, logged on.
        query: what to read of groups.
        named: object ids and displayNames.
        selected: entries of selected_groups: one that is a displayName of a named group must fit no other group.
        report: told of what could not be read.

    Raises:
        EntraError: a reading did not reach its end.
    """
    ids = frozenset(cloud_id for entry in named if (cloud_id := identity.guid_text(entry)) is not None)
    asked = asking.ask_groups(client, query, ids, report)
    names = {entry for entry in named if identity.guid_text(entry) is None}
    names |= {group.display_name for group in asked.living} & set(selected)
    found = {group.id: group for group in (*asked.living, *_with_names(client, query, names))}
    return sorted(found.values(), key=lambda group: (group.display_name, group.id)), asked


def _with_names(client: GraphClient, query: GroupQuery, names: Iterable[str]) -> Iterable[CloudGroup]:
    wanted = sorted(names)
    for start in range(0, len(wanted), MOST_NAMED):
        quoted = ("'" + name.replace("'", "''") + "'" for name in wanted[start : start + MOST_NAMED])
        terms = " or ".join(f"displayName eq {name}" for name in quoted)
        yield from capture.groups(client, replace(query, service_filter=terms))


def choose(named: Sequence[str], groups: Iterable[CloudGroup], asked: AskedGroups, report: Report) -> frozenset[str]:
    """Return the ids of the named groups; an entry that fits none or several is reported."""
    selection = scope.select(named, groups)
    gone = asked.deleted.keys() | asked.absent
    for entry, why in selection.problems.items():
        if identity.guid_text(entry) in gone:
            text = f"groups: {entry} was deleted; a run of named groups retires nothing."
            report.remark(Notice(entry, entry, "selected_group_deleted", text))
        elif identity.guid_text(entry) not in asked.unread:
            report.problem(
                "",
                entry,
                "selected_group_not_unique" if "groups:" in why else "selected_group_unknown",
                f"groups: {entry!r} {why}.",
                "Name each group by its object id, or by a displayName that only it has.",
            )
    text = "Only the named groups were captured; nothing is said of any other, and nothing is retired or deleted."
    report.remark(Notice("", "groups", "narrowed", text))
    return selection.ids
