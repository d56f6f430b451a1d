# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tokens -> syntax tree."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from functools import lru_cache

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.errors import (
    ExpressionError,
    Fault,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.functions.table import (
    Conditions,
    Function,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.registry import (
    FUNCTIONS,
    KEYWORDS,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.syntax import (
    MAXIMUM_LENGTH,
    Attribute,
    Call,
    Comparison,
    Constant,
    Expression,
    Join,
    Keyword,
    Node,
    Omitted,
    Variable,
    walk,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.tokens import (
    Kind,
    Token,
    constant_offset,
    tokenize,
)

MAXIMUM_DEPTH = 100
"""Nesting of calls and parentheses; it keeps hostile input from the interpreter's stack."""

_OPERAND = 'an attribute in [brackets], text in "quotes", a number or a function call'
_LEAVES: dict[Kind, Callable[[Token], Node]] = {
    Kind.STRING: lambda token: Constant(token.value, token.offset),
    Kind.NUMBER: lambda token: Constant(token.value, token.offset),
    Kind.ATTRIBUTE: lambda token: Attribute(str(token.value), token.offset),
    Kind.VARIABLE: lambda token: Variable(str(token.value), token.offset),
}


@lru_cache(maxsize=512)
def parse(text: str) -> Expression:
    """The expression in ``text``.

    :raises ExpressionError: for text that is no expression, with the position, what was found and what was expected;
        also for unknown functions, wrong numbers of arguments, and constants that can be known to be wrong.
    """
    if len(text) > MAXIMUM_LENGTH:
        raise ExpressionError(
            f"an expression has at most {MAXIMUM_LENGTH} characters, this one has {len(text)}",
            source=text,
            offset=MAXIMUM_LENGTH,
            found=f"{len(text)} characters",
            expected=f"at most {MAXIMUM_LENGTH}",
        )
    return Expression(_Parser(text).whole(), text)


class _Parser:
    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = tokenize(source)
        self._place = 0

    def whole(self) -> Node:
        node = self._expression(0, condition=False)
        if not self._at(Kind.END):
            raise self._unexpected("the end of the expression")
        for inner in list(walk(node))[1:]:
            if isinstance(inner, Call) and FUNCTIONS[inner.name.lower()].top_level:
                problem = f"{inner.name} stands only around a whole expression"
                raise self._error(inner.offset, problem, inner.name, "")
        return node

    @property
    def _token(self) -> Token:
        return self._tokens[self._place]

    def _at(self, kind: Kind) -> bool:
        return self._token.kind is kind

    def _take(self) -> Token:
        token = self._token
        self._place += 1
        return token

    def _expression(self, depth: int, *, condition: bool) -> Node:
        left = self._joined(depth, condition=condition)
        if not self._at(Kind.COMPARATOR):
            return left
        sign = self._token
        if not condition or isinstance(left, Comparison):
            raise self._unexpected("no comparison: one compares once, in the condition of IIF or in CBool")
        self._take()
        right = self._joined(depth, condition=False)
        if self._at(Kind.COMPARATOR):
            raise self._unexpected("the end of the condition; nest IIF to combine conditions")
        return Comparison(sign.text, left, right, left.offset)

    def _joined(self, depth: int, *, condition: bool) -> Node:
        first = self._operand(depth, condition=condition)
        if not self._at(Kind.JOIN):
            return first
        if isinstance(first, Comparison):
            raise self._unexpected("no '&' after a comparison")
        parts: list[Node] = [first]
        while self._at(Kind.JOIN):
            self._take()
            parts.append(self._operand(depth, condition=False))
        flat = [inner for part in parts for inner in (part.parts if isinstance(part, Join) else (part,))]
        return Join(tuple(flat), first.offset)

    def _operand(self, depth: int, *, condition: bool) -> Node:
        token = self._token
        if token.kind in _LEAVES:
            return _LEAVES[self._take().kind](token)
        if token.kind is Kind.WORD:
            following = self._tokens[self._place + 1].kind
            return self._call(depth, condition=condition) if following is Kind.OPEN else self._keyword()
        if token.kind is Kind.OPEN:
            self._take()
            node = self._expression(self._deeper(depth, token), condition=condition)
            self._close()
            return node
        raise self._unexpected(_OPERAND)

    def _keyword(self) -> Node:
        token = self._token
        if token.text.lower() not in KEYWORDS:
            raise self._unexpected(f"{_OPERAND} (an attribute is written [{token.text[:40]}])")
        self._take()
        return Keyword(KEYWORDS[token.text.lower()][0], token.offset)

    def _call(self, depth: int, *, condition: bool) -> Node:
        name = self._token
        function = FUNCTIONS.get(name.text.lower())
        if function is None:
            raise self._unexpected(f"a function of the language{_suggestion(name.text)}")
        self._take()
        inner = self._deeper(depth, self._take())
        first = function.conditions is Conditions.ALWAYS or (function.conditions is Conditions.INHERITED and condition)
        call = Call(function.name, _fitted(self._arguments(inner, condition=first), function), name.offset)
        self._check(call, function)
        return call

    def _arguments(self, depth: int, *, condition: bool) -> list[Node]:
        arguments: list[Node] = []
        if self._at(Kind.CLOSE):
            self._take()
            return arguments
        while True:
            if self._at(Kind.COMMA) or self._at(Kind.CLOSE):
                arguments.append(Omitted(self._token.offset))
            else:
                arguments.append(self._expression(depth, condition=condition and not arguments))
            if not self._at(Kind.COMMA):
                self._close()
                return arguments
            self._take()

    def _check(self, call: Call, function: Function) -> None:
        count = len(call.arguments)
        if count < function.minimum or (function.maximum is not None and count > function.maximum):
            wanted = _counted(function)
            problem = f"{function.name} takes {wanted}, not {count}"
            raise self._error(call.offset, problem, f"{count} arguments", wanted)
        for place, argument in enumerate(call.arguments[: function.minimum]):
            if isinstance(argument, Omitted) and place not in function.omissible:
                problem = f"argument {place + 1} of {function.name} must be given"
                raise self._error(argument.offset, problem, "nothing", "an argument")
        if function.check is not None:
            try:
                function.check(call)
            except Fault as fault:
                raise self._error(located(self._source, call, fault), fault.problem, "", "") from None

    def _deeper(self, depth: int, token: Token) -> int:
        if depth >= MAXIMUM_DEPTH:
            problem = f"the nesting is deeper than {MAXIMUM_DEPTH}"
            raise self._error(token.offset, problem, token.text, f"at most {MAXIMUM_DEPTH}")
        return depth + 1

    def _close(self) -> None:
        if not self._at(Kind.CLOSE):
            raise self._unexpected("',' or ')'")
        self._take()

    def _unexpected(self, expected: str) -> ExpressionError:
        found = self._token.described
        return self._error(self._token.offset, f"found {found}, expected {expected}", found, expected)

    def _error(self, offset: int, problem: str, found: str, expected: str) -> ExpressionError:
        return ExpressionError(problem, source=self._source, offset=offset, found=found, expected=expected)


def located(source: str, node: Node, fault: Fault) -> int:
    """Where in the source a fault of a call is: the argument it names, in a text constant the very character."""
    if isinstance(node, Call) and fault.argument is not None and fault.argument < len(node.arguments):
        argument = node.arguments[fault.argument]
        if isinstance(argument, Constant) and isinstance(argument.value, str) and fault.index is not None:
            return constant_offset(source, argument.offset, fault.index)
        return argument.offset
    return node.offset


def _fitted(arguments: list[Node], function: Function) -> tuple[Node, ...]:
    """The arguments without empty ones beyond the last position; the documents write some."""
    while function.maximum is not None and len(arguments) > function.maximum and isinstance(arguments[-1], Omitted):
        arguments.pop()
    return tuple(arguments)


def _counted(function: Function) -> str:
    least, most = function.minimum, function.maximum
    if most is None:
        return f"at least {least} argument{'s' if least != 1 else ''}"
    span = str(least) if least == most else f"{least} to {most}"
    return f"{span} argument{'s' if most != 1 else ''}"


def _suggestion(name: str) -> str:
    close = difflib.get_close_matches(name.lower(), FUNCTIONS, n=1)
    return f", such as {FUNCTIONS[close[0]].name}" if close else ""
