# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of a preflight: what was looked at, how it stands, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import GpadError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word

_NAMED = 5


class Status(Word):
    """How a check ended; `unknown` is what could not be found out."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table.

    Parameters:
        check: what was looked at.
        status: how it stands.
        found: what was found.
        remedy: what to do about it; empty where nothing is to be done.
    """

    check: str
    status: Status
    found: str
    remedy: str = ""


def judged(check: str, fine: bool, found: str, remedy: str, otherwise: Status = Status.FAILED) -> Row:
    """Return the row of a check that is fine, or else has another status and a remedy."""
    return Row(check, Status.OK, found) if fine else Row(check, otherwise, found, remedy)


def of_error(check: str, error: GpadError, status: Status = Status.UNKNOWN) -> Row:
    """Return the row of a check that an error broke off."""
    return Row(check, status, error.message, error.remedy)


def listed(names: Iterable[str]) -> str:
    """Return a few of the names, and how many more there are."""
    known = sorted(names)
    more = f" and {len(known) - _NAMED} more" if len(known) > _NAMED else ""
    return f"{', '.join(known[:_NAMED])}{more}"
