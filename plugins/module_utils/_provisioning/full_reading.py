# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a side is read to its end, or what changed is enough."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_of
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import SnapshotHeader

# What a snapshot keeps so that changes can be read: two links, and what was asked.
GROUPS, USERS, QUERY = "groups", "users", "query"


def why_full(header: SnapshotHeader | None, watches: Mapping[str, str], query: str, now: datetime, hours: int) -> str:
    """Return why Entra ID has to be read to its end, or an empty string where its changes are enough.

    Parameters:
        header: of the snapshot before, or None without one.
        watches: from where its changes can be read.
        query: a word for what is asked now, with which permissions.
        now: the time.
        hours: after how many of them everything is read anyway.
    """
    if header is None:
        return "there is no snapshot to go on from"
    if not {GROUPS, USERS} <= watches.keys():
        return "the service does not tell what changed"
    if header.incomplete or header.scope_doubt or header.narrowed:
        return "the reading before was not whole"
    if watches.get(QUERY) != query:
        return "other properties are asked for, or with other permissions"
    age = now - moment_of(header.full_at)
    if age >= timedelta(hours=hours) or age < timedelta(0):
        return f"the last full reading was at {header.full_at}"
    return ""
