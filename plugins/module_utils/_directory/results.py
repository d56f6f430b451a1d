# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a result of the domain controller means, in one table.

Active Directory puts a Win32 error as eight hexadecimal digits in front of the diagnostic message (MS-ADTS
3.1.1.3.1.9); Samba does so for some results. Where the prefix is unknown the LDAP code alone decides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    DirectoryError,
    GpadError,
    ObjectError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word

SUCCESS = 0
INVALID_CREDENTIALS = 49
NO_SUCH_OBJECT = 32
# Busy and unavailable: tried again for a while. Told after all tries; fewer values at a time would not help.
BUSY_CODES = (51, 52)


class ReadRefusedError(DirectoryError):
    """The server answered, and not with what was asked; the connection is whole."""


_PREFIX = re.compile(r"([0-9A-Fa-f]{8}):")


class Meaning(Word):
    """The classes of refusals; each is also the stable code that users see."""

    ALREADY_DONE = "already_done"
    COLLISION = "name_collision"
    MISSING = "object_missing"
    INVALID = "invalid_value"
    PERMISSION = "permission_denied"
    SPLIT = "too_much_at_once"
    BUSY = "directory_busy"
    MISCONFIGURED = "directory_misconfigured"
    REJECTED = "directory_rejected"


_BY_PREFIX: Mapping[tuple[int, str], Meaning] = {
    (68, "00000562"): Meaning.ALREADY_DONE,
    (20, "00002083"): Meaning.ALREADY_DONE,
    (16, "00002085"): Meaning.ALREADY_DONE,
    (53, "00000561"): Meaning.ALREADY_DONE,
    (53, "00000529"): Meaning.ALREADY_DONE,
    (19, "000021C7"): Meaning.COLLISION,
    (19, "000021C8"): Meaning.COLLISION,
    (19, "000020B5"): Meaning.MISSING,
}

# Samba gives no prefix where a link was there before and is gone already.
_BY_TEXT: Mapping[tuple[int, str], Meaning] = {
    (53, "Attribute member already deleted for target"): Meaning.ALREADY_DONE,
}

_BY_CODE: Mapping[int, Meaning] = {
    3: Meaning.BUSY,
    8: Meaning.MISCONFIGURED,
    10: Meaning.MISCONFIGURED,
    11: Meaning.SPLIT,
    12: Meaning.MISCONFIGURED,
    16: Meaning.ALREADY_DONE,
    19: Meaning.INVALID,
    20: Meaning.ALREADY_DONE,
    21: Meaning.INVALID,
    32: Meaning.MISSING,
    50: Meaning.PERMISSION,
    51: Meaning.BUSY,
    52: Meaning.BUSY,
    53: Meaning.REJECTED,
    68: Meaning.COLLISION,
    80: Meaning.BUSY,
}

_REMEDIES: Mapping[Meaning, str] = {
    Meaning.COLLISION: "Another object has this name; rename one of the two.",
    Meaning.MISSING: "Plan again: the object or a member was moved or deleted meanwhile.",
    Meaning.INVALID: "Correct the mapping or the value in the cloud.",
    Meaning.PERMISSION: "Give the account the rights that docs/permissions.md lists on this container.",
    Meaning.BUSY: "Run again later.",
    Meaning.MISCONFIGURED: "Check domain_server and domain_tls_mode.",
}

# The numbers after "data" in a refused bind, from winerror.h.
_BIND_REASONS: Mapping[str, str] = {
    "525": "the account does not exist",
    "52e": "the password is wrong or the account does not exist",
    "52f": "an account restriction forbids it",
    "530": "the account may not log on at this time",
    "531": "the account may not log on from here",
    "532": "the password has expired",
    "533": "the account is disabled",
    "701": "the account has expired",
    "773": "the password must be changed first",
    "775": "the account is locked",
}


def meaning(result: Mapping[str, Any]) -> Meaning:
    """Return what a refused operation means."""
    code = int(result["result"])
    message = str(result.get("message") or "")
    prefix = _PREFIX.match(message)
    found = _BY_PREFIX.get((code, prefix[1].upper())) if prefix else _by_text(code, message)
    return found or _BY_CODE.get(code, Meaning.REJECTED)


def _by_text(code: int, message: str) -> Meaning | None:
    return next((kind for (of, text), kind in _BY_TEXT.items() if of == code and message.startswith(text)), None)


def refusal(what: str, result: Mapping[str, Any], remedies: Mapping[Meaning, str] | None = None) -> GpadError:
    """Return the error for a refused write of one object.

    Parameters:
        what: the object and the operation, for people.
        result: the result of the operation.
        remedies: what to do, where the operation has other remedies than the usual ones.
    """
    kind = meaning(result)
    remedy = {**_REMEDIES, **(remedies or {})}.get(kind, "")
    return ObjectError(f"{what}: {_words(result)}", remedy, code=kind.value)


def failed_reading(what: str, result: Mapping[str, Any]) -> ReadRefusedError:
    """Return the error for a search that did not succeed."""
    kind = meaning(result)
    return ReadRefusedError(f"{what}: {_words(result)}", _REMEDIES.get(kind, ""), code=kind.value)


def bind_refusal(username: str, result: Mapping[str, Any]) -> DirectoryError:
    """Return the error for a refused bind, with the reason that Active Directory gives."""
    message = str(result.get("message") or "")
    if meaning(result) is Meaning.BUSY:
        return DirectoryError(
            f"The domain controller could not log {username} on: {_words(result)}",
            _REMEDIES[Meaning.BUSY],
            code=Meaning.BUSY.value,
        )
    if int(result["result"]) != INVALID_CREDENTIALS:
        return DirectoryError(
            f"The domain controller refused the log-on of {username}: {_words(result)}",
            "Check domain_tls_mode and the account.",
            code="directory_log_on_refused",
        )
    if "80090346" in message:
        why = "it demands channel binding, which this log-on does not send"
    else:
        data = re.search(r"data ([0-9a-fA-F]+)", message)
        why = _BIND_REASONS.get(data[1].lower() if data else "", "the user name or the password is wrong")
    return DirectoryError(
        f"The domain controller refused the log-on of {username}: {why}.",
        "Check domain_username and domain_password.",
        code="directory_log_on_refused",
    )


def _words(result: Mapping[str, Any]) -> str:
    text = " ".join(str(result.get("message") or "").replace("\x00", "").split())
    return f"{result.get('description', 'error')} ({result['result']}){': ' + text if text else ''}"
