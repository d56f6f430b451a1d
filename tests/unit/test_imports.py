# Copyright (c) 2026, the hybrid_identity.gpad authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which package may import which, read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
COLLECTION = "ansible_collections.hybrid_identity.gpad"
ARROWS = {
    "modules": {"_module"},
    "_module": {"_module", "_entra", "_directory", "_store", "_provisioning"},
    "_entra": {"_entra", "_provisioning"},
    "_directory": {"_directory", "_provisioning"},
    "_store": {"_store", "_provisioning"},
    "_provisioning": {"_provisioning"},
    "doc_fragments": set[str](),
    "action": {"plugin_utils"},
    "plugin_utils": {"plugin_utils", "_provisioning"},
    "filter": {"_module", "_provisioning"},
}
# An allow-list: the rest does I/O, reads a clock or the environment, draws random numbers, or has not been looked at.
PURE = frozenset(
    {
        "__future__",
        "abc",
        "base64",
        "binascii",
        "bisect",
        "collections",
        "copy",
        "dataclasses",
        "datetime",
        "decimal",
        "difflib",
        "enum",
        "fractions",
        "functools",
        "graphlib",
        "hashlib",
        "heapq",
        "hmac",
        "html",
        "itertools",
        "json",
        "math",
        "numbers",
        "operator",
        "re",
        "string",
        "struct",
        "textwrap",
        "types",
        "typing",
        "unicodedata",
        "urllib.parse",
        "uuid",
        "zlib",
    }
)
IMPURE_CALLS = frozenset(
    {"__import__", "breakpoint", "eval", "exec", "input", "open", "print"}
    | {f"{kind}.{name}" for kind in ("datetime", "date") for name in ("now", "today", "utcnow")}
    | {f"uuid.{name}" for name in ("uuid1", "uuid4", "getnode")}
    | {"uuid1", "uuid4", "getnode"}
)


@dataclass(frozen=True, slots=True)
class Source:
    """A Python file of the collection: its path below plugins/, its package and its syntax tree."""

    path: Path
    package: str
    tree: ast.Module


def sources(root: Path) -> list[Source]:
    """Return every Python file below the folder of plugins, in order."""
    return [_source(root, path) for path in sorted(root.rglob("*.py"))]


def _source(root: Path, path: Path) -> Source:
    relative = path.relative_to(root)
    parts = relative.parts
    package = parts[1] if parts[0] == "module_utils" else parts[0]
    return Source(relative, package, ast.parse(path.read_text(), str(path)))


def imported(source: Source) -> Iterator[str]:
    """Yield the dotted name of everything that a file imports, wherever in the file."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield from (f"{base}.{alias.name}" for alias in node.names)


def wrong_arrows(source: Source) -> list[str]:
    """Return what a file imports against the arrows of the design, an import by relative or foreign name included."""
    return [name for name in imported(source) if not _follows(source.package, name)]


def _follows(package: str, name: str) -> bool:
    if name.startswith("."):
        return False
    if not name.startswith("ansible_collections"):
        return package != "doc_fragments" or name.startswith("__future__.")
    plugins = f"{COLLECTION}.plugins."
    target = name.removeprefix(plugins).removeprefix("module_utils.").split(".")[0]
    return name.startswith(plugins) and target in ARROWS.get(package, set())


def impurities(source: Source) -> list[str]:
    """Return what a file imports or calls that a pure function has no use for."""
    outside = [name for name in imported(source) if not name.startswith((f"{COLLECTION}.", ".")) and not _is_pure(name)]
    calls = [ast.unparse(node.func) for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
    return outside + [call for call in calls if call in IMPURE_CALLS or ".".join(call.split(".")[-2:]) in IMPURE_CALLS]


def _is_pure(name: str) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in PURE)


ALL = sources(PLUGINS)


@pytest.mark.parametrize("source", ALL, ids=lambda source: str(source.path))
def test_imports_follow_the_arrows(source: Source) -> None:
    assert source.package in ARROWS or source.path.name == "__init__.py", "a package that the design does not know"
    assert wrong_arrows(source) == []


@pytest.mark.parametrize(
    "source", [each for each in ALL if each.package == "_provisioning"], ids=lambda source: str(source.path)
)
def test_rules_are_pure(source: Source) -> None:
    assert impurities(source) == []


def test_every_init_file_is_empty() -> None:
    assert [str(source.path) for source in ALL if source.path.name == "__init__.py" and source.tree.body] == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("module_utils/_entra/x.py", f"from {COLLECTION}.plugins.module_utils._store import snapshot"),
        ("module_utils/_directory/x.py", f"def f():\n    import {COLLECTION}.plugins.module_utils._entra.client"),
        ("module_utils/_provisioning/x.py", f"from {COLLECTION}.plugins.module_utils import _store"),
        ("module_utils/_store/x.py", "from . import files"),
        ("module_utils/_store/x.py", "from ansible_collections.community.general.plugins.module_utils import version"),
        ("modules/x.py", f"from {COLLECTION}.plugins.module_utils._provisioning import plan"),
        ("doc_fragments/_x.py", "import os"),
        ("action/x.py", f"from {COLLECTION}.plugins.module_utils._provisioning import plan"),
        ("plugin_utils/x.py", f"from {COLLECTION}.plugins.module_utils._module import progress"),
        ("module_utils/_module/x.py", f"from {COLLECTION}.plugins.plugin_utils import progress"),
    ],
)
def test_a_wrong_arrow_is_seen(tmp_path: Path, path: str, text: str) -> None:
    assert wrong_arrows(_planted(tmp_path, path, text)) != []


@pytest.mark.parametrize(
    "text",
    [
        "import os",
        "import os.path",
        "from io import StringIO",
        "from urllib.request import urlopen",
        "from urllib import request",
        "def f():\n    import random",
        "import ansible.module_utils.basic",
        "import datetime\nx = datetime.datetime.now()",
        "from datetime import datetime\nx = datetime.now(tz=None)",
        "from datetime import date\nx = date.today()",
        "from uuid import uuid4\nx = uuid4()",
        "x = open('file')",
    ],
)
def test_an_impurity_is_seen(tmp_path: Path, text: str) -> None:
    assert impurities(_planted(tmp_path, "module_utils/_provisioning/x.py", text)) != []


def test_a_pure_file_passes(tmp_path: Path) -> None:
    rules = f"{COLLECTION}.plugins.module_utils._provisioning"
    text = f"import datetime\nfrom urllib.parse import quote\nfrom {rules} import dn"
    source = _planted(tmp_path, "module_utils/_provisioning/x.py", text)
    assert (wrong_arrows(source), impurities(source)) == ([], [])


def _planted(root: Path, path: str, text: str) -> Source:
    (root / path).parent.mkdir(parents=True)
    (root / path).write_text(text)
    return sources(root)[0]
