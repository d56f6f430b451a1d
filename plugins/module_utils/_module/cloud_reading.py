# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The living groups of the tenant: all of them read, or those of the snapshot before with what changed since."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import capture, delta, questions
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.auth import EntraSettings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import GroupQuery, MemberQuery
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import GraphClient
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import full_reading
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.full_reading import (
    AGAIN,
    GROUPS,
    QUERY,
    USERS,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import (
    CloudGroup,
    Principal,
    PrincipalKind,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import second_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.clock import utc_now
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._store.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Listed:
    """The living groups of the tenant.

    Parameters:
        groups: all of them, their source of authority not read.
        watches: from where changes can be read next time.
        why: why everything was read; an empty string when changes were.
        stale: ids of the groups whose members have to be read if changes were.
        principals: members that changed, as they are now.
        gone: ids of members that are gone.
    """

    groups: list[CloudGroup]
    watches: dict[str, str]
    why: str
    stale: frozenset[str] = frozenset()
    principals: tuple[Principal, ...] = ()
    gone: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked of the tenant.

    Parameters:
        client: the client, logged on.
        settings: the connection.
        groups: what of groups.
        members: what of members.
    """

    client: GraphClient
    settings: EntraSettings
    groups: GroupQuery
    members: MemberQuery

    def word(self) -> str:
        """Return a word that changes when something else is asked, or with other permissions."""
        what: dict[str, Any] = {
            "service": [self.settings.tenant_id, self.settings.graph_url, sorted(self.client.roles)],
            "groups": [sorted(self.groups.select), self.groups.beta, self.groups.service_filter],
            "members": [self.members.object_identifier, self.members.immutable_id],
        }
        return full_reading.word_of(what)


def list_groups(asked: Asked, old: Snapshot | None, hours: int) -> Listed:
    """Return the living groups.

    Parameters:
        asked: what is asked, and how.
        old: the snapshot before, or None.
        hours: after how many of them everything is read.

    Raises:
        EntraError: the list could not be read to its end.
    """
    word = asked.word()
    watches = old.watches() if old is not None else {}
    why = full_reading.why_full(old.header if old is not None else None, watches, word, utc_now(), hours)
    if not why and old is not None:
        changed = _changes(asked, old, watches)
        if changed is not None:
            return changed
        why = "the service does not know any more what changed since"
    # Begun before the list is read, so that nothing falls in between.
    calls = {GROUPS: delta.group_watch(asked.groups), USERS: delta.user_watch(asked.members)} if hours else {}
    begun = {name: delta.begin(asked.client, call) for name, call in calls.items()}
    links = {name: link for name, link in begun.items() if link is not None}
    return Listed(list(capture.groups(asked.client, asked.groups)), {**links, QUERY: word}, why)


def _changes(asked: Asked, old: Snapshot, watches: dict[str, str]) -> Listed | None:
    """Return the groups of the snapshot with what changed; None where that cannot be told."""
    client, now = asked.client, utc_now()
    groups = delta.follow(client, watches[GROUPS], delta.group_watch(asked.groups))
    users = delta.follow(client, watches[USERS], delta.user_watch(asked.members))
    if groups is None or users is None:
        return None
    before = json.loads(watches.get(AGAIN, "{}"))
    again = {
        name: full_reading.to_read_again(told.ids, before.get(name, {}), now)
        for name, told in ((GROUPS, groups), (USERS, users))
    }
    group_ids, user_ids = (told.ids | before.get(name, {}).keys() for name, told in ((GROUPS, groups), (USERS, users)))
    touched = questions.ask_groups(client, asked.groups, group_ids)
    if touched.unread:
        return None
    kinds = old.principals(group_ids | user_ids)
    members = questions.principals_by_id(client, asked.members, kinds)
    if members.problem is not None:
        return None
    held = {item.group.id: CloudGroup(item.group.id, item.group.properties) for item in old.groups()}
    appeared = {group.id: PrincipalKind.GROUP for group in touched.living if group.id not in held}
    appeared |= dict.fromkeys(user_ids - kinds.keys(), PrincipalKind.USER)
    around, problem = questions.groups_of(client, appeared)
    if problem is not None:
        return None
    living = {cloud_id: group for cloud_id, group in held.items() if cloud_id not in group_ids}
    living.update((group.id, group) for group in touched.living)
    around |= old.groups_with(members.gone)
    # A group that is found around a member may not be listed with it yet.
    again[GROUPS] = {**dict.fromkeys(around, second_text(now)), **again[GROUPS]}
    stale = group_ids | around
    links = {GROUPS: groups.link, USERS: users.link, QUERY: watches[QUERY], AGAIN: json.dumps(again)}
    return Listed(list(living.values()), links, "", stale, members.found, members.gone)
