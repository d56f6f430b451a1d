# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a side is read to its end, or what changed is enough."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import (
    moment_of,
    second_text,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.ports import SnapshotHeader
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.retire import INDEX_LAG

# What a snapshot keeps so that changes can be read: two links, and what was asked.
GROUPS, USERS, QUERY = "groups", "users", "query"
# And what was read so soon after its change that the service may still have shown what was before.
AGAIN = "again"


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
    if not header.is_whole:
        return "the reading before was not whole"
    if watches.get(QUERY) != query:
        return "other properties are asked for, or with other permissions"
    if is_due(header.full_at, now, hours):
        return f"the last full reading was at {header.full_at}"
    return ""


def is_due(full_at: str, now: datetime, hours: int) -> bool:
    """Return whether so many hours passed since a full reading, or it is dated ahead.

    Parameters:
        full_at: when it was, ISO 8601, UTC.
        now: the time.
        hours: after how many of them the next one is due.
    """
    return not timedelta(0) <= now - moment_of(full_at) < timedelta(hours=hours)


def word_of(what: object) -> str:
    """Return a word that changes when values that JSON can hold do."""
    return hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode()).hexdigest()


def told(why: str) -> dict[str, str]:
    """Return how results tell of a reading: whether it was full, and why."""
    return {"kind": "full" if why else "changes", "why": why}


def to_read_again(told: Iterable[str], before: Mapping[str, str], now: datetime) -> dict[str, str]:
    """Return what the next reading of changes reads once more, with the moments since when.

    Members are listed from an index that lags behind the changes that delta queries tell, and each is told once.

    Parameters:
        told: ids of what changed, by the round that is being read.
        before: what earlier readings left to read again, ISO 8601 by id.
        now: when this reading began.
    """
    fresh = {one: since for one, since in before.items() if abs(now - moment_of(since)) < INDEX_LAG}
    return {**fresh, **dict.fromkeys(told, second_text(now))}
