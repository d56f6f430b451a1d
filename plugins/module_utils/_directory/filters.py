# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""LDAP filters (RFC 4515) for many values at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity

# OR filters grow faster than linearly in time; up to 200 terms stay cheap.
TERMS_AT_ONCE = 200
_SPECIAL = {"*": "\\2a", "(": "\\28", ")": "\\29", "\\": "\\5c", "\0": "\\00"}


def any_of(terms: Sequence[str], at_once: int = TERMS_AT_ONCE) -> Iterator[str]:
    """Yield OR filters over the terms, each of a size that a server answers quickly."""
    for start in range(0, len(terms), at_once):
        yield f"(|{''.join(terms[start : start + at_once])})"


def escaped_text(value: str) -> str:
    """Return a value as it stands in a filter (RFC 4515, section 3)."""
    return "".join(_SPECIAL.get(char, char) for char in value)


def _escaped(value: bytes) -> str:
    return "".join(f"\\{byte:02x}" for byte in value)


def guid_term(guid: str, attribute: str = "objectGUID") -> str:
    """Return the term that finds an object by its objectGUID, or by another attribute that holds a GUID as it does."""
    return f"({attribute}={_escaped(identity.guid_to_bytes(guid))})"


def sid_term(sid: str) -> str:
    """Return the term that finds an account by its objectSid."""
    return f"(objectSid={_escaped(identity.sid_to_bytes(sid))})"
