# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading PowerShell with a parser: there is no PowerShell to run it."""

from __future__ import annotations

from collections.abc import Iterator

import tree_sitter_powershell
from tree_sitter import Language, Node, Parser

POWERSHELL = Parser(Language(tree_sitter_powershell.language()))


def nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from nodes(child)


def parsed(text: str) -> Node:
    root = POWERSHELL.parse(text.encode()).root_node
    wrong = [node.start_point for node in nodes(root) if node.is_error or node.is_missing]
    assert not wrong, wrong
    return root


def source(node: Node) -> str:
    return (node.text or b"").decode()


def commands(text: str) -> list[list[str]]:
    """Return each command of a script: its name, its options and their values, in their order."""
    found = []
    for node in nodes(parsed(text)):
        if node.type == "command":
            parts = [one for child in node.children for one in (child.children or [child])]
            found.append([source(one).strip() for one in parts if one.type != "command_argument_sep"])
    return found


def names(text: str) -> list[str]:
    return [words[0] for words in commands(text)]
