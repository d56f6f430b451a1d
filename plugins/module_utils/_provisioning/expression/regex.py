# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
""".NET regular expressions on Python's engine: translation, matching, replacement."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression import charsets
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.engine import (
    Engine,
    Matcher,
    StandardEngine,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.errors import Fault
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.regex_ambiguity import (
    Cost,
    cost_of,
)
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.expression.regex_parser import (
    parse_regex,
)
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
    width,
)

MAXIMUM_TEXT = 10_000
"""Characters of a text that any regular expression is tried on."""

_MAXIMUM_STEPS = 1e8
_MAXIMUM_PATTERN = 500_000
_SUBSTITUTION = re.compile(r"\$(?:(?P<number>[0-9]+)|\{(?P<name>\w+)\}|(?P<sign>[$&`'+_]))")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A translated .NET regular expression."""

    python: Matcher
    groups: Mapping[str, tuple[int, ...]]
    cost: Cost
    bounded: bool = False

    def matches(self, text: str) -> Iterator[re.Match[str]]:
        """All matches in the text, from left to right.

        :raises Fault: for a text so long that matching might not end in reasonable time.
        """
        endless = not self.bounded and self.cost.steps(len(text)) > _MAXIMUM_STEPS
        if len(text) > MAXIMUM_TEXT or endless:
            raise Fault(f"a text of {len(text)} characters is too long for this regular expression")
        place = 0
        while place <= len(text) and (match := self._search(text, place)):
            yield match
            # After an empty match .NET goes on one character further; Python would try a longer one at the same place.
            place = match.end() + (match.start() == match.end())

    def _search(self, text: str, place: int) -> re.Match[str] | None:
        try:
            return self.python.search(text, place)
        except TimeoutError:
            raise Fault("the regular expression takes too long on this text") from None

    def span(self, match: re.Match[str], group: str) -> tuple[int, int] | None:
        """Where a group matched, None if it took no part. Of several groups of one name the last one counts."""
        spans = [match.span(slot) for slot in self.groups[group] if match.start(slot) >= 0]
        return max(spans, key=lambda span: span[1], default=None)

    def replace(self, text: str, replacement: str) -> str:
        """.NET's Regex.Replace with its substitutions: ``$1 ${name} $$ $& $` $' $+ $_``; others stand for themselves.

        :raises Fault: as :meth:`matches`.
        """
        parts = _substitutions(replacement)

        def expanded(match: re.Match[str]) -> str:
            return "".join([part if isinstance(part, str) else self._substituted(part, match) for part in parts])

        return _spliced(text, [(*match.span(), expanded(match)) for match in self.matches(text)])

    def replace_group(self, text: str, group: str, replacement: str) -> str:
        """The text with what a group captured replaced, literally, in every match; the rest of the match stays.

        :raises Fault: as :meth:`matches`.
        """
        spans = [self.span(match, group) for match in self.matches(text)]
        return _spliced(text, [(*span, replacement) for span in spans if span is not None])

    def extract(self, text: str, group: str) -> str | None:
        """What a group captured in the first match, None if there is none.

        :raises Fault: as :meth:`matches`.
        """
        match = next(self.matches(text), None)
        span = self.span(match, group) if match else None
        return text[span[0] : span[1]] if span else None

    def _substituted(self, part: re.Match[str], match: re.Match[str]) -> str:
        if part["sign"]:
            return self._sign(part["sign"], match)
        group = part["name"] or str(int(part["number"]))
        if group not in self.groups:
            return part[0]
        span = self.span(match, group)
        return match.string[span[0] : span[1]] if span else ""

    def _sign(self, sign: str, match: re.Match[str]) -> str:
        if sign == "+":
            last = str(max([int(name) for name in self.groups if name.isdigit()]))
            span = self.span(match, last)
            return match.string[span[0] : span[1]] if span else ""
        return {
            "$": "$",
            "&": match[0],
            "_": match.string,
            "`": match.string[: match.start()],
            "'": match.string[match.end() :],
        }[sign]


