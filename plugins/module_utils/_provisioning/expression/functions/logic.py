# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions, choices, null tests, flow control."""

from __future__ import annotations

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.errors import Fault
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.functions.table import (
    Conditions,
    Function,
    Style,
    Thunk,
    Thunks,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.syntax import Call
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.values import (
    IGNORE,
    Context,
    Flow,
    Value,
    integer_of,
    is_empty,
    optional_text,
    text_of,
    truth,
)


def _iif(_unused: Context, arguments: Thunks) -> Value:
    """Only the chosen branch is evaluated, so that Error in the other one stays silent (CSX)."""
    condition, yes, no = (*arguments, None, None)[:3]
    held = _force(condition)
    if isinstance(held, Flow):
        return held
    return _force(yes if truth(held) else no)


def _switch(_unused: Context, arguments: Thunks) -> Value:
    """Keys compare as text, exactly; a null source equals the key "" (FUNC). Only the chosen value is evaluated."""
    source = _force(arguments[0])
    if isinstance(source, Flow):
        return source
    wanted = text_of(source)
    for key, value in zip(arguments[2::2], arguments[3::2], strict=True):
        candidate = _force(key)
        if isinstance(candidate, Flow):
            return candidate
        if text_of(candidate) == wanted:
            return _force(value)
    return _force(arguments[1])


def _coalesce(_unused: Context, arguments: Thunks) -> Value:
    """The first argument that is not null. The empty text is not null (FUNC; one SuccessFactors example differs)."""
    return next((value for value in map(_force, arguments) if value is not None), None)


def _select_unique_value(context: Context, arguments: Thunks) -> Value:
    """The first candidate that is not taken, compared without case as Active Directory does.

    Null and empty candidates are passed over; later candidates are not evaluated (chosen).

    :raises Fault: when none is left; the original puts the object on its retry list then.
    """
    taken = {text.casefold() for text in context.taken}
    for argument in arguments:
        candidate = _force(argument)
        if isinstance(candidate, Flow):
            return candidate
        text = text_of(candidate)
        if text and text.casefold() not in taken:
            return text
    raise Fault("SelectUniqueValue: every value is taken or empty")


def _force(thunk: Thunk | None) -> Value:
    return None if thunk is None else thunk()


def _ignore_if_empty(value: Value) -> Value:
    return IGNORE if is_empty(value) else value


def _is_null(value: Value) -> Value:
    return value is None


def _is_present(value: Value) -> Value:
    return not is_empty(value)


def _is_string(value: Value) -> Value:
    """Text, numbers and Booleans can be evaluated to text; null, bytes and several values cannot (chosen)."""
    return isinstance(value, (str, int))


def _not(value: Value) -> Value:
    """True gives False, all else gives True (FUNC); the spelling of True is free, as .NET reads Booleans (chosen)."""
    return (optional_text(value) or "").strip().lower() != "true"


def _error(message: Value) -> Value:
    raise Fault(text_of(message) or "Error")


def _bit_and(first: Value, second: Value) -> Value:
    return integer_of(first, "value1") & integer_of(second, "value2")


def _unchanged(value: Value) -> Value:
    return value


def _cstr(value: Value) -> Value:
    return optional_text(value)


def _check_switch(call: Call) -> None:
    if len(call.arguments) % 2:
        raise Fault(
            "Switch needs a source, a default, and then pairs of key and value: an even number of arguments, "
            f"not {len(call.arguments)}"
        )


FUNCTIONS = (
    Function("BitAnd", 2, 2, _bit_and),
    Function("CBool", 1, 1, truth, conditions=Conditions.ALWAYS),
    Function("Coalesce", 1, None, _coalesce, Style.LAZY, omissible=frozenset({0})),
    Function("CRef", 1, 1, _cstr),
    Function("CStr", 1, 1, _cstr),
    Function("Error", 1, 1, _error),
    Function("IgnoreFlowIfNullOrEmpty", 1, 1, _ignore_if_empty),
    Function("IIF", 3, 3, _iif, Style.LAZY, omissible=frozenset({1, 2}), conditions=Conditions.ALWAYS),
    Function("IsNull", 1, 1, _is_null),
    Function("IsNullOrEmpty", 1, 1, is_empty),
    Function("IsPresent", 1, 1, _is_present),
    Function("IsString", 1, 1, _is_string),
    Function("Not", 1, 1, _not, conditions=Conditions.INHERITED),
    Function("Redact", 1, 1, _unchanged),
    Function("SelectUniqueValue", 2, None, _select_unique_value, Style.LAZY, top_level=True),
    Function("Switch", 4, None, _switch, Style.LAZY, omissible=frozenset({1, 2, 3}), check=_check_switch),
)
