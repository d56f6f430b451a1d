# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plants one fault for each step in a copy of the project; each must turn its step red: ``python -m tests.tools.awake``.

Each step runs on the copy without the fault too, narrowed in the same way, and must be green there: a check that always
fails proves nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.tools.checkout import BUILD, NAMESPACE, ROOT, copy_to, stage
from tests.tools.sanity import prepare_home

HEADER = """\
# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""
PURE = "plugins/module_utils/_provisioning"
NEWEST, OLDEST = (str(ROOT / ".venv" / name / "bin") for name in ("newest", "oldest"))
PYTEST = "pytest -q -p no:cacheprovider"


@dataclass(frozen=True, slots=True)
class Fault:
    """A planted file: the step it belongs to, the command on the copy, and what the output must say."""

    step: str
    path: str
    sound: str
    faulty: str
    command: tuple[str, ...]
    evidence: str
