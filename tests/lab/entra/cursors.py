# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Page tokens: opaque, short-lived, bound to the query that they continue."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .errors import bad_request, expired_page_token


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a listing stands: the query it belongs to, all its items, and how many were handed out."""

    query: tuple[str, Mapping[str, str], bool]
    items: tuple[Any, ...]
    position: int
    blank: bool = False
    state: Any = None


class Cursors:
    """Cursors by token."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[float, Cursor]] = {}

    def issue(self, cursor: Cursor, lifetime: float) -> str:
        moment = time.monotonic()
        # Old tokens are forgotten much later than they expire, so that the answer can tell stale from invented.
        self._held = {key: held for key, held in self._held.items() if held[0] + 3600 > moment}
        token = secrets.token_urlsafe(24)
        self._held[token] = (moment + lifetime, cursor)
        return token

    def resume(self, token: str, query: tuple[str, Mapping[str, str], bool]) -> Cursor:
        """Find the cursor of a token.

        Raises GraphError: Directory_ExpiredPageToken when its time is over, Request_BadRequest when it is unknown or
        belongs to another query (another path, other options, or the ConsistencyLevel header lost on the way).
        """
        held = self._held.get(token)
        if held is None or held[1].query != query:
            raise bad_request("The specified page token value is invalid for this request.")
        if held[0] <= time.monotonic():
            raise expired_page_token()
        return held[1]

    def expire(self) -> None:
        """End the life of all tokens now."""
        self._held = {key: (0.0, cursor) for key, (_unused, cursor) in self._held.items()}
