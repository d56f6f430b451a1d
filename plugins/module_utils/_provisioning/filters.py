# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Attribute filters of the scope, as the portal of Cloud Sync has them: clauses AND, filters OR.

Apart from IS NULL, a clause is false on a null or empty value. Regular expressions are .NET's and searched for, not
matched whole (the documented sample `(?:^|\\W)Sales|Marketing` needs that): anchor them to match whole values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning import identity
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import (
    ConfigurationError,
    ObjectError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.errors import Fault

if TYPE_CHECKING:
    from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.regex import Pattern

MEMBER_OF = "IS_MEMBER_OF"

# True or False for a value that is there.
_Test = Callable[[object, str], bool]


def _integer(value: object) -> int | None:
    try:
        return int(str(value).strip())
    except ValueError:
        return None


def _greater(value: object, wanted: str, *, equal: bool) -> bool:
    left, right = _integer(value), _integer(wanted)
    return left is not None and right is not None and (left > right or (equal and left == right))


def _text(value: object) -> str:
    """Return a value as the portal compares it; Booleans are True and False."""
    return str(value)


def _compiled(pattern: str) -> Pattern:
    """Return a compiled pattern; few have one, and every module knows of filters."""
    from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression import regex

    return regex.compile_pattern(pattern)


def _found(value: object, pattern: str) -> bool:
    return any(True for _match in _compiled(pattern).matches(_text(value)))


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator.

    Parameters:
        test: applied to a value that is neither null nor empty.
        takes_value: whether the clause must have a value.
        on_null: the answer for null and empty values.
    """

    test: _Test
    takes_value: bool = True
    on_null: bool = False


OPERATORS: Mapping[str, Operator] = {
    "EQUALS": Operator(lambda value, wanted: _text(value) == wanted),
    "NOT EQUALS": Operator(lambda value, wanted: _text(value) != wanted),
    "GREATER_THAN": Operator(lambda value, wanted: _greater(value, wanted, equal=False)),
    "GREATER_THAN_OR_EQUALS": Operator(lambda value, wanted: _greater(value, wanted, equal=True)),
    "IS TRUE": Operator(lambda value, _wanted: value is True, takes_value=False),
    "IS FALSE": Operator(lambda value, _wanted: value is False, takes_value=False),
    "IS NULL": Operator(lambda _value, _wanted: False, takes_value=False, on_null=True),
    "IS NOT NULL": Operator(lambda _value, _wanted: True, takes_value=False),
    "PRESENT": Operator(lambda _value, _wanted: True, takes_value=False),
    "REGEX MATCH": Operator(_found),
    "NOT REGEX MATCH": Operator(lambda value, pattern: not _found(value, pattern)),
    "INCLUDES": Operator(lambda value, wanted: wanted in _text(value)),
    "STARTS_WITH": Operator(lambda value, wanted: _text(value).startswith(wanted)),
    "ENDS_WITH": Operator(lambda value, wanted: _text(value).endswith(wanted)),
    "&": Operator(lambda value, text: _text(value) in text),
    "!&": Operator(lambda value, text: _text(value) not in text),
    # Decided before the clauses are tried; the attribute is the group's own id.
    MEMBER_OF: Operator(lambda _value, _wanted: False),
}

_REGEX_OPERATORS = frozenset({"REGEX MATCH", "NOT REGEX MATCH"})
_NUMBER_OPERATORS = frozenset({"GREATER_THAN", "GREATER_THAN_OR_EQUALS"})


@dataclass(frozen=True, slots=True)
class Clause:
    """One condition on one property.

    Parameters:
        attribute: the Graph property's name; dots lead into a complex one.
        operator: a name in OPERATORS.
        value: what to compare with, an empty string for operators without.
    """

    attribute: str
    operator: str
    value: str = ""

    def __str__(self) -> str:
        """Return the clause in the words of the portal."""
        return " ".join(filter(None, (self.attribute, self.operator, self.value)))


@dataclass(frozen=True, slots=True)
class Filter:
    """Clauses that must all hold."""

    clauses: tuple[Clause, ...]
    name: str = ""

    def __str__(self) -> str:
        """Return the filter's name, else its clauses."""
        return self.name or " AND ".join(map(str, self.clauses))


def check_filters(filters: Iterable[Filter], known: frozenset[str]) -> None:
    """Refuse filters that cannot be evaluated, before anything is read.

    Parameters:
        filters: the filters.
        known: properties that a capture can read; directory extensions are always known.

    Raises:
        ConfigurationError: the first clause that cannot be used, with its place.
    """
    for number, entry in enumerate(filters, 1):
        if not entry.clauses:
            raise ConfigurationError(f"filters: filter {number} has no clauses.", "Give it at least one.")
        for place, clause in enumerate(entry.clauses, 1):
            problem = _clause_problem(clause, known)
            if problem:
                raise ConfigurationError(
                    f"filters: filter {number}, clause {place} ({clause}): {problem}.",
                    "Correct the clause; docs/scope.md lists operators and attributes.",
                    code="filter_invalid",
                )


def _clause_problem(clause: Clause, known: frozenset[str]) -> str:
    operator = OPERATORS.get(clause.operator)
    if operator is None:
        return f"there is no operator {clause.operator}"
    if operator.takes_value and not clause.value:
        return f"{clause.operator} needs a value"
    if not operator.takes_value and clause.value:
        return f"{clause.operator} takes no value"
    if clause.operator != MEMBER_OF and clause.attribute not in known and not is_extension(clause.attribute):
        return f"there is no attribute {clause.attribute}"
    if clause.operator == MEMBER_OF and identity.guid_text(clause.value) is None:
        return f"{clause.value!r} is not an object id"
    if clause.operator in _NUMBER_OPERATORS and _integer(clause.value) is None:
        return f"{clause.value!r} is not an integer"
    if clause.operator in _REGEX_OPERATORS:
        try:
            _compiled(clause.value)
        except Fault as error:
            return f"the regular expression cannot be used: {error}"
    return ""


def is_extension(attribute: str) -> bool:
    """Return whether a name is a directory extension's, `extension_<application id>_<name>`."""
    parts = attribute.split("_", 2)
    return len(parts) == 3 and parts[0] == "extension" and len(parts[1]) == 32 and parts[1].isalnum()


def holds(clause: Clause, group_id: str, values: Mapping[str, object], member_of: Mapping[str, frozenset[str]]) -> bool:
    """Return whether a clause holds for a group.

    Parameters:
        clause: a checked clause.
        group_id: object id of the group.
        values: its properties by every name that clauses may use.
        member_of: object id of each group named by an IS_MEMBER_OF clause, to the ids of its members.

    Raises:
        ObjectError: the value is too long for the regular expression.
    """
    if clause.operator == MEMBER_OF:
        return group_id in member_of.get(clause.value, frozenset())
    operator = OPERATORS[clause.operator]
    value = values.get(clause.attribute)
    if value is None or value in ("", []):
        return operator.on_null
    try:
        return operator.test(value, clause.value)
    except Fault as error:
        raise ObjectError(f"{clause}: {error}.", "Simplify the expression.", code="filter_failed") from None


def first_match(
    filters: Iterable[Filter],
    group_id: str,
    values: Mapping[str, object],
    member_of: Mapping[str, frozenset[str]],
) -> tuple[Filter | None, Clause | None]:
    """Return the first filter that lets a group in, or the clause that kept it out of the last one.

    Raises:
        ObjectError: a value is too long for a regular expression.
    """
    failed: Clause | None = None
    for entry in filters:
        failed = next((clause for clause in entry.clauses if not holds(clause, group_id, values, member_of)), None)
        if failed is None:
            return entry, None
    return None, failed


# Where the service and a clause agree, or the service lets more through: its comparisons ignore case. Only properties
# and operators of the default index, since the others need the eventually consistent one.
_PUSHED_TEXT = frozenset({"displayName", "mail", "mailNickname", "classification"})
_PUSHED_BOOLEAN = frozenset({"securityEnabled", "mailEnabled", "isAssignableToRole"})
_PUSHED: Mapping[str, tuple[frozenset[str], str]] = {
    "EQUALS": (_PUSHED_TEXT, "{attribute} eq {value}"),
    "STARTS_WITH": (_PUSHED_TEXT, "startsWith({attribute},{value})"),
    "IS TRUE": (_PUSHED_BOOLEAN, "{attribute} eq true"),
}


def service_filter(filters: Iterable[Filter]) -> str:
    """Return an OData `$filter` that lets every group through that the filters do, or an empty string.

    It may let more through, never less, so the filters are evaluated here all the same.
    """
    terms = []
    for entry in filters:
        term = " and ".join(filter(None, map(_pushed, entry.clauses)))
        if not term:
            return ""
        terms.append(f"({term})")
    return " or ".join(terms)


def _pushed(clause: Clause) -> str:
    attributes, template = _PUSHED.get(clause.operator, (frozenset[str](), ""))
    if clause.attribute not in attributes:
        return ""
    quoted = "'" + clause.value.replace("'", "''") + "'"
    return template.format(attribute=clause.attribute, value=quoted)
