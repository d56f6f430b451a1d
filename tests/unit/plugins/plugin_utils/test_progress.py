# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action plugins: the module runs as it is, a thread shows how far it is, and nothing stays behind."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible import constants
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._provisioning.progress import (
    PATH_VARIABLE,
    Progress,
    Stage,
)
from ansible_collections.hybrid_identity.gpad.plugins.plugin_utils import progress
from ansible_collections.hybrid_identity.gpad.plugins.plugin_utils.progress import ProgressAction, Watch

RESULT = {"changed": True, "outcome": "ok"}
VARS = {"inventory_hostname": "contoso.com"}
TOLD = Progress(Stage.MEMBERS_WRITTEN, 340, 1000)


def task_of(**more: Any) -> Any:
    """Return a task of gpad_membership."""
    given = {"action": "hybrid_identity.gpad.gpad_membership", "environment": [{"A": "1"}], "async_val": 0}
    return SimpleNamespace(**{**given, "no_log": False, **more})


def action_of(task: Any, transport: str = "local") -> ProgressAction:
    """Return the plugin for a task."""
    return ProgressAction(task, SimpleNamespace(transport=transport), None, None, None, None)


@pytest.fixture(autouse=True)
def on_a_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A controller with a terminal, whose folder for temporary files is the test's."""
    monkeypatch.setattr(progress, "ON_TERMINAL", True)
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("GPAD_PROGRESS", raising=False)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """What is shown, and whether on the screen only."""
    shown: list[tuple[str, bool]] = []

    def display(_self: object, text: str, *, screen_only: bool = False) -> None:
        shown.append((text, screen_only))

    monkeypatch.setattr(Display, "display", display)
    return shown


def module(monkeypatch: pytest.MonkeyPatch, body: Callable[[list[Any]], None]) -> None:
    """Let a body stand for the module, which is given the task's environment."""

    def run(self: Any, _tmp: object, task_vars: object) -> dict[str, Any]:
        assert task_vars is VARS
        body(self._task.environment)
        return RESULT

    monkeypatch.setattr(NormalAction, "run", run)


def test_the_module_is_asked_and_nothing_stays_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[list[Any]] = []
    modes: list[int] = []

    def body(environment: list[Any]) -> None:
        seen.append(environment)
        modes.append(Path(environment[-1][PATH_VARIABLE]).parent.stat().st_mode & 0o777)

    module(monkeypatch, body)
    task = task_of()
    given = task.environment
    assert action_of(task).run(None, VARS) is RESULT
    assert action_of(task).run(None, VARS) is RESULT, "a task that is tried again"
    first, second = (environment.pop() for environment in seen)
    assert seen == [[{"A": "1"}], [{"A": "1"}]] and first != second
    assert modes == [0o700, 0o700]
    assert Path(first[PATH_VARIABLE]).is_relative_to(tmp_path)
    assert task.environment is given and given == [{"A": "1"}]
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() == 1


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_nothing_stays_behind_a_module_that_broke_off(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: type[BaseException]
) -> None:
    def body(environment: list[Any]) -> None:
        Path(environment[-1][PATH_VARIABLE]).write_text(TOLD.line())
        raise error

    module(monkeypatch, body)
    task = task_of()
    with pytest.raises(error):
        action_of(task).run(None, VARS)
    assert list(tmp_path.iterdir()) == [] and task.environment == [{"A": "1"}]
    assert threading.active_count() == 1


def silent(monkeypatch: pytest.MonkeyPatch, task: Any, transport: str = "local") -> bool:
    """Return whether the module runs without being asked for anything."""
    seen: list[list[Any]] = []
    module(monkeypatch, seen.append)
    given = task.environment
    assert action_of(task, transport).run(None, VARS) is RESULT
    return seen[0] is given


@pytest.mark.parametrize("more", [{}, {"environment": None}, {"environment": {"A": "1"}}, {"check_mode": True}])
def test_a_local_task_on_a_terminal_is_shown(monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]) -> None:
    assert not silent(monkeypatch, task_of(**more))


@pytest.mark.parametrize("more", [{"async_val": 60}, {"no_log": True}])
def test_a_task_in_the_background_or_without_a_log_is_not(
    monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]
) -> None:
    assert silent(monkeypatch, task_of(**more))


def test_another_host_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert silent(monkeypatch, task_of(), "ssh")


def test_without_a_terminal_nothing_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "ON_TERMINAL", False)
    assert silent(monkeypatch, task_of())


@pytest.mark.parametrize(
    ("name", "value"), [("CI", "true"), ("CI", ""), ("GPAD_PROGRESS", "0"), ("GPAD_PROGRESS", "No")]
)
def test_the_environment_turns_it_off(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    assert silent(monkeypatch, task_of())


@pytest.mark.parametrize("value", ["", "1", "yes"])
def test_the_environment_leaves_it_on(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("GPAD_PROGRESS", value)
    assert not silent(monkeypatch, task_of())


def test_without_room_for_the_file_the_module_runs_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path / "gone"))
    assert silent(monkeypatch, task_of())


def test_without_room_for_a_thread_the_module_runs_all_the_same(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def start(_self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    assert silent(monkeypatch, task_of())
    assert list(tmp_path.iterdir()) == []


def test_the_thread_shows_on_the_screen_what_the_module_told(
    monkeypatch: pytest.MonkeyPatch, lines: list[tuple[str, bool]]
) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "INTERVAL", 0.01)
    ahead = threading.Event()

    def body(environment: list[Any]) -> None:
        path = Path(environment[-1][PATH_VARIABLE])
        draft = path.with_name("draft")
        draft.write_text(TOLD.line())
        draft.replace(path)
        for _unused in range(1000):
            if any("340" in text for text, _screen in lines):
                return
            ahead.wait(0.01)

    module(monkeypatch, body)
    action_of(task_of()).run(None, VARS)
    assert lines[-1] == (
        "gpad_membership contoso.com: writing members, 340 of 1,000 groups, time left unknown",
        True,
    )


def test_a_short_run_is_silent(monkeypatch: pytest.MonkeyPatch, lines: list[tuple[str, bool]]) -> None:
    def body(environment: list[Any]) -> None:
        Path(environment[-1][PATH_VARIABLE]).write_text(TOLD.line())

    module(monkeypatch, body)
    action_of(task_of()).run(None, VARS)
    assert lines == []


def test_it_tells_from_five_seconds_on_and_at_least_every_five(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    watch = Watch("gpad_group a", path, 100.0)
    told: dict[float, str] = {}
    moments = [100.0 + step / 4 for step in range(80)]
    for now in moments:
        if now == 107:
            path.write_text(Progress(Stage.GROUPS_WRITTEN, 10, 40).line())
        if now == 112:
            path.write_text(Progress(Stage.GROUPS_WRITTEN, 20, 40).line())
        if (line := watch.look(now)) is not None:
            told[now] = line
    shown = list(told)
    assert shown[0] == 105
    assert max(later - sooner for sooner, later in zip(shown, [*shown[1:], moments[-1]], strict=True)) < 5
    assert told[105] == "gpad_group a: running for 5 s"
    assert told[109.5] == "gpad_group a: writing groups, 10 of 40 changes, time left unknown"
    assert told[114] == "gpad_group a: writing groups, 20 of 40 changes, about 15 s left"


@pytest.mark.parametrize("content", [b"\xff\xfe", b'["writing gr', b""])
def test_a_file_that_cannot_be_understood_tells_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "progress"
    path.write_bytes(content)
    assert Watch("gpad_group a", path, 0.0).look(6.0) == "gpad_group a: running for 6 s"
