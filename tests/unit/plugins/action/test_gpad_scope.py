# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""gpad_scope is found by ansible, and asks a module that says how far it is."""

from __future__ import annotations

from tests.unit.plugins.action.finding import asks_a_telling_module


def test_it_shows_how_far_its_module_is() -> None:
    assert asks_a_telling_module("gpad_scope")
