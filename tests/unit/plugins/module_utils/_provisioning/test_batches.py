# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Working a few at a time."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.batches import chunks


def test_chunks() -> None:
    assert list(chunks(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(chunks(range(4), 2)) == [[0, 1], [2, 3]]
    assert list(chunks([], 2)) == []


def test_no_more_is_taken_than_is_asked_for() -> None:
    taken: list[int] = []

    def source() -> Iterator[int]:
        for number in range(10):
            taken.append(number)
            yield number

    assert next(chunks(source(), 3)) == [0, 1, 2]
    assert taken == [0, 1, 2]
