# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Started as a program by in_place.py: runs one module of the collection, whose arguments come on standard input."""

from __future__ import annotations

import importlib
import os
import py_compile
import stat
import sys
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader
from importlib.util import cache_from_source
from pathlib import Path
from types import CodeType, ModuleType


class KeptBytecode(SourceFileLoader):
    """Compiles a file of the collection once, and again when it holds something else, whatever its time says."""

    folder: str
    """Where the bytecode is kept."""

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the code of a file, read from the folder if that has it."""
        found = sys.pycache_prefix, sys.dont_write_bytecode
        sys.pycache_prefix = self.folder
        sys.dont_write_bytecode = not self._is_kept()
        try:
            return super().get_code(fullname)
        finally:
            sys.pycache_prefix, sys.dont_write_bytecode = found

    def _is_kept(self) -> bool:
        if Path(cache_from_source(self.path)).exists():
            return True
        try:
            py_compile.compile(self.path, doraise=True, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
        except (OSError, py_compile.PyCompileError):
            return False
        return True


def keep_bytecode(root: Path, folder: str) -> None:
    """Compile the files below a folder once only.

    Parameters:
        root: where the files are.
        folder: what keeps their bytecode; made if it is missing, not used if another account may read or write it.
    """
    try:
        Path(folder).mkdir(mode=stat.S_IRWXU, parents=True, exist_ok=True)
        found = Path(folder).lstat()
    except OSError:
        return
    if found.st_uid != os.geteuid() or found.st_mode != stat.S_IFDIR | stat.S_IRWXU:
        return
    KeptBytecode.folder = folder

    def finder(path: str) -> FileFinder:
        if not Path(path).is_relative_to(root):
            raise ImportError
        return FileFinder(path, (KeptBytecode, SOURCE_SUFFIXES))

    sys.path_hooks.insert(0, finder)


def run_module(name: str) -> None:
    """Run a module of the collection that this file is in; the process ends with it.

    Parameters:
        name: the module, without namespace and collection.
    """
    root = Path(__file__).parents[4]
    # Else an installed package of this name, as that of community collections, would hide the collection.
    package = ModuleType(root.name)
    package.__path__ = [str(root)]
    sys.modules[root.name] = package
    collection = ".".join(Path(__file__).parts[len(root.parts) - 1 : -2])
    importlib.import_module(f"{collection}.modules.{name}").main()


def take_ansible(folder: str) -> None:
    """Import the Ansible that starts this, whatever other one would be found, and nothing else from there.

    Parameters:
        folder: what its package is in.
    """
    sys.path.insert(0, folder)
    importlib.import_module("ansible")
    sys.path.remove(folder)


def main(name: str, ansible: str, bytecode: str) -> None:
    """Run a module of the collection; the process ends with it.

    Parameters:
        name: the module, without namespace and collection.
        ansible: what the package of Ansible is in.
        bytecode: the folder that keeps the bytecode of the collection, unless Python is told to keep it elsewhere, or
            to keep none.
    """
    if sys.pycache_prefix is None and not sys.dont_write_bytecode:
        # Bytecode beside the sources would be found by `ansible-galaxy collection verify`.
        sys.dont_write_bytecode = True
        keep_bytecode(Path(__file__).parents[2], bytecode)
    # Neither the folder of this file, which Python may have put first, nor where the task happens to run.
    here = Path(__file__).resolve().parent
    sys.path[:] = [path for path in sys.path if path not in ("", ".") and Path(path).resolve() != here]
    take_ansible(ansible)
    run_module(name)


if __name__ == "__main__":
    given = sys.argv[1:]
    # With no argument of its own, a module of Ansible reads those of the task from standard input.
    del sys.argv[1:]
    main(*given)
