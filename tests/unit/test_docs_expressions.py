# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/expressions.md says what the language does: its examples are evaluated, its lists are complete.

The expressions in the tables of docs/mapping.md are evaluated, too; its default mappings are those of the code.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.registry import (
    FUNCTIONS,
    KEYWORDS,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expressions import (
    ExpressionError,
    Flow,
    evaluate,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.filters import OPERATORS
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.mapping import (
    _PROTECTED,
    DEFAULT_MAPPINGS,
    MappingKind,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.properties import GROUP_PROPERTIES

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = DOCS / "expressions.md"
MAPPING_PAGE = DOCS / "mapping.md"
SCOPE_PAGE = DOCS / "scope.md"
NOW = datetime(2026, 11, 21, 10, tzinfo=timezone.utc)
UNREADABLE = {"createdByAppId"}
"""Filterable in Microsoft Graph, but no property of the group in its v1.0 schema."""

_CELL = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Table:
    """A Markdown table: its header cells and its rows."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip().replace("\\|", "|") for cell in _CELL.split(line.strip())[1:-1])


def tables(page: Path) -> Iterator[Table]:
    for block in re.findall(r"(?:^\|.*\n)+", page.read_text(encoding="utf-8"), re.MULTILINE):
        header, _rule, *rows = map(cells, block.splitlines())
        assert all(len(row) == len(header) for row in rows), header
        yield Table(header, tuple(rows))


def group_of(page: Path) -> dict[str, Any]:
    """Return the group with which the examples of a page are evaluated."""
    blocks = re.findall(r"```json\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    group: dict[str, Any] = json.loads(blocks[0])
    return group


def examples(page: Path) -> Iterator[tuple[str, str]]:
    for table in tables(page):
        if table.header[-2:] in (("Example", "Result"), ("Expression", "Result")):
            yield from ((expression.strip("` "), result) for *_others, expression, result in table.rows)


TABLES = tuple(tables(PAGE))
EXAMPLES = [(page, *example) for page in (PAGE, MAPPING_PAGE) for example in examples(page)]
GROUPS = {page: group_of(page) for page in (PAGE, MAPPING_PAGE)}


def signatures() -> Iterator[str]:
    for table in TABLES:
        if table.header[0] == "Function":
            yield from (row[0].strip("`") for row in table.rows)


def listed(first_header: str) -> list[str]:
    """Return the words in code in the first column of the table with this header."""
    table = next(table for table in TABLES if table.header[0] == first_header)
    return [word for row in table.rows for word in re.findall(r"`([^`]+)`", row[0])]


@pytest.mark.parametrize(("page", "expression", "result"), EXAMPLES)
def test_example(page: Path, expression: str, result: str) -> None:
    def value() -> object:
        source = random.Random(1)  # noqa: S311 - repeatable, not secret
        return evaluate(
            expression,
            GROUPS[page],
            now=NOW,
            taken={"sales"},
            random=source.randrange,
            variables={"DomainFQDN": "contoso.com"},
        )

    if result.startswith("error:"):
        with pytest.raises(ExpressionError, match=re.escape(result.removeprefix("error:").strip(" `"))):
            value()
    elif result in [flow.value for flow in Flow]:
        assert value() is Flow(result)
    elif result.startswith("`/"):
        assert re.fullmatch(result.strip("`/"), str(value()))
    else:
        expected = json.loads(result.strip("`"))
        assert (value(), type(value())) == (expected, type(expected))


def test_there_are_examples() -> None:
    assert sum(page == PAGE for page, *_example in EXAMPLES) > len(FUNCTIONS)
    assert sum(page == MAPPING_PAGE for page, *_example in EXAMPLES) > 5


def test_every_function_is_listed_once_with_its_example() -> None:
    names = [signature.partition("(")[0] for signature in signatures()]
    assert sorted(names) == sorted(function.name for function in FUNCTIONS.values())
    for table in TABLES:
        if table.header[0] == "Function":
            for name, row in zip((row[0].strip("`").partition("(")[0] for row in table.rows), table.rows, strict=True):
                assert f"{name}(" in row[2]


@pytest.mark.parametrize("signature", tuple(signatures()))
def test_signature_has_the_right_number_of_arguments(signature: str) -> None:
    name, _bracket, rest = signature.partition("(")
    function = FUNCTIONS[name.lower()]
    repeats = "…" in rest
    given = [part for part in re.split(r"[,\[\]()\s]+", rest) if part and part != "…"]
    needed = [part for part in re.split(r"[,()\s]+", re.sub(r"\[.*?\]+", "", rest)) if part and part != "…"]
    assert (function.maximum is None) == repeats
    if not repeats:
        assert len(given) == function.maximum
    assert len(needed) == function.minimum


def test_every_bare_word_is_listed() -> None:
    assert sorted(listed("Bare word")) == sorted(name for name, _value in KEYWORDS.values())


def test_every_attribute_is_listed() -> None:
    families = ("onPremisesExtensionAttributes.", "extensionAttribute")
    wanted = {name for name in GROUP_PROPERTIES if not name.startswith(families)} - UNREADABLE
    assert sorted(listed("Name")) == sorted({*wanted, "extensionAttribute1", "extensionAttribute15"})


@pytest.mark.parametrize("page", [PAGE, MAPPING_PAGE])
def test_the_example_group_has_only_attributes_that_are_read(page: Path) -> None:
    assert all(name in GROUP_PROPERTIES or name.startswith("extension_") for name in GROUPS[page])


def table_of(page: Path, first_header: str) -> Table:
    return next(table for table in tables(page) if table.header[0] == first_header)


def test_the_default_mappings_are_listed() -> None:
    rows = {row[0].strip("`"): row[1] for row in table_of(MAPPING_PAGE, "Target").rows}
    assert list(rows) == [mapping.target for mapping in DEFAULT_MAPPINGS]
    for mapping in DEFAULT_MAPPINGS:
        if mapping.kind is MappingKind.EXPRESSION and f"`{mapping.source}`" != rows[mapping.target]:
            # Too long for a table; the page says in words what it does.
            assert rows[mapping.target].startswith("like `cn`"), mapping


def test_the_attributes_that_cannot_be_mapped_are_listed() -> None:
    table = next(t for t in tables(MAPPING_PAGE) if t.header == ("Target", "Why"))
    named = [word.lower() for row in table.rows for word in re.findall(r"`([^`]+)`", row[0])]
    assert sorted(named) == sorted(_PROTECTED)


def test_the_operators_of_filters_are_listed_with_what_null_does() -> None:
    rows = {row[0].strip("`"): row[2] for row in table_of(SCOPE_PAGE, "Operator").rows}
    null = {name: "true" if operator.on_null else "false" for name, operator in OPERATORS.items()}
    assert rows == {**null, "IS_MEMBER_OF": "-"}
