# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role repeats of the modules."""

from __future__ import annotations

from pathlib import Path

import yaml

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra import auth

ROLE = Path(__file__).resolve().parents[2] / "roles" / "gpad_provision"


def test_the_refusals_of_a_log_on_are_those_of_the_modules() -> None:
    variables = yaml.safe_load((ROLE / "vars" / "main.yml").read_text(encoding="utf-8"))
    known = {code for code, _why, _remedy in auth._REASONS.values()} | {"log_on_refused"}
    assert variables["gpad_provision_log_on_refusals"] == sorted(known)
