# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter that tries an expression, and what its documentation says of it."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.hybrid_identity.gpad.plugins.filter import gpad_expression as module
from ansible_collections.hybrid_identity.gpad.plugins.filter.gpad_expression import FilterModule, gpad_expression

DOCUMENTATION = Path(module.__file__).with_suffix(".yml")


def test_the_filter_is_found_by_its_name() -> None:
    assert FilterModule().filters() == {"gpad_expression": gpad_expression}


@pytest.mark.parametrize(
    ("expression", "attributes", "expected"),
    [
        ('Append([displayName],"!")', {"displayName": "Sales"}, "Sales!"),
        (" [displayName] ", {"displayName": "Sales"}, "Sales"),
        ("[displayName]", {}, None),
        ("[displayName]", None, None),
        ("[proxyAddresses]", {"proxyAddresses": ["a", "b"]}, ["a", "b"]),
        ("IsPresent([mail])", {"mail": "x"}, True),
        ("IgnoreFlowIfNullOrEmpty([mail])", {}, "IgnoreAttributeFlow"),
        ('IIF(IsPresent([mail]),"x",IgnoreObjectFlow)', {}, "IgnoreObjectFlow"),
    ],
)
def test_the_value_of_an_expression(expression: str, attributes: dict[str, Any] | None, expected: object) -> None:
    assert gpad_expression(expression, attributes) == expected


def test_what_else_an_expression_may_know() -> None:
    year = 'FormatDateTime(Now(),,"M/d/yyyy h:mm:ss tt","yyyy")'
    assert gpad_expression(year, now="2026-11-21T10:00:00+00:00") == "2026"
    assert str(gpad_expression(year)).isdigit()
    unique = 'SelectUniqueValue("a","b")'
    assert gpad_expression(unique) == "a"
    assert gpad_expression(unique, taken=["a"]) == "b"
    assert gpad_expression("%DomainFQDN%", variables={"DomainFQDN": "contoso.com"}) == "contoso.com"
    assert gpad_expression("Guid()") != gpad_expression("Guid()")


@pytest.mark.parametrize(
    ("expression", "options", "words"),
    [
        ("Left(", {}, "line 1"),
        (["displayName"], {}, "single quotes"),
        ("", {}, "empty"),
        (None, {}, "empty"),
        ('Error("no")', {}, "no"),
        ("Now()", {"now": "yesterday"}, "yesterday"),
        ('SelectUniqueValue("a","b")', {"taken": ["a", "b"]}, "SelectUniqueValue"),
    ],
)
def test_what_cannot_be_evaluated_is_an_error_of_the_filter(
    expression: object, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(AnsibleFilterError, match="gpad_expression: ") as caught:
        gpad_expression(expression, {}, **options)
    assert words in str(caught.value)


def test_the_documentation_is_that_of_the_function() -> None:
    documented = yaml.safe_load(DOCUMENTATION.read_text(encoding="utf-8"))["DOCUMENTATION"]
    parameters = list(inspect.signature(gpad_expression).parameters)
    assert list(documented["options"]) == ["_input", *parameters[1:]]
    assert documented["positional"] == parameters[1]
    assert all(option["description"] for option in documented["options"].values())


def test_the_documented_example_works() -> None:
    example = yaml.safe_load(yaml.safe_load(DOCUMENTATION.read_text(encoding="utf-8"))["EXAMPLES"])[0]
    given = {"displayName": "Sales", "objectId": example["vars"]["id"]}
    assert gpad_expression(example["vars"]["expression"], given) == "Sales_2b6d3f6f6b10"
