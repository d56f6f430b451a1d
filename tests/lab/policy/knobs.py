# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the proxy imposes, and the faults that it plays on request."""

from __future__ import annotations

import random
from dataclasses import dataclass

ACTIONS = ("busy", "unavailable", "refuse", "drop_before", "drop_after", "delay", "gap", "shrink")
KINDS = ("any", "bind", "search", "modify", "add", "delete", "modify_dn")


@dataclass(frozen=True, slots=True)
class Policy:
    """What Windows does; the defaults are those of its query policy (MS-ADTS 3.1.1.3.4.6) and its rules.

    Parameters:
        max_val_range: values of one attribute in an answer.
        max_page_size: entries of one answer.
        max_result_sets: paged searches that one connection may have open.
        max_modify_values: values in one modify; above it adminLimitExceeded.
        lengths: whether attribute lengths are those of the schema, with Windows' result codes.
        nesting: whether groups hold only what their scope allows, and change scope only as allowed.
        permissive_modify: whether that control works for linked attributes.
        tombstones: whether a restore needs the control that shows deleted objects.
        critical_objects: whether deleting a critical object is refused with 53.
        missing_parent: whether a move to a missing parent is refused with 32.
        read_only_dc: whether the controller says that it is a read-only one; it is not.
        invocation_id: a GUID that is shown as the controller's invocationId, as after a restore from a backup.
    """

    max_val_range: int = 1500
    max_page_size: int = 1000
    max_result_sets: int = 10
    max_modify_values: int = 5000
    lengths: bool = True
    nesting: bool = True
    permissive_modify: bool = True
    tombstones: bool = True
    critical_objects: bool = True
    missing_parent: bool = True
    read_only_dc: bool = False
    invocation_id: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong.

    Parameters:
        action: ``busy`` (51), ``unavailable`` (52), ``refuse`` (``code`` and ``message``), ``drop_before`` and
            ``drop_after`` (the connection ends before or after the operation is carried out), ``delay``, ``gap`` (an
            answered range starts later than asked), ``shrink`` (members go away just before the range is read).
        kind: the operations that it strikes.
        skip: how many of them pass first.
        times: how often it strikes; 0 without end.
        every: strike only each n-th.
        probability: of a strike, drawn from ``seed``.
        continuing: only searches that go on with a reading: a later page, or a range that starts above 0.
        values_above: only operations with more values than this.
        base: only operations on a DN that contains this text.
        seconds: of a delay.
        amount: values that a gap or a shrinking takes away.
        code, message: of a refusal.
    """

    action: str
    kind: str = "any"
    skip: int = 0
    times: int = 1
    every: int = 1
    probability: float = 1.0
    seed: int = 0
    continuing: bool = False
    values_above: int = -1
    base: str = ""
    seconds: float = 0.0
    amount: int = 1
    code: int = 53
    message: str = ""

    def __post_init__(self) -> None:
        """Refuse what would never strike.

        Raises:
            ValueError: an unknown action or kind.
        """
        if self.action not in ACTIONS or self.kind not in KINDS:
            raise ValueError(f"action must be one of {ACTIONS} and kind one of {KINDS}")


@dataclass(slots=True)
class Operation:
    """The record of one operation: ``values`` are those of a write, ``entries`` those that a search sent back.

    ``attributes`` are the ones that a search asked for.
    ``result`` is None while it runs and when the connection was dropped before it was answered.
    """

    kind: str
    base: str
    catalog: bool = False
    filter_size: int = 0
    attributes: tuple[str, ...] = ()
    values: int = 0
    entries: int = 0
    continuing: bool = False
    result: int | None = None
    fault: str | None = None


class FaultBook:
    """The faults that are armed, in the order in which they were given."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []

    def arm(self, fault: Fault) -> None:
        """Add a fault."""
        self._armed.append(_Armed(fault))

    def clear(self) -> None:
        """Forget all faults."""
        self._armed.clear()

    def strike(self, operation: Operation) -> Fault | None:
        """Return the first fault that strikes an operation; every fault counts it."""
        struck = [armed.fault for armed in self._armed if armed.strikes(operation)]
        return struck[0] if struck else None


class _Armed:
    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self._seen = 0
        self._struck = 0
        self._random = random.Random(fault.seed)  # noqa: S311 - repeatable, not secret

    def strikes(self, operation: Operation) -> bool:
        fault = self.fault
        if (
            fault.kind not in ("any", operation.kind)
            or (fault.continuing and not operation.continuing)
            or operation.values <= fault.values_above
            or fault.base.lower() not in operation.base.lower()
        ):
            return False
        self._seen += 1
        turn = self._seen - fault.skip
        if turn <= 0 or turn % fault.every or (fault.times and self._struck >= fault.times):
            return False
        if fault.probability < 1 and self._random.random() >= fault.probability:
            return False
        self._struck += 1
        return True
