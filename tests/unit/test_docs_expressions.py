# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/expressions.md says what the language does: its examples are evaluated, its lists are complete."""

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

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.capture import GROUP_PROPERTIES
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.registry import (
    FUNCTIONS,
    KEYWORDS,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expressions import (
    ExpressionError,
    Flow,
    evaluate,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "expressions.md"
NOW = datetime(2026, 11, 21, 10, tzinfo=timezone.utc)
ADDED = {"objectId", "dirSyncEnabled"}
"""What a mapping sees beside the captured properties."""

_CELL = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Table:
    """A Markdown table: its header cells and its rows."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip().replace("\\|", "|") for cell in _CELL.split(line.strip())[1:-1])


def tables() -> Iterator[Table]:
    for block in re.findall(r"(?:^\|.*\n)+", PAGE.read_text(encoding="utf-8"), re.MULTILINE):
        header, _rule, *rows = map(cells, block.splitlines())
        assert all(len(row) == len(header) for row in rows), header
        yield Table(header, tuple(rows))


TABLES = tuple(tables())
EXAMPLES = [
    (expression.strip("` "), result)
    for table in TABLES
    if "Result" in table.header
    for *_, expression, result in table.rows
]
BLOCKS = re.findall(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
GROUP: dict[str, Any] = json.loads(BLOCKS[0])


def signatures() -> Iterator[str]:
    for table in TABLES:
        if table.header[0] == "Function":
            yield from (row[0].strip("`") for row in table.rows)


def listed(first_header: str) -> list[str]:
    """Return the words in code in the first column of the table with this header."""
    table = next(table for table in TABLES if table.header[0] == first_header)
    return [word for row in table.rows for word in re.findall(r"`([^`]+)`", row[0])]


@pytest.mark.parametrize(("expression", "result"), EXAMPLES)
def test_example(expression: str, result: str) -> None:
    def value() -> object:
        source = random.Random(1)  # noqa: S311 - repeatable, not secret
        return evaluate(
            expression,
            GROUP,
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
    assert len(EXAMPLES) > len(FUNCTIONS)


def test_every_function_is_listed_once_with_its_example() -> None:
    names = [signature.partition("(")[0] for signature in signatures()]
    assert sorted(names) == sorted(function.name for function in FUNCTIONS.values())
    for table in TABLES:
        if table.header[0] == "Function":
            for name, row in zip((row[0].strip("`").partition("(")[0] for row in table.rows), table.rows, strict=True):
                assert f"{name}(" in row[2]


@pytest.mark.parametrize("signature", tuple(signatures()))
def test_signature_has_the_right_number_of_arguments(signature: str) -> None:
    name, _, rest = signature.partition("(")
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
    assert sorted(listed("Name")) == sorted({*GROUP_PROPERTIES, *ADDED})


def test_the_example_group_has_only_attributes_that_are_read() -> None:
    assert set(GROUP) <= {*GROUP_PROPERTIES, *ADDED}
