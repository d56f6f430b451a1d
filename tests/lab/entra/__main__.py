# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m tests.lab.entra --config FILE``"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .config import ConfigError, read_config
from .model import Model
from .server import serve


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.lab.entra", description="Emulate Entra ID and Microsoft Graph.")
    parser.add_argument("--config", type=Path, required=True, help="JSON file that the lab writes")
    model = Model()
    try:
        config = read_config(parser.parse_args().config, model)
        Path(config.database).unlink(missing_ok=True)
        serve(config, model)
    except (ConfigError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
