# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attribute-mapping expression language of Entra provisioning: ``parse`` and ``evaluate``."""

from __future__ import annotations

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expressions.api import (
    IGNORE,
    Expression,
    ExpressionError,
    evaluate,
    parse,
)

__all__ = ["IGNORE", "Expression", "ExpressionError", "evaluate", "parse"]
