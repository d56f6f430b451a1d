# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties that hold for every input."""

from __future__ import annotations

import re
from datetime import datetime

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.registry import (
    FUNCTIONS,
    KEYWORDS,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.syntax import (
    Attribute,
    Call,
    Comparison,
    Constant,
    Join,
    Keyword,
    Node,
    Omitted,
    Variable,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.values import (
    AttributeValue,
    Flow,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expressions import (
    Expression,
    ExpressionError,
    evaluate,
    parse,
)
from tests.unit.plugins.module_utils._provisioning.expression.randomness import seeded

_TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "d",
            "yyyy",
            "2020-03-16-07:00",
            "M/d/yyyy",
            "(?<n>a)+",
            "n",
            "${n}",
            "True",
            "0",
            "-3",
            "a,b",
            "cn=a,dc=b",
            "\\",
        ]
    ),
)
_SCALARS = st.one_of(_TEXTS, st.integers(), st.booleans(), st.binary(max_size=12), st.floats(), st.none())
_ATTRIBUTES = st.dictionaries(
    st.sampled_from(["a", "A", "b", "x-y.z"]), st.one_of(_SCALARS, st.lists(_TEXTS, max_size=3))
)
_LEAVES: st.SearchStrategy[Node] = st.one_of(
    st.builds(Constant, st.one_of(_TEXTS, st.integers(-(2**63) + 1, 2**63 - 1))),
    st.builds(Attribute, st.sampled_from(["a", "b", "B", "x-y.z", "none"])),
    st.just(Variable("v")),
    st.builds(Keyword, st.sampled_from(sorted({name for name, _unused in KEYWORDS.values()}))),
)


def _calls(arguments: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    def call(name: str) -> st.SearchStrategy[Node]:
        function = FUNCTIONS[name]
        most = function.maximum if function.maximum is not None else function.minimum + 4
        given_arguments = st.lists(
            st.one_of(arguments, st.just(Omitted())), min_size=function.minimum, max_size=max(most, function.minimum)
        )
        return st.builds(Call, st.just(function.name), given_arguments.map(tuple))

    comparison = st.builds(Comparison, st.sampled_from(["=", "<>", "<", ">="]), arguments, arguments)
    return st.one_of(
        st.sampled_from(sorted(FUNCTIONS)).flatmap(call),
        st.builds(Join, st.lists(arguments, min_size=2, max_size=3).map(tuple)),
        st.builds(lambda one, two, three: Call("IIF", (one, two, three)), comparison, arguments, arguments),
    )


_TREES = st.recursive(_LEAVES, _calls, max_leaves=12)


def _evaluated(expression: str | Expression, attributes: dict[str, AttributeValue]) -> None:
    try:
        value = evaluate(
            expression,
            attributes,
            now=datetime(2024, 2, 29),
            taken={"a"},
            random=seeded(1),
            variables={"v": "w"},
        )
    except ExpressionError as error:
        assert error.line >= 1
        assert error.column >= 1
        assert re.search(r"\n *\^\Z", error.caret)
    else:
        assert value is None or isinstance(value, (str, int, list, Flow))


@given(st.text(max_size=60), _ATTRIBUTES)
@example('Replace([a], , "(?<n>", , "x")', {})
@example('"' + "\\" * 9, {})
def test_any_text_is_an_expression_or_an_error(text: str, attributes: dict[str, AttributeValue]) -> None:
    _evaluated(text, attributes)


@given(
    st.lists(st.sampled_from(["Trim", "IIF", "(", ")", ",", "[a]", '"x"', "=", "&", "&HF", "-1", "%v%", "NULL", " "]))
)
def test_any_run_of_tokens_is_an_expression_or_an_error(tokens: list[str]) -> None:
    _evaluated("".join(tokens), {"a": "x"})


@settings(max_examples=500, deadline=None)
@given(_TREES, _ATTRIBUTES)
def test_any_tree_prints_reads_and_evaluates(tree: Node, attributes: dict[str, AttributeValue]) -> None:
    text = str(Expression(tree))
    _evaluated(text, attributes)
    try:
        parsed = parse(text)
    except ExpressionError:
        return
    assert parse(str(parsed)) == parsed
    assert str(parse(str(parsed))) == str(parsed)


@given(st.text())
def test_any_text_survives_as_a_constant(text: str) -> None:
    assert evaluate(str(Expression(Constant(text))), {}) == text


@settings(deadline=None)
@given(
    st.text(alphabet=list("ab1 .*+?|()[]{}^$\\<>=!:,-nwdpk#i&'\""), max_size=25),
    st.text(alphabet="ab1 \n", max_size=30),
)
def test_any_regular_expression_is_refused_or_applied(pattern: str, text: str) -> None:
    try:
        value = evaluate('Replace([t], , [p], , "<$&>")', {"t": text, "p": pattern or "a"})
    except ExpressionError:
        return
    assert isinstance(value, str)
    assert re.sub("[<>]", "", value) == text


@given(st.text(), st.integers(-2, 20), st.integers(-2, 20))
def test_cuts_stay_within_their_length_and_never_split_a_character(text: str, start: int, count: int) -> None:
    for value in (
        evaluate("Left([t], [n])", {"t": text, "n": count}),
        evaluate("Mid([t], [s], [n])", {"t": text, "s": start, "n": count}),
    ):
        assert isinstance(value, str)
        assert value in text
        assert value == text or len(value.encode("utf-16-le")) // 2 <= count


@given(st.datetimes(min_value=datetime(1601, 1, 1), max_value=datetime(9999, 12, 30)))
def test_directory_time_returns(moment: datetime) -> None:
    attributes = {"t": moment.strftime("%Y-%m-%dT%H:%M:%S")}
    assert evaluate("DateFromNum(NumFromDate([t]))", attributes) == evaluate("CDate([t])", attributes)
    assert evaluate('DateDiff("s", CDate([t]), DateAdd("s", 90, [t]))', attributes) == 90
