# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A source of randomness that repeats itself."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable


def seeded(seed: int) -> Callable[[int], int]:
    """A source whose numbers depend on the seed alone."""
    counter = itertools.count()

    def below(bound: int) -> int:
        digest = hashlib.sha256(f"{seed}/{next(counter)}".encode()).digest()
        return int.from_bytes(digest, "big") % bound

    return below
