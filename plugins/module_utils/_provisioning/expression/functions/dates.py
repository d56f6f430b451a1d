# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Date functions. Dates pass between functions as text, M/d/yyyy h:mm:ss tt in UTC. A null or empty date gives null
(undocumented; chosen)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression import (
    calendar,
    date_formats,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.errors import Fault
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.functions.table import (
    Function,
    Style,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.syntax import (
    Call,
    Constant,
    Node,
    Omitted,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.values import (
    Context,
    Value,
    integer_of,
    is_empty,
    text_of,
)


def _now(context: Context) -> Value:
    return calendar.general(_now_ticks(context))


def _now_ticks(context: Context) -> int:
    if context.now is None:
        raise Fault("no current time was given for this evaluation")
    return calendar.ticks_of(context.now)


def _cdate(source: Value) -> Value:
    return None if is_empty(source) else calendar.general(calendar.read(text_of(source)))


def _date_add(interval: Value, count: Value, date: Value) -> Value:
    add = _interval(calendar.ADD, text_of(interval))
    number = integer_of(count, "the number to add")
    return None if is_empty(date) else calendar.general(add(calendar.read(text_of(date)), number))


def _date_diff(interval: Value, first: Value, second: Value) -> Value:
    difference = _interval(calendar.DIFFERENCE, text_of(interval))
    if is_empty(first) or is_empty(second):
        return None
    return difference(calendar.read(text_of(first)), calendar.read(text_of(second)))


def _interval(table: Mapping[str, Callable[[int, int], int]], name: str) -> Callable[[int, int], int]:
    if name.lower() not in table:
        raise Fault(f"the interval is one of {', '.join(table)}", name, argument=0)
    return table[name.lower()]


def _date_from_num(value: Value) -> Value:
    if is_empty(value):
        return None
    return calendar.general(calendar.DIRECTORY_EPOCH + integer_of(value, "an Active Directory time"))


def _num_from_date(value: Value) -> Value:
    return None if is_empty(value) else calendar.read(text_of(value)) - calendar.DIRECTORY_EPOCH


def _format_date_time(context: Context, source: Value, *rest: Value) -> Value:
    """Four arguments are source, styles, input and output format (FUNC); three lack the styles (CSX)."""
    given = [text_of(value) for value in rest]
    styles, read, write = given if len(given) > 2 and given[2] else ("", *given[:2])
    names = date_formats.style_names(styles)
    if is_empty(source):
        return None
    moment = date_formats.parse(text_of(source), read, names, lambda: _now_ticks(context))
    return date_formats.write(moment, write)


def _check_interval(call: Call) -> None:
    match call.arguments[0]:
        case Constant(value=str() as name):
            _interval(calendar.ADD, name)


def _check_format(call: Call) -> None:
    *_unused, last = call.arguments
    rest = call.arguments[1:-1] if isinstance(last, Omitted) else call.arguments[1:]
    offset = len(rest) - 1
    for place, argument in enumerate(rest[offset - 1 :], offset):
        _check_constant(argument, place, date_formats.parts_of)
    if offset > 1:
        _check_constant(rest[0], 1, date_formats.style_names)


def _check_constant(node: Node, place: int, use: Callable[[str], object]) -> None:
    match node:
        case Constant(value=str() as text):
            try:
                use(text)
            except Fault as fault:
                raise Fault(fault.problem, argument=place, index=fault.index) from fault


FUNCTIONS = (
    Function("CDate", 1, 1, _cdate),
    Function("DateAdd", 3, 3, _date_add, check=_check_interval),
    Function("DateDiff", 3, 3, _date_diff, check=_check_interval),
    Function("DateFromNum", 1, 1, _date_from_num),
    Function(
        "FormatDateTime",
        3,
        4,
        _format_date_time,
        Style.CONTEXT,
        omissible=frozenset({1}),
        pads=False,
        check=_check_format,
    ),
    Function("Now", 0, 0, _now, Style.CONTEXT),
    Function("NumFromDate", 1, 1, _num_from_date),
)
