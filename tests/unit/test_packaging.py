# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What AnsiballZ sends with each module, and which Pythons can read the file that says what is missing."""

from __future__ import annotations

import ast
import os
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
UTILITIES = "ansible_collections.hybrid_identity.gpad.plugins.module_utils."
ADAPTERS = frozenset({"_entra", "_directory", "_store"})
GRAPH_SIDE, DIRECTORY_SIDE = frozenset({"_entra", "_store"}), frozenset({"_directory", "_store"})
# Every module has its line here: a new one cannot be forgotten.
PACKAGED = {
    "gpad_delegate": frozenset({"_directory", "_store"}),
    "gpad_group": DIRECTORY_SIDE,
    "gpad_info": DIRECTORY_SIDE,
    "gpad_journal": frozenset({"_store"}),
    "gpad_membership": DIRECTORY_SIDE,
    "gpad_plan": DIRECTORY_SIDE,
    "gpad_scope": GRAPH_SIDE,
    "gpad_soa": GRAPH_SIDE,
}
LIBRARIES = {"_entra": {"ldap3"}, "_directory": {"msal", "requests"}}
OLD_VERSIONS = ("2.7", "3.6", "3.7", "3.8", "3.9")
READ_BY_ALL = [*(f"plugins/modules/{name}.py" for name in MODULES), "plugins/module_utils/_module/interpreter.py"]


@cache
def imported(path: Path) -> frozenset[str]:
    """Return the dotted names that a file imports, in functions too, as AnsiballZ looks for them."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(names)


def packaged(start: Path) -> set[Path]:
    """Return the collection's files that a module takes along."""
    seen: set[Path] = set()
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            waiting += [file for name in imported(path) for file in files_of(name)]
    return seen


def files_of(name: str) -> list[Path]:
    """Return the files of a dotted name: the module itself, and the packages around it."""
    if not name.startswith(UTILITIES):
        return []
    parts = name.removeprefix(UTILITIES).split(".")
    base = ROOT / "plugins/module_utils"
    candidates = [base.joinpath(*parts).with_suffix(".py")]
    candidates += [base.joinpath(*parts[: end + 1], "__init__.py") for end in range(len(parts))]
    return [path for path in candidates if path.is_file()]


def adapters(files: set[Path]) -> frozenset[str]:
    """Return the adapter packages among the files."""
    return ADAPTERS & {path.relative_to(ROOT / "plugins").parts[1] for path in files}


def test_every_module_is_known() -> None:
    assert sorted(PACKAGED) == MODULES


@pytest.mark.parametrize("name", MODULES)
def test_a_module_packages_its_own_side_only(name: str) -> None:
    files = packaged(ROOT / f"plugins/modules/{name}.py")
    assert adapters(files) == PACKAGED[name]


@pytest.mark.parametrize("name", MODULES)
def test_a_module_loads_the_libraries_of_its_own_side_only(name: str) -> None:
    files = packaged(ROOT / f"plugins/modules/{name}.py")
    libraries = {imported_name.split(".")[0] for file in files for imported_name in imported(file)}
    foreign = {library for side in adapters(files) for library in LIBRARIES.get(side, set())}
    assert libraries & foreign == set()


def test_the_walk_enters_functions_and_packages() -> None:
    assert files_of(UTILITIES + "_entra.client") == [
        ROOT / "plugins/module_utils/_entra/client.py",
        ROOT / "plugins/module_utils/_entra/__init__.py",
    ]
    names = {path.name for path in packaged(ROOT / "plugins/modules/gpad_scope.py")}
    assert {"interpreter.py", "capturing.py", "client.py", "model.py"} <= names


@cache
def interpreter(version: str) -> Path | None:
    """Return a Python of the given version that starts, from PATH or pyenv."""
    folders = [Path(folder) for folder in os.get_exec_path()]
    folders += sorted((Path.home() / ".pyenv/versions").glob(f"{version}.*/bin"))
    for folder in folders:
        path = folder / f"python{version}"
        if (
            os.access(path, os.X_OK)
            and subprocess.run([path, "-c", ""], capture_output=True, check=False).returncode == 0
        ):
            return path
    return None


COMPILE = "import sys\nfor name in sys.argv[1:]:\n    compile(open(name, 'rb').read(), name, 'exec')\n"


@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_an_old_python_reads_the_version_check(version: str) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    done = subprocess.run([python, "-c", COMPILE, *READ_BY_ALL], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_an_old_python_would_refuse_new_syntax(version: str, tmp_path: Path) -> None:
    python = interpreter(version)
    if python is None:
        pytest.skip(f"no Python {version} on this machine")
    planted = tmp_path / "new.py"
    planted.write_text("match x:\n    case 1:\n        pass\n")
    done = subprocess.run([python, "-c", COMPILE, planted], capture_output=True, text=True, check=False)
    assert "SyntaxError" in done.stderr
