# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Syntax tree and attributes -> value."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import partial
from types import MappingProxyType
from typing import TypeVar

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.errors import (
    ExpressionError,
    Fault,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.functions.table import (
    Style,
    Thunk,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.parser import (
    located,
    parse,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.registry import (
    FUNCTIONS,
    KEYWORDS,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.syntax import (
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
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.values import (
    AttributeValue,
    Context,
    Flow,
    RandomSource,
    Value,
    compare,
    from_attribute,
    text_of,
)

_T = TypeVar("_T")
_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})
_SHOWN = 60


def evaluate(
    expression: str | Expression,
    attributes: Mapping[str, AttributeValue],
    *,
    now: datetime | None = None,
    taken: Collection[str] = frozenset(),
    random: RandomSource | None = None,
    variables: Mapping[str, str] = _NO_VARIABLES,
) -> str | int | bool | list[str] | Flow | None:
    """The value of an expression for one object.

    :param attributes: of the object; a name that is not there, or an empty list, is null. Names are looked up exactly
        first, then without regard to case.
    :param now: the current time; without a zone it is UTC.
    :param taken: values that SelectUniqueValue must not choose.
    :param random: ``random(n)`` gives a number below n; for RandomString and Guid.
    :param variables: values for ``%Name%``.
    :returns: the value; ``IGNORE`` when the attribute is to be left out of the flow, ``Flow.IGNORE_OBJECT`` when the
        whole object is. A flow word inside a call is the result of that call, up to IIF, Switch and Coalesce, which
        pass it only when they choose it (chosen).
    :raises ExpressionError: for text that is no expression, and for values that a function cannot use.
    """
    parsed = parse(expression) if isinstance(expression, str) else expression
    value = _Evaluation(parsed, Context(attributes, now, taken, random, variables)).whole()
    return list(value) if isinstance(value, tuple) else value


class _Evaluation:
    def __init__(self, expression: Expression, context: Context) -> None:
        self._expression = expression
        self._context = context

    def whole(self) -> str | int | tuple[str, ...] | Flow | None:
        root = self._expression.root
        value = self._value(root)
        if isinstance(value, bytes):
            raise self._error(root, Fault("the result is binary, not text"))
        return value

    def _value(self, node: Node) -> Value:
        try:
            match node:
                case Constant(value=value):
                    return value
                case Attribute(name=name):
                    return from_attribute(name, _lookup(self._context.attributes, name))
                case Variable(name=name):
                    return self._variable(name)
                case Keyword(name=name):
                    return KEYWORDS[name.lower()][1]
                case Omitted():
                    return None
                case Join(parts=parts):
                    values = [self._value(part) for part in parts]
                    flow = _flow(values)
                    return flow if flow is not None else "".join([text_of(value) for value in values])
                case Comparison(operator=sign, left=left, right=right):
                    sides = self._value(left), self._value(right)
                    flow = _flow(sides)
                    return flow if flow is not None else compare(sign, *sides)
                case Call():
                    return self._call(node)
        except Fault as fault:
            raise self._error(node, fault) from None

    def _call(self, call: Call) -> Value:
        function = FUNCTIONS[call.name.lower()]
        if function.style is Style.LAZY:
            return function.code(self._context, [self._thunk(argument) for argument in call.arguments])
        values = [self._value(argument) for argument in call.arguments]
        flow = _flow(values)
        if flow is not None:
            return flow
        if function.maximum is not None and function.pads:
            values += [None] * (function.maximum - len(values))
        if function.style is Style.CONTEXT:
            return function.code(self._context, *values)
        return function.code(*values)

    def _thunk(self, node: Node) -> Thunk | None:
        return None if isinstance(node, Omitted) else partial(self._value, node)

    def _variable(self, name: str) -> str:
        value = _lookup(self._context.variables, name)
        if value is None:
            raise Fault(f"the variable %{name}% has no value here")
        return value

    def _error(self, node: Node, fault: Fault) -> ExpressionError:
        source = self._expression.source
        shown = "" if fault.value is None or self._expression.redacted else f": {str(fault.value)[:_SHOWN]!r}"
        return ExpressionError(fault.problem + shown, source=source, offset=located(source, node, fault))


def _lookup(mapping: Mapping[str, _T], name: str) -> _T | None:
    if name in mapping:
        return mapping[name]
    folded = name.casefold()
    return next((value for key, value in mapping.items() if key.casefold() == folded), None)


def _flow(values: Collection[Value]) -> Flow | None:
    """The flow word among the values; leaving out the object outweighs leaving out the attribute."""
    flows = [value for value in values if isinstance(value, Flow)]
    return max(flows, key=lambda flow: flow is Flow.IGNORE_OBJECT, default=None)
