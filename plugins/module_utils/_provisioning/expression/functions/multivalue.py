# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions on several values."""

from __future__ import annotations

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.errors import Fault
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.functions.table import (
    Function,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.values import (
    Value,
    integer_of,
    optional_text,
    text_of,
    values_of,
)

_CASE_MODES = ("casesensitive", "caseinsensitive")


def _join(separator: Value, *sources: Value) -> Value:
    """Several values count one by one; null and empty sources give neither text nor separator (FUNC example). When
    nothing is left the result is the empty text (undocumented; chosen)."""
    return text_of(separator).join([text for source in sources for text in values_of(source) if text])


def _split(source: Value, delimiter: Value) -> Value:
    """The parts, each trimmed (FUNC example). A longer delimiter counts as a whole, an empty one never occurs, empty
    parts stay in their places, an empty source gives null (undocumented; chosen)."""
    text, separator = text_of(source), text_of(delimiter)
    if not text:
        return None
    parts = text.split(separator) if separator else [text]
    return tuple([part.strip() for part in parts])


def _item(source: Value, index: Value) -> Value:
    """The value at a 1-based index. A single text is a list of one, null stays null (undocumented; chosen).

    :raises Fault: for an index out of range (CSX).
    """
    values = values_of(source)
    place = integer_of(index, "the index")
    if source is None:
        return None
    if not 1 <= place <= len(values):
        raise Fault(f"Item: there is no item {place} among {len(values)}; the first is 1", argument=1)
    return values[place - 1]


def _count(source: Value) -> Value:
    return 1 if isinstance(source, bytes) else len(values_of(source))


def _contains(source: Value, search: Value, mode: Value) -> Value:
    """1-based index of the first value that holds the text, 0 if none; with case unless told otherwise (chosen: the
    documented use tells SMTP: from smtp:)."""
    case = (optional_text(mode) or _CASE_MODES[0]).lower()
    if case not in _CASE_MODES:
        raise Fault("Contains: the third argument is CaseSensitive or CaseInsensitive", mode, argument=2)
    wanted, values = text_of(search), values_of(source)
    if case == _CASE_MODES[1]:
        wanted, values = wanted.casefold(), tuple([value.casefold() for value in values])
    return next((place for place, value in enumerate(values, 1) if wanted in value), 0)


def _remove_duplicates(source: Value) -> Value:
    """Each value once, the first of equals staying in its place; equal means the same text (chosen)."""
    return tuple(dict.fromkeys(source)) if isinstance(source, tuple) else source


def _first_role(source: Value) -> Value:
    """One role name of those assigned; provisioning of groups to a directory has no use for it."""
    return next(iter(values_of(source)), None)


def _roles(source: Value) -> Value:
    """All role names assigned; provisioning of groups to a directory has no use for them."""
    return values_of(source) or None


FUNCTIONS = (
    Function("AppRoleAssignmentsComplex", 1, 1, _roles),
    Function("Contains", 2, 3, _contains),
    Function("Count", 1, 1, _count),
    Function("Item", 2, 2, _item),
    Function("Join", 2, None, _join, omissible=frozenset({0, 1})),
    Function("RemoveDuplicates", 1, 1, _remove_duplicates),
    Function("SingleAppRoleAssignment", 1, 1, _first_role),
    Function("Split", 2, 2, _split),
)
