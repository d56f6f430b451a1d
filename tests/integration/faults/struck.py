# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A target whose modules can be struck: each runs in a process of its own, forked from one that has all imports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tests.integration.faults.faultpoints import Strike
from tests.integration.modules.processes import Ended, Forge
from tests.integration.modules.target import Target
from tests.lab.api import Lab
from tests.lab.entra.admin import EntraAdmin

DOMAIN = "struck.test"
PERFORMER = "tests.integration.faults.faultpoints"


class KilledError(Exception):
    """The module's process was killed."""


@dataclass(frozen=True, slots=True)
class Performance:
    """What a module process did.

    Parameters:
        steps: the fault points that it passed.
        waits: the waits that it asked for, in seconds.
        seconds: how long it ran.
    """

    steps: tuple[str, ...]
    waits: tuple[float, ...]
    seconds: float


def performance_of(ended: Ended) -> Performance:
    """Read what the process of a module wrote down."""
    lines = ended.more.get("trace", "").splitlines()
    waits = tuple(float(line.split()[1]) for line in lines if line.startswith("wait "))
    return Performance(tuple(line for line in lines if not line.startswith("wait ")), waits, ended.seconds)


class StruckTarget(Target):
    """A target one of whose next modules is struck.

    `strikes` holds what befalls a module, by its name, until it is taken back; `last` is how the last one ended.
    """

    strikes: dict[str, Strike]
    kill_after: dict[str, float]
    last: Performance
    _forge: Forge

    @classmethod
    def made(cls, forge: Forge, lab: Lab, admin: EntraAdmin, state: Path, *, direct: bool) -> StruckTarget:
        """Return a target in the lab's domain, reached directly or through the policy proxy."""
        target = cls(lab, admin, state, DOMAIN)
        target._forge, target.strikes, target.kill_after = forge, {}, {}
        target.reach(direct=direct)
        return target

    def reach(self, *, direct: bool) -> None:
        """Reach the domain directly, or through the policy proxy."""
        self._vars["domain_server"] = self.forest.direct_address if direct else self.forest.address

    def _run(self, module: str, arguments: dict[str, Any]) -> Ended:
        strike = asdict(self.strikes.get(module, Strike()))
        ended = self._forge.run(module, arguments, self.kill_after.get(module), strike=strike)
        self.last = performance_of(ended)
        if ended.code < 0:
            raise KilledError(f"{module} ended by signal {-ended.code}")
        return ended

    @contextmanager
    def struck(self, module: str, **strike: Any) -> Iterator[None]:
        """Let something befall every process of a module inside the block."""
        before = self.strikes.get(module, Strike())
        self.strikes[module] = replace(before, **strike)
        try:
            yield
        finally:
            self.strikes[module] = before

    @contextmanager
    def acting_as(self, application: str) -> Iterator[None]:
        """Ask Graph as another application inside the block."""
        entra = self.lab.settings.entra
        assert entra is not None
        before = {name: self._vars[name] for name in ("client_id", "client_secret")}
        chosen = entra.applications[application]
        self._vars |= {"client_id": chosen.client_id, "client_secret": chosen.client_secret}
        try:
            yield
        finally:
            self._vars |= before

    def journal_module(self, **options: Any) -> None:
        """Run gpad_journal."""
        result = self._call("gpad_journal", (), {"journal": str(self.journal), **options}, check=False, diff=False)
        assert result["outcome"] == "ok", result

    def forget(self, *groups: str) -> None:
        """Forget groups of the journal."""
        self.journal_module(forgotten=list(groups))
