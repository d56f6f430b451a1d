# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.bench [wire …]: measure, print a table, and keep a JSON line per figure."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from tests.bench import wire
from tests.bench.figures import Record
from tests.integration.modules.target import ROOT

BENCHES: Mapping[str, Callable[[Record], None]] = {"wire": wire.run}


def main() -> None:
    """Run the named benchmarks, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHES, []], metavar="NAME", help=", ".join(BENCHES))
    names = parser.parse_args().names or list(BENCHES)
    for name in names:
        BENCHES[name](Record(ROOT / ".build" / "bench" / f"{name}.jsonl"))


if __name__ == "__main__":
    main()
