# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A callback of Ansible that appends the action of each task and its seconds, as JSON, to the file TASK_SECONDS."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: task_seconds
type: notification
short_description: Writes how long each task takes
description: Appends the action of each task and its seconds to the file that the variable TASK_SECONDS names.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]  # Ansible has no types
    """Writes how long each task takes."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "task_seconds"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """A task begins."""
        self._action, self._start = task.action, time.monotonic()

    def v2_runner_on_ok(self, result: Any) -> None:
        """A task of a host ended well."""
        with Path(os.environ["TASK_SECONDS"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps([self._action, time.monotonic() - self._start]) + "\n")
