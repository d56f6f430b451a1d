# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs steps of the Makefile, two at a time, and counts them: ``python -m tests.tools.gate STEP …``."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from tests.tools.checkout import BUILD, ROOT

SLOTS = 2
# These keep both cores busy by themselves, or share the environments of the sanity steps: they come last, one by one.
ALONE = frozenset({"molecule", "awake"})
TAIL = 3


@dataclass(frozen=True, slots=True)
class Result:
    """How one step ended."""

    step: str
    passed: bool
    seconds: float
    output: str


def main(steps: list[str]) -> int:
    """Run the steps, print each as it ends and the count as the last line; return 1 unless all passed."""
    began = time.monotonic()
    results = []
    for result in run(steps):
        results.append(result)
        print(render(result), flush=True)
    passed = sum(result.passed for result in results)
    print(f"\n{time.monotonic() - began:.0f} s in all; whole outputs in .build/logs")
    failed = len(steps) - passed
    if failed:
        print(f"failed: {' '.join(result.step for result in results if not result.passed)}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not steps else 0


def run(steps: list[str]) -> Iterator[Result]:
    """Yield a result for each step: first those that share the machine, then those that want it alone."""
    with ThreadPoolExecutor(SLOTS) as pool:
        pending: set[Future[Result]] = {pool.submit(run_step, step) for step in steps if step not in ALONE}
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    yield from (run_step(step) for step in steps if step in ALONE)


def run_step(step: str) -> Result:
    """Run one make target, its output kept in .build/logs."""
    environment = {
        name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL"}
    }
    began = time.monotonic()
    done = subprocess.run(
        ["make", "--no-print-directory", step],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    log = BUILD / "logs" / f"{step}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(done.stdout)
    return Result(step, done.returncode == 0, time.monotonic() - began, done.stdout)


def render(result: Result) -> str:
    """Return a header and the step's output: all of it on failure, else its end."""
    lines = [line for line in result.output.splitlines() if line.strip()]
    shown = lines[-TAIL:] if result.passed else lines
    header = f"\n=== {result.step}: {'passed' if result.passed else 'FAILED'} ({result.seconds:.1f} s)"
    return "\n".join([header, *(f"    {line}" for line in shown)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
