# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong in an expression, and where."""

from __future__ import annotations

_CARET_WINDOW = 100


class ExpressionError(ValueError):
    """An expression that cannot be read, or cannot be evaluated for one object.

    ``line`` and ``column`` count from 1; ``caret`` is the source line (cut to the surroundings when long) with a
    caret line below it; ``found`` and ``expected`` are empty where they do not apply.
    """

    code = "expression_invalid"

    def __init__(self, problem: str, *, source: str = "", offset: int = 0, found: str = "", expected: str = "") -> None:
        start = source.rfind("\n", 0, offset) + 1
        self.problem = problem
        self.line = source.count("\n", 0, offset) + 1
        self.column = offset - start + 1
        self.caret = _caret(source[start:].split("\n", 1)[0], self.column - 1)
        self.found = found
        self.expected = expected
        super().__init__(f"line {self.line}, column {self.column}: {problem}\n{self.caret}")


class Fault(Exception):  # noqa: N818 - never leaves the package; it becomes an ExpressionError with a position
    """A fault in a value or a constant, before its position in the expression is known.

    ``value`` is shown only if nothing in the expression is redacted. ``argument`` is the argument at fault, counted
    from 0, and ``index`` the character within that argument's constant text, if one is at fault.
    """

    def __init__(
        self, problem: str, value: object = None, *, argument: int | None = None, index: int | None = None
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.value = value
        self.argument = argument
        self.index = index


def _caret(line: str, column: int) -> str:
    first = max(0, column - _CARET_WINDOW // 2)
    shown = line[first : first + _CARET_WINDOW].replace("\t", " ").rstrip("\r")
    return f"{shown}\n{' ' * (column - first)}^"
