# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""OData ``$filter`` and ``$search``: parsing into a small tree, and evaluation on an object's properties."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .errors import unparsable

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^']|'')*')
    | (?P<datetime>\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?(?![0-9a-fA-F-]))
    | (?P<guid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})
    | (?P<number>-?\d+(?![\w-]))
    | (?P<name>[A-Za-z_]\w*)
    | (?P<mark>[(),/:])
    )""",
    re.VERBOSE,
)
_COMPARISONS = ("eq", "ne", "ge", "le")
_FUNCTIONS = {"startswith": "startsWith", "endswith": "endsWith"}
_KEYWORDS = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Clause:
    """``property operator value``; ``quantified`` when it speaks of any element of a collection."""

    property: str
    operator: str
    value: Any
    literal: str = "text"
    quantified: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    operand: Expression


@dataclass(frozen=True, slots=True)
class Junction:
    """``and`` or ``or`` of two or more operands."""

    operator: str
    operands: tuple[Expression, ...]


Expression = Clause | Not | Junction


class _Parser:
    """Recursive descent over the tokens of one filter; ``or`` binds least, then ``and``, then ``not``."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._tokenize(text))
        self._position = 0

    def _tokenize(self, text: str) -> Iterator[tuple[str, str]]:
        position = 0
        stripped = text.rstrip()
        while position < len(stripped):
            match = _TOKEN.match(stripped, position)
            if match is None or match.lastgroup is None:
                raise self._error(position)
            yield match.lastgroup, match.group(match.lastgroup)
            position = match.end()

    def _error(self, position: int | None = None) -> Exception:
        at = self._position if position is None else position
        return unparsable(f"Invalid filter clause: Syntax error at position {at} in '{self._text}'.")

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._position] if self._position < len(self._tokens) else ("end", "")

    def _take(self, kind: str, value: str | None = None) -> str:
        found = self._peek()
        if found[0] != kind or (value is not None and found[1] != value):
            raise self._error()
        self._position += 1
        return found[1]

    def _accept(self, kind: str, value: str) -> bool:
        if self._peek() == (kind, value):
            self._position += 1
            return True
        return False

    def parse(self) -> Expression:
        result = self._junction("or")
        if self._peek()[0] != "end":
            raise self._error()
        return result

    def _junction(self, operator: str) -> Expression:
        def deeper() -> Expression:
            return self._junction("and") if operator == "or" else self._unary()

        operands = [deeper()]
        while self._accept("name", operator):
            operands.append(deeper())
        return operands[0] if len(operands) == 1 else Junction(operator, tuple(operands))

    def _unary(self) -> Expression:
        if self._accept("name", "not"):
            return Not(self._unary())
        if self._accept("mark", "("):
            inner = self._junction("or")
            self._take("mark", ")")
            return inner
        return self._clause()

    def _path(self) -> str:
        path = self._take("name")
        while self._accept("mark", "/"):
            path += "/" + self._take("name")
        return path

    def _literal(self) -> tuple[str, Any]:
        kind, text = self._peek()
        self._position += 1
        if kind == "text":
            return kind, text[1:-1].replace("''", "'")
        if kind in ("guid", "datetime"):
            return kind, text
        if kind == "number":
            return kind, int(text)
        if kind == "name" and text in _KEYWORDS:
            return ("null" if text == "null" else "boolean"), _KEYWORDS[text]
        self._position -= 1
        raise self._error()

    def _clause(self) -> Expression:
        path = self._path()
        if path.lower() in _FUNCTIONS and self._accept("mark", "("):
            return self._function(_FUNCTIONS[path.lower()])
        if path.endswith("/any") and self._accept("mark", "("):
            return self._any(path.removesuffix("/any"))
        operator = self._take("name")
        if operator == "in":
            return self._in(path)
        if operator not in _COMPARISONS:
            raise self._error()
        literal, value = self._literal()
        return Clause(path, operator, value, literal)

    def _function(self, operator: str) -> Clause:
        path = self._path()
        self._take("mark", ",")
        literal, value = self._literal()
        self._take("mark", ")")
        return Clause(path, operator, value, literal)

    def _in(self, path: str) -> Clause:
        self._take("mark", "(")
        literals = [self._literal()]
        while self._accept("mark", ","):
            literals.append(self._literal())
        self._take("mark", ")")
        kinds = {kind for kind, _unused in literals}
        if len(kinds) != 1:
            raise self._error()
        return Clause(path, "in", tuple(value for _unused, value in literals), kinds.pop())

    def _any(self, path: str) -> Clause:
        variable = self._take("name")
        self._take("mark", ":")
        inner = self._clause()
        self._take("mark", ")")
        if not isinstance(inner, Clause) or inner.property != variable or inner.quantified:
            raise self._error()
        return Clause(path, inner.operator, inner.value, inner.literal, quantified=True)


