# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the action plugins share: where the controller's own Python runs a module, it is run where it is installed.

To run a module, Ansible looks through each of its files, packs them, and lets Python compile them anew: more than all
else that a run without a change does. That is needed where the host has no collection. On the controller, the module
is started from the collection instead, the way Ansible documents for a try by hand: its arguments come as JSON on
standard input (https://docs.ansible.com/ansible/latest/dev_guide/developing_modules_general.html). They stand in no
file then.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import ansible
from ansible import constants
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.plugins.filter.core import to_json
from ansible.utils.display import Display
from ansible.utils.unsafe_proxy import wrap_var

try:
    from ansible.module_utils.common.json import Direction, get_module_decoder
except ImportError:
    # Before ansible-core 2.19, what modules tell is plain JSON.
    _DECODER: type[json.JSONDecoder] = json.JSONDecoder
else:
    # That of a module which is started by hand.
    _DECODER = get_module_decoder("legacy", Direction.MODULE_TO_CONTROLLER)

_LOCAL = "ansible.plugins.connection.local"
START = Path(__file__).with_name("start.py")
SWITCH = "GPAD_IN_PLACE"
_NO = frozenset({"0", "false", "no", "off"})


def is_switched_off(variable: str) -> bool:
    """Return whether a variable of the environment says no."""
    return os.environ.get(variable, "").strip().lower() in _NO


def result_of(told: dict[str, Any]) -> dict[str, Any]:
    """Return the result of a module from what its process left.

    Parameters:
        told: `rc`, `stdout` and `stderr` of the process.

    Returns:
        What the module returned, never to be taken for a template; a failure, if that is not to be found, or if the
        process failed and the module does not say so.
    """
    result = _last_object(told["stdout"])
    if result is not None and (not told["rc"] or result.get("failed")):
        safe: dict[str, Any] = wrap_var(
            {key: value for key, value in result.items() if not key.startswith("_ansible_")}
        )
        return safe
    return {
        "failed": True,
        "msg": f"The module ended with code {told['rc']} and left no result. Look at module_stderr and module_stdout.",
        "rc": told["rc"],
        "module_stdout": told["stdout"],
        "module_stderr": told["stderr"],
    }


def _last_object(output: str) -> dict[str, Any] | None:
    """Return the last line of a module's output that is a JSON object; what a shell says may stand around it."""
    for line in reversed(output.splitlines()):
        try:
            found = json.loads(line, cls=_DECODER)
        except ValueError:
            continue
        if isinstance(found, dict):
            return found
    return None


class InPlaceAction(NormalAction):
    """Runs the module of the same name: where it is installed if that is possible, else as Ansible runs any module."""

    def _execute_module(self, *arguments: Any, **options: Any) -> dict[str, Any]:
        task_vars = options.get("task_vars") or {}
        is_own = not arguments and not options.get("module_name") and options.get("module_args") is None
        if is_own and self._is_in_place(task_vars):
            return self._execute_in_place(task_vars)
        result: dict[str, Any] = super()._execute_module(*arguments, **options)
        return result

    def _is_in_place(self, task_vars: dict[str, Any]) -> bool:
        # A task in the background, or one that runs as another account, needs a file of its own. Who keeps the files
        # of modules wants to look into them. A connection that is made from the local one may lead elsewhere, and the
        # limit is one that packed modules set for themselves.
        return (
            type(self._connection).__module__ == _LOCAL
            and not self._connection.become
            and not self._task.async_val
            and not constants.DEFAULT_KEEP_REMOTE_FILES
            and not constants.config.get_config_value("PYTHON_MODULE_RLIMIT_NOFILE", variables=task_vars)
            and not is_switched_off(SWITCH)
            and self._interpreter(task_vars) == sys.executable
        )

    def _interpreter(self, task_vars: dict[str, Any]) -> Any:
        host = self._task.delegate_to
        facts = task_vars.get("ansible_delegated_vars", {}).get(host, {}) if host else task_vars
        return self._templar.template(facts.get("ansible_python_interpreter", ""))

    def _execute_in_place(self, task_vars: dict[str, Any]) -> dict[str, Any]:
        arguments = dict(self._task.args)
        self._update_module_args(self._task.action, arguments, task_vars)
        # The task may call it by a name that another collection gave to it.
        name = type(self).__module__.rpartition(".")[2]
        given = [name, str(Path(ansible.__file__).parents[1]), constants.ANSIBLE_HOME]
        command = shlex.join([sys.executable, str(START), *given])
        Display().vvv(f"The module is run where it is installed: {command}")
        feed = to_json({"ANSIBLE_MODULE_ARGS": arguments}).encode()
        command = f"{self._compute_environment_string()} {command}".strip()
        told = self._low_level_execute_command(command, sudoable=False, in_data=feed)
        return result_of(told)
