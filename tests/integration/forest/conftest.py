# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Labs of more than one domain, and of one that behaves as Windows does; each is started when first asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.forest.sides import ForestTarget, running
from tests.integration.modules.target import Target
from tests.lab.api import Lab
from tests.lab.entra.admin import EntraAdmin
from tests.lab.policy.admin import PolicyAdmin

CORP, EMEA, STRICT = "corp.test", "emea.corp.test", "strict.test"

Started = tuple[Lab, EntraAdmin]


@pytest.fixture(scope="session")
def one_forest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """Two domains that the proxy shows as one forest."""
    with running("forest_of_two.yml", tmp_path_factory.mktemp("one") / "lab") as started:
        yield started


@pytest.fixture(scope="session")
def two_forests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """Two forests under one tenant."""
    with running("two_forests.yml", tmp_path_factory.mktemp("two") / "lab") as started:
        yield started


@pytest.fixture(scope="session")
def strict_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """One domain behind the proxy, with a large group in its tenant."""
    with running("large_4600.yml", tmp_path_factory.mktemp("strict") / "lab") as started:
        yield started


def _policy(lab: Lab, domain: str) -> Iterator[PolicyAdmin]:
    with lab.policy(domain) as admin:
        admin.reset()
        yield admin
        admin.reset()


@pytest.fixture
def corp_policy(one_forest: Started) -> Iterator[PolicyAdmin]:
    yield from _policy(one_forest[0], CORP)


@pytest.fixture
def corp(one_forest: Started, corp_policy: PolicyAdmin, tmp_path: Path) -> ForestTarget:
    """The upper domain of the forest, with an empty state directory."""
    return ForestTarget(*one_forest, tmp_path, CORP)


@pytest.fixture
def emea(one_forest: Started, tmp_path: Path) -> ForestTarget:
    """The lower domain, with another state directory."""
    state = tmp_path / "emea"
    state.mkdir()
    return ForestTarget(*one_forest, state, EMEA)


@pytest.fixture
def strict_policy(strict_lab: Started) -> Iterator[PolicyAdmin]:
    yield from _policy(strict_lab[0], STRICT)


@pytest.fixture
def strict(strict_lab: Started, strict_policy: PolicyAdmin, tmp_path: Path) -> Target:
    """The domain behind the proxy, with an empty state directory and without groups, whose reading would count."""
    target = Target(*strict_lab, tmp_path, STRICT)
    for container in target.forest.managed_containers:
        for entry in target.lab.ldapsearch(STRICT, container, "(objectClass=group)", "1.1"):
            target.lab.ldapmodify(STRICT, f"dn: {entry['dn'][0]}\nchangetype: delete\n")
    return target
