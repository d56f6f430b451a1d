# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/troubleshooting.md explains every code that a result can hold, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "plugins" / "module_utils").rglob("*.py"))
PAGE = ROOT / "docs" / "troubleshooting.md"

# Enumerations whose values are codes, and mappings whose keys are.
ENUMERATIONS = {"Skipped", "Meaning"}
KEYED_BY_CODE = {"REMEDIES", "FOREIGN", "_INCOMPLETE_NOTICES"}
# Mappings whose values begin with a code, and functions that return a tuple which begins with one.
VALUED_BY_CODE = {"_REASONS"}
RETURNING_CODE = {"network_problem"}
# Where the code stands among the arguments of these, counted from 0.
POSITIONAL = {"Problem": 2, "Notice": 2, "Skip": 2, "problem": 0, "notice": 0, "report.problem": 2}
KEYWORDS = {"code", "problem"}


def words(node: ast.AST | None) -> Iterator[str]:
    """Yield the codes that an expression can give; one that is handed on was yielded where it was made."""
    match node:
        case ast.Constant(value=str() as text):
            yield from [text] if re.fullmatch(r"[a-z][a-z0-9_]*", text) else []
        case ast.IfExp(body=body, orelse=other):
            yield from words(body)
            yield from words(other)
        case ast.JoinedStr(values=parts):
            yield "".join(map(_part, parts))


def _part(part: ast.expr) -> str:
    """Return a piece of an f-string; of what is filled in, the first word."""
    if isinstance(part, ast.Constant):
        return str(part.value)
    return f"<{next(node.id for node in ast.walk(part) if isinstance(node, ast.Name))}>"


def in_node(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name) as called, args=arguments, keywords=keywords):
            for keyword in keywords:
                if keyword.arg in KEYWORDS:
                    yield from words(keyword.value)
            place = POSITIONAL.get(ast.unparse(called), POSITIONAL.get(name))
            if place is not None and place < len(arguments):
                yield from words(arguments[place])
        case ast.ClassDef(name=name, body=body):
            for entry in body:
                if isinstance(entry, ast.Assign) and (name in ENUMERATIONS or _targets(entry) == {"code"}):
                    yield from words(entry.value)
        case ast.Assign(targets=[ast.Tuple(elts=[ast.Name(id="code"), *_])], value=ast.Tuple(elts=[first, *_])):
            yield from words(first)
        case ast.Assign() | ast.AnnAssign():
            yield from _in_mapping(node)
        case ast.FunctionDef(name=name) if name in RETURNING_CODE:
            for inner in ast.walk(node):
                if isinstance(inner, ast.Return) and isinstance(inner.value, ast.Tuple):
                    yield from words(inner.value.elts[0])


def _targets(node: ast.Assign | ast.AnnAssign) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def _in_mapping(node: ast.Assign | ast.AnnAssign) -> Iterator[str]:
    names, mapping = _targets(node), node.value
    if names & KEYED_BY_CODE:
        keys = mapping.keys if isinstance(mapping, ast.Dict) else ast.walk(mapping or node)
        for key in keys:
            yield from words(key)
    if names & VALUED_BY_CODE and isinstance(mapping, ast.Dict):
        for value in mapping.values:
            yield from words(value.elts[0] if isinstance(value, ast.Tuple) else None)


def codes(source: str) -> set[str]:
    return {word for node in ast.walk(ast.parse(source)) for word in in_node(node)}


def rows() -> list[tuple[str, ...]]:
    """Return the rows of all tables whose first column is headed Code."""
    blocks = re.findall(r"^\| Code .*\n\|[-|]+\n((?:\|.*\n)+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return [
        tuple(cell.strip() for cell in line.strip("|\n").split("|")) for block in blocks for line in block.splitlines()
    ]


def test_the_codes_of_the_sources_are_those_of_the_page() -> None:
    emitted = {code for path in SOURCES for code in codes(path.read_text(encoding="utf-8"))}
    documented = [row[0].strip("`") for row in rows()]
    assert sorted(documented) == sorted(emitted)


def test_every_code_has_a_cause_and_a_remedy() -> None:
    assert [row for row in rows() if len(row) != 3 or not all(row)] == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('raise StoreError("No.", code="plan_missing")', {"plan_missing"}),
        ('raise Error("No.", code="a_b" if ids else "c_d")', {"a_b", "c_d"}),
        ('raise Error("No.", code=f"entra_{status}")', {"entra_<status>"}),
        ('report.problem(id, name, "a_b" if x else "c_d", text, "Do it.")', {"a_b", "c_d"}),
        ('return candidate.problem("a_code", text)', {"a_code"}),
        ('raise Error("No.", code=f"{target.lower()}_invalid")', {"<target>_invalid"}),
        ('yield Notice("", name, "orphan", text)', {"orphan"}),
        ('return plan.Problem(group.id, group.name, "too_many", "It has.")', {"too_many"}),
        ('return Match(problem="duplicate_anchor", detail=text)', {"duplicate_anchor"}),
        ('class GpadError(Exception):\n    code = "failed"', {"failed"}),
        ('class Skipped(Word):\n    MAIL = "mail_enabled"', {"mail_enabled"}),
        ('class Action(Word):\n    CREATE = "create"', set()),
        ('REMEDIES: Mapping[str, str] = {"a_code": "Do it."}', {"a_code"}),
        ('_REASONS = {"AADSTS1": ("its_code", "why", "remedy")}', {"its_code"}),
        ('code, why = "a_code", "why"', {"a_code"}),
        ('def network_problem(e):\n    return "a_code", "why"', {"a_code"}),
        ("raise Error(error.message, code=error.code)", set()),
    ],
)
def test_each_way_to_give_a_code_is_seen(source: str, found: set[str]) -> None:
    assert codes(source) == found
