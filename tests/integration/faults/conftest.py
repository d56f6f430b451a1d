# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab whose domain is reached directly and through the policy proxy, and the table of what was injected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.integration.faults.struck import DOMAIN, PERFORMER, StruckTarget
from tests.integration.faults.swing import Swing
from tests.integration.faults.world import World
from tests.integration.modules.processes import Forge
from tests.lab.api import Lab
from tests.lab.entra.admin import EntraAdmin
from tests.lab.policy.admin import PolicyAdmin

_PROPERTY = "injected"


class Inject(Protocol):
    """Counts faults."""

    def __call__(self, kind: str, number: int = 1) -> None:
        """Count faults of a kind that are injected now; the last is lost if the test fails before the next."""


@pytest.fixture
def inject(record_property: Callable[[str, object], None]) -> Inject:
    """Count faults for the table at the end."""

    def count(kind: str, number: int = 1) -> None:
        for _unused in range(number):
            record_property(_PROPERTY, kind)

    return count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of faults."""
    injected: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    for outcome in ("passed", "failed", "error", "xfailed"):
        for report in terminalreporter.stats.get(outcome, ()):
            if report.when == "call":
                kinds = [kind for name, kind in report.user_properties if name == _PROPERTY]
                injected.update(kinds)
                lost.update(kinds[-1:] if outcome != "passed" else ())
    if injected:
        terminalreporter.section("faults")
        lines = [("", "injected", "survived", "lost")]
        lines += [(kind, str(n), str(n - lost[kind]), str(lost[kind])) for kind, n in sorted(injected.items())]
        lines += [("all", str(injected.total()), str(injected.total() - lost.total()), str(lost.total()))]
        for kind, *numbers in lines:
            terminalreporter.write_line(f"{kind:44}" + "".join(f"{number:>10}" for number in numbers))


@pytest.fixture(scope="session")
def forge() -> Iterator[Forge]:
    """Where the modules' processes come from."""
    made = Forge(PERFORMER)
    yield made
    made.close()


@pytest.fixture(scope="session")
def fault_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One domain and one tenant."""
    scenario = Path(__file__).with_name("scenario.yml")
    with Lab.up(scenario, tmp_path_factory.mktemp("faults") / "lab", "auto") as running:
        yield running


@pytest.fixture
def fault_admin(fault_lab: Lab) -> Iterator[EntraAdmin]:
    """The emulator's back door; knobs and faults end with the test."""
    admin = _admin(fault_lab)
    knobs = admin.knobs()
    yield admin
    _calm(admin, knobs)
    admin.close()


def _admin(lab: Lab) -> EntraAdmin:
    entra = lab.settings.entra
    assert entra is not None
    return EntraAdmin(entra.admin_url, entra.admin_key, entra.ca_cert)


def _calm(admin: EntraAdmin, knobs: dict[str, Any]) -> None:
    admin.clear_faults()
    admin.knobs(**knobs)
    admin.refill_throttle()
    admin.clear_requests()


@pytest.fixture
def policy(fault_lab: Lab) -> Iterator[PolicyAdmin]:
    """The proxy's control channel, set to Windows' defaults."""
    with fault_lab.policy(DOMAIN) as admin:
        admin.reset()
        yield admin
        admin.reset()


@pytest.fixture
def struck(fault_lab: Lab, fault_admin: EntraAdmin, forge: Forge, tmp_path: Path) -> StruckTarget:
    """The domain itself, without the proxy, and an empty state directory."""
    return StruckTarget.made(forge, fault_lab, fault_admin, tmp_path, direct=True)


# What is expensive to set up is used by all tests of a process, unless one left it in disorder.
_kept: dict[type, Any] = {}


@pytest.fixture
def world(
    fault_lab: Lab, fault_admin: EntraAdmin, forge: Forge, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """A world that has settled, on the domain itself."""
    if World not in _kept:
        state = tmp_path_factory.mktemp("world")
        _kept[World] = World(StruckTarget.made(forge, fault_lab, _admin(fault_lab), state, direct=True))
        _kept[World].begin()
    yield _kept[World]
    if not _kept[World].settled:
        _kept.pop(World).end()


@pytest.fixture
def swing(
    fault_lab: Lab,
    fault_admin: EntraAdmin,
    policy: PolicyAdmin,
    forge: Forge,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Swing]:
    """Two groups that have settled, behind the proxy."""
    if Swing not in _kept:
        state = tmp_path_factory.mktemp("swing")
        _kept[Swing] = Swing(StruckTarget.made(forge, fault_lab, _admin(fault_lab), state, direct=False))
        _kept[Swing].begin()
    yield _kept[Swing]
    if not _kept[Swing].settled:
        _kept.pop(Swing).end()
