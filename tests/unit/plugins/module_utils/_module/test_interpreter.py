# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one check that speaks on any Python."""

from __future__ import annotations

import builtins
import json
import sys
from typing import Any

import pytest

from ansible_collections.hybrid_identity.gpad.plugins.module_utils._module import interpreter as untyped

# Typed as nothing, since it must parse on any Python.
interpreter: Any = untyped


@pytest.mark.parametrize(
    ("version", "has_sqlite", "words"),
    [
        ((3, 10), True, None),
        ((3, 13, 1, "final", 0), True, None),
        ((4, 0), True, None),
        ((3, 9, 18), True, "needs Python 3.10 or later"),
        ((2, 7), True, "needs Python 3.10 or later"),
        ((3, 12), False, "without sqlite3"),
        ((2, 7), False, "needs Python 3.10"),
    ],
)
def test_what_an_interpreter_lacks(version: tuple[Any, ...], has_sqlite: bool, words: str | None) -> None:
    problem = interpreter.interpreter_problem(version, has_sqlite)
    if words is None:
        assert problem is None
    else:
        assert words in problem
        assert "ansible_python_interpreter" in problem
        assert sys.executable in problem
        assert problem.count(".") >= 1
        assert "\n" not in problem


def test_a_good_interpreter_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    interpreter.require_interpreter()
    assert capsys.readouterr().out == ""


def ended(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    with pytest.raises(SystemExit) as caught:
        interpreter.require_interpreter()
    assert caught.value.code == 1
    result: dict[str, Any] = json.loads(capsys.readouterr().out)
    return result


def test_an_old_interpreter_ends_the_module_with_a_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(interpreter.sys, "version_info", (3, 8, 10, "final", 0))
    result = ended(capsys)
    assert (result["failed"], result["changed"], result["fatal"], result["outcome"]) == (True, False, True, "fatal")
    assert "Python 3.8" in result["msg"]


def test_a_python_without_sqlite_ends_the_module_with_a_result(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    load = builtins.__import__

    def without(name: str, *arguments: Any) -> Any:
        if name == "sqlite3":
            raise ImportError(name)
        return load(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    assert "sqlite3" in ended(capsys)["msg"]