def parse_filter(text: str) -> Expression:
    """Parse a ``$filter``.

    Raises GraphError (400) on a syntax error and on operators that directory objects do not know (gt, lt, arithmetic).
    """
    return _Parser(text).parse()


def clauses(expression: Expression, negated: bool = False) -> Iterator[tuple[Clause, bool]]:
    """Yield every clause with whether a ``not`` stands above it."""
    if isinstance(expression, Clause):
        yield expression, negated
    elif isinstance(expression, Not):
        yield from clauses(expression.operand, True)
    else:
        for operand in expression.operands:
            yield from clauses(operand, negated)


def alternatives(expression: Expression) -> int:
    """Count what the widest `or` or `in` of a filter offers to choose from."""
    if isinstance(expression, Clause):
        return len(expression.value) if expression.operator == "in" else 1
    if isinstance(expression, Not):
        return alternatives(expression.operand)
    inner = [alternatives(operand) for operand in expression.operands]
    return max(len(inner) if expression.operator == "or" else 1, *inner)


def _fold(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda held, asked: bool(held == asked),
    "ne": lambda held, asked: bool(held != asked),
    "ge": lambda held, asked: held is not None and bool(held >= asked),
    "le": lambda held, asked: held is not None and bool(held <= asked),
    "in": lambda held, asked: held in asked,
    "startsWith": lambda held, asked: isinstance(held, str) and held.startswith(asked),
    "endsWith": lambda held, asked: isinstance(held, str) and held.endswith(asked),
}


def matches(expression: Expression, properties: Mapping[str, Any]) -> bool:
    """Evaluate a filter on one object; text compares without regard to case, as the directory does."""
    if isinstance(expression, Not):
        return not matches(expression.operand, properties)
    if isinstance(expression, Junction):
        test = all if expression.operator == "and" else any
        return test(matches(operand, properties) for operand in expression.operands)
    asked = tuple(map(_fold, expression.value)) if expression.operator == "in" else _fold(expression.value)
    held = properties.get(expression.property.rpartition("/")[2])
    values = (held or []) if expression.quantified else [held]
    return any(_TESTS[expression.operator](_fold(value), asked) for value in values)


_SEARCH = re.compile(r'\s*(?:(?P<operator>AND|OR)\s+)?"(?P<property>\w+):(?P<words>[^"]*)"\s*')


@dataclass(frozen=True, slots=True)
class SearchClause:
    property: str
    words: tuple[str, ...]

    def matches(self, properties: Mapping[str, Any]) -> bool:
        held = re.split(r"[\W_]+", str(properties.get(self.property) or "").casefold())
        return all(any(token.startswith(word) for token in held) for word in self.words)


@dataclass(frozen=True, slots=True)
class Search:
    """Alternatives of clauses that hold together: ``AND`` binds more than ``OR``."""

    alternatives: tuple[tuple[SearchClause, ...], ...]

    def matches(self, properties: Mapping[str, Any]) -> bool:
        return any(all(clause.matches(properties) for clause in group) for group in self.alternatives)


def parse_search(text: str) -> Search:
    """Parse ``"property:words"`` clauses joined by AND and OR.

    Raises GraphError (400) for anything else.
    """
    alternatives: list[list[SearchClause]] = []
    position = 0
    while position < len(text):
        match = _SEARCH.match(text, position)
        if match is None or (match["operator"] is None) != (position == 0):
            raise unparsable(f"Syntax error: character '{text[position]}' is not valid at position {position}.")
        words = tuple(word for word in re.split(r"[\W_]+", match["words"].casefold()) if word)
        if match["operator"] != "AND":
            alternatives.append([])
        alternatives[-1].append(SearchClause(match["property"], words))
        position = match.end()
    return Search(tuple(map(tuple, alternatives)))
