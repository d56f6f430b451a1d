# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""OData query options: reading them, and refusing what the service refuses (advanced query rules)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from . import errors
from .calls import Call, Tenant
from .filters import Clause, Expression, Search, alternatives, clauses, parse_filter, parse_search
from .model import Model
from .schema import EntityType, Kind, Property, Returned

MAX_TOP = 999
MAX_ALTERNATIVES = 15
"""Of one `or` or `in` in the default mode (microsoft-graph-docs-contrib, issue 1238)."""
_EXPAND = re.compile(r"(?P<name>\w+)(?:\(\$select=(?P<select>[\w,]+)\))?")
_PSEUDO = "onPremisesSyncBehavior/isCloudManaged"
_AUTHORITY = Property(
    "isCloudManaged", Kind.BOOLEAN, Returned.NEVER, frozenset(), frozenset({"eq", "ne", "not"}), beta=False
)


@dataclass(frozen=True, slots=True)
class Target:
    """What a query runs over: possible types of its items, the name of the resource, and special rules.

    ``advanced_only``: filter, search and order work in advanced mode only (members and other relationships).
    """

    types: tuple[EntityType, ...]
    resource: str
    type_name: str
    single: bool = False
    advanced_only: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    select: tuple[str, ...] | None
    filter: Expression | None
    search: Search | None
    order: tuple[str, bool] | None
    top: int | None
    count: bool
    expand: tuple[str, tuple[str, ...] | None] | None
    skip_token: str | None
    advanced: bool

    @property
    def needs_properties(self) -> bool:
        """Whether finding the items takes more than their ids."""
        return bool(self.filter or self.search or self.order)


def _find(model: Model, target: Target, name: str, beta: bool) -> Property | None:
    if name == _PSEUDO and target.resource == "Group":
        return _AUTHORITY
    found = [model.find(entity, name, beta=beta) for entity in target.types]
    return next((row for row in found if row is not None), None)


def _select(model: Model, target: Target, text: str | None, beta: bool) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    kept = []
    for name in names:
        if any(name in entity.navigation for entity in target.types):
            continue  # The service leaves relationships out without a word.
        row = _find(model, target, name, beta)
        if row is None or "/" in name:
            raise errors.unknown_property(name, target.type_name)
        if row.returned is Returned.SINGLE and not target.single:
            raise errors.unsupported_query(f"Property '{name}' can be selected on a single object only.")
        kept.append(name)
    return tuple(kept)


