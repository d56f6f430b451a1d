# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.lab.policy --config FILE``"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from .config import read_config
from .server import serve


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.lab.policy", description="Impose on clients what Windows imposes.")
    parser.add_argument("--config", type=Path, required=True, help="JSON file that the lab writes")
    try:
        asyncio.run(serve(read_config(parser.parse_args().config)))
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
