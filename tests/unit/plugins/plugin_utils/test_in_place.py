# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module is run where it is installed if the controller's own Python runs it, else as Ansible runs any module."""

from __future__ import annotations

import json
import os
import shlex
import stat
import subprocess
import sys
from importlib.util import module_from_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ansible
import pytest
from ansible import constants
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.template import Templar

from ansible_collections.hybrid_identity.gpad.plugins.plugin_utils import in_place, start
from ansible_collections.hybrid_identity.gpad.plugins.plugin_utils.in_place import InPlaceAction, result_of

HERE = {"ansible_python_interpreter": sys.executable}
ELSEWHERE = {"ansible_python_interpreter": "/usr/bin/another"}
PACKED = {"outcome": "packed"}
REFUSED = {
    "gather": ["preflight"],
    "domain_server": "dc1.invalid",
    "domain_username": "svc",
    "domain_password": "never sent",
    "managed_containers": ["OU=Groups,DC=contoso,DC=com"],
}
# What Python may be told of it by the environment that the tests run in.
BYTECODE = {"PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE"}
ANSIBLE = str(Path(ansible.__file__).parents[1])


def connection_of(plugin: str, become: object = None) -> Any:
    """Return a connection made by a plugin of ansible-core."""
    kind = type("Connection", (SimpleNamespace,), {"__module__": f"ansible.plugins.connection.{plugin}"})
    return kind(transport=plugin, become=become)


class Action(InPlaceAction):
    """The plugin of gpad_info, whose process is not started."""

    __module__ = "ansible_collections.hybrid_identity.gpad.plugins.action.gpad_info"

    def __init__(self, connection: Any = None, **task: Any) -> None:
        given = {"action": "hybrid_identity.gpad.gpad_info", "args": {"snapshot": "/s"}, "async_val": 0}
        self._task = SimpleNamespace(**{**given, "delegate_to": None, **task})
        self._connection = connection or connection_of("local")
        self._templar = Templar(loader=DataLoader(), variables={"ansible_playbook_python": sys.executable})
        self.started: list[tuple[str, Any]] = []

    def _update_module_args(self, module_name: str, module_args: dict[str, Any], task_vars: object) -> None:
        module_args["_ansible_check_mode"] = True

    def _compute_environment_string(self) -> str:
        return "A=1"

    def _low_level_execute_command(self, command: str, *, sudoable: bool, in_data: bytes) -> dict[str, Any]:
        self.started.append((command, json.loads(in_data)))
        return {"rc": 0, "stdout": json.dumps({"outcome": "in place"}), "stderr": ""}


@pytest.fixture(autouse=True)
def no_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ansible's own way only says that it was taken."""
    monkeypatch.setattr(NormalAction, "_execute_module", lambda *_arguments, **_options: PACKED)
    monkeypatch.delenv(in_place.SWITCH, raising=False)


def outcome(action: Action, task_vars: dict[str, Any]) -> Any:
    return action._execute_module(task_vars=task_vars, wrap_async=False)["outcome"]


def test_arguments_go_to_the_module_on_standard_input() -> None:
    action = Action()
    assert outcome(action, HERE) == "in place"
    ((command, given),) = action.started
    environment, *words = shlex.split(command)
    assert environment == "A=1"
    bytecode = str(Path(constants.ANSIBLE_HOME, "hybrid_identity.gpad", "bytecode"))
    assert words == [sys.executable, str(in_place.START), "gpad_info", ANSIBLE, bytecode]
    assert given == {"ANSIBLE_MODULE_ARGS": {"snapshot": "/s", "_ansible_check_mode": True}}
    assert action._task.args == {"snapshot": "/s"}, "a task is run again when it is retried"


def test_the_interpreter_may_be_a_template() -> None:
    assert outcome(Action(), {"ansible_python_interpreter": trusted("{{ ansible_playbook_python }}")}) == "in place"


def trusted(text: str) -> str:
    """Return a text that newer cores take for a template."""
    try:
        from ansible.template import trust_as_template
    except ImportError:
        return text
    result: str = trust_as_template(text)
    return result


