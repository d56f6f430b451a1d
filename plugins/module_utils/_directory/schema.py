# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the schema says of attributes that mappings write."""

from __future__ import annotations

from collections.abc import Collection

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.filters import any_of, escaped_text
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Entry, Session
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.schema import AttributeSchema

_FLAG_CONSTRUCTED = 0x4
_ATTRIBUTES = (
    "lDAPDisplayName",
    "attributeSyntax",
    "isSingleValued",
    "rangeLower",
    "rangeUpper",
    "systemOnly",
    "systemFlags",
)
_CLASS_ATTRIBUTES = ("mayContain", "systemMayContain", "mustContain", "systemMustContain")
_CLASS_PARENTS = ("subClassOf", "auxiliaryClass", "systemAuxiliaryClass")


def read_schema(session: Session, schema_dn: str, names: Collection[str]) -> dict[str, AttributeSchema]:
    """Return what the schema says of these attributes, by name in lower case; unknown ones are absent.

    Raises:
        DirectoryError: the schema could not be read.
    """
    on_group = _attributes_of_group(session, schema_dn)
    found: dict[str, AttributeSchema] = {}
    for part in any_of([f"(lDAPDisplayName={escaped_text(name)})" for name in names]):
        for entry in session.search(schema_dn, part, _ATTRIBUTES, scope="LEVEL"):
            name = entry.texts("lDAPDisplayName")[0]
            constructed = bool((_number(entry, "systemFlags") or 0) & _FLAG_CONSTRUCTED)
            found[name.lower()] = AttributeSchema(
                name,
                entry.texts("attributeSyntax")[0],
                entry.texts("isSingleValued") == ("TRUE",),
                _number(entry, "rangeLower"),
                _number(entry, "rangeUpper"),
                entry.texts("systemOnly") != ("TRUE",) and not constructed,
                name.lower() in on_group,
            )
    return found


def _number(entry: Entry, name: str) -> int | None:
    values = entry.texts(name)
    return int(values[0]) if values else None


def _attributes_of_group(session: Session, schema_dn: str) -> frozenset[str]:
    """Return the attributes, in lower case, that an object of class group may hold: its class's and its parents'."""
    held: set[str] = set()
    seen: set[str] = set()
    asked = {"group"}
    while asked:
        seen |= asked
        above: set[str] = set()
        for part in any_of([f"(&(objectClass=classSchema)(lDAPDisplayName={name}))" for name in sorted(asked)]):
            for entry in session.search(schema_dn, part, (*_CLASS_ATTRIBUTES, *_CLASS_PARENTS), scope="LEVEL"):
                held.update(value.lower() for name in _CLASS_ATTRIBUTES for value in entry.texts(name))
                above.update(value for name in _CLASS_PARENTS for value in entry.texts(name))
        asked = above - seen
    return frozenset(held)
