# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The syntax tree, and its canonical text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

MAXIMUM_LENGTH = 10_000
"""Characters in one expression (known issues of provisioning)."""

CREATION_FUNCTIONS = frozenset({"Guid", "Now", "RandomString"})
"""Functions whose result is another one at each call: their value is for the creation of an object only."""


@dataclass(frozen=True, slots=True)
class Constant:
    """A text or a number."""

    value: str | int
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Attribute:
    """``[name]``."""

    name: str
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Variable:
    """``%name%``."""

    name: str
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Keyword:
    """A bare word, in its canonical spelling."""

    name: str
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Omitted:
    """An argument that is not given."""

    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Join:
    """``a & b & c``."""

    parts: tuple[Node, ...]
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    """``left operator right``."""

    operator: str
    left: Node
    right: Node
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function call; ``name`` in its canonical spelling."""

    name: str
    arguments: tuple[Node, ...]
    offset: int = field(default=0, compare=False)


Node: TypeAlias = Constant | Attribute | Variable | Keyword | Omitted | Join | Comparison | Call


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression. ``str()`` gives its canonical text; two expressions of the same tree are equal."""

    root: Node
    source: str = field(default="", compare=False)

    def __str__(self) -> str:
        readable = render(self.root, " ")
        return readable if len(readable) <= MAXIMUM_LENGTH else render(self.root, "")

    @property
    def attributes(self) -> tuple[str, ...]:
        """Names of the attributes referenced, in order of appearance."""
        return _unique(node.name for node in walk(self.root) if isinstance(node, Attribute))

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables referenced, in order of appearance."""
        return _unique(node.name for node in walk(self.root) if isinstance(node, Variable))

    @property
    def functions(self) -> tuple[str, ...]:
        """Names of the functions used, in order of appearance."""
        return _unique(node.name for node in walk(self.root) if isinstance(node, Call))

    @property
    def creates_only(self) -> bool:
        """Whether the result changes from call to call, so that it serves the creation of an object only."""
        return not CREATION_FUNCTIONS.isdisjoint(self.functions)

    @property
    def unique_values(self) -> bool:
        """Whether the result depends on the values already taken in the target."""
        return "SelectUniqueValue" in self.functions

    @property
    def uses_clock(self) -> bool:
        """Whether the result depends on the time; FormatDateTime fills in what a date leaves open."""
        return not {"Now", "FormatDateTime"}.isdisjoint(self.functions)

    @property
    def redacted(self) -> bool:
        """Whether values of this expression must stay out of logs."""
        return "Redact" in self.functions


def walk(root: Node) -> Iterator[Node]:
    """The node and all below it, in order of appearance."""
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(_children(node)))


def render(node: Node, blank: str) -> str:
    """Canonical text of a node; ``blank`` stands after commas and around operators."""
    match node:
        case Constant(value=str() as text):
            return quote(text)
        case Constant(value=value):
            return str(value)
        case Attribute(name=name):
            return f"[{name}]"
        case Variable(name=name):
            return f"%{name}%"
        case Keyword(name=name):
            return name
        case Omitted():
            return ""
        case Join(parts=parts):
            return f"{blank}&{blank}".join([render(part, blank) for part in parts])
        case Comparison(operator=operator, left=left, right=right):
            return f"{render(left, blank)}{blank}{operator}{blank}{render(right, blank)}"
        case Call(name=name, arguments=arguments):
            return f"{name}({f',{blank}'.join([render(argument, blank) for argument in arguments])})"


def quote(text: str) -> str:
    """``text`` as a constant, with the fewest escapes: a backslash is doubled only where it would escape something."""
    following = (text + '"')[1:]
    return '"' + "".join([_escaped(char, after) for char, after in zip(text, following, strict=True)]) + '"'


def _escaped(char: str, after: str) -> str:
    if char == '"' or (char == "\\" and after in '"\\'):
        return "\\" + char
    return char


def _children(node: Node) -> tuple[Node, ...]:
    match node:
        case Join(parts=parts):
            return parts
        case Comparison(left=left, right=right):
            return (left, right)
        case Call(arguments=arguments):
            return arguments
        case _:
            return ()


def _unique(names: Iterator[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
