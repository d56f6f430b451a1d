# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the directory's schema says of an attribute, and whether values fit it: told before any write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import dn
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.model import Values
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.names import utf16_length
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.words import Word


class Syntax(Word):
    """The kinds of values that a mapping can write."""

    STRING = "string"
    BOOLEAN = "Boolean"
    INTEGER = "integer"
    LARGE_INTEGER = "large integer"
    TIME = "time"
    DN = "distinguished name"
    OTHER = "other"


# attributeSyntax to kind (MS-ADTS 3.1.1.2.2.2). Octet strings, SIDs, security descriptors and DN-with-data are OTHER.
SYNTAXES: Mapping[str, Syntax] = {
    "2.5.5.1": Syntax.DN,
    "2.5.5.2": Syntax.STRING,
    "2.5.5.3": Syntax.STRING,
    "2.5.5.4": Syntax.STRING,
    "2.5.5.5": Syntax.STRING,
    "2.5.5.6": Syntax.STRING,
    "2.5.5.8": Syntax.BOOLEAN,
    "2.5.5.9": Syntax.INTEGER,
    "2.5.5.11": Syntax.TIME,
    "2.5.5.12": Syntax.STRING,
    "2.5.5.16": Syntax.LARGE_INTEGER,
}

# Syntaxes whose characters are limited: OID (2.5.5.2), printable and IA5 string (2.5.5.5), numeric string (2.5.5.6).
_ASCII_SYNTAXES = frozenset({"2.5.5.2", "2.5.5.5"})
_NUMERIC_SYNTAX = "2.5.5.6"
_GENERALIZED_TIME = re.compile(r"\d{14}\.\dZ\Z")
_INTEGER_BITS = {Syntax.INTEGER: 31, Syntax.LARGE_INTEGER: 63}


@dataclass(frozen=True, slots=True)
class AttributeSchema:
    """One attribute of the schema.

    Parameters:
        name: lDAPDisplayName.
        oid: attributeSyntax.
        single_valued: isSingleValued.
        lower: rangeLower, or None.
        upper: rangeUpper, or None.
        writable: neither systemOnly nor constructed.
        on_group: whether objects of class group may hold it.
    """

    name: str
    oid: str
    single_valued: bool
    lower: int | None = None
    upper: int | None = None
    writable: bool = True
    on_group: bool = True

    @property
    def syntax(self) -> Syntax:
        """The kind of its values."""
        return SYNTAXES.get(self.oid, Syntax.OTHER)


def target_problem(schema: AttributeSchema | None) -> str:
    """Return why no mapping can write an attribute, or an empty string."""
    if schema is None:
        return "the schema has no such attribute"
    if not schema.writable:
        return "the system alone writes it"
    if not schema.on_group:
        return "objects of class group cannot hold it"
    return "its values are binary" if schema.syntax is Syntax.OTHER else ""


def values_problem(schema: AttributeSchema, values: Values) -> str:
    """Return why an attribute cannot hold these values, or an empty string."""
    if schema.single_valued and len(values) > 1:
        return f"it holds one value, the mapping gives {len(values)}"
    return next((problem for value in values if (problem := _value_problem(schema, value))), "")


def _value_problem(schema: AttributeSchema, value: str) -> str:
    syntax = schema.syntax
    if syntax is Syntax.BOOLEAN and value not in ("TRUE", "FALSE"):
        return f"it is a Boolean, {value!r} is neither TRUE nor FALSE"
    if syntax in _INTEGER_BITS:
        return _integer_problem(schema, value)
    if syntax is Syntax.TIME and not _GENERALIZED_TIME.match(value):
        return f"it is a time, {value!r} is not of the form 20261121100000.0Z"
    if syntax is Syntax.DN and not dn.is_dn(value):
        return f"it holds a distinguished name, {value!r} is none"
    if syntax is Syntax.STRING:
        return _string_problem(schema, value)
    return ""


def _integer_problem(schema: AttributeSchema, value: str) -> str:
    if not re.fullmatch(r"-?\d+", value, re.ASCII):
        return f"it is an integer, {value!r} is none"
    number, bits = int(value), _INTEGER_BITS[schema.syntax]
    lower = -(1 << bits) if schema.lower is None else schema.lower
    upper = (1 << bits) - 1 if schema.upper is None else schema.upper
    return "" if lower <= number <= upper else f"{number} is not between {lower} and {upper}"


def _string_problem(schema: AttributeSchema, value: str) -> str:
    length = utf16_length(value)
    if schema.upper is not None and length > schema.upper:
        return f"the value has {length} characters, at most {schema.upper} fit"
    if schema.lower is not None and length < schema.lower:
        return f"the value has {length} characters, at least {schema.lower} are needed"
    if schema.oid in _ASCII_SYNTAXES and not value.isascii():
        return "it holds ASCII characters only"
    if schema.oid == _NUMERIC_SYNTAX and not re.fullmatch(r"[0-9 ]*", value):
        return "it holds digits and blanks only"
    return ""
