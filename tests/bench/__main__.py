# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m tests.bench [--size small] [startup …]: measure, print a table, and keep a JSON line per figure."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

from tests.bench import connections, peers, profile, shape, startup, wire
from tests.bench.figures import Record
from tests.bench.site import SCALES, Scale
from tests.tools.checkout import BUILD

BENCHES: Mapping[str, Callable[[Record, Scale], None]] = {
    "startup": startup.run,
    "connections": connections.run,
    "peers": peers.run,
    "operations": peers.count,
    "shape": shape.run,
    "profile": profile.run,
    "wire": wire.run,
}


def main() -> None:
    """Run the named benchmarks, or all, and print all figures once more at the end."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHES, []], metavar="NAME", help=", ".join(BENCHES))
    parser.add_argument("--size", choices=SCALES, default="full", help="small is for trying a benchmark out")
    given = parser.parse_args()
    # The figures of a trial are kept apart from those that count.
    folder = BUILD / "bench" if given.size == "full" else BUILD / "bench" / given.size
    records = {name: Record(folder / f"{name}.jsonl") for name in given.names or BENCHES}
    for name, record in records.items():
        print(f"--- {name}, size {given.size}", flush=True)
        BENCHES[name](record, given.size)
    print("\n=== all figures")
    for name, record in records.items():
        print(f"\n{name}")
        for figure in record.figures:
            print(figure.row())


if __name__ == "__main__":
    main()
