# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a function of the language is."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.syntax import Call
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.values import Value

Thunk: TypeAlias = Callable[[], Value]
Thunks: TypeAlias = Sequence[Thunk | None]
"""Arguments of a lazy function; ``None`` is an argument that is not given."""


class Style(enum.Enum):
    """How a function is called."""

    STRICT = "values"
    """Called with the arguments' values, null for those not given."""
    CONTEXT = "context and values"
    """As STRICT, with the evaluation's context first."""
    LAZY = "context and thunks"
    """Called with the context and a sequence of thunks, and evaluates what it needs."""


class Conditions(enum.Enum):
    """Whether the first argument may be a comparison."""

    NEVER = "never"
    ALWAYS = "always"
    INHERITED = "where the call itself stands in a condition"


@dataclass(frozen=True, slots=True)
class Function:
    """One function: its arguments' number (``maximum`` None = any), its code, and what is checked when parsing."""

    name: str
    minimum: int
    maximum: int | None
    code: Callable[..., Value]
    style: Style = Style.STRICT
    omissible: frozenset[int] = frozenset()
    """Positions below ``minimum`` that may be left empty."""
    conditions: Conditions = Conditions.NEVER
    pads: bool = True
    """Whether the code is called with all positions, null for those not given."""
    top_level: bool = False
    check: Callable[[Call], None] | None = None
    """Raises a Fault for arguments that can be known to be wrong without values."""
