# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a backtracking engine may take over a regular expression.

A pattern is turned into its position automaton, in which every way through the pattern is counted. If one place can be
left and reached again in two ways over the same text, the time is exponential and the pattern is refused (Weber and
Seidl, "On the degree of ambiguity of finite automata"). Otherwise the time is polynomial, and its degree tells which
lengths of text are safe.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.charsets import (
    LAST,
    Ranges,
    overlap,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.errors import Fault
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.regex_syntax import (
    Alternation,
    Anchor,
    Atomic,
    Capture,
    Chars,
    Conditional,
    Look,
    Reference,
    Regex,
    Repeat,
    Sequence,
    children,
)

_MAXIMUM_POSITIONS = 600
_MAXIMUM_PAIRS = 20_000
# Beyond so many repeats, or in so deep a nest of them, a bounded repeat is as bad as an unbounded one.
_COPIES = 3
_NESTED = 3
_FIXED_COPIES = 16
_ENDLESS = "in the regular expression: nested repeats can match the same text in several ways, which may take forever"
_ALL: Ranges = ((0, LAST),)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a pattern costs: its choices multiply, and under the last of them one plain repeat is scanned.

    ``choices`` are the sizes of the choices that may all have to be tried, ``scan`` is the longest other repeat.
    """

    searches: bool
    choices: tuple[float, ...]
    scan: float

    def steps(self, length: int) -> float:
        """About the most steps that a text of this length takes."""
        spans = [*self.choices, self.scan, math.inf if self.searches else 1.0]
        order = sum(span > length for span in spans)
        return math.prod([min(span, float(length + 1)) for span in spans]) / math.factorial(order)


def cost_of(tree: Regex) -> Cost:
    """The cost of a pattern.

    :raises Fault: for a pattern whose time grows exponentially with the text, or that is too large to be judged.
    """
    for part in _looked_at(tree):
        _refuse_exponential(_Automaton(part))
    automaton = _Automaton(tree, through=True)
    choices, scan = automaton.choices(_ends_in_test(tree))
    return Cost(not _anchored(tree), choices, scan)


def _looked_at(tree: Regex) -> list[Regex]:
    """The pattern and the bodies of its look-arounds, which are matched on their own."""
    parts, pending = [tree], [tree]
    while pending:
        node = pending.pop()
        pending.extend(children(node))
        if isinstance(node, Look):
            parts.append(node.body)
    return parts


def _anchored(node: Regex) -> bool:
    match node:
        case Anchor(start=start):
            return start
        case Sequence(items=items):
            return bool(items) and _anchored(items[0])
        case Alternation(options=options):
            return all(_anchored(option) for option in options)
        case Capture(body=body) | Atomic(body=body):
            return _anchored(body)
        case _:
            return False


def _ends_in_test(tree: Regex) -> bool:
    """Whether a place or a look-around can still fail after the last character."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, Look) or (isinstance(node, Anchor) and not node.start):
            return True
        pending.extend(children(node))
    return False


@dataclass(slots=True)
class _Part:
    """First and last positions of a node with the number of ways to them, and the ways to match nothing."""

    first: dict[int, int] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)
    empty: int = 1


