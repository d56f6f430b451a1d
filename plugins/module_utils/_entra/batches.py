# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many calls to Microsoft Graph: in batches, of which several are under way at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import (
    BATCH_SIZE,
    Call,
    GraphClient,
)

_T = TypeVar("_T")

_AT_ONCE = 4


def in_batches(
    client: GraphClient, calls: Iterable[tuple[_T, Call]]
) -> Iterator[tuple[list[tuple[_T, Call]], list[tuple[int, Any]]]]:
    """Yield each batch of calls with its answers, in order.

    Parameters:
        client: the client.
        calls: each with what the caller knows it by.

    Raises:
        EntraError: a batch failed as a whole.
    """
    iterator = iter(calls)
    return in_growing_batches(client, lambda most: list(islice(iterator, most)))


def in_growing_batches(
    client: GraphClient, take: Callable[[int], list[tuple[_T, Call]]]
) -> Iterator[tuple[list[tuple[_T, Call]], list[tuple[int, Any]]]]:
    """Yield each batch of calls with its answers, in order; an answer may lead to more calls.

    Parameters:
        client: the client.
        take: gives at most so many calls that are to be made next, none if there are none by now.

    Raises:
        EntraError: a batch failed as a whole.
    """

    def send(part: list[tuple[_T, Call]]) -> tuple[list[tuple[_T, Call]], list[tuple[int, Any]]]:
        return part, client.batch([call for _known_by, call in part])

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        under_way: deque[Future[tuple[list[tuple[_T, Call]], list[tuple[int, Any]]]]] = deque()

        def fill() -> None:
            while len(under_way) < _AT_ONCE and (part := take(BATCH_SIZE)):
                under_way.append(pool.submit(send, part))

        try:
            fill()
            while under_way:
                answered = under_way.popleft().result()
                # The next one is sent before, so that the service works while answers are looked at.
                fill()
                yield answered
                fill()
        finally:
            for future in under_way:
                future.cancel()
