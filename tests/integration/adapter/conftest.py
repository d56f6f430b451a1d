# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs for the adapter: one as it comes, one with the Recycle Bin, which cannot be switched off again."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.adapter.domain import DOMAIN, Domain, domain_of
from tests.integration.modules.target import ROOT
from tests.lab.api import Lab

SCENARIO = ROOT / "tests" / "lab" / "scenarios" / "tutorial.yml"


@pytest.fixture(scope="session")
def adapter_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The tutorial's lab."""
    with Lab.up(SCENARIO, tmp_path_factory.mktemp("adapter") / "lab", "auto") as running:
        yield running


@pytest.fixture(scope="session")
def recycling_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The tutorial's lab with the Recycle Bin."""
    script = Path(__file__).with_name("enable_recycle_bin.py")
    with Lab.up(SCENARIO, tmp_path_factory.mktemp("recycling") / "lab", "auto") as running:
        forest = Path(running.settings.dir) / "forests" / DOMAIN
        subprocess.run(["/usr/bin/python3", str(script)], cwd=forest, check=True, capture_output=True)
        yield running


@pytest.fixture
def domain(adapter_lab: Lab) -> Iterator[Domain]:
    with domain_of(adapter_lab) as opened:
        yield opened


@pytest.fixture
def recycling(recycling_lab: Lab) -> Iterator[Domain]:
    with domain_of(recycling_lab) as opened:
        yield opened