def _top(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isdigit() or not 1 <= int(text) <= MAX_TOP:
        raise errors.unsupported_query(
            f"Invalid page size specified: '{text}'. Must be between 1 and {MAX_TOP} inclusive."
        )
    return int(text)


def _count(text: str | None) -> bool:
    if text not in (None, "true", "false"):
        raise errors.unparsable(f"Invalid $count value '{text}': must be 'true' or 'false'.")
    return text == "true"


def _check_literal(row: Property, clause: Clause) -> None:
    if clause.literal == "null":
        return
    expected = {
        Kind.BOOLEAN: ("boolean",),
        Kind.INTEGER: ("number",),
        Kind.DATETIME: ("datetime",),
    }.get(row.kind, ("text", "guid") if row.name.endswith("Id") or row.name == "id" else ("text",))
    if clause.literal not in expected or (clause.literal == "datetime" and "T" not in clause.value):
        raise errors.bad_request(
            f"Invalid filter clause: A binary operator with incompatible types was detected for property '{row.name}'."
        )


def _check_clause(row: Property, clause: Clause, negated: bool, target: Target, advanced: bool) -> None:
    if row.kind.is_collection != clause.quantified or row.kind in (Kind.COMPLEX, Kind.COMPLEXES):
        raise errors.not_indexed(row.name, target.resource)
    _check_literal(row, clause)
    needed = [clause.operator] if clause.literal != "null" or clause.operator == "ne" else ["null"]
    for operator in needed + (["not"] if negated else []):
        if operator in row.default and not target.advanced_only:
            continue
        if operator not in row.default | row.advanced:
            raise errors.not_indexed(row.name, target.resource)
        if not advanced:
            hint = operator in ("ne", "not", "endsWith") or target.advanced_only
            raise errors.needs_advanced(operator) if hint else errors.not_indexed(row.name, target.resource)


def _filter(model: Model, target: Target, text: str | None, call: Call, advanced: bool) -> Expression | None:
    if text is None:
        return None
    expression = parse_filter(text)
    count = alternatives(expression)
    if count > MAX_ALTERNATIVES and not advanced:
        raise errors.too_many_alternatives(count, MAX_ALTERNATIVES)
    for clause, negated in clauses(expression):
        row = _find(model, target, clause.property, call.beta)
        if row is None:
            raise errors.unknown_property(clause.property, target.type_name, "filter")
        _check_clause(row, clause, negated, target, advanced)
    return expression


def _order(
    model: Model, target: Target, text: str | None, beta: bool, advanced: bool, filtered: bool
) -> tuple[str, bool] | None:
    if text is None:
        return None
    name, _unused, direction = text.strip().partition(" ")
    row = _find(model, target, name, beta)
    if row is None:
        raise errors.unknown_property(name, target.type_name, "orderby")
    if direction not in ("", "asc", "desc") or not row.order:
        raise errors.unsupported_query(f"Unsupported sort property '{name}' for '{target.resource}'.")
    if not advanced and (row.order == "advanced" or filtered or target.advanced_only):
        raise errors.unsupported_query("Sorting not supported for current query.")
    return name, direction == "desc"


def _search(model: Model, target: Target, text: str | None, call: Call) -> Search | None:
    if text is None:
        return None
    if not call.eventual:
        raise errors.unsupported_query(
            "Request with $search query parameter only works through MSGraph with a special request header: "
            "'ConsistencyLevel: eventual'"
        )
    search = parse_search(text)
    for group in search.alternatives:
        for clause in group:
            row = _find(model, target, clause.property, call.beta)
            if row is None or not row.search:
                raise errors.unsupported_query(f"Property '{clause.property}' is not searchable.")
    return search


def _expand(
    model: Model, target: Target, text: str | None, call: Call, types: tuple[EntityType, ...]
) -> tuple[str, tuple[str, ...] | None] | None:
    if text is None:
        return None
    if call.eventual:
        raise errors.unsupported_query("$expand is not supported in combination with ConsistencyLevel: eventual.")
    match = _EXPAND.fullmatch(text)
    if match is None or match["name"] not in {name for entity in target.types for name in entity.navigation}:
        raise errors.unparsable(f"Parsing OData Select and Expand failed: '{text}' cannot be expanded.")
    if match["name"] != "members":
        raise errors.GraphError(400, "ExpandNotSupported", f"The property '{match['name']}' cannot be expanded.")
    inner = Target(types, "DirectoryObject", "directoryObject")
    return "members", _select(model, inner, match["select"], call.beta)


def check_options(call: Call, allowed: frozenset[str]) -> None:
    """Refuse options that the operation does not document, and a ConsistencyLevel that does not exist.

    Raises GraphError (400).
    """
    for name in call.options:
        if name not in allowed:
            raise errors.unparsable(f"The query parameter '{name}' is not supported.")
    if call.headers.get("consistencylevel") and not call.eventual:
        raise errors.bad_request("The ConsistencyLevel header must be 'eventual'.")


def parse_query(tenant: Tenant, call: Call, target: Target, all_types: tuple[EntityType, ...]) -> Query:
    """Read and check the options of a call over a target.

    Raises GraphError with the service's text for each rule of the advanced query documentation.
    """
    options: Callable[[str], str | None] = call.options.get
    counted = _count(options("$count"))
    advanced = call.eventual and counted
    return Query(
        select=_select(tenant.model, target, options("$select"), call.beta),
        filter=_filter(tenant.model, target, options("$filter"), call, advanced),
        search=_search(tenant.model, target, options("$search"), call),
        # With $search the header alone makes a query advanced.
        order=_order(
            tenant.model,
            target,
            options("$orderby"),
            call.beta,
            advanced or (call.eventual and "$search" in call.options),
            "$filter" in call.options,
        ),
        top=_top(options("$top")),
        count=advanced,
        expand=_expand(tenant.model, target, options("$expand"), call, all_types),
        skip_token=options("$skiptoken"),
        advanced=advanced,
    )


def own_options(call: Call) -> Mapping[str, str]:
    """The options of a query without its page token."""
    return {name: value for name, value in call.options.items() if name != "$skiptoken"}
