# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter gpad_expression; its documentation stands in gpad_expression.yml."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module.regex_engine import choose_engine
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import ConfigurationError
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expressions import (
    ExpressionError,
    Flow,
    evaluate,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.mapping import expression_text


def gpad_expression(
    expression: object,
    attributes: Mapping[str, Any] | None = None,
    *,
    now: str | None = None,
    taken: Sequence[str] = (),
    variables: Mapping[str, str] | None = None,
) -> object:
    """Return the value of a mapping expression for some attributes.

    Raises:
        AnsibleFilterError: the expression or a value cannot be used.
    """
    try:
        moment = datetime.fromisoformat(now) if now else datetime.now(timezone.utc)
        value = evaluate(
            expression_text("expression", expression),
            attributes or {},
            now=moment,
            taken=frozenset(taken),
            random=secrets.randbelow,
            variables=variables or {},
        )
    except (ExpressionError, ConfigurationError, ValueError) as error:
        raise AnsibleFilterError(f"gpad_expression: {error}") from None
    return value.value if isinstance(value, Flow) else value


class FilterModule:
    """Names the filter."""

    def __init__(self) -> None:
        choose_engine()

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return the filter by its name."""
        return {"gpad_expression": gpad_expression}