class _Automaton:
    """Positions and their connections; ``through``: with the inside of look-arounds, as if it could be passed."""

    def __init__(self, tree: Regex, *, through: bool = False) -> None:
        self._through = through
        self.chars: list[Ranges] = []
        self.edges: list[dict[int, int]] = []
        self._repeats: list[tuple[range, _Part, float]] = []
        self._alternatives: list[float] = []
        self._last = self._part(tree, 0).last

    def choices(self, tested: bool) -> tuple[tuple[float, ...], float]:
        """Sizes of the choices, and of the largest repeat that is none.

        A repeat is a choice if its next round may begin with a character that what follows may begin with too.
        """
        sizes = list(self._alternatives)
        scan = 1.0
        for inside, part, span in self._repeats:
            after = [self.chars[to] for end in part.last for to in self.edges[end] if to not in inside]
            again = [self.chars[start] for start in part.first]
            if (tested and not self._last.keys().isdisjoint(part.last)) or any(
                overlap(one, other) for one in again for other in after
            ):
                sizes.append(span)
            else:
                scan = max(scan, span)
        return tuple(sizes), scan

    def _position(self, ranges: Ranges) -> _Part:
        place = len(self.chars)
        if place >= _MAXIMUM_POSITIONS:
            raise Fault("in the regular expression: it is too large to be checked for endless matching")
        self.chars.append(ranges)
        self.edges.append({})
        return _Part({place: 1}, {place: 1}, 0)

    def _part(self, node: Regex, nested: int) -> _Part:
        match node:
            case Chars(ranges=ranges):
                return self._position(ranges)
            case Sequence(items=items):
                part = _Part()
                for item in items:
                    part = self._chain(part, self._part(item, nested))
                return part
            case Alternation(options=options):
                return self._either([self._part(option, nested) for option in options])
            case Conditional(yes=yes, no=no):
                return self._either([self._part(yes, nested), self._part(no, nested)])
            case Capture(body=body) | Atomic(body=body):
                return self._part(body, nested)
            case Repeat():
                return self._repeat(node, nested)
            case Reference():
                return _optional(self._position(_ALL))
            case Look(body=body) if self._through:
                return _optional(self._part(body, nested))
            case Anchor() | Look():
                return _Part()

    def _either(self, parts: list[_Part]) -> _Part:
        total = _Part(empty=0)
        alike = 0
        for part in parts:
            alike += any(_alike(self.chars, part, other) for other in parts if other is not part)
            total = _Part(
                _sum(total.first, part.first, 1), _sum(total.last, part.last, 1), min(2, total.empty + part.empty)
            )
        if alike:
            self._alternatives.append(float(alike))
        return total

    def _connect(self, last: Mapping[int, int], first: Mapping[int, int]) -> None:
        for source, ways in last.items():
            for target, more in first.items():
                self.edges[source][target] = min(2, self.edges[source].get(target, 0) + ways * more)

    def _chain(self, left: _Part, right: _Part) -> _Part:
        self._connect(left.last, right.first)
        return _Part(
            _sum(left.first, right.first, left.empty),
            _sum(right.last, left.last, right.empty),
            min(2, left.empty * right.empty),
        )

    def _repeat(self, node: Repeat, nested: int) -> _Part:
        varies = node.least != node.most
        within = nested + (varies and node.most != 1)
        start = len(self.chars)
        endless = node.most is None or _too_many(node, within)
        least = min(node.least, _FIXED_COPIES if isinstance(node.body, Chars) else _COPIES)
        part = _Part()
        for _unused in range(least - 1 if endless and least else least):
            part = self._chain(part, self._part(node.body, within))
        if node.least > _COPIES and part.empty:
            # Which of the rounds match nothing is a free choice, as many as there are subsets of the rounds.
            raise Fault(_ENDLESS)
        if endless:
            part = self._chain(part, self._endless(node, within, least > 0))
        else:
            part = self._chain(part, self._options(node.body, (node.most or 0) - node.least, within))
        if varies:
            span = math.inf if node.most is None else float(node.most - node.least + 1)
            self._repeats.append((range(start, len(self.chars)), part, span))
        return part

    def _endless(self, node: Repeat, within: int, needed: bool) -> _Part:
        body = self._part(node.body, within)
        self._connect(body.last, body.first)
        # A round that matches nothing ends the loop.
        return _Part(body.first, body.last, body.empty if needed else 1)

    def _options(self, body: Regex, count: int, within: int) -> _Part:
        part = _Part()
        for _unused in range(count):
            part = _optional(self._chain(self._part(body, within), part))
        return part


def _too_many(node: Repeat, within: int) -> bool:
    most = node.most or 0
    if most == node.least and isinstance(node.body, Chars):
        return most > _FIXED_COPIES
    return most > _COPIES or (most > 1 and within + _height(node.body) >= _NESTED)


def _height(node: Regex) -> int:
    own = isinstance(node, Repeat) and node.least != node.most and node.most != 1
    return own + max([_height(child) for child in children(node)], default=0)


def _sum(first: Mapping[int, int], second: Mapping[int, int], factor: int) -> dict[int, int]:
    total = dict(first)
    if factor:
        for place, ways in second.items():
            total[place] = min(2, total.get(place, 0) + ways * factor)
    return total


def _alike(chars: list[Ranges], one: _Part, other: _Part) -> bool:
    """Whether both alternatives can begin with the same character, or one with nothing."""
    if one.empty or other.empty:
        return True
    return any(overlap(chars[left], chars[right]) for left in one.first for right in other.first)


def _optional(part: _Part) -> _Part:
    return _Part(part.first, part.last, min(2, part.empty + 1))


def _refuse_exponential(automaton: _Automaton) -> None:
    edges = automaton.edges
    loops = _components(edges)
    inner = [[to for to in targets if loops[to] == loops[place]] for place, targets in enumerate(edges)]
    doubled = any(edges[place][to] > 1 for place, targets in enumerate(inner) for to in targets)
    if doubled or _diverges(automaton.chars, inner):
        raise Fault(_ENDLESS)


def _components(edges: list[dict[int, int]]) -> list[int]:
    """For each position the least position that it reaches and that reaches it."""
    reach = [sum(1 << to for to in targets) for targets in edges]
    for middle in range(len(reach)):
        bit, through = 1 << middle, reach[middle]
        reach = [known | through if known & bit else known for known in reach]
    return [
        next((other for other in range(place) if reach[place] >> other & 1 and reach[other] >> place & 1), place)
        for place in range(len(edges))
    ]


def _diverges(chars: list[Ranges], inner: list[list[int]]) -> bool:
    """Whether two different ways over the same text part from a position and meet again in one."""
    similar = _similar(chars)
    masks = [sum(1 << to for to in targets) for targets in inner]
    pending = deque([(place, place) for place, targets in enumerate(inner) if targets])
    seen = set(pending)
    while pending:
        one, two = pending.popleft()
        following = {(left, right) for left in inner[one] for right in _bits(similar[left] & masks[two])}
        if one != two and any(left == right for left, right in following):
            return True
        pending.extend(following - seen)
        seen |= following
        if len(seen) > _MAXIMUM_PAIRS:
            raise Fault("in the regular expression: it is too large to be checked for endless matching")
    return False


def _similar(chars: list[Ranges]) -> list[int]:
    """For each position the positions, as bits, that a common character may lead to."""
    places: dict[Ranges, int] = {}
    for place, ranges in enumerate(chars):
        places[ranges] = places.get(ranges, 0) | 1 << place
    masks = {one: sum(bits for other, bits in places.items() if overlap(one, other)) for one in places}
    return [masks[ranges] for ranges in chars]


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
