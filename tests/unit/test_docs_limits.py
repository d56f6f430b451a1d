# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of limits in docs/how-it-works.md is that of the code."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.limits import (
    DEFAULT_LIMITS,
    Limit,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-it-works.md"


def in_words(limit: Limit) -> str:
    count = "" if limit.count is None else str(limit.count)
    share = "" if limit.percent is None else f"{limit.percent} % above {limit.floor}"
    return ", or ".join(word for word in (count, share) if word)


def test_the_table_of_limits_is_that_of_the_code() -> None:
    section = PAGE.read_text(encoding="utf-8").split("\n## Limits\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \|[^|]+\| ([^|]+) \|$", section, re.MULTILINE)
    assert rows == [(kind.value, in_words(limit)) for kind, limit in DEFAULT_LIMITS.items()]
