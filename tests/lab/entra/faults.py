# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripted faults: which requests fail, how often, and in which way."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

# What a rule may do and which of it also works on an item of a batch.
ACTIONS: Mapping[str, bool] = {
    "status": True,
    "foreign_link": True,
    "drop_tail": True,
    "loop_link": True,
    "truncate": False,
    "splice": False,
    "disconnect": False,
    "reset": False,
    "hang": False,
    "slow_body": False,
}
_SPLICED = '{"error":{"code":"InternalServerError","message":"The property has a null value, which is not allowed."}}'


@dataclass(slots=True)
class Rule:
    """One fault: after ``skip`` matching requests the next ``times`` (0: all) fail, each with ``probability``."""

    action: str
    method: str
    path: re.Pattern[str]
    skip: int
    times: int
    probability: float
    options: Mapping[str, Any]
    random: random.Random
    seen: int = 0
    fired: int = 0

    def strikes(self, method: str, target: str, *, in_batch: bool) -> bool:
        if (in_batch and not ACTIONS[self.action]) or (self.method not in ("*", method)):
            return False
        if self.path.search(target) is None:
            return False
        self.seen += 1
        if self.seen <= self.skip or (self.times and self.fired >= self.times):
            return False
        if self.random.random() >= self.probability:
            return False
        self.fired += 1
        return True


@dataclass(slots=True)
class Faults:
    rules: list[Rule] = field(default_factory=list)

    def add(
        self,
        action: str,
        *,
        path: str = "",
        method: str = "*",
        skip: int = 0,
        times: int = 1,
        probability: float = 1.0,
        seed: int = 0,
        **options: Any,
    ) -> None:
        """Add a rule.

        Raises ValueError on an unknown action or option, re.error on a bad pattern.
        """
        if action not in ACTIONS:
            raise ValueError(f"unknown fault {action!r}; there are {', '.join(ACTIONS)}")
        allowed = {
            "status": {"status", "body", "headers"},
            "hang": {"seconds"},
            "slow_body": {"seconds"},
            "drop_tail": {"items"},
            "foreign_link": {"host"},
        }
        unknown = set(options) - allowed.get(action, set())
        if unknown:
            raise ValueError(f"fault {action} does not take {', '.join(sorted(unknown))}")
        pattern = re.compile(path, re.IGNORECASE)
        source = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self.rules.append(Rule(action, method.upper(), pattern, skip, times, probability, options, source))

    def find(self, method: str, target: str, *, in_batch: bool = False) -> Rule | None:
        return next((rule for rule in self.rules if rule.strikes(method, target, in_batch=in_batch)), None)


def _links(body: dict[str, Any], change: Callable[[str], str]) -> dict[str, Any]:
    return {
        name: change(value) if name in ("@odata.nextLink", "@odata.deltaLink") else value
        for name, value in body.items()
    }


def change_body(rule: Rule, body: Any, url: str) -> Any:
    """Apply a fault that leaves JSON behind: a foreign link, a link to the same page, a page without its tail."""
    if not isinstance(body, dict):
        return body
    if rule.action == "foreign_link":
        host = rule.options.get("host", "graph.example.net")
        return _links(body, lambda value: urlunsplit(urlsplit(value)._replace(netloc=host)))
    if rule.action == "loop_link":
        kept = {name: value for name, value in body.items() if name != "@odata.deltaLink"}
        return {**kept, "@odata.nextLink": url}
    if rule.action == "drop_tail" and isinstance(body.get("value"), list):
        return {**body, "value": body["value"][: -rule.options.get("items", 1)]}
    return body


def change_text(rule: Rule, payload: bytes) -> bytes:
    """Apply a fault that breaks the JSON of a 200: cut it, or splice an error object into its middle."""
    middle = len(payload) // 2
    if rule.action == "truncate":
        return payload[:middle]
    if rule.action == "splice":
        return payload[:middle] + _SPLICED.encode()
    return payload


def scripted_body(rule: Rule) -> Any:
    """The body of a ``status`` fault, an error envelope unless one is given."""
    given = rule.options.get("body")
    if given is not None:
        return json.loads(given) if isinstance(given, str) else given
    codes = {401: "InvalidAuthenticationToken", 429: "TooManyRequests", 503: "serviceNotAvailable"}
    status = rule.options.get("status", 503)
    return {
        "error": {
            "code": codes.get(status, "UnknownError"),
            "message": "Scripted fault.",
            "innerError": {"date": "2026-01-01T00:00:00"},
        }
    }
