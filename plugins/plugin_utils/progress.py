# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the action plugins share: a module runs as ever, and a thread shows how far it is."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from ansible import constants
from ansible.utils.display import Display

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.progress import (
    PATH_VARIABLE,
    Pace,
    progress_of,
)
from ansible_collections.hybrid_identity.gpad.plugins.plugin_utils.in_place import InPlaceAction, is_switched_off

# Work that is over before is not told of.
PATIENCE = 5.0
# A little less than the five seconds that are promised.
INTERVAL = 4.5
_TICK = 1.0

# Asked when this file is loaded, which strategies do before they fork: the workers of newer cores have no terminal.
ON_TERMINAL = os.isatty(1)


class Watch:
    """Reads how far a module is and says when it is time to tell.

    Parameters:
        name: what the line begins with.
        path: the file that the module writes.
        start: when it started, in seconds.
    """

    def __init__(self, name: str, path: Path, start: float) -> None:
        self._name, self._path = name, path
        self._pace = Pace(start)
        self.due = start + PATIENCE

    def look(self, now: float) -> str | None:
        """Read the file; return the line to show, or None where it is not time yet."""
        try:
            told = progress_of(self._path.read_text(encoding="ascii"))
        except (OSError, UnicodeDecodeError):
            told = None
        self._pace.note(told, now)
        if now < self.due:
            return None
        self.due = now + INTERVAL
        return f"{self._name}: {self._pace.sentence(now)}"


def _show(watch: Watch, ended: threading.Event) -> None:
    while not ended.wait(max(0.0, min(_TICK, watch.due - monotonic()))):
        line = watch.look(monotonic())
        if line is not None:
            # The log file is for what happened.
            Display().display(line, screen_only=True)


@contextmanager
def _told(name: str, path: Path) -> Iterator[None]:
    """Show what stands in a file, for as long as the block lasts."""
    ended = threading.Event()
    thread = threading.Thread(target=_show, args=(Watch(name, path, monotonic()), ended), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def _private_folder() -> Iterator[Path]:
    """Give a folder below ansible's own, which ansible removes at its end whatever became of this process."""
    with TemporaryDirectory(prefix="gpad-", dir=constants.DEFAULT_LOCAL_TMP, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


class ProgressAction(InPlaceAction):
    """Runs the module of the same name, and shows how far it is."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Run the module and return its result."""
        with ExitStack() as stack:
            if self._is_shown():
                # Without room for the file or the thread there is nothing to show, and no reason to fail.
                with suppress(OSError, RuntimeError):
                    folder = stack.enter_context(_private_folder())
                    self._ask(folder / "progress", task_vars or {}, stack)
            result: dict[str, Any] = super().run(tmp, task_vars)
            return result

    def _is_shown(self) -> bool:
        # A task in the background outlives this plugin, and a module on another host writes its files there.
        return (
            ON_TERMINAL
            and "CI" not in os.environ
            and not is_switched_off("GPAD_PROGRESS")
            and self._connection.transport == "local"
            and not self._task.async_val
            and not self._task.no_log
        )

    def _ask(self, path: Path, task_vars: dict[str, Any], stack: ExitStack) -> None:
        """Ask the module by its environment to tell how far it is, and show that until the stack is closed."""
        module = str(self._task.action).rpartition(".")[2]
        stack.enter_context(_told(f"{module} {task_vars.get('inventory_hostname', '')}".strip(), path))
        given = self._task.environment
        # The task is run again when it is retried, so that it must not keep this.
        stack.callback(setattr, self._task, "environment", given)
        self._task.environment = [*(given if isinstance(given, list) else [given]), {PATH_VARIABLE: str(path)}]
