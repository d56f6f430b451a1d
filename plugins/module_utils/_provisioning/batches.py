# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Working on many things a few at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")

# Groups that are read or written together: bounds both memory and the length of filters.
GROUPS_AT_ONCE = 100
# Links that are held in memory together, but for a group that has more.
LINKS_AT_ONCE = 20_000


def chunks(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Yield lists of at most `size` items."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def group_batches(groups: Iterable[_T], links: Callable[[_T], int]) -> Iterator[list[_T]]:
    """Yield lists of so many groups, or of fewer that have as many links as may be held together.

    Parameters:
        groups: in their order.
        links: returns how many links belong to one.
    """
    batch: list[_T] = []
    held = 0
    for group in groups:
        count = links(group)
        if batch and (len(batch) == GROUPS_AT_ONCE or held + count > LINKS_AT_ONCE):
            yield batch
            batch, held = [], 0
        batch.append(group)
        held += count
    if batch:
        yield batch
