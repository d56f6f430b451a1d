# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything that the connections to one domain share."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from .config import Domain
from .facts import Facts
from .forest import ForestView
from .knobs import FaultBook, Operation, Policy
from .play import ForestPlay

MOST_OPERATIONS = 200_000


class Site:
    """One domain behind the proxy; ``play`` is there when it is played as part of a forest of several."""

    def __init__(self, domain: Domain, facts: Mapping[str, Facts]) -> None:
        self.domain = domain
        self.facts = facts[domain.name]
        self.policy = Policy()
        self.faults = FaultBook()
        self.operations: deque[Operation] = deque(maxlen=MOST_OPERATIONS)
        self.aliases: dict[str, str] = {}
        peers = [facts[name] for name in domain.forest if name != domain.name]
        self.forest = ForestView(self.facts, peers, self.aliases)
        self.play = ForestPlay(self.facts, self.forest) if peers else None
