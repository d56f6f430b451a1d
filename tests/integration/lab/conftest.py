# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""One running tutorial lab for all tests that only read it or clean up behind themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import tests.lab
from tests.lab.api import Lab

SCENARIOS = Path(tests.lab.__path__[0]) / "scenarios"


@pytest.fixture(scope="session")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with Lab.up(SCENARIOS / "tutorial.yml", tmp_path_factory.mktemp("lab"), "auto") as lab:
        yield lab
