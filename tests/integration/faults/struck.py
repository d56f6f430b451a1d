# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A target whose modules can be struck: each runs in a process of its own, forked from one that has all imports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from tests.integration.faults.faultpoints import Strike
from tests.integration.modules.target import ROOT, Target
from tests.lab.api import Lab
from tests.lab.entra.admin import EntraAdmin

DOMAIN = "struck.test"
_MOST_SECONDS = 120.0
_ENDINGS = ("stdout", "stderr", "trace")


class KilledError(Exception):
    """The module's process was killed."""


@dataclass(frozen=True, slots=True)
class Performance:
    """How a module process ended.

    Parameters:
        code: exit code; the negative number of the signal that ended it.
        output: standard output.
        complaint: standard error.
        steps: the fault points that it passed.
        waits: the waits that it asked for, in seconds.
        seconds: how long it ran.
    """

    code: int
    output: str
    complaint: str
    steps: tuple[str, ...]
    waits: tuple[float, ...]
    seconds: float


class Forge:
    """Makes processes of modules."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.faults.forge"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": f"{ROOT / '.build'}{os.pathsep}{ROOT}"},
            text=True,
        )

    def close(self) -> None:
        """End the process that the others come from."""
        self._process.communicate(timeout=_MOST_SECONDS)

    def run(
        self, module: str, arguments: dict[str, Any], strike: Strike, kill_after: float | None = None
    ) -> Performance:
        """Run a module to its end, or kill it after a time."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with tempfile.TemporaryDirectory(prefix="struck-") as folder:
            order = {
                "module": module,
                "arguments": {"ANSIBLE_MODULE_ARGS": arguments},
                "folder": folder,
                "strike": asdict(strike),
                "seconds": _MOST_SECONDS if kill_after is None else kill_after,
            }
            started = time.monotonic()
            stdin.write(json.dumps(order) + "\n")
            stdin.flush()
            code = int(stdout.readline())
            seconds = time.monotonic() - started
            paths = (Path(folder) / name for name in _ENDINGS)
            output, complaint, trace = (path.read_text(encoding="utf-8") if path.exists() else "" for path in paths)
        assert code != -signal.SIGKILL or seconds < _MOST_SECONDS, f"{module} did not end"
        lines = trace.splitlines()
        waits = tuple(float(line.split()[1]) for line in lines if line.startswith("wait "))
        steps = tuple(line for line in lines if not line.startswith("wait "))
        return Performance(code, output, complaint, steps, waits, seconds)


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

    def _call(
        self, module: str, names: tuple[str, ...], options: dict[str, Any], *, check: bool, diff: bool
    ) -> dict[str, Any]:
        arguments = {name: self._vars[name] for name in names} | options
        arguments = {name: value for name, value in arguments.items() if value is not None}
        arguments |= {"_ansible_check_mode": check, "_ansible_diff": diff}
        strike = self.strikes.get(module, Strike())
        self.last = self._forge.run(module, arguments, strike, self.kill_after.get(module))
        if self.last.code < 0:
            raise KilledError(f"{module} ended by signal {-self.last.code}")
        assert "Traceback" not in self.last.complaint, self.last.complaint
        assert self.last.output, self.last.complaint
        result: dict[str, Any] = json.loads(self.last.output.splitlines()[-1])
        assert self.last.code == (1 if result.get("failed") else 0), result
        return result

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
