# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module is run where it is installed if the controller's own Python runs it, else as Ansible runs any module."""

from __future__ import annotations

import errno
import json
import marshal
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
    assert words == [sys.executable, str(in_place.START), "gpad_info", ANSIBLE, constants.ANSIBLE_HOME]
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
    result = started(tmp_path, tmp_path / "home", **path)
    assert result["failed"] and "(ldap3)" in result["msg"], "what PYTHONPATH names is found first"


def started(folder: Path, home: Path, **environment: str) -> dict[str, Any]:
    """Return what a call is refused with; it leaves the installed collection as it is."""
    ended = subprocess.run(
        [sys.executable, in_place.START, "gpad_info", ANSIBLE, str(home)],
        input=json.dumps({"ANSIBLE_MODULE_ARGS": REFUSED}).encode(),
        env={**{name: value for name, value in os.environ.items() if name not in BYTECODE}, **environment},
        cwd=folder,
        capture_output=True,
        check=False,
    )
    result: dict[str, Any] = json.loads(ended.stdout)
    assert not list(in_place.START.parents[1].rglob("__pycache__"))
    return result


def compiled(folder: Path) -> dict[str, Path]:
    return {path.name.partition(".")[0]: path for path in folder.rglob("*") if path.is_file()}


def test_the_collection_and_nothing_else_is_compiled_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    first = started(tmp_path, home)
    kept = compiled(home)
    assert {"gpad_info", "session", "inspecting"} <= kept.keys()
    assert not {"basic", "ldap3", "json"} & kept.keys()
    assert stat.S_IMODE((home / start.KEPT_IN).stat().st_mode) == 0o700
    times = {path: path.stat().st_mtime_ns for path in kept.values()}
    assert started(tmp_path, home) == first
    assert {path: path.stat().st_mtime_ns for path in compiled(home).values()} == times


@pytest.mark.parametrize("variable", ["PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"])
def test_what_python_is_told_of_bytecode_goes_first(tmp_path: Path, variable: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    started(tmp_path, home, **{variable: str(tmp_path / "elsewhere")})
    assert not list(home.iterdir())
    assert ("session" in compiled(tmp_path / "elsewhere")) is (variable == "PYTHONPYCACHEPREFIX")


def test_a_folder_is_private_or_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert start.private_folder(tmp_path / "missing") is None
    folder = tmp_path / start.KEPT_IN
    assert start.private_folder(tmp_path) == folder
    assert start.private_folder(tmp_path) == folder
    for of, mode in ((folder, 0o770), (folder, 0o704), (tmp_path, 0o775), (tmp_path, 0o702)):
        before = of.stat().st_mode
        of.chmod(mode)
        assert start.private_folder(tmp_path) is None, f"{of} {mode:o}"
        of.chmod(before)
    folder.chmod(0o2700)
    assert start.private_folder(tmp_path) == folder
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert start.private_folder(tmp_path) is None


@pytest.mark.parametrize("kind", ["link", "file"])
def test_what_is_no_folder_is_not_used(tmp_path: Path, kind: str) -> None:
    other, folder = tmp_path / "other", tmp_path / start.KEPT_IN
    other.mkdir(0o700)
    folder.symlink_to(other) if kind == "link" else folder.touch(0o600)
    assert start.private_folder(tmp_path) is None


def test_nothing_is_made_in_the_home_of_another_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert start.private_folder(tmp_path) is None
    assert not list(tmp_path.iterdir())


class Kept:
    """A file of a collection whose bytecode is kept."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(sys, "path_hooks", sys.path_hooks.copy())
        self.folder = folder / "kept"
        self.source = folder / "root" / "sample.py"
        self.source.parent.mkdir()
        start.keep_bytecode(self.source.parent, self.folder)
        self._finder: Any = sys.path_hooks[0](str(self.source.parent))
        self.compiled = 0
        compiling = start.KeptBytecode.source_to_code

        def count(loader: Any, *arguments: Any, **options: Any) -> Any:
            self.compiled += 1
            return compiling(loader, *arguments, **options)

        patch.setattr(start.KeptBytecode, "source_to_code", count)

    def write(self, text: str) -> None:
        self.source.write_text(text, encoding="utf-8")
        os.utime(self.source, (0, 0))

    def load(self) -> Any:
        spec = self._finder.find_spec("sample")
        module = module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    @property
    def file(self) -> Path:
        (path,) = self.folder.iterdir()
        return path


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kept:
    return Kept(tmp_path, monkeypatch)


def test_code_that_changed_is_compiled_anew_whatever_the_time_of_its_file(kept: Kept) -> None:
    for number, text in enumerate(("x = 1", "x = 2"), 1):
        kept.write(text)
        assert [kept.load().x, kept.load().x] == [number, number]
        assert kept.compiled == number
    assert kept.file.name.startswith("sample.py.")


def test_only_the_plugins_are_found_so(kept: Kept, tmp_path: Path) -> None:
    with pytest.raises(ImportError):
        sys.path_hooks[0](str(tmp_path))


@pytest.mark.parametrize("damage", ["empty", "cut", "other version", "no code", "moved"])
def test_bytecode_that_is_damaged_or_of_another_file_is_made_anew(kept: Kept, damage: str) -> None:
    kept.write("x = 1")
    kept.load()
    sound = kept.file.read_bytes()
    code = marshal.loads(sound[16:])  # noqa: S302 - made above
    kept.file.write_bytes(
        {
            "empty": b"",
            "cut": sound[:-5],
            "other version": b"\0" + sound[1:],
            "no code": sound[:16] + marshal.dumps(1),
            "moved": sound[:16] + marshal.dumps(code.replace(co_filename="/elsewhere")),
        }[damage]
    )
    assert (kept.load().x, kept.compiled) == (1, 2)
    assert kept.file.read_bytes() == sound


def test_without_a_place_for_bytecode_a_module_runs_all_the_same(kept: Kept) -> None:
    kept.folder.touch()
    kept.write("x = 1")
    assert [kept.load().x, kept.load().x] == [1, 1]
    assert kept.compiled == 2


def test_a_full_disk_leaves_nothing_behind(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: Path, _target: Path) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Path, "replace", refuse)
    kept.write("x = 1")
    assert kept.load().x == 1
    assert not list(kept.folder.iterdir())
