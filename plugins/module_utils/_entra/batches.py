# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many calls to Microsoft Graph: in batches, of which several are under way at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._entra.client import (
    BATCH_SIZE,
    Call,
    GraphClient,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.errors import EntraError

_T = TypeVar("_T")

_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Answered(Generic[_T]):
    """A batch that came back.

    Parameters:
        calls: what was asked, each with what the caller knows it by.
        answers: status and body of each.
        problem: why the batch failed as a whole, so that it has no answers.
    """

    calls: Sequence[tuple[_T, Call]]
    answers: Sequence[tuple[int, Any]] = ()
    problem: EntraError | None = None

    def each(self) -> Iterator[tuple[_T, Call, int, Any]]:
        """Yield each call with its status and body.

        Raises:
            EntraError: the batch failed as a whole.
        """
        if self.problem is not None:
            raise self.problem
        for (known_by, call), (status, body) in zip(self.calls, self.answers, strict=True):
            yield known_by, call, status, body


def in_batches(client: GraphClient, calls: Iterable[tuple[_T, Call]]) -> Iterator[tuple[_T, Call, int, Any]]:
    """Yield each call with its status and body, in order.

    Parameters:
        client: the client.
        calls: each with what the caller knows it by.

    Raises:
        EntraError: a batch failed as a whole.
    """
    iterator = iter(calls)
    with closing(in_growing_batches(client, lambda most: list(islice(iterator, most)))) as batches:
        for answered in batches:
            yield from answered.each()


def in_growing_batches(
    client: GraphClient, take: Callable[[int], Sequence[tuple[_T, Call]]]
) -> Generator[Answered[_T], None, None]:
    """Yield each batch of calls as it came back, in order; an answer may lead to more calls.

    To be closed, so that what is under way ends before anything else goes on.

    Parameters:
        client: the client.
        take: gives at most so many calls that are to be made next, none if there are none by now.
    """

    def send(part: Sequence[tuple[_T, Call]]) -> Answered[_T]:
        try:
            return Answered(part, client.batch([call for _known_by, call in part]))
        except EntraError as error:
            return Answered(part, problem=error)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        under_way: deque[Future[Answered[_T]]] = deque()

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
