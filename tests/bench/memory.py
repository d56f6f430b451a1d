# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory of processes."""

from __future__ import annotations

import resource


def largest_child() -> int:
    """Return the largest resident set of any child process that has ended so far, in MiB."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
