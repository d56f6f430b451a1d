# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control channel: one JSON object a line, each answered by one."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from typing import Any

from .knobs import Fault, Policy
from .site import Site


async def serve_admin(site: Site, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the calls of one :class:`tests.lab.policy.admin.PolicyAdmin`."""
    try:
        while line := await reader.readline():
            writer.write(json.dumps(_answer(site, json.loads(line))).encode() + b"\n")
            await writer.drain()
    finally:
        writer.close()


def _answer(site: Site, call: Mapping[str, Any]) -> dict[str, Any]:
    if not hmac.compare_digest(str(call.get("key")), site.domain.admin_key):
        return {"error": "the key is wrong"}
    try:
        return {"result": _CALLS[call["call"]](site, call.get("arguments", {}))}
    except (KeyError, TypeError, ValueError) as error:
        return {"error": f"{type(error).__name__}: {error}"}


def _set_policy(site: Site, arguments: dict[str, Any]) -> dict[str, Any]:
    site.policy = replace(site.policy, **arguments)
    return asdict(site.policy)


def _add_fault(site: Site, arguments: dict[str, Any]) -> None:
    site.faults.arm(Fault(**arguments))


def _add_alias(site: Site, arguments: dict[str, Any]) -> None:
    site.aliases[arguments["sid"]] = arguments["shown_as"]


def _reset(site: Site, _arguments: dict[str, Any]) -> None:
    site.policy = Policy()
    site.faults.clear()
    site.aliases.clear()
    site.operations.clear()


def _operations(site: Site, _arguments: dict[str, Any]) -> list[dict[str, Any]]:
    return [asdict(operation) for operation in site.operations]


def _clear_operations(site: Site, _arguments: dict[str, Any]) -> None:
    site.operations.clear()


_CALLS: Mapping[str, Callable[[Site, dict[str, Any]], Any]] = {
    "set_policy": _set_policy,
    "add_fault": _add_fault,
    "add_alias": _add_alias,
    "operations": _operations,
    "clear_operations": _clear_operations,
    "reset": _reset,
}
