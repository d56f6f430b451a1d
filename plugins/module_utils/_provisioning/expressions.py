# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The language's public names."""

from __future__ import annotations

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.errors import (
    ExpressionError,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.evaluator import evaluate
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.parser import parse
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.syntax import Expression
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.values import (
    IGNORE,
    AttributeValue,
    Flow,
    RandomSource,
)

__all__ = ["IGNORE", "AttributeValue", "Expression", "ExpressionError", "Flow", "RandomSource", "evaluate", "parse"]
