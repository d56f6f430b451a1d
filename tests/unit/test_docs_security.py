# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""SECURITY.md names a test for each answer, and the tests are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "SECURITY.md").read_text(encoding="utf-8")


def test_each_test_that_the_page_names_is_there() -> None:
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", PAGE))
    assert len(named) > 10
    assert sorted(name for name in named if not (ROOT / name).is_file()) == []


def test_every_risk_is_answered_or_named_as_one_that_stays() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("|") and line.count("|") == 4]
    risks = [row for row in rows if not row.startswith(("|---", "| They |", "| What |", "| It has |"))]
    answered = [row for row in risks if re.search(r"`tests/[\w/]+\.py` \|$", row) or "a risk that stays" in row]
    holds = PAGE.split("## What the collection holds")[1].split("\n## ")[0]
    assert [row for row in risks if row not in answered and row not in holds] == []


def test_links_lead_to_pages() -> None:
    for target in re.findall(r"\]\(([^)#]+)", PAGE):
        assert (ROOT / target).is_file(), target
