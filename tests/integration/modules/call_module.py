# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one module of the collection as a process of its own; its arguments come as JSON on standard input."""

from __future__ import annotations

import importlib
import sys

from ansible.module_utils import basic

if __name__ == "__main__":
    basic._ANSIBLE_ARGS = sys.stdin.buffer.read()
    # Since ansible-core 2.19 the way in which arguments are serialised has a name.
    basic._ANSIBLE_PROFILE = "legacy"
    module = importlib.import_module(f"ansible_collections.hybrid_identity.gpad.plugins.modules.{sys.argv[1]}")
    module.main()
