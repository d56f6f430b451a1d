# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a figure grows with the size: the exponent of the power that fits best."""

from __future__ import annotations

from collections.abc import Sequence
from math import log


def slope(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Return the slope of the least-squares line through the logarithms: 1 for what grows in step with the size.

    Parameters:
        sizes: at least two different ones.
        values: one for each size, above 0.
    """
    across, up = [log(size) for size in sizes], [log(value) for value in values]
    middle, height = sum(across) / len(across), sum(up) / len(up)
    steps = [x - middle for x in across]
    return sum(step * (y - height) for step, y in zip(steps, up, strict=True)) / sum(step**2 for step in steps)
