# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The errors of the collection: each has a stable code, a sentence, and where one exists a remedy."""

from __future__ import annotations

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word


class Outcome(Word):
    """How a run ended (design, "Outcome")."""

    OK = "ok"
    PARTIAL = "partial"
    INCOMPLETE = "incomplete"
    BLOCKED = "blocked"
    FATAL = "fatal"


class GpadError(Exception):
    """Base of all errors that a user can meet.

    Parameters:
        message: one sentence that names the option or object and the value.
        remedy: one sentence that says what to do, or an empty string.
        code: the stable word for this error; by default the class's own.
    """

    code = "failed"
    outcome = Outcome.FATAL

    def __init__(self, message: str, remedy: str = "", *, code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        if code:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class ConfigurationError(GpadError):
    """An option's value cannot be used. Nothing was read or written."""

    code = "configuration_invalid"


class ObjectError(GpadError):
    """One object cannot be handled; the others go on."""

    code = "object_failed"
    outcome = Outcome.PARTIAL


class ObjectIgnoredError(ObjectError):
    """A mapping says that the object is to be left out; no failure."""

    code = "ignored_by_mapping"


class IncompleteReadError(GpadError):
    """A reading ended before its end."""

    code = "reading_incomplete"
    outcome = Outcome.INCOMPLETE


class EntraError(GpadError):
    """Entra ID or Microsoft Graph refused or did not answer."""

    code = "entra_failed"


class DirectoryError(GpadError):
    """The domain controller refused or did not answer."""

    code = "directory_failed"


class StoreError(GpadError):
    """A snapshot, plan or journal file cannot be used."""

    code = "store_failed"


class BlockedError(GpadError):
    """A limit, a lock or another writer stands in the way; nothing was written."""

    code = "blocked"
    outcome = Outcome.BLOCKED
