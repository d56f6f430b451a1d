# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one module of the collection as a process of its own; its arguments come as JSON on standard input.

The environment variable TEST_HOSTS may hold addresses by name, as JSON, for the names that no resolver knows.
"""

from __future__ import annotations

import importlib
import json
import os
import socket
import sys
from typing import Any

from ansible.module_utils import basic


def resolve_also(addresses: dict[str, str]) -> None:
    """Let some names lead to addresses in this process."""
    usual = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        return usual(addresses.get(host, host), *arguments, **options)

    socket.getaddrinfo = getaddrinfo


def run_here(module: str, arguments: bytes) -> None:
    """Run a module in this process, which ends with it."""
    resolve_also(json.loads(os.environ.get("TEST_HOSTS", "{}")))
    basic._ANSIBLE_ARGS = arguments
    # Since ansible-core 2.19 the way in which arguments are serialised has a name.
    basic._ANSIBLE_PROFILE = "legacy"
    sys.argv = [module]
    importlib.import_module(f"ansible_collections.hybrid_identity.gpad.plugins.modules.{module}").main()


def perform(order: dict[str, Any]) -> None:
    """Run the module of an order in this process, which was forked for it."""
    run_here(order["module"], json.dumps(order["arguments"]).encode())


if __name__ == "__main__":
    run_here(sys.argv[1], sys.stdin.buffer.read())
