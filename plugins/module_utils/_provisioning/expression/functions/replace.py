# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replace, in its five modes (FUNC; Microsoft Graph names the parameters).

The parameters that are given choose the mode. An empty text as replacement is given; an empty text as old value,
pattern, group or template means nothing and counts as not given (chosen).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.errors import Fault
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.functions.table import (
    Function,
    Style,
    Thunks,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.regex import (
    Pattern,
    compile_pattern,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.syntax import (
    Call,
    Constant,
    Node,
    Omitted,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.values import (
    Context,
    Flow,
    Value,
    is_empty,
    optional_text,
    text_of,
)

_PARAMETERS = (
    "source",
    "oldValue",
    "regexPattern",
    "regexGroupName",
    "replacementValue",
    "replacementAttributeName",
    "template",
)
_PATTERN, _GROUP = 2, 3
_REPLACEMENT, _OTHER = 4, 5
_MODES_TEXT = (
    "Replace takes a source and one of: oldValue and replacementValue; oldValue and template; regexPattern and "
    "replacementValue; regexPattern, regexGroupName and replacementValue; regexPattern, regexGroupName and "
    "replacementAttributeName"
)


def _text(source: str, given: Mapping[str, str]) -> str:
    old = given["oldValue"]
    return source.replace(old, given["replacementValue"]) if old else source


def _template(source: str, given: Mapping[str, str]) -> str:
    template, old = given["template"], given["oldValue"]
    return template.replace(old, source) if old else template


def _pattern(source: str, given: Mapping[str, str]) -> str:
    return compile_pattern(given["regexPattern"]).replace(source, given["replacementValue"])


def _group(source: str, given: Mapping[str, str]) -> str:
    pattern = compile_pattern(given["regexPattern"])
    group = _known_group(pattern, given["regexGroupName"])
    return pattern.replace_group(source, group, given["replacementValue"])


def _other(source: str, given: Mapping[str, str]) -> str | None:
    """A source with a value stays; an empty one becomes the group found in the other attribute, null if there is none
    (FUNC and its example; CSX says the opposite)."""
    if source:
        return source
    pattern = compile_pattern(given["regexPattern"])
    return pattern.extract(given["replacementAttributeName"], _known_group(pattern, given["regexGroupName"]))


_MODES: Mapping[frozenset[str], Callable[[str, Mapping[str, str]], str | None]] = {
    frozenset({"oldValue", "replacementValue"}): _text,
    frozenset({"oldValue", "template"}): _template,
    frozenset({"regexPattern", "replacementValue"}): _pattern,
    frozenset({"regexPattern", "regexGroupName", "replacementValue"}): _group,
    frozenset({"regexPattern", "regexGroupName", "replacementAttributeName"}): _other,
}


def _replace(_unused: Context, arguments: Thunks) -> Value:
    """A null source gives null, except in the fifth mode."""
    values = {name: thunk() for name, thunk in zip(_PARAMETERS, arguments, strict=False) if thunk is not None}
    flow = next((value for value in values.values() if isinstance(value, Flow)), None)
    if flow is not None:
        return flow
    source = optional_text(values.pop("source", None))
    filled = [name for name, value in values.items() if name.startswith("replacement") or not is_empty(value)]
    mode = _MODES.get(frozenset(filled)) or _MODES.get(frozenset(values))
    if mode is None:
        raise Fault(_MODES_TEXT)
    if source is None and mode is not _other:
        return None
    return mode(source or "", {name: text_of(value) for name, value in values.items()})


def _known_group(pattern: Pattern, name: str) -> str:
    if name not in pattern.groups:
        raise Fault(f"the regular expression has no group {name!r}", argument=_GROUP)
    return name


def _check(call: Call) -> None:
    arguments = dict(zip(_PARAMETERS[1:], call.arguments[1:], strict=False))
    given = frozenset([name for name, argument in arguments.items() if _is_given(name, argument)])
    if given not in _MODES:
        raise Fault(_MODES_TEXT)
    pattern = _constant(call, _PATTERN)
    if pattern is None or "regexPattern" not in given:
        return
    try:
        compiled = compile_pattern(pattern)
    except Fault as fault:
        raise Fault(fault.problem, argument=_PATTERN, index=fault.index) from fault
    group = _constant(call, _GROUP)
    if group:
        _known_group(compiled, group)


def _is_given(name: str, argument: Node) -> bool:
    if name == "replacementValue":
        return not isinstance(argument, Omitted)
    return not isinstance(argument, Omitted) and argument != Constant("")


def _constant(call: Call, place: int) -> str | None:
    match call.arguments[place : place + 1]:
        case (Constant(value=value),):
            return str(value)
        case _:
            return None


FUNCTIONS = (Function("Replace", 3, 7, _replace, Style.LAZY, omissible=frozenset({1, 2}), check=_check),)