class _Chosen:
    """The engine in use; the shell chooses it once, before any expression is parsed."""

    engine: Engine = StandardEngine()


def use_engine(engine: Engine) -> None:
    """Match with another engine from now on."""
    _Chosen.engine = engine
    _compiled.cache_clear()


def compile_pattern(text: str) -> Pattern:
    """A .NET regular expression without options.

    :raises Fault: with the character's index, for what .NET refuses, what the engine cannot do, and what may take
        forever.
    """
    return _compiled(text)


@lru_cache(maxsize=256)
def _compiled(text: str) -> Pattern:
    engine = _Chosen.engine
    parsed = parse_regex(text)
    cost = cost_of(parsed.tree)
    python = _emitter(parsed.groups, engine)(parsed.tree)
    if len(python) > _MAXIMUM_PATTERN:
        raise Fault("in the regular expression: it is too large")
    try:
        return Pattern(engine.compile(python), parsed.groups, cost, engine.bounded)
    except ValueError as error:
        raise Fault(f"in the regular expression: it cannot be translated: {error}") from error


@lru_cache(maxsize=128)
def _substitutions(replacement: str) -> tuple[str | re.Match[str], ...]:
    parts: list[str | re.Match[str]] = []
    place = 0
    for match in _SUBSTITUTION.finditer(replacement):
        parts += [replacement[place : match.start()], match]
        place = match.end()
    return (*parts, replacement[place:])


def _spliced(text: str, pieces: list[tuple[int, int, str]]) -> str:
    out = []
    place = 0
    for start, end, piece in pieces:
        out += [text[place:start], piece]
        place = end
    return "".join([*out, text[place:]])


def _emitter(groups: Mapping[str, tuple[int, ...]], engine: Engine) -> Callable[[Regex], str]:
    """A function from tree to Python pattern."""

    def slot(name: str, offset: int) -> int:
        slots = groups.get(name, ())
        if name == "0" or len(slots) != 1:
            many = "is used more than once" if slots else "does not exist"
            raise Fault(f"in the regular expression: the group {name!r} {many}", index=offset)
        return slots[0]

    def emit(node: Regex) -> str:
        match node:
            case Chars(ranges=ranges):
                return charsets.pattern(ranges)
            case Sequence(items=items):
                return "".join([emit(item) for item in items]) or "(?:)"
            case Alternation(options=options):
                return f"(?:{'|'.join([emit(option) for option in options])})"
            case Capture(body=body):
                return f"({emit(body)})"
            case Atomic(body=body, slot=own):
                return f"(?:(?=({emit(body)}))(?:\\{own}))"
            case Repeat(body=body, least=least, most=most, lazy=lazy):
                return f"(?:{emit(body)}){_quantifier(least, most)}{'?' if lazy else ''}"
            case Anchor(python=python):
                return python
            case Look():
                return _look(node, emit, engine)
            case Reference(group=group, ignore_case=ignore_case, offset=offset):
                return f"(?{'i' if ignore_case else ''}:\\{slot(group, offset)})"
            case Conditional(group=group, yes=yes, no=no, offset=offset):
                return f"(?({slot(group, offset)}){emit(yes)}|{emit(no)})"

    return emit


def _quantifier(least: int, most: int | None) -> str:
    signs = {(0, None): "*", (1, None): "+", (0, 1): "?"}
    return signs.get((least, most)) or f"{{{least},{'' if most is None else most}}}"


def _look(node: Look, emit: Callable[[Regex], str], engine: Engine) -> str:
    if node.ahead:
        return f"(?{'!' if node.negative else '='}{emit(node.body)})"
    options = node.body.options if isinstance(node.body, Alternation) else (node.body,)
    if not engine.variable_look_behind and any(width(option) is None for option in options):
        raise Fault("in the regular expression: a look-behind must have a fixed length here", index=node.offset)
    sign = "!" if node.negative else "="
    looks = [f"(?<{sign}{emit(option)})" for option in options]
    return "".join(looks) if node.negative else f"(?:{'|'.join(looks)})"
