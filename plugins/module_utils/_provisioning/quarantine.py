# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""When runs as a whole wait, because they fail for a reason that the next one would meet as well.

Source: learn.microsoft.com/entra/identity/app-provisioning/application-provisioning-quarantine-status; the numbers are
smaller, since a run here has one domain and no history of weeks.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import BlockedError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.moments import moment_of, second_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word


class Reason(Word):
    """Why runs are in quarantine."""

    FAILURES = "too_many_failures"
    CREDENTIALS = "credentials_refused"
    LIMIT = "limit_exceeded"
    ASKED = "asked_for"


# What ends a module and would end the next one, too.
REASONS = {"directory_log_on_refused": Reason.CREDENTIALS, "limit_exceeded": Reason.LIMIT}


@dataclass(frozen=True, slots=True)
class QuarantineRules:
    """What leads into quarantine, and how long it lasts.

    Parameters:
        failures: more failed objects of one part of a plan than this; one that failed before says nothing new, and
            counts only in a run that a quarantine let through.
        percent: or more than this share of the objects of that part, in percent.
        floor: up to so many failed objects the share is not looked at.
        hours: from each entry or vain try to the next try; the last repeats.
    """

    failures: int = 1000
    percent: int = 40
    floor: int = 20
    hours: tuple[int, ...] = (1, 2, 4, 8, 24)

    def tripped(self, failed: int, planned: int) -> str:
        """Return in a sentence why so many failures are too many, or an empty string."""
        if failed > self.failures:
            return f"{failed} of {planned} objects failed, more than {self.failures}."
        if failed > self.floor and failed * 100 > self.percent * planned:
            return f"{failed} of {planned} objects failed, more than {self.percent} %."
        return ""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A quarantine that was not released.

    Parameters:
        reason: why, one word.
        message: why, in a sentence.
        remedy: what to do.
        since: when it began, ISO 8601.
        tries: how many runs it cost, the first included.
        next_at: from when on the next run is let through.
    """

    reason: Reason
    message: str
    remedy: str
    since: str
    tries: int
    next_at: str

    def is_due(self, now: datetime) -> bool:
        """Return whether a run is let through."""
        return now >= moment_of(self.next_at)

    @property
    def text(self) -> str:
        """The quarantine in words."""
        return (
            f"Runs are in quarantine since {self.since} ({self.reason.value}): {self.message.rstrip('.')}. "
            f"The next one is let through at {self.next_at}."
        )


def entered(
    before: Quarantine | None, reason: Reason, message: str, remedy: str, now: datetime, rules: QuarantineRules
) -> Quarantine:
    """Return the quarantine after a run that was let through, or was free, gave a reason."""
    tries = 1 if before is None else before.tries + 1
    due = now + timedelta(hours=rules.hours[min(tries, len(rules.hours)) - 1])
    since = second_text(now) if before is None else before.since
    return Quarantine(reason, message, remedy, since, tries, second_text(due))


def refusal(quarantine: Quarantine) -> BlockedError:
    """Return the error for a run that is not let through."""
    return BlockedError(
        quarantine.text,
        f"{quarantine.remedy} gpad_journal with released: [quarantine] lets runs write again at once; approve with the "
        "checksum of a plan lets that plan through.".lstrip(),
        code="quarantined",
    )
