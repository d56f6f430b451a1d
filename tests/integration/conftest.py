# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab for the tests of the product: started once for each test process, on addresses of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.modules.processes import Forge
from tests.integration.modules.target import ROOT, Target
from tests.lab.api import Lab
from tests.lab.entra.admin import EntraAdmin


@pytest.fixture(scope="session", autouse=True)
def _forked_modules() -> Iterator[None]:
    """Fork the processes of modules from one that has all imports, which takes a tenth of the time of a new Python.

    The playbooks start them as Ansible does, and so do `make large` and the benchmarks, whose figures count imports.
    """
    forge = Forge()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Target, "processes", forge)
        yield
    forge.close()


@pytest.fixture(scope="session")
def product_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The tutorial's lab."""
    scenario = ROOT / "tests" / "lab" / "scenarios" / "tutorial.yml"
    with Lab.up(scenario, tmp_path_factory.mktemp("product") / "lab", "auto") as running:
        yield running


@pytest.fixture(scope="session")
def product_admin(product_lab: Lab) -> Iterator[EntraAdmin]:
    """The emulator's back door."""
    entra = product_lab.settings.entra
    assert entra is not None
    admin = EntraAdmin(entra.admin_url, entra.admin_key, entra.ca_cert)
    yield admin
    admin.close()


@pytest.fixture
def target(product_lab: Lab, product_admin: EntraAdmin, tmp_path: Path) -> Iterator[Target]:
    """The lab's domain with an empty state directory; faults and records of the emulator end with the test."""
    yield Target(product_lab, product_admin, tmp_path)
    product_admin.clear_faults()
    product_admin.clear_requests()