@pytest.mark.parametrize(
    ("action", "task_vars"),
    [
        (Action(connection_of("ssh")), HERE),
        (Action(SimpleNamespace(transport="local", become=None)), HERE),
        (Action(connection_of("local", become=object())), HERE),
        (Action(async_val=60), HERE),
        (Action(), ELSEWHERE),
        (Action(), {}),
        (Action(delegate_to="b"), {**HERE, "ansible_delegated_vars": {"b": ELSEWHERE}}),
        (Action(delegate_to="b"), HERE),
    ],
    ids=[
        "ssh",
        "made from local",
        "become",
        "async",
        "other Python",
        "Python to be found",
        "delegated",
        "delegated, nothing known",
    ],
)
def test_otherwise_it_is_packed(action: Action, task_vars: dict[str, Any]) -> None:
    assert outcome(action, task_vars) == "packed"
    assert action.started == []


def test_a_host_that_it_is_delegated_to_counts() -> None:
    assert outcome(Action(delegate_to="b"), {**ELSEWHERE, "ansible_delegated_vars": {"b": HERE}}) == "in place"


@pytest.mark.parametrize("word", ["0", "no", "Off", "false "])
def test_it_can_be_switched_off(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv(in_place.SWITCH, word)
    assert outcome(Action(), HERE) == "packed"


def test_a_limit_of_open_files_is_set_by_packed_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANSIBLE_PYTHON_MODULE_RLIMIT_NOFILE", "100")
    assert outcome(Action(), HERE) == "packed"


def test_another_module_is_not_mistaken_for_the_own_one() -> None:
    action = Action()
    assert action._execute_module(module_name="ansible.legacy.stat", module_args={}, task_vars=HERE) == PACKED
    assert action.started == []


def test_a_task_may_use_a_name_that_leads_to_the_module() -> None:
    action = Action(action="corporate.identity.groups")
    assert outcome(action, HERE) == "in place"
    assert "gpad_info" in action.started[0][0] and "corporate" not in action.started[0][0]


def test_files_that_are_kept_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DEFAULT_KEEP_REMOTE_FILES", True)
    assert outcome(Action(), HERE) == "packed"


def test_the_result_is_the_last_object_of_the_output() -> None:
    lines = ["A profile of the shell says hello.", "[1]", '{"changed": true, "_ansible_x": 1}', "", "Bye: {"]
    assert result_of({"rc": 0, "stdout": "\n".join(lines), "stderr": ""}) == {"changed": True}


def test_a_result_is_never_a_template() -> None:
    text = "{{ 40 + 2 }}"
    result = result_of({"rc": 0, "stdout": json.dumps({"msg": text, "groups": [{"name": text}]}), "stderr": ""})
    templar = Templar(loader=DataLoader(), variables={})
    assert (templar.template(result["msg"]), templar.template(result["groups"])) == (text, [{"name": text}])
    assert str(templar.template(trusted(text))) == "42", "it would be one"


def test_a_process_that_failed_has_no_success_to_tell() -> None:
    told = {"rc": -9, "stdout": '{"changed": false}\n{"changed": tr', "stderr": ""}
    assert result_of(told)["failed"] is True
    told = {"rc": 1, "stdout": '{"failed": true, "msg": "No."}', "stderr": ""}
    assert result_of(told) == {"failed": True, "msg": "No."}


def test_a_process_without_a_result_is_a_failure() -> None:
    told = {"rc": -9, "stdout": '{"changed": tr', "stderr": "Killed"}
    assert result_of(told) == {
        "failed": True,
        "msg": "The module ended with code -9 and left no result. Look at module_stderr and module_stdout.",
        "rc": -9,
        "module_stdout": '{"changed": tr',
        "module_stderr": "Killed",
    }


@pytest.mark.parametrize("is_safe", [False, True], ids=["", "safe path"])
def test_a_module_is_found_beside_an_installed_collection_of_others(tmp_path: Path, is_safe: bool) -> None:
    for name in ("ansible_collections", "ansible"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    (tmp_path / "ldap3.py").write_text("raise ImportError('that of PYTHONPATH')", encoding="utf-8")
    path = {"PYTHONPATH": str(tmp_path), **({"PYTHONSAFEPATH": "1"} if is_safe else {})}
    result = started(tmp_path, tmp_path / "bytecode", **path)
    assert result["failed"] and "(ldap3)" in result["msg"], "what PYTHONPATH names is found first"


def started(folder: Path, bytecode: Path, **environment: str) -> dict[str, Any]:
    """Return what a call is refused with; it leaves the installed collection as it is."""
    ended = subprocess.run(
        [sys.executable, in_place.START, "gpad_info", ANSIBLE, str(bytecode)],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": REFUSED}).encode(),
        env={**{name: value for name, value in os.environ.items() if name not in BYTECODE}, **environment},
        cwd=folder,
        capture_output=True,
        check=False,
    )
    result: dict[str, Any] = json.loads(ended.stdout)
    assert not list(in_place.START.parents[1].rglob("__pycache__"))
    return result


def compiled(folder: Path) -> set[str]:
    return {path.name.partition(".")[0] for path in folder.rglob("*.pyc")}


def test_the_collection_and_nothing_else_is_compiled_once(tmp_path: Path) -> None:
    bytecode = tmp_path / "home" / "bytecode"
    first = started(tmp_path, bytecode)
    assert {"gpad_info", "session", "inspecting"} <= compiled(bytecode)
    assert not {"basic", "ldap3", "json"} & compiled(bytecode)
    assert stat.S_IMODE(bytecode.stat().st_mode) == 0o700
    times = {path: path.stat().st_mtime_ns for path in bytecode.rglob("*.pyc")}
    assert started(tmp_path, bytecode) == first
    assert {path: path.stat().st_mtime_ns for path in bytecode.rglob("*.pyc")} == times


@pytest.mark.parametrize("variable", ["PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"])
def test_what_python_is_told_of_bytecode_goes_first(tmp_path: Path, variable: str) -> None:
    started(tmp_path, tmp_path / "bytecode", **{variable: str(tmp_path / "elsewhere")})
    assert not (tmp_path / "bytecode").exists()
    assert ("session" in compiled(tmp_path / "elsewhere")) is (variable == "PYTHONPYCACHEPREFIX")


def test_a_folder_that_others_may_write_to_is_not_used(tmp_path: Path) -> None:
    open_one, link, file = tmp_path / "open", tmp_path / "link", tmp_path / "file"
    open_one.mkdir()
    open_one.chmod(0o770)
    link.symlink_to(open_one)
    file.touch()
    for folder in (open_one, link, file):
        started(tmp_path, folder)
    assert not list(open_one.iterdir())


def loaded(finder: Any) -> Any:
    spec = finder.find_spec("sample")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_code_that_changed_is_compiled_anew_whatever_the_time_of_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path_hooks", sys.path_hooks.copy())
    monkeypatch.setattr(sys, "pycache_prefix", None)
    source = tmp_path / "root" / "sample.py"
    source.parent.mkdir()
    start.keep_bytecode(source.parent, str(tmp_path / "bytecode"))
    finder = sys.path_hooks[0](str(source.parent))
    with pytest.raises(ImportError):
        sys.path_hooks[0](str(tmp_path))
    for text in ("x = 1", "x = 2"):
        source.write_text(text, encoding="utf-8")
        os.utime(source, (0, 0))
        for _time in range(2):
            assert f"x = {loaded(finder).x}" == text
    assert compiled(tmp_path / "bytecode") == {"sample"}
    assert (sys.pycache_prefix, sys.dont_write_bytecode) == (None, sys.flags.dont_write_bytecode == 1)


def test_without_a_place_for_bytecode_a_module_runs_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path_hooks", sys.path_hooks.copy())
    source = tmp_path / "root" / "sample.py"
    source.parent.mkdir()
    source.write_text("x = 1", encoding="utf-8")
    start.keep_bytecode(source.parent, str(tmp_path / "bytecode"))
    (tmp_path / "bytecode").rmdir()
    (tmp_path / "bytecode").touch()
    assert loaded(sys.path_hooks[0](str(source.parent))).x == 1
