# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection of ldap3 that answers from a script and writes down what it was asked."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import ldap3
import pytest
from ldap3.core.exceptions import LDAPSocketOpenError

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory import session as session_module
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.connection import ConnectionSettings
from ansible_collections.hybrid_identity.gpad.plugins.module_utils._directory.session import Session

Result = dict[str, Any]
Answer = tuple[Result, list[dict[str, Any]]]


class Handler(Protocol):
    """Answers an operation."""

    def __call__(self, operation: Operation, /) -> Answer | Result:
        """Return the answer, or its result alone."""


OK: Result = {"result": 0, "description": "success", "message": ""}


def refused(code: int, message: str = "", description: str = "refused") -> Result:
    """Return the result of a refused operation."""
    return {"result": code, "description": description, "message": message}


def page(entries: Iterable[dict[str, Any]], cookie: bytes = b"") -> Answer:
    """Return a page of a search; a cookie says that there is more."""
    controls = {session_module.PAGED_RESULTS: {"value": {"cookie": cookie}}}
    return {**OK, "controls": controls}, list(entries)


def entry(name: str, **attributes: Sequence[bytes | str]) -> dict[str, Any]:
    """Return an entry as ldap3 gives it; an underscore pair in a name stands for a hyphen."""
    raw = {
        key.replace("__", "-"): [value.encode() if isinstance(value, str) else value for value in values]
        for key, values in attributes.items()
    }
    return {"type": "searchResEntry", "dn": name, "raw_attributes": raw}


def with_raw(found: dict[str, Any], raw: Mapping[str, Sequence[bytes]]) -> dict[str, Any]:
    """Return an entry with attribute descriptions that are no Python names."""
    return {**found, "raw_attributes": {**found["raw_attributes"], **raw}}


@dataclass(frozen=True)
class Operation:
    """One call of the connection."""

    kind: str
    arguments: tuple[Any, ...]
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def base(self) -> str:
        """The object that it is about."""
        return str(self.arguments[0])


_CHANGES = ("MODIFY_ADD", "MODIFY_DELETE", "MODIFY_REPLACE")


def _text(value: bytes) -> str | bytes:
    text = value.decode("utf-8", "replace")
    return text if text.isprintable() and text.encode() == value else value


class ScriptedConnection:
    """Answers each operation by asking the handler."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.asked: list[Operation] = []
        self.sent: list[Operation] = []
        self.failures: list[Exception] = []
        self.bind_result: Result = OK
        self.result: Result = OK
        self.response: list[dict[str, Any]] = []
        self.opened: list[str] = []

    def _answer(self, kind: str, *arguments: Any, **options: Any) -> bool:
        operation = Operation(kind, arguments, options)
        self.asked.append(operation)
        if self.failures:
            raise self.failures.pop(0)
        answer = self.handler(operation)
        self.result, self.response = answer if isinstance(answer, tuple) else (answer, [])
        return bool(self.result["result"] == 0)

    def open(self, **_options: Any) -> None:
        """Connect."""
        self.opened.append("open")
        if self.failures and isinstance(self.failures[0], LDAPSocketOpenError):
            raise self.failures.pop(0)

    def start_tls(self, **_options: Any) -> None:
        """Encrypt."""
        self.opened.append("start_tls")

    def bind(self, **_options: Any) -> bool:
        """Log on."""
        self.opened.append("bind")
        self.result = self.bind_result
        return bool(self.result["result"] == 0)

    def unbind(self) -> None:
        """Log off."""
        self.opened.append("unbind")
        if self.failures:
            raise self.failures.pop(0)

    def search(self, *arguments: Any, **options: Any) -> Any:
        """Search."""
        return self._answer("search", *arguments, **options)

    def add(self, *arguments: Any, **options: Any) -> Any:
        """Add."""
        return self._answer("add", *arguments, **options)

    def send(self, kind: str, request: Any, controls: Any) -> Any:
        """Modify: the one request that is made before it is sent."""
        assert kind == "modifyRequest"
        changes: dict[str, list[tuple[str, list[str | bytes]]]] = {}
        for change in request["changes"]:
            modification = change["modification"]
            values = [_text(bytes(value)) for value in modification["vals"]]
            changes.setdefault(str(modification["type"]), []).append((_CHANGES[int(change["operation"])], values))
        options = {"controls": controls} if controls else {}
        self.sent.append(Operation("modify", (str(request["object"]), changes), options))
        return len(self.sent)

    def post_send_single_response(self, message: int) -> None:
        """Wait for the answer to what was sent."""
        operation = self.sent[message - 1]
        self._answer(operation.kind, *operation.arguments, **operation.options)

    def modify_dn(self, *arguments: Any, **options: Any) -> Any:
        """Rename."""
        return self._answer("modify_dn", *arguments, **options)

    def delete(self, *arguments: Any, **options: Any) -> Any:
        """Delete."""
        return self._answer("delete", *arguments, **options)


def connect(
    patch: pytest.MonkeyPatch, connection: ScriptedConnection, settings: ConnectionSettings | None = None
) -> Session:
    """Return a session over a scripted connection; waiting takes no time."""
    patch.setattr(ldap3, "Connection", lambda *_a, **_o: connection)
    patch.setattr(time, "sleep", lambda _seconds: None)
    return Session.opened(settings or ConnectionSettings("dc1.contoso.com", "svc@contoso.com", "Pa$$w0rd"))
