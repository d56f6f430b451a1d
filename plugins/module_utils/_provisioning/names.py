# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Active Directory accepts as cn and sAMAccountName, told before anything is written."""

from __future__ import annotations

# MS-ADA1/MS-ADA3: rangeUpper of cn, and of sAMAccountName, in UTF-16 code units.
CN_LIMIT = 64
SAM_LIMIT = 256
_SAM_FORBIDDEN = frozenset('"/\\[]:;|=,+*?<>')


def utf16_length(value: str) -> int:
    """Return the length that Active Directory counts: UTF-16 code units."""
    return len(value.encode("utf-16-le", "surrogatepass")) // 2


def cn_problem(value: str) -> str | None:
    """Return what is wrong with a cn, or None."""
    if not value.strip():
        return "is empty"
    if utf16_length(value) > CN_LIMIT:
        return f"has {utf16_length(value)} characters, at most {CN_LIMIT} fit"
    if any(ord(char) < 32 or 0xD800 <= ord(char) <= 0xDFFF for char in value):
        return "holds a control character or half a character"
    if value != value.strip():
        return "begins or ends with a blank"
    return None


def sam_account_name_problem(value: str) -> str | None:
    """Return what is wrong with a group's sAMAccountName, or None."""
    if not value.strip(" ."):
        return "is empty or holds only dots and blanks"
    if utf16_length(value) > SAM_LIMIT:
        return f"has {utf16_length(value)} characters, at most {SAM_LIMIT} fit"
    bad = sorted({char for char in value if char in _SAM_FORBIDDEN or ord(char) < 32})
    if bad:
        return f"holds {', '.join(map(repr, bad))}, which a sAMAccountName must not"
    if value.endswith("."):
        return "ends with a dot"
    return None
