# Copyright (c) 2026, the hybrid_identity.gpad authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Started as a program by in_place.py: runs one module of the collection, whose arguments come on standard input."""

from __future__ import annotations

import importlib
import marshal
import os
import stat
import sys
from contextlib import suppress
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader
from importlib.util import MAGIC_NUMBER, source_hash
from pathlib import Path
from types import CodeType, ModuleType

KEPT_IN = "hybrid_identity.gpad"
"""The folder of Ansible's home that keeps the compiled collection."""

# Of bytecode that holds for what the source holds, whatever the time of its file (PEP 552).
_HEAD = MAGIC_NUMBER + (0b11).to_bytes(4, "little")


class KeptBytecode(SourceFileLoader):
    """Compiles a file of the collection once, and again when it holds something else."""

    root: Path
    """Where the files are."""
    folder: Path
    """What keeps their bytecode."""

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the code of a file, out of the folder if that has it."""
        source = self.get_data(self.path)
        head = _HEAD + source_hash(source)
        name = Path(self.path).relative_to(self.root)
        kept = self.folder / f"{name}.{sys.implementation.cache_tag}-{sys.flags.optimize}"
        code = self._kept(kept, head)
        if code is None:
            code = self.source_to_code(source, self.path)
            _keep(kept, head + marshal.dumps(code))
        return code

    def _kept(self, path: Path, head: bytes) -> CodeType | None:
        try:
            content = path.read_bytes()
            # The folder is private to the account that runs this.
            code = marshal.loads(content[len(head) :]) if content.startswith(head) else None  # noqa: S302
        except (OSError, EOFError, ValueError, TypeError):
            return None
        return code if isinstance(code, CodeType) and code.co_filename == self.path else None


def _keep(path: Path, content: bytes) -> None:
    """Write a file as a whole, or not at all."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("xb") as file:
            file.write(content)
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()


def private_folder(home: Path) -> Path | None:
    """Return the folder that keeps the compiled collection, made if it is missing.

    Parameters:
        home: Ansible's.

    Returns:
        None where another account could put something there, or would find its home with a folder that is not its own.
    """
    folder = home / KEPT_IN
    try:
        above = home.stat()
        if above.st_uid != os.geteuid() or above.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            return None
        with suppress(FileExistsError):
            folder.mkdir(stat.S_IRWXU)
        found = folder.lstat()
    except OSError:
        return None
    is_private = stat.S_ISDIR(found.st_mode) and not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    return folder if is_private and found.st_uid == os.geteuid() else None


def keep_bytecode(root: Path, folder: Path) -> None:
    """Compile the files below a folder once only.

    Parameters:
        root: where the files are.
        folder: what keeps their bytecode.
    """
    KeptBytecode.root, KeptBytecode.folder = root, folder

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


def main(name: str, ansible: str, home: str) -> None:
    """Run a module of the collection; the process ends with it.

    Parameters:
        name: the module, without namespace and collection.
        ansible: what the package of Ansible is in.
        home: Ansible's home, which keeps the bytecode of the collection, unless Python is told to keep it elsewhere,
            or to keep none.
    """
    if sys.pycache_prefix is None and not sys.dont_write_bytecode:
        # Bytecode beside the sources would be found by `ansible-galaxy collection verify`.
        sys.dont_write_bytecode = True
        folder = private_folder(Path(home))
        if folder is not None:
            keep_bytecode(Path(__file__).parents[1], folder)
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
