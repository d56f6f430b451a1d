# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was asked and answered; neither secrets nor tokens enter."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from typing import Any

_HEADERS = (
    "consistencylevel",
    "prefer",
    "client-request-id",
    "content-type",
    "user-agent",
    "x-ms-throttle-priority",
    "accept",
)
_LIMIT = 100_000


class Record:
    """The request record, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=_LIMIT)
        self._next = 1

    def add(self, *, method: str, target: str, headers: Mapping[str, str], **rest: Any) -> int:
        """Store one request and answer its number; items of a batch name theirs as ``batch``."""
        number = self._next
        self._next += 1
        kept = {name: headers[name] for name in _HEADERS if name in headers}
        self._entries.append(
            {"id": number, "time": time.time(), "method": method, "path": target, "headers": kept, **rest}
        )
        return number

    def amend(self, number: int, **values: Any) -> None:
        for entry in reversed(self._entries):
            if entry["id"] == number:
                entry.update(values)
                return

    def entries(self) -> list[dict[str, Any]]:
        return list(self._entries)

    def clear(self) -> None:
        self._entries.clear()
