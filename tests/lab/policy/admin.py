# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy's control channel as tests use it."""

from __future__ import annotations

import json
import socket
from types import TracebackType
from typing import Any

from tests.lab.settings import PolicySettings

from .knobs import Operation

TIMEOUT = 30.0


class PolicyAdminError(Exception):
    """The proxy refused a call; the text is its own."""


class PolicyAdmin:
    """Turns the knobs of one domain's policy, arms faults, and reads what the clients did."""

    def __init__(self, settings: PolicySettings) -> None:
        self._key = settings.admin_key
        self._socket = socket.create_connection((settings.address, settings.admin_port), timeout=TIMEOUT)
        self._stream = self._socket.makefile("rwb")

    def __enter__(self) -> PolicyAdmin:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._stream.close()
        self._socket.close()

    def set_policy(self, **knobs: int | bool | str) -> dict[str, Any]:
        """Change knobs of :class:`tests.lab.policy.knobs.Policy`; return all of them.

        Raises:
            PolicyAdminError: there is no such knob.
        """
        policy: dict[str, Any] = self.call("set_policy", knobs)
        return policy

    def add_fault(self, action: str, **conditions: Any) -> None:
        """Arm a :class:`tests.lab.policy.knobs.Fault`.

        Raises:
            PolicyAdminError: there is no such action, kind or condition.
        """
        self.call("add_fault", {"action": action, **conditions})

    def add_alias(self, sid: str, shown_as: str) -> None:
        """Show links to the object with one SID as links to the object with another, as after a move of domains."""
        self.call("add_alias", {"sid": sid, "shown_as": shown_as})

    def operations(self, kind: str | None = None) -> list[Operation]:
        """Return what was recorded since the last reset, oldest first."""
        answers = self.call("operations", {})
        recorded = (Operation(**{**values, "attributes": tuple(values["attributes"])}) for values in answers)
        return [operation for operation in recorded if kind in (None, operation.kind)]

    def clear_operations(self) -> None:
        """Forget the record."""
        self.call("clear_operations", {})

    def reset(self) -> None:
        """Go back to Windows' defaults, without faults, aliases and records."""
        self.call("reset", {})

    def call(self, call: str, arguments: dict[str, Any]) -> Any:
        """Make any call by its name and return what the proxy answers, as JSON values.

        Raises:
            PolicyAdminError: there is no such call, or it does not take these arguments.
        """
        self._stream.write(json.dumps({"key": self._key, "call": call, "arguments": arguments}).encode() + b"\n")
        self._stream.flush()
        answer = json.loads(self._stream.readline())
        if "error" in answer:
            raise PolicyAdminError(answer["error"])
        return answer["result"]
