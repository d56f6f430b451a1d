# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the option attribute_mappings to mappings."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.mapping_options import (
    attribute_mappings,
    scalar_text,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.mapping import (
    AttributeMapping,
    MappingKind,
)

# An entry as AnsibleModule gives it: every suboption is there.
ENTRY: dict[str, Any] = {
    "target": "info",
    "source": None,
    "constant": None,
    "expression": None,
    "none": None,
    "default": None,
    "apply": "always",
    "clear_when_null": False,
}


@pytest.mark.parametrize(
    ("given", "kind", "source"),
    [
        ({"source": "displayName"}, MappingKind.DIRECT, "displayName"),
        ({"source": " [displayName] "}, MappingKind.DIRECT, "displayName"),
        ({"constant": "x"}, MappingKind.CONSTANT, "x"),
        ({"constant": ""}, MappingKind.CONSTANT, ""),
        ({"constant": 0}, MappingKind.CONSTANT, "0"),
        ({"constant": False}, MappingKind.CONSTANT, "FALSE"),
        ({"expression": " Trim([mail]) "}, MappingKind.EXPRESSION, "Trim([mail])"),
        ({"none": True}, MappingKind.NONE, ""),
    ],
)
def test_where_a_value_comes_from(given: dict[str, Any], kind: MappingKind, source: str) -> None:
    assert attribute_mappings([{**ENTRY, **given}]) == [AttributeMapping("info", kind, source)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"default": "x"}, {"default": "x"}),
        ({"default": 7}, {"default": "7"}),
        ({"default": True}, {"default": "TRUE"}),
        ({"apply": "on_create"}, {"on_create": True}),
        ({"clear_when_null": True}, {"clear_when_null": True}),
    ],
)
def test_when_and_what_else(given: dict[str, Any], expected: dict[str, Any]) -> None:
    wanted = AttributeMapping("info", MappingKind.DIRECT, "mail", **expected)
    assert attribute_mappings([{**ENTRY, "source": "mail", **given}]) == [wanted]


@pytest.mark.parametrize(("value", "code"), [(["mail"], "expression_not_quoted"), ("", "configuration_invalid")])
def test_an_expression_that_yaml_made_a_list_of(value: object, code: str) -> None:
    with pytest.raises(ConfigurationError, match="expression of info") as caught:
        attribute_mappings([{**ENTRY, "expression": value}])
    assert caught.value.code == code


def test_the_order_is_kept() -> None:
    given = [{**ENTRY, "target": name, "constant": "x"} for name in ("b", "a")]
    assert [entry.target for entry in attribute_mappings(given)] == ["b", "a"]
    assert attribute_mappings([]) == []


@pytest.mark.parametrize(
    ("value", "text"), [(True, "TRUE"), (False, "FALSE"), (1, "1"), (1.5, "1.5"), ("true", "true")]
)
def test_scalars_as_the_directory_writes_them(value: object, text: str) -> None:
    assert scalar_text(value) == text
