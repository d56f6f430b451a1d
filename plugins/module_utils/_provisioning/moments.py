# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Points in time as text: ISO 8601, UTC, so that they can be compared as text."""

from __future__ import annotations

from datetime import datetime, timezone


def moment_text(moment: datetime) -> str:
    """Return a time to the microsecond, by which plans and runs are ordered."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def second_text(moment: datetime) -> str:
    """Return a time to the second, as snapshots hold it."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_of(text: str) -> datetime:
    """Return the time that one of these texts names."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
